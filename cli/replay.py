"""Makes recorded decisions again from the facts known then and the pack pinned then (重算).

Every decision event carries its ruling: the facts by position and digest, the pack by hash. Replay
reads those facts and that pack from the services' own logs, runs the same pure rule, and compares
the bytes. A difference names the decision and the input that differs: a fact, the pack, or the
outcome itself.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import grpc
from google.protobuf import symbol_database
from ltci.events.v1 import feed_pb2

from cli.connect import Connection
from kernel.clock import SHANGHAI
from kernel.replay import RawFact, Redo
from kernel.rpc.errors import explain
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from services.assessment import replay as assessment
from services.enrollment import replay as enrollment
from services.payment import replay as payment
from services.provider import replay as provider

SERVICES = ("enrollment", "assessment", "provider", "payment")
PAGE = 1_000
REDO: dict[str, dict[str, Redo]] = {
    "enrollment": dict(enrollment.DECISIONS),
    "assessment": dict(assessment.DECISIONS),
    "provider": dict(provider.DECISIONS),
    "payment": dict(payment.DECISIONS),
}

Feeds = dict[str, Any]  # EventFeedServiceStub by service
Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One decision that does not come out as recorded, and the input that differs."""

    service: str
    position: int
    decision: str  # event type
    what: str  # FACT_MISSING, FACT_DIFFERS, PACK_MISSING, PACK_DIFFERS, RULING_DIFFERS, …
    where: str  # the input: `provider:17`, `pack 320400@…`, `amounts.carer_subsidy`
    recorded: str
    found: str


@dataclass
class Report:
    """What a replay found: decisions by kind, and every difference."""

    decisions: dict[str, int] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(self.decisions.values())

    def as_json(self) -> dict[str, Any]:
        return {
            "decisions": self.decisions,
            "count": self.count,
            "differences": [asdict(difference) for difference in self.differences],
        }


class History:
    """Facts and packs as the services hold them, each read once."""

    def __init__(self, feeds: Feeds) -> None:
        self._feeds = feeds
        self._facts: dict[tuple[str, int], RawFact] = {}
        self._packs: dict[tuple[str, str], Pack | Difference] = {}

    def keep(self, fact: RawFact) -> None:
        self._facts[fact.service, fact.position] = fact

    def fact(self, service: str, position: int) -> RawFact | None:
        return self._facts.get((service, position))

    async def fetch(self, wanted: Iterable[tuple[str, int]]) -> None:
        """Reads the facts that are not here yet, page by page."""
        missing: dict[str, set[int]] = {}
        for service, position in wanted:
            if (service, position) not in self._facts and service in self._feeds:
                missing.setdefault(service, set()).add(position)
        for service, positions in missing.items():
            ordered = sorted(positions)
            for begin in range(0, len(ordered), PAGE):
                request = feed_pb2.ReadEventsRequest(positions=ordered[begin : begin + PAGE])
                answer = await self._feeds[service].ReadEvents(request)
                for event in answer.events:
                    self.keep(raw_fact(service, event))

    async def pack(self, service: str, pin: str) -> tuple[Pack | None, str, str]:
        """The pack a ruling pins, or None with what is wrong and what was found instead."""
        digest = pin.rpartition("@")[2]
        if (service, digest) not in self._packs:
            try:
                answer = await self._feeds[service].GetPack(feed_pb2.GetPackRequest(hash=digest))
            except grpc.aio.AioRpcError as error:
                return None, "PACK_MISSING", explain(error).reason
            found = hashlib.sha256(answer.content).hexdigest()
            if found != digest:
                return None, "PACK_DIFFERS", found
            self._packs[service, digest] = Pack.parse(answer.content)
        pack = self._packs[service, digest]
        assert isinstance(pack, Pack)  # noqa: S101 - tells the type checker
        return pack, "", ""


def raw_fact(service: str, event: feed_pb2.RecordedEvent) -> RawFact:
    return RawFact(
        service,
        event.position,
        event.type,
        event.payload,
        event.recorded_time.ToDatetime(tzinfo=SHANGHAI),
    )


def feeds_of(connection: Connection) -> Feeds:
    """The event feeds of the four services."""
    return {service: connection.feed(service) for service in SERVICES}


async def replay_all(feeds: Feeds, progress: Progress | None = None) -> Report:
    """Every decision of every service."""
    history, decisions = History(feeds), []
    for service in SERVICES:
        async for event in _events(feeds[service]):
            fact = raw_fact(service, event)
            history.keep(fact)
            if fact.type in REDO[service]:
                decisions.append(fact)
    return await _replay(history, decisions, progress)


