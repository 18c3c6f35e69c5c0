"""What events ask for, and that workflows hear of them, once and in order."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import pytest
from google.protobuf.message import Message
from ltci.assessment.v1 import events_pb2 as assessment
from ltci.enrollment.v1 import enrollment_types_pb2
from ltci.enrollment.v1 import events_pb2 as enrollment
from ltci.payment.v1 import events_pb2 as payment
from ltci.provider.v1 import events_pb2 as provider
from temporalio.client import Client
from temporalio.service import RPCError

from infra.embedded.temporal import EmbeddedTemporal
from kernel import telemetry
from kernel.clock import SHANGHAI
from kernel.eventstore.feed import FeedBatch, FeedEvent
from kernel.ids import derive
from tests.support.postgres import free_port
from tests.support.temporal import POOL, Town, eventually
from workflows import search_attributes, wakes
from workflows.activities.disputes import AppealStanding
from workflows.messages import Batch, FactNotice, PoolMonth
from workflows.notes import Notes
from workflows.telling import Order, Teller
from workflows.triggers import Triggers
from workflows.wakes import Applied, Concerned, Moved, types_of, wake_of

PERSON = "5b7b8d3e-0c5f-8d0a-9a51-3f1f6a1c2e10"
EPOCH = str(derive("epoch"))
T = TypeVar("T")


def event(source: str, position: int, message: Message, traceparent: str = "") -> FeedEvent:
    return FeedEvent(
        source=source,
        position=position,
        stream=derive("stream", source),
        version=position,
        category="",
        pool=POOL,
        type=f"{message.DESCRIPTOR.full_name}/1",
        payload=message.SerializeToString(),
        recorded_at=datetime(2024, 1, 1, tzinfo=SHANGHAI),
        hash=b"",
        traceparent=traceparent,
        request_id=derive("request", str(position)),
        actor="office",
    )


class Feed:
    """A feed of given events that then waits for ever, a batch for each event."""

    def __init__(self, source: str, *messages: Message, traceparent: str = "") -> None:
        self.source = source
        self.asked_after: list[int] = []
        self._events = [
            event(source, position, message, traceparent)
            for position, message in enumerate(messages, start=1)
        ]

    async def batches(self, after: int = 0, epoch: str | None = None) -> AsyncIterator[FeedBatch]:
        assert epoch is None or UUID(epoch)
        self.asked_after.append(after)
        for one in self._events[after:]:
            yield FeedBatch((one,), one.position, EPOCH)
        await asyncio.Event().wait()

    async def head(self) -> int:
        return len(self._events)


@pytest.fixture
async def notes(database_url: str) -> AsyncIterator[Notes]:
    notes = await Notes.open(database_url)
    yield notes
    await notes.close()


@asynccontextmanager
async def following(town: Town, notes: Notes, *feeds: Feed) -> AsyncIterator[None]:
    """Triggers that follow the feeds while the block runs."""
    running = asyncio.create_task(
        Triggers(Teller(town.client, town.task_queue), notes, feeds).run()
    )
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def followed(notes: Notes, source: str, position: int) -> None:
    """Returns once the checkpoint stands at the position."""
    await eventually(lambda: notes.checkpoint(source), lambda seen: seen == (position, EPOCH))


def applied(town: Town, person: str = PERSON, pool: str = POOL) -> Message:
    application = town.submit(person, "2024-01-01")
    return assessment.ApplicationSubmitted(
        application=application, person=person, pool=pool, application_date="2024-01-01"
    )


def died(person: str = PERSON) -> Message:
    return enrollment.LifeEventReported(
        person=person,
        pool="510100",
        kind=enrollment_types_pb2.LIFE_EVENT_KIND_DEATH,
        event_date="2024-01-02",
    )


def test_every_service_is_followed_for_some_events() -> None:
    assert all(types_of(name) for name in ("enrollment", "assessment", "provider", "payment"))


def test_an_application_tells_the_lifecycle_how_far_the_other_feeds_were_followed() -> None:
    submitted = assessment.ApplicationSubmitted(
        application="a", person=PERSON, pool=POOL, application_date="2024-01-01"
    )

    wake = wake_of(event("assessment", 3, submitted), {"assessment": 3, "enrollment": 9})

    notice = FactNotice(
        "assessment", 3, "ApplicationSubmitted", "a", "2024-01-01", {"enrollment": 9}
    )
    assert wake == Applied(POOL, PERSON, notice)


def test_a_confirmation_wakes_the_assessment_only_when_it_completes_them() -> None:
    first = assessment.ConclusionConfirmed(application="a", complete=False)
    last = assessment.ConclusionConfirmed(application="a", complete=True)

    assert wake_of(event("assessment", 1, first), {}) is None
    assert isinstance(wake_of(event("assessment", 2, last), {}), Moved)


def test_a_life_event_concerns_every_pool_where_the_person_applied() -> None:
    wake = wake_of(event("enrollment", 1, died()), {})

    assert isinstance(wake, Concerned)
    assert (wake.pool, wake.notice.event) == ("", "LifeEventReported DEATH")


def test_a_coverage_that_changes_or_rests_concerns_the_person_in_its_pool() -> None:
    rests = enrollment.CoverageSuspended(pool=POOL, person=PERSON, from_date="2024-03-01")
    counts = enrollment.CoverageResumed(pool=POOL, person=PERSON, resume_date="2024-04-01")
    changed = enrollment.CoverageChanged(pool=POOL, person=PERSON, change_date="2024-05-01")

    for message, day in ((rests, "2024-03-01"), (counts, "2024-04-01"), (changed, "2024-05-01")):
        wake = wake_of(event("enrollment", 1, message), {})
        assert isinstance(wake, Concerned)
        assert (wake.pool, wake.person, wake.notice.day) == (POOL, PERSON, day)


def test_a_month_with_nothing_to_pay_starts_no_payments() -> None:
    closed = payment.SettlementClosed(pool=POOL, month="2024-01")

    assert wake_of(event("payment", 1, closed), {}) is None
    assert wakes.BatchMade(Batch("b", POOL)) == wake_of(
        event("payment", 1, payment.SettlementClosed(pool=POOL, month="2024-01", batch="b")), {}
    )


def test_events_without_consequence_pass() -> None:
    assert wake_of(event("enrollment", 1, enrollment.ContributionCollected()), {}) is None
    assert wake_of(event("provider", 1, provider.VisitStarted()), {}) is None


async def test_an_application_starts_a_life_and_a_life_event_reaches_it(
    town: Town, notes: Notes
) -> None:
    town.positions = {"assessment": 1, "enrollment": 1}
    submissions = Feed("assessment", applied(town))
    async with following(town, notes, submissions):
        await followed(notes, "assessment", 1)
    async with following(town, notes, submissions, Feed("enrollment", died())):
        await followed(notes, "enrollment", 1)

    handle = town.client.get_workflow_handle(f"beneficiary/{POOL}/{PERSON}")
    await town.attribute(handle, "LtciState", "ASSESSING")
    review = await eventually(lambda: _first(town.reviews), lambda seen: seen is not None)
    assert review is not None
    assert review.known == {"enrollment": 1, "assessment": 1}
    await handle.terminate()


async def test_a_life_event_of_somebody_who_never_applied_wakes_nobody(
    town: Town, notes: Notes
) -> None:
    async with following(town, notes, Feed("enrollment", died())):
        await followed(notes, "enrollment", 1)

    with pytest.raises(RPCError, match="not found"):
        await town.client.get_workflow_handle(f"beneficiary/{POOL}/{PERSON}").describe()


async def test_who_are_one_person_have_their_cases_told_together(notes: Notes) -> None:
    twin, third = str(derive("twin")), str(derive("third"))
    await notes.add_applied([(PERSON, POOL), (third, "510100")])
    assert await notes.cases_of([PERSON, twin]) == {PERSON: [(PERSON, POOL)]}

    await notes.add_one([(twin, PERSON), (third, twin)])

    everywhere = {(who, pool) for who in (PERSON, twin, third) for pool in (POOL, "510100")}
    found = await notes.cases_of([PERSON, twin])
    assert {person: set(cases) for person, cases in found.items()} == {
        PERSON: everywhere,
        twin: everywhere,
    }


async def test_a_merge_is_told_to_both(town: Town, notes: Notes) -> None:
    twin = str(derive("twin"))
    await notes.add_applied([(PERSON, POOL)])
    told = enrollment.PersonsMerged(person=twin, survivor=twin, duplicate=PERSON)
    async with following(town, notes, Feed("enrollment", told)):
        await followed(notes, "enrollment", 1)

    for person in (PERSON, twin):
        handle = town.client.get_workflow_handle(f"beneficiary/{POOL}/{person}")
        await handle.terminate()


async def test_a_restart_goes_on_after_the_last_delivery(town: Town, notes: Notes) -> None:
    feed = Feed("enrollment", died(), died(), died())
    async with following(town, notes, feed):
        await followed(notes, "enrollment", 3)

    async with following(town, notes, feed):
        await eventually(lambda: _first(feed.asked_after[1:]), lambda seen: seen == 3)

    assert feed.asked_after == [0, 3]


async def test_a_delivery_that_is_repeated_changes_nothing(town: Town, notes: Notes) -> None:
    feed = Feed("assessment", applied(town))
    async with following(town, notes, feed):
        await followed(notes, "assessment", 1)
    handle = town.client.get_workflow_handle(f"beneficiary/{POOL}/{PERSON}")
    await town.attribute(handle, "LtciState", "ASSESSING")
    run = (await town.described(handle)).execution.run_id

    await notes.move("assessment", str(derive("another epoch")), 0)
    async with following(town, notes, feed):
        await followed(notes, "assessment", 1)

    assert (await town.described(handle)).execution.run_id == run
    assert await town.count(handle, "assessment.GetApplication") == 0
    story = await handle.query("story")
    assert len(story["steps"]) == 1
    await handle.terminate()


async def test_an_opened_month_is_settled_and_its_batch_paid(town: Town, notes: Notes) -> None:
    feed = Feed(
        "payment",
        payment.SettlementOpened(pool=POOL, month="2023-12"),
        payment.SettlementOpened(pool=POOL, month="2023-12"),
        payment.SettlementClosed(pool=POOL, month="2023-12", batch="batch-1"),
    )
    async with following(town, notes, feed):
        await followed(notes, "payment", 3)

    month = town.client.get_workflow_handle(f"settlement/{POOL}/2023-12")
    await town.attribute(month, "LtciState", "CLOSED")
    await town.attribute(town.client.get_workflow_handle("payment/batch-1"), "LtciState", "PAID")
    evidence = town.client.get_workflow_handle(f"evidence/{POOL}/2023-12")
    await town.attribute(evidence, "LtciState", "FORGOTTEN")
    assert town.calls.count("freeze 2023-12") == 1


async def test_a_year_that_is_opened_is_collected_once(town: Town, notes: Notes) -> None:
    opened = enrollment.ContributionYearOpened(pool=POOL, year=2024)
    async with following(town, notes, Feed("enrollment", opened, opened)):
        await followed(notes, "enrollment", 2)

    year = town.client.get_workflow_handle(f"contributions/{POOL}/2024")
    await town.attribute(year, "LtciState", "CLOSED")
    assert town.collection.calls == ["determine 2024"]


async def test_an_objection_and_an_appeal_start_their_processes(town: Town, notes: Notes) -> None:
    town.disputes.set_review("a", state="OBJECTED", objection_due_date="2024-01-15")
    town.disputes.appeals["b"] = AppealStanding("b", decided=False)
    filed: Any = {"application": "a", "person": PERSON, "pool": POOL}
    feed = Feed(
        "assessment",
        assessment.ReviewGraded(**filed),  # of a process that is not there: let go
        assessment.ObjectionFiled(**filed),
        assessment.AppealFiled(appeal="b", **filed),
        assessment.AppealDecided(appeal="c", **filed),
    )
    async with following(town, notes, feed):
        await followed(notes, "assessment", 4)
        review = town.client.get_workflow_handle("review/a/2")
        await town.attribute(review, "LtciWaitsFor", "OBJECTION_DECISION")
        appeal = town.client.get_workflow_handle("appeal/b")
        await town.attribute(appeal, "LtciWaitsFor", "PANEL")
        await town.attribute(appeal, "LtciPerson", PERSON)


def test_a_reassessment_that_led_to_something_concerns_the_lifecycle() -> None:
    told = assessment.ReassessmentConcluded(
        person=PERSON, pool=POOL, effective_date="2026-04-01", refused=True
    )
    wake = wake_of(event("assessment", 1, told), {})
    assert isinstance(wake, Concerned)
    assert (wake.pool, wake.notice.day) == (POOL, "2026-04-01")


def test_a_review_is_woken_only_by_the_last_confirmation() -> None:
    first = assessment.ReviewConfirmed(application="a", complete=False)
    last = assessment.ReviewConfirmed(application="a", complete=True)
    assert wake_of(event("assessment", 1, first), {}) is None
    assert isinstance(wake_of(event("assessment", 2, last), {}), wakes.Disputed)


async def test_a_signed_agreement_starts_its_process(town: Town, notes: Notes) -> None:
    town.agreements.sign("a", "2024-12-31")
    signed = provider.AgreementSigned(pool=POOL, provider=PERSON, agreement="a")
    async with following(town, notes, Feed("provider", signed)):
        await followed(notes, "provider", 1)

    handle = town.client.get_workflow_handle(f"agreement/{PERSON}")
    await town.attribute(handle, "LtciState", "IN_FORCE")
    await handle.terminate()


async def test_progress_of_an_assessment_that_is_not_there_is_let_go(
    town: Town, notes: Notes
) -> None:
    moved = assessment.OnSiteAssessed(application="nobody's", person=PERSON)

    async with following(town, notes, Feed("assessment", moved)):
        await followed(notes, "assessment", 1)


async def test_events_wait_for_a_temporal_server_that_is_away(tmp_path: Path) -> None:
    server = EmbeddedTemporal(tmp_path / "data", free_port(), None, tmp_path / "temporal.log")
    client = await Client.connect(server.address, lazy=True)
    order = Order(
        f"settlement/{POOL}/2023-12",
        wakes.MonthOpened(PoolMonth(POOL, "2023-12")),
        event("payment", 1, payment.SettlementOpened(pool=POOL, month="2023-12")),
    )
    telling = asyncio.create_task(Teller(client).tell(order))
    try:
        server.start()
        server.wait_ready()
        await search_attributes.register(client)
        await telling
        described = await client.get_workflow_handle(order.workflow_id).describe()
        assert described.workflow_type == "SettleMonth"
        assert await described.static_summary() == f"Month 2023-12 of {POOL}"
    finally:
        server.stop()


async def test_the_trace_of_an_event_goes_on_in_the_calls_it_leads_to(
    town_with_traces: Town, notes: Notes
) -> None:
    town = town_with_traces
    with telemetry.span("office") as span:
        traceparent = telemetry.current_traceparent()
    trace_id = f"{span.get_span_context().trace_id:032x}"
    town.insured = False

    feed = Feed("assessment", applied(town), traceparent=traceparent)
    async with following(town, notes, feed):
        await followed(notes, "assessment", 1)
    await eventually(lambda: _first(town.reviews), lambda seen: seen is not None)

    assert town.traces == {trace_id}


async def _first(seen: Sequence[T]) -> T | None:
    return seen[0] if seen else None
