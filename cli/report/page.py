"""One self-contained HTML page of a provider's month, in Chinese or English."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from cli.output import Language, money
from cli.report import plots
from cli.report.figures import MonthFigures


def page(month: MonthFigures, lang: Language) -> str:
    """The page; the same bytes for the same counts."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2").render(
        lang=lang.value,
        t=lambda en, zh: zh if lang is Language.ZH else en,
        yuan=money,
        month=month,
        # The drawings are made here, of numbers and of our own words: nothing in them is foreign.
        plot_days=Markup(plots.days(month)),  # noqa: S704
        plot_lengths=Markup(plots.lengths(month)),  # noqa: S704
        plot_hours=Markup(plots.hours(month)),  # noqa: S704
    )
