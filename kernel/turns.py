"""Work on thousands in turns, so that it stops nobody else whom the process serves."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

T = TypeVar("T")
ITEMS_A_TURN = 200  # some milliseconds


async def in_turns(items: Sequence[T], a_turn: int = ITEMS_A_TURN) -> AsyncIterator[T]:
    """The items, with a pause after each turn in which others are served."""
    for turn in range(0, len(items), a_turn):
        for item in items[turn : turn + a_turn]:
            yield item
        await asyncio.sleep(0)
