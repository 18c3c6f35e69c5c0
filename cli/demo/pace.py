"""Lets the business clock wait for the office on the few days that decide what is possible.

An objection counts only in the days of publicity, a review only within days of the delivery; what
a detector flagged must be a case before the other side is told. At the demo's pace such days are
a second or less, so a slow machine could miss them. On each of these days the clock goes slowly
until what people would wait for has happened.
"""

import csv
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from ltci.assessment.v1 import assessment_types_pb2
from ltci.assessment.v1 import review_service_pb2 as review_pb

from cli.connect import Connection
from cli.imports.kinds.disputes import latest_application
from cli.imports.kinds.inspections import latest_case
from cli.imports.patience import patient

STATES = assessment_types_pb2.ApplicationState
DELIVERED = frozenset({STATES.APPLICATION_STATE_DELIVERED})
PUBLIC = DELIVERED | {STATES.APPLICATION_STATE_PUBLISHED}
AHEAD = timedelta(days=2)  # so long before the day a row needs it, the clock asks
A_MONTH = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Gate:
    """From this day on the clock goes slowly until it holds."""

    day: date
    holds: Callable[[], Awaitable[bool]]


def gates(
    connection: Connection, examples: Path, reached: Callable[[str], date]
) -> tuple[Gate, ...]:
    """The gates of disputes and cases, by their days; `reached` tells how far an import is."""
    found: list[Gate] = []
    for row in _rows(examples / "objections.csv"):
        filed = date.fromisoformat(row["filed_date"])
        found.append(Gate(day=filed - AHEAD, holds=_stands(connection, row, filed, PUBLIC)))
        found.append(Gate(day=filed, holds=_filed(reached, filed)))
    for name, column in (("reviews", "requested_date"), ("appeals", "filed_date")):
        for row in _rows(examples / f"{name}.csv"):
            day = date.fromisoformat(row[column])
            found.append(Gate(day=day - AHEAD, holds=_stands(connection, row, day, DELIVERED)))
    for row in _rows(examples / "reviews.csv"):
        # Before the first month it is about is settled.
        requested = date.fromisoformat(row["requested_date"])
        confirmed = date.fromisoformat(row["confirmed_date"])
        found.append(Gate(day=confirmed + A_MONTH, holds=_reviewed(connection, row, requested)))
    for row in _rows(examples / "inspections.csv"):
        if not row["opened_date"]:
            noticed = date.fromisoformat(row["noticed_date"])
            found.append(Gate(day=noticed - AHEAD, holds=_opened(connection, row, noticed)))
    return tuple(sorted(found, key=lambda gate: gate.day))


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def _filed(reached: Callable[[str], date], day: date) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        return reached("objections") >= day

    return holds


def _stands(
    connection: Connection, row: dict[str, str], until: date, states: frozenset[int]
) -> Callable[[], Awaitable[bool]]:
    """Whether the person's application of that time stands in one of the states."""

    async def holds() -> bool:
        number, pool = row["identity_number"], row["pool"]
        one = await patient(
            lambda: latest_application(connection, number, pool, until), "assessment"
        )
        return one is not None and one.state in states

    return holds


def _opened(
    connection: Connection, row: dict[str, str], until: date
) -> Callable[[], Awaitable[bool]]:
    """Whether what detectors flagged has become a case, which the office then tells."""

    async def holds() -> bool:
        case = await patient(lambda: latest_case(connection, row, str(until)), "provider")
        return case is not None

    return holds


def _reviewed(
    connection: Connection, row: dict[str, str], until: date
) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        number, pool = row["identity_number"], row["pool"]
        one = await patient(
            lambda: latest_application(connection, number, pool, until), "assessment"
        )
        if one is None:
            return False
        asked = review_pb.GetReviewRequest(application=one.application)
        review = await patient(lambda: connection.reviews.GetReview(asked), "assessment")
        return bool(review.state == review_pb.REVIEW_STATE_DELIVERED)

    return holds
