"""How many things of a kind are in each state: for gauges on a wall, not for decisions.

A service names the kinds it has and the state that each event leaves a thing in. The counts
move with the events, so reading them costs the same in the tenth year as on the first day.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from google.protobuf.message import Message

from kernel import telemetry
from kernel.projection import Connection, FeedEvent, ProjectionRunner


@dataclass(frozen=True, kw_only=True)
class StateKind:
    """A kind of thing: the fields that name one, and the state after each of its events.

    A state may depend on the event's content; empty, it leaves the thing where it was.
    `day` is a field with the day from which the event speaks: one about an earlier day than
    the one before says nothing about now. Empty where states only follow each other.
    """

    kind: str
    name: tuple[str, ...]
    states: Mapping[type[Message], str | Callable[[Any], str]]
    day: str = ""


@dataclass(frozen=True, slots=True)
class _Told:
    """What an event says: the thing, its pool, its state from a day on."""

    kind: str
    name: str
    pool: str
    state: str
    day: str


class StateCounts:
    """The projection: each thing's state, and how many are in each."""

    name = "state_counts"
    tables = """
    create table {prefix}thing (
        kind text not null,
        name text not null,
        state text not null,
        day text not null,
        primary key (kind, name)
    );
    create table {prefix}count (
        kind text not null,
        pool text not null,
        state text not null,
        things bigint not null,
        primary key (kind, pool, state)
    );
    """

    def __init__(self, kinds: Sequence[StateKind]) -> None:
        self._known = {
            message.DESCRIPTOR.full_name: (kind, message, state)
            for kind in kinds
            for message, state in kind.states.items()
        }

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        told = [one for event in events if (one := self._told(event)) is not None]
        if not told:
            return
        rows = await conn.fetch(
            f"select kind, name, state, day from {prefix}thing"
            " where (kind, name) in (select * from unnest($1::text[], $2::text[]))",
            [one.kind for one in told],
            [one.name for one in told],
        )
        things = {(row["kind"], row["name"]): (row["state"], row["day"]) for row in rows}
        moved: Counter[tuple[str, str, str]] = Counter()
        for one in told:
            state, day = things.get((one.kind, one.name), ("", ""))
            if one.day < day:
                continue
            if state:
                moved[one.kind, one.pool, state] -= 1
            moved[one.kind, one.pool, one.state] += 1
            things[one.kind, one.name] = (one.state, one.day)
        await conn.executemany(
            f"insert into {prefix}thing (kind, name, state, day) values ($1, $2, $3, $4)"
            " on conflict (kind, name) do update set state = excluded.state, day = excluded.day",
            [(*key, *thing) for key, thing in things.items()],
        )
        await conn.executemany(
            f"insert into {prefix}count as kept (kind, pool, state, things)"
            " values ($1, $2, $3, $4) on conflict (kind, pool, state) do update"
            " set things = kept.things + excluded.things",
            [(*place, number) for place, number in moved.items()],
        )

    def _told(self, event: FeedEvent) -> _Told | None:
        known = self._known.get(event.type.rpartition("/")[0])
        if known is None:
            return None
        kind, message_class, state = known
        message = message_class.FromString(event.payload)
        after = state if isinstance(state, str) else state(message)
        if not after:
            return None
        return _Told(
            kind=kind.kind,
            name="/".join(getattr(message, field) for field in kind.name),
            pool=event.pool,
            state=after,
            day=getattr(message, kind.day) if kind.day else "",
        )


async def tell_states(pool: asyncpg.Pool, runner: ProjectionRunner, service: str) -> None:
    """Puts the counts where the collector reads them."""
    rows = await pool.fetch(f"select kind, pool, state, things from {runner.tables}count")
    for row in rows:
        place = {"kind": row["kind"], "pool": row["pool"], "state": row["state"]}
        telemetry.STATES.set(row["things"], {"service": service, **place})
