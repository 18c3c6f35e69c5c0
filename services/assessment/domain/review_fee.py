"""Who pays for a review, by its outcome (复评费). Pure: no clock, no I/O.

The first assessment is free for the applicant; a review with the same result is the applicant's,
one with another result the fund's. Amounts stand in the pool's pack where they are known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from kernel.money import Money
from kernel.rules.pack import Pack
from kernel.rules.ruling import Clause, Fact, Ruling, Trace
from services.assessment.domain import grounds as g
from services.assessment.domain.dispute_events import FeePayer, ReviewAssessed, ReviewGraded
from services.assessment.domain.review_grading import compare, grade_before

QUESTION = "review_fee"
UNKNOWN_FEE = Clause(
    key="assessment.review_fee_unknown", citation="no amount found for the pool", verified=False
)


@dataclass(frozen=True, kw_only=True)
class Question:
    """Who pays for the review of this application?"""

    application: UUID
    person: UUID
    pool: str
    decided_date: date


def rule(question: Question, facts: Sequence[Fact], pack: Pack, code_version: str) -> Ruling:
    """The payer, and the amount where the pool's is known. Refuses FIGURE_UNKNOWN for the payer."""
    graded, form = g.event_in(facts, ReviewGraded), g.event_in(facts, ReviewAssessed)
    if graded is None or form is None:
        raise LookupError("the result of the review is not among the facts")
    trace, on = Trace(), question.decided_date
    result = "same_result" if compare(grade_before(facts), graded.grade, trace) else "other_result"
    figure = pack.figure("assessment.fee_payer", on)
    payer = FeePayer(figure.table()[f"review_{result}"])
    trace.computed(figure, "who pays (复评费承担)", {"result": result}, payer.value)
    amounts: dict[str, int] = {}
    fee = g.known_figure(pack, "assessment.review_fee", on)
    place = form.place.value
    if fee is None:
        trace.computed(UNKNOWN_FEE, "amount of the fee (复评费)", {"place": place}, "unknown")
    else:
        amounts["fee"] = fee.numbers()[place]
        trace.computed(fee, "amount of the fee (复评费)", {"place": place}, amounts["fee"])
    return Ruling(
        question=QUESTION,
        subject=str(question.person),
        pool=question.pool,
        asked={
            "application": str(question.application),
            "decided_date": str(question.decided_date),
        },
        outcome=payer.value,
        amounts=amounts,
        facts=g.refs(facts),
        pack=pack.pin,
        steps=trace.steps,
        code_version=code_version,
    )


def payer_in(ruling: Ruling) -> FeePayer:
    return FeePayer(ruling.outcome)


def fee_in(ruling: Ruling) -> Money | None:
    """The amount; None where it is not known."""
    return Money(ruling.amounts["fee"]) if "fee" in ruling.amounts else None


def asked_in(ruling: Ruling) -> Question:
    """The question a ruling answered."""
    return Question(
        application=g.uuid_in(ruling.asked, "application"),
        person=UUID(ruling.subject),
        pool=ruling.pool,
        decided_date=g.date_in(ruling.asked, "decided_date"),
    )
