"""Plan × verified visit × claim line: the three-way match before money (三方核对). Pure.

The ruling on a line lists every condition, met or not. What refuses the line: no verified visit,
another month, another provider, a rejected or flagged visit, no plan, a visit that another line
has. What reduces it: an item that was not done, that another stands in for (串换), or that the
plan does not cover; more asked than the list price of what was done. The price is kept at each
stage: asked, adjusted to what was done at list prices, approved.
Sources: 医保办发〔2024〕21号, Art. 20-21; the match itself is a design reading.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from json import loads
from uuid import UUID

from kernel.calendar import Month
from kernel.money import ZERO, Money, total
from kernel.rules.pack import Pack
from kernel.rules.ruling import Clause, Fact, FactRef, Ruling, Trace
from services.provider.domain.plan import PlanApproved, PlanEnded
from services.provider.domain.risk import RiskCleared, RiskConfirmed, RiskFlagged
from services.provider.domain.visit import ServiceDelivered, ServiceRejected

QUESTION = "claim"
MATCHED, PARTIAL, REFUSED = "matched", "partial", "refused"
ASKED, ADJUSTED, APPROVED = "asked", "adjusted", "approved"  # names of a ruling's amounts
EXCEPTION_DAYS = "provider.claim_exception_days"

_MATCH = "three-way match of plan, verified visit and claim line: design reading"
VISIT = Clause(key="provider.claim_visit", citation=_MATCH, verified=False)
MONTH = Clause(key="provider.claim_month", citation=_MATCH, verified=False)
PROVIDER = Clause(key="provider.claim_provider", citation=_MATCH, verified=False)
VERDICT = Clause(key="provider.claim_verdict", citation=_MATCH, verified=False)
FLAGS = Clause(
    key="provider.claim_flags",
    citation="a risk flag holds the payment of the visit and ends nothing: design law",
    verified=False,
)
PLAN = Clause(key="provider.claim_plan", citation=_MATCH, verified=False)
PLAN_DAYS = Clause(key="provider.claim_plan_days", citation=_MATCH, verified=False)
ONCE = Clause(
    key="provider.claim_once",
    citation="医保办发〔2024〕21号, Art. 21, no repeated charging: by analogy",
    verified=False,
)
ITEMS = Clause(
    key="provider.claim_items",
    citation="医保办发〔2024〕21号, Art. 21, no swapping of items: by analogy",
    verified=False,
)
PRICE = Clause(
    key="provider.claim_price", citation="医保办发〔2024〕21号, Art. 20-21", verified=True
)
AMOUNT = Clause(key="provider.claim_amount", citation=_MATCH, verified=False)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A line as the provider sent it: a visit, or a person and a day; items, and an amount."""

    line: UUID
    claim: UUID
    provider: UUID
    pool: str
    month: Month
    person: UUID | None  # None where the visit that is named is not known
    visit: UUID | None = None
    start_date: date | None = None
    items: tuple[str, ...]
    amount: Money


@dataclass(frozen=True, kw_only=True)
class Question:
    """A line, the visit that it means, and the other line that has that visit."""

    asked: Asked
    visit: UUID | None
    held_by: UUID | None = None
    today: date

    def told(self) -> dict[str, str | int]:
        """The question as its ruling keeps it."""
        asked = self.asked
        return {
            "claim": str(asked.claim),
            "provider": str(asked.provider),
            "month": str(asked.month),
            "person": str(asked.person or ""),
            "named_visit": str(asked.visit or ""),
            "start_date": str(asked.start_date or ""),
            "items": ",".join(asked.items),
            "amount_fen": asked.amount.fen,
            "visit": str(self.visit or ""),
            "held_by": str(self.held_by or ""),
            "decided_date": self.today.isoformat(),
        }


def question_of(ruling: Ruling) -> Question:
    """The question that a ruling answers: the inverse of `told`."""
    told = {name: str(value) for name, value in ruling.asked.items()}
    return Question(
        asked=Asked(
            line=UUID(ruling.subject),
            claim=UUID(told["claim"]),
            provider=UUID(told["provider"]),
            pool=ruling.pool,
            month=Month.parse(told["month"]),
            person=_id(told["person"]),
            visit=_id(told["named_visit"]),
            start_date=date.fromisoformat(told["start_date"]) if told["start_date"] else None,
            items=tuple(told["items"].split(",")),
            amount=Money(int(told["amount_fen"])),
        ),
        visit=_id(told["visit"]),
        held_by=_id(told["held_by"]),
        today=date.fromisoformat(told["decided_date"]),
    )


@dataclass(frozen=True, kw_only=True)
class Result:
    """How a line came out: what two matches of it are compared by."""

    adjusted: Money
    approved: Money
    reasons: tuple[str, ...]
    refused: bool

    @classmethod
    def of(cls, ruling: Ruling) -> "Result":
        return cls(
            adjusted=Money(ruling.amounts[ADJUSTED]),
            approved=Money(ruling.amounts[APPROVED]),
            reasons=ruling.reasons,
            refused=ruling.outcome == REFUSED,
        )

    @property
    def outcome(self) -> str:
        if self.refused:
            return REFUSED
        return PARTIAL if self.reasons else MATCHED


