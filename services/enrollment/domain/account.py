"""A person's contributions of one year in one pool: due, paid, given back (缴费账户). Pure.

What is due is told by the determinations, of which for one time and employer the newest counts;
what was paid by the contributions; what went back by the refunds. The order in which payments
and refunds become known does not matter.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from kernel.money import ZERO, Money, total
from services.enrollment.domain.contribution import ContributionCollected, ContributionSource
from services.enrollment.domain.spells import InsuredGroup

# What the insured side itself pays; transfers and subsidies come on top and prove nothing.
OWN_SOURCES = frozenset({ContributionSource.PERSON, ContributionSource.EMPLOYER})


class RefundCause(StrEnum):
    """Why money goes back (退费原因)."""

    OVERPAID = "overpaid"  # 多缴
    PAID_TWICE = "paid_twice"  # 重复缴费
    COVERAGE_ENDED = "coverage_ended"  # 参保终止


class AccountState(StrEnum):
    """How a source's account stands (缴费状态)."""

    NOTHING_DUE = "nothing_due"
    UNPAID = "unpaid"  # 未缴
    PARTIAL = "partial"  # 部分缴费
    PAID = "paid"  # 已缴清
    OVERPAID = "overpaid"  # 多缴
    PAID_TWICE = "paid_twice"  # 重复缴费


@dataclass(frozen=True, kw_only=True)
class DueShare:
    """What one source owes."""

    source: ContributionSource
    amount: Money


@dataclass(frozen=True, kw_only=True)
class ContributionDue:
    due: UUID
    person: UUID
    pool: str
    group: InsuredGroup
    year: int
    month: str  # empty for the year
    employer: UUID | None
    from_date: date
    shares: tuple[DueShare, ...]
    due_date: date | None
    ruling: bytes

    @property
    def time(self) -> tuple[str, str]:
        """What it is for: of two for the same, the later counts."""
        return self.month, str(self.employer or "")


@dataclass(frozen=True, kw_only=True)
class ContributionRefunded:
    refund: UUID
    person: UUID
    pool: str
    year: int
    source: ContributionSource
    amount: Money
    cause: RefundCause
    refunded_date: date


Event = ContributionDue | ContributionRefunded | ContributionCollected


@dataclass(frozen=True, kw_only=True)
class AccountLine:
    """What one source owes and has paid."""

    source: ContributionSource
    due: Money
    paid: Money
    refunded: Money
    state: AccountState

    @property
    def balance(self) -> Money:
        """Below zero is owed, above zero is too much."""
        return self.paid - self.refunded - self.due


@dataclass(frozen=True, kw_only=True)
class Account:
    """Everything known of the year."""

    dues: Mapping[tuple[str, str], ContributionDue] = field(default_factory=dict)
    paid: tuple[ContributionCollected, ...] = ()
    refunds: tuple[ContributionRefunded, ...] = ()

    @property
    def newest(self) -> ContributionDue | None:
        """The determination that came last."""
        return list(self.dues.values())[-1] if self.dues else None

    def line(self, source: ContributionSource) -> AccountLine:
        """The account of one source."""
        due = self._due(lambda _: True, {source})
        paid = total(one.amount for one in self.paid if one.source is source)
        refunded = total(one.amount for one in self.refunds if one.source is source)
        return AccountLine(
            source=source,
            due=due,
            paid=paid,
            refunded=refunded,
            state=self._state(source, due, paid - refunded),
        )

    def lines(self) -> tuple[AccountLine, ...]:
        """The accounts of the sources with anything due or paid, in the order of the enum."""
        return tuple(
            line
            for line in map(self.line, ContributionSource)
            if line.due or line.paid or line.refunded
        )

    def overdue(self, day: date) -> Money:
        """What the insured side had to pay before the day: known last days only."""
        return self.own_due(lambda due: due.due_date is not None and due.due_date < day)

    def own_due(self, counts: Callable[[ContributionDue], bool]) -> Money:
        """What the insured side has to pay by the determinations that count."""
        return self._due(counts, OWN_SOURCES)

    def own_net(self) -> Money:
        """What the insured side paid, less what it got back."""
        paid = total(one.amount for one in self.paid if one.source in OWN_SOURCES)
        return paid - total(one.amount for one in self.refunds if one.source in OWN_SOURCES)

    def owed(self, day: date) -> Money:
        """What the insured side still owes of what was to be paid before the day; zero at least."""
        return max(self.overdue(day) - self.own_net(), ZERO)

    def settled_on(self, day: date) -> date | None:
        """When what was to be paid before the day was paid in full; None while something is owed.

        What was given back since counts as never paid.
        """
        wanted = self.overdue(day) + total(
            one.amount for one in self.refunds if one.source in OWN_SOURCES
        )
        came = ZERO
        for one in sorted(self.paid, key=lambda one: (one.paid_date, one.contribution)):
            if one.source in OWN_SOURCES:
                came += one.amount
                if came >= wanted:
                    return one.paid_date
        return None

    def _due(
        self, counts: Callable[[ContributionDue], bool], sources: Iterable[ContributionSource]
    ) -> Money:
        wanted = set(sources)
        return total(
            share.amount
            for due in self.dues.values()
            if counts(due)
            for share in due.shares
            if share.source in wanted
        )

    def _state(self, source: ContributionSource, due: Money, net: Money) -> AccountState:
        if not due and not net:
            return AccountState.NOTHING_DUE
        if net < due:
            return AccountState.PARTIAL if net > ZERO else AccountState.UNPAID
        if net == due:
            return AccountState.PAID
        return AccountState.PAID_TWICE if self._twice(source, net - due) else AccountState.OVERPAID

    def _twice(self, source: ContributionSource, surplus: Money) -> bool:
        """Whether a payment like another one is part of what is too much."""
        amounts = [one.amount for one in self.paid if one.source is source]
        return any(amounts.count(amount) > 1 and amount <= surplus for amount in amounts)


def evolve(account: Account, event: Event) -> Account:
    """The account after the event."""
    match event:
        case ContributionDue():
            # Put at the end: the newest determination is the last one.
            others = {time: due for time, due in account.dues.items() if time != event.time}
            return replace(account, dues={**others, event.time: event})
        case ContributionCollected():
            return replace(account, paid=(*account.paid, event))
        case ContributionRefunded():
            return replace(account, refunds=(*account.refunds, event))
        case _:
            assert_never(event)
