"""A pool's month from its opening to its closing (月度结算). Pure: no clock, no I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from kernel.calendar import Month
from kernel.ids import derive
from kernel.money import ZERO, Money, total
from kernel.refusal import Refused
from services.payment.domain.instruction import Instruct, batch_id, instruction_id
from services.payment.domain.ledger import PostEntry, benefits_due


class SettlementState(StrEnum):
    """Where a settlement stands (结算状态)."""

    NONE = "none"
    OPENED = "opened"
    FROZEN = "frozen"
    CLOSED = "closed"


@dataclass(frozen=True, kw_only=True)
class KnownUpTo:
    """How far a service's feed counts."""

    service: str
    position: int


@dataclass(frozen=True, kw_only=True)
class OpenSettlement:
    pool: str
    month: Month
    today: date


@dataclass(frozen=True, kw_only=True)
class FreezeSettlement:
    """Facts up to these positions count, and no others."""

    known: tuple[KnownUpTo, ...]
    case_count: int


@dataclass(frozen=True, kw_only=True)
class CloseSettlement:
    """What all benefits of the run come to."""

    benefit_count: int
    instruction_count: int
    fund_share: Money


Command = OpenSettlement | FreezeSettlement | CloseSettlement


@dataclass(frozen=True, kw_only=True)
class SettlementOpened:
    pool: str
    month: Month


@dataclass(frozen=True, kw_only=True)
class SettlementFrozen:
    pool: str
    month: Month
    known: tuple[KnownUpTo, ...]
    case_count: int


@dataclass(frozen=True, kw_only=True)
class SettlementClosed:
    pool: str
    month: Month
    batch: UUID | None  # none where there is nothing to pay
    benefit_count: int
    instruction_count: int
    fund_share: Money


Event = SettlementOpened | SettlementFrozen | SettlementClosed


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """What later steps need to know of a run."""

    state: SettlementState = SettlementState.NONE
    pool: str = ""
    month: Month = field(default_factory=lambda: Month(1, 1))
    known: tuple[KnownUpTo, ...] = ()
    case_count: int = 0
    closed: SettlementClosed | None = None

    @property
    def known_upto(self) -> dict[str, int]:
        """The positions that count, by service."""
        return {one.service: one.position for one in self.known}


def decide(command: Command, settlement: Settlement) -> list[Event]:
    """The step; nothing where it was taken before.

    Refuses MONTH_NOT_OVER, NOT_OPENED and NOT_FROZEN: each step needs the one before.
    """
    state = settlement.state
    match command:
        case OpenSettlement(pool=pool, month=month, today=today):
            if today <= month.last:
                raise Refused("MONTH_NOT_OVER", month=str(month))
            if state is not SettlementState.NONE:
                return []
            return [SettlementOpened(pool=pool, month=month)]
        case FreezeSettlement(known=known, case_count=count):
            if state is SettlementState.NONE:
                raise Refused("NOT_OPENED")
            if state is not SettlementState.OPENED:
                return []
            pool, month = settlement.pool, settlement.month
            return [SettlementFrozen(pool=pool, month=month, known=known, case_count=count)]
        case CloseSettlement():
            return _close(command, settlement)
        case _:
            assert_never(command)


def evolve(settlement: Settlement, event: Event) -> Settlement:
    """The settlement after the event."""
    match event:
        case SettlementOpened(pool=pool, month=month):
            return Settlement(state=SettlementState.OPENED, pool=pool, month=month)
        case SettlementFrozen(known=known, case_count=count):
            return replace(settlement, state=SettlementState.FROZEN, known=known, case_count=count)
        case SettlementClosed():
            return replace(settlement, state=SettlementState.CLOSED, closed=event)
        case _:
            assert_never(event)


