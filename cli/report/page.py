"""One self-contained HTML page of a provider's month, in Chinese or English."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from cli.output import Language, money
from cli.report import plots
from cli.report.figures import MonthFigures
from kernel.rules.ruling import Step
from kernel.rules.sentences import sentences
from services.provider.domain.quality import QUESTION

OUTCOMES = {
    "open": ("not answered", "未答复"),
    "substantiated": ("substantiated", "属实"),
    "not_substantiated": ("not substantiated", "不属实"),
    "cannot_be_checked": ("cannot be checked", "无法查证"),
}


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
        reason=lambda code: _reason(code, lang),
        outcome=lambda name: OUTCOMES[name][lang is Language.ZH],
        said=lambda step: _said(step, lang),
        # The drawings are made here, of numbers and of our own words: nothing in them is foreign.
        plot_days=Markup(plots.days(month)),  # noqa: S704
        plot_lengths=Markup(plots.lengths(month)),  # noqa: S704
        plot_hours=Markup(plots.hours(month)),  # noqa: S704
    )


def _reason(code: str, lang: Language) -> str:
    """A reason in the reader's language, and its code."""
    told = sentences().reasons.get(code)
    return f"{told.filled(lang.value, {}, _plain)} ({code})" if told else code


def _said(step: Step, lang: Language) -> str:
    """What a step of the score says."""
    found = sentences().of_step(QUESTION, step)
    values = {**step.inputs, "output": step.output}
    return found.text.filled(lang.value, values, _plain) if found else step.label


def _plain(_name: str, value: str | int) -> str:
    return str(value)
