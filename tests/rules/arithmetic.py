"""Computes again what a worked case writes out: `min(90.00 × 0.75, 60.00) × 31 = 1860.00`.

A step with words is for the reader and not computed; a step of numbers alone must be right.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from math import ceil, floor

from kernel.money import Money, yuan

_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)?…?)|([a-z]+)|(.))")
_HALF_A_FEN = Fraction(1, 200)
_FEN = Fraction(1, 100)


def _half_up(value: Fraction) -> Fraction:
    return Fraction(floor(value * 100 + Fraction(1, 2)), 100)


_FUNCTIONS: Mapping[str, Callable[..., Fraction]] = {
    "min": lambda *values: min(values),
    "max": lambda *values: max(values),
    "round": _half_up,
    "down": lambda value: Fraction(floor(value * 100), 100),
    "up": lambda value: Fraction(ceil(value * 100), 100),
}
_WORDS = re.compile(r"[^\W\d_]+")


def result(arithmetic: str) -> Money:
    """The last step, an amount in yuan; ValueError where a step before it says another."""
    *steps, last = (step.strip() for step in arithmetic.split("="))
    amount = yuan(last)
    for step in steps:
        value = computed(step)
        if value is not None and abs(value - Fraction(amount.fen, 100)) > _HALF_A_FEN:
            shown = f"{float(value):.4f}"
            raise ValueError(f"{step!r} is {shown}, and the result says {last}")
    return amount


def computed(step: str) -> Fraction | None:
    """The value of a step of numbers; None for one with words."""
    if any(word not in _FUNCTIONS for word in _WORDS.findall(step)):
        return None
    tokens = list(_tokens(step))
    value, rest = _sum(tokens)
    if rest:
        raise ValueError(f"cannot compute {step!r}: {' '.join(rest)!r} is left over")
    return value


def _tokens(step: str) -> Iterator[str]:
    for number, word, sign in _TOKEN.findall(step):
        token = number or word or sign.strip()
        if token:
            yield {"*": "×", "÷": "/", "−": "-", "–": "-"}.get(token, token)


def _sum(tokens: list[str]) -> tuple[Fraction, list[str]]:
    value, tokens = _product(tokens)
    while tokens and tokens[0] in "+-":
        sign, (right, rest) = tokens[0], _product(tokens[1:])
        value, tokens = value + right if sign == "+" else value - right, rest
    return value, tokens


def _product(tokens: list[str]) -> tuple[Fraction, list[str]]:
    value, tokens = _one(tokens)
    while tokens and tokens[0] in "×/":
        sign, (right, rest) = tokens[0], _one(tokens[1:])
        value, tokens = value * right if sign == "×" else value / right, rest
    return value, tokens


def _one(tokens: list[str]) -> tuple[Fraction, list[str]]:
    if not tokens:
        raise ValueError("a number is missing")
    first, rest = tokens[0], tokens[1:]
    if first in _FUNCTIONS:
        values, rest = _arguments(rest)
        value = _FUNCTIONS[first](*values)
    elif first == "(":
        value, rest = _sum(rest)
        rest = _closed(rest)
    else:
        value = Fraction(first.rstrip("…"))
    while rest and rest[0] == "%":
        value, rest = value / 100, rest[1:]
    return value, rest


def _arguments(tokens: list[str]) -> tuple[list[Fraction], list[str]]:
    if not tokens or tokens[0] != "(":
        raise ValueError("a function has its values in brackets")
    values: list[Fraction] = []
    rest = [",", *tokens[1:]]
    while rest and rest[0] == ",":
        value, rest = _sum(rest[1:])
        values.append(value)
    return values, _closed(rest)


def _closed(tokens: list[str]) -> list[str]:
    if not tokens or tokens[0] != ")":
        raise ValueError("a bracket is not closed")
    return tokens[1:]
