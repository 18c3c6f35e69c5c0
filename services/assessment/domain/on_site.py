"""From the visit to the grade (现场评估). Pure: no clock, no I/O.

Every assessor's form is kept. Where forms differ, each item is settled, by agreement or by the
expert on site; the grade is computed once enough people, enough experts and no open difference
are there, in whatever order that came about.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from kernel.refusal import Invalid, Refused, Violation
from kernel.rules.pack import Pack
from kernel.rules.ruling import Fact
from kernel.rules.standard import Standard
from services.assessment.domain import events as e
from services.assessment.domain.applicant import OVER, Application
from services.assessment.domain.assessor import Assessor, must_be_fit
from services.assessment.domain.grading import (
    Form,
    Question,
    Settlement,
    check_scores,
    differing_items,
    experts,
    grade_in,
    last_day,
    rule_grade,
)
from services.assessment.domain.order import not_before
from services.assessment.domain.words import SettledBy


@dataclass(frozen=True, kw_only=True)
class RecordOnSite:
    """One assessor's form. `earlier`: the other forms and settlements, as facts for the ruling."""

    application: UUID
    assessor: str
    assessor_kind: e.AssessorKind
    assessed_date: date
    scores: tuple[e.ItemScore, ...]
    evidence_hashes: tuple[str, ...]
    earlier: tuple[Fact, ...] = ()
    code_version: str = ""
    registered: Assessor | None = None  # in the pool's database, where known


@dataclass(frozen=True, kw_only=True)
class SettleItem:
    """The score of an item on which the forms differ. `earlier` as above."""

    application: UUID
    item: str
    score: int
    reason: str
    settled_by: SettledBy
    assessor: str
    settled_date: date
    earlier: tuple[Fact, ...] = ()
    code_version: str = ""


def record(command: RecordOnSite, one: Application, pack: Pack) -> list[e.Event]:
    """Refuses NOT_ACCEPTED, EXPERT_MISSING, CONCLUDED_ALREADY, NOT_ASSIGNED, and the unfit.

    An assessor may put an own form right until the set is complete.
    """
    check_scores(command.scores, pack.standard())
    assessed = _assessed(command, one)
    form = Form.of(assessed)
    accepted = _accepted(one)
    if one.forms.get(form.assessor) == form:
        return []
    if one.grade is not None:
        raise Refused("CONCLUDED_ALREADY", state=one.state)
    not_before("assessed_date", form.assessed_date, accepted)
    _must_be_assigned(form, one, pack)
    expert = form.assessor_kind is e.AssessorKind.EXPERT
    must_be_fit(command.registered, form.assessed_date, expert=expert)
    forms = {**one.forms, form.assessor: form}
    present, on = list(forms.values()), last_day(list(forms.values()))
    if len(forms) < pack.integer("assessment.min_assessors", on):
        return [assessed]
    if experts(present) < pack.integer("assessment.min_experts_on_site", on):
        raise Refused("EXPERT_MISSING", experts=str(experts(present)))
    if _open(forms, one.settled):
        return [assessed]
    question = Question(application=one.application, person=one.person, pool=one.pool, form=form)
    return [assessed, _graded(question, command, forms, pack)]


def settle(command: SettleItem, one: Application, pack: Pack) -> list[e.Event]:
    """Refuses NOT_ACCEPTED, CONCLUDED_ALREADY, NOT_DIFFERING, NOT_ON_SITE, NOT_AN_EXPERT."""
    _check_score(command, pack.standard())
    settled = _settled(command, one)
    accepted = _accepted(one)
    if one.settled.get(command.item) == settled:
        return []
    if one.grade is not None:
        raise Refused("CONCLUDED_ALREADY", state=one.state)
    if command.item not in one.differing:
        raise Refused("NOT_DIFFERING", item=command.item)
    form = one.forms.get(command.assessor)
    if form is None:
        raise Refused("NOT_ON_SITE", assessor=command.assessor)
    decides = command.settled_by is SettledBy.EXPERT
    if decides and form.assessor_kind is not e.AssessorKind.EXPERT:
        raise Refused("NOT_AN_EXPERT", assessor=command.assessor)
    not_before("settled_date", command.settled_date, accepted)
    if _open(one.forms, {**one.settled, command.item: settled}):
        return [settled]
    question = Question(
        application=one.application,
        person=one.person,
        pool=one.pool,
        settlement=Settlement.of(settled),
    )
    return [settled, _graded(question, command, one.forms, pack)]


def _accepted(one: Application) -> date:
    """The day of acceptance. Refuses NOT_ACCEPTED before, and after an end."""
    if one.accepted is None or (one.state in OVER and one.grade is None):
        raise Refused("NOT_ACCEPTED", state=one.state)
    return one.accepted


def _must_be_assigned(form: Form, one: Application, pack: Pack) -> None:
    """Where people were drawn, or the pool asks for a draw, nobody else assesses."""
    assignment = one.assignment()
    required = pack.flag("assessment.assignment_required", form.assessed_date)
    if assignment is None and not required:
        return
    kind = assignment.kind_of(form.assessor) if assignment else None
    if kind is not form.assessor_kind:
        raise Refused("NOT_ASSIGNED", assessor=form.assessor, assigned_as=kind or "")


def _open(forms: Mapping[str, Form], settled: Mapping[str, e.ItemSettled]) -> list[str]:
    """The items on which the forms differ and nobody settled it."""
    return [item for item in differing_items(list(forms.values())) if item not in settled]


def _graded(
    question: Question,
    command: RecordOnSite | SettleItem,
    forms: Mapping[str, Form],
    pack: Pack,
) -> e.AssessmentGraded:
    ruling = rule_grade(question, command.earlier, pack, command.code_version)
    return e.AssessmentGraded(
        application=question.application,
        person=question.person,
        pool=question.pool,
        grade=grade_in(ruling),
        assessed_date=last_day(list(forms.values())),
        ruling=ruling.to_bytes(),
    )


def _assessed(command: RecordOnSite, one: Application) -> e.OnSiteAssessed:
    return e.OnSiteAssessed(
        application=one.application,
        person=one.person,
        assessor=command.assessor,
        assessor_kind=command.assessor_kind,
        assessed_date=command.assessed_date,
        scores=command.scores,
        evidence_hashes=command.evidence_hashes,
    )


def _settled(command: SettleItem, one: Application) -> e.ItemSettled:
    return e.ItemSettled(
        application=one.application,
        person=one.person,
        item=command.item,
        score=command.score,
        reason=command.reason,
        settled_by=command.settled_by,
        assessor=command.assessor,
        settled_date=command.settled_date,
    )


def _check_score(command: SettleItem, standard: Standard) -> None:
    allowed = {item.code: item.scores for item in standard.items}
    if command.item not in allowed:
        words = "must be an item of the standard", "应为评估标准中的指标"
        raise Invalid([Violation("item", "UNKNOWN_ITEM", *words)])
    if command.score not in allowed[command.item]:
        told = ", ".join(map(str, allowed[command.item]))
        words = f"must be one of: {told}", f"应为以下之一:{told}"
        raise Invalid([Violation("score", "SCORE_NOT_ALLOWED", *words)])
