"""The business clock (业务时钟): the one place of the product that reads time.

A deployment for training or tests may run its business days faster than the real ones: a small
file holds the mapping, and every process follows the file. Without a file business time is real
time. Days are civil days in Asia/Shanghai, which is UTC+08:00 all year.
"""

import json
import os
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FileState = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class BusinessClock:
    """At `real_origin` the business clock showed `business_origin`, and runs `speed` times as fast.

    Pure: it maps instants, it reads none. Speed 0 stands still.
    """

    real_origin: datetime
    business_origin: datetime
    speed: float = 1.0

    def __post_init__(self) -> None:
        if self.real_origin.tzinfo is None or self.business_origin.tzinfo is None:
            raise ValueError("the origins of a clock need their zone")
        if not 0 <= self.speed < float("inf"):
            raise ValueError(f"a clock cannot run at speed {self.speed}")

    def business_at(self, real: datetime) -> datetime:
        """What the business clock shows at a real instant, in Asia/Shanghai."""
        passed = (real - self.real_origin) * self.speed
        return (self.business_origin + passed).astimezone(SHANGHAI)

    def real_at(self, business: datetime) -> datetime:
        """The real instant (UTC) at which the business clock shows this one.

        Refuses (ValueError) where the clock stands still: it never gets there.
        """
        if self.speed == 0:
            raise ValueError("a clock that stands still shows no other instant")
        passed = (business - self.business_origin) / self.speed
        return (self.real_origin + passed).astimezone(UTC)


REAL_TIME = BusinessClock(real_origin=_EPOCH, business_origin=_EPOCH.astimezone(SHANGHAI))


class Clock:
    """Business time as the clock file tells it; real time where there is no file.

    The file is looked at on every call (one `stat`), so all processes of a deployment change
    pace together. A file that cannot be read is an error: guessing a day would move money.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._seen: _FileState | None = None
        self._mapping = REAL_TIME

    def mapping(self) -> BusinessClock:
        """The mapping in force now."""
        if self._path is None:
            return REAL_TIME
        try:
            status = self._path.stat()
            state = (status.st_mtime_ns, status.st_size, status.st_ino)
            if state != self._seen:
                self._mapping = read_clock(self._path)
                self._seen = state
        except FileNotFoundError:
            self._seen, self._mapping = None, REAL_TIME
        return self._mapping

    def now(self) -> datetime:
        """The business instant, in Asia/Shanghai."""
        return self.mapping().business_at(self.real_now())

    def today(self) -> date:
        """The business day (营业日) in Asia/Shanghai."""
        return self.now().date()

    def real_now(self) -> datetime:
        """The real instant in UTC: for keys, leases and logs, never for the law."""
        return datetime.now(UTC)  # noqa: TID251 - this is the clock

    def monotonic(self) -> float:
        """Real seconds from an arbitrary start, never going back: for timeouts."""
        return time.monotonic()


def read_clock(path: Path) -> BusinessClock:
    """The mapping a clock file holds. Refuses (ValueError) a file that holds none."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return BusinessClock(
            real_origin=datetime.fromisoformat(told["real_origin"]),
            business_origin=datetime.fromisoformat(told["business_origin"]),
            speed=float(told["speed"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is no clock file: {error}") from error


def write_clock(path: Path, clock: BusinessClock) -> None:
    """Puts the mapping in the file at one stroke: a reader sees the old or the new, never half."""
    told = {
        "real_origin": clock.real_origin.isoformat(),
        "business_origin": clock.business_origin.isoformat(),
        "speed": clock.speed,
    }
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(told, file)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).chmod(0o644)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
