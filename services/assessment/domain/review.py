"""The second round by other people (复评), from its request to its conclusion. Pure: no clock.

Source: 医保发〔2023〕29号: other people than the first round's, and the result is final. The days
stand in the pool's pack. A review is asked for by the applicant, or ordered by an objection that
was upheld.
"""

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from kernel.refusal import Refused
from kernel.rules.pack import Pack
from kernel.rules.ruling import Fact
from services.assessment.domain import dispute_events as d
from services.assessment.domain import events as e
from services.assessment.domain import grounds as g
from services.assessment.domain import review_fee, review_grading, terms
from services.assessment.domain.applicant import Application, State
from services.assessment.domain.assessor import Assessor, must_be_fit
from services.assessment.domain.disputed import Disputed, Review
from services.assessment.domain.grading import Form, check_scores, differing_items, experts
from services.assessment.domain.grading import last_day as last_day_of
from services.assessment.domain.order import not_before
from services.assessment.domain.words import AssignmentRound


@dataclass(frozen=True, kw_only=True)
class RequestReview:
    application: UUID
    requested_date: date
    attacked_clauses: tuple[str, ...]
    attacked_items: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RecordReviewForm:
    """One form of the second round. `grounds` are the facts on record."""

    application: UUID
    assessor: str
    assessor_kind: e.AssessorKind
    assessed_date: date
    scores: tuple[e.ItemScore, ...]
    evidence_hashes: tuple[str, ...]
    place: d.AssessmentPlace
    grounds: g.Grounds = field(default_factory=g.Grounds)
    registered: Assessor | None = None  # in the pool's database, where known


@dataclass(frozen=True, kw_only=True)
class ConfirmReview:
    application: UUID
    expert: str
    confirmed_date: date
    grounds: g.Grounds = field(default_factory=g.Grounds)
    registered: Assessor | None = None  # in the pool's database, where known


@dataclass(frozen=True, kw_only=True)
class PublishReview:
    application: UUID
    today: date


@dataclass(frozen=True, kw_only=True)
class DeliverReview:
    application: UUID
    today: date


def request(
    command: RequestReview, one: Application, disputed: Disputed, pack: Pack
) -> list[d.DisputeEvent]:
    """Refuses NOT_DELIVERED, REVIEW_FINAL, REVIEW_RUNNING, REVIEW_TOO_LATE."""
    g.check_items("attacked_items", command.attacked_items, pack)
    day, first = command.requested_date, disputed.newest
    if first is None:
        raise Refused("NOT_DELIVERED", state=one.state)
    if disputed.reviewed:
        raise Refused("REVIEW_FINAL", authority=first.authority)
    review = disputed.review
    if review is not None:
        if isinstance(review.told, d.ReviewRequested) and review.told.requested_date == day:
            return []
        raise Refused("REVIEW_RUNNING", due_date=str(review.told.due_date))
    not_before("requested_date", day, first.delivered_date)
    until = terms.review_request_until(pack, first.delivered_date)
    if day > until:
        raise Refused("REVIEW_TOO_LATE", request_by_date=str(until))
    requested = d.ReviewRequested(
        application=one.application,
        person=one.person,
        pool=one.pool,
        requested_date=day,
        due_date=terms.review_due(pack, day),
        attacked_clauses=command.attacked_clauses,
        attacked_items=command.attacked_items,
    )
    return [requested]


def record(
    command: RecordReviewForm, one: Application, disputed: Disputed, pack: Pack
) -> list[d.DisputeEvent]:
    """Refuses NO_REVIEW, SAME_ASSESSOR, CONCLUDED_ALREADY, FORMS_DISAGREE, EXPERT_MISSING,
    and as the first round NOT_ASSIGNED, ASSESSOR_BARRED, NOT_AN_EXPERT.

    The same 17 items as in the first round. An assessor may put the own form right until the set
    is complete.
    """
    check_scores(command.scores, pack.standard())
    review = _review(disputed)
    if command.assessor in disputed.first_round:
        raise Refused("SAME_ASSESSOR", people=command.assessor)
    assessed = _assessed(command, one)
    form = Form.of(assessed)
    if review.forms.get(form.assessor) == form:
        return []
    if review.graded is not None:
        raise Refused("CONCLUDED_ALREADY", state="GRADED")
    not_before("assessed_date", form.assessed_date, review.began)
    _must_be_assigned(form, one)
    expert = form.assessor_kind is e.AssessorKind.EXPERT
    must_be_fit(command.registered, form.assessed_date, expert=expert)
    forms = [*(f for f in review.forms.values() if f.assessor != form.assessor), form]
    differing = differing_items(forms)
    if differing:
        raise Refused("FORMS_DISAGREE", items=",".join(differing))
    on = last_day_of(forms)
    if len(forms) < pack.integer("assessment.min_assessors", on):
        return [assessed]
    if experts(forms) < pack.integer("assessment.min_experts_on_site", on):
        raise Refused("EXPERT_MISSING", experts=str(experts(forms)))
    return [assessed, _graded(command, one, disputed, form, pack)]


