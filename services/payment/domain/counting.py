"""Which of a month's visits count as cost (计入费用的服务), and what keeps one out. Pure: no clock.

The latest verdict on a visit counts: a service that puts itself right is followed in the order of
its log. A flag of a detector holds the payment of its visit until people decide: cleared, the
visit counts; confirmed, it does not. Nothing else moves: entitlement, cash benefits and other
visits stay as they are. What changes nothing is not among a ruling's facts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from kernel.calendar import Month
from kernel.rules.ruling import Clause, FactRef, Trace
from services.payment.domain.facts import CaseFacts, Delivered, FlagDecided, Rejected

HELD_VISITS = Clause(
    key="payment.held_visits",
    citation="a risk flag holds the payment of the visit and ends nothing: design law",
    verified=False,
)
LATEST_VERDICT = Clause(
    key="payment.latest_verdict",
    citation="a later verdict on a visit replaces the earlier one: design reading",
    verified=False,
)


V = TypeVar("V", Delivered, Rejected)


class LeftOut(StrEnum):
    """What keeps a delivered visit out of the cost."""

    REJECTED = "rejected"  # a later verdict says that it does not count
    HELD = "held"  # a flag is open
    CONFIRMED = "confirmed"  # people decided that a flag is right


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A visit that was delivered, and what became of it."""

    delivered: Delivered  # by the latest verdict that says so
    left_out: LeftOut | None = None
    because: tuple[FactRef, ...] = ()  # the facts that keep it out
    detectors: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        return self.left_out is None


def care_in(month: Month, facts: CaseFacts) -> tuple[Judged, ...]:
    """The visits of the month that were ever delivered, in the order of their days."""
    rejected = _newest(facts.rejections)
    flags = _Flags(facts)
    newest = _newest(facts.deliveries)
    return tuple(
        _judged(one, rejected.get(one.visit), flags)
        for one in facts.deliveries
        if one.care_date in month and newest[one.visit] is one
    )


def explain_left_out(care: Sequence[Judged], trace: Trace) -> None:
    """A step for each visit that is left out; none where all count."""
    for one in care:
        told: dict[str, str | int] = {
            "visit": str(one.delivered.visit),
            "care_date": one.delivered.care_date.isoformat(),
            "cost_fen": one.delivered.cost.fen,
        }
        flagged = {**told, "detectors": ",".join(one.detectors)}
        match one.left_out:
            case None:
                continue
            case LeftOut.REJECTED:
                trace.not_met(LATEST_VERDICT, "the latest verdict says that the visit counts", told)
            case LeftOut.HELD:
                trace.not_met(HELD_VISITS, "no open flag holds the payment of the visit", flagged)
            case LeftOut.CONFIRMED:
                trace.not_met(
                    HELD_VISITS,
                    "no flag on the visit was confirmed",
                    {**flagged, "confirmed": len(one.because) // 2},
                )


def _judged(delivered: Delivered, rejected: Rejected | None, flags: "_Flags") -> Judged:
    if rejected is not None and rejected.ref.position > delivered.ref.position:
        return Judged(delivered=delivered, left_out=LeftOut.REJECTED, because=(rejected.ref,))
    return flags.on(delivered)


class _Flags:
    """The flags on visits, by visit."""

    def __init__(self, facts: CaseFacts) -> None:
        self._by_visit: dict[UUID, list[tuple[str, FactRef, FlagDecided | None]]] = {}
        decided: dict[UUID, FlagDecided] = {}
        for told in facts.flag_decisions:
            before = decided.get(told.flag)
            if before is None or before.ref.position < told.ref.position:
                decided[told.flag] = told
        for flag in facts.flags:
            entry = (flag.detector, flag.ref, decided.get(flag.flag))
            self._by_visit.setdefault(flag.visit, []).append(entry)

    def on(self, delivered: Delivered) -> Judged:
        """The visit as its flags leave it: what was confirmed outweighs what is open."""
        flags = self._by_visit.get(delivered.visit)
        if not flags:
            return Judged(delivered=delivered)
        confirmed = [(name, ref, end) for name, ref, end in flags if end and end.confirmed]
        if confirmed:
            return Judged(
                delivered=delivered,
                left_out=LeftOut.CONFIRMED,
                because=tuple(one for _, ref, end in confirmed for one in (ref, end.ref)),
                detectors=_names(name for name, _, _ in confirmed),
            )
        held = [(name, ref) for name, ref, end in flags if end is None]
        if held:
            return Judged(
                delivered=delivered,
                left_out=LeftOut.HELD,
                because=tuple(ref for _, ref in held),
                detectors=_names(name for name, _ in held),
            )
        return Judged(delivered=delivered)


def _names(detectors: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(detectors)))


def _newest(verdicts: Iterable[V]) -> Mapping[UUID, V]:
    """Of each visit the verdict that its service recorded last."""
    found: dict[UUID, V] = {}
    for one in verdicts:
        before = found.get(one.visit)
        if before is None or before.ref.position < one.ref.position:
            found[one.visit] = one
    return found
