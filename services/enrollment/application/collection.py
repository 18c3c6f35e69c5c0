"""Contributions by the thousand (批量缴费入账): one look and one commit for all, a fate for each.

The rows of a message are decided by the decider of the single path, on states that are read in
one look, and are written in one go. What is promised of a single contribution holds for each:

* its request id gives the first answer again, other content under it is refused, whatever
  message it comes in, and also where it came alone before;
* it is decided on the state its event is appended to: where somebody else was faster, it is
  decided again;
* a refused row leaves the others as they are;
* who is not insured under the own id is looked for under others: such a row goes the single way.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any
from uuid import UUID

from ltci.enrollment.v1 import enrollment_service_pb2 as pb

from kernel import telemetry
from kernel.eventstore.codec import Codec
from kernel.eventstore.envelope import Append, Meta, StreamAppend
from kernel.eventstore.errors import RequestReused, VersionConflict
from kernel.eventstore.handle import RERUNS, Call, StreamKind, Work, code_version
from kernel.eventstore.postgres import Clear
from kernel.refusal import Refused, without_traceback
from kernel.rules.library import PackLibrary
from kernel.service import Parts
from kernel.turns import in_turns
from services.enrollment import wire
from services.enrollment.application.contributions import Contributions, command_of, sources_of
from services.enrollment.application.merging import NOT_OF_MERGES
from services.enrollment.application.streams import (
    CONTRIBUTIONS,
    COVERAGE,
    contributions_stream,
    coverage_stream,
    identity_stream,
    person_stream,
)
from services.enrollment.domain import contribution as co
from services.enrollment.domain import coverage as c

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is well formed: who asks, and the contribution as told."""

    call: Call
    told: co.ContributionCollected


Outcome = Exception | None  # None: taken in, now or before


class BulkCollection:
    """Takes in what the rows of whole files tell."""

    def __init__(self, parts: Parts, contributions: Contributions) -> None:
        self._store = parts.store
        self._codec = parts.codec
        self._handler = parts.handler
        self._contributions = contributions  # the single way
        self._not_of_merges = tuple(map(parts.codec.type_name, NOT_OF_MERGES))
        self._sources = _Sources(parts.packs)
        self._beside = (parts.codec.type_name(c.EligibilityDecided),)

    async def collect(self, rows: Sequence[Row]) -> list[Outcome]:
        """What became of each row. Refuses NOT_COVERED, SOURCE_NOT_ALLOWED, REQUEST_ID_REUSED."""
        outcomes: list[Outcome] = [None] * len(rows)
        left, later = _first_ones(rows)
        for _ in range(RERUNS + 1):
            if not left:
                break
            overtaken = await self._take(rows, left, outcomes)
            left, later = [*later, *overtaken], []
        return outcomes

    async def check(self, rows: Sequence[Row]) -> list[Outcome]:
        """What would become of each row; nothing is kept."""
        outcomes: list[Outcome] = [None] * len(rows)
        everywhere = range(len(rows))
        states = await self._look(rows, everywhere)
        async for place in in_turns(everywhere):
            decided = states.decide(place, rows[place].told, self._sources)
            if isinstance(decided, Exception):
                outcomes[place] = decided
        for place in await self._maybe_elsewhere(rows, everywhere, outcomes):
            outcomes[place] = await self._tried_alone(rows[place])
        await self._recall(rows, everywhere, outcomes)
        return outcomes

    async def _take(
        self, rows: Sequence[Row], places: Sequence[int], outcomes: list[Outcome]
    ) -> list[int]:
        """One attempt; returns the places of rows whose streams moved on meanwhile."""
        states = await self._look(rows, places)
        appends: list[Append] = []
        appended: list[int] = []
        idle: list[int] = []
        traceparent = telemetry.current_traceparent()
        async for place in in_turns(places):
            row = rows[place]
            decided = states.decide(place, row.told, self._sources)
            if isinstance(decided, Exception) or not decided.events:
                outcomes[place] = decided if isinstance(decided, Exception) else None
                idle.append(place)
                continue
            part = await self._part(decided, row.told.pool)
            appends.append(_append(row, (part,), traceparent))
            appended.append(place)
        overtaken = await self._keep(appends, appended, outcomes)
        alone = await self._maybe_elsewhere(rows, idle, outcomes)
        await self._recall(rows, [place for place in idle if place not in alone], outcomes)
        await self._take_alone(rows, sorted(alone), outcomes)
        return overtaken

    async def _maybe_elsewhere(
        self, rows: Sequence[Row], places: Sequence[int], outcomes: Sequence[Outcome]
    ) -> set[int]:
        """Of those refused as not insured, whose paper leads elsewhere or who was ever merged."""
        told = {place: rows[place].told.person for place in places if _uninsured(outcomes[place])}
        if not told:
            return set()
        streams = {who: (identity_stream(who), person_stream(who)) for who in told.values()}
        wanted = [stream for pair in streams.values() for stream in pair]
        found = await self._store.read_clear(wanted, without=self._not_of_merges)
        return {
            place for place, who in told.items() if any(stream in found for stream in streams[who])
        }

    async def _take_alone(
        self, rows: Sequence[Row], places: Sequence[int], outcomes: list[Outcome]
    ) -> None:
        answers = await self._handler.execute_many(
            [
                (
                    rows[place].call,
                    self._contributions.collecting(rows[place].told),
                    pb.Contribution,
                )
                for place in places
            ]
        )
        for place, answer in zip(places, answers, strict=True):
            outcomes[place] = answer if isinstance(answer, Exception) else None

    async def _tried_alone(self, row: Row) -> Outcome:
        """Decides as if it were meant, and keeps nothing."""
        try:
            await self._contributions.collecting(row.told)(Work(self._handler, row.call))
        except Refused as refused:
            return without_traceback(refused)
        return None

    async def _keep(
        self, appends: Sequence[Append], places: Sequence[int], outcomes: list[Outcome]
    ) -> list[int]:
        overtaken = []
        if appends:
            with telemetry.detail("append"):
                kept = await self._store.bulk_outcomes(appends)
            for place, outcome in zip(places, kept, strict=True):
                outcomes[place] = outcome if isinstance(outcome, Exception) else None
                if isinstance(outcome, VersionConflict):
                    overtaken.append(place)
        return overtaken

    async def _recall(
        self, rows: Sequence[Row], places: Sequence[int], outcomes: list[Outcome]
    ) -> None:
        """A request that was obeyed before gets its first answer, whatever would be said now."""
        if not places:
            return
        known = await self._store.find_requests([rows[place].call.request_id for place in places])
        for place in places:
            call = rows[place].call
            earlier = known.get(call.request_id)
            if earlier is not None:
                same = earlier[0] == call.fingerprint
                outcomes[place] = None if same else RequestReused(call.request_id)

    async def _look(self, rows: Sequence[Row], places: Sequence[int]) -> "_States":
        """All that the decisions on these rows rest on, in one look."""
        streams = {place: _streams_of(rows[place].told) for place in places}
        wanted = {stream for pair in streams.values() for stream in pair}
        found = await self._store.read_clear(list(wanted), without=self._beside)
        return _States(self._codec, streams, found)

    async def _part(self, decided: "_Decided", pool: str) -> StreamAppend:
        stream, version = decided.stream, decided.version
        encoded = [
            await self._codec.encode(stream, place, event)
            for place, event in enumerate(decided.events, start=version + 1)
        ]
        return StreamAppend(stream, CONTRIBUTIONS.category, pool, version, tuple(encoded))


