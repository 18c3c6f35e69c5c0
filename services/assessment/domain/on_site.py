"""From the visit to the grade (现场评估). Pure: no clock, no I/O."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from kernel.refusal import Refused
from kernel.rules.pack import Pack
from kernel.rules.ruling import Fact
from services.assessment.domain import events as e
from services.assessment.domain.applicant import Application, State
from services.assessment.domain.grading import (
    Form,
    Question,
    check_scores,
    differing_items,
    experts,
    grade_in,
    last_day,
    rule_grade,
)
from services.assessment.domain.order import not_before


@dataclass(frozen=True, kw_only=True)
class RecordOnSite:
    """One assessor's form. `earlier` are the forms on record, as facts for the ruling."""

    application: UUID
    assessor: str
    assessor_kind: e.AssessorKind
    assessed_date: date
    scores: tuple[e.ItemScore, ...]
    evidence_hashes: tuple[str, ...]
    earlier: tuple[Fact, ...] = ()
    code_version: str = ""


def record(command: RecordOnSite, one: Application, pack: Pack) -> list[e.Event]:
    """Refuses NOT_ACCEPTED, FORMS_DISAGREE, EXPERT_MISSING, CONCLUDED_ALREADY.

    An assessor may put an own form right until the set is complete.
    """
    check_scores(command.scores, pack.standard())
    assessed = _assessed(command, one)
    form = Form.of(assessed)
    if one.accepted is None or one.state in {State.REFUSED, State.WITHDRAWN}:
        raise Refused("NOT_ACCEPTED", state=one.state)
    if one.forms.get(form.assessor) == form:
        return []
    if one.grade is not None:
        raise Refused("CONCLUDED_ALREADY", state=one.state)
    not_before("assessed_date", form.assessed_date, one.accepted)
    forms = [*(f for f in one.forms.values() if f.assessor != form.assessor), form]
    differing = differing_items(forms)
    if differing:
        raise Refused("FORMS_DISAGREE", items=",".join(differing))
    on = last_day(forms)
    if len(forms) < pack.integer("assessment.min_assessors", on):
        return [assessed]
    if experts(forms) < pack.integer("assessment.min_experts_on_site", on):
        raise Refused("EXPERT_MISSING", experts=str(experts(forms)))
    return [assessed, _graded(command, one, form, pack)]


def _graded(command: RecordOnSite, one: Application, form: Form, pack: Pack) -> e.AssessmentGraded:
    question = Question(application=one.application, person=one.person, pool=one.pool, form=form)
    ruling = rule_grade(question, command.earlier, pack, command.code_version)
    days = [other.assessed_date for other in one.forms.values()]
    return e.AssessmentGraded(
        application=one.application,
        person=one.person,
        pool=one.pool,
        grade=grade_in(ruling),
        assessed_date=max([form.assessed_date, *days]),
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
