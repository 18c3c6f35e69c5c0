"""Money that goes back to who paid it (退费). Pure: no clock, no I/O."""

from dataclasses import dataclass

from kernel.money import ZERO
from kernel.refusal import Refused
from services.enrollment.domain.account import Account, ContributionRefunded, RefundCause


@dataclass(frozen=True, kw_only=True)
class RefundContribution:
    """Give back what is told, and what the coverage says about it."""

    told: ContributionRefunded
    insured_on_refund: bool  # whether the coverage goes on, on the day of the refund


def decide(command: RefundContribution, account: Account) -> list[ContributionRefunded]:
    """Gives money back once; never more than the source paid and did not get back yet.

    Refuses REFUND_EXCEEDS_PAID; for what was paid too much or twice NOTHING_DETERMINED where no
    due says what is too much, and REFUND_EXCEEDS_SURPLUS; COVERAGE_NOT_ENDED.
    """
    told = command.told
    if any(known.refund == told.refund for known in account.refunds):
        return []
    line = account.line(told.source)
    left = line.paid - line.refunded
    if told.amount > left:
        raise Refused("REFUND_EXCEEDS_PAID", source=told.source, left=str(left))
    if told.cause is RefundCause.COVERAGE_ENDED:
        if command.insured_on_refund:
            raise Refused("COVERAGE_NOT_ENDED", pool=told.pool)
        return [told]
    if not account.dues:
        raise Refused("NOTHING_DETERMINED", pool=told.pool, year=str(told.year))
    if told.amount > line.balance:
        surplus = max(line.balance, ZERO)
        raise Refused("REFUND_EXCEEDS_SURPLUS", source=told.source, surplus=str(surplus))
    return [told]
