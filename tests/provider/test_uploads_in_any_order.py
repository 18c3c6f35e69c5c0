"""However devices send: late, twice, in any order, by clocks that are off, the verdicts are alike.

Requests are read and visits decided as the service does it, without its store.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from ltci.provider.v1 import provider_service_pb2 as pb
from ltci.provider.v1 import provider_types_pb2 as types

from kernel.clock import SHANGHAI, BusinessClock, Clock
from kernel.eventstore.keys import KeyRing
from kernel.rpc.validate import Check
from kernel.rules.library import PackLibrary
from kernel.rules.ruling import Ruling
from services.provider.application.grounds import Grounds
from services.provider.application.streams import caregiver_stream, plan_stream, provider_stream
from services.provider.application.visits import Visits
from services.provider.domain import visit as v
from services.provider.domain.evidence import EvidenceKept
from services.provider.requests import Requests
from tests.provider.care import (
    ADMITTED,
    APPROVED,
    CHANGZHOU,
    NEXT_DOOR,
    POOL,
    PROVIDER,
    REGISTERED,
    RULES,
    as_facts,
    price,
)
from tests.support.people import person

HERE = types.Place(**vars(NEXT_DOOR))
NO_POOL: Any = None  # nothing here asks the database of keys
KEYS = KeyRing(NO_POOL, b"m" * 32)
PACKS = PackLibrary(RULES)
MARCH = datetime(2024, 3, 1, tzinfo=SHANGHAI)
NINE = MARCH.replace(day=4, hour=9)
CARED_FOR = KEYS.person_id("resident", person(1).identity_number)
CARER = KEYS.person_id("resident", person(2).identity_number)
FACTS = (
    ADMITTED,
    price(),
    replace(REGISTERED, caregiver=CARER),
    replace(APPROVED, person=CARED_FOR),
)


class Standing(Clock):
    """A clock that stands where a test puts it."""

    def __init__(self, now: datetime) -> None:
        super().__init__()
        self._now = now

    def mapping(self) -> BusinessClock:
        return BusinessClock(real_origin=self.real_now(), business_origin=self._now, speed=0)


class Rules:
    """The pool's rules without a store to keep them in."""

    async def pack(self, _pool: str) -> Any:
        return CHANGZHOU


def grounds() -> Grounds:
    facts = as_facts(*FACTS)
    plan, provider, carer = (
        plan_stream(POOL, CARED_FOR),
        provider_stream(PROVIDER),
        caregiver_stream(CARER),
    )
    return Grounds({}, {provider: facts[:2], carer: facts[2:3], plan: facts[3:]})


@dataclass(frozen=True)
class Happened:
    """A visit as it was, by a clock that is right."""

    name: str
    start: datetime
    minutes: int
    beacon: str
    mocked: bool


@dataclass(frozen=True)
class Sent:
    """One sending of a visit by a device."""

    happened: Happened
    skew_minutes: int
    delay: timedelta  # after the end
    way_seconds: int  # that the message took

    @property
    def received(self) -> datetime:
        end = self.happened.start + timedelta(minutes=self.happened.minutes)
        return end + self.delay + timedelta(seconds=self.way_seconds)

    def request(self) -> pb.SubmitVisitRequest:
        told, off = self.happened, timedelta(minutes=self.skew_minutes)
        start = told.start + off
        end = start + timedelta(minutes=told.minutes)
        sent = self.received + off - timedelta(seconds=self.way_seconds)
        signals = types.Signals(place=HERE, beacon=told.beacon, mocked=told.mocked)
        return pb.SubmitVisitRequest(
            identity_number=person(1).identity_number,
            pool=POOL,
            caregiver_identity_number=person(2).identity_number,
            start_time=start.isoformat(),
            end_time=end.isoformat(),
            place=HERE,
            items=["bath"],
            confirmed_by=types.CONFIRMED_BY_FAMILY,
            request_id=told.name,
            evidence=types.Evidence(start=signals, sent_time=sent.isoformat()),
        )


def taken_in(sendings: list[Sent]) -> dict[UUID, v.Visit]:
    """The visits after all sendings, each taken in as it arrives."""
    visits = Visits.__new__(Visits)
    visits._grounds = Rules()  # type: ignore[assignment]  # the rules are all it is asked for
    found: dict[UUID, v.Visit] = {}
    for sent in sendings:
        check = Check()
        upload = Requests(KEYS, PACKS, Standing(sent.received)).upload(check, sent.request())
        check.done()
        command = _now(visits._command(upload, grounds()))
        state = found.get(upload.begin.visit, v.Visit())
        for event in v.decide(command, state):
            state = v.evolve(state, event)
        found[upload.begin.visit] = state
    return found


def _now(work: Any) -> Any:
    """The value of a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits")


def seen(states: dict[UUID, v.Visit]) -> dict[UUID, tuple[object, ...]]:
    """Outcome and findings of each visit, but for how far the clock was off."""
    told: dict[UUID, tuple[object, ...]] = {}
    for name, state in states.items():
        assert state.verdict is not None
        ruling = Ruling.parse(state.verdict.ruling)
        findings = [replace(one.findings, clock_skew_seconds=0) for one in state.kept]
        question = {
            key: value
            for key, value in ruling.asked.items()
            if key not in {"evidence", "clock_skew_seconds"}
        }
        told[name] = (ruling.outcome, ruling.reasons, question, findings, state.started)
    return told


happened = st.builds(
    Happened,
    name=st.uuids(version=4).map(str),
    start=st.integers(0, 29 * 24 * 3600).map(lambda second: MARCH + timedelta(seconds=second)),
    minutes=st.integers(20, 120),
    beacon=st.sampled_from(("", "bedside-7")),
    mocked=st.booleans(),
)


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Sent], list[Sent]]:
    """The same visits sent orderly, and sent as devices send."""
    visits = draw(st.lists(happened, min_size=1, max_size=4, unique_by=lambda one: one.name))
    orderly = [Sent(one, 0, timedelta(), 0) for one in visits]
    wild = [
        Sent(
            one,
            draw(st.integers(-9, 9)),
            timedelta(minutes=draw(st.integers(0, 10_000))),
            draw(st.integers(0, 29)),
        )
        for one in visits
        for _ in range(draw(st.integers(1, 2)))
    ]
    return orderly, draw(st.permutations(wild))


@for_all(story=stories())
@settings(deadline=None)
def test_any_order_doubled_late_and_by_wrong_clocks_ends_in_the_same_verdicts(
    story: tuple[list[Sent], list[Sent]],
) -> None:
    orderly, wild = story

    assert seen(taken_in(wild)) == seen(taken_in(orderly))


def test_a_clock_that_is_off_by_more_than_the_rules_allow_is_looked_at_by_people() -> None:
    one = Happened(str(UUID(int=1)), NINE, 60, "", mocked=False)
    [state] = taken_in([Sent(one, 11, timedelta(hours=1), 0)]).values()

    assert isinstance(state.verdict, v.ServiceRejected)
    assert state.verdict.reasons == ("CLOCK_SKEWED",)
    assert state.started is not None
    assert state.started.start_time == "2024-03-04T09:00:00+08:00"  # corrected all the same


def test_evidence_is_not_in_the_state_that_is_cached() -> None:
    one = Happened(str(UUID(int=1)), NINE, 60, "bedside-7", mocked=False)
    [state] = taken_in([Sent(one, 0, timedelta(), 0)]).values()

    assert "bedside-7" not in repr(state)
    assert str(NEXT_DOOR.latitude_microdegrees) not in repr(state)
    assert not any(isinstance(value, EvidenceKept) for value in vars(state).values())
