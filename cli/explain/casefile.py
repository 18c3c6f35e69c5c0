"""Everything the services know of one person's case, gathered once (卷宗材料)."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from ltci.events.v1 import feed_pb2

from cli.connect import Connection
from cli.explain.found import PAGE, SERVICES, Feeds, Library
from cli.explain.ltci_dossier.again import Difference, differences, is_decision
from cli.output import BAD_INPUT, Failure
from kernel.calendar import Month
from kernel.clock import Clock
from kernel.config import SettingMissing
from kernel.eventstore.envelope import Recorded, first_broken
from kernel.eventstore.errors import StoreUnavailable
from kernel.eventstore.postgres import EventStore
from kernel.ids import stream_id
from kernel.messages import event_name, message_of
from kernel.replay import RawFact
from services.payment.domain.instruction import instruction_id

Place = tuple[str, int]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One event of the case, with who recorded it."""

    fact: RawFact
    stream: str
    version: int
    category: str
    hash: bytes
    actor: str


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """A payment that carries a part of the case's money, and what became of it."""

    id: str
    settled_month: str
    payee: str
    events: tuple[RawFact, ...]


@dataclass(frozen=True, kw_only=True)
class StreamCheck:
    """A stream whose hashes were computed again, or at least counted."""

    service: str
    stream: str
    category: str
    events: int
    computed: bool
    broken_at: int  # the version; 0 where it is whole


@dataclass(frozen=True, kw_only=True)
class CaseFile:
    """A case as it was when gathered."""

    person: str
    made_at: datetime
    entries: tuple[Entry, ...]  # in the order in which they became known
    library: Library = field(repr=False)
    decisions: tuple[RawFact, ...]
    instructions: tuple[Instruction, ...]
    streams: tuple[StreamCheck, ...]
    replayed: dict[Place, list[Difference]]

    @property
    def wrong(self) -> int:
        """Decisions that did not come out the same."""
        return sum(bool(found) for found in self.replayed.values())


async def gather(connection: Connection, feeds: Feeds, person: str) -> CaseFile:
    """The case; refuses with a `Failure` a person of whom nothing is known."""
    library = Library(feeds)
    entries = [entry async for entry in _entries(feeds, library, person)]
    if not entries:
        raise Failure(
            "nobody with this id is known here", "没有此人的记录", where="CASE", code=BAD_INPUT
        )
    entries.sort(key=lambda e: (e.fact.recorded_at, SERVICES.index(e.fact.service)))
    decisions = tuple(entry.fact for entry in entries if is_decision(entry.fact))
    await library.all_for(decisions)
    instructions = await _instructions(feeds, library, decisions)
    return CaseFile(
        person=person,
        made_at=connection.clock().now(),
        entries=tuple(entries),
        library=library,
        decisions=decisions,
        instructions=instructions,
        streams=await _streams(connection, feeds, library),
        replayed={
            (one.service, one.position): differences(one, library.facts, library.packs)
            for one in decisions
        },
    )


async def _entries(feeds: Feeds, library: Library, person: str) -> AsyncIterator[Entry]:
    for service in SERVICES:
        token = ""
        while True:
            request = feed_pb2.ListCaseEventsRequest(
                person=person, page_size=PAGE, page_token=token
            )
            answer = await feeds[service].ListCaseEvents(request)
            for event in answer.events:
                yield Entry(
                    fact=library.keep(service, event),
                    stream=event.stream,
                    version=event.version,
                    category=event.category,
                    hash=event.hash,
                    actor=event.actor,
                )
            token = answer.next_page_token
            if not token:
                break


# --- Money ------------------------------------------------------------------------------------


async def _instructions(
    feeds: Feeds, library: Library, decisions: Sequence[RawFact]
) -> tuple[Instruction, ...]:
    """The instructions of the case's benefits, and those that replaced them."""
    wanted: dict[str, tuple[str, str]] = {}
    for decision in decisions:
        message: Any = message_of(decision)
        if event_name(decision.type) != "BenefitDetermined":
            continue
        for part in message.components:
            month = Month.parse(message.settled_month)
            wanted[str(instruction_id(message.pool, month, part.payee))] = (str(month), part.payee)
    found = []
    while wanted:
        identity, (month_text, payee) = next(iter(wanted.items()))
        del wanted[identity]
        request = feed_pb2.ReadEventsRequest(stream=str(stream_id("instruction", identity)))
        answer = await feeds["payment"].ReadEvents(request)
        events = tuple(library.keep("payment", event) for event in answer.events)
        if events:
            found.append(
                Instruction(id=identity, settled_month=month_text, payee=payee, events=events)
            )
        for event in events:
            if event_name(event.type) == "PaymentReissued":
                again: Any = message_of(event)
                wanted[again.replaced_by] = (month_text, payee)
    return tuple(sorted(found, key=lambda one: (one.settled_month, one.payee)))


# --- Integrity --------------------------------------------------------------------------------


async def _streams(
    connection: Connection, feeds: Feeds, library: Library
) -> tuple[StreamCheck, ...]:
    """The streams that the case's events and facts come from, each whole or not.

    A hash covers the sealed part, which no feed gives: only who may read the stores can compute
    it. Elsewhere the numbers are looked at, and the result says so.
    """
    by_service: dict[str, list[str]] = {}
    for service, stream in sorted(library.streams):
        by_service.setdefault(service, []).append(stream)
    async with AsyncExitStack() as closing:
        checks = []
        for service, streams in by_service.items():
            store = await _store(connection, service, closing)
            if store is not None:
                read = await store.read_streams([UUID(stream) for stream in streams])
                checks += [_computed(service, events, library) for events in read.values()]
            else:
                checks += [await _counted(feeds, service, stream) for stream in streams]
        return tuple(checks)


async def _store(
    connection: Connection, service: str, closing: AsyncExitStack
) -> EventStore | None:
    """The service's store, where this machine may read it."""
    try:
        store = await EventStore.open(
            connection.settings.database_url,
            service,
            clock=Clock(connection.settings.clock_file),
            pool_size=1,
        )
    except (SettingMissing, StoreUnavailable, OSError, asyncpg.PostgresError):
        return None
    closing.push_async_callback(store.close)
    return store


def _computed(service: str, events: Sequence[Recorded], library: Library) -> StreamCheck:
    broken = first_broken(events)
    at = broken.version if broken else 0
    for event in events:
        # What the feed gave is what is shown: it must be what the hashes cover.
        shown = library.facts.get((service, event.position))
        if shown is not None and (shown.type, shown.payload) != (event.type, event.payload):
            at = min(at or event.version, event.version)
    first = events[0]
    return StreamCheck(
        service=service,
        stream=str(first.stream),
        category=first.category,
        events=len(events),
        computed=True,
        broken_at=at,
    )


async def _counted(feeds: Feeds, service: str, stream: str) -> StreamCheck:
    answer = await feeds[service].ReadEvents(feed_pb2.ReadEventsRequest(stream=stream))
    versions = [event.version for event in answer.events]
    gap = next((n for n, version in enumerate(versions, 1) if n != version), 0)
    return StreamCheck(
        service=service,
        stream=stream,
        category=answer.events[0].category if versions else "",
        events=len(versions),
        computed=False,
        broken_at=gap,
    )