@dataclass(frozen=True, kw_only=True)
class Ruled:
    """A ruling, and until when somebody must look at the line; None where nobody need."""

    ruling: Ruling
    due_date: date | None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A visit by its latest verdict."""

    ref: FactRef
    plan: UUID
    provider: UUID
    care_date: date
    counts: bool
    done: Mapping[str, Money]  # items, at the list prices of the day


def verdict_in(facts: Sequence[Fact], visit: UUID) -> Verdict | None:
    """The latest verdict on a visit; None where nobody decided yet."""
    found: Fact | None = None
    for fact in facts:
        event = fact.event
        if (
            isinstance(event, ServiceDelivered | ServiceRejected)
            and event.visit == visit
            and (found is None or found.ref.position < fact.ref.position)
        ):
            found = fact
    return None if found is None else _verdict(found)


def rule_line(question: Question, facts: Sequence[Fact], pack: Pack, code_version: str) -> Ruled:
    """The ruling on a line, from the facts of the visit it means, and its plan's and flags'.

    Reasons are in the order of the steps; the earlier ones refuse, those of the items and the
    price reduce, down to a refusal where nothing is left.
    """
    asked, trace = question.asked, Trace()
    verdict = verdict_in(facts, question.visit) if question.visit else None
    used: list[FactRef] = []
    missing = _named(trace, question, verdict)
    adjusted, reduced = ZERO, tuple[str, ...]()
    if verdict is not None:
        used.append(verdict.ref)
        missing += _refused(trace, question, verdict, facts, used)
        adjusted, reduced = _adjusted(trace, asked, verdict)
    approved = ZERO if missing else adjusted
    trace.computed(
        AMOUNT,
        "what is approved of the line",
        {"asked_fen": asked.amount.fen, "adjusted_fen": adjusted.fen},
        approved.fen,
    )
    reasons = (*missing, *reduced)
    refused = bool(missing) or (bool(reduced) and not approved)
    due_date = _due(trace, question, pack) if reasons else None
    return Ruled(
        due_date=due_date,
        ruling=Ruling(
            question=QUESTION,
            subject=str(asked.line),
            pool=asked.pool,
            asked=question.told(),
            outcome=REFUSED if refused else PARTIAL if reasons else MATCHED,
            reasons=reasons,
            amounts={ASKED: asked.amount.fen, ADJUSTED: adjusted.fen, APPROVED: approved.fen},
            facts=tuple(used),
            pack=pack.pin,
            steps=trace.steps,
            code_version=code_version,
        ),
    )


# --- What refuses a line ----------------------------------------------------------------------


def _named(trace: Trace, question: Question, verdict: Verdict | None) -> tuple[str, ...]:
    holds = trace.check(
        holds=verdict is not None,
        clause=VISIT,
        label="the line means a visit that was verified",
        inputs={
            "visit": str(question.visit or ""),
            "start_date": str(question.asked.start_date or ""),
        },
    )
    return () if holds else ("NO_VISIT",)


def _refused(
    trace: Trace,
    question: Question,
    verdict: Verdict,
    facts: Sequence[Fact],
    used: list[FactRef],
) -> tuple[str, ...]:
    asked = question.asked
    opened, confirmed = _flags(question.visit, facts, used)
    first, last = _plan(verdict.plan, facts, used)
    held = {
        "WRONG_MONTH": trace.check(
            holds=verdict.care_date in asked.month,
            clause=MONTH,
            label="the day of care is in the month of the claim",
            inputs={"care_date": verdict.care_date.isoformat(), "month": str(asked.month)},
        ),
        "OTHER_PROVIDER": trace.check(
            holds=verdict.provider == asked.provider,
            clause=PROVIDER,
            label="the provider that claims is the one that cared",
            inputs={"claimed_by": str(asked.provider), "provider": str(verdict.provider)},
        ),
        "VISIT_REJECTED": trace.check(
            holds=verdict.counts,
            clause=VERDICT,
            label="the visit counts as service",
            inputs={"visit": str(question.visit)},
        ),
        "VISIT_FLAGGED": trace.check(
            holds=not (opened or confirmed),
            clause=FLAGS,
            label="no flag on the visit is open or was confirmed",
            inputs={"open_flags": opened, "confirmed": confirmed},
        ),
        "NO_PLAN": trace.check(
            holds=first is not None,
            clause=PLAN,
            label="there is a plan for the visit",
            inputs={"plan": str(verdict.plan)},
        ),
        "OUTSIDE_PLAN": first is None
        or trace.check(
            holds=first <= verdict.care_date and (last is None or verdict.care_date <= last),
            clause=PLAN_DAYS,
            label="the day of care is within the plan",
            inputs={
                "care_date": verdict.care_date.isoformat(),
                "start_date": first.isoformat(),
                "end_date": str(last or ""),
            },
        ),
        "ALREADY_CLAIMED": trace.check(
            holds=question.held_by is None,
            clause=ONCE,
            label="no other line has the visit",
            inputs={"held_by": str(question.held_by or "")},
        ),
    }
    return tuple(reason for reason, holds in held.items() if not holds)


def _flags(visit: UUID | None, facts: Sequence[Fact], used: list[FactRef]) -> tuple[int, int]:
    """How many flags on the visit are open, and how many confirmed; cleared ones do not matter."""
    flags: dict[UUID, FactRef] = {}
    ends: dict[UUID, Fact] = {}
    for fact in facts:
        event = fact.event
        if isinstance(event, RiskFlagged) and event.visit == visit:
            flags[event.flag] = fact.ref
        elif isinstance(event, RiskCleared | RiskConfirmed) and event.visit == visit:
            before = ends.get(event.flag)
            if before is None or before.ref.position < fact.ref.position:
                ends[event.flag] = fact
    opened = confirmed = 0
    for flag, ref in flags.items():
        end = ends.get(flag)
        if end is None:
            opened += 1
            used.append(ref)
        elif isinstance(end.event, RiskConfirmed):
            confirmed += 1
            used += [ref, end.ref]
    return opened, confirmed


def _plan(
    plan: UUID, facts: Sequence[Fact], used: list[FactRef]
) -> tuple[date | None, date | None]:
    """First and last day of the visit's plan."""
    first = last = None
    for fact in facts:
        event = fact.event
        if isinstance(event, PlanApproved) and event.plan == plan:
            first = event.start_date
            used.append(fact.ref)
        elif isinstance(event, PlanEnded) and event.plan == plan:
            last = event.end_date
            used.append(fact.ref)
    return first, last


