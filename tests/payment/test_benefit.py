"""What a month comes to, worked out by hand for both pools."""

import pytest

from kernel.calendar import Month
from kernel.ids import derive
from kernel.money import yuan
from kernel.refusal import Refused
from kernel.rules.ruling import Ruling
from services.payment.domain import benefit as b
from services.payment.domain.facts import CareForm, CaseFacts, PersonFact
from tests.payment.cases import (
    CHANGZHOU,
    CHENGDU,
    HOME,
    OTHER,
    PERSON,
    VERSION,
    admission,
    benefit,
    conclusion,
    day,
    death,
    discharge,
    pack,
    plan,
    plan_end,
    visit,
)
from tests.support.spec import Decider

CARER = f"persons/{PERSON}"
PROVIDER = f"providers/{HOME}"
SECOND = derive("plan", "second")


def part(component: str, payee: str, amount: str) -> b.BenefitPart:
    return b.BenefitPart(component=component, payee=payee, amount=yuan(amount))


def test_changzhou_pays_home_visits_whole_below_the_cap() -> None:
    # 4 visits x 80.00 = 320.00, below 1500.00: the fund pays all of it.
    visits = [visit(f"04-0{n}", "80") for n in range(1, 5)]

    found = benefit(CHANGZHOU, "04", conclusion("03-01"), plan(CareForm.HOME_VISITS), *visits)

    assert (part("home_care", PROVIDER, "320"),) == found.components
    assert (yuan("320"), yuan("320"), yuan("0")) == (
        found.eligible_cost,
        found.fund_share,
        found.personal_share,
    )


def test_changzhou_stops_at_the_cap_of_the_grade() -> None:
    # 20 visits x 80.00 = 1600.00. Severe: cap 1500.00, the person pays 100.00.
    # Moderate (grade 2): cap 900.00, the person pays 700.00.
    visits = [visit(f"04-{n:02d}", "80") for n in range(1, 21)]

    severe = benefit(CHANGZHOU, "04", conclusion("03-01", 3), plan(CareForm.HOME_VISITS), *visits)
    moderate = benefit(CHANGZHOU, "04", conclusion("03-01", 2), plan(CareForm.HOME_VISITS), *visits)

    assert (yuan("1500"), yuan("100")) == (severe.fund_share, severe.personal_share)
    assert (yuan("900"), yuan("700")) == (moderate.fund_share, moderate.personal_share)


def test_changzhou_pays_the_carer_a_part_of_the_subsidy_for_a_part_of_the_month() -> None:
    # 600.00 x 20 entitled days / 30 = 400.00: in hospital from 11 to 20 April, both days in.
    found = benefit(
        CHANGZHOU,
        "04",
        conclusion("03-01"),
        plan(CareForm.FAMILY_CARER),
        admission("04-11"),
        discharge("04-20"),
    )

    assert (part("carer_subsidy", CARER, "400"),) == found.components


def test_changzhou_caps_the_month_once_when_the_form_changes() -> None:
    # Home visits 1-10 April: 12 x 100.00 = 1200.00, all paid. Institution from the 11th:
    # 20 x 60.00 = 1200.00, of which the month's cap leaves 1500.00 - 1200.00 = 300.00.
    # The person pays 1200.00 - 300.00 = 900.00.
    visits = [visit(f"04-{1 + n % 10:02d}", "100", number=n) for n in range(12)]
    stays = [visit(f"04-{n}", "60", provider=OTHER, plan_id=SECOND) for n in range(11, 31)]

    found = benefit(
        CHANGZHOU,
        "04",
        conclusion("03-01"),
        plan(CareForm.HOME_VISITS),
        plan_end("04-10"),
        plan(CareForm.INSTITUTION, "04-11", provider=OTHER, plan_id=SECOND),
        *visits,
        *stays,
    )

    assert (
        part("home_care", PROVIDER, "1200"),
        part("institution_care", f"providers/{OTHER}", "300"),
    ) == found.components
    assert yuan("900") == found.personal_share


