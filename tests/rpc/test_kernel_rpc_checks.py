"""A wrong request is told everything that is wrong with it, and nothing it said."""

from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from google.rpc import code_pb2
from hypothesis import given as for_all
from hypothesis import strategies as st
from ltci.events.v1 import feed_pb2

from kernel.calendar import Month
from kernel.ids import derive
from kernel.refusal import Invalid
from kernel.rpc.call import call_of, fingerprint
from kernel.rpc.paging import decode_token, encode_token, page_of
from kernel.rpc.validate import Check

IDENTITY = "11010519491231002X"
SECRET = "张三13800000000"


class Code(StrEnum):
    CANCELLED = "cancelled"
    NOT_FOUND = "not_found"


class WireCode:
    """google.rpc.Code with the prefix our own enums have."""

    class DESCRIPTOR:
        name = "StatusCode"

    @staticmethod
    def Name(number: int) -> str:  # noqa: N802 - protobuf's name
        return "STATUS_CODE_" + code_pb2.Code.Name(number)


def test_sound_fields_come_back_parsed() -> None:
    check = Check()
    person = str(derive("person"))

    assert check.uuid("person", person) == UUID(person)
    assert check.date("care_date", "2024-02-29") == date(2024, 2, 29)
    assert check.month("care_month", "2024-03") == Month(2024, 3)
    assert check.identity_number("number", " 11010519491231002x") == IDENTITY
    assert check.social_credit_code("code", "91350100m000100y43") == "91350100M000100Y43"
    assert check.text("name", " 张三 ") == "张三"
    assert check.pool("pool", "320400", {"320400"}) == "320400"
    assert check.enum("code", 5, WireCode(), Code) is Code.NOT_FOUND
    assert check.optional_date("last_date", "") is None
    check.done()


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (lambda c: c.uuid("f", ""), "REQUIRED"),
        (lambda c: c.uuid("f", SECRET), "NOT_A_UUID"),
        (lambda c: c.uuid("f", str(derive("a")).upper()), "NOT_A_UUID"),
        (lambda c: c.date("f", "2024-02-30"), "NOT_A_DATE"),
        (lambda c: c.date("f", "20240228"), "NOT_A_DATE"),
        (lambda c: c.month("f", "2024-13"), "NOT_A_MONTH"),
        (lambda c: c.month("f", "2024-03-01"), "NOT_A_MONTH"),
        (lambda c: c.not_future("f", date(2024, 1, 2), date(2024, 1, 1)), "DATE_IN_FUTURE"),
        (lambda c: c.in_order("f", date(2024, 1, 2), date(2024, 1, 1)), "ENDS_BEFORE_START"),
        (lambda c: c.non_negative_fen("f", -1), "NEGATIVE_AMOUNT"),
        (lambda c: c.positive_fen("f", 0), "NOT_POSITIVE"),
        (lambda c: c.between("f", 8, 0, 7), "OUT_OF_RANGE"),
        (lambda c: c.pool("f", "999999", {"320400"}), "UNKNOWN_POOL"),
        (lambda c: c.pool("f", "32040", None), "UNKNOWN_POOL"),
        (lambda c: c.identity_number("f", "110105194912310021"), "IDENTITY_CHECK_DIGIT"),
        (lambda c: c.identity_number("f", "1101051949"), "IDENTITY_LENGTH"),
        (lambda c: c.identity_number("f", "11010519491331002X"), "IDENTITY_BIRTH_DATE"),
        (lambda c: c.social_credit_code("f", "91350100M000100Y44"), "SOCIAL_CREDIT_CODE_CHECK"),
        (lambda c: c.text("f", SECRET, max=3), "TOO_LONG"),
        (lambda c: c.text("f", "a\x00b"), "CONTROL_CHARACTER"),
        (lambda c: c.text("f", "  "), "REQUIRED"),
        (lambda c: c.pattern("f", SECRET, "[0-9]+", "digits", "数字"), "WRONG_FORM"),
        (lambda c: c.one_of("f", SECRET, {"a", "b"}), "UNKNOWN_VALUE"),
        (lambda c: c.enum("f", 0, WireCode(), Code), "REQUIRED"),
        (lambda c: c.enum("f", 13, WireCode(), Code), "UNKNOWN_VALUE"),
        (lambda c: c.enum("f", 999, WireCode(), Code), "UNKNOWN_VALUE"),
    ],
)
def test_each_mistake_has_its_reason_and_words_that_repeat_nothing(wrong: Any, reason: str) -> None:
    check = Check()
    wrong(check)

    with pytest.raises(Invalid) as invalid:
        check.done()
    [violation] = invalid.value.violations
    assert (violation.field, violation.reason) == ("f", reason)
    assert violation.message
    assert violation.message_zh
    assert SECRET not in violation.message + violation.message_zh
    assert "110105" not in violation.message + violation.message_zh


