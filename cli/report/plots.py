"""The plots of a provider's month, as inline SVG; every number also stands in a table."""

from matplotlib.axes import Axes

from cli.report.figures import MonthFigures
from cli.whatif.plots import GAIN, LOSS, NEW, svg


def days(month: MonthFigures) -> str:
    """Visits a day."""

    def draw(axes: Axes) -> None:
        names = [day for day, _, _ in month.days]
        good = [n for _, n, _ in month.days]
        axes.bar(names, good, color=GAIN, label="count")
        axes.bar(names, [n for _, _, n in month.days], bottom=good, color=LOSS, label="do not")
        axes.set_xticks(names[::2])
        axes.set_ylabel("visits")
        axes.legend(frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1))

    return svg("days", draw, width=9.2)


def lengths(month: MonthFigures) -> str:
    """How long visits were, by quarters of an hour."""
    told = month.of("minutes")

    def draw(axes: Axes) -> None:
        axes.bar([int(key) for key, _ in told], [n for _, n in told], 13, align="edge", color=NEW)
        axes.set_xlabel("minutes")
        axes.set_ylabel("visits")

    return svg("lengths", draw, width=4.5)


def hours(month: MonthFigures) -> str:
    """Hours of care, a bar a caregiver."""

    def draw(axes: Axes) -> None:
        axes.bar(range(len(month.hours)), month.hours, 0.85, color=NEW)
        axes.set_xticks([])
        axes.set_xlabel("caregivers, one bar each")
        axes.set_ylabel("hours")

    return svg("hours", draw, width=4.5)
