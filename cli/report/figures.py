"""What a month's counts come to on its page. Pure: no clock, no I/O, no personal data."""

from collections.abc import Mapping
from dataclasses import dataclass

from kernel.calendar import Month
from kernel.rules.ruling import Ruling, Step

Counts = Mapping[tuple[str, str], int]


@dataclass(frozen=True, kw_only=True)
class MonthFigures:
    """A provider's month."""

    provider_name: str
    social_credit_code: str
    month: Month
    counts: Counts
    ruling: Ruling | None = None

    def total(self, name: str, key: str = "") -> int:
        return self.counts.get((name, key), 0)

    def of(self, name: str) -> list[tuple[str, int]]:
        """All of a name, by key."""
        return sorted((key, n) for (kind, key), n in self.counts.items() if kind == name)

    @property
    def days(self) -> list[tuple[int, int, int]]:
        """Day of the month, visits that count, visits that do not; every day of it."""
        return [
            (
                day.day,
                self.total("day_delivered", day.isoformat()),
                self.total("day_rejected", day.isoformat()),
            )
            for day in self.month.period.each_day()
        ]

    @property
    def hours(self) -> list[int]:
        """Hours of care of each caregiver, the most first; nobody is named."""
        return sorted((n // 60 for _, n in self.of("caregiver_minutes")), reverse=True)

    @property
    def flags(self) -> list[tuple[str, int, int, int]]:
        """By detector: open, cleared, confirmed."""
        detectors = sorted({key.rpartition("/")[0] for key, _ in self.of("flag")})
        fates = ("open", "cleared", "confirmed")
        return [
            (name, *(self.total("flag", f"{name}/{fate}") for fate in fates))  # type: ignore[misc]
            for name in detectors
        ]

    @property
    def points(self) -> int | None:
        return None if self.ruling is None else self.ruling.amounts["points"]

    @property
    def steps(self) -> tuple[Step, ...]:
        return () if self.ruling is None else self.ruling.steps
