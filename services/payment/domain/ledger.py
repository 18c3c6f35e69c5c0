"""The fund's double entry (基金记账): every entry moves as much out of accounts as into others.

Pure: no clock, no I/O.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from kernel.money import ZERO, Money, total
from kernel.refusal import Refused

CASH = "cash"  # 财政专户
PAYABLE = "payable"  # determined and not yet paid
TREASURY = "transfers/treasury"  # 财政专户拨入


class EntryKind(StrEnum):
    """What an entry is."""

    CONTRIBUTION = "CONTRIBUTION"
    REFUND = "REFUND"
    BENEFITS_DUE = "BENEFITS_DUE"
    PAID = "PAID"
    TRANSFER = "TRANSFER"


@dataclass(frozen=True, kw_only=True)
class Posting:
    """One line: debit (借) or credit (贷) of an account."""

    account: str
    debit: Money = ZERO
    credit: Money = ZERO


@dataclass(frozen=True, kw_only=True)
class PostEntry:
    """Write an entry down; `cause` is what it comes from."""

    entry: UUID
    pool: str
    posted_date: date
    kind: EntryKind
    postings: tuple[Posting, ...]
    cause: str


@dataclass(frozen=True, kw_only=True)
class LedgerPosted:
    entry: UUID
    pool: str
    posted_date: date
    kind: str
    postings: tuple[Posting, ...]
    cause: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An entry is written once."""

    posted: LedgerPosted | None = None


def decide(command: PostEntry, entry: Entry) -> list[LedgerPosted]:
    """The entry. Refuses UNBALANCED, NO_AMOUNT, NEGATIVE_AMOUNT and ENTRY_DIFFERS."""
    postings = command.postings
    if any(line.debit < ZERO or line.credit < ZERO for line in postings):
        raise Refused("NEGATIVE_AMOUNT", entry=str(command.entry))
    debit, credit = total(p.debit for p in postings), total(p.credit for p in postings)
    if debit != credit:
        raise Refused("UNBALANCED", debit=str(debit), credit=str(credit))
    if not debit:
        raise Refused("NO_AMOUNT", entry=str(command.entry))
    posted = LedgerPosted(
        entry=command.entry,
        pool=command.pool,
        posted_date=command.posted_date,
        kind=command.kind.value,
        postings=postings,
        cause=command.cause,
    )
    if entry.posted is None:
        return [posted]
    if entry.posted != posted:
        raise Refused("ENTRY_DIFFERS", entry=str(command.entry))
    return []


def evolve(_entry: Entry, event: LedgerPosted) -> Entry:
    """The entry as written."""
    return Entry(posted=event)


def contribution(
    entry: UUID, pool: str, *, paid_date: date, source: str, amount: Money, cause: str
) -> PostEntry:
    """Money came in (缴费): cash against the source that paid."""
    return PostEntry(
        entry=entry,
        pool=pool,
        posted_date=paid_date,
        kind=EntryKind.CONTRIBUTION,
        postings=(
            Posting(account=CASH, debit=amount),
            Posting(account=f"contributions/{source}", credit=amount),
        ),
        cause=cause,
    )


def refund(
    entry: UUID, pool: str, *, refunded_date: date, source: str, amount: Money, cause: str
) -> PostEntry:
    """A contribution went back (退费): the source that had paid against cash."""
    return PostEntry(
        entry=entry,
        pool=pool,
        posted_date=refunded_date,
        kind=EntryKind.REFUND,
        postings=(
            Posting(account=f"contributions/{source}", debit=amount),
            Posting(account=CASH, credit=amount),
        ),
        cause=cause,
    )


def transfer(
    entry: UUID, pool: str, *, transfer_date: date, amount: Money, cause: str
) -> PostEntry:
    """The treasury put money into the fund (财政专户拨入): cash against the treasury."""
    return PostEntry(
        entry=entry,
        pool=pool,
        posted_date=transfer_date,
        kind=EntryKind.TRANSFER,
        postings=(
            Posting(account=CASH, debit=amount),
            Posting(account=TREASURY, credit=amount),
        ),
        cause=cause,
    )


def benefits_due(
    entry: UUID, pool: str, *, day: date, by_component: Mapping[str, Money], cause: str
) -> PostEntry:
    """A month is settled: each component's cost against what is to be paid."""
    debits = [
        Posting(account=f"benefits/{component}", debit=amount)
        for component, amount in sorted(by_component.items())
        if amount
    ]
    return PostEntry(
        entry=entry,
        pool=pool,
        posted_date=day,
        kind=EntryKind.BENEFITS_DUE,
        postings=(*debits, Posting(account=PAYABLE, credit=total(by_component.values()))),
        cause=cause,
    )


def paid(entry: UUID, pool: str, *, day: date, amount: Money, cause: str) -> PostEntry:
    """A payment is proven: what was to be paid against cash."""
    return PostEntry(
        entry=entry,
        pool=pool,
        posted_date=day,
        kind=EntryKind.PAID,
        postings=(Posting(account=PAYABLE, debit=amount), Posting(account=CASH, credit=amount)),
        cause=cause,
    )
