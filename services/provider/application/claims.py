"""Takes in claim lines, and matches them again when what they stand on has changed.

Many lines are matched at a time: what they stand on is read once for all of them, and their
events are one append. It names the versions it was decided on, so what others recorded meanwhile
makes it decide again.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache, reduce
from hashlib import sha256
from typing import Any, TypeVar, cast
from uuid import UUID

from kernel import telemetry
from kernel.calendar import Month
from kernel.clock import Clock
from kernel.eventstore.codec import Codec
from kernel.eventstore.envelope import Append, Meta, StreamAppend
from kernel.eventstore.errors import VersionConflict
from kernel.eventstore.handle import Handler, code_version
from kernel.eventstore.postgres import EventStore
from kernel.ids import derive
from kernel.money import Money
from kernel.pack_keeper import PackKeeper
from kernel.refusal import NotFound, RequestReused
from services.provider.application.claim_grounds import ClaimGrounds, Gathered
from services.provider.application.streams import (
    CLAIM,
    CLAIMED,
    PROVIDER,
    claim_stream,
    claimed_stream,
    provider_stream,
)
from services.provider.domain import claim
from services.provider.domain.claim import Claimed, Line
from services.provider.domain.claim_match import Asked

KEPT_MONTHS = 20_000
_TRIES = 6
T = TypeVar("T")
MonthKey = tuple[str, UUID | None, Month, UUID | None]
"""Pool, person and month of a stream of lines; of a line without a person, its id."""


@dataclass(frozen=True, kw_only=True)
class NewLine:
    """A line as it was sent."""

    line: UUID
    provider: UUID
    pool: str
    month: Month
    visit: UUID | None
    person: UUID | None
    start_date: date | None
    items: tuple[str, ...]
    amount: Money


@dataclass
class _Draft:
    """What one go at some lines would record."""

    states: dict[UUID, tuple[Claimed, int]] = field(default_factory=dict)
    months: dict[UUID, tuple[str, list[claim.LineEvent]]] = field(default_factory=dict)
    claims: dict[UUID, tuple[str, claim.ClaimSubmitted]] = field(default_factory=dict)


class Claims:
    """Claim lines of all providers."""

    def __init__(
        self,
        *,
        store: EventStore,
        codec: Codec,
        handler: Handler,
        clock: Clock,
        grounds: ClaimGrounds,
        packs: PackKeeper,
    ) -> None:
        self._store = store
        self._codec = codec
        self._handler = handler
        self._clock = clock
        self._grounds = grounds
        self._packs = packs
        self._kept: OrderedDict[UUID, tuple[Claimed, int]] = OrderedDict()
        self._submitted: set[UUID] = set()

    async def take(
        self, actor: str, lines: Sequence[NewLine], *, record: bool = True
    ) -> list[tuple[Asked, Line] | Exception]:
        """Each line as it stands afterwards, or why it was not taken in.

        Refuses a line with NotFound (its provider) and RequestReused. Without `record` nothing
        is kept.
        """
        known = await self._known_providers({line.provider for line in lines})
        return await _persistently(lambda: self._taken(actor, lines, known, record=record))

    async def match_again(
        self, actor: str, months: Mapping[MonthKey, Collection[UUID] | None]
    ) -> int:
        """Matches lines of these months with what is known now; how many came out otherwise.

        Without names all lines of a month are meant.
        """
        return await _persistently(lambda: self._matched_again(actor, months))

    # -- one go ------------------------------------------------------------------------------

    async def _taken(
        self, actor: str, lines: Sequence[NewLine], known: set[UUID], *, record: bool
    ) -> list[tuple[Asked, Line] | Exception]:
        gathered = await self._grounds.gather(
            {line.visit for line in lines if line.visit},
            {(line.person, line.start_date) for line in lines if line.person and line.start_date},
        )
        asked = [_asked(line, gathered.persons) for line in lines]
        keys = {one.line: _key(one) for one in asked}
        streams = {key: claimed_stream(*key) for key in set(keys.values())}
        draft = _Draft(states=await self._states(list(streams.values())))
        refused: dict[int, Exception] = {}
        fresh: dict[MonthKey, dict[UUID, Asked]] = {}
        for place, one in enumerate(asked):
            key = keys[one.line]
            before = fresh.get(key, {}).get(one.line)
            try:
                if one.provider not in known:
                    raise NotFound("provider", one.provider)
                if before is not None and before != one:
                    raise RequestReused(one.line)
                if not claim.is_known(one, draft.states[streams[key]][0]):
                    fresh.setdefault(key, {})[one.line] = one
            except (NotFound, RequestReused) as error:
                refused[place] = error
        for key, new in fresh.items():
            await self._decide(draft, streams[key], key[0], list(new.values()), gathered)
        await self._open_claims(draft, [one for new in fresh.values() for one in new.values()])
        if record:
            await self._append(actor, draft)
        return [
            refused.get(place) or (one, draft.states[streams[keys[one.line]]][0].lines[one.line])
            for place, one in enumerate(asked)
        ]

    async def _matched_again(
        self, actor: str, months: Mapping[MonthKey, Collection[UUID] | None]
    ) -> int:
        streams = {key: claimed_stream(*key) for key in months}
        draft = _Draft(states=await self._read(list(streams.values())))
        again: dict[MonthKey, list[Asked]] = {}
        for key, names in months.items():
            state, _ = draft.states[streams[key]]
            meant = [
                line.asked for name, line in state.lines.items() if names is None or name in names
            ]
            if meant:
                again[key] = meant
        lines = [one for meant in again.values() for one in meant]
        gathered = await self._grounds.gather(
            {one.visit for one in lines if one.visit},
            {(one.person, one.start_date) for one in lines if one.person and one.start_date},
        )
        for key, meant in again.items():
            await self._decide(draft, streams[key], key[0], meant, gathered)
        await self._append(actor, draft)
        return sum(len(events) for _, events in draft.months.values())

    async def _decide(
        self, draft: _Draft, stream: UUID, pool: str, lines: Sequence[Asked], gathered: Gathered
    ) -> None:
        state, version = draft.states[stream]
        command = claim.MatchLines(
            lines=lines,
            grounds=gathered.grounds,
            today=self._clock.today(),
            pack=await self._packs.pack_for(pool),
            code_version=code_version(),
        )
        events = claim.decide(command, state)
        if events:
            draft.months[stream] = (pool, events)
            draft.states[stream] = (reduce(claim.evolve, events, state), version)

    async def _open_claims(self, draft: _Draft, lines: Sequence[Asked]) -> None:
        for one in {one.claim: one for one in lines}.values():
            stream = claim_stream(one.pool, one.provider, one.month)
            if stream in self._submitted:
                continue
            state, _ = await self._handler.load(CLAIM, stream)
            submitted = claim.ClaimSubmitted(
                claim=one.claim,
                provider=one.provider,
                pool=one.pool,
                month=one.month,
                submitted_date=self._clock.today(),
            )
            if claim.submit(submitted, state):
                draft.claims[stream] = (one.pool, submitted)
            else:
                self._submitted.add(stream)

    # -- states and appends ------------------------------------------------------------------

    async def _known_providers(self, providers: set[UUID]) -> set[UUID]:
        found = set()
        for name in providers:
            state, _ = await self._handler.load(PROVIDER, provider_stream(name))
            if state.admitted is not None:
                found.add(name)
        return found

    async def _states(self, streams: Sequence[UUID]) -> dict[UUID, tuple[Claimed, int]]:
        """As this process knows them: an append tells where it does not know the newest."""
        kept = {stream: self._kept[stream] for stream in streams if stream in self._kept}
        missing = [stream for stream in streams if stream not in kept]
        return kept | (await self._read(missing) if missing else {})

    async def _read(self, streams: Sequence[UUID]) -> dict[UUID, tuple[Claimed, int]]:
        found: dict[UUID, tuple[Claimed, int]] = {}
        for stream, recorded in (await self._store.read_streams(streams)).items():
            events = [self._codec.decode_clear(one.type, one.payload) for one in recorded]
            state = reduce(claim.evolve, cast("list[claim.LineEvent]", events), Claimed())
            found[stream] = (state, recorded[-1].version if recorded else 0)
        return found

    async def _append(self, actor: str, draft: _Draft) -> None:
        parts = [
            await self._part(stream, CLAIMED.category, pool, draft.states[stream][1], events)
            for stream, (pool, events) in draft.months.items()
        ]
        parts += [
            await self._part(stream, CLAIM.category, pool, 0, [submitted])
            for stream, (pool, submitted) in draft.claims.items()
        ]
        if parts:
            try:
                await self._written(actor, parts)
            except VersionConflict:
                for part in parts:
                    self._kept.pop(part.stream, None)
                    self._handler.forget(part.stream)
                raise
        self._submitted |= draft.claims.keys()
        for stream, (state, before) in draft.states.items():
            version = before + len(draft.months.get(stream, ("", []))[1])
            # Others may have been here while this waited.
            if version >= self._kept.get(stream, (state, 0))[1]:
                self._kept[stream] = (state, version)
                self._kept.move_to_end(stream)
        while len(self._kept) > KEPT_MONTHS:
            self._kept.popitem(last=False)

    async def _written(self, actor: str, parts: Sequence[StreamAppend]) -> None:
        # The versions name the append: the same lines decided again on them are the same append.
        places = [f"{part.stream}:{part.expected_version}" for part in parts]
        request_id = derive("claims", *places)
        payloads = (event.payload for part in parts for event in part.events)
        append = Append(
            request_id=request_id,
            fingerprint=sha256(request_id.bytes + b"".join(payloads)).digest(),
            answer=b"",
            streams=tuple(parts),
            meta=Meta(
                request_id=request_id,
                actor=actor,
                traceparent=telemetry.current_traceparent(),
                code_version=code_version(),
            ),
        )
        [outcome] = await self._store.bulk_outcomes([append])
        if isinstance(outcome, RequestReused):
            # Others decided otherwise on the same versions, and were first.
            first = parts[0]
            raise VersionConflict(first.stream, first.expected_version, first.expected_version + 1)
        if isinstance(outcome, Exception):
            raise outcome

    async def _part(
        self, stream: UUID, category: str, pool: str, version: int, events: Sequence[Any]
    ) -> StreamAppend:
        return StreamAppend(
            stream=stream,
            category=category,
            pool=pool,
            expected_version=version,
            events=tuple(
                [
                    await self._codec.encode(stream, version + place, event)
                    for place, event in enumerate(events, start=1)
                ]
            ),
        )


async def _persistently(go: Callable[[], Awaitable[T]]) -> T:
    """What a go at it gives, on newer states where others were faster."""
    for left in reversed(range(_TRIES)):
        try:
            return await go()
        except VersionConflict:
            if not left:
                raise
    raise AssertionError("unreachable")


@lru_cache(maxsize=4096)
def claim_named(pool: str, provider: UUID, month: Month) -> UUID:
    """The claim of a provider's month: always the same id."""
    return derive("claim", pool, str(provider), str(month))


def _asked(line: NewLine, persons: Mapping[UUID, UUID]) -> Asked:
    return Asked(
        line=line.line,
        claim=claim_named(line.pool, line.provider, line.month),
        provider=line.provider,
        pool=line.pool,
        month=line.month,
        person=persons.get(line.visit) if line.visit else line.person,
        visit=line.visit,
        start_date=line.start_date,
        items=line.items,
        amount=line.amount,
    )


def _key(asked: Asked) -> MonthKey:
    return (asked.pool, asked.person, asked.month, None if asked.person else asked.line)
