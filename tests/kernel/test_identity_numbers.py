"""Mistyped numbers are found before they name somebody else."""

from datetime import date

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from kernel.identity_numbers import (
    IdentityFault,
    birth_date,
    credit_check_character,
    identity_check_character,
    identity_fault,
    is_social_credit_code,
)

CREDIT_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
divisions = st.sampled_from(["110105", "320402", "510104", "810000", "820000", "830000"])
births = st.dates(date(1900, 1, 1), date(2024, 12, 31)).map(lambda day: day.strftime("%Y%m%d"))
sequences = st.integers(0, 999).map(lambda number: f"{number:03}")
identities = st.builds(lambda *parts: "".join(parts), divisions, births, sequences).map(
    lambda head: head + identity_check_character(head)
)
credit_codes = st.text(CREDIT_CHARACTERS, min_size=17, max_size=17).map(
    lambda head: head + credit_check_character(head)
)


def test_the_examples_of_the_standards_pass() -> None:
    assert identity_fault("11010519491231002X") is None
    assert birth_date("11010519491231002X") == date(1949, 12, 31)
    assert is_social_credit_code("91350100M000100Y43")


@for_all(number=identities)
def test_every_number_with_its_check_passes(number: str) -> None:
    assert identity_fault(number) is None


@for_all(number=identities, place=st.integers(0, 17), shift=st.integers(1, 9))
def test_any_single_wrong_digit_in_an_identity_number_is_found(
    number: str, place: int, shift: int
) -> None:
    digit = 10 if number[place] == "X" else int(number[place])
    wrong = number[:place] + str((digit + shift) % 10) + number[place + 1 :]

    assert wrong == number or identity_fault(wrong) is not None


@for_all(code=credit_codes, place=st.integers(0, 17), shift=st.integers(1, 30))
def test_any_single_wrong_character_in_a_credit_code_is_found(
    code: str, place: int, shift: int
) -> None:
    value = (CREDIT_CHARACTERS.index(code[place]) + shift) % 31
    wrong = code[:place] + CREDIT_CHARACTERS[value] + code[place + 1 :]

    assert is_social_credit_code(code)
    assert not is_social_credit_code(wrong)


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        ("", IdentityFault.LENGTH),
        ("110105491231002", IdentityFault.LENGTH),  # fifteen digits ended in 2013
        ("１１010519491231002X", IdentityFault.LENGTH),  # full-width digits
        ("11010519490230002X", IdentityFault.BIRTH_DATE),  # 30 February
        ("110105194912310021", IdentityFault.CHECK_DIGIT),
    ],
)
def test_each_fault_has_its_name(number: str, fault: IdentityFault) -> None:
    assert identity_fault(number) is fault


def test_nobody_is_born_tomorrow() -> None:
    head = "11010520240102" + "002"
    number = head + identity_check_character(head)

    assert identity_fault(number, today=date(2024, 1, 1)) is IdentityFault.BIRTH_DATE
    assert identity_fault(number, today=date(2024, 1, 2)) is None


def test_letters_that_look_like_digits_are_no_credit_code() -> None:
    assert not is_social_credit_code("9135O100M000100Y43")
