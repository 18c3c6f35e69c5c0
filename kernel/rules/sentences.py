"""What rulings say in plain words, for every program that must say it (裁定用语). Pure.

The sentences are data beside this module. They are found by the kind of question, the clause and
the verdict of a step, so that a letter, a page and the command line say the same, and a test can
tell which step has none.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import Any

from kernel.rules.ruling import Ruling, Step

_PLACE = re.compile(r"\{([a-z0-9_]+)(?:-([a-z0-9_]+))?\}")
_ANY = "*"  # anything but nothing and nought
_NUMBER = "#"
Say = Callable[[str, str | int], str]
"""(name of an input, its value) -> how people read it."""


@dataclass(frozen=True, kw_only=True)
class Text:
    """The same in both languages, with places for the values."""

    zh: str
    en: str

    def filled(self, lang: str, values: Mapping[str, str | int], say: Say) -> str:
        """The text in a language; {a-b} is the difference of two values, told as `a` is."""

        def put(found: re.Match[str]) -> str:
            name, less = found.groups()
            if less is None:
                return say(name, values.get(name, ""))
            return say(name, int(values.get(name, 0)) - int(values.get(less, 0)))

        return _PLACE.sub(put, self.zh if lang == "zh" else self.en)

    @property
    def places(self) -> frozenset[str]:
        """The values that the text needs."""
        return frozenset(
            name for text in (self.zh, self.en) for pair in _PLACE.findall(text) for name in pair
        ) - {""}


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """What a step says."""

    text: Text
    change: Text | None  # what would have to be otherwise
    takes_away: bool  # it refuses, caps, cuts or leaves a share with the person
    unit: str  # of the output: fen, days, grade, level, number, rate, text; "": it has none


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What was decided."""

    text: Text
    good: bool  # for the person


@dataclass(frozen=True, kw_only=True)
class Entry:
    """The sentences of a clause, and the steps they are for."""

    questions: frozenset[str]
    clause: str
    words: str
    inputs: frozenset[str] | None
    where: Mapping[str, str]
    below: str
    reduces: bool
    unit: str
    texts: Mapping[str, Text]  # by verdict
    change: Text | None

    def fits(self, question: str, step: Step) -> bool:
        return (
            question in self.questions
            and step.verdict in self.texts
            and fnmatchcase(step.clause, self.clause)
            and self.words in {"", words_of(step)}
            and (self.inputs is None or self.inputs == set(step.inputs))
            and all(_is(_value(step, name), wanted) for name, wanted in self.where.items())
            and (not self.below or _less(step.output, step.inputs.get(self.below)))
        )

    def sentence(self, verdict: str) -> Sentence:
        takes = verdict == "not_met" or (verdict == "computed" and self.reduces)
        return Sentence(
            text=self.texts[verdict],
            change=self.change if takes else None,
            takes_away=takes,
            unit=self.unit if verdict == "computed" else "",
        )


class Sentences:
    """All sentences of `sentences.toml`."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self.entries = tuple(map(_entry, told["step"]))
        self._outcomes = tuple(told["outcome"])
        self.reasons: Mapping[str, Text] = {
            reason: _text(words) for reason, words in told["reasons"].items()
        }

    def of_step(self, question: str, step: Step) -> Sentence | None:
        """The sentence of a step; None where nobody wrote one."""
        for entry in self.entries:
            if entry.fits(question, step):
                return entry.sentence(step.verdict)
        return None

    def has(self, question: str, clause: str, verdict: str) -> bool:
        """Whether some step on the clause could get a sentence for the verdict."""
        return any(
            question in entry.questions
            and verdict in entry.texts
            and fnmatchcase(clause, entry.clause)
            for entry in self.entries
        )

    def of_outcome(self, ruling: Ruling) -> Outcome | None:
        """What the ruling decided; None where nobody wrote it."""
        for told in self._outcomes:
            fits = fnmatchcase(ruling.outcome, told["outcome"])
            if told["question"] == ruling.question and fits:
                return Outcome(text=_text(told), good=told["good"])
        return None

    def texts(self) -> tuple[tuple[str, Text], ...]:
        """Every text and where it stands, for tests."""
        steps = [
            (f"{entry.clause} {name}", text)
            for entry in self.entries
            for name, text in (*entry.texts.items(), ("change", entry.change))
            if text is not None
        ]
        outcomes = [(f"{o['question']} {o['outcome']}", _text(o)) for o in self._outcomes]
        return (*steps, *outcomes, *self.reasons.items())

    def silent_refusals(self) -> tuple[str, ...]:
        """Clauses of entries that refuse or take away and do not say what would change it."""
        return tuple(
            entry.clause
            for entry in self.entries
            if ("not_met" in entry.texts or entry.reduces) and entry.change is None
        )


@cache
def sentences() -> Sentences:
    """The sentences of this code."""
    file = resources.files("kernel.rules").joinpath("sentences.toml")
    return Sentences(tomllib.loads(file.read_text(encoding="utf-8")))


def _entry(told: Mapping[str, Any]) -> Entry:
    verdicts = ("met", "not_met", "computed")
    return Entry(
        questions=frozenset(told["questions"]),
        clause=told["clause"],
        words=told.get("words", ""),
        inputs=frozenset(told["inputs"]) if "inputs" in told else None,
        where=told.get("where", {}),
        below=told.get("below", ""),
        reduces=told.get("reduces", False),
        unit=told.get("output", ""),
        texts={verdict: _text(told[verdict]) for verdict in verdicts if verdict in told},
        change=_text(told["change"]) if "change" in told else None,
    )


def _text(told: Mapping[str, Any]) -> Text:
    return Text(zh=told["zh"], en=told["en"])


def words_of(step: Step) -> str:
    """The fixed words of a step's label: without the component before, and details after them.

    `home_care: part of a month, calendar_days, half_up` says `part of a month`. Words that hold
    a comma themselves are known by their beginning.
    """
    words = step.label.rpartition(": ")[2]
    return next((one for one in _with_commas() if words.startswith(one)), words.partition(", ")[0])


@cache
def _with_commas() -> tuple[str, ...]:
    return tuple({entry.words for entry in sentences().entries if ", " in entry.words})


def _value(step: Step, name: str) -> str | int:
    return step.output if name == "output" else step.inputs.get(name, "")


def _is(value: str | int, wanted: str) -> bool:
    if wanted == _NUMBER:
        return isinstance(value, int)  # nought, too
    if wanted in {_ANY, ""}:
        return bool(value) == (wanted == _ANY)
    return str(value) == wanted


def _less(output: str | int, than: str | int | None) -> bool:
    return isinstance(output, int) and isinstance(than, int) and output < than
