"""Which of a month's visits count as cost (计入费用的服务), and what keeps one out. Pure: no clock.

The latest verdict on a visit counts: a service that puts itself right is followed in the order of
its log. A flag of a detector holds the payment of its visit until people decide: cleared, the
visit counts; confirmed, it does not. Nothing else moves: entitlement, cash benefits and other
visits stay as they are. Where the pool's rules say so, a visit counts only once its claim line
matched, and at the approved amount. What changes nothing is not among a ruling's facts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from kernel.calendar import Month
from kernel.money import ZERO, Money, total
from kernel.rules.figure import Figure
from kernel.rules.pack import Pack
from kernel.rules.ruling import Clause, FactRef, Trace
from services.payment.domain.facts import (
    CaseFacts,
    ClaimLine,
    Delivered,
    FlagDecided,
    Rejected,
)

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


CLAIM_REQUIRED = "provider.claim_required"
V = TypeVar("V", Delivered, Rejected)


class LeftOut(StrEnum):
    """What keeps a delivered visit out of the cost."""

    REJECTED = "rejected"  # a later verdict says that it does not count
    HELD = "held"  # a flag is open
    CONFIRMED = "confirmed"  # people decided that a flag is right
    UNCLAIMED = "unclaimed"  # no claim line for it matched, and the pool asks for one


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A visit that was delivered, and what became of it."""

    delivered: Delivered  # by the latest verdict that says so
    left_out: LeftOut | None = None
    because: tuple[FactRef, ...] = ()  # the facts that keep it out, or give its cost
    detectors: tuple[str, ...] = ()
    claim_rule: Figure | None = None  # where the pool asks for a claim
    listed: Money = ZERO  # what it cost before its claim

    @property
    def counts(self) -> bool:
        return self.left_out is None


def care_in(month: Month, facts: CaseFacts, pack: Pack) -> tuple[Judged, ...]:
    """The visits of the month that were ever delivered, in the order of their days."""
    rejected = _newest(facts.rejections)
    flags = _Flags(facts)
    newest = _newest(facts.deliveries)
    claims = _approved(facts.claim_lines) if asks_for_claims(pack) else {}
    judged = (
        _judged(one, rejected.get(one.visit), flags)
        for one in facts.deliveries
        if one.care_date in month and newest[one.visit] is one
    )
    return tuple(_claimed(one, claims, pack) if one.counts else one for one in judged)


def asks_for_claims(pack: Pack) -> bool:
    """Whether the pool pays visits by their claims on any day."""
    return any(figure.flag() for figure in pack.history(CLAIM_REQUIRED))


def explain_care(care: Sequence[Judged], trace: Trace) -> None:
    """A step for each visit that is left out, and for claims; none where all count as listed."""
    for one in care:
        told: dict[str, str | int] = {
            "visit": str(one.delivered.visit),
            "care_date": one.delivered.care_date.isoformat(),
            "cost_fen": one.delivered.cost.fen,
        }
        flagged = {**told, "detectors": ",".join(one.detectors)}
        match one.left_out:
            case None | LeftOut.UNCLAIMED:
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

    rules: list[Figure] = []
    for one in care:
        if one.claim_rule is not None and one.claim_rule not in rules:
            rules.append(one.claim_rule)
    for rule in rules:
        _explain_claims(rule, [one for one in care if one.claim_rule == rule], trace)


def _explain_claims(rule: Figure, care: Sequence[Judged], trace: Trace) -> None:
    missing = [one.delivered.cost for one in care if not one.counts]
    if missing:
        trace.not_met(
            rule,
            "each visit has a claim line that matched",
            {"visits": len(missing), "cost_fen": total(missing).fen},
        )
    claimed = [one for one in care if one.counts]
    if claimed:
        trace.computed(
            rule,
            "approved amounts of the claim lines",
            {"visits": len(claimed), "cost_fen": total(one.listed for one in claimed).fen},
            total(one.delivered.cost for one in claimed).fen,
        )


def _claimed(one: Judged, claims: Mapping[UUID, ClaimLine], pack: Pack) -> Judged:
    """The visit at the amount that its claim line approves, where the pool asks for one."""
    visit = one.delivered
    rules = (f for f in pack.history(CLAIM_REQUIRED) if f.holds_on(visit.care_date))
    rule = next(rules, None)
    if rule is None or not rule.flag():
        return one
    line = claims.get(visit.visit)
    if line is None or line.approved is None:
        return replace(one, left_out=LeftOut.UNCLAIMED, claim_rule=rule)
    # A verdict may have lowered the cost, and the line not been matched again yet.
    cost = min(line.approved, visit.cost)
    return replace(
        one,
        delivered=replace(visit, cost=cost, medical_cost=min(visit.medical_cost, cost)),
        because=(line.ref,),
        claim_rule=rule,
        listed=visit.cost,
    )


def _approved(lines: Iterable[ClaimLine]) -> dict[UUID, ClaimLine]:
    """Of each visit the line that has it, by the newest event of each line."""
    newest: dict[UUID, ClaimLine] = {}
    for one in lines:
        before = newest.get(one.line)
        if before is None or before.ref.position < one.ref.position:
            newest[one.line] = one
    return {one.visit: one for one in newest.values() if one.approved is not None}


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
