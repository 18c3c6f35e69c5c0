"""The fixed words of letters, in both languages (文书固定用语). Pure."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from kernel.rules.sentences import Text

LANGUAGES = ("zh", "en")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of letter: how it is headed, and what a person can do against it."""

    name: str
    code: str
    mark: str
    title: Text
    opening: Text
    remedies: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """A way to object, with the figures of a pack that may say how long it is open."""

    name: str
    title: Text
    figures: tuple[str, ...]
    known: Text
    unknown: Text


@dataclass(frozen=True, kw_only=True)
class Phrases:
    """Everything in `phrases.toml`."""

    kinds: Mapping[str, Kind]
    remedies: Mapping[str, Remedy]
    lines: Mapping[str, Text]
    page: Mapping[str, Text]

    def labels(self, lang: str) -> Mapping[str, str]:
        """The words of the printed form in one language."""
        return {name: text.zh if lang == "zh" else text.en for name, text in self.page.items()}


@cache
def phrases() -> Phrases:
    """The phrases of this code."""
    file = resources.files("kernel.letters").joinpath("phrases.toml")
    told = tomllib.loads(file.read_text(encoding="utf-8"))
    return Phrases(
        kinds={name: _kind(name, one) for name, one in told["kinds"].items()},
        remedies={name: _remedy(name, one) for name, one in told["remedies"].items()},
        lines={name: Text(**one) for name, one in told["lines"].items()},
        page={name: Text(**one) for name, one in told["page"].items()},
    )


def _kind(name: str, told: Mapping[str, Any]) -> Kind:
    return Kind(
        name=name,
        code=told["code"],
        mark=told["mark"],
        title=Text(**told["title"]),
        opening=Text(**told["opening"]),
        remedies=tuple(told["remedies"]),
    )


def _remedy(name: str, told: Mapping[str, Any]) -> Remedy:
    return Remedy(
        name=name,
        title=Text(**told["title"]),
        figures=tuple(told["figures"]),
        known=Text(**told["known"]),
        unknown=Text(**told["unknown"]),
    )
