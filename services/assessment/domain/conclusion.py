"""From the grade to the delivered conclusion (评估结论). Pure: no clock, no I/O."""

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from kernel.refusal import Refused
from kernel.rules.pack import Pack
from services.assessment.domain import events as e
from services.assessment.domain import grounds as g
from services.assessment.domain import reassessment_outcome, review, terms
from services.assessment.domain.applicant import CONCLUDED, Applicant, Application, Recorded, State
from services.assessment.domain.assessor import Assessor, must_be_fit
from services.assessment.domain.order import not_before


@dataclass(frozen=True, kw_only=True)
class ConfirmConclusion:
    application: UUID
    expert: str
    confirmed_date: date
    registered: Assessor | None = None  # in the pool's database, where known


@dataclass(frozen=True, kw_only=True)
class PublishConclusion:
    application: UUID
    today: date


@dataclass(frozen=True, kw_only=True)
class DeliverConclusion:
    """`letter` tells the conclusion: issued before, or with the delivery.

    `grounds` are the facts on record of all the person's applications.
    """

    application: UUID
    today: date
    letter: UUID | None = None
    grounds: g.Grounds = field(default_factory=g.Grounds)


def confirm(command: ConfirmConclusion, one: Application, pack: Pack) -> list[e.Event]:
    """Refuses NOT_GRADED, SAME_EXPERT_TWICE, CONCLUDED_ALREADY, ASSESSOR_BARRED, NOT_AN_EXPERT.

    Where an expert changed the grade, the changed one is what is confirmed.
    """
    if one.assessed is None or one.state in {State.REFUSED, State.WITHDRAWN, State.TERMINATED}:
        raise Refused("NOT_GRADED", state=one.state)
    if command.expert in one.confirmed:
        raise Refused("SAME_EXPERT_TWICE", confirmed_date=str(one.confirmed[command.expert]))
    if one.state in CONCLUDED:
        raise Refused("CONCLUDED_ALREADY", state=one.state)
    day = command.confirmed_date
    not_before("confirmed_date", day, one.assessed)
    must_be_fit(command.registered, day, expert=True)
    needed = pack.integer("assessment.confirming_experts", day)
    confirmed = e.ConclusionConfirmed(
        application=one.application,
        person=one.person,
        expert=command.expert,
        confirmed_date=day,
        complete=len(one.confirmed) + 1 >= needed,
    )
    return [confirmed]


def publish(command: PublishConclusion, one: Application, pack: Pack) -> list[e.Event]:
    """Refuses NOT_CONFIRMED, NOT_FOR_PUBLICITY."""
    if one.publicity_end is not None:
        return []
    _confirmed(one)
    if not one.grade_eligible:
        raise Refused("NOT_FOR_PUBLICITY", grade=str(one.grade))
    published = e.ConclusionPublished(
        application=one.application,
        person=one.person,
        published_date=command.today,
        publicity_end_date=terms.publicity_end(pack, command.today),
    )
    return [published]


def deliver(
    command: DeliverConclusion, one: Application, applicant: Applicant, pack: Pack
) -> list[Recorded]:
    """Refuses OBJECTION_OPEN, REVIEW_RUNNING, NOT_CONFIRMED, IN_PUBLICITY, LETTER_MISSING.

    An eligible grade is made public first, and waits for every objection; nothing is delivered
    without its letter. A reassessment's conclusion says what it leads to.
    """
    if one.state is State.DELIVERED:
        return []
    review.holds_delivery(one, applicant.disputed(one.application))
    conclusion, grade = _confirmed(one)
    end = one.publicity_end
    if one.grade_eligible and (end is None or command.today <= end):
        raise Refused("IN_PUBLICITY", publicity_end_date=str(end) if end else "")
    if command.letter is None:
        raise Refused("LETTER_MISSING", grade=str(grade))
    delivered = e.ConclusionDelivered(
        application=one.application,
        person=one.person,
        pool=one.pool,
        kind=one.kind,
        grade=grade,
        grade_eligible=one.grade_eligible,
        conclusion_date=conclusion,
        effective_date=terms.effective(conclusion),
        valid_until_date=terms.valid_until(pack, conclusion),
        delivered_date=command.today,
    )
    leads_to = reassessment_outcome.concluded(delivered, applicant, command.grounds, pack)
    return [delivered, *leads_to]


def _confirmed(one: Application) -> tuple[date, int]:
    """Day and grade of the conclusion. Refuses NOT_CONFIRMED where there is none."""
    if one.conclusion is None or one.grade is None:
        raise Refused("NOT_CONFIRMED", state=one.state)
    return one.conclusion, one.grade