def test_all_violations_are_told_at_once_in_order() -> None:
    check = Check()
    first = check.date("first_date", "tomorrow")
    check.in_order("last_date", first, check.date("last_date", "2024-01-01"))
    check.uuid("person", "")

    with pytest.raises(Invalid) as invalid:
        check.done()
    assert [v.field for v in invalid.value.violations] == ["first_date", "person"]


class Context:
    """The metadata of a call."""

    def __init__(self, **metadata: str) -> None:
        self._metadata = tuple((key.replace("_", "-"), value) for key, value in metadata.items())

    def invocation_metadata(self) -> Any:
        return self._metadata


def test_the_fingerprint_is_of_what_is_asked_not_of_the_attempt() -> None:
    first = feed_pb2.RecordedEvent(request_id=str(derive("1")), position=1)
    again = feed_pb2.RecordedEvent(request_id=str(derive("2")), position=1)
    other = feed_pb2.RecordedEvent(request_id=str(derive("1")), position=2)

    assert fingerprint(first) == fingerprint(again)
    assert fingerprint(first) != fingerprint(other)
    assert fingerprint(feed_pb2.GetHeadRequest()) != fingerprint(feed_pb2.Head())
    assert first.request_id  # the request itself is left as it was


def test_a_call_knows_its_request_and_who_asks() -> None:
    request = feed_pb2.RecordedEvent(request_id=str(derive("1")))
    context: Any = Context(ltci_actor="office/reviewer")
    nobody: Any = Context()

    call = call_of(request, context)

    assert (call.request_id, call.actor) == (derive("1"), "office/reviewer")
    assert call.fingerprint == fingerprint(request)
    assert call_of(request, nobody).actor == "system"


def test_a_write_without_a_proper_request_id_or_role_is_invalid() -> None:
    named: Any = Context(ltci_actor="Zhang San")
    nobody: Any = Context()
    with pytest.raises(Invalid) as missing:
        call_of(feed_pb2.RecordedEvent(), nobody)
    with pytest.raises(Invalid) as person:
        call_of(feed_pb2.RecordedEvent(request_id=str(derive("1"))), named)

    assert (missing.value.violations[0].field, missing.value.reason) == ("request_id", "REQUIRED")
    assert person.value.violations[0].field == "ltci-actor"
    assert "Zhang" not in str(person.value)


@for_all(after=st.lists(st.integers() | st.text(), max_size=3), question=st.binary(max_size=32))
def test_a_page_token_gives_back_its_key(after: list[str | int], question: bytes) -> None:
    assert decode_token(encode_token(after, question), question) == tuple(after)


def test_the_next_page_goes_on_after_the_last_row() -> None:
    request = feed_pb2.ListCaseEventsRequest(person="p")
    first = page_of(request)
    request.page_token = first.next_token([41, "张"])
    request.page_size = 7
    second = page_of(request)

    assert (first.size, first.after) == (50, None)
    assert (second.size, second.after) == (7, (41, "张"))


def test_a_page_is_never_longer_than_a_thousand_rows() -> None:
    assert page_of(feed_pb2.ListCaseEventsRequest(page_size=100_000)).size == 1000


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (feed_pb2.ListCaseEventsRequest(page_size=-1), "OUT_OF_RANGE"),
        (feed_pb2.ListCaseEventsRequest(page_token="x"), "WRONG_PAGE_TOKEN"),
        (feed_pb2.ListCaseEventsRequest(page_token="令牌"), "WRONG_PAGE_TOKEN"),
        (
            feed_pb2.ListCaseEventsRequest(
                person="b", page_token=page_of(feed_pb2.ListCaseEventsRequest()).next_token([1])
            ),
            "WRONG_PAGE_TOKEN",
        ),
    ],
)
def test_a_token_of_another_list_is_refused(request_: Any, reason: str) -> None:
    with pytest.raises(Invalid) as invalid:
        page_of(request_)
    assert invalid.value.reason == reason
