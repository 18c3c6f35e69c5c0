"""The disability assessment standard as data (长期护理失能等级评估标准). Pure: no clock, no I/O.

Items with the scores they allow, the bands that turn a total into a level, and the table that
combines levels into a grade 0-5. How an assessment is graded stands in the assessment service.
Source: 医保办发〔2021〕37号; what was not read in its annex is marked unverified.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kernel.rules.figure import SOURCES, may_be_verified
from kernel.rules.ruling import Clause


@dataclass(frozen=True, kw_only=True)
class Item:
    """A secondary indicator (二级指标) and the scores it may get; higher is better."""

    code: str
    order: int
    name_zh: str
    name_en: str
    scores: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Band:
    """The totals, both ends in, that make a level: 0 intact, 1 mild, 2 moderate, 3 severe."""

    level: int
    code: str
    lowest: int
    highest: int


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """A primary indicator (一级指标): items that are summed, and bands for the sum."""

    code: str
    name_zh: str
    name_en: str
    max_score: int
    items: tuple[Item, ...]
    bands: tuple[Band, ...]
    bands_clause: Clause

    def level(self, total: int) -> int:
        """The level of a total; ValueError for a total that the items cannot make."""
        for band in self.bands:
            if band.lowest <= total <= band.highest:
                return band.level
        raise ValueError(f"{self.code}: no level for the total {total}")

    def totals(self) -> tuple[int, ...]:
        """Every total that the items can make, ascending."""
        reached = {0}
        for item in self.items:
            reached = {total + score for total in reached for score in item.scores}
        return tuple(sorted(reached))


@dataclass(frozen=True, kw_only=True)
class SelfAssessment:
    """The self-assessment form (自评表): items in two classes, and a grade for each pair of counts.

    What is counted of a class are the items that the person does not do without others.
    """

    items: Mapping[str, str]  # code -> class, `a` or `b`
    grades: Mapping[tuple[int, int], str]  # (class a, class b) -> A to G
    clause: Clause

    def grade(self, dependent: Iterable[str]) -> str:
        """A to G for the items that depend on others; KeyError for an item of another form."""
        classes = [self.items[code] for code in dependent]
        return self.grades[classes.count("a"), classes.count("b")]


@dataclass(frozen=True, kw_only=True)
class Standard:
    """The whole standard. `verified` is false as long as any part of it was not read."""

    id: str
    version: str
    title_zh: str
    document: str
    dimensions: tuple[Dimension, ...]
    matrix: tuple[tuple[int, ...], ...]  # row: ADL level, column: worse of the two others
    grade_names: Mapping[int, tuple[str, str]]  # grade -> (Chinese, English)
    items_clause: Clause
    matrix_clause: Clause
    self_assessment: SelfAssessment | None = None  # packs stored before it was data have none

    @property
    def items(self) -> tuple[Item, ...]:
        """All items in the order of the form."""
        return tuple(item for dimension in self.dimensions for item in dimension.items)

    @property
    def verified(self) -> bool:
        clauses = [dimension.bands_clause for dimension in self.dimensions]
        return all(clause.verified for clause in (*clauses, self.items_clause, self.matrix_clause))

    def dimension(self, code: str) -> Dimension:
        """`adl`, `cognition` or `perception`; KeyError otherwise."""
        for dimension in self.dimensions:
            if dimension.code == code:
                return dimension
        raise KeyError(code)

    def cell(self, adl_level: int, worse_other_level: int) -> int:
        """The grade for an ADL level and the worse level of the two other dimensions."""
        return self.matrix[adl_level][worse_other_level]


def read_standard(table: Mapping[str, Any]) -> Standard:
    """The standard from a pack's `assessment_standard`; KeyError or ValueError where it is not."""
    document = table["document"]
    return Standard(
        id=table["id"],
        version=table["version"],
        title_zh=table["title_zh"],
        document=document,
        dimensions=tuple(_dimension(one, document) for one in table["dimensions"]),
        matrix=_matrix(table["combination"]["matrix"]),
        grade_names={one["grade"]: (one["name_zh"], one["name_en"]) for one in table["grades"]},
        items_clause=_clause("items", table["items"], document),
        matrix_clause=_clause("combination", table["combination"], document),
        self_assessment=_self_assessment(table.get("self_assessment"), document),
    )


def _self_assessment(table: Mapping[str, Any] | None, document: str) -> SelfAssessment | None:
    if table is None:
        return None
    items = {one["code"]: one["class"] for one in table["items"]}
    grades: dict[tuple[int, int], str] = {}
    for one in table["grades"]:
        for a, b in one["counts"]:
            if (a, b) in grades:
                raise ValueError(f"self_assessment: two grades for {a} and {b}")
            grades[a, b] = one["grade"]
    most = [list(items.values()).count(name) for name in ("a", "b")]
    wanted = {(a, b) for a in range(most[0] + 1) for b in range(most[1] + 1)}
    if sum(most) != len(items) or set(grades) != wanted:
        raise ValueError("self_assessment: each pair of counts has one grade")
    return SelfAssessment(
        items=items, grades=grades, clause=_clause("self_assessment", table, document)
    )


def _dimension(table: Mapping[str, Any], document: str) -> Dimension:
    bands = table["bands"]
    dimension = Dimension(
        code=table["code"],
        name_zh=table["name_zh"],
        name_en=table["name_en"],
        max_score=table["max_score"],
        items=tuple(map(_item, table["items"])),
        bands=tuple(
            Band(level=one["level"], code=one["code"], lowest=one["lowest"], highest=one["highest"])
            for one in bands["levels"]
        ),
        bands_clause=_clause(f"{table['code']}.bands", bands, document),
    )
    totals = dimension.totals()
    if totals[-1] != dimension.max_score:
        raise ValueError(f"{dimension.code}: items reach {totals[-1]}, not {dimension.max_score}")
    for total in totals:
        fitting = [band for band in dimension.bands if band.lowest <= total <= band.highest]
        if len(fitting) != 1:
            raise ValueError(f"{dimension.code}: {len(fitting)} bands for the total {total}")
    return dimension


def _item(table: Mapping[str, Any]) -> Item:
    return Item(
        code=table["code"],
        order=table["order"],
        name_zh=table["name_zh"],
        name_en=table["name_en"],
        scores=tuple(option["score"] for option in table["options"]),
    )


def _matrix(rows: list[list[int]]) -> tuple[tuple[int, ...], ...]:
    matrix = tuple(map(tuple, rows))
    if len(matrix) != 4 or any(len(row) != 4 for row in matrix):
        raise ValueError("combination: the table has four rows of four grades")
    return matrix


def _clause(name: str, table: Mapping[str, Any], document: str) -> Clause:
    if table["source"] not in SOURCES:
        raise ValueError(f"{name}: no such source {table['source']!r}")
    if table["verified"] not in {False, may_be_verified(table["source"])}:
        raise ValueError(f"{name}: verified, but the source is {table['source']}")
    return Clause(
        key=f"assessment_standard.{name}",
        citation=f"{document}, {table['article']}",
        verified=table["verified"],
    )
