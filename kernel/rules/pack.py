"""One pool's scheme as immutable data, named by the hash of its content (规则包).

A pack folder holds TOML, one file a concern; its canonical content is JSON that contains all a
pool needs, figures of its base included, so one hash pins them and a stored pack can be parsed
without the folder.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from kernel.calendar import Term
from kernel.refusal import Refused
from kernel.rules.checks import LIVE, REQUIRED, meaning_problems
from kernel.rules.collection import Window, window_of
from kernel.rules.contribution import Line, read_lines
from kernel.rules.dimensions import (
    FORMS,
    UNKNOWN,
    Who,
    cells,
    look_up,
    whole,
)
from kernel.rules.figure import Figure, FigureUnknown
from kernel.rules.formula import Amount, Component, Source, read_formula, read_portions
from kernel.rules.reading import (
    PackInvalid,
    Table,
    figures_of,
    identity_problems,
    read_content,
    read_pack,
    standards_of,
)
from kernel.rules.ruling import canonical
from kernel.rules.standard import Standard

__all__ = ["FORMS", "LIVE", "REQUIRED", "FormNotOffered", "Pack"]


_CONTRIBUTIONS = "enrollment.contributions."
_FORMS = "payment.forms."
_ONE_DAY = timedelta(days=1)


class FormNotOffered(Refused):
    """The pool's scheme has no such form of care (护理服务形式) on that day."""

    def __init__(self, form: str, pool: str) -> None:
        super().__init__("FORM_NOT_OFFERED", form=form, pool=pool)


