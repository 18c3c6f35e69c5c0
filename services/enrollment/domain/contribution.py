"""A person's contributions for one year in one pool (缴费). Pure: no clock, no I/O."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from kernel.money import Money
from kernel.refusal import Refused


class ContributionSource(StrEnum):
    """Who pays a contribution (筹资渠道)."""

    PERSON = "person"  # 个人
    EMPLOYER = "employer"  # 单位
    MEDICAL_FUND = "medical_fund"  # 医保基金划转
    STATE = "state"  # 财政补助
    LOTTERY = "lottery"  # 福彩公益金
    DONATION = "donation"  # 社会捐赠


@dataclass(frozen=True, kw_only=True)
class ContributionCollected:
    contribution: UUID
    person: UUID
    pool: str
    source: ContributionSource
    amount: Money
    year: int
    paid_date: date


@dataclass(frozen=True, kw_only=True)
class CollectContribution:
    """A contribution as told, and what the rules say about it."""

    told: ContributionCollected
    covered: bool  # whether the person is insured in the pool in the year it is for
    sources: Collection[str]  # who may pay in that year (筹资渠道)


@dataclass(frozen=True, kw_only=True)
class Contributions:
    """Which contributions came in for the year."""

    known: frozenset[UUID] = frozenset()


def decide(command: CollectContribution, year: Contributions) -> list[ContributionCollected]:
    """Takes a contribution in once. Refuses NOT_COVERED, SOURCE_NOT_ALLOWED."""
    told = command.told
    if told.contribution in year.known:
        return []
    if not command.covered:
        raise Refused("NOT_COVERED", pool=told.pool, year=str(told.year))
    if told.source not in command.sources:
        raise Refused("SOURCE_NOT_ALLOWED", pool=told.pool, source=told.source)
    return [told]


def evolve(year: Contributions, event: ContributionCollected) -> Contributions:
    """The year after the contribution."""
    return Contributions(known=year.known | {event.contribution})
