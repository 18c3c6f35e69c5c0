"""The two times of a question on the command line: `--as-of DAY` and `--known-at TIME` (两个时间).

A moment without a zone is one in Asia/Shanghai; a bare day means its end.
"""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Annotated

import typer
from google.protobuf.timestamp_pb2 import Timestamp

from cli.output import BAD_INPUT, Failure, Output
from kernel.clock import SHANGHAI, Clock

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?", re.ASCII
)

AsOfOption = Annotated[
    str,
    typer.Option("--as-of", metavar="DAY", help="Only what counts by this day: 2024-09-15."),
]
KnownAtOption = Annotated[
    str,
    typer.Option(
        "--known-at",
        metavar="TIME",
        help="As known then: 2024-10-01T12:00 in Asia/Shanghai, or 2024-10-01 for the day's end.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class TwoTimes:
    """What a question is about and what was known: None is now."""

    as_of: dt.date | None = None
    known_at: dt.datetime | None = None
    asked_at: dt.datetime  # what "now" meant

    @property
    def as_of_date(self) -> str:
        """As requests carry it."""
        return self.as_of.isoformat() if self.as_of else ""

    @property
    def known_at_time(self) -> Timestamp | None:
        """As requests carry it."""
        if self.known_at is None:
            return None
        told = Timestamp()
        told.FromDatetime(self.known_at)
        return told

    def as_json(self) -> dict[str, str | None]:
        """With the moment of asking where knowledge is that of now."""
        return {
            "as_of_date": self.as_of_date or None,
            "known_at_time": (self.known_at or self.asked_at).isoformat(),
        }

    def words(self, output: Output) -> str:
        """The end of a title: "as of …, as known at …"."""
        return output.text(
            f"as of {self.as_of or 'now'}, as known at {_shown(self.known_at or self.asked_at)}",
            f"截至 {self.as_of or '现在'}，按 {_shown(self.known_at or self.asked_at)} 所知",
        )


def two_times(clock: Clock, as_of: str = "", known_at: str = "") -> TwoTimes:
    """The times as typed. Refuses (`Failure`) what is no day or no moment."""
    return TwoTimes(
        as_of=day(as_of, "--as-of") if as_of else None,
        known_at=_moment(known_at, clock) if known_at else None,
        asked_at=clock.now(),
    )


def day(told: str, where: str) -> dt.date:
    """A civil day as typed. Refuses (`Failure`)."""
    try:
        if _DAY.fullmatch(told):
            return dt.date.fromisoformat(told)
    except ValueError:
        pass  # a day like 2024-02-30: told below
    raise Failure(
        f"{told!r} is no day",
        f"{told!r} 不是日期",
        where=where,
        right="write it as 2024-09-15",
        right_zh="应写作 2024-09-15",
        code=BAD_INPUT,
    )


def _moment(told: str, clock: Clock) -> dt.datetime | None:
    """The moment; None for today as a bare day, whose end has not come: all that is known."""
    try:
        if _DAY.fullmatch(told):
            known = dt.date.fromisoformat(told)
            if known == clock.today():
                return None
            return dt.datetime.combine(known, dt.time.max, SHANGHAI)
        if _MOMENT.fullmatch(told):
            moment = dt.datetime.fromisoformat(told)
            return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)
    except ValueError:
        pass  # a moment like 2024-02-30T12:00: told below
    raise Failure(
        f"{told!r} is no moment",
        f"{told!r} 不是时刻",
        where="--known-at",
        right="write it as 2024-10-01T12:00, or 2024-10-01 for the end of that day",
        right_zh="应写作 2024-10-01T12:00，或以 2024-10-01 表示当日结束时",
        code=BAD_INPUT,
    )


def _shown(moment: dt.datetime) -> str:
    """To the minute, unless the seconds matter: the end of a day is 23:59:59."""
    local = moment.astimezone(SHANGHAI)
    return f"{local:%Y-%m-%d %H:%M:%S}" if local.second else f"{local:%Y-%m-%d %H:%M}"
