"""Read model of monitoring (投影): visits that go on, flags, complaints, and sums by month.

Each batch reads the rows of the visits, flags and complaints it is about, and adds to the sums what
their change makes: nothing is ever counted anew. Opaque ids only.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from google.protobuf.message import Message
from ltci.provider.v1 import events_pb2 as ev
from ltci.provider.v1 import supervision_types_pb2 as types

from kernel.eventstore.codec import Codec
from kernel.projection import Connection, FeedEvent
from services.provider.domain.counting import (
    Counted,
    CountedComplaint,
    CountedFlag,
    CountedVisit,
    Key,
    moved,
)

GOING_ON, TO_CONFIRM, DECIDED = 1, 2, 3
_TABLES = """
create table {prefix}provider (
    provider uuid primary key,
    pool text not null,
    provider_name text not null,
    social_credit_code text not null
);
create index on {prefix}provider (pool, provider);
create table {prefix}plan (plan uuid primary key, provider uuid not null);
create table {prefix}visit (
    visit uuid primary key,
    pool text not null,
    plan uuid not null,
    provider uuid,
    caregiver text not null,
    start_time timestamptz not null,
    end_time timestamptz,
    state int not null,
    care_date text not null default '',
    minutes int not null default 0,
    delivered boolean not null default false,
    reasons text[] not null default array[]::text[],
    cost_fen bigint not null default 0,
    verdict_count int not null default 0
);
create index on {prefix}visit (provider, state) where state < 3;
create table {prefix}flag (
    flag uuid primary key,
    provider uuid,
    detector text not null,
    month text not null,
    fate text not null
);
create index on {prefix}flag (provider) where fate = 'open';
create table {prefix}complaint (
    complaint uuid primary key,
    pool text not null,
    provider uuid,
    caregiver text not null,
    visit text not null,
    assessor text not null,
    channel int not null,
    anonymous boolean not null,
    filed_date text not null,
    accepted_date text not null default '',
    answered_date text not null default '',
    due_date text not null,
    outcome int not null default 0
);
create index on {prefix}complaint (pool, filed_date, complaint);
create index on {prefix}complaint (pool, due_date) where answered_date = '';
create table {prefix}sums (
    provider uuid not null,
    month text not null,
    name text not null,
    key text not null,
    total bigint not null,
    primary key (provider, month, name, key)
);
"""
_VISIT = (
    "visit",
    "pool",
    "plan",
    "provider",
    "caregiver",
    "start_time",
    "end_time",
    "state",
    "care_date",
    "minutes",
    "delivered",
    "reasons",
    "cost_fen",
    "verdict_count",
)
_FLAG = ("flag", "provider", "detector", "month", "fate")
_COMPLAINT = (
    "complaint",
    "pool",
    "provider",
    "caregiver",
    "visit",
    "assessor",
    "channel",
    "anonymous",
    "filed_date",
    "accepted_date",
    "answered_date",
    "due_date",
    "outcome",
)
_Row = dict[str, Any]
_VISITS = (ev.VisitStarted, ev.VisitEnded, ev.ServiceDelivered, ev.ServiceRejected)
_FLAGS = (ev.RiskFlagged, ev.RiskCleared, ev.RiskConfirmed)
_COMPLAINTS = (ev.ComplaintFiled, ev.ComplaintAccepted, ev.ComplaintAnswered)


class Counts:
    """The projection."""

    name = "counts"
    tables = _TABLES

    def __init__(self, codec: Codec) -> None:
        self._codec = codec

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        messages = [self._codec.message_clear(event.type, event.payload) for event in events]
        await _note_bodies(conn, messages, prefix)
        visits = await _changed(conn, prefix, "visit", _VISIT, _VISITS, messages, _visit)
        flags = await _changed(conn, prefix, "flag", _FLAG, _FLAGS, messages, _flag)
        complaints = await _changed(
            conn, prefix, "complaint", _COMPLAINT, _COMPLAINTS, messages, _complaint
        )
        sums: dict[tuple[UUID, str, Key], int] = defaultdict(int)
        for before, after in (*visits, *flags, *complaints):
            _add(sums, before, after)
        await conn.executemany(
            f"insert into {prefix}sums as s values ($1, $2, $3, $4, $5)"
            " on conflict (provider, month, name, key) do update"
            " set total = s.total + excluded.total",
            [(*place, *key, n) for (*place, key), n in sorted(sums.items(), key=str) if n],
        )


async def _note_bodies(conn: Connection, messages: Iterable[Message], prefix: str) -> None:
    for message in messages:
        match message:
            case ev.ProviderAdmitted():
                await conn.execute(
                    f"insert into {prefix}provider values ($1, $2, $3, $4) on conflict do nothing",
                    UUID(message.provider),
                    message.pool,
                    message.provider_name,
                    message.social_credit_code,
                )
            case ev.PlanApproved():
                await conn.execute(
                    f"insert into {prefix}plan values ($1, $2) on conflict do nothing",
                    UUID(message.plan),
                    UUID(message.provider),
                )
            case _:
                pass


async def _changed(
    conn: Connection,
    prefix: str,
    table: str,
    columns: Sequence[str],
    kinds: tuple[type, ...],
    messages: Iterable[Any],
    step: Any,
) -> list[tuple[_Row | None, _Row]]:
    """The rows that the messages are about, before and after them; the new ones are kept."""
    told = [message for message in messages if isinstance(message, kinds)]
    if not told:
        return []
    names = {UUID(getattr(message, table)) for message in told}
    found = await conn.fetch(
        f"select {', '.join(columns)} from {prefix}{table} where {table} = any($1)", list(names)
    )
    before: dict[UUID, _Row] = {row[table]: dict(row) for row in found}
    after: dict[UUID, _Row] = {name: dict(row) for name, row in before.items()}
    for message in told:
        name = UUID(getattr(message, table))
        after[name] = step(after.get(name), message)
    if table == "visit":
        await _know_providers(conn, prefix, list(after.values()))
    places = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
    kept = ", ".join(f"{column} = excluded.{column}" for column in columns[1:])
    await conn.executemany(
        f"insert into {prefix}{table} ({', '.join(columns)}) values ({places})"
        f" on conflict ({table}) do update set {kept}",
        [tuple(row[column] for column in columns) for row in after.values()],
    )
    return [(before.get(name), row) for name, row in after.items()]


async def _know_providers(conn: Connection, prefix: str, rows: Sequence[_Row]) -> None:
    """A start names its plan only: the provider is the plan's."""
    plans = [row["plan"] for row in rows if row["provider"] is None]
    if not plans:
        return
    found = await conn.fetch(f"select plan, provider from {prefix}plan where plan = any($1)", plans)
    known: Mapping[UUID, UUID] = {row["plan"]: row["provider"] for row in found}
    for row in rows:
        row["provider"] = row["provider"] or known.get(row["plan"])


