"""Draws that follow from names: the same seed and name give the same numbers everywhere."""

from collections.abc import Sequence
from hashlib import blake2b
from struct import unpack
from typing import TypeVar

T = TypeVar("T")
_NUMBERS = 8  # of 64 bits, a digest
_WHOLE = 1 << 64


class Chance:
    """A row of numbers under a name. Making one costs a microsecond, so each thing has its own."""

    __slots__ = ("_key", "_left", "_round")

    def __init__(self, seed: int, *name: object) -> None:
        self._key = f"{seed}|{'|'.join(map(str, name))}".encode()
        self._round = 0
        self._left: list[int] = []

    def _next(self) -> int:
        if not self._left:
            digest = blake2b(self._key, salt=self._round.to_bytes(16, "big")).digest()
            self._left = list(unpack(f">{_NUMBERS}Q", digest))
            self._round += 1
        return self._left.pop()

    def share(self) -> float:
        """A number from 0 on and below 1."""
        return self._next() / _WHOLE

    def below(self, count: int) -> int:
        """A whole number from 0 on and below the count."""
        return self._next() * count >> 64

    def between(self, low: int, high: int) -> int:
        """A whole number, both ends in."""
        return low + self.below(high - low + 1)

    def happens(self, probability: float) -> bool:
        return self.share() < probability

    def pick(self, some: Sequence[T]) -> T:
        return some[self.below(len(some))]

    def sample(self, some: Sequence[T], count: int) -> list[T]:
        """So many different ones, in an order of their own."""
        left = list(some)
        return [left.pop(self.below(len(left))) for _ in range(min(count, len(left)))]

    def around(self, spread: float) -> float:
        """A number around zero, rarely beyond twice the spread (a sum of three uniform ones)."""
        return (self.share() + self.share() + self.share() - 1.5) * 2 * spread


def picture(seed: int, *name: object) -> tuple[bytes, int]:
    """A photo by its hashes: SHA-256 as it might be, and a perceptual hash of 64 bits."""
    told = f"{seed}|photo|{'|'.join(map(str, name))}".encode()
    digest = blake2b(told, digest_size=40).digest()
    return digest[:32], int.from_bytes(digest[32:], "big")


def picture_of(seed: int, room: object, *name: object) -> tuple[bytes, int]:
    """A photo taken in a room: a file of its own, some bits from what the room looks like."""
    sha256, _ = picture(seed, *name)
    _, look = picture(seed, "room", room)
    chance = Chance(seed, "look", *name)
    for bit in chance.sample(range(64), chance.between(5, 16)):
        look ^= 1 << bit
    return sha256, look


def spread(count: int, of: int, seed: int, name: str) -> list[int]:
    """So many of the numbers below `of`, evenly spread: however few, they are there."""
    count = min(count, of)
    if not count:
        return []
    offset = Chance(seed, "spread", name).below(of)
    return sorted({(offset + place * of // count) % of for place in range(count)})
