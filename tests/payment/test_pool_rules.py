"""Months under rules that change within them, depend on the group, or are not known."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ltci.enrollment.v1 import enrollment_types_pb2 as enrollment_types
from ltci.enrollment.v1 import events_pb2 as enrollment_pb

from kernel.calendar import Month
from kernel.config import ROOT
from kernel.money import ZERO, Money, yuan
from kernel.refusal import Refused
from kernel.rules.pack import Pack
from services.payment.domain import benefit as b
from services.payment.domain.facts import (
    CareForm,
    CaseFacts,
    CoverageChanged,
    CoverageStarted,
    PersonFact,
)
from services.payment.domain.insured import group_on, insured_as
from tests.payment.cases import (
    CHANGZHOU,
    HOME,
    PERSON,
    VERSION,
    conclusion,
    day,
    pack,
    plan,
    ref,
    visit,
)
from tests.payment.world import World, person_number, world

CARER, PROVIDER = f"persons/{PERSON}", f"providers/{HOME}"
KAIFENG = "410200"
SOURCE = """source = "D"
verified = false
citation = { document = "an example", article = "", published = "" }
note = "made up"
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A copy of Changzhou's rules to change."""
    for name in ("320400_changzhou", "national", "standards"):
        shutil.copytree(ROOT / "rules" / name, tmp_path / name)
    return tmp_path / "320400_changzhou"


def raised(rules: Path, figure: str, first: str, value: str) -> Pack:
    """Changzhou's pack with a figure that has another value from a day on."""
    path = rules / "payment.toml"
    head = f"[amounts.{figure}]"
    before, own, after = path.read_text().partition(head)
    body, bracket, rest = after.partition("\n[components" if "carer" in figure else "\n[amounts.")
    entry = f"\n[[amounts.{figure}.values]]\neffective_from = {first}\nvalue = {value}\n{SOURCE}"
    path.write_text(before + own + body + entry + bracket + rest)
    return Pack.load(rules)


def found(rules_of: Pack, month: str, *facts: PersonFact, paid: Money = ZERO) -> b.Found:
    return b.rule_benefit(
        PERSON,
        rules_of.pool,
        Month.parse(month),
        facts=CaseFacts.of(facts),
        pack=rules_of,
        code_version=VERSION,
        paid_this_year=paid,
    )


def insured(group: str, start: str = "2020-01-01", **other: Any) -> CoverageStarted:
    return CoverageStarted(ref=ref("enrollment"), start_date=day(start), group=group, **other)


def test_after_a_change_the_old_group_counts_while_the_transition_lasts() -> None:
    change = CoverageChanged(
        ref=ref("enrollment"), change_date=day("2024-03-01"), group="employee", tier="2"
    )
    facts = CaseFacts.of([insured("resident"), change])

    def group(pool: str, on: str) -> str:
        return group_on(facts, pack(pool), day(on))

    assert group("370300", "2024-02-29") == "resident"
    assert group("370300", "2024-08-31") == "resident"  # six months in Zibo
    assert group("370300", "2024-09-01") == "employee"
    assert group("320400", "2024-03-01") == "employee"  # none elsewhere
    latest = insured_as(facts, day("2024-03-01"))
    assert latest is not None
    assert latest.tier == "2"


# --- a rule that changes in mid-month ---------------------------------------------------------


def test_a_rule_that_changes_in_mid_month_splits_the_month_by_day_of_care(rules: Path) -> None:
    # 600.00 x 15 / 30 = 300.00 for the days before, 660.00 x 15 / 30 = 330.00 for those after.
    changed = raised(rules, "carer_subsidy", "2024-04-16", "{ 3 = 66000 }")

    april = found(changed, "2024-04", conclusion("03-01"), plan(CareForm.FAMILY_CARER))

    assert [part.amount for part in april.components] == [yuan("630")]
    days = [step for step in april.ruling.steps if step.clause == "payment.entitled_days"]
    assert [(step.inputs["first"], step.inputs["last"]) for step in days] == [
        ("2024-04-01", "2024-04-15"),
        ("2024-04-16", "2024-04-30"),
    ]


