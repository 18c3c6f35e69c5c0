"""One pool's scheme as immutable data, named by the hash of its content (规则包).

A pack folder holds TOML, one file a concern; its canonical content is JSON that contains all a
pool needs, figures of its base included, so one hash pins them and a stored pack can be parsed
without the folder.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Self

from kernel.calendar import Term
from kernel.money import Money, Rounding
from kernel.refusal import Refused
from kernel.rules.figure import Figure, FigureMisread, FigureUnknown
from kernel.rules.formula import (
    SHAPES,
    Component,
    CostUpToMonthCap,
    FlatPerMonth,
    Formula,
    Payee,
    ProRata,
)
from kernel.rules.reading import (
    CONCERNS,
    STANDARD,
    PackInvalid,
    Problem,
    Table,
    figures_of,
    identity_problems,
    merge,
    read_content,
    read_folder,
    standard_of,
)
from kernel.rules.ruling import canonical
from kernel.rules.standard import Standard

FORMS = ("home_visits", "family_carer", "home_agency", "institution")

# What the services ask for, and as what: a pack says it, or says that it is not known.
REQUIRED = {
    "pool.settlement_day": Figure.term,
    "enrollment.continuous_months": Figure.integer,
    "enrollment.contribution_yearly_fen": Figure.table,
    "enrollment.contribution_rates": Figure.rates,
    "enrollment.sources": Figure.texts,
    "enrollment.arrears_suspend": Figure.flag,
    "enrollment.arrears_resume": Figure.text,
    "assessment.eligible_grades": Figure.integers,
    "assessment.supplement_days": Figure.term,
    "assessment.conclusion_days": Figure.term,
    "assessment.reminder_days": Figure.term,
    "assessment.publicity_days": Figure.term,
    "assessment.review_request_days": Figure.term,
    "assessment.review_days": Figure.term,
    "assessment.validity_months": Figure.integer,
    "assessment.min_assessors": Figure.integer,
    "assessment.min_experts_on_site": Figure.integer,
    "assessment.confirming_experts": Figure.integer,
    "assessment.self_assessment_gate": Figure.table,
    "assessment.months_between": Figure.integer,
    "assessment.disability_months": Figure.integer,
    "assessment.standard": Figure.text,
    "provider.visit_minutes_min": Figure.integer,
    "provider.item_minutes_min": Figure.numbers,
    "provider.visit_distance_m_max": Figure.integer,
    "provider.family_confirmation_required": Figure.flag,
    "payment.benefit_start": Figure.text,
    "payment.hospital": Figure.text,
    "payment.part_month": Figure.table,
}


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
    _standard: Standard = field(repr=False, compare=False)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The pack of a folder `<pool>_<name>`; PackInvalid lists what is wrong with it."""
        files = read_folder(folder, (*CONCERNS, STANDARD))
        extends = files.get("pool", {}).get("extends")
        if extends is not None:
            base = read_folder(folder.parent / extends, (*CONCERNS, STANDARD))
            files = merge(base, files)
        pool, _, name = folder.name.partition("_")
        content = canonical({"pool": pool, "name": name, "files": files})
        return cls._of(content, folder.name)

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """The pack with that canonical content, as kept in a store; PackInvalid otherwise."""
        return cls._of(content, "stored pack")

    @classmethod
    def _of(cls, content: bytes, where: str) -> Self:
        told = read_content(content, where)
        files = told["files"]
        figures, problems = figures_of(files, where)
        standard, more = standard_of(files, where)
        problems += more + identity_problems(told["pool"], files, where)
        if problems or standard is None:
            raise PackInvalid(problems)
        pack = cls(
            pool=told["pool"],
            name=told["name"],
            hash=hashlib.sha256(content).hexdigest(),
            content=content,
            _files=files,
            _figures=figures,
            _standard=standard,
        )
        problems = list(_meaning_problems(pack, where))
        if problems:
            raise PackInvalid(problems)
        return pack

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
        return self._standard.verified and all(figure.verified for figure in every)

    def keys(self) -> tuple[str, ...]:
        """The keys of all figures, sorted, those stated as unknown included."""
        return tuple(sorted(self._figures))

    def mentions(self, key: str) -> bool:
        """Whether the pack has the key at all, be it to say that it is not known."""
        return key in self._figures

    def history(self, key: str) -> tuple[Figure, ...]:
        """The figure's values in the order of their days; empty where it is unknown."""
        return self._figures.get(key, ())

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

    def standard(self) -> Standard:
        """The assessment standard the pool works with."""
        return self._standard

    def contribution_yearly(self, group: str, on: date) -> dict[str, Money]:
        """A year's flat contribution by source, for a group of insured (参保人群).

        A pool that does not tell groups apart states it for `everyone`; FigureUnknown where
        the group pays no flat contribution that is known.
        """
        key = "enrollment.contribution_yearly_fen"
        groups = self.figure(key, on).table()
        shares = groups.get(group, groups.get("everyone"))
        if shares is None:
            raise FigureUnknown(f"{key}.{group}", self.pool, on)
        return {source: Money(fen) for source, fen in shares.items()}

    def forms(self, on: date) -> tuple[str, ...]:
        """The forms of care the pool offers on that day."""
        return tuple(form for form in FORMS if self._offers(form, on))

    def components(self, form: str, on: date) -> tuple[Component, ...]:
        """What the fund pays for a form of care (待遇项目) under the rule of a day of care.

        Refuses FORM_NOT_OFFERED, and FIGURE_UNKNOWN where an amount is not known.
        """
        return _components(self, form, on)

    def _offers(self, form: str, on: date) -> bool:
        return any(figure.holds_on(on) for figure in self.history(f"payment.forms.{form}"))


