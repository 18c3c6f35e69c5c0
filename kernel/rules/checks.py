"""What is wrong with a pack's figures once they are read the way the services read them. Pure."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from kernel.rules.collection import check_changes, check_payers, check_windows
from kernel.rules.dimensions import (
    FORMS,
    GROUPS,
    UNKNOWN,
    cells,
    check_table,
    money,
    rate,
    whole,
)
from kernel.rules.figure import Figure, FigureMisread, FigureUnknown
from kernel.rules.formula import ProRata
from kernel.rules.precedence import read_precedence
from kernel.rules.reading import Problem

if TYPE_CHECKING:
    from kernel.rules.pack import Pack


def _months(figure: Figure) -> object:
    """Whole months, or a table of them; the table is checked by its own rule."""
    return figure.table() if figure.by else figure.integer()


def _part_month(figure: Figure) -> object:
    told = figure.table()
    for name in ("flat", "cap", "quota"):
        if ProRata(told.get(name, "none")) is ProRata.PER_DAY:
            raise FigureMisread(f"{figure.key}: per_day needs the day_amount of a component")
    return told["flat"], told["cap"], told["rounding"]


def _office(figure: Figure) -> object:
    told = figure.table()
    names = [told[name] for name in ("name_zh", "name_en")]
    if len(told) != len(names) or not all(isinstance(one, str) and one for one in names):
        raise FigureMisread(f"{figure.key}: name_zh and name_en, nothing else")
    return names


# What the services ask for, and as what: a pack says it, or says that it is not known. Where one
# of these is not known, decisions that need it are refused, and the pool cannot go live.
LIVE: Mapping[str, Callable[[Figure], object]] = {
    "pool.settlement_day": Figure.term,
    "enrollment.insured_groups": Figure.texts,
    "enrollment.continuous_months": _months,
    "enrollment.sources": Figure.texts,
    "enrollment.arrears_suspend": Figure.flag,
    "enrollment.source_precedence": read_precedence,
    "assessment.eligible_grades": Figure.integers,
    "assessment.supplement_days": Figure.term,
    "assessment.conclusion_days": Figure.term,
    "assessment.reminder_days": Figure.term,
    "assessment.publicity_days": Figure.term,
    "assessment.review_request_days": Figure.term,
    "assessment.review_days": Figure.term,
    "assessment.objection_days": Figure.term,
    "assessment.review_effective": Figure.text,
    "assessment.appeal_panel": Figure.integer,
    "assessment.spot_check_days": Figure.term,
    "assessment.fee_payer": Figure.table,
    "assessment.inspection_risk_months": Figure.integer,
    "assessment.validity_months": Figure.integer,
    "assessment.min_assessors": Figure.integer,
    "assessment.min_experts_on_site": Figure.integer,
    "assessment.confirming_experts": Figure.integer,
    "assessment.self_assessment_gate": Figure.table,
    "assessment.refusal_reasons": Figure.texts,
    "assessment.termination_reasons": Figure.texts,
    "assessment.assignment_required": Figure.flag,
    "assessment.assessor_daily_limit": Figure.integer,
    "assessment.assessor_practice_months": Figure.integer,
    "assessment.expert_title_min": Figure.text,
    "assessment.body_operating_months": Figure.integer,
    "assessment.months_between": Figure.integer,
    "assessment.disability_months": Figure.integer,
    "assessment.standard": Figure.text,
    "provider.visit_minutes_min": Figure.integer,
    "provider.visit_distance_m_max": Figure.integer,
    "provider.visit_accuracy_m_max": Figure.integer,
    "provider.clock_skew_seconds_max": Figure.integer,
    "provider.visit_signals_min": Figure.integer,
    "provider.visit_evidence_days": Figure.integer,
    "provider.family_confirmation_required": Figure.flag,
    "provider.visit_objection_days": Figure.integer,
    "provider.visit_confirmation_days": Figure.term,
    "provider.visit_exception_days": Figure.term,
    "provider.visit_correction_days": Figure.integer,
    "provider.visit_corrections_max": Figure.integer,
    "provider.visit_dispute_reasons": Figure.texts,
    "provider.visit_correction_reasons": Figure.texts,
    "provider.visit_settlement_reasons": Figure.texts,
    "provider.designation_body_kinds": Figure.texts,
    "provider.designation_months_min": Figure.integer,
    "provider.designation_publicity_days": Figure.term,
    "provider.agreement_months": Figure.numbers,
    "provider.exit_notice_months": Figure.integer,
    "provider.bar_months_manager": Figure.numbers,
    "provider.bar_months_staff": Figure.numbers,
    "provider.bar_months_staff_serious": Figure.numbers,
    "payment.benefit_start": Figure.text,
    "payment.hospital": Figure.text,
    "payment.part_month": _part_month,
}
REQUIRED: Mapping[str, Callable[[Figure], object]] = {
    **LIVE,
    "assessment.acceptance_check_days": Figure.term,
    "assessment.on_site_days": Figure.term,
    "assessment.publication_days": Figure.term,
    "assessment.delivery_days": Figure.term,
    "assessment.remind_before": Figure.numbers,
    "provider.detection": Figure.numbers,
    "assessment.pause_reasons": Figure.texts,
    "assessment.periodic_before_days": Figure.integer,
    "enrollment.arrears_resume": Figure.text,
    "enrollment.counts_transferred_months": Figure.flag,
    "assessment.accepts_transferred_grade": Figure.flag,
    "enrollment.follows_medical": Figure.flag,
    "enrollment.transition_months": check_changes,
    "enrollment.collection": check_windows,
    "enrollment.collection_reminder": Figure.term,
    "provider.item_minutes_min": Figure.numbers,
    "assessment.appeal_days": Figure.term,
    "assessment.appeal_decision_days": Figure.term,
    "assessment.periodic_effect": Figure.table,
    "assessment.review_fee": Figure.numbers,
    "provider.family_training_minutes_min": Figure.integer,
    "payment.end_rules": Figure.texts,
    "payment.exclusions": Figure.texts,
    "payment.overlap": Figure.texts,
    "payment.deposit_share": lambda figure: rate(figure.value),
    "payment.out_of_area": Figure.table,
    "payment.change_of_form": Figure.table,
}
_OPTIONAL: Mapping[str, Callable[[Figure], object]] = {
    "provider.claim_required": Figure.flag,
    "provider.claim_exception_days": Figure.term,
    "enrollment.waiting_days": Figure.integer,
    "enrollment.benefits_from": lambda figure: date.fromisoformat(figure.text()),
    "enrollment.own_share_paid_by": check_payers,
    "payment.year_cap": Figure.table,
    "pool.office": _office,
    "pool.objection_days": Figure.term,
    "pool.appeal_days": Figure.term,
    "pool.court_days": Figure.term,
}
_WORDS_OF = {
    "assessment.review_effective": {"as_first", "month_after_conclusion"},
    "payment.hospital": {"pause", "stop", "pay_at_care_received", "pay_on"},
    "assessment.expert_title_min": {"none", "junior", "intermediate", "associate_senior", "senior"},
    "payment.benefit_start": {"month_after_conclusion", "day_after_conclusion"},
}
# Figures with numbers that depend on people and care, by where they stand.
_TABLES: Mapping[str, Callable[[Any], Any]] = {
    "payment.amounts.": money,
    "payment.ratios.": rate,
    "payment.quotas.": whole,
    "enrollment.amounts.": money,
    "enrollment.rates.": rate,
}
_CONTRIBUTIONS = "enrollment.contributions."
_FORMS = "payment.forms."
_ONE_DAY = timedelta(days=1)


def meaning_problems(pack: "Pack", where: str, *, stored: bool) -> Iterator[Problem]:
    """What only shows when the figures are read the way the services read them.

    What a later version of the program asks to be there is not asked of a stored pack.
    """
    yield from _condition_problems(pack, where, stored=stored)
    yield from _standard_problems(pack, f"{where}/assessment.toml")
    yield from _table_problems(pack, where)
    for key in pack.figure_keys:
        if key.startswith(_FORMS):
            yield from _form_problems(pack, key, f"{where}/payment.toml")
        if key.startswith(_CONTRIBUTIONS):
            yield from _contribution_problems(pack, key, f"{where}/enrollment.toml")
    if not stored:
        yield from _group_problems(pack, f"{where}/enrollment.toml")
        if not any(key.startswith(_FORMS) for key in pack.figure_keys):
            yield Problem(f"{where}/payment.toml", "forms", "at least one, be it unknown = true")
    yield from _year_cap_problems(pack, f"{where}/payment.toml")


def _condition_problems(pack: "Pack", where: str, *, stored: bool) -> Iterator[Problem]:
    for key, read in {**REQUIRED, **_OPTIONAL}.items():
        file = f"{where}/{key.partition('.')[0]}.toml"
        if not stored and key in REQUIRED and not pack.mentions(key):
            yield Problem(file, key, "missing; write unknown = true where it is not known")
        for figure in pack.history(key):
            try:
                read(figure)
            except FigureMisread as error:
                yield Problem(file, "", str(error))
            except (KeyError, TypeError, ValueError) as error:
                yield Problem(file, key, f"{type(error).__name__}: {error}")
            words = _WORDS_OF.get(key)
            if words is not None and figure.value not in words:
                yield Problem(file, key, f"is one of {', '.join(sorted(words))}")


def _standard_problems(pack: "Pack", file: str) -> Iterator[Problem]:
    there = {standard.id for standard in pack.standards()}
    for figure in pack.history("assessment.standard"):
        if figure.value not in there:
            yield Problem(file, figure.key, f"no standard {figure.value!r}")


def _year_cap_problems(pack: "Pack", file: str) -> Iterator[Problem]:
    for figure in pack.history("payment.year_cap"):
        try:
            pack.year_cap(figure.effective_from)
        except FigureUnknown as error:
            yield from _needs_problem(pack, error, figure, file)
        except (KeyError, TypeError, ValueError) as error:
            yield Problem(file, figure.key, str(error))


def _table_problems(pack: "Pack", where: str) -> Iterator[Problem]:
    for key in pack.figure_keys:
        leaf = next((leaf for start, leaf in _TABLES.items() if key.startswith(start)), None)
        if key == "enrollment.continuous_months":
            leaf = whole
        if leaf is None:
            continue
        file = f"{where}/{key.partition('.')[0]}.toml"
        for figure in pack.history(key):
            try:
                check_table(figure, leaf, pack.statuses)
                _check_cells(figure)
            except (AttributeError, ArithmeticError, TypeError, ValueError) as error:
                yield Problem(file, key, str(error))


def _check_cells(figure: Figure) -> None:
    told = list(cells(figure))
    if UNKNOWN in told and not figure.note:
        raise ValueError("a cell that is unknown has a note that says so")
    if figure.key.startswith("payment.ratios."):
        for cell in told:
            if cell != UNKNOWN and rate(cell) > 1:
                raise ValueError(f"a share above 1: {cell}")


def _group_problems(pack: "Pack", file: str) -> Iterator[Problem]:
    for figure in pack.history("enrollment.insured_groups"):
        for group in figure.value if isinstance(figure.value, list) else ():
            key = f"{_CONTRIBUTIONS}{group}"
            if group not in GROUPS:
                yield Problem(file, figure.key, f"no such group {group!r}: {', '.join(GROUPS)}")
            elif not pack.mentions(key):
                yield Problem(file, key, "missing; write unknown = true where it is not known")


def _contribution_problems(pack: "Pack", key: str, file: str) -> Iterator[Problem]:
    group = key.removeprefix(_CONTRIBUTIONS)
    if group not in GROUPS:
        yield Problem(file, key, f"no such group; there are {', '.join(GROUPS)}")
    for figure in pack.history(key):
        for day in _days_within(pack, figure, "enrollment."):
            try:
                pack.contributions(group, day)
            except FigureUnknown as error:
                yield from _needs_problem(pack, error, figure, file)
            except (KeyError, TypeError, ValueError) as error:
                yield Problem(file, key, f"{type(error).__name__}: {error}")


def _form_problems(pack: "Pack", key: str, file: str) -> Iterator[Problem]:
    form = key.removeprefix(_FORMS)
    if form not in FORMS:
        yield Problem(file, key, f"no such form of care; there are {', '.join(FORMS)}")
        return
    for figure in pack.history(key):
        for day in _days_within(pack, figure, "payment."):
            try:
                pack.components(form, day)
            except FigureUnknown as error:
                yield from _needs_problem(pack, error, figure, file)
            except (KeyError, TypeError, ValueError) as error:
                yield Problem(file, key, f"{type(error).__name__}: {error}")


def _needs_problem(
    pack: "Pack", error: FigureUnknown, figure: Figure, file: str
) -> Iterator[Problem]:
    """What is stated as unknown may be asked for; what is not there may not."""
    needed = error.facts["key"]
    if not pack.mentions(needed) or pack.history(needed):
        on = error.facts.get("on", figure.effective_from.isoformat())
        yield Problem(file, figure.key, f"needs {needed} on {on}")


def _days_within(pack: "Pack", figure: Figure, concern: str) -> list[date]:
    """The figure's first day, and each day while it holds on which others change."""
    last = figure.effective_to or date.max
    days = {figure.effective_from}
    for key in pack.figure_keys:
        if key.startswith(concern):
            for other in pack.history(key):
                if figure.effective_from < other.effective_from <= last:
                    days.add(other.effective_from)
                end = other.effective_to
                if end is not None and figure.effective_from <= end < last:
                    days.add(end + _ONE_DAY)
    return sorted(days)
