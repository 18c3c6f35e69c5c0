"""Plots as inline SVG, the same bytes for the same figures: no date, no random ids, no fonts.

Words inside are English and figures only; the page around them speaks the reader's language, and
every plotted number also stands in a table.
"""

import io
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from cli.whatif.compare import Comparison, Line

OLD, NEW, GAIN, LOSS = "#9aa5b1", "#1f6f8b", "#2e7d4f", "#b23a48"
_STYLE: Any = {
    "svg.fonttype": "none",  # text stays text: it can be searched, and prints sharp
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#6b7680",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": "#e3e7eb",
    "text.color": "#20262c",
    "axes.labelcolor": "#20262c",
}
_MONTHS_NAMED = 12  # more would run into each other
_FEN = 100


def months(comparison: Comparison) -> str:
    """What the fund pays a month, old and new."""
    lines = comparison.lines("month")

    def draw(axes: Axes) -> None:
        places = range(len(lines))
        axes.bar([x - 0.2 for x in places], _yuan(lines, "old"), 0.4, color=OLD, label="recorded")
        axes.bar([x + 0.2 for x in places], _yuan(lines, "new"), 0.4, color=NEW, label="draft")
        step = max(1, -(-len(lines) // _MONTHS_NAMED))
        axes.set_xticks(list(places)[::step], [line.label for line in lines][::step])
        axes.tick_params(axis="x", rotation=45)
        axes.set_ylabel("fund pays, yuan")
        axes.legend(frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1))

    return svg("months", draw, width=9.2)


def differences(comparison: Comparison, name: str) -> str:
    """The difference by `grade`, `group` or `setting`."""
    lines = comparison.lines(name)

    def draw(axes: Axes) -> None:
        amounts = [line.difference / _FEN for line in lines]
        colours = [LOSS if amount < 0 else GAIN for amount in amounts]
        axes.barh([line.label.replace("_", " ") for line in lines], amounts, 0.6, color=colours)
        axes.axvline(0, color="#6b7680", linewidth=0.8)
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x")
        axes.set_xlabel("difference, yuan")
        axes.xaxis.set_major_formatter(_thousands())
        axes.tick_params(axis="x", labelsize=8)

    return svg(name, draw, width=4.5, height=0.9 + 0.42 * max(len(lines), 2), money_axis=False)


def people(comparison: Comparison) -> str:
    """How much each person's months change by, from the greatest loss to the greatest gain."""
    amounts = sorted(amount / _FEN for amount in comparison.by_person().values())

    def draw(axes: Axes) -> None:
        colours = [LOSS if amount < 0 else GAIN for amount in amounts]
        axes.bar(range(len(amounts)), amounts, 0.85, color=colours)
        axes.axhline(0, color="#6b7680", linewidth=0.8)
        axes.set_xticks([])
        axes.set_xlabel("people, one bar each")
        axes.set_ylabel("difference, yuan")

    return svg("people", draw, width=4.5, height=2.2)


def _yuan(lines: Sequence[Line], name: str) -> list[float]:
    return [getattr(line, name).fund / _FEN for line in lines]


def _thousands() -> FuncFormatter:
    return FuncFormatter(lambda value, _: f"{value:,.0f}")


def svg(
    name: str,
    draw: Callable[[Axes], None],
    *,
    width: float,
    height: float = 2.9,
    money_axis: bool = True,
) -> str:
    with mpl.rc_context({**_STYLE, "svg.hashsalt": f"whatif {name}"}):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots()
        draw(axes)
        if money_axis:
            axes.yaxis.set_major_formatter(_thousands())
        written = io.StringIO()
        figure.savefig(
            written, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    text = written.getvalue()
    drawing = text[text.index("<svg") :]
    # Several drawings on one page: names that matplotlib counts must not meet.
    for part in ("figure_", "axes_", "patch_", "text_", "line2d_", "matplotlib.axis_", "legend_"):
        drawing = drawing.replace(f'id="{part}', f'id="{name}-{part}')
    return drawing
