"""Whether a visit counts as service (服务有效), and why. Pure: no clock, no I/O.

The rule stands on recorded facts (plan, agreement, price list, register) and on what the visit
itself says. The latter is kept by value in the ruling, because a visit that is uploaded whole
is decided in the same breath as it is recorded.
Sources: 医保办发〔2024〕21号; figures from the pool's rule pack, by the day of care.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar
from uuid import UUID

from kernel.money import ZERO, Money, total
from kernel.refusal import NotFound
from kernel.rules.figure import Figure
from kernel.rules.pack import Pack
from kernel.rules.ruling import Clause, Fact, Ruling, Trace
from services.provider.domain import standing
from services.provider.domain.caregiver import CaregiverRegistered
from services.provider.domain.carer_record import (
    CarerRecord,
    CertificateRevoked,
    ExaminationRecorded,
    PersonBarred,
    PersonRestored,
)
from services.provider.domain.carer_record import evolve as on_record
from services.provider.domain.permission import may_care, may_serve
from services.provider.domain.plan import PlanApproved, PlanEnded
from services.provider.domain.provider import (
    AgreementSuspended,
    PriceListed,
    ProviderAdmitted,
    price_on,
)
from services.provider.domain.signals import Evident, evident_in, speaks_for

QUESTION = "visit"
DELIVERED, REJECTED = "delivered", "rejected"

PLAN_IN_FORCE = Clause(
    key="provider.plan_in_force", citation="design reading: care follows a plan", verified=False
)
AGREEMENT = Clause(
    key="provider.agreement_in_force",
    citation="医保办发〔2024〕21号, sanctions by analogy",
    verified=False,
)
REGISTER = Clause(
    key="provider.caregiver_registered", citation="医保办发〔2024〕21号, Art. 19", verified=True
)
DISPUTE = Clause(
    key="provider.visit_dispute",
    citation="design reading: what the person disputes is not paid until people decide",
    verified=False,
)
CORRECTION = Clause(
    key="provider.visit_correction",
    citation="design reading: a corrected visit is decided by the same rule",
    verified=False,
)
PRICE_LIST = Clause(
    key="provider.price_list", citation="医保办发〔2024〕21号, Art. 20-21", verified=True
)
T = TypeVar("T")


class ConfirmedBy(StrEnum):
    """Who confirmed a visit."""

    PERSON = "person"
    FAMILY = "family"


@dataclass(frozen=True, kw_only=True)
class ItemDone:
    """A service item done in a visit, at the list price of the day."""

    item: str
    price: Money


class DisputeOutcome(StrEnum):
    """What became of a dispute; held while it is pending."""

    PENDING = "pending"
    UPHELD = "upheld"
    NOT_UPHELD = "not_upheld"


@dataclass(frozen=True, kw_only=True)
class Dispute:
    """The person or the family disputes a visit that counted (服务异议)."""

    reason: str
    disputed_date: date
    outcome: DisputeOutcome


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a visit says of itself. Instants have the offset +08:00."""

    visit: UUID
    plan: UUID
    caregiver: UUID
    start_time: datetime
    end_time: datetime
    distance_m: int
    items: tuple[ItemDone, ...]
    confirmed_by: ConfirmedBy | None
    disputed: bool = False  # the person or the family denies it
    evident: Evident | None = None  # what was read from its evidence; None where it brought none
    dispute: Dispute | None = None  # after its verdict
    correction: str = ""  # reason of the last correction; empty where there is none
    corrected_count: int = 0

    @property
    def care_date(self) -> date:
        """The day of care: that on which the visit began."""
        return self.start_time.date()

    @property
    def minutes(self) -> int:
        """Whole minutes of care."""
        return int((self.end_time - self.start_time).total_seconds()) // 60

    @property
    def cost(self) -> Money:
        return total(done.price for done in self.items)

    def asked(self) -> dict[str, str | int]:
        """The question as its ruling keeps it."""
        return {
            "plan": str(self.plan),
            "caregiver": str(self.caregiver),
            "start_time": self.start_time.isoformat(),
            "end_time": self.end_time.isoformat(),
            "distance_m": self.distance_m,
            "items": ",".join(f"{done.item}={done.price.fen}" for done in self.items),
            "confirmed_by": self.confirmed_by or "",
            "disputed": int(self.disputed),
            **(self.evident.asked() if self.evident is not None else {}),
            **self._later(),
        }

    def _later(self) -> dict[str, str | int]:
        """What came after the first verdict; nothing where nothing did."""
        told: dict[str, str | int] = {}
        if self.dispute is not None:
            told["dispute_reason"] = self.dispute.reason
            told["disputed_date"] = self.dispute.disputed_date.isoformat()
            told["dispute_outcome"] = self.dispute.outcome
        if self.corrected_count:
            told["correction_reason"] = self.correction
            told["corrected_count"] = self.corrected_count
        return told


