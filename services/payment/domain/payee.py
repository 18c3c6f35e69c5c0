"""Who gets money, and on which account (收款账户登记). Pure: no clock, no I/O."""

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

_SHOWN = 4


@dataclass(frozen=True, kw_only=True)
class RegisterPayee:
    """The payee has another account from the day on."""

    payee: str  # `persons/{person}` or `providers/{provider}`
    owner: UUID
    holder_name: str = field(repr=False)
    account_number: str = field(repr=False)
    registered_date: date


@dataclass(frozen=True, kw_only=True)
class PayeeRegistered:
    payee: str
    owner: UUID
    holder_name: str = field(repr=False)  # empty once the owner's key is gone
    account_number: str = field(repr=False)  # the same
    registered_date: date


@dataclass(frozen=True, kw_only=True)
class Account:
    """A version of a payee's account. Never shown and never logged, but for its last places."""

    version: int
    holder_name: str = field(repr=False)
    account_number: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Payee:
    """All accounts of a payee; the newest counts, older ones were used in instructions."""

    accounts: tuple[Account, ...] = ()

    @property
    def version(self) -> int:
        """Version of the newest account; 0 where there is none."""
        return len(self.accounts)

    def account(self, version: int) -> Account | None:
        """The account an instruction was made for; the newest where it was made for none."""
        if not self.accounts:
            return None
        found = self.accounts[version - 1 if version else -1]
        return found if found.account_number else None  # erased with the owner's key


def decide(command: RegisterPayee, payee: Payee) -> list[PayeeRegistered]:
    """The account; nothing where it is the newest already."""
    newest = payee.account(0)
    told = (command.holder_name, command.account_number)
    if newest is not None and (newest.holder_name, newest.account_number) == told:
        return []
    return [
        PayeeRegistered(
            payee=command.payee,
            owner=command.owner,
            holder_name=command.holder_name,
            account_number=command.account_number,
            registered_date=command.registered_date,
        )
    ]


def evolve(payee: Payee, event: PayeeRegistered) -> Payee:
    """The payee with one account more."""
    account = Account(
        version=payee.version + 1,
        holder_name=event.holder_name,
        account_number=event.account_number,
    )
    return Payee(accounts=(*payee.accounts, account))


def masked(account_number: str) -> str:
    """The account with all but its last four places masked."""
    return "*" * max(len(account_number) - _SHOWN, 0) + account_number[-_SHOWN:]