def _close(command: CloseSettlement, settlement: Settlement) -> list[Event]:
    if settlement.state is SettlementState.CLOSED:
        return []
    if settlement.state is not SettlementState.FROZEN:
        raise Refused("NOT_FROZEN")
    pool, month = settlement.pool, settlement.month
    return [
        SettlementClosed(
            pool=pool,
            month=month,
            batch=batch_id(pool, month) if command.instruction_count else None,
            benefit_count=command.benefit_count,
            instruction_count=command.instruction_count,
            fund_share=command.fund_share,
        )
    ]


# --- What closing brings about ------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class BillSettled:
    """A provider's month (费用结算)."""

    bill: UUID
    provider: UUID
    pool: str
    settled_month: Month
    eligible_cost: Money
    fund_share: Money
    person_count: int


@dataclass(frozen=True, kw_only=True)
class Bill:
    """A bill is settled once."""

    settled: bool = False


def decide_bill(settled: BillSettled, bill: Bill) -> list[BillSettled]:
    """The bill; nothing where it was settled before."""
    return [] if bill.settled else [settled]


def evolve_bill(_bill: Bill, _event: BillSettled) -> Bill:
    return Bill(settled=True)


@dataclass(frozen=True, kw_only=True)
class ProviderSum:
    """What a provider's care comes to in a run."""

    provider: UUID
    eligible_cost: Money
    fund_share: Money
    person_count: int


@dataclass(frozen=True, kw_only=True)
class RunSums:
    """All benefits of a settlement run, added up."""

    pool: str
    month: Month
    benefit_count: int
    by_payee: Mapping[str, Money]
    by_component: Mapping[str, Money]
    providers: Sequence[ProviderSum]

    @property
    def fund_share(self) -> Money:
        return total(self.by_component.values())


@dataclass(frozen=True, kw_only=True)
class Closing:
    """The commands that a closing consists of."""

    bills: tuple[BillSettled, ...]
    instructs: tuple[Instruct, ...]
    entry: PostEntry | None
    close: CloseSettlement


def bill_id(pool: str, provider: UUID, month: Month) -> UUID:
    return derive("bill", pool, str(provider), str(month))


def closing(sums: RunSums, account_versions: Mapping[str, int]) -> Closing:
    """Bills, one instruction a payee with something to get, and the ledger's entry.

    Refuses (ValueError) sums that do not agree: not a fen may get lost between the views.
    """
    due = {payee: amount for payee, amount in sorted(sums.by_payee.items()) if amount > ZERO}
    if total(due.values()) != sums.fund_share:
        raise ValueError(f"payees get {total(due.values())}, components say {sums.fund_share}")
    pool, month = sums.pool, sums.month
    instructs = tuple(
        Instruct(
            instruction=instruction_id(pool, month, payee),
            batch=batch_id(pool, month),
            pool=pool,
            settled_month=month,
            payee=payee,
            amount=amount,
            account_version=account_versions.get(payee, 0),
        )
        for payee, amount in due.items()
    )
    return Closing(
        bills=tuple(_bill(pool, month, provider) for provider in sums.providers),
        instructs=instructs,
        entry=_entry(sums) if sums.fund_share else None,
        close=CloseSettlement(
            benefit_count=sums.benefit_count,
            instruction_count=len(instructs),
            fund_share=sums.fund_share,
        ),
    )


def _bill(pool: str, month: Month, provider: ProviderSum) -> BillSettled:
    return BillSettled(
        bill=bill_id(pool, provider.provider, month),
        provider=provider.provider,
        pool=pool,
        settled_month=month,
        eligible_cost=provider.eligible_cost,
        fund_share=provider.fund_share,
        person_count=provider.person_count,
    )


def _entry(sums: RunSums) -> PostEntry:
    # The day is the month's last, not the day of closing: books do not depend on our speed.
    return benefits_due(
        derive("ledger", "settlement", sums.pool, str(sums.month)),
        sums.pool,
        day=sums.month.last,
        by_component=sums.by_component,
        cause=f"settlements/{sums.pool}/{sums.month}",
    )
