"""One legal figure as it is in force on a day (法定数值). Pure: no clock, no I/O."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from kernel.calendar import DayKind, Term
from kernel.money import Money
from kernel.refusal import Refused

# Where a figure comes from; docs/rules.md says what each mark means.
SOURCES = ("S0", "S1", "S2", "S3", "S4", "F", "M-hi", "M-med", "M-lo", "D")


def may_be_verified(source: str) -> bool:
    """Only what was read in a text may be called verified: stated (S) or found (F)."""
    return source == "F" or source.startswith("S")


class FigureUnknown(Refused):
    """The pack has no value for the key on that day: nobody may guess one."""

    def __init__(self, key: str, pool: str, on: date | None = None) -> None:
        super().__init__(
            "FIGURE_UNKNOWN", key=key, pool=pool, **({"on": on.isoformat()} if on else {})
        )


class FigureMisread(TypeError):  # noqa: N818 - named as what happened
    """The figure is of another kind than the code that reads it expects."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A value with its unit, the days it holds (both in), and the text that states it.

    The accessors below return it as one kind and raise `FigureMisread` for another.
    """

    key: str
    title: str
    value: Any  # as in the pack: integer, string, flag, list or table of these
    unit: str
    citation: str
    source: str
    verified: bool
    effective_from: date
    effective_to: date | None
    note: str
    by: tuple[str, ...] = ()  # the dimensions of its table, outermost first
    combine: str = ""  # of several statuses: `best` or `lowest`

    @property
    def dimensions(self) -> tuple[str, ...]:
        """What the value depends on; a table that says nothing is by grade."""
        return self.by or (("grade",) if isinstance(self.value, dict) else ())

    def holds_on(self, day: date) -> bool:
        return self.effective_from <= day and (
            self.effective_to is None or day <= self.effective_to
        )

    def integer(self) -> int:
        if type(self.value) is not int:
            raise self._misread("a whole number")
        return self.value

    def text(self) -> str:
        if not isinstance(self.value, str):
            raise self._misread("a text")
        return self.value

    def flag(self) -> bool:
        if not isinstance(self.value, bool):
            raise self._misread("true or false")
        return self.value

    def integers(self) -> tuple[int, ...]:
        if not isinstance(self.value, list) or not all(type(one) is int for one in self.value):
            raise self._misread("a list of whole numbers")
        return tuple(self.value)

    def texts(self) -> tuple[str, ...]:
        if not isinstance(self.value, list) or not all(isinstance(one, str) for one in self.value):
            raise self._misread("a list of texts")
        return tuple(self.value)

    def table(self) -> dict[str, Any]:
        if not isinstance(self.value, dict):
            raise self._misread("a table")
        return dict(self.value)

    def numbers(self) -> dict[str, int]:
        """A table of whole numbers by name."""
        table = self.table()
        if not all(type(one) is int for one in table.values()):
            raise self._misread("a table of whole numbers")
        return table

    def money_by_grade(self) -> dict[int, Money]:
        """Amounts by disability grade (失能等级 0-5), written in fen."""
        try:
            return {int(grade): Money(fen) for grade, fen in self.table().items()}
        except (TypeError, ValueError) as error:
            raise self._misread("whole fen by grade") from error

    def rates(self) -> dict[str, Fraction]:
        """Rates by name, written `"0.001"`."""
        try:
            return {name: Fraction(text) for name, text in self.table().items()}
        except (TypeError, ValueError) as error:
            raise self._misread("rates as text by name") from error

    def term(self) -> Term:
        """A deadline, written `{ days = 30, kind = "working" }`."""
        table = self.table()
        try:
            term = Term(days=table["days"], kind=DayKind(table["kind"]))
        except (KeyError, ValueError) as error:
            raise self._misread("days and their kind") from error
        if type(term.days) is not int or term.days < 0 or len(table) != 2:
            raise self._misread("days and their kind")
        return term

    def _misread(self, wanted: str) -> FigureMisread:
        return FigureMisread(f"{self.key}: wanted {wanted}, the pack says {self.value!r}")
