"""Names: the same thing gets the same one, different things different ones."""

import pickle
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.eventstore.quick import quick
from kernel.ids import derive, new_id, parse_id, stream_id, uuid_of


@given(st.lists(st.text()), st.lists(st.text()))
def test_the_same_parts_give_the_same_id_and_others_another(
    one: list[str], other: list[str]
) -> None:
    assert (derive(*one) == derive(*other)) == (one == other)


def test_an_id_that_was_given_out_stays() -> None:
    assert str(derive("person", "320400")) == "b88524ec-11ec-8b36-8b18-a143561d0b7c"
    assert str(stream_id("person", "320400")) == "83906945-a850-8501-b1a1-ca7e50c4f7e2"


def test_derived_ids_say_so_and_new_ones_sort_by_age() -> None:
    assert derive("x").version == 8
    first, second = new_id(), new_id()
    assert first.version == second.version == 7
    assert str(first)[:8] <= str(second)[:8]
    assert first != second


def test_an_id_made_the_short_way_is_the_same_id() -> None:
    for value in (1, 2**128 - 1, derive("x").int):
        made, usual = uuid_of(value), UUID(int=value)
        assert (made, str(made), hash(made), made.bytes) == (
            usual,
            str(usual),
            hash(usual),
            usual.bytes,
        )
        assert pickle.loads(pickle.dumps(made)) == usual  # noqa: S301 - our own bytes
        assert parse_id(str(usual)) == usual
        assert quick(usual) == usual
        assert str(quick(usual)) == str(usual)
    for wrong in ("", "x", "0" * 31, str(UUID(int=1))[:-1]):
        with pytest.raises(ValueError, match="badly formed"):
            parse_id(wrong)
