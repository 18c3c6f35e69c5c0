"""Whether a visit may be booked, and what the month has left then. Pure: no clock, no I/O.

The other care of the month is kept by value in the ruling: it is what the stream held when the
booking was appended to it. The month is judged by the grade and the form of care of the day that
is booked, and by its entitled days: design reading. A cap that hangs on what this service does not
know of the person (group of insured, tier, status) is not asked; the ruling says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from kernel.calendar import Month
from kernel.money import ZERO, Money, total
from kernel.refusal import NotFound, Refused
from kernel.rules.benefit import CareSegment
from kernel.rules.benefit import Visit as Care
from kernel.rules.dimensions import Who
from kernel.rules.room import Room, rooms
from kernel.rules.ruling import Clause, Ruling, Trace
from services.provider.domain.caregiver import CaregiverRegistered
from services.provider.domain.insured import Insured, Told, insured_of
from services.provider.domain.plan import PlanApproved, PlanEnded
from services.provider.domain.verdict import Basis, ItemDone

__all__ = ["Basis", "Found", "Question", "Remaining", "question_of", "rule_booking"]

QUESTION = "booking"
BOOKED, REFUSED = "booked", "refused"
_PLAN = Clause(
    key="provider.booking.plan", citation="design reading: care follows a plan", verified=False
)
_REGISTER = Clause(
    key="provider.booking.register", citation="医保办发〔2024〕21号, Art. 19", verified=True
)
_ENTITLED = Clause(
    key="provider.booking.entitled",
    citation="design reading: the fund pays for care on entitled days",
    verified=False,
)
_NOT_KNOWN = Clause(
    key="provider.booking.cap_unknown",
    citation="design reading: nobody guesses a cap",
    verified=False,
)


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is to be booked; items at the list prices of the day."""

    booking: UUID
    plan: UUID
    caregiver: UUID
    start_time: datetime  # offset +08:00
    minutes: int
    items: tuple[ItemDone, ...]
    medical_cost: Money = ZERO
    staff: str = ""
    at_own_cost: bool = False

    @property
    def cost(self) -> Money:
        return total(item.price for item in self.items)

    def care(self) -> Care:
        return Care(
            day=self.start_time.day,
            cost=self.cost,
            medical=self.medical_cost,
            minutes=self.minutes,
            staff=self.staff,
        )

    def asked(self, others: Sequence[Care]) -> dict[str, str | int]:
        """The question as its ruling keeps it."""
        return {
            "plan": str(self.plan),
            "caregiver": str(self.caregiver),
            "start_time": self.start_time.isoformat(),
            "minutes": self.minutes,
            "items": ",".join(f"{one.item}={one.price.fen}" for one in self.items),
            "medical_cost_fen": self.medical_cost.fen,
            "staff": self.staff,
            "at_own_cost": int(self.at_own_cost),
            "other_care": ",".join(
                f"{one.day}:{one.cost.fen}:{one.medical.fen}:{one.minutes}:{one.staff}"
                for one in others
            ),
        }


def question_of(ruling: Ruling) -> tuple[Question, tuple[Care, ...]]:
    """The question that a ruling answers, and the other care of the month."""
    asked = {name: str(value) for name, value in ruling.asked.items()}
    priced = (one.rpartition("=") for one in asked["items"].split(","))
    others = (one.split(":") for one in asked["other_care"].split(",") if one)
    question = Question(
        booking=UUID(ruling.subject),
        plan=UUID(asked["plan"]),
        caregiver=UUID(asked["caregiver"]),
        start_time=datetime.fromisoformat(asked["start_time"]),
        minutes=int(asked["minutes"]),
        items=tuple(ItemDone(item=item, price=Money(int(fen))) for item, _, fen in priced),
        medical_cost=Money(int(asked["medical_cost_fen"])),
        staff=asked["staff"],
        at_own_cost=asked["at_own_cost"] == "1",
    )
    care = tuple(
        Care(
            day=int(day),
            cost=Money(int(cost)),
            medical=Money(int(medical)),
            minutes=int(minutes),
            staff=staff,
        )
        for day, cost, medical, minutes, staff in others
    )
    return question, care


@dataclass(frozen=True, kw_only=True)
class Remaining:
    """What a cap or quota of the month has left; in fen, minutes or visits by its unit."""

    component: str
    unit: str
    limit: int
    used: int
    left: int
    over: int  # wanted beyond the limit, at the person's own cost


@dataclass(frozen=True, kw_only=True)
class Found:
    """The ruling; what is left after the booking; and why it may not be, where it may not."""

    ruling: Ruling
    remaining: tuple[Remaining, ...]
    refused: Refused | None


