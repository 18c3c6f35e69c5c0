"""Determines benefits, a chunk of people at a time, by the same decider as for one."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from ltci.payment.v1 import payment_service_pb2 as pb

from kernel.calendar import Month
from kernel.eventstore.envelope import Repeated
from kernel.eventstore.handle import code_version
from kernel.money import ZERO, Money, total
from kernel.pack_keeper import PackKeeper
from kernel.refusal import Refused
from kernel.rules.pack import Pack
from services.payment.application.appends import BulkWriter, First
from services.payment.application.reads import Benefits, Facts, Known
from services.payment.application.streams import BENEFIT, benefit_stream
from services.payment.domain import benefit as b
from services.payment.domain.counting import asks_for_claims
from services.payment.domain.facts import CaseFacts

_log = logging.getLogger(__name__)
_PEOPLE_AT_A_STRETCH = 5  # others' calls get their turn between


@dataclass(frozen=True, kw_only=True)
class Run:
    """A settlement run: what is settled, and which facts count."""

    pool: str
    month: Month
    known: Known
    closed: bool


class Determination:
    """Months of people that were not determined yet."""

    def __init__(
        self, writer: BulkWriter, packs: PackKeeper, facts: Facts, benefits: Benefits
    ) -> None:
        self._writer = writer
        self._packs = packs
        self._facts = facts
        self._benefits = benefits

    async def chunk(
        self, run: Run, *, actor: str, after: UUID | None, size: int
    ) -> pb.DetermineBenefitsResponse:
        """Determines what is missing for the next people; repeated, it finds nothing missing."""
        people = await self._facts.people(run.pool, run.month, run.known, after=after, limit=size)
        done = await self._benefits.determined(run.pool, people)
        shares = [one.fund_share for one in done if one.settled_month == run.month]
        refused = 0
        if not run.closed:
            determined, refused = await self._determine(run, actor, people, done)
            shares += determined
        return pb.DetermineBenefitsResponse(
            next_after_person=str(people[-1]) if len(people) == size else "",
            case_count=len(people),
            benefit_count=len(shares),
            fund_share_fen=total(shares).fen,
            refused_count=refused,
        )

    async def _determine(
        self, run: Run, actor: str, people: Sequence[UUID], done: Sequence[b.DeterminedMonth]
    ) -> tuple[list[Money], int]:
        """What the fund pays for each benefit that was missing, and how many were refused."""
        if not people:
            return [], 0
        pack = await self._packs.pack_for(run.pool)
        facts = await self._facts.undetermined_facts(
            run.pool, people, run.known, claims=asks_for_claims(pack)
        )
        determined, refused = await _decided(run, pack, facts, done)
        outcomes = await self._writer.write(actor, [_first(event) for event in determined])
        shares: list[Money] = []
        for event, outcome in zip(determined, outcomes, strict=True):
            if isinstance(outcome, Repeated):
                # An earlier attempt was here, and the read model had not heard of it yet.
                answer = pb.Benefit.FromString(outcome.answer)
                if answer.settled_month == str(run.month):
                    shares.append(Money(answer.fund_share_fen))
            else:
                shares.append(event.fund_share)
        return shares, refused


async def _decided(
    run: Run, pack: Pack, facts: Mapping[UUID, CaseFacts], done: Sequence[b.DeterminedMonth]
) -> tuple[list[b.BenefitDetermined], int]:
    """The benefits, and how many months the pack does not say what to pay for.

    One such month does not stop the others. Nothing is recorded for it, because nothing was
    decided: it stays due, and a run after the figure is known determines it.
    """
    events: list[b.BenefitDetermined] = []
    months = {(one.person, one.month) for one in done}
    paid: defaultdict[tuple[UUID, int], Money] = defaultdict(lambda: ZERO)  # by calendar year
    for one in done:
        paid[one.person, one.month.year] += one.fund_share
    refused = 0
    for place, (person, case) in enumerate(facts.items()):
        for month in b.months_due(case, run.pool, pack, upto=run.month):
            command = b.DetermineBenefit(
                person=person,
                pool=run.pool,
                month=month,
                settled_month=run.month,
                facts=case,
                pack=pack,
                code_version=code_version(),
                paid_this_year=paid[person, month.year],
            )
            try:
                found = b.decide(command, b.Benefit(determined=(person, month) in months))
            except Refused as refusal:
                refused += 1
                _report(run, person, month, refusal)
                continue
            events += found
            paid[person, month.year] += total(event.fund_share for event in found)
        if place % _PEOPLE_AT_A_STRETCH == 0:
            await asyncio.sleep(0)
    return events, refused


def _report(run: Run, person: UUID, month: Month, refusal: Refused) -> None:
    told = {"pool": run.pool, "case": str(person), "month": str(month)}
    facts = {**told, "reason": refusal.reason, **refusal.facts}
    _log.warning("benefit not determined", extra={"facts": facts})


def _first(event: b.BenefitDetermined) -> First:
    return First(
        name=("determine", str(event.benefit)),
        means="",  # once determined, a month stays as it is, whichever run comes by
        kind=BENEFIT,
        stream=benefit_stream(event.pool, event.person, event.month),
        pool=event.pool,
        event=event,
        answer=pb.Benefit(
            benefit=str(event.benefit),
            settled_month=str(event.settled_month),
            fund_share_fen=event.fund_share.fen,
        ),
    )