def test_chengdu_pays_a_carer_until_the_day_of_death() -> None:
    # Grade 3: 1077.00 x 10 entitled days / 30 days of April = 359.00.
    found = benefit(
        CHENGDU, "04", conclusion("03-01", 3), plan(CareForm.FAMILY_CARER), death("04-10")
    )

    assert (part("basic_care", CARER, "359.00"),) == found.components


def test_chengdu_pays_professional_visits_beside_a_carer_up_to_the_limit() -> None:
    # Grade 4 in May: basic care 1437.00 to the family. Visits 5 x 90.00 = 450.00, limit
    # 400.00 to the provider; the person pays 50.00.
    visits = [visit(f"05-{n:02d}", "90") for n in range(1, 6)]

    found = benefit(CHENGDU, "05", conclusion("03-01", 4), plan(CareForm.FAMILY_CARER), *visits)

    assert (
        part("basic_care", CARER, "1437"),
        part("professional_visits", PROVIDER, "400"),
    ) == found.components
    assert yuan("50") == found.personal_share


def test_chengdu_rounds_each_component_half_up_to_the_fen() -> None:
    # Grade 5, agency at home from 22 May: 10 of 31 days.
    # 1796.00 x 10/31 = 579.3548.. -> 579.35; 500.00 x 10/31 = 161.2903.. -> 161.29.
    found = benefit(CHENGDU, "05", conclusion("03-01", 5), plan(CareForm.HOME_AGENCY, "05-22"))

    assert (
        part("basic_care", PROVIDER, "579.35"),
        part("professional_fixed", PROVIDER, "161.29"),
    ) == found.components


def test_a_stay_in_hospital_does_not_cut_a_segment_in_two() -> None:
    # Entitled on 1 May and on 30 and 31 May: 1077.00 x 3/31 = 104.2258.. -> 104.23.
    # Rounded apart it would be 34.74 + 69.48 = 104.22.
    found = benefit(
        CHENGDU,
        "05",
        conclusion("03-01", 3),
        plan(CareForm.FAMILY_CARER),
        admission("05-02"),
        discharge("05-29"),
    )

    assert yuan("104.23") == found.fund_share


def test_care_on_days_without_entitlement_does_not_count() -> None:
    visits = [visit("04-05", "80"), visit("04-15", "80"), visit("04-25", "80")]

    found = benefit(
        CHANGZHOU,
        "04",
        conclusion("03-01"),
        plan(CareForm.HOME_VISITS),
        admission("04-10"),
        discharge("04-20"),
        death("04-24"),
        *visits,
    )

    assert yuan("80") == found.eligible_cost  # only 5 April: hospital on the 15th, dead on the 25th


def test_care_after_a_plan_ended_does_not_count() -> None:
    found = benefit(
        CHANGZHOU,
        "04",
        conclusion("03-01"),
        plan(CareForm.HOME_VISITS),
        plan_end("04-10"),
        visit("04-10", "80"),
        visit("04-11", "80"),
    )

    assert yuan("80") == found.fund_share


def test_nothing_is_paid_before_the_month_after_the_conclusion() -> None:
    found = benefit(
        CHANGZHOU, "02", conclusion("03-01"), plan(CareForm.HOME_VISITS), visit("02-10", "80")
    )

    assert (yuan("0"), yuan("0")) == (found.eligible_cost, found.fund_share)
    assert found.ruling.outcome == "nothing_due"


def test_nothing_is_paid_after_the_validity_ran_out() -> None:
    # Valid until 15 April: 600.00 x 15/30 = 300.00.
    found = benefit(
        CHANGZHOU, "04", conclusion("03-01", valid_until="04-15"), plan(CareForm.FAMILY_CARER)
    )

    assert yuan("300") == found.fund_share


