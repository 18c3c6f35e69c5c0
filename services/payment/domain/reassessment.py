"""When a periodic reassessment is to be ordered (定期评估). Pure: no clock, no I/O."""

from datetime import date, timedelta

from kernel.rules.figure import FigureUnknown
from kernel.rules.pack import Pack

LEAD = "assessment.periodic_before_days"  # calendar days


def reassessment_day(pack: Pack, valid_until: date) -> date | None:
    """So long before the validity ends as the pool says; None where that is not known."""
    try:
        return valid_until - timedelta(days=pack.integer(LEAD, valid_until))
    except FigureUnknown:
        return None