def test_a_cap_that_rises_in_mid_month_bounds_the_whole_month_from_then_on(rules: Path) -> None:
    # 1500.00 until the 15th: of 1600.00 the fund pays 1500.00. From the 16th the month's cap is
    # 1800.00, of which earlier days used 1500.00: of 500.00 the fund pays 300.00.
    changed = raised(rules, "home_cap", "2024-04-16", "{ 3 = 180000 }")
    early = [visit(f"04-{n:02d}", "160") for n in range(1, 11)]
    late = [visit(f"04-{n}", "100") for n in range(20, 25)]

    april = found(
        changed, "2024-04", conclusion("03-01"), plan(CareForm.HOME_VISITS), *early, *late
    )

    assert (april.fund_share, april.personal_share) == (yuan("1800"), yuan("300"))


def test_a_cap_that_falls_in_mid_month_takes_nothing_back(rules: Path) -> None:
    # 1200.00 before the 16th is paid; then the month's cap is 900.00 and nothing is left of it.
    changed = raised(rules, "home_cap", "2024-04-16", "{ 3 = 90000 }")
    early = [visit(f"04-{n:02d}", "120") for n in range(1, 11)]
    late = [visit(f"04-{n}", "100") for n in range(20, 25)]

    april = found(
        changed, "2024-04", conclusion("03-01"), plan(CareForm.HOME_VISITS), *early, *late
    )

    assert april.fund_share == yuan("1200")


def test_a_settled_day_never_changes_by_a_rule_of_later_days(rules: Path) -> None:
    changed = raised(rules, "carer_subsidy", "2024-04-16", "{ 3 = 66000 }")
    facts = (conclusion("03-01"), plan(CareForm.FAMILY_CARER))

    march = found(pack(CHANGZHOU), "2024-03", *facts)
    again = found(changed, "2024-03", *facts)

    assert again.components == march.components
    assert again.ruling.steps == march.ruling.steps
    assert march.ruling == replace(again.ruling, pack=march.ruling.pack)


def test_a_month_that_was_determined_stays_as_it_is_under_a_new_pack(rules: Path) -> None:
    changed = raised(rules, "carer_subsidy", "2024-04-16", "{ 3 = 66000 }")
    command = b.DetermineBenefit(
        person=PERSON,
        pool=CHANGZHOU,
        month=Month(2024, 4),
        settled_month=Month(2024, 6),
        facts=CaseFacts.of([conclusion("03-01"), plan(CareForm.FAMILY_CARER)]),
        pack=changed,
        code_version=VERSION,
    )

    assert b.decide(command, b.Benefit(determined=True)) == []


def test_days_before_the_rules_begin_do_not_stop_a_month_they_do_not_concern() -> None:
    # Chongqing's amounts that were found begin on 2024-03-01: March is known, February is not.
    chongqing = pack("500000")
    facts = (conclusion("01-01", concluded="2023-12-20"), plan(CareForm.INSTITUTION))

    assert found(chongqing, "2024-03", *facts).fund_share == yuan("60") * 31
    with pytest.raises(Refused, match="FIGURE_UNKNOWN"):
        found(chongqing, "2024-02", *facts)


# --- groups, tiers, years ---------------------------------------------------------------------


def test_a_change_of_group_splits_the_month_where_amounts_depend_on_it() -> None:
    kaifeng = pack(KAIFENG)
    visits = [visit(f"04-{n:02d}", "100") for n in (5, 25)]
    facts: tuple[PersonFact, ...] = (conclusion("03-01"), plan(CareForm.HOME_VISITS), *visits)

    one = found(kaifeng, "2024-04", insured("resident"), *facts)
    both = found(kaifeng, "2024-04", insured("resident"), insured("employee", "04-16"), *facts)

    # 65 % for a resident, 75 % for an employee.
    assert one.fund_share == yuan("130")
    assert both.fund_share == yuan("140")


