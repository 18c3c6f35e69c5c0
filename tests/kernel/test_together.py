"""Many commands at once: they share their looks, and each has its own outcome."""

from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.wrappers_pb2 import Int64Value

from kernel.eventstore.errors import RequestReused
from kernel.eventstore.handle import Handler, Work
from kernel.eventstore.postgres import EventStore
from kernel.ids import new_id
from kernel.refusal import Refused
from tests.kernel.test_handle import SUM, A, B, add, call, handler, other, other_store, store

__all__ = ["handler", "other", "other_store", "store"]  # fixtures


def values(outcomes: list[Any]) -> list[Any]:
    return [o.value if isinstance(o, Int64Value) else type(o) for o in outcomes]


async def test_rows_on_one_stream_all_count(handler: Handler) -> None:
    items = [(call(n), add(1, A), Int64Value) for n in range(5)]

    outcomes = await handler.execute_many(items)

    assert sorted(values(outcomes)) == [1, 2, 3, 4, 5]
    assert (await handler.load(SUM, A))[0].total == 5


async def test_a_request_given_twice_in_a_message_is_obeyed_once(handler: Handler) -> None:
    asked = call()
    item = (asked, add(3, A), Int64Value)
    otherwise = (replace(asked, fingerprint=b"other content"), add(4, B), Int64Value)

    outcomes = await handler.execute_many([item, item, otherwise])

    assert values(outcomes) == [3, 3, RequestReused]
    assert (await handler.load(SUM, A))[0].total == 3
    assert (await handler.load(SUM, B))[1] == 0


async def test_a_request_of_before_gets_its_first_answer(handler: Handler) -> None:
    asked = call()
    await handler.execute(asked, add(3, A), Int64Value)
    await handler.execute(call(), add(4, A), Int64Value)

    again, reused = await handler.execute_many(
        [
            (asked, add(3, A), Int64Value),
            (replace(asked, fingerprint=b"other content"), add(3, A), Int64Value),
        ]
    )

    assert values([again, reused]) == [3, RequestReused]


async def test_what_was_cached_is_not_believed(handler: Handler, other: Handler) -> None:
    await handler.execute(call(), add(1, A), Int64Value)
    await other.execute(call(), add(10, A), Int64Value)

    [outcome] = await handler.execute_many([(call(), add(100, A), Int64Value)])

    assert values([outcome]) == [111]
    assert (await handler.execute(call(), add(0, A), Int64Value)).value == 111


async def test_a_refused_row_leaves_the_others(handler: Handler) -> None:
    streams = [new_id() for _ in range(250)]
    items = [(call(), add(n, s, limit=200), Int64Value) for n, s in enumerate(streams)]

    outcomes = await handler.execute_many(items)

    assert values(outcomes[:201]) == list(range(201))
    assert values(outcomes[201:]) == [Refused] * 49
    assert all(o.__traceback__ is None for o in outcomes if isinstance(o, Exception))


async def test_a_fault_in_one_row_is_its_own(handler: Handler) -> None:
    async def broken(_: Work) -> Int64Value:
        raise ZeroDivisionError

    outcomes = await handler.execute_many(
        [(call(), broken, Int64Value), (call(), add(1, A), Int64Value)]
    )

    assert values(outcomes) == [ZeroDivisionError, 1]


async def test_hundreds_of_rows_take_a_handful_of_looks(
    handler: Handler, store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    read = store._read

    async def counted(query: str, *arguments: object) -> Any:
        asked.append(query)
        return await read(query, *arguments)

    monkeypatch.setattr(store, "_read", counted)
    items = [(call(), add(1, new_id(), new_id()), Int64Value) for _ in range(300)]

    assert values(await handler.execute_many(items)) == [1] * 300
    assert len(asked) == 1 + 3 * 2  # the requests; in each turn of a hundred two streams a row