def question_of(ruling: Ruling) -> Question:
    """The question that a ruling answers: the inverse of `asked`."""
    asked = {name: str(value) for name, value in ruling.asked.items()}
    priced = (one.rpartition("=") for one in asked["items"].split(","))
    return Question(
        visit=UUID(ruling.subject),
        plan=UUID(asked["plan"]),
        caregiver=UUID(asked["caregiver"]),
        start_time=datetime.fromisoformat(asked["start_time"]),
        end_time=datetime.fromisoformat(asked["end_time"]),
        distance_m=int(asked["distance_m"]),
        items=tuple(ItemDone(item=item, price=Money(int(fen))) for item, _, fen in priced),
        confirmed_by=ConfirmedBy(asked["confirmed_by"]) if asked["confirmed_by"] else None,
        disputed=asked["disputed"] == "1",
        evident=evident_in(ruling.asked),
        dispute=_dispute_in(asked),
        correction=asked.get("correction_reason", ""),
        corrected_count=int(asked.get("corrected_count", 0)),
    )


def _dispute_in(asked: Mapping[str, str]) -> Dispute | None:
    if "dispute_outcome" not in asked:
        return None
    return Dispute(
        reason=asked["dispute_reason"],
        disputed_date=date.fromisoformat(asked["disputed_date"]),
        outcome=DisputeOutcome(asked["dispute_outcome"]),
    )


@dataclass(frozen=True, kw_only=True)
class Basis:
    """What a verdict stands on beside the visit: facts of other streams, and the rules."""

    facts: tuple[Fact, ...]
    pack: Pack
    code_version: str


def rule_visit(question: Question, basis: Basis) -> Ruling:
    """The ruling on a visit: every condition, met or not; reasons in the order of the steps.

    Of the facts given it uses, and names, those about this plan, its provider, this caregiver
    and the items done. Refuses NOT_FOUND for a plan that is not among the facts.
    """
    used = _used(question, basis.facts)
    trace = Trace()
    held = {
        "PLAN_NOT_IN_FORCE": _plan(trace, question, used),
        "PROVIDER_SUSPENDED": _agreement(trace, question, used),
        **may_serve(trace, question.care_date, used.standing),
        "CAREGIVER_NOT_REGISTERED": _register(trace, question, used),
        **may_care(trace, question.care_date, used.record),
    } | _figures(trace, question, used, basis.pack)
    if question.evident is not None:
        held |= speaks_for(
            trace,
            question.evident,
            distance_m=question.distance_m,
            day=question.care_date,
            pack=basis.pack,
        )
    if question.dispute is not None:
        held["DISPUTED"] = _undisputed(trace, question.dispute)
    if question.corrected_count:
        _corrected(trace, question)
    reasons = tuple(reason for reason, holds in held.items() if not holds)
    trace.computed(
        PRICE_LIST,
        "cost at list prices of the day",
        {done.item: done.price.fen for done in question.items},
        question.cost.fen,
    )
    return Ruling(
        question=QUESTION,
        subject=str(question.visit),
        pool=used.plan.pool,
        asked=question.asked(),
        outcome=REJECTED if reasons else DELIVERED,
        reasons=reasons,
        amounts={"cost": question.cost.fen},
        facts=tuple(fact.ref for fact in used.facts),
        pack=basis.pack.pin,
        steps=trace.steps,
        code_version=basis.code_version,
    )