def test_a_pool_whose_amounts_do_not_depend_on_the_group_does_not_ask_for_it() -> None:
    facts = (conclusion("03-01"), plan(CareForm.FAMILY_CARER))

    without = found(pack(CHANGZHOU), "2024-04", *facts)
    within = found(pack(CHANGZHOU), "2024-04", insured("resident"), *facts)

    assert without.ruling.steps == within.ruling.steps


def test_without_a_group_that_is_needed_nothing_is_guessed() -> None:
    visits = [visit("04-05", "100")]

    with pytest.raises(Refused, match="GROUP_WITHOUT_AMOUNT"):
        found(pack(KAIFENG), "2024-04", conclusion("03-01"), plan(CareForm.HOME_VISITS), *visits)


def test_a_split_is_paid_to_the_family_and_to_the_body() -> None:
    # Kaifeng's residents: 540.00 of self care, 270.00 each.
    april = found(
        pack(KAIFENG),
        "2024-04",
        insured("resident"),
        conclusion("03-01"),
        plan(CareForm.FAMILY_CARER),
    )

    assert {part.payee: part.amount for part in april.components} == {
        CARER: yuan("270"),
        PROVIDER: yuan("270"),
    }


def test_a_year_s_cap_counts_what_the_year_paid_already(rules: Path) -> None:
    path = rules / "payment.toml"
    path.write_text(
        path.read_text()
        + f"""
[amounts.income]
title = "Income (收入)"
unit = "fen a year"
[[amounts.income.values]]
effective_from = 2022-01-01
value = 400000
{SOURCE}
[ratios.half]
title = "Half (一半)"
unit = "share"
[[ratios.half.values]]
effective_from = 2022-01-01
value = "0.5"
{SOURCE}
[year_cap]
title = "Cap a year (年度限额)"
unit = "formula"
[[year_cap.values]]
effective_from = 2022-01-01
value = {{ amount = {{ base = "income", times = ["half"] }} }}
{SOURCE}"""
    )
    capped, facts = Pack.load(rules), (conclusion("03-01"), plan(CareForm.FAMILY_CARER))

    assert found(capped, "2024-04", *facts).fund_share == yuan("600")
    assert found(capped, "2024-04", *facts, paid=yuan("1800")).fund_share == yuan("200")
    assert found(capped, "2024-04", *facts, paid=yuan("2100")).fund_share == ZERO
    asked = found(capped, "2024-04", *facts, paid=yuan("1800")).ruling.asked
    assert asked == {"month": "2024-04", "paid_this_year_fen": 180000}


# --- what is not known ------------------------------------------------------------------------


@pytest.fixture
async def neighbours(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with world(database_url, tmp_path) as running:
        yield running


async def test_a_month_whose_figure_is_not_known_does_not_stop_the_others(
    neighbours: World, caplog: pytest.LogCaptureFixture
) -> None:
    # Kaifeng's self care: the parts of residents were found, those of employees were not.
    for number, group in enumerate(("resident", "employee", "resident")):
        person = person_number(number)
        started = enrollment_pb.CoverageStarted(
            person=str(person),
            pool=KAIFENG,
            group=enrollment_types.InsuredGroup.Value(f"INSURED_GROUP_{group.upper()}"),
            start_date="2020-01-01",
        )
        await neighbours.tell("enrollment", "coverage", (str(person),), KAIFENG, started)
        await neighbours.conclude(person, KAIFENG, "2024-06-01", 4)
        await neighbours.plan(person, KAIFENG, "family_carer")

    await neighbours.freeze(KAIFENG, "2024-06")
    [answer] = await neighbours.determine(KAIFENG, "2024-06")

    assert (answer.case_count, answer.benefit_count, answer.refused_count) == (3, 2, 1)
    assert answer.fund_share_fen == 2 * 54000
    [told] = [record for record in caplog.records if record.message == "benefit not determined"]
    facts = told.facts  # type: ignore[attr-defined]
    assert (facts["reason"], facts["pool"], facts["month"]) == (
        "FIGURE_UNKNOWN",
        KAIFENG,
        "2024-06",
    )
    assert facts["key"].startswith("payment.amounts.self_care_")
    assert facts["case"] == str(person_number(1))