@dataclass(frozen=True, slots=True)
class _Decided:
    """What is to be appended to the stream of contributions that stands at a version."""

    stream: UUID
    version: int
    events: Sequence[co.ContributionCollected]


class _Sources:
    """Who may pay in a pool and year, looked up once."""

    def __init__(self, packs: PackLibrary) -> None:
        self._packs = packs
        self._known: dict[tuple[str, int], Collection[str]] = {}

    def __call__(self, pool: str, year: int) -> Collection[str]:
        sources = self._known.get((pool, year))
        if sources is None:
            sources = self._known[pool, year] = sources_of(self._packs.pack_for(pool), year)
        return sources


class _States:
    """The states that the rows of one message are decided on, each row on those before it."""

    def __init__(
        self,
        codec: Codec,
        streams: Mapping[int, tuple[UUID, UUID]],
        found: Mapping[UUID, Sequence[Clear]],
    ) -> None:
        self._codec = codec
        self._streams = streams  # of each row: coverage and contributions
        self._found = found
        self._folded: dict[UUID, tuple[Any, int]] = {}

    def decide(
        self, place: int, told: co.ContributionCollected, sources: _Sources
    ) -> _Decided | Exception:
        """What the decider makes of the row at a place, or why it refuses."""
        covering, stream = self._streams[place]
        coverage, _ = self._state(COVERAGE, covering)
        year, version = self._state(CONTRIBUTIONS, stream)
        try:
            covered = coverage.in_year(told.year)
            command = command_of(told, covered=covered, sources=sources(told.pool, told.year))
            events = co.decide(command, year)
        except Refused as refused:
            return without_traceback(refused)
        except Exception as error:  # noqa: BLE001 - the caller is answered row by row
            _log.exception("a row could not be decided")
            return without_traceback(error)
        if events:
            self._folded[stream] = (reduce(co.evolve, events, year), version + len(events))
        return _Decided(stream, version, events)

    def _state(self, kind: StreamKind[Any, Any], stream: UUID) -> tuple[Any, int]:
        folded = self._folded.get(stream)
        if folded is None:
            events = self._found.get(stream, ())
            state, version = kind.initial, events[-1][0] if events else 0
            for _, type_, payload in events:
                # Neither kind of stream holds personal data.
                state = kind.evolve(state, self._codec.decode_clear(type_, payload))
            folded = self._folded[stream] = (state, version)
        return folded


def _streams_of(told: co.ContributionCollected) -> tuple[UUID, UUID]:
    return (
        coverage_stream(told.pool, told.person),
        contributions_stream(told.pool, told.person, told.year),
    )


def _uninsured(outcome: Outcome) -> bool:
    return isinstance(outcome, Refused) and outcome.reason == "NOT_COVERED"


def _first_ones(rows: Sequence[Row]) -> tuple[list[int], list[int]]:
    """The rows that come first under their request ids, and those that repeat one."""
    seen: set[UUID] = set()
    first: list[int] = []
    later: list[int] = []
    for place, row in enumerate(rows):
        (later if row.call.request_id in seen else first).append(place)
        seen.add(row.call.request_id)
    return first, later


def _append(row: Row, streams: tuple[StreamAppend, ...], traceparent: str) -> Append:
    """The row as a request of its own, the same as if it had come alone."""
    request_id = row.call.request_id
    return Append(
        request_id=request_id,
        fingerprint=row.call.fingerprint,
        answer=wire.contribution(row.told).SerializeToString(deterministic=True),
        streams=streams,
        meta=Meta(request_id, row.call.actor, traceparent, code_version()),
    )