def staff_of(question: Question, provider: UUID, basis: Basis) -> str:
    """The kind of staff that cared, as the register told last by the day; empty where unknown."""
    found = ""
    for told in _of(CaregiverRegistered, basis.facts):
        mine = (told.caregiver, told.provider) == (question.caregiver, provider)
        if mine and told.registered_date <= question.care_date:
            found = told.staff or found
    return found


def medical_cost(question: Question, provider: UUID, basis: Basis) -> Money:
    """The part of the cost that is medical care by the price list of the day (医疗护理)."""
    listed = [
        price
        for price in _of(PriceListed, basis.facts)
        if price.medical and price.provider == provider
    ]
    if not listed:
        return ZERO
    every = [price for price in _of(PriceListed, basis.facts) if price.provider == provider]
    priced = ((done, price_on(every, done.item, question.care_date)) for done in question.items)
    return total(done.price for done, price in priced if price is not None and price.medical)


# --- the facts -------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Used:
    """The facts that matter to one visit."""

    plan: PlanApproved
    ended: date | None
    admitted: ProviderAdmitted | None
    suspended: date | None
    registered: date | None
    prices: tuple[PriceListed, ...]
    standing: standing.Standing
    record: CarerRecord
    facts: tuple[Fact, ...]


def _used(question: Question, facts: Sequence[Fact]) -> _Used:
    plan = next((p for p in _of(PlanApproved, facts) if p.plan == question.plan), None)
    if plan is None:
        raise NotFound("plan", question.plan)
    listed = [p for p in _of(PriceListed, facts) if p.provider == plan.provider]
    priced = [price_on(listed, done.item, question.care_date) for done in question.items]
    prices = tuple(price for price in priced if price is not None)
    revoked = any(e.caregiver == question.caregiver for e in _of(CertificateRevoked, facts))

    def matters(event: object) -> bool:
        match event:
            case PlanApproved() | PlanEnded():
                return event.plan == plan.plan
            case ProviderAdmitted() | AgreementSuspended():
                return event.provider == plan.provider
            case CaregiverRegistered():
                return (event.caregiver, event.provider) == (question.caregiver, plan.provider)
            case PersonBarred() | PersonRestored():
                return event.person == question.caregiver
            case PriceListed():
                return any(event is price for price in prices)
            case ExaminationRecorded() | CertificateRevoked():
                # Certificates matter once one was revoked; until then none is asked for.
                return revoked and event.caregiver == question.caregiver
            case _ if isinstance(event, standing.MATTER):
                return bool(getattr(event, "provider", None) == plan.provider)
            case _:
                return False

    used = tuple(fact for fact in facts if matters(fact.event))
    admitted = list(_of(ProviderAdmitted, used))
    ends = [event.end_date for event in _of(PlanEnded, used)]
    return _Used(
        plan=plan,
        ended=ends[-1] if ends else None,
        admitted=admitted[0] if admitted else None,
        suspended=min((e.start_date for e in _of(AgreementSuspended, used)), default=None),
        registered=min((e.registered_date for e in _of(CaregiverRegistered, used)), default=None),
        prices=prices,
        standing=_standing(admitted[0] if admitted else None, used),
        record=_carer_record(used),
        facts=used,
    )


def _standing(admitted: ProviderAdmitted | None, used: Sequence[Fact]) -> standing.Standing:
    days = (admitted.agreement_start_date, admitted.agreement_end_date) if admitted else None
    return standing.standing_of(days, (fact.event for fact in used))


def _carer_record(used: Sequence[Fact]) -> CarerRecord:
    record = CarerRecord()
    for fact in used:
        if isinstance(
            fact.event, PersonBarred | PersonRestored | ExaminationRecorded | CertificateRevoked
        ):
            record = on_record(record, fact.event)
    return record