def confirm(
    command: ConfirmReview, one: Application, disputed: Disputed, pack: Pack
) -> list[d.DisputeEvent]:
    """Refuses NO_REVIEW, NOT_GRADED, SAME_EXPERT_TWICE, SAME_ASSESSOR, CONCLUDED_ALREADY,
    ASSESSOR_BARRED, NOT_AN_EXPERT.

    The last confirmation decides who pays for a review that the applicant asked for.
    """
    review = _review(disputed)
    if review.graded is None:
        raise Refused("NOT_GRADED", state="ON_SITE")
    if command.expert in review.confirmed:
        confirmed_on = review.confirmed[command.expert]
        raise Refused("SAME_EXPERT_TWICE", confirmed_date=str(confirmed_on))
    if command.expert in disputed.first_round:
        raise Refused("SAME_ASSESSOR", people=command.expert)
    if review.conclusion is not None:
        raise Refused("CONCLUDED_ALREADY", state="CONFIRMED")
    day = command.confirmed_date
    not_before("confirmed_date", day, review.graded.assessed_date)
    must_be_fit(command.registered, day, expert=True)
    complete = len(review.confirmed) + 1 >= pack.integer("assessment.confirming_experts", day)
    events: list[d.DisputeEvent] = [
        d.ReviewConfirmed(
            application=one.application,
            person=one.person,
            expert=command.expert,
            confirmed_date=day,
            complete=complete,
        )
    ]
    if complete and isinstance(review.told, d.ReviewRequested):
        concluded = max(day, *review.confirmed.values())
        events.append(_fee(command, one, concluded, pack))
    return events


def publish(
    command: PublishReview, one: Application, disputed: Disputed, pack: Pack
) -> list[d.DisputeEvent]:
    """Refuses NO_REVIEW, NOT_CONFIRMED, NOT_FOR_PUBLICITY.

    An eligible result is made public, unless the same grade has been public before.
    """
    review = _review(disputed)
    if review.publicity_end is not None:
        return []
    _concluded(review)
    if not needs_publicity(review, disputed):
        raise Refused("NOT_FOR_PUBLICITY", grade=_grade(review))
    return [
        d.ReviewPublished(
            application=one.application,
            person=one.person,
            published_date=command.today,
            publicity_end_date=terms.publicity_end(pack, command.today),
        )
    ]


def deliver(
    command: DeliverReview, one: Application, disputed: Disputed, pack: Pack
) -> list[e.ConclusionDelivered]:
    """The conclusion that replaces the first. Refuses NO_REVIEW, NOT_CONFIRMED, IN_PUBLICITY."""
    review = _review(disputed)
    if disputed.reviewed:
        return []
    conclusion = _concluded(review)
    end = review.publicity_end
    if needs_publicity(review, disputed) and (end is None or command.today <= end):
        raise Refused("IN_PUBLICITY", publicity_end_date=str(end) if end else "")
    graded, first = review.graded, one.conclusion
    assert graded is not None and first is not None  # noqa: PT018, S101 - there is a conclusion
    before = disputed.newest
    return [
        e.ConclusionDelivered(
            application=one.application,
            person=one.person,
            pool=one.pool,
            kind=one.kind,
            grade=graded.grade,
            grade_eligible=review.eligible,
            conclusion_date=conclusion,
            effective_date=terms.review_effective(pack, first, conclusion),
            valid_until_date=terms.valid_until(pack, conclusion),
            delivered_date=command.today,
            authority=e.Authority.REVIEW,
            round=before.round + 1 if before else 2,
            replaces_round=before.round if before else 0,
        )
    ]


def needs_publicity(review: Review, disputed: Disputed) -> bool:
    """Whether the result must be public first: an eligible grade that was not public before."""
    graded = review.graded
    if graded is None or not review.eligible:
        return False
    return disputed.published is None or graded.grade != graded.grade_before