@dataclass(frozen=True, kw_only=True)
class Pack:
    """A pool's rules. Two packs with one hash are the same pack."""

    pool: str  # GB/T 2260
    name: str
    hash: str  # SHA-256 of the content, in hex
    content: bytes = field(repr=False, compare=False)
    _files: Table = field(repr=False, compare=False)
    _figures: Mapping[str, tuple[Figure, ...]] = field(repr=False, compare=False)
    _standards: Mapping[str, Standard] = field(repr=False, compare=False)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The pack of a folder `<pool>_<name>`; PackInvalid lists what is wrong with it."""
        files = read_pack(folder)
        pool, _, name = folder.name.partition("_")
        content = canonical({"pool": pool, "name": name, "files": files})
        return cls._of(content, folder.name, stored=False)

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """The pack with that canonical content, as kept in a store; PackInvalid otherwise."""
        return cls._of(content, "stored pack", stored=True)

    @classmethod
    def _of(cls, content: bytes, where: str, *, stored: bool) -> Self:
        told = read_content(content, where)
        files = told["files"]
        figures, problems = figures_of(files, where)
        standards, more = standards_of(files, where)
        problems += more + identity_problems(told["pool"], files, where)
        if problems:
            raise PackInvalid(problems)
        pack = cls(
            pool=told["pool"],
            name=told["name"],
            hash=hashlib.sha256(content).hexdigest(),
            content=content,
            _files=files,
            _figures=figures,
            _standards=standards,
        )
        problems = list(meaning_problems(pack, where, stored=stored))
        if problems:
            raise PackInvalid(problems)
        return pack

    @property
    def figure_keys(self) -> tuple[str, ...]:
        """The keys of all figures, sorted, those stated as unknown included."""
        return self.keys()

    @property
    def pin(self) -> str:
        """How a ruling names it: `pool@hash`."""
        return f"{self.pool}@{self.hash}"

    @property
    def name_zh(self) -> str:
        return str(self._files["pool"]["name_zh"])

    @property
    def name_en(self) -> str:
        return str(self._files["pool"]["name_en"])

    @property
    def currency(self) -> str:
        return str(self._files["pool"]["currency"])

    @property
    def verified(self) -> bool:
        """Whether every figure and the standard rest on texts that were read."""
        every = (figure for values in self._figures.values() for figure in values)
        read = all(standard.verified for standard in self._standards.values())
        return read and all(figure.verified for figure in every)

    @property
    def status(self) -> str:
        """`live`, `historical`, `plan` or `partial`, as the pack says of itself."""
        return str(self._files["pool"].get("status", "live"))

    @property
    def statuses(self) -> frozenset[str]:
        """Names of statuses of people that only this pool knows."""
        return frozenset(self._files["pool"].get("statuses", {}))

    @property
    def in_force_since(self) -> date | None:
        """The first day that any form of care is paid for; None where none is known."""
        forms = [key for key in self._figures if key.startswith(_FORMS)]
        return min((v.effective_from for key in forms for v in self._figures[key]), default=None)

    def keys(self) -> tuple[str, ...]:
        """The keys of all figures, sorted, those stated as unknown included."""
        return tuple(sorted(self._figures))

    def mentions(self, key: str) -> bool:
        """Whether the pack has the key at all, be it to say that it is not known."""
        return key in self._figures

    def history(self, key: str) -> tuple[Figure, ...]:
        """The figure's values in the order of their days; empty where it is unknown."""
        return self._figures.get(key, ())

    def note(self, key: str) -> str:
        """What the pack remarks on a key, such as why it is not known."""
        told: Any = self._files
        for part in key.split("."):
            told = told.get(part, {})
        return str(told.get("note", ""))

    def figure(self, key: str, on: date) -> Figure:
        """The figure in force on a day of care; FigureUnknown where the pack has none."""
        for figure in self._figures.get(key, ()):
            if figure.holds_on(on):
                return figure
        raise FigureUnknown(key, self.pool, on)

    def integer(self, key: str, on: date) -> int:
        return self.figure(key, on).integer()

    def text(self, key: str, on: date) -> str:
        return self.figure(key, on).text()

    def flag(self, key: str, on: date) -> bool:
        return self.figure(key, on).flag()

    def integers(self, key: str, on: date) -> tuple[int, ...]:
        return self.figure(key, on).integers()

    def texts(self, key: str, on: date) -> tuple[str, ...]:
        return self.figure(key, on).texts()

    def term(self, key: str, on: date) -> Term:
        return self.figure(key, on).term()

    def standard(self, on: date | None = None) -> Standard:
        """The assessment standard the pool works with on a day; the newest without one."""
        history = self.history("assessment.standard")
        figure = history[-1] if on is None else self.figure("assessment.standard", on)
        return self._standards[figure.text()]

    def standards(self) -> tuple[Standard, ...]:
        """Every version of the standard that the pack names."""
        return tuple(self._standards.values())

    def months_insured(self, group: str, on: date) -> tuple[Figure, int]:
        """The figure and the months of continuous insurance that a group must have."""
        figure = self.figure("enrollment.continuous_months", on)
        if not group:  # never insured here: whatever is asked of anybody
            return figure, max(cell for cell in cells(figure) if cell != UNKNOWN)
        who = Who(group=group)
        return figure, look_up(figure, who, whole, pool=self.pool, asked_by=figure.key)

    def collection(self, group: str, year: int) -> tuple[Figure, Window] | None:
        """The figure and the days on which a group pays for a year; None where it is not known."""
        first = date(year, 1, 1)
        figure = next((f for f in self.history("enrollment.collection") if f.holds_on(first)), None)
        window = None if figure is None else window_of(figure, group, year)
        return None if figure is None or window is None else (figure, window)

    def contributions(self, group: str, on: date) -> tuple[Line, ...]:
        """What is paid in for a group of insured, by source (筹资); FigureUnknown otherwise."""
        figure = self.figure(f"{_CONTRIBUTIONS}{group}", on)
        return read_lines(figure, self._source("enrollment", on), self.pool)

    def year_cap(self, on: date) -> tuple[Figure, Amount] | None:
        """The cap of a year over all a person is paid; None where the scheme has none."""
        if not self.mentions("payment.year_cap"):
            return None
        figure = self.figure("payment.year_cap", on)
        source = self._source("payment", on)
        return figure, source.amount(figure.table().get("amount"), "payment.year_cap")

    def forms(self, on: date) -> tuple[str, ...]:
        """The forms of care the pool offers on that day."""
        return tuple(form for form in FORMS if self._offers(form, on))

    def components(self, form: str, on: date) -> tuple[Component, ...]:
        """What the fund pays for a form of care (待遇项目) under the rule of a day of care.

        Refuses FORM_NOT_OFFERED, and FIGURE_UNKNOWN where an amount is not known.
        """
        return _components(self, form, on)

    def rules_of_month(self, form: str, first: date, last: date) -> "tuple[RulesFrom, ...]":
        """What a form pays from the first day on, and from each day within on which it changes."""
        return _rules_between(self, form, first, last)

    def _offers(self, form: str, on: date) -> bool:
        return any(figure.holds_on(on) for figure in self.history(f"{_FORMS}{form}"))

    def _source(self, concern: str, on: date) -> Source:
        return Source(
            lambda kind, name: self.figure(f"{concern}.{kind}.{name}", on),
            lambda: self.figure("payment.part_month", on),
            shares="ratios" if concern == "payment" else "rates",
        )

    @property
    def turns(self) -> tuple[date, ...]:
        """Every day on which a figure of payment changes, in order."""
        return _turns(self)


