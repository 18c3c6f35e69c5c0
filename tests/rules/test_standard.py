"""What any version of the assessment standard must keep, over all totals that can be reached."""

from itertools import pairwise, product
from pathlib import Path

import pytest

from kernel.rules.library import PackLibrary
from kernel.rules.standard import Standard

LIBRARY = PackLibrary(Path(__file__).parents[2] / "rules")
STANDARDS = [LIBRARY.pack_for(pool).standard() for pool in LIBRARY.pools()]

every_standard = pytest.mark.parametrize("standard", STANDARDS, ids=LIBRARY.pools())


def grade(standard: Standard, adl: int, cognition: int, perception: int) -> int:
    adl_level = standard.dimension("adl").level(adl)
    worse = max(
        standard.dimension("cognition").level(cognition),
        standard.dimension("perception").level(perception),
    )
    return standard.cell(adl_level, worse)


def totals(standard: Standard) -> list[tuple[int, ...]]:
    return [dimension.totals() for dimension in standard.dimensions]


@every_standard
def test_seventeen_items_in_three_dimensions(standard: Standard) -> None:
    assert [item.order for item in standard.items] == list(range(1, 18))
    assert [len(one.items) for one in standard.dimensions] == [10, 4, 3]
    assert [one.max_score for one in standard.dimensions] == [100, 16, 12]
    assert [len(one) for one in totals(standard)] == [21, 17, 13]


@every_standard
def test_every_reachable_total_has_one_grade(standard: Standard) -> None:
    reached = {grade(standard, *three) for three in product(*totals(standard))}

    assert reached == set(standard.grade_names) == {0, 1, 2, 3, 4, 5}


@every_standard
def test_a_better_score_never_makes_a_severer_grade(standard: Standard) -> None:
    adl, cognition, perception = totals(standard)
    for (worse, better), c, p in product(pairwise(adl), cognition, perception):
        assert grade(standard, better, c, p) <= grade(standard, worse, c, p)
    for a, (worse, better), p in product(adl, pairwise(cognition), perception):
        assert grade(standard, a, better, p) <= grade(standard, a, worse, p)
    for a, c, (worse, better) in product(adl, cognition, pairwise(perception)):
        assert grade(standard, a, c, better) <= grade(standard, a, c, worse)


@every_standard
def test_the_severest_grade_needs_severe_loss_in_daily_living(standard: Standard) -> None:
    for a, c, p in product(*totals(standard)):
        if grade(standard, a, c, p) == 5:
            assert standard.dimension("adl").level(a) == 3


@every_standard
def test_a_total_that_no_answers_make_has_no_level(standard: Standard) -> None:
    with pytest.raises(ValueError, match="no level"):
        standard.dimension("adl").level(101)
    with pytest.raises(ValueError, match="no level"):
        standard.dimension("adl").level(62)
    with pytest.raises(KeyError):
        standard.dimension("mood")


@every_standard
def test_bands_and_table_stay_unverified_until_the_annex_is_read(standard: Standard) -> None:
    assert not standard.verified
    assert standard.items_clause.verified
    assert not standard.matrix_clause.verified
    assert not any(one.bands_clause.verified for one in standard.dimensions)
    assert "医保办发〔2021〕37号" in standard.matrix_clause.citation