def rule_booking(question: Question, others: Sequence[Care], basis: Basis) -> Found:
    """The ruling on a booking beside the other care of the month.

    Refuses NOT_FOUND for a plan that is not among the facts.
    """
    trace, day = Trace(), question.start_time.date()
    facts = tuple(fact for fact in basis.facts if _matters(fact.event, question))
    events = [fact.event for fact in facts]
    plan = next((event for event in events if isinstance(event, PlanApproved)), None)
    if plan is None:
        raise NotFound("plan", question.plan)
    insured = insured_of(events)
    refusals: list[Refused] = []
    if not _plan_holds(trace, day, plan, events):
        refusals.append(Refused("PLAN_NOT_IN_FORCE", plan=str(plan.plan), on=day.isoformat()))
    if not _registered(trace, day, question, plan, events):
        refusals.append(
            Refused("CAREGIVER_NOT_REGISTERED", caregiver=str(question.caregiver), on=f"{day}")
        )
    if not _entitled(trace, day, insured):
        stands = insured.standing_on(day)
        refusals.append(
            Refused("NOT_ENTITLED", on=day.isoformat(), state=stands.state, cause=stands.cause)
        )
    before = _rooms(None, day, plan, insured, others, basis)
    found = _rooms(trace, day, plan, insured, [*others, question.care()], basis)
    earlier = {(room.component, room.unit): room for room in before}
    for room in found:
        was = earlier[room.component, room.unit]
        # What is beyond already is not this visit's doing.
        fits = room.over <= was.over or question.at_own_cost
        trace.check(
            holds=fits,
            clause=Clause(
                key="provider.booking.cap",
                citation=room.clause.citation,
                verified=room.clause.verified,
            ),
            label=f"what the month has left covers the visit ({room.unit})",
            inputs={
                "component": room.component,
                "unit": room.unit,
                "limit": room.limit,
                "wanted": room.wanted,
                "left": was.left,
                "at_own_cost": question.at_own_cost,
            },
        )
        if not fits:
            refusals.append(
                Refused(
                    "CAP_EXCEEDED",
                    component=room.component,
                    unit=room.unit,
                    limit=str(room.limit),
                    left=str(was.left),
                )
            )
    return Found(
        ruling=Ruling(
            question=QUESTION,
            subject=str(question.booking),
            pool=plan.pool,
            asked=question.asked(others),
            outcome=REFUSED if refusals else BOOKED,
            reasons=tuple(dict.fromkeys(refusal.reason for refusal in refusals)),
            amounts={"cost": question.cost.fen},
            facts=tuple(fact.ref for fact in facts),
            pack=basis.pack.pin,
            steps=trace.steps,
            code_version=basis.code_version,
        ),
        remaining=tuple(map(remaining_of, found)),
        refused=next(iter(refusals), None),
    )


def remaining_on(
    day: date, plan: PlanApproved, insured: Insured, care: Sequence[Care], basis: Basis
) -> tuple[Remaining, ...]:
    """What the caps and quotas have left in the month of a day; none where no cap is known."""
    return tuple(map(remaining_of, _rooms(None, day, plan, insured, care, basis)))


def remaining_of(room: Room) -> Remaining:
    return Remaining(
        component=room.component,
        unit=room.unit,
        limit=room.limit,
        used=room.used,
        left=room.left,
        over=room.over,
    )


def _matters(event: object, question: Question) -> bool:
    match event:
        case PlanApproved() | PlanEnded():
            return event.plan == question.plan
        case CaregiverRegistered():
            return event.caregiver == question.caregiver
        case _:
            return isinstance(event, Told)


def _plan_holds(trace: Trace, day: date, plan: PlanApproved, events: Sequence[object]) -> bool:
    ends = [event.end_date for event in events if isinstance(event, PlanEnded)]
    return trace.check(
        holds=plan.start_date <= day and (not ends or day <= ends[-1]),
        clause=_PLAN,
        label="a plan is in force on the day that is booked",
        inputs={
            "care_date": day.isoformat(),
            "start_date": plan.start_date.isoformat(),
            "end_date": ends[-1].isoformat() if ends else "",
        },
    )


def _registered(
    trace: Trace, day: date, question: Question, plan: PlanApproved, events: Sequence[object]
) -> bool:
    days = [
        event.registered_date
        for event in events
        if isinstance(event, CaregiverRegistered)
        and (event.caregiver, event.provider) == (question.caregiver, plan.provider)
    ]
    return trace.check(
        holds=bool(days) and min(days) <= day,
        clause=_REGISTER,
        label="the caregiver is on the register with this provider",
        inputs={
            "care_date": day.isoformat(),
            "registered_date": min(days).isoformat() if days else "",
        },
    )


def _entitled(trace: Trace, day: date, insured: Insured) -> bool:
    stands = insured.standing_on(day)
    return trace.check(
        holds=insured.entitled_on(day),
        clause=_ENTITLED,
        label="the person is entitled on the day that is booked",
        inputs={
            "care_date": day.isoformat(),
            "state": stands.state.value,
            "grade": stands.grade,
            "cause": stands.cause,
        },
    )


def _rooms(
    trace: Trace | None,
    day: date,
    plan: PlanApproved,
    insured: Insured,
    care: Sequence[Care],
    basis: Basis,
) -> tuple[Room, ...]:
    month = Month.of(day)
    entitled = sum(insured.entitled_on(one) for one in month.period.each_day())
    if not entitled:
        return ()
    segment = CareSegment(
        who=Who(
            grade=insured.standing_on(day).grade,
            form=plan.form.value,
            level=plan.provider_level,
        ),
        entitled_days=entitled,
        days_in_month=month.days,
        visits=tuple(care),
    )
    try:
        return rooms(basis.pack.components(plan.form.value, day), segment, day.day)
    except Refused as unknown:
        if trace is not None:
            told = {"care_date": day.isoformat(), "reason": unknown.reason}
            trace.computed(_NOT_KNOWN, "the caps of the month are not known", told, "unknown")
        return ()