@dataclass(frozen=True)
class RulesFrom:
    """What a form of care pays from a day on, or why nothing can be said or is paid."""

    first: date
    components: tuple[Component, ...] = ()
    refused: Refused | None = field(default=None, compare=False)
    reason: str = ""
    dimensions: frozenset[str] = field(init=False, compare=False)  # what amounts depend on

    def __post_init__(self) -> None:
        asked = frozenset(name for one in self.components for name in one.dimensions)
        object.__setattr__(self, "dimensions", asked)

    @property
    def offered(self) -> bool:
        return not isinstance(self.refused, FormNotOffered)

    def known(self) -> tuple[Component, ...]:
        """The components, none where the form is not offered. Refuses FIGURE_UNKNOWN."""
        if self.refused is not None and self.offered:
            raise self.refused.with_traceback(None)  # it is kept, and must not grow
        return self.components


@lru_cache(maxsize=256)
def _turns(pack: Pack) -> tuple[date, ...]:
    days: set[date] = set()
    for key in pack.keys():  # noqa: SIM118 - a method, not a mapping
        if key.startswith("payment."):
            for figure in pack.history(key):
                days.add(figure.effective_from)
                if figure.effective_to is not None:
                    days.add(figure.effective_to + _ONE_DAY)
    return tuple(sorted(days))


@lru_cache(maxsize=4096)
def _rules_between(pack: Pack, form: str, first: date, last: date) -> tuple[RulesFrom, ...]:
    # A settlement asks this for each case of a month: the few answers are kept.
    turns = pack.turns
    days = [first, *turns[bisect_right(turns, first) : bisect_right(turns, last)]]
    found: list[RulesFrom] = []
    for day in days:
        try:
            rules = RulesFrom(day, pack.components(form, day))
        except Refused as refused:
            rules = RulesFrom(day, refused=refused, reason=str(refused))
        if not found or (found[-1].components, found[-1].reason) != (
            rules.components,
            rules.reason,
        ):
            found.append(rules)
    return tuple(found)


@lru_cache(maxsize=4096)
def _components(pack: Pack, form: str, on: date) -> tuple[Component, ...]:
    if not pack.mentions(f"{_FORMS}{form}"):
        raise FormNotOffered(form, pack.pool)
    listed = pack.figure(f"{_FORMS}{form}", on)
    source = pack._source("payment", on)  # noqa: SLF001 - one with Pack
    return tuple(_component(pack, one, listed, source, on) for one in listed.value)


def _component(
    pack: Pack, told: Mapping[str, Any], listed: Figure, source: Source, on: date
) -> Component:
    if set(told) - {"component", "payee", "split"} or "component" not in told:
        raise ValueError(f"a component of a form has component and payee or split, got {told!r}")
    name = told["component"]
    clause = pack.figure(f"payment.components.{name}", on)
    return Component(
        name=name,
        pool=pack.pool,
        formula=read_formula(clause, source),
        portions=read_portions(told, source),
        formula_clause=clause,
        form_clause=listed,
    )
