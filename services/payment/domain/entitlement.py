"""What a person is entitled to, and the events that say how it changed (待遇核定). Pure.

A review compares how the facts say the person stands on every day with what was recorded, and
records what is missing. Late facts change the past by new events with days in the past; what
was recorded stays. Whatever the order in which facts came, the reviews end in the same course.
"""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import assert_never
from uuid import UUID

from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling, Trace
from services.payment.domain.course import Course, Standing, State
from services.payment.domain.facts import CaseFacts
from services.payment.domain.timeline import Timeline

QUESTION = "entitlement"


@dataclass(frozen=True, kw_only=True)
class ReviewEntitlement:
    """Look at all the facts as they are known `today`."""

    person: UUID
    pool: str
    today: date
    facts: CaseFacts
    pack: Pack
    code_version: str

    @cached_property
    def timeline(self) -> Timeline:
        return Timeline(self.facts, self.pool, self.pack, today=self.today)


@dataclass(frozen=True, kw_only=True)
class EntitlementOpened:
    person: UUID
    pool: str
    effective_date: date
    grade: int
    ruling: bytes


@dataclass(frozen=True, kw_only=True)
class EntitlementChanged:
    person: UUID
    pool: str
    effective_date: date
    grade: int
    ruling: bytes


@dataclass(frozen=True, kw_only=True)
class EntitlementPaused:
    person: UUID
    pool: str
    effective_date: date
    cause: str
    ruling: bytes


@dataclass(frozen=True, kw_only=True)
class EntitlementResumed:
    person: UUID
    pool: str
    effective_date: date
    ruling: bytes


@dataclass(frozen=True, kw_only=True)
class EntitlementEnded:
    person: UUID
    pool: str
    effective_date: date
    cause: str
    ruling: bytes


Event = (
    EntitlementOpened
    | EntitlementChanged
    | EntitlementPaused
    | EntitlementResumed
    | EntitlementEnded
)


def decide(command: ReviewEntitlement, course: Course) -> list[Event]:
    """The events that bring the recorded course to what the facts say; none where it is there."""
    wanted = command.timeline.course()
    events: list[Event] = []
    for day in sorted({*wanted.days, *course.days}):
        if course.on(day) == wanted.on(day):
            continue
        ruling = rule_entitlement(command, day).to_bytes()
        for event in _change(command, day, course.on(day), wanted.on(day), ruling):
            events.append(event)
            course = evolve(course, event)
    return events


def evolve(course: Course, event: Event) -> Course:
    """The course with the event from its day to the next turn."""
    day = event.effective_date
    now = course.on(day)
    match event:
        case EntitlementOpened(grade=grade):
            return course.turned(day, Standing(state=State.OPEN, grade=grade))
        case EntitlementChanged(grade=grade):
            changed = Standing(state=now.state, grade=grade, cause=now.cause)
            return course.turned(day, changed)
        case EntitlementPaused(cause=cause):
            return course.turned(day, Standing(state=State.PAUSED, grade=now.grade, cause=cause))
        case EntitlementResumed():
            return course.turned(day, Standing(state=State.OPEN, grade=now.grade))
        case EntitlementEnded(cause=cause):
            return course.turned(day, Standing(state=State.ENDED, cause=cause))
        case _:
            assert_never(event)


def rule_entitlement(command: ReviewEntitlement, day: date) -> Ruling:
    """How the person stands on a day, and by which clauses."""
    trace = Trace()
    standing = command.timeline.on(day, trace)
    return Ruling(
        question=QUESTION,
        subject=str(command.person),
        pool=command.pool,
        asked={"on_date": day.isoformat(), "today": command.today.isoformat()},
        outcome=standing.state.value,
        reasons=(standing.cause,) if standing.cause else (),
        facts=command.facts.standing_refs,
        pack=command.pack.pin,
        steps=trace.steps,
        code_version=command.code_version,
    )


def _change(
    command: ReviewEntitlement, day: date, now: Standing, wanted: Standing, ruling: bytes
) -> list[Event]:
    """What leads from one standing to the other on a day."""
    person, pool = command.person, command.pool
    events: list[Event] = []
    if wanted.state is State.ENDED:
        return [
            EntitlementEnded(
                person=person, pool=pool, effective_date=day, cause=wanted.cause, ruling=ruling
            )
        ]
    if now.state in {State.NONE, State.ENDED}:
        events.append(
            EntitlementOpened(
                person=person, pool=pool, effective_date=day, grade=wanted.grade, ruling=ruling
            )
        )
        now = Standing(state=State.OPEN, grade=wanted.grade)
    if now.state is State.PAUSED and wanted.state is State.OPEN:
        events.append(
            EntitlementResumed(person=person, pool=pool, effective_date=day, ruling=ruling)
        )
    if now.grade != wanted.grade:
        events.append(
            EntitlementChanged(
                person=person, pool=pool, effective_date=day, grade=wanted.grade, ruling=ruling
            )
        )
    paused_otherwise = now.state is State.PAUSED and now.cause != wanted.cause
    if wanted.state is State.PAUSED and (now.state is State.OPEN or paused_otherwise):
        events.append(
            EntitlementPaused(
                person=person, pool=pool, effective_date=day, cause=wanted.cause, ruling=ruling
            )
        )
    return events
