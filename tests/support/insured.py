"""Thousands of people insured, files of what was paid for them, and enrollment as a process.

The people do not exist: their numbers are sound and were given to nobody.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from kernel.clock import Clock
from kernel.config import ROOT
from kernel.eventstore.envelope import Append, Meta, StreamAppend
from kernel.eventstore.keys import KeyRing
from kernel.eventstore.postgres import EventStore
from kernel.identity_numbers import identity_check_character
from kernel.ids import new_id
from services.enrollment.application.streams import COVERAGE, coverage_stream
from services.enrollment.codec import enrollment_codec
from services.enrollment.domain.coverage import CoverageStarted, InsuredGroup
from tests.support.people import wrong_check_digit
from tests.support.postgres import free_port

POOL = "320400"
SINCE = date(2020, 1, 1)
MOST_PEOPLE = 1_825_000
_DAYS_OF_BIRTH = 18_250
_AT_ONCE = 2_000
_HEADER = "identity_number,pool,source,amount_yuan,year,paid_date\n"


def identity_number(number: int) -> str:
    """The n-th person's identity number, another one for each below `MOST_PEOPLE`."""
    born = date(1940, 1, 1) + timedelta(days=number % _DAYS_OF_BIRTH)
    digits = f"110105{born:%Y%m%d}{900 + number // _DAYS_OF_BIRTH:03d}"
    return digits + identity_check_character(digits)


# -- the database ------------------------------------------------------------------------------


def settings_of(dsn: str, folder: Path) -> dict[str, str]:
    """The environment of a service on this database; its master key lies in the folder."""
    return {
        "LTCI_DATABASE_URL": dsn,
        "LTCI_KEYS_DATABASE_URL": dsn,
        "LTCI_MASTER_KEY_FILE": str(folder / "master.key"),
    }


@asynccontextmanager
async def _opened(settings: Mapping[str, str]) -> AsyncIterator[tuple[KeyRing, EventStore]]:
    key_file = Path(settings["LTCI_MASTER_KEY_FILE"])
    keys = await KeyRing.open(settings["LTCI_KEYS_DATABASE_URL"], key_file, create=True)
    store = await EventStore.open(settings["LTCI_DATABASE_URL"], "enrollment", clock=Clock())
    try:
        yield keys, store
    finally:
        await store.close()
        await keys.close()


async def insure(settings: Mapping[str, str], people: int) -> list[str]:
    """Insures so many people in `POOL` since 2020; returns their ids."""
    persons: list[str] = []
    async with _opened(settings) as (keys, store):
        codec = enrollment_codec(keys)

        async def covered(number: int) -> Append:
            person = keys.person_id("resident", identity_number(number))
            persons.append(str(person))
            started = CoverageStarted(
                person=person, pool=POOL, group=InsuredGroup.RESIDENT, start_date=SINCE
            )
            stream, request_id = coverage_stream(POOL, person), new_id()
            event = await codec.encode(stream, 1, started)
            part = StreamAppend(stream, COVERAGE.category, POOL, 0, (event,))
            meta = Meta(request_id, "test", "", "test")
            return Append(request_id, b"test", b"", (part,), meta)

        for first in range(0, people, _AT_ONCE):
            some = range(first, min(first + _AT_ONCE, people))
            await store.bulk_append([await covered(number) for number in some])
    return persons


# -- the service -------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Office:
    """A service as a process of its own."""

    address: str
    process: "subprocess.Popen[bytes]"


@contextmanager
def office(
    settings: Mapping[str, str], address: str = "", *, service: str = "enrollment"
) -> Iterator[Office]:
    """The service, ready, on a free port unless told; ended on the way out."""
    address = address or f"127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        [sys.executable, "-m", f"services.{service}"],
        cwd=ROOT,
        env=clean_environment() | dict(settings) | {f"LTCI_{service.upper()}_ADDRESS": address},
        stderr=subprocess.PIPE,
    )
    # A full pipe would stop the service at its next word.
    draining = threading.Thread(target=_drain, args=(process,), daemon=True)
    try:
        _wait_until_ready(process)
        draining.start()
        yield Office(address=address, process=process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        if draining.is_alive():
            draining.join()


def clean_environment() -> dict[str, str]:
    """This process's environment without settings of ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LTCI_")}


def _wait_until_ready(process: "subprocess.Popen[bytes]") -> None:
    if process.stderr is None:
        raise AssertionError("the process was started with a pipe")
    for line in process.stderr:
        if json.loads(line)["message"] == "ready":
            return
    raise AssertionError("the service did not start")


def _drain(process: "subprocess.Popen[bytes]") -> None:
    if process.stderr is not None:
        with process.stderr:
            process.stderr.read()


# -- the file ----------------------------------------------------------------------------------


def good_row(number: int) -> str:
    """What the n-th person paid for 2024."""
    day = f"2024-{1 + number % 12:02d}-{1 + number % 28:02d}"
    return f"{identity_number(number)},{POOL},person,{100 + number % 50}.00,2024,{day}\n"


def _with(column: int, wrong: Callable[[str], str]) -> Callable[[int], str]:
    def row(number: int) -> str:
        cells = good_row(number).rstrip("\n").split(",")
        cells[column] = wrong(cells[column])
        return ",".join(cells) + "\n"

    return row


# What clerks and other systems get wrong: the row, the column and the reason that are told. The
# last four are well written: only the service finds them.
BAD_ROWS: tuple[tuple[Callable[[int], str], str, str], ...] = (
    (_with(0, wrong_check_digit), "identity_number", "IDENTITY_CHECK_DIGIT"),
    (_with(2, lambda _: "grandmother"), "source", "UNKNOWN_VALUE"),
    (_with(3, lambda _: "1.005"), "amount_yuan", "TOO_MANY_DECIMALS"),
    (_with(3, lambda _: "0"), "amount_yuan", "NOT_POSITIVE"),
    (_with(5, lambda _: "2024-02-30"), "paid_date", "NOT_A_DATE"),
    (_with(5, lambda _: "2999-01-01"), "paid_date", "DATE_IN_FUTURE"),
    (lambda number: good_row(number).rpartition(",")[0] + "\n", "paid_date", "ROW_TOO_SHORT"),
    (_with(1, lambda _: "999999"), "pool", "UNKNOWN_POOL"),
    (_with(1, lambda _: "500000"), "", "NOT_COVERED"),  # insured elsewhere
    (_with(4, lambda _: "2010"), "", "FIGURE_UNKNOWN"),  # before the pool had rules
    (_with(0, lambda _: identity_number(MOST_PEOPLE - 1)), "", "NOT_COVERED"),  # nobody we know
)


def contributions_file(
    path: Path, rows: int, *, bad_every: int = 100
) -> dict[int, tuple[str, str]]:
    """Writes a file of so many rows, a person each; returns column and reason by line of the bad.

    `bad_every` 0 makes only good rows.
    """
    bad: dict[int, tuple[str, str]] = {}
    with path.open("w", encoding="utf-8") as file:
        file.write(_HEADER)
        for number in range(rows):
            if bad_every and number % bad_every == bad_every // 2:
                make, column, reason = BAD_ROWS[number // bad_every % len(BAD_ROWS)]
                bad[number + 2] = (column, reason)
                file.write(make(number))
            else:
                file.write(good_row(number))
    return bad
