"""What changes, rests and is due of persons who are one."""

from dataclasses import replace
from datetime import date
from itertools import permutations

from kernel.ids import derive
from services.enrollment.domain import account as a
from services.enrollment.domain import coverage as c
from services.enrollment.domain import upkeep as u
from services.enrollment.domain.merging import accounts_together, resting_on, together
from tests.enrollment import test_coverage_life as life
from tests.enrollment import test_dues as dues

TWIN = derive("test", "the same again")
MERGED = u.PersonsMerged(
    person=TWIN, survivor=life.PERSON, duplicate=TWIN, merged_date=date(2024, 1, 1), cause="one"
)
TWINS = replace(life.COVERED, person=TWIN)
RESTS = replace(life.suspended("2024-04-01"), suspension=derive("test", "twin"), person=TWIN)


def test_nothing_rests_while_the_coverage_of_one_of_them_does_not() -> None:
    both = (life.COVERED, TWINS, MERGED, life.PAID)
    own = life.suspended("2024-05-01")

    assert "SUSPENDED" not in life.on("2024-05-10", *both, RESTS).reasons
    assert "SUSPENDED" not in life.on("2024-04-10", *both, RESTS, own).reasons
    assert "SUSPENDED" in life.on("2024-05-10", *both, RESTS, own).reasons


def test_what_rests_of_the_one_who_is_insured_rests_for_both() -> None:
    assert "SUSPENDED" in life.on("2024-05-10", TWINS, MERGED, life.PAID, RESTS).reasons


def test_the_order_around_a_merge_does_not_change_what_is_due() -> None:
    told = (
        dues.due("30"),
        dues.due("50", due=derive("test", "other"), person=TWIN),
        dues.paid("30"),
    )
    known = (life.COVERED, TWINS, MERGED)
    found = {life.on("2024-06-01", *known, *order).reasons for order in permutations(told)}

    assert found == {()}  # one person owes the year once: what the survivor owes


def test_who_owes_nothing_under_one_id_owes_what_is_due_under_the_other() -> None:
    nothing = a.Account(dues={("", ""): dues.due(shares=())})
    owing = a.Account(dues={("", ""): dues.due("50")})

    assert accounts_together([nothing, owing]).dues == owing.dues
    assert accounts_together([owing, nothing]).dues == owing.dues


def test_a_spell_that_is_cut_keeps_as_whom_the_person_is_insured_by_then() -> None:
    changed = c.Standing(since=date(2024, 3, 1), group=c.InsuredGroup.RESIDENT)
    employee = c.Spell(
        group=c.InsuredGroup.EMPLOYEE, first=date(2024, 1, 1), changes=(changed,), tier="high"
    )
    other = c.Spell(
        group=c.InsuredGroup.MINOR, first=date(2024, 2, 1), last=date(2024, 4, 30), tier=""
    )
    cut = together([c.Coverage(spells=(other,)), c.Coverage(spells=(employee,))])

    assert [(s.first, s.last, s.group, s.tier, s.changes) for s in cut.spells] == [
        (date(2024, 1, 1), date(2024, 1, 31), c.InsuredGroup.EMPLOYEE, "high", ()),
        (date(2024, 2, 1), date(2024, 4, 30), c.InsuredGroup.MINOR, "", ()),
        (date(2024, 5, 1), None, c.InsuredGroup.RESIDENT, "", ()),
    ]
    assert resting_on(date(2024, 2, 1), [cut]) is None
