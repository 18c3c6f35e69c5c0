"""When the evidence of visits is forgotten (佐证销毁). Pure: no clock, no I/O.

Evidence is kept as long as somebody may object to the visit, and as long as an open flag holds
it; then the visit's own key is destroyed, and this is put on record, day by day.
Source: design reading; data are kept no longer than they are needed (个人信息保护法 Art. 19).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from kernel.refusal import Refused
from services.provider.domain.evidence import digest_over

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class ForgetEvidence:
    """The evidence of these visits, by visit and in the order it came, is gone."""

    pool: str
    care_date: date
    visits: Sequence[tuple[UUID, Sequence[bytes]]]  # each with the digests of its evidence


@dataclass(frozen=True, kw_only=True)
class EvidenceForgotten:
    pool: str
    care_date: date
    visits: tuple[UUID, ...]
    digest: bytes


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    """The last batch of a pool's day: a day has too many visits to remember all of them.

    Calls that run side by side find the same visits, the oldest ones, and one of them records.
    """

    visits: frozenset[UUID] = frozenset()


def decide(command: ForgetEvidence, forgotten: Forgotten) -> list[EvidenceForgotten]:
    """Puts on record those that the last batch did not; nothing where it had all of them."""
    fresh = sorted((v for v in command.visits if v[0] not in forgotten.visits), key=_name)
    if not fresh:
        return []
    return [
        EvidenceForgotten(
            pool=command.pool,
            care_date=command.care_date,
            visits=tuple(visit for visit, _ in fresh),
            digest=digest_over(digest for _, digests in fresh for digest in digests),
        )
    ]


def evolve(_forgotten: Forgotten, event: EvidenceForgotten) -> Forgotten:
    return Forgotten(visits=frozenset(event.visits))


def due_on(day: date, objection_days: int) -> date:
    """The first day on which the evidence of a day may be forgotten."""
    return day + timedelta(days=objection_days) + _ONE_DAY


def last_due(today: date, objection_days: int) -> date:
    """The last day whose evidence may be forgotten today."""
    return today - timedelta(days=objection_days) - _ONE_DAY


def check_due(up_to: date, today: date, objection_days: int) -> None:
    """Refuses OBJECTION_PERIOD_RUNS where somebody may still object to a visit of that day."""
    if up_to > last_due(today, objection_days):
        until = due_on(up_to, objection_days) - _ONE_DAY
        raise Refused("OBJECTION_PERIOD_RUNS", up_to_date=f"{up_to}", until=f"{until}")


def _name(told: tuple[UUID, Sequence[bytes]]) -> UUID:
    return told[0]
