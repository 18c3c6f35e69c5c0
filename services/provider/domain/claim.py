"""What a provider claims for a person's month of care (费用申报), line by line. Pure: no clock.

All lines for a person's month are one stream, so that a visit is claimed once is decided in one
place: a line for another month than that of its care is refused whatever else holds. A line is
matched when it comes, and again when a verdict or a flag of a visit may have changed: a new event
then says what holds from now on, and the earlier one stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID

from kernel.calendar import Month
from kernel.money import ZERO, Money
from kernel.refusal import RequestReused
from kernel.rules.pack import Pack
from kernel.rules.ruling import Fact
from services.provider.domain.claim_match import Asked, Question, Result, rule_line, verdict_in


@dataclass(frozen=True, kw_only=True)
class ClaimSubmitted:
    """A provider claims for a month: the first line came. Stream of the provider's month."""

    claim: UUID
    provider: UUID
    pool: str
    month: Month
    submitted_date: date


@dataclass(frozen=True, kw_only=True)
class ClaimLineMatched:
    """Plan, verified visit and line agree, wholly or in part: this is what is approved."""

    line: UUID
    claim: UUID
    person: UUID | None
    pool: str
    provider: UUID
    month: Month
    named_visit: UUID | None  # that the provider names
    start_date: date | None  # that the provider names
    items: tuple[str, ...]
    asked: Money
    visit: UUID | None
    care_date: date | None
    adjusted: Money
    approved: Money
    reasons: tuple[str, ...]
    due_date: date | None
    ruling: bytes


@dataclass(frozen=True, kw_only=True)
class ClaimLineRefused:
    """Nothing is approved for the line, as things stand."""

    line: UUID
    claim: UUID
    person: UUID | None
    pool: str
    provider: UUID
    month: Month
    named_visit: UUID | None
    start_date: date | None
    items: tuple[str, ...]
    asked: Money
    visit: UUID | None
    care_date: date | None
    adjusted: Money
    reasons: tuple[str, ...]
    due_date: date | None
    ruling: bytes


LineEvent = ClaimLineMatched | ClaimLineRefused


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A provider's month: submitted once."""

    submitted: ClaimSubmitted | None = None


def submit(submitted: ClaimSubmitted, claim: Claim) -> list[ClaimSubmitted]:
    """The claim; nothing where a line came before."""
    return [submitted] if claim.submitted is None else []


def evolve_claim(_claim: Claim, event: ClaimSubmitted) -> Claim:
    return Claim(submitted=event)


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line as it stands."""

    asked: Asked
    visit: UUID | None
    result: Result
    care_date: date | None = None
    due_date: date | None = None

    @property
    def holds(self) -> UUID | None:
        """The visit that no other line can have."""
        return None if self.result.refused else self.visit


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """The lines of a person's month, in the order in which they came."""

    lines: Mapping[UUID, Line] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Grounds:
    """What lines are matched with: facts of each visit, and the visits of each day."""

    visits: Mapping[UUID, tuple[Fact, ...]]
    on_day: Mapping[tuple[UUID, date], tuple[UUID, ...]]  # by person, in a fixed order


@dataclass(frozen=True, kw_only=True)
class MatchLines:
    """Match new lines, and these old ones again, in the order given."""

    lines: Sequence[Asked]
    grounds: Grounds
    today: date
    pack: Pack
    code_version: str


def decide(command: MatchLines, claimed: Claimed) -> list[LineEvent]:
    """An event for each line that is new or comes out otherwise than before."""
    holders = {line.holds: name for name, line in claimed.lines.items() if line.holds}
    events: list[LineEvent] = []
    for asked in command.lines:
        before = claimed.lines.get(asked.line)
        if before is not None and before.holds:
            del holders[before.holds]
        visit = asked.visit or _meant(asked, command.grounds, holders)
        question = Question(
            asked=asked,
            visit=visit,
            held_by=holders.get(visit) if visit else None,
            today=command.today,
        )
        facts = command.grounds.visits.get(visit, ()) if visit else ()
        ruled = rule_line(question, facts, command.pack, command.code_version)
        result = Result.of(ruled.ruling)
        if visit is not None and not result.refused:
            holders[visit] = asked.line
        if before is None or (before.visit, before.result) != (visit, result):
            events.append(_event(question, ruled.ruling.to_bytes(), result, facts, ruled.due_date))
            claimed = evolve(claimed, events[-1])
    return events


def evolve(claimed: Claimed, event: LineEvent) -> Claimed:
    """The lines after the event."""
    line = Line(
        asked=asked_in(event),
        visit=event.visit,
        result=Result(
            adjusted=event.adjusted,
            approved=event.approved if isinstance(event, ClaimLineMatched) else ZERO,
            reasons=event.reasons,
            refused=isinstance(event, ClaimLineRefused),
        ),
        care_date=event.care_date,
        due_date=event.due_date,
    )
    return replace(claimed, lines={**claimed.lines, event.line: line})


def is_known(asked: Asked, claimed: Claimed) -> bool:
    """Whether the line came before. Refuses (RequestReused) another line under its request."""
    before = claimed.lines.get(asked.line)
    if before is not None and before.asked != asked:
        raise RequestReused(asked.line)
    return before is not None


def asked_in(event: LineEvent) -> Asked:
    """What the provider asked."""
    return Asked(
        line=event.line,
        claim=event.claim,
        provider=event.provider,
        pool=event.pool,
        month=event.month,
        person=event.person,
        visit=event.named_visit,
        start_date=event.start_date,
        items=event.items,
        amount=event.asked,
    )


def _meant(asked: Asked, grounds: Grounds, holders: Mapping[UUID, UUID]) -> UUID | None:
    """The visit that a person, a day and items mean: of several the one that fits best."""
    if asked.person is None or asked.start_date is None:
        return None
    visits = grounds.on_day.get((asked.person, asked.start_date), ())

    def misfit(visit: UUID) -> tuple[bool, bool, int]:
        verdict = verdict_in(grounds.visits.get(visit, ()), visit)
        if verdict is None:
            return (True, True, len(asked.items))
        missing = sum(item not in verdict.done for item in asked.items)
        return (visit in holders, verdict.provider != asked.provider, missing)

    return min(visits, key=misfit, default=None)


def _event(
    question: Question,
    ruling: bytes,
    result: Result,
    facts: Sequence[Fact],
    due_date: date | None,
) -> LineEvent:
    asked, verdict = question.asked, None
    if question.visit is not None:
        verdict = verdict_in(facts, question.visit)
    told: dict[str, Any] = {
        "line": asked.line,
        "claim": asked.claim,
        "person": asked.person,
        "pool": asked.pool,
        "provider": asked.provider,
        "month": asked.month,
        "named_visit": asked.visit,
        "start_date": asked.start_date,
        "items": asked.items,
        "asked": asked.amount,
        "visit": question.visit,
        "care_date": verdict.care_date if verdict else asked.start_date,
        "adjusted": result.adjusted,
        "reasons": result.reasons,
        "due_date": due_date,
        "ruling": ruling,
    }
    if result.refused:
        return ClaimLineRefused(**told)
    return ClaimLineMatched(approved=result.approved, **told)
