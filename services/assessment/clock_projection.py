"""The read model of legal clocks: which run, which are overdue, who was in time (时限台账).

The tables hold opaque ids, steps and days: no personal data. A row keeps its running as the
events told it, so that what a clock shows today is asked of the domain, as everywhere.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from kernel import telemetry
from kernel.clock import Clock
from kernel.eventstore.codec import Codec
from kernel.projection import Connection, FeedEvent, ProjectionRunner
from kernel.rules.library import PackLibrary
from services.assessment.domain import events as e
from services.assessment.domain.clock_table import EVENTS, ROWS
from services.assessment.domain.clocks import Case, Clocks, Run, evolve, last_day
from services.assessment.domain.events import ClockStep as Step
from services.assessment.domain.pauses import Pause

Place = tuple[str, UUID]  # pool and person
_NOTED = (e.ClockPaused, e.ClockResumed, e.ClockReminded, e.ClockMissed)
MEASURED = timedelta(days=365)  # steps done so long ago leave the gauge


_KEY = "due_date, pool, person, application, step, number"


class ClockTable:
    """The projection: one row a running of a clock, and each case's last day."""

    name = "clocks"
    tables = """
    create table {prefix}clock (
        pool text not null,
        person uuid not null,
        application text not null,
        step text not null,
        number int not null,
        period boolean not null,
        paused boolean not null,
        void boolean not null,
        begin_date date,
        due_date date,
        ended_date date,
        run jsonb not null,
        primary key (pool, person, application, step, number)
    );
    create index on {prefix}clock (due_date, pool, person, application, step, number);
    create index on {prefix}clock (pool, due_date) where ended_date is null;
    create index on {prefix}clock (pool, ended_date) where ended_date is not null;
    create table {prefix}day (
        pool text not null,
        person uuid not null,
        application text not null,
        day date not null,
        primary key (pool, person, application)
    );
    """

    def __init__(self, codec: Codec, packs: PackLibrary) -> None:
        self._codec = codec
        self._packs = packs
        self._types = {codec.type_name(kind) for kind in (*EVENTS, *_NOTED)}

    async def apply(self, conn: Connection, events: Sequence[FeedEvent], prefix: str) -> None:
        """See `Projection.apply`."""
        told: dict[Place, list[Any]] = {}
        for event in events:
            if event.type in self._types:
                fact = self._codec.decode_clear(event.type, event.payload)
                told.setdefault((event.pool, fact.person), []).append(fact)
        if not told:
            return
        before = await _read(conn, prefix, list(told))
        runs, days = [], []
        for place, facts in told.items():
            old = new = before[place]
            for fact in facts:
                new = evolve(new, fact)
            written = set(old.every())
            runs += [(place, run) for run in new.every() if run not in written]
            days += [(place, *day) for day in new.days.items() if day not in old.days.items()]
        await self._write_runs(conn, prefix, runs)
        await conn.executemany(
            f"insert into {prefix}day (pool, person, application, day) values ($1, $2, $3, $4)"
            " on conflict (pool, person, application) do update set day = excluded.day",
            [(*place, _case_text(case), day) for place, case, day in days],
        )

    async def _write_runs(
        self, conn: Connection, prefix: str, runs: Iterable[tuple[Place, Run]]
    ) -> None:
        await conn.executemany(
            f"insert into {prefix}clock (pool, person, application, step, number, period, paused,"
            " void, begin_date, due_date, ended_date, run)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
            " on conflict (pool, person, application, step, number) do update set"
            " paused = excluded.paused, void = excluded.void, begin_date = excluded.begin_date,"
            " due_date = excluded.due_date, ended_date = excluded.ended_date, run = excluded.run",
            [
                (
                    *place,
                    _case_text(run.case),
                    run.step,
                    run.number,
                    run.row.period,
                    run.pause is not None,
                    run.void,
                    run.begins,
                    self._due(place[0], run),
                    run.ended,
                    _written(run),
                )
                for place, run in runs
            ],
        )

    def _due(self, pool: str, run: Run) -> date | None:
        """The last day; of a clock that stands, as if it had stood for its first day alone."""
        first = run.pause.first if run.pause else date.min
        last = last_day(run, self._packs.pack_for(pool), first)
        return last.due if last else None


@dataclass(frozen=True, kw_only=True)
class Punctual:
    """How often one step was done in time; days from begin to end in all."""

    step: Step
    done: int
    in_time: int
    total_days: int
    running: int
    overdue: int


@dataclass(frozen=True, kw_only=True)
class Question:
    """Which clocks a list gives; `pool` and `steps` empty for all."""

    pool: str
    today: date
    steps: tuple[Step, ...] = ()
    overdue: bool = False
    ended: bool = False


