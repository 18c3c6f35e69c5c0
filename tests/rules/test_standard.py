"""What any version of the assessment standard must keep, over all totals that can be reached."""

import shutil
from datetime import date
from itertools import pairwise, product
from pathlib import Path

import pytest

from kernel.rules.pack import Pack
from kernel.rules.reading import read_standard_file
from kernel.rules.standard import Standard, read_standard

RULES = Path(__file__).parents[2] / "rules"
NAMES = sorted(path.stem for path in (RULES / "standards").glob("*.toml"))
STANDARDS = [read_standard(read_standard_file(RULES / "standards", name)) for name in NAMES]

every_standard = pytest.mark.parametrize("standard", STANDARDS, ids=NAMES)


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


def test_both_recollections_of_the_bands_are_kept_as_versions() -> None:
    told = {
        standard.id: [
            [(band.lowest, band.highest) for band in standard.dimension(code).bands]
            for code in ("adl", "cognition", "perception")
        ]
        for standard in STANDARDS
    }
    adl = [(100, 100), (65, 95), (45, 60), (0, 40)]
    assert told == {
        "nhsa-2021-37": [
            adl,
            [(16, 16), (4, 15), (2, 3), (0, 1)],
            [(12, 12), (4, 11), (2, 3), (0, 1)],
        ],
        "nhsa-2021-37-b": [
            adl,
            [(16, 16), (10, 15), (4, 9), (0, 3)],
            [(12, 12), (8, 11), (4, 7), (0, 3)],
        ],
    }


def test_the_rival_bands_never_make_a_milder_grade() -> None:
    first, rival = STANDARDS
    for three in product(*totals(first)):
        assert grade(first, *three) <= grade(rival, *three)


def test_a_pool_works_with_the_version_that_it_names(tmp_path: Path) -> None:
    shutil.copytree(RULES, tmp_path / "rules")
    path = tmp_path / "rules/510100_chengdu/assessment.toml"
    path.write_text(
        path.read_text()
        + """
[standard]
title = "Assessment standard in use (评估标准)"
unit = "standard id"
[[standard.values]]
effective_from = 2021-08-03
value = "nhsa-2021-37"
source = "F"
verified = true
citation = { document = "医保办发〔2021〕37号", article = "notice", published = "2021-08-03" }
[[standard.values]]
effective_from = 2024-07-01
value = "nhsa-2021-37-b"
source = "D"
verified = false
citation = { document = "an example", article = "", published = "" }
note = "made up"
"""
    )
    pack = Pack.load(path.parent)

    assert pack.standard(date(2024, 6, 30)).id == "nhsa-2021-37"
    assert pack.standard(date(2024, 7, 1)).id == pack.standard().id == "nhsa-2021-37-b"
    assert Pack.parse(pack.content).standards() == pack.standards()
