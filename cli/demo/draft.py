"""The demo's draft: a pool's pack with its caps raised, made of the folder in force.

Figures are found by what they are used for: the amounts that a component names as its month's
cap. They are raised as text, so that the rest of the files stays as people wrote it.
"""

import re
import shutil
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

_TABLE = re.compile(r"^\[\[?(?P<name>[^\]]+)\]\]?\s*$")
_NUMBER = re.compile(r"(?<==\s)\d+|(?<==)\d+")
_CITATION = 'citation = { document = "draft", article = "what if", published = "" }'
PAYMENT = "payment.toml"


def raised_caps(rules: Path, pool_folder: str, by: Fraction, target: Path) -> Path:
    """The folder of the draft: the rules copied, the pool's caps times `by`, cited as a draft.

    Refuses (ValueError) a pool without caps, and a cap that would not be whole fen.
    """
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(rules, target, ignore=shutil.ignore_patterns("cases"))
    file = target / pool_folder / PAYMENT
    text = file.read_text(encoding="utf-8")
    caps = _caps(tomllib.loads(text))
    if not caps:
        raise ValueError(f"{pool_folder} names no caps")
    file.write_text(_raised(text, caps, by), encoding="utf-8")
    return target / pool_folder


def changed_in_mid_month(
    rules: Path, pool_folder: str, amount: str, day: str, fen_by_grade: dict[int, int], target: Path
) -> Path:
    """The folder of a draft in which one amount has another value from a day on.

    The value in force stays for the days before: a new value is a new entry.
    """
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(rules, target, ignore=shutil.ignore_patterns("cases"))
    value = ", ".join(f"{grade} = {fen}" for grade, fen in fen_by_grade.items())
    file = target / pool_folder / PAYMENT
    text = file.read_text(encoding="utf-8")
    if amount not in tomllib.loads(text)["amounts"]:
        raise ValueError(f"{pool_folder} has no amount {amount}")
    entry = (
        f"\n[[amounts.{amount}.values]]\neffective_from = {day}\nvalue = {{ {value} }}\n"
        f'source = "D"\nverified = false\n{_CITATION}\nnote = "a draft"\n'
    )
    file.write_text(text + entry, encoding="utf-8")
    return target / pool_folder


def _caps(payment: dict[str, Any]) -> set[str]:
    """The names of the amounts that components use as caps."""
    return {
        str(amount)
        for component in payment.get("components", {}).values()
        for value in component["values"]
        for key, amount in value["value"].items()
        if key.endswith("cap") or (key == "amount" and "cap" in str(value["value"]["shape"]))
        if isinstance(amount, str) and amount in payment["amounts"]
    }


def _raised(text: str, caps: set[str], by: Fraction) -> str:
    tables = {f"amounts.{cap}.values" for cap in caps}
    lines, inside = [], False
    for line in text.splitlines():
        table = _TABLE.match(line)
        if table is not None:
            inside = table["name"] in tables
        if inside and line.startswith("value ="):
            line = _times(line, by)  # noqa: PLW2901 - the line as it goes on
        elif inside and line.startswith("citation ="):
            line = _CITATION  # noqa: PLW2901
        elif inside and line.startswith("verified ="):
            line = "verified = false"  # noqa: PLW2901
        lines.append(line)
    return "\n".join(lines) + "\n"


def _times(line: str, by: Fraction) -> str:
    def raised(found: re.Match[str]) -> str:
        amount = int(found[0]) * by
        if amount.denominator != 1:
            raise ValueError(f"{found[0]} fen times {by} is not whole")
        return str(amount.numerator)

    head, _, value = line.partition("=")
    return f"{head}={_NUMBER.sub(raised, value)}"