Key = tuple[date, str, UUID, str, str, int]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A running of a clock, whose it is, and its place in the order of lists."""

    key: Key
    run: Run

    @property
    def pool(self) -> str:
        return self.key[1]

    @property
    def person(self) -> UUID:
        return self.key[2]


class ClocksReader:
    """Gives pages of clocks, and counts who was in time."""

    def __init__(self, pool: asyncpg.Pool, runner: ProjectionRunner) -> None:
        self._pool = pool
        self._runner = runner

    async def page(self, asked: Question, after: Key | None, limit: int) -> list[Row]:
        """Clocks by last day."""
        rows = await self._pool.fetch(
            f"select {_KEY}, run from {self._runner.tables}clock"
            " where ($1 = '' or pool = $1) and due_date is not null"
            " and (cardinality($2::text[]) = 0 or step = any($2))"
            " and ($3 or (ended_date is null and (not period or due_date >= $5)))"
            " and (not $4 or (ended_date is null and not period and not paused"
            " and due_date < $5))"
            f" and ($6::date is null or ({_KEY})"
            " > ($6, $7::text, $8::uuid, $9::text, $10::text, $11::int))"
            f" order by {_KEY} limit $12",
            asked.pool,
            list(asked.steps),
            asked.ended,
            asked.overdue,
            asked.today,
            *(after or (None,) * 6),
            limit,
        )
        return [Row(key=(*row[:6],), run=_run(row)) for row in rows]

    async def punctuality(self, pool: str, first: date, last: date, today: date) -> list[Punctual]:
        """Step by step, what was done in the period and what is open today."""
        rows = await self._pool.fetch(
            "select step,"
            " count(*) filter (where done) as done,"
            " count(*) filter (where done and ended_date <= due_date) as in_time,"
            " coalesce(sum(ended_date - begin_date) filter (where done), 0) as total_days,"
            " count(*) filter (where ended_date is null) as running,"
            " count(*) filter (where ended_date is null and not paused and due_date < $4)"
            " as overdue"
            " from (select *, ended_date between $2 and $3 and not void as done"
            f" from {self._runner.tables}clock"
            " where ($1 = '' or pool = $1) and not period and due_date is not null"
            " and (ended_date is null or ended_date between $2 and $3)) as clocks"
            " group by step",
            pool,
            first,
            last,
            today,
        )
        found = {row["step"]: Punctual(**{**row, "step": Step(row["step"])}) for row in rows}
        return [found[row.step] for row in ROWS if row.step in found]

    async def tell(self, service: str, clock: Clock) -> None:
        """Puts how many steps were in time and how many late where the collector reads them."""
        rows = await self._pool.fetch(
            "select pool, step, ended_date <= due_date as in_time, count(*) as steps"
            f" from {self._runner.tables}clock"
            " where not period and not void and due_date is not null and ended_date > $1"
            " group by pool, step, in_time",
            clock.today() - MEASURED,
        )
        for row in rows:
            outcome = "in_time" if row["in_time"] else "late"
            place = {"pool": row["pool"], "step": row["step"], "outcome": outcome}
            telemetry.CLOCKS_IN_TIME.set(row["steps"], {"service": service, **place})


# Rows ------------------------------------------------------------------------------------------


async def _read(conn: Connection, prefix: str, places: Sequence[Place]) -> dict[Place, Clocks]:
    """The clocks of these people as the tables hold them."""
    asked = [pool for pool, _ in places], [person for _, person in places]
    among = " where (pool, person) in (select * from unnest($1::text[], $2::uuid[]))"
    found = {place: Clocks() for place in places}
    for row in await conn.fetch(
        f"select pool, person, application, step, number, run from {prefix}clock{among}"
        " order by number",
        *asked,
    ):
        place = row["pool"], row["person"]
        found[place] = found[place].put(_run(row))
    days: dict[Place, dict[Case, date]] = {}
    for row in await conn.fetch(f"select * from {prefix}day{among}", *asked):
        place = row["pool"], row["person"]
        days.setdefault(place, {})[_case(row["application"])] = row["day"]
    return {
        place: Clocks(runs=clocks.runs, days=days.get(place, {})) for place, clocks in found.items()
    }


def _case(text: str) -> Case:
    return UUID(text) if text else None


def _case_text(case: Case) -> str:
    return str(case) if case else ""


def _written(run: Run) -> str:
    told = {
        "begins": _text(run.begins),
        "told_due": _text(run.told_due),
        "term": run.term,
        "pauses": [
            {"reason": one.reason, "first": _text(one.first), "resumed": _text(one.resumed)}
            for one in run.pauses
        ],
        "latest": _text(run.latest),
        "ended": _text(run.ended),
        "void": run.void,
        "reminded": sorted(map(_text, run.reminded)),
        "missed": sorted(map(_text, run.missed)),
    }
    return json.dumps(told)


def _run(row: Any) -> Run:
    told = json.loads(row["run"])
    return Run(
        case=_case(row["application"]),
        step=Step(row["step"]),
        number=row["number"],
        begins=_day(told["begins"]),
        told_due=_day(told["told_due"]),
        term=told["term"],
        pauses=tuple(
            Pause(
                reason=one["reason"],
                first=date.fromisoformat(one["first"]),
                resumed=_day(one["resumed"]),
            )
            for one in told["pauses"]
        ),
        latest=_day(told["latest"]),
        ended=_day(told["ended"]),
        void=told["void"],
        reminded=frozenset(map(date.fromisoformat, told["reminded"])),
        missed=frozenset(map(date.fromisoformat, told["missed"])),
    )


def _text(day: date | None) -> str:
    return day.isoformat() if day else ""


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
