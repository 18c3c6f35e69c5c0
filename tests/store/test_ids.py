"""Names: the same thing gets the same one, different things different ones."""

from hypothesis import given
from hypothesis import strategies as st

from kernel.ids import derive, new_id, stream_id


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