def _visit(row: _Row | None, message: Any) -> _Row:
    if isinstance(message, ev.VisitStarted):
        return {
            "visit": UUID(message.visit),
            "pool": message.pool,
            "plan": UUID(message.plan),
            "provider": None,
            "caregiver": message.caregiver,
            "start_time": datetime.fromisoformat(message.start_time),
            "end_time": None,
            "state": GOING_ON,
            "care_date": "",
            "minutes": 0,
            "delivered": False,
            "reasons": [],
            "cost_fen": 0,
            "verdict_count": 0,
        }
    if row is None:
        raise ValueError(f"visit {message.visit} has no start")
    if isinstance(message, ev.VisitEnded):
        end = datetime.fromisoformat(message.end_time)
        minutes = int((end - row["start_time"]).total_seconds()) // 60
        return row | {
            "end_time": end,
            "minutes": minutes,
            "state": DECIDED if row["state"] == DECIDED else TO_CONFIRM,
        }
    delivered = isinstance(message, ev.ServiceDelivered)
    return row | {
        "provider": UUID(message.provider),
        "state": DECIDED,
        "care_date": message.care_date,
        "minutes": message.minutes if delivered else row["minutes"],
        "delivered": delivered,
        "reasons": [] if delivered else list(message.reasons),
        "cost_fen": message.cost_fen,
        "verdict_count": row["verdict_count"] + 1,
    }


def _flag(row: _Row | None, message: Any) -> _Row:
    if isinstance(message, ev.RiskFlagged):
        return {
            "flag": UUID(message.flag),
            "provider": UUID(message.provider) if message.provider else None,
            "detector": message.detector,
            "month": message.care_date[:7],
            "fate": "open",
        }
    if row is None:
        raise ValueError(f"flag {message.flag} was never raised")
    return row | {"fate": "confirmed" if isinstance(message, ev.RiskConfirmed) else "cleared"}


def _complaint(row: _Row | None, message: Any) -> _Row:
    if isinstance(message, ev.ComplaintFiled):
        return {
            "complaint": UUID(message.complaint),
            "pool": message.pool,
            "provider": UUID(message.provider) if message.provider else None,
            "caregiver": message.caregiver,
            "visit": message.visit,
            "assessor": message.assessor,
            "channel": message.channel,
            "anonymous": message.anonymous,
            "filed_date": message.filed_date,
            "accepted_date": "",
            "answered_date": "",
            "due_date": message.accept_due_date,
            "outcome": 0,
        }
    if row is None:
        raise ValueError(f"complaint {message.complaint} never came in")
    if isinstance(message, ev.ComplaintAccepted):
        return row | {"accepted_date": message.accepted_date, "due_date": message.answer_due_date}
    return row | {
        "answered_date": message.answered_date,
        "due_date": "",
        "outcome": message.outcome,
    }


def _add(sums: dict[tuple[UUID, str, Key], int], before: _Row | None, after: _Row) -> None:
    """What a change of a row adds to the sums; a visit may move to another provider or month."""
    old, new = _counted(before), _counted(after)
    if old[:2] == new[:2]:
        pieces = [(new, moved(old[2], new[2]))]
    else:
        pieces = [(old, moved(old[2], None)), (new, moved(None, new[2]))]
    for (provider, month, _), change in pieces:
        if provider is None:
            continue
        for key, count in change.items():
            sums[provider, month, key] += count


def _counted(row: _Row | None) -> tuple[UUID | None, str, Counted | None]:
    """Whose sums a row counts in, of which month, and as what."""
    if row is None:
        return None, "", None
    if "detector" in row:
        return (
            row["provider"],
            row["month"],
            CountedFlag(detector=row["detector"], fate=row["fate"]),
        )
    if "complaint" in row:
        name = types.ComplaintOutcome.Name(row["outcome"]).removeprefix("COMPLAINT_OUTCOME_")
        outcome = name.lower() if row["outcome"] else ""
        return row["provider"], row["filed_date"][:7], CountedComplaint(outcome=outcome)
    if row["state"] != DECIDED:
        return None, "", None
    visit = CountedVisit(
        day=row["care_date"],
        caregiver=row["caregiver"],
        minutes=row["minutes"],
        delivered=row["delivered"],
        reasons=tuple(row["reasons"]),
        cost_fen=row["cost_fen"],
        verdict_count=row["verdict_count"],
    )
    return row["provider"], row["care_date"][:7], visit
