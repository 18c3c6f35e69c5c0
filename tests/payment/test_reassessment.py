"""When a periodic reassessment is ordered, one test a rule."""

from datetime import date

from services.payment.domain.reassessment import reassessment_day
from tests.support.packs import CHANGZHOU, pack


def test_it_is_ordered_so_long_before_the_validity_ends_as_the_pack_says() -> None:
    assert pack(CHANGZHOU).integer("assessment.periodic_before_days", date(2026, 1, 9)) == 60
    assert reassessment_day(pack(CHANGZHOU), date(2026, 1, 9)) == date(2025, 11, 10)


def test_where_the_pack_does_not_know_nothing_is_told() -> None:
    assert reassessment_day(pack(CHANGZHOU), date(2021, 12, 31)) is None
