"""The two times of a question (两个时间): the day it is about, and the moment of knowledge.

Reads that offer them have a field `as_of_date`, `known_at_time`, or both. Empty means no bound,
which is the answer as of now, as known now.
"""

import datetime as dt

from google.protobuf.message import Message

from kernel.clock import SHANGHAI, Clock
from kernel.rpc.validate import Check

KNOWN_AT, AS_OF = "known_at_time", "as_of_date"


def known_at(check: Check, asked: Message, clock: Clock) -> dt.datetime | None:
    """The moment up to which knowledge counts; None where no moment is given.

    What is not known yet cannot be asked for: a moment in the future is a violation.
    """
    if not asked.HasField(KNOWN_AT):
        return None
    try:
        moment: dt.datetime = getattr(asked, KNOWN_AT).ToDatetime(tzinfo=SHANGHAI)
    except (ValueError, OverflowError):
        check.fail(
            KNOWN_AT,
            "NOT_AN_INSTANT",
            "must be an instant of the years 1 to 9999",
            "应为公元1年至9999年间的时刻",
        )
        return None
    if moment > clock.now():
        check.fail(KNOWN_AT, "TIME_IN_FUTURE", "must not be after now", "不得晚于当前时刻")
    return moment


def as_of(check: Check, asked: Message) -> dt.date | None:
    """The day the question is about; None where no day is given. It may be a day to come."""
    return check.optional_date(AS_OF, getattr(asked, AS_OF))
