"""Finds decisions, and what they stood on, in the services' own logs (查找裁定)."""

import hashlib
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import grpc
from ltci.events.v1 import feed_pb2

from cli.explain.ltci_dossier.again import DECISIONS, is_decision
from cli.output import BAD_INPUT, Failure
from kernel.clock import SHANGHAI
from kernel.ids import stream_id
from kernel.messages import message_of, ruling_of
from kernel.replay import RawFact
from kernel.rules.pack import Pack

PAGE = 1_000
SERVICES = tuple(DECISIONS)
# What a decision may be asked for by, besides its place.
_ID_FIELDS = (
    "decision",
    "due",
    "benefit",
    "visit",
    "application",
    "objection",
    "appeal",
    "reassessment",
)

Feeds = dict[str, Any]  # EventFeedServiceStub by service


class Library:
    """Facts and packs, each read once."""

    def __init__(self, feeds: Feeds) -> None:
        self._feeds = feeds
        self.facts: dict[tuple[str, int], RawFact] = {}
        self.packs: dict[str, bytes] = {}  # canonical content by the hash that names it
        self.streams: set[tuple[str, str]] = set()  # those the facts come from, by service

    def keep(self, service: str, event: feed_pb2.RecordedEvent) -> RawFact:
        fact = raw_fact(service, event)
        self.facts[service, fact.position] = fact
        self.streams.add((service, event.stream))
        return fact

    async def fetch(self, wanted: Iterable[tuple[str, int]]) -> None:
        """Reads the facts that are not here yet; those that are nowhere stay missing."""
        missing: dict[str, list[int]] = {}
        for service, position in sorted(set(wanted) - self.facts.keys()):
            missing.setdefault(service, []).append(position)
        for service, positions in missing.items():
            for begin in range(0, len(positions) if service in self._feeds else 0, PAGE):
                request = feed_pb2.ReadEventsRequest(positions=positions[begin : begin + PAGE])
                for event in (await self._feeds[service].ReadEvents(request)).events:
                    self.keep(service, event)

    async def all_for(self, decisions: Iterable[RawFact]) -> None:
        """Reads every fact and pack that the decisions name."""
        for decision in decisions:
            ruling = ruling_of(decision)
            if ruling is not None:
                await self.fetch((ref.service, ref.position) for ref in ruling.facts)
                await self._fetch_pack(decision.service, ruling.pack)

    def pack_of(self, decision: RawFact) -> Pack | None:
        """The pack that a decision names, if it is here and is what its name says."""
        ruling = ruling_of(decision)
        digest = ruling.pack.rpartition("@")[2] if ruling else ""
        content = self.packs.get(digest)
        if content is None or hashlib.sha256(content).hexdigest() != digest:
            return None
        return Pack.parse(content)

    async def _fetch_pack(self, service: str, pin: str) -> None:
        digest = pin.rpartition("@")[2]
        if digest in self.packs:
            return
        try:
            answer = await self._feeds[service].GetPack(feed_pb2.GetPackRequest(hash=digest))
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
        else:
            self.packs[digest] = answer.content


def raw_fact(service: str, event: feed_pb2.RecordedEvent) -> RawFact:
    """An event of a feed as a fact."""
    recorded = event.recorded_time.ToDatetime(tzinfo=SHANGHAI)
    return RawFact(service, event.position, event.type, event.payload, recorded)


async def find_decisions(feeds: Feeds, told: str) -> list[RawFact]:
    """The decisions meant by `service:position`, or by the id of what was decided.

    Refuses with a `Failure` what is neither, what is no decision, and what is not there.
    """
    service, colon, number = told.partition(":")
    if colon and service in feeds and number.isascii() and number.isdecimal():
        return [await _at(feeds, service, int(number))]
    try:
        wanted = str(UUID(told))
    except ValueError:
        raise Failure(
            "this names no decision",
            "这不是裁定的编号",
            where="DECISION",
            right="service:position (enrollment, assessment, provider, payment), as `ltci case`"
            " and `ltci replay` print it, or the id of an eligibility decision, an application,"
            " an objection, an appeal, a visit or a benefit",
            right_zh="应为“服务:位置”（enrollment、assessment、provider、payment），"
            "即 `ltci case`、`ltci replay` 所列，或资格决定、申请、异议、申诉、服务、待遇的编号",
            code=BAD_INPUT,
        ) from None
    found = await _of_visit(feeds, wanted) or await _searched(feeds, wanted)
    if not found:
        raise Failure(
            f"no decision has the id {wanted}",
            f"没有编号为 {wanted} 的裁定",
            where="DECISION",
            right="of a person, `ltci case` lists the decisions",
            right_zh="参保人的裁定可用 `ltci case` 列出",
            code=BAD_INPUT,
        )
    return found


async def _at(feeds: Feeds, service: str, position: int) -> RawFact:
    request = feed_pb2.ReadEventsRequest(positions=[position])
    events = (await feeds[service].ReadEvents(request)).events if position else ()
    fact = next((raw_fact(service, event) for event in events), None)
    if fact is None or not is_decision(fact):
        kind = fact.type.partition("/")[0].rpartition(".")[2] if fact else ""
        raise Failure(
            f"{service}:{position} is no decision" + (f", it is a {kind}" if kind else ""),
            f"{service}:{position} 不是裁定" + (f"，而是 {kind}" if kind else ""),
            where="DECISION",
            code=BAD_INPUT,
        )
    return fact


async def _of_visit(feeds: Feeds, visit: str) -> list[RawFact]:
    # A visit has a stream of its own, named by its id: nothing needs to be searched.
    request = feed_pb2.ReadEventsRequest(stream=str(stream_id("visit", visit)))
    events = (await feeds["provider"].ReadEvents(request)).events
    return [fact for fact in (raw_fact("provider", e) for e in events) if is_decision(fact)]


async def _searched(feeds: Feeds, wanted: str) -> list[RawFact]:
    found = []
    for service in SERVICES:
        request = feed_pb2.SubscribeEventsRequest(until_head=True, types=list(DECISIONS[service]))
        async for batch in feeds[service].SubscribeEvents(request):
            for event in batch.events:
                # The bytes are looked at first: most decisions are about somebody else.
                if wanted.encode() in event.payload:
                    fact = raw_fact(service, event)
                    message = message_of(fact)
                    if any(getattr(message, name, "") == wanted for name in _ID_FIELDS):
                        found.append(fact)
    return found