async def replay_case(feeds: Feeds, person: str, progress: Progress | None = None) -> Report:
    """Every decision about one person."""
    history, decisions = History(feeds), []
    for service in SERVICES:
        async for event in case_events(feeds[service], person):
            fact = raw_fact(service, event)
            history.keep(fact)
            if fact.type in REDO[service]:
                decisions.append(fact)
    return await _replay(history, decisions, progress)


async def case_events(feed: Any, person: str) -> AsyncIterator[feed_pb2.RecordedEvent]:
    """A service's events about one person, in order."""
    token = ""
    while True:
        request = feed_pb2.ListCaseEventsRequest(person=person, page_size=PAGE, page_token=token)
        answer = await feed.ListCaseEvents(request)
        for event in answer.events:
            yield event
        token = answer.next_page_token
        if not token:
            return


async def _events(feed: Any) -> AsyncIterator[feed_pb2.RecordedEvent]:
    request = feed_pb2.SubscribeEventsRequest(until_head=True)
    async for batch in feed.SubscribeEvents(request):
        for event in batch.events:
            yield event


async def _replay(
    history: History, decisions: Sequence[RawFact], progress: Progress | None
) -> Report:
    report = Report()
    for done, decision in enumerate(decisions, 1):
        kind = decision.type.partition("/")[0].rpartition(".")[2]
        report.decisions[kind] = report.decisions.get(kind, 0) + 1
        report.differences.extend(await _differences(history, decision))
        if progress is not None and (done % 100 == 0 or done == len(decisions)):
            progress(done, len(decisions))
    return report


async def _differences(history: History, decision: RawFact) -> list[Difference]:
    """What differs between one recorded decision and the same decision made again."""

    def difference(what: str, where: str, recorded: str, found: str) -> Difference:
        return Difference(
            service=decision.service,
            position=decision.position,
            decision=decision.type,
            what=what,
            where=where,
            recorded=recorded,
            found=found,
        )

    recorded = _ruling_bytes(decision)
    try:
        ruling = Ruling.parse(recorded)
    except ValueError as error:
        return [difference("RULING_UNREADABLE", "ruling", "canonical bytes", str(error))]
    await history.fetch((ref.service, ref.position) for ref in ruling.facts)
    found: list[Difference] = []
    facts: list[RawFact] = []
    for ref in ruling.facts:
        fact = history.fact(ref.service, ref.position)
        where = f"{ref.service}:{ref.position}"
        if fact is None:
            found.append(difference("FACT_MISSING", where, ref.digest, "nothing"))
        elif fact.ref.digest != ref.digest:
            found.append(difference("FACT_DIFFERS", where, ref.digest, fact.ref.digest))
        else:
            facts.append(fact)
    pack, wrong, instead = await history.pack(decision.service, ruling.pack)
    if pack is None:
        found.append(difference(wrong, f"pack {ruling.pack}", ruling.pack, instead))
    if found or pack is None:
        return found
    try:
        again = REDO[decision.service][decision.type](decision.payload, facts, pack)
    except Exception as error:  # noqa: BLE001 - whatever it is, this decision cannot be made again
        return [
            difference("NOT_REPEATABLE", "rule", "a ruling", f"{type(error).__name__}: {error}")
        ]
    if again == recorded:
        return []
    where, was, now = _first_difference(json.loads(recorded), json.loads(again))
    return [difference("RULING_DIFFERS", where, was, now)]


def _ruling_bytes(decision: RawFact) -> bytes:
    name = decision.type.partition("/")[0]
    message: Any = symbol_database.Default().GetSymbol(name).FromString(decision.payload)
    ruling: bytes = message.ruling
    return ruling


def _first_difference(was: Any, now: Any, path: str = "") -> tuple[str, str, str]:
    """The first place where two rulings differ: path, recorded, made again."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in sorted(was.keys() | now.keys()):
            if was.get(key) != now.get(key):
                return _first_difference(was.get(key), now.get(key), f"{path}.{key}".lstrip("."))
    if isinstance(was, list) and isinstance(now, list):
        for index, (left, right) in enumerate(zip(was, now, strict=False)):
            if left != right:
                return _first_difference(left, right, f"{path}[{index}]")
        return f"{path} (length)", str(len(was)), str(len(now))
    return path, str(was), str(now)