def test_a_form_the_pool_does_not_offer_pays_nothing_and_says_so() -> None:
    found = benefit(
        CHANGZHOU, "04", conclusion("03-01"), plan(CareForm.HOME_AGENCY), visit("04-10", "80")
    )

    assert (yuan("80"), yuan("0"), yuan("80")) == (
        found.eligible_cost,
        found.fund_share,
        found.personal_share,
    )
    assert found.ruling.reasons == ("FORM_NOT_OFFERED",)


def test_a_grade_without_an_amount_is_refused_not_guessed() -> None:
    with pytest.raises(Refused) as caught:
        benefit(CHENGDU, "04", conclusion("03-01", 2), plan(CareForm.FAMILY_CARER))

    assert caught.value.reason == "GRADE_WITHOUT_AMOUNT"


def test_the_ruling_names_facts_figures_and_sums() -> None:
    facts: list[PersonFact] = [
        conclusion("03-01", 3),
        plan(CareForm.FAMILY_CARER),
        death("04-10"),
    ]

    ruling = benefit(CHENGDU, "04", *facts).ruling

    assert sorted(fact.ref for fact in facts) == list(ruling.facts)
    assert pack(CHENGDU).pin == ruling.pack
    assert {
        "eligible_cost": 0,
        "fund_share": 35_900,
        "personal_share": 0,
        f"basic_care:{CARER}": 35_900,
    } == ruling.amounts
    days = next(step for step in ruling.steps if step.clause == "payment.entitled_days")
    assert (days.output, days.inputs["last"], days.inputs["grade"]) == (10, "2024-04-10", 3)
    amount = next(step for step in ruling.steps if step.clause == "payment.amounts.basic_care")
    assert (amount.output, amount.verified) == (107_700, True)
    ended = [step for step in ruling.steps if step.verdict == "not_met"]
    assert [step.clause for step in ended] == ["payment.ends_with_death"]
    assert ruling == Ruling.parse(ruling.to_bytes())


def command(*facts: PersonFact) -> b.DetermineBenefit:
    return b.DetermineBenefit(
        person=PERSON,
        pool=CHANGZHOU,
        month=Month(2024, 4),
        settled_month=Month(2024, 6),
        facts=CaseFacts.of(facts),
        pack=pack(CHANGZHOU),
        code_version=VERSION,
    )


month = Decider(b.decide, b.evolve, b.Benefit())
DUE = command(conclusion("03-01"), plan(CareForm.FAMILY_CARER))


def test_a_month_caught_up_belongs_to_the_run_that_caught_it_up() -> None:
    [event] = month.when(DUE).events()

    assert (Month(2024, 4), Month(2024, 6)) == (event.month, event.settled_month)
    assert yuan("600") == event.fund_share


def test_a_month_is_determined_once() -> None:
    month.after(DUE).when(DUE).then()


def test_a_month_without_care_and_money_records_nothing() -> None:
    month.when(command(conclusion("03-01"))).then()


def test_a_figure_is_taken_by_the_day_of_care() -> None:
    before_the_scheme = day("2021-12-31")

    with pytest.raises(Refused) as caught:
        pack(CHANGZHOU).components("home_visits", before_the_scheme)

    assert caught.value.reason == "FIGURE_UNKNOWN"


def test_months_are_due_from_the_first_day_until_the_end() -> None:
    facts = CaseFacts.of([conclusion("03-01"), death("05-10")])

    due = b.months_due(facts, CHANGZHOU, pack(CHANGZHOU), upto=Month(2024, 7))

    assert [str(month) for month in due] == ["2024-03", "2024-04", "2024-05"]


def test_a_month_wholly_in_hospital_is_not_due() -> None:
    facts = CaseFacts.of([conclusion("03-01"), admission("03-31"), discharge("05-01")])

    due = b.months_due(facts, CHANGZHOU, pack(CHANGZHOU), upto=Month(2024, 5))

    assert [str(month) for month in due] == ["2024-03", "2024-05"]


def test_a_month_before_the_first_day_is_not_due() -> None:
    facts = CaseFacts.of([conclusion("05-01")])

    assert b.months_due(facts, CHANGZHOU, pack(CHANGZHOU), upto=Month(2024, 4)) == ()
