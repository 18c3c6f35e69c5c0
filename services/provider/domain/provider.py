"""A designated care provider (定点护理服务机构): its agreement and its price list (价目).

Pure: no clock, no I/O. Source: 医保办发〔2024〕21号 (agreement, published prices Art. 20).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import assert_never
from uuid import UUID

from kernel.money import Money
from kernel.refusal import NotFound, Refused
from services.provider.domain import standing
from services.provider.domain.standing import (
    NOT_IN_FORCE,
    AgreementEnded,
    AgreementSigned,
    AppraisalOrdered,
    AppraisalRecorded,
    ServiceLine,
    Standing,
)


@dataclass(frozen=True, kw_only=True)
class AdmitProvider:
    provider: UUID
    pool: str
    provider_name: str
    social_credit_code: str
    agreement_start_date: date
    agreement_end_date: date


@dataclass(frozen=True, kw_only=True)
class SetPrice:
    provider: UUID
    item: str
    item_name: str
    price: Money  # of one
    effective_date: date
    minutes: int  # the least it takes
    medical: bool = False  # 医疗护理; life care otherwise


@dataclass(frozen=True, kw_only=True)
class SuspendAgreement:
    provider: UUID
    start_date: date
    cause: str


Command = AdmitProvider | SetPrice | SuspendAgreement


@dataclass(frozen=True, kw_only=True)
class ProviderAdmitted:
    provider: UUID
    pool: str
    provider_name: str
    social_credit_code: str
    agreement_start_date: date
    agreement_end_date: date


@dataclass(frozen=True, kw_only=True)
class AgreementSuspended:
    provider: UUID
    start_date: date
    cause: str


@dataclass(frozen=True, kw_only=True)
class PriceListed:
    provider: UUID
    item: str
    item_name: str
    price: Money
    effective_date: date
    minutes: int
    medical: bool = False  # 医疗护理; life care otherwise


Event = ProviderAdmitted | AgreementSuspended | PriceListed | standing.Event


@dataclass(frozen=True, kw_only=True)
class Provider:
    """What later decisions need to know, and no more."""

    admitted: ProviderAdmitted | None = None
    suspended_from: date | None = None
    prices: tuple[PriceListed, ...] = ()
    standing: Standing = field(default_factory=Standing)
    agreements: tuple[AgreementSigned, ...] = ()
    ended: frozenset[UUID] = frozenset()  # agreements whose end was recorded
    appraisals: frozenset[tuple[UUID, int]] = frozenset()  # ordered, by agreement and year
    results: tuple[AppraisalRecorded, ...] = ()

    def problem_on(self, day: date) -> str:
        """Why the provider may not serve on the day; empty where it may."""
        if self.suspended_from is not None and self.suspended_from <= day:
            return NOT_IN_FORCE
        return self.standing.problem_on(day)

    def lines_on(self, day: date) -> tuple[ServiceLine, ...] | None:
        """The service lines agreed for the day; None where no agreement was signed for it."""
        term = self.standing.term_on(day)
        found = [a for a in self.agreements if term and a.agreement == term.agreement]
        return found[0].lines if found else None

    def serves_on(self, day: date) -> bool:
        """Whether an agreement is in force on the day and does not rest."""
        return not self.problem_on(day)


def price_on(prices: Iterable[PriceListed], item: str, day: date) -> PriceListed | None:
    """The list price of an item on a day of care, None where it is not listed then.

    The latest effective day counts; of two prices for the same day, the one listed later.
    """
    found: PriceListed | None = None
    for price in prices:
        if (
            price.item == item
            and price.effective_date <= day
            and (found is None or found.effective_date <= price.effective_date)
        ):
            found = price
    return found


def decide(command: Command, provider: Provider) -> list[Event]:
    """What the command makes happen: nothing, where it was obeyed before.

    Refuses PROVIDER_DIFFERS, and NOT_FOUND for a provider that was never admitted.
    """
    match command:
        case AdmitProvider():
            return _admit(command, provider)
        case SetPrice():
            _known(command.provider, provider)
            listed = PriceListed(**vars(command))
            return [] if _counts(provider, listed) else [listed]
        case SuspendAgreement():
            _known(command.provider, provider)
            since = provider.suspended_from
            if since is not None and since <= command.start_date:
                return []  # it rests already on that day
            return [AgreementSuspended(**vars(command))]
        case _:
            assert_never(command)


def evolve(provider: Provider, event: Event) -> Provider:
    """The provider after the event. It never refuses: what happened, happened."""
    match event:
        case ProviderAdmitted(agreement_start_date=first, agreement_end_date=last):
            opened = standing.opened(provider.standing, first, last)
            return replace(provider, admitted=event, standing=opened)
        case AgreementSuspended(start_date=day):
            since = provider.suspended_from
            return replace(provider, suspended_from=day if since is None else min(since, day))
        case PriceListed():
            return replace(provider, prices=(*provider.prices, event))
        case _:
            return _stands(provider, event)


def _stands(provider: Provider, event: standing.Event) -> Provider:
    provider = replace(provider, standing=standing.evolve(provider.standing, event))
    match event:
        case AgreementSigned():
            return replace(provider, agreements=(*provider.agreements, event))
        case AgreementEnded():
            return replace(provider, ended=provider.ended | {event.agreement})
        case AppraisalOrdered():
            year = (event.agreement, event.agreement_year)
            return replace(provider, appraisals=provider.appraisals | {year})
        case AppraisalRecorded():
            return replace(provider, results=(*provider.results, event))
        case _:
            return provider


def _admit(command: AdmitProvider, provider: Provider) -> list[Event]:
    admitted = ProviderAdmitted(**vars(command))
    if provider.admitted is None:
        return [admitted]
    if provider.admitted != admitted:
        raise Refused("PROVIDER_DIFFERS", provider=str(command.provider))
    return []


def _known(name: UUID, provider: Provider) -> None:
    if provider.admitted is None:
        raise NotFound("provider", name)


def _counts(provider: Provider, listed: PriceListed) -> bool:
    """Whether this very price is the one that counts from its day on."""
    same_day = [
        price
        for price in provider.prices
        if (price.item, price.effective_date) == (listed.item, listed.effective_date)
    ]
    return bool(same_day) and same_day[-1] == listed