# --- What reduces it --------------------------------------------------------------------------


def _adjusted(trace: Trace, asked: Asked, verdict: Verdict) -> tuple[Money, tuple[str, ...]]:
    """What is asked, down to the list prices of the items that were done."""
    done, items = verdict.done, dict.fromkeys(asked.items)
    absent = [item for item in items if item not in done]
    instead = [item for item in done if item not in items] if absent else []
    reasons: list[str] = []
    whole = trace.check(
        holds=not absent,
        clause=ITEMS,
        label="each item of the line was done",
        inputs={"items_missing": ",".join(absent), "items_instead": ",".join(instead)},
    )
    if not whole:
        # As many as were done without being asked for stand in for what was not done.
        reasons += ["ITEM_SWAPPED"] * bool(instead)
        reasons += ["ITEM_NOT_DONE"] * (len(absent) > len(instead))
    listed = total(done[item] for item in items if item in done)
    if not trace.check(
        holds=not whole or asked.amount <= listed,
        clause=PRICE,
        label="no more is asked than the list prices of what was done",
        inputs={"asked_fen": asked.amount.fen, "listed_fen": listed.fen},
    ):
        reasons.append("PRICE_ABOVE_LIST")
    if not trace.check(
        holds=not whole or asked.amount >= listed,
        clause=AMOUNT,
        label="no less is asked than the list prices of what was done",
        inputs={"asked_fen": asked.amount.fen, "listed_fen": listed.fen},
    ):
        reasons.append("AMOUNT_DIFFERS")
    return min(asked.amount, listed), tuple(reasons)


def _due(trace: Trace, question: Question, pack: Pack) -> date | None:
    """Until when somebody must have looked; None where the pack gives no term."""
    figure = next((f for f in pack.history(EXCEPTION_DAYS) if f.holds_on(question.today)), None)
    if figure is None:
        return None
    due = pack.term(EXCEPTION_DAYS, question.today).after(question.today)
    trace.computed(
        figure,
        "until when somebody must look at the line",
        {"decided_date": question.today.isoformat()},
        due.isoformat(),
    )
    return due


# --- Reading ----------------------------------------------------------------------------------


def _verdict(fact: Fact) -> Verdict:
    event = fact.event
    assert isinstance(event, ServiceDelivered | ServiceRejected)  # noqa: S101 - as asked for
    return Verdict(
        ref=fact.ref,
        plan=event.plan,
        provider=event.provider,
        care_date=event.care_date,
        counts=isinstance(event, ServiceDelivered),
        done=_done(event.ruling),
    )


@lru_cache(maxsize=4096)
def _done(ruling: bytes) -> Mapping[str, Money]:
    """What was done, at which price, as the verdict's own ruling keeps it by value."""
    priced = (one.rpartition("=") for one in str(loads(ruling)["asked"]["items"]).split(","))
    return {item: Money(int(fen)) for item, _, fen in priced if item}


def _id(text: str) -> UUID | None:
    return UUID(text) if text else None