def holds_delivery(one: Application, disputed: Disputed) -> None:
    """The first conclusion waits. Refuses OBJECTION_OPEN, REVIEW_RUNNING."""
    if one.state is State.DELIVERED:
        return
    if disputed.open_objections:
        due = max(objection.told.due_date for objection in disputed.open_objections)
        raise Refused("OBJECTION_OPEN", due_date=str(due))
    if disputed.review is not None:
        raise Refused("REVIEW_RUNNING", due_date=str(disputed.review.told.due_date))


def _review(disputed: Disputed) -> Review:
    if disputed.review is None:
        raise Refused("NO_REVIEW")
    return disputed.review


def _must_be_assigned(form: Form, one: Application) -> None:
    """Where people were drawn for the review, nobody else assesses."""
    assignment = one.assignment(AssignmentRound.REVIEW)
    if assignment is None:
        return
    kind = assignment.kind_of(form.assessor)
    if kind is not form.assessor_kind:
        raise Refused("NOT_ASSIGNED", assessor=form.assessor, assigned_as=kind or "")


def _concluded(review: Review) -> date:
    if review.conclusion is None:
        raise Refused("NOT_CONFIRMED", confirmed=str(len(review.confirmed)))
    return review.conclusion


def _grade(review: Review) -> str:
    return str(review.graded.grade) if review.graded else ""


def _assessed(command: RecordReviewForm, one: Application) -> d.ReviewAssessed:
    return d.ReviewAssessed(
        application=one.application,
        person=one.person,
        assessor=command.assessor,
        assessor_kind=command.assessor_kind,
        assessed_date=command.assessed_date,
        scores=command.scores,
        evidence_hashes=command.evidence_hashes,
        place=command.place,
    )


def _graded(
    command: RecordReviewForm, one: Application, disputed: Disputed, form: Form, pack: Pack
) -> d.ReviewGraded:
    question = review_grading.Question(
        application=one.application, person=one.person, pool=one.pool, form=form
    )
    found = command.grounds
    facts = (
        *found.newest(e.AssessmentGraded, e.GradeChanged),
        *found.of(e.OnSiteAssessed),
        *_latest_forms(found, but=form.assessor),
    )
    ruling = review_grading.rule(question, facts, pack, found.code_version)
    review = _review(disputed)
    return d.ReviewGraded(
        application=one.application,
        person=one.person,
        pool=one.pool,
        grade=review_grading.grade_in(ruling),
        grade_before=review_grading.grade_before(facts),
        assessed_date=last_day_of([form, *review.forms.values()]),
        changed_items=_changed_items(one, form),
        original_assessors=disputed.assessors,
        attacked_clauses=review.told.attacked_clauses,
        ruling=ruling.to_bytes(),
    )


def _latest_forms(grounds: g.Grounds, *, but: str) -> tuple[Fact, ...]:
    """The latest review form of each other assessor."""
    latest: dict[str, Fact] = {}
    for fact in grounds.of(d.ReviewAssessed):
        if isinstance(fact.event, d.ReviewAssessed) and fact.event.assessor != but:
            latest[fact.event.assessor] = fact
    return tuple(latest.values())


def _changed_items(one: Application, form: Form) -> tuple[d.ItemChange, ...]:
    """The items that the rounds scored differently; of the first, its last form, as settled."""
    forms = list(one.forms.values())
    before = dict(forms[-1].scores) if forms else {}
    before |= {item: one.settled[item].score for item in one.differing if item in one.settled}
    return tuple(
        d.ItemChange(item=item, score_before=before[item], score=score)
        for item, score in sorted(form.scores.items())
        if item in before and before[item] != score
    )


def _fee(
    command: ConfirmReview, one: Application, concluded: date, pack: Pack
) -> d.ReviewFeeDecided:
    found = command.grounds
    facts = (
        *found.newest(e.AssessmentGraded, e.GradeChanged, d.ReviewGraded),
        *found.of(d.ReviewAssessed)[-1:],
    )
    question = review_fee.Question(
        application=one.application, person=one.person, pool=one.pool, decided_date=concluded
    )
    ruling = review_fee.rule(question, facts, pack, found.code_version)
    return d.ReviewFeeDecided(
        application=one.application,
        person=one.person,
        pool=one.pool,
        payer=review_fee.payer_in(ruling),
        fee=review_fee.fee_in(ruling),
        decided_date=concluded,
        ruling=ruling.to_bytes(),
    )
