"""The rules of providers, price lists and the register, one test a rule."""

from datetime import date
from uuid import UUID

import pytest

from kernel.ids import derive
from kernel.money import yuan
from kernel.refusal import NotFound
from services.provider.domain import caregiver as c
from services.provider.domain import provider as p
from tests.provider.care import ADMITTED, CAREGIVER, PROVIDER, REGISTERED, price
from tests.support.spec import Decider

provider = Decider(p.decide, p.evolve, p.Provider())
caregiver = Decider(c.decide, c.evolve, c.Caregiver())
ADMIT = p.AdmitProvider(**vars(ADMITTED))
LIST = p.SetPrice(**vars(price()))


def suspend(day: date) -> p.SuspendAgreement:
    return p.SuspendAgreement(provider=PROVIDER, start_date=day, cause="虚假服务")


def register(day: date, employer: UUID = PROVIDER) -> c.RegisterCaregiver:
    return c.RegisterCaregiver(
        caregiver=CAREGIVER, provider=employer, full_name="", certificate="", registered_date=day
    )


def test_a_provider_is_admitted_once() -> None:
    provider.given().when(ADMIT).then(ADMITTED)
    provider.given(ADMITTED).when(ADMIT).then()


def test_an_admission_with_other_content_is_refused() -> None:
    other = p.AdmitProvider(**(vars(ADMITTED) | {"provider_name": "另一机构"}))

    provider.given(ADMITTED).when(other).then_refused("PROVIDER_DIFFERS")


@pytest.mark.parametrize("command", [LIST, suspend(date(2024, 3, 1))])
def test_what_concerns_an_unknown_provider_finds_none(command: p.Command) -> None:
    with pytest.raises(NotFound):
        p.decide(command, p.Provider())


def test_a_price_is_listed_once_and_changed_by_listing_another() -> None:
    cheaper = p.SetPrice(**vars(price(amount="55")))

    provider.given(ADMITTED).when(LIST).then(price())
    provider.given(ADMITTED, price()).when(LIST).then()
    provider.given(ADMITTED, price()).when(cheaper).then(price(amount="55"))
    provider.given(ADMITTED, price(), price(amount="55")).when(LIST).then(price())


def test_the_price_of_a_day_is_the_latest_that_counts_by_then() -> None:
    listed = (price(since=date(2024, 3, 1), amount="70"), price(amount="60"))

    def found(day: date) -> p.PriceListed | None:
        return p.price_on(listed, "bath", day)

    assert found(date(2023, 12, 31)) is None
    assert found(date(2024, 2, 29)) == price(amount="60")
    assert found(date(2024, 3, 1)) == price(since=date(2024, 3, 1), amount="70")
    assert p.price_on(listed, "hair", date(2024, 3, 1)) is None


def test_of_two_prices_for_one_day_the_one_listed_later_counts() -> None:
    found = p.price_on((price(amount="60"), price(amount="50")), "bath", date(2024, 2, 1))

    assert found is not None
    assert yuan("50") == found.price


def test_the_earliest_suspension_counts() -> None:
    march, april = date(2024, 3, 1), date(2024, 4, 1)
    rests = p.AgreementSuspended(provider=PROVIDER, start_date=april, cause="虚假服务")

    provider.given(ADMITTED).when(suspend(april)).then(rests)
    provider.given(ADMITTED, rests).when(suspend(april)).then()
    earlier = provider.given(ADMITTED, rests).after(suspend(march))
    assert march == earlier.state.suspended_from
    assert not earlier.state.serves_on(march)
    earlier.when(suspend(april)).then()


def test_an_agreement_serves_from_its_first_to_its_last_day() -> None:
    state = provider.given(ADMITTED).state
    days = [date(2023, 12, 31), date(2024, 1, 1), date(2024, 12, 31), date(2025, 1, 1)]

    assert [state.serves_on(day) for day in days] == [False, True, True, False]


def test_a_caregiver_is_registered_once_with_an_employer() -> None:
    caregiver.given().when(register(date(2024, 1, 1))).then(REGISTERED)
    caregiver.given(REGISTERED).when(register(date(2024, 1, 1))).then()
    caregiver.given(REGISTERED).when(register(date(2024, 2, 1))).then()


def test_a_caregiver_may_have_two_employers() -> None:
    other = derive("provider", "other")
    after = caregiver.given(REGISTERED).after(register(date(2024, 2, 1), other))

    assert date(2024, 1, 1) == after.state.since(PROVIDER)
    assert date(2024, 2, 1) == after.state.since(other)
    assert after.state.since(derive("provider", "third")) is None