def _of(kind: type[T], facts: Iterable[Fact]) -> Iterable[T]:
    return (fact.event for fact in facts if isinstance(fact.event, kind))


# --- the conditions, in the order of their reasons -------------------------------------------


def _plan(trace: Trace, question: Question, used: _Used) -> bool:
    day = question.care_date
    return trace.check(
        holds=used.plan.start_date <= day and (used.ended is None or day <= used.ended),
        clause=PLAN_IN_FORCE,
        label="a plan is in force on the day of care",
        inputs={
            "care_date": day.isoformat(),
            "start_date": used.plan.start_date.isoformat(),
            "end_date": _day(used.ended),
        },
    )


def _agreement(trace: Trace, question: Question, used: _Used) -> bool:
    day, suspended = question.care_date, used.suspended
    # Of several agreements the one that covers the day, else the newest one.
    terms = used.standing.terms
    term = used.standing.term_on(day) or (terms[-1] if terms else None)
    first, last = (term.first, term.last) if term else (None, None)
    return trace.check(
        holds=first is not None
        and last is not None
        and first <= day <= last
        and (suspended is None or day < suspended),
        clause=AGREEMENT,
        label="the provider's agreement is in force and does not rest",
        inputs={
            "care_date": day.isoformat(),
            "agreement_start_date": _day(first),
            "agreement_end_date": _day(last),
            "suspended_from_date": _day(suspended),
        },
    )


def _register(trace: Trace, question: Question, used: _Used) -> bool:
    return trace.check(
        holds=used.registered is not None and used.registered <= question.care_date,
        clause=REGISTER,
        label="the caregiver is on the register with this provider",
        inputs={
            "care_date": question.care_date.isoformat(),
            "registered_date": _day(used.registered),
        },
    )


def _figures(trace: Trace, question: Question, used: _Used, pack: Pack) -> dict[str, bool]:
    """The conditions that rest on figures of the pool's rules."""
    distance, minutes, confirmation = _limits(pack, question.care_date)
    listed = sum(price.minutes for price in used.prices)
    return {
        "TOO_FAR": trace.check(
            holds=question.distance_m <= distance.integer(),
            clause=distance,
            label="the device was near the place of care",
            inputs={"distance_m": question.distance_m, "distance_m_max": distance.integer()},
        ),
        "TOO_SHORT": trace.check(
            holds=question.minutes >= max(minutes.integer(), listed),
            clause=minutes,
            label="the visit lasted long enough, and as long as its items take",
            inputs={
                "minutes": question.minutes,
                "minutes_min": minutes.integer(),
                "items_minutes": listed,
            },
        ),
        "NOT_CONFIRMED": trace.check(
            holds=not question.disputed
            and (question.confirmed_by is not None or not confirmation.flag()),
            clause=confirmation,
            label="the person or the family confirmed the visit",
            inputs={
                "confirmed_by": question.confirmed_by or "",
                "disputed": question.disputed,
                "required": confirmation.flag(),
            },
        ),
    }


def _undisputed(trace: Trace, dispute: Dispute) -> bool:
    """Asked only where somebody disputed: verdicts without a dispute stay as they were."""
    return trace.check(
        holds=dispute.outcome is DisputeOutcome.NOT_UPHELD,
        clause=DISPUTE,
        label="no dispute holds the visit",
        inputs={
            "dispute_reason": dispute.reason,
            "disputed_date": dispute.disputed_date.isoformat(),
            "dispute_outcome": dispute.outcome,
        },
    )


def _corrected(trace: Trace, question: Question) -> None:
    trace.computed(
        CORRECTION,
        "decided on the visit as it was corrected last",
        {"correction_reason": question.correction},
        question.corrected_count,
    )


@lru_cache(maxsize=4096)
def _limits(pack: Pack, day: date) -> tuple[Figure, Figure, Figure]:
    # An import asks this for each visit of a few days: the few answers are kept.
    return (
        pack.figure("provider.visit_distance_m_max", day),
        pack.figure("provider.visit_minutes_min", day),
        pack.figure("provider.family_confirmation_required", day),
    )


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()