@lru_cache(maxsize=4096)
def _components(pack: Pack, form: str, on: date) -> tuple[Component, ...]:
    # A settlement asks this for each case of a month: the few answers are kept.
    if not pack.mentions(f"payment.forms.{form}"):
        raise FormNotOffered(form, pack.pool)
    listed = pack.figure(f"payment.forms.{form}", on).value
    return tuple(_component(pack, one["component"], Payee(one["payee"]), on) for one in listed)


def _component(pack: Pack, name: str, payee: Payee, on: date) -> Component:
    told = pack.figure(f"payment.components.{name}", on)
    amounts = pack.figure(f"payment.amounts.{told.value['amount']}", on)
    part_month = pack.figure("payment.part_month", on)
    return Component(
        name=name,
        formula=_formula(told.value["shape"], amounts.money_by_grade(), part_month.table()),
        payee=payee,
        amounts_clause=amounts,
        formula_clause=told,
        part_month_clause=part_month,
    )


def _formula(shape: str, amounts: dict[int, Money], part_month: Table) -> Formula:
    rounding = Rounding(part_month["rounding"])
    if shape == "cost_up_to_month_cap":
        return CostUpToMonthCap(cap=amounts, pro_rata=ProRata(part_month["cap"]), rounding=rounding)
    if shape == "flat_per_month":
        return FlatPerMonth(amount=amounts, pro_rata=ProRata(part_month["flat"]), rounding=rounding)
    raise ValueError(f"no such shape {shape!r}; there are {', '.join(SHAPES)}")


def _meaning_problems(pack: Pack, where: str) -> Iterator[Problem]:
    """What only shows when the figures are read the way the services read them."""
    for key, read in REQUIRED.items():
        file = f"{where}/{key.partition('.')[0]}.toml"
        if not pack.mentions(key):
            yield Problem(file, key, "missing; write unknown = true where it is not known")
        for figure in pack.history(key):
            try:
                read(figure)
            except FigureMisread as error:
                yield Problem(file, "", str(error))
    for key in pack.keys():  # noqa: SIM118 - a method, not a mapping
        if key.startswith("payment.forms."):
            yield from _form_problems(pack, key, f"{where}/payment.toml")


def _form_problems(pack: Pack, key: str, file: str) -> Iterator[Problem]:
    form = key.removeprefix("payment.forms.")
    if form not in FORMS:
        yield Problem(file, key, f"no such form of care; there are {', '.join(FORMS)}")
    for figure in pack.history(key):
        try:
            pack.components(form, figure.effective_from)
        except FigureUnknown as error:
            yield Problem(file, key, f"needs {error.facts['key']} on {figure.effective_from}")
        except (KeyError, TypeError, ValueError) as error:
            yield Problem(file, key, f"{type(error).__name__}: {error}")
