"""Requests of one stream worked on side by side: in order, bounded, and ended cleanly."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from kernel.rpc.pipeline import in_order


class Source:
    """Numbers, and how many of them were taken."""

    def __init__(self, count: int, fails_at: int | None = None) -> None:
        self.count, self.fails_at, self.taken = count, fails_at, 0

    async def __call__(self) -> AsyncIterator[int]:
        for number in range(self.count):
            if number == self.fails_at:
                raise ValueError("unreadable")
            self.taken += 1
            yield number


async def test_answers_come_in_the_order_of_the_requests() -> None:
    async def work(number: int) -> int:
        await asyncio.sleep(0.01 if number % 3 == 0 else 0)
        return number * number

    answers = [answer async for answer in in_order(Source(20)(), work, at_once=4)]
    assert answers == [number * number for number in range(20)]


async def test_no_more_are_read_than_may_be_under_way() -> None:
    source, most, under_way = Source(30), 0, 0

    async def work(number: int) -> int:
        nonlocal most, under_way
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001)
        under_way -= 1
        return number

    given = 0
    async for _ in in_order(source(), work, at_once=3):
        given += 1
        await asyncio.sleep(0.002)  # a slow reader of the answers
        assert source.taken <= given + 3
    assert (given, most) == (30, 3)


@pytest.mark.parametrize("where", ["reading", "work"])
async def test_a_failure_ends_it_after_the_answers_before(where: str) -> None:
    async def work(number: int) -> int:
        if where == "work" and number == 5:
            raise ValueError("cannot be done")
        return number

    source = Source(20, fails_at=5 if where == "reading" else None)
    answers = in_order(source(), work, at_once=3)
    assert [await anext(answers) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match=r"unreadable|cannot be done"):
        await anext(answers)


async def test_whoever_stops_listening_stops_the_work() -> None:
    ended: list[int] = []

    async def work(number: int) -> int:
        try:
            await asyncio.sleep(0 if number == 0 else 60)
        finally:
            ended.append(number)
        return number

    async with aclosing(in_order(Source(20)(), work, at_once=3)) as answers:
        assert await anext(answers) == 0
        await asyncio.sleep(0.01)
    assert sorted(ended) == [0, 1, 2, 3]
    assert len(asyncio.all_tasks()) == 1
