"""Reads a pack's files and content into figures, and says what is wrong with them.

Messages name file, key and reason, and come all at once. Reading the folder is the only I/O.
"""

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from kernel.rules.dimensions import DIMENSIONS
from kernel.rules.figure import SOURCES, Figure, may_be_verified
from kernel.rules.ruling import canonical
from kernel.rules.standard import Standard, read_standard

Table = dict[str, Any]

CONCERNS = ("pool", "enrollment", "assessment", "provider", "payment")
BASE = "base"  # a base's own few words: what it is called, and what it extends
STANDARDS = "standards"  # the folder of assessment standards, and where a pack keeps its own
OLD_STANDARD = "assessment_standard"  # one without a name, in packs that stores keep
STATES = ("live", "historical", "plan", "partial")


@dataclass(frozen=True)
class Problem:
    """What is wrong with a pack, and where."""

    file: str
    key: str
    reason: str

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.file, self.key, self.reason)))


class PackInvalid(ValueError):  # noqa: N818 - named as what it says
    """A pack that cannot be used, with everything found wrong in it."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, problems)))


class NoBase(LookupError):  # noqa: N818 - named as what it says
    """What is extended is no base, or extends itself."""


# --- reading a folder -------------------------------------------------------------------------


def read_table(path: Path, where: str) -> Table:
    """One TOML file in types that JSON has; `where` names it in what is wrong with it."""
    try:
        table: Table = _plain(
            tomllib.loads(path.read_text(encoding="utf-8"), parse_float=_no_float)
        )
    except ValueError as error:
        raise PackInvalid([Problem(where, "", str(error))]) from error
    return table


def read_folder(folder: Path, names: tuple[str, ...]) -> Table:
    """The folder's TOML by name, in types that JSON has."""
    files: Table = {}
    problems: list[Problem] = []
    for name in names:
        path = folder / f"{name}.toml"
        if not path.exists():
            continue
        try:
            files[name] = read_table(path, f"{folder.name}/{path.name}")
        except PackInvalid as invalid:
            problems += invalid.problems
    if not files and not problems:
        problems.append(Problem(folder.name, "", "no rule files in this folder"))
    if problems:
        raise PackInvalid(problems)
    return files


def read_pack(folder: Path) -> Table:
    """The folder's own files over those of its bases, with the standards that it names."""
    own = read_folder(folder, CONCERNS)
    extends = own.get("pool", {}).get("extends")
    try:
        files = _with_bases(folder.parent, own, extends, ())
    except NoBase as error:
        where = f"{folder.name}/pool.toml"
        raise PackInvalid([Problem(where, "extends", str(error))]) from error
    return files | {STANDARDS: _standards(folder, files)}


def read_base(folder: Path) -> Table:
    """A base and what it extends, without an identity."""
    own, further = _of_base(folder)
    return _with_bases(folder.parent, own, further, (folder.name,))


def _of_base(folder: Path) -> tuple[Table, Any]:
    """A base's own files and what it extends; the figures of its `base.toml` are of `pool`."""
    files = read_folder(folder, (BASE, *CONCERNS))
    about = files.pop(BASE, {})
    figures = {key: item for key, item in about.items() if isinstance(item, dict)}
    return files | {"pool": figures}, about.get("extends")


def _with_bases(root: Path, files: Table, extends: Any, seen: tuple[str, ...]) -> Table:
    if extends is None:
        return files
    folder = root / str(extends)
    if extends in seen or not folder.is_dir() or (folder / "pool.toml").exists():
        raise NoBase(f"there is no such base {extends}")
    base, further = _of_base(folder)
    return merge(_with_bases(root, base, further, (*seen, str(extends))), files)


def _standards(folder: Path, files: Table) -> Table:
    """The assessment standards that the pack's figure names, each by its id."""
    told = files.get("assessment", {}).get("standard", {}).get("values", [])
    root = folder.parent / STANDARDS
    return {
        str(one["value"]): read_standard_file(root, str(one["value"]))
        for one in told
        if isinstance(one, dict) and "value" in one
    }


def read_standard_file(root: Path, name: str) -> Table:
    """A standard by its id; one that `extends` another states only its other bands."""
    path = root / f"{name}.toml"
    if not path.exists():
        raise PackInvalid([Problem(f"{STANDARDS}/{path.name}", "", "there is no such standard")])
    try:
        table: Table = _plain(
            tomllib.loads(path.read_text(encoding="utf-8"), parse_float=_no_float)
        )
    except ValueError as error:
        raise PackInvalid([Problem(f"{STANDARDS}/{path.name}", "", str(error))]) from error
    base = table.pop("extends", None)
    if base is None:
        return table
    bands = table.pop("bands", {})
    whole = read_standard_file(root, base) | table
    whole["dimensions"] = [
        one | ({"bands": bands[one["code"]]} if one["code"] in bands else {})
        for one in whole["dimensions"]
    ]
    return whole


def _no_float(text: str) -> None:
    raise ValueError(f'write {text} as a string ("{text}") or in a smaller unit: no floats')


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if not isinstance(value, str | int):
        raise ValueError(f"strings, whole numbers, flags and days only, got {value!r}")  # noqa: TRY004
    return value


def merge(base: Table, own: Table) -> Table:
    """The base with the pool's own entries over it: a figure is replaced as a whole."""
    merged = dict(base)
    for key, value in own.items():
        both = merged.get(key)
        if isinstance(value, dict) and isinstance(both, dict) and not _is_figure(value):
            merged[key] = merge(both, value)
        else:
            merged[key] = value
    return merged


# --- checking content -------------------------------------------------------------------------


def read_content(content: bytes, where: str) -> Table:
    """The pool, name and files of a pack, where the bytes are exactly their one spelling."""
    try:
        told: Table = json.loads(content)
        named = isinstance(told["pool"], str) and isinstance(told["name"], str)
        tables = all(isinstance(table, dict) for table in told["files"].values())
        if canonical(told) != content or not (named and tables):
            raise PackInvalid([Problem(where, "", "not the canonical content of a pack")])
    except (AttributeError, KeyError, TypeError, UnicodeError, json.JSONDecodeError) as error:
        raise PackInvalid([Problem(where, "", f"not a pack: {error}")]) from error
    return told


def identity_problems(pool: str, files: Table, where: str) -> list[Problem]:
    identity = files.get("pool", {})
    problems = [
        Problem(f"{where}/pool.toml", key, "missing")
        for key in ("code", "name_zh", "name_en", "currency")
        if not isinstance(identity.get(key), str)
    ]
    if identity.get("code") != pool or not (pool.isascii() and pool.isdigit() and len(pool) == 6):
        reason = f"must be the six digits that the folder's name starts with ({pool})"
        problems.append(Problem(f"{where}/pool.toml", "code", reason))
    if identity.get("status", "live") not in STATES:
        reason = f"is one of {', '.join(STATES)}"
        problems.append(Problem(f"{where}/pool.toml", "status", reason))
    return problems


def standards_of(files: Table, where: str) -> tuple[dict[str, Standard], list[Problem]]:
    """The pack's standards by id."""
    told = dict(files.get(STANDARDS, {}))
    if OLD_STANDARD in files:
        told[str(files[OLD_STANDARD].get("id"))] = files[OLD_STANDARD]
    standards: dict[str, Standard] = {}
    problems: list[Problem] = []
    for name, table in told.items():
        try:
            standards[name] = read_standard(table)
        except KeyError as error:
            problems.append(Problem(f"{STANDARDS}/{name}.toml", str(error).strip("'"), "missing"))
        except (TypeError, ValueError) as error:
            problems.append(Problem(f"{STANDARDS}/{name}.toml", "", str(error)))
    if not told:
        problems.append(Problem(f"{where}/assessment.toml", "standard", "names no standard"))
    return standards, problems


def _is_figure(table: Table) -> bool:
    return "values" in table or "unknown" in table


def figures_of(files: Table, where: str) -> tuple[dict[str, tuple[Figure, ...]], list[Problem]]:
    figures: dict[str, tuple[Figure, ...]] = {}
    problems: list[Problem] = []
    for concern in CONCERNS:
        file = f"{where}/{concern}.toml"
        if concern not in files:
            problems.append(Problem(file, "", "missing"))
        for key, table in _figure_tables(concern, files.get(concern, {})):
            try:
                figures[key] = _read_figure(key, table)
            except (TypeError, ValueError) as error:
                problems.append(Problem(file, key, str(error)))
    return figures, problems


def _figure_tables(prefix: str, table: Table) -> Iterator[tuple[str, Table]]:
    for name, item in table.items():
        if isinstance(item, dict):
            key = f"{prefix}.{name}"
            if _is_figure(item):
                yield key, item
            else:
                yield from _figure_tables(key, item)


def _read_figure(key: str, table: Table) -> tuple[Figure, ...]:
    """A figure's values in the order of their days; none where it is stated as unknown."""
    _only(table, {"title", "unit", "note", "values", "unknown", "by", "combine"})
    title, unit, note = _text(table, "title"), _text(table, "unit"), table.get("note", "")
    if table.get("unknown"):
        if not note or "values" in table:
            raise ValueError("an unknown figure has a note that says so, and no values")
        return ()
    by, combine = _dimensions(table)
    values = [
        replace(_read_value(key, title, unit, note, one), by=by, combine=combine)
        for one in table.get("values", [])
    ]
    if not values:
        raise ValueError("has no values; write unknown = true where none is known")
    for place, (earlier, later) in enumerate(pairwise(values)):
        if later.effective_from <= (earlier.effective_to or earlier.effective_from):
            raise ValueError(f"values overlap or are out of order at {later.effective_from}")
        if earlier.effective_to is None:  # it held until the next one came
            eve = later.effective_from - timedelta(days=1)
            values[place] = replace(earlier, effective_to=eve)
    return tuple(values)


def _dimensions(table: Table) -> tuple[tuple[str, ...], str]:
    by, combine = table.get("by", []), table.get("combine", "")
    if not isinstance(by, list) or len(set(by)) != len(by) or not set(by) <= set(DIMENSIONS):
        raise ValueError(f"by lists dimensions: {', '.join(DIMENSIONS)}")
    if combine not in {"", "best", "lowest"}:
        raise ValueError('combine is "best" or "lowest"')
    return tuple(by), combine


def _read_value(key: str, title: str, unit: str, note: str, table: Table) -> Figure:
    _only(
        table,
        {"effective_from", "effective_to", "value", "citation", "source", "verified", "note"},
    )
    if "value" not in table:
        raise ValueError("value is missing")
    source, verified, note = _text(table, "source"), table.get("verified"), table.get("note", note)
    if source not in SOURCES:
        raise ValueError(f"no such source {source!r}; there are {', '.join(SOURCES)}")
    if not isinstance(verified, bool) or (verified and not may_be_verified(source)):
        raise ValueError(f"verified is true or false, and never true for the source {source}")
    if source == "D" and not note:
        raise ValueError("a design reading (D) has a note that says so")
    last = table.get("effective_to")
    return Figure(
        key=key,
        title=title,
        value=table["value"],
        unit=unit,
        citation=_citation(table.get("citation")),
        source=source,
        verified=verified,
        effective_from=date.fromisoformat(_text(table, "effective_from")),
        effective_to=None if last is None else date.fromisoformat(last),
        note=note,
    )


def _citation(told: object) -> str:
    """How a text is quoted: document, article, day of publication, as far as they are known."""
    if not isinstance(told, dict) or set(told) != {"document", "article", "published"}:
        raise ValueError("citation has document, article and published")
    document, article, published = _text(told, "document"), told["article"], told["published"]
    return ", ".join(filter(None, (document, article, published)))


def _text(table: Table, name: str) -> str:
    text = table.get(name)
    if not isinstance(text, str) or not text:
        raise ValueError(f"{name} is missing")
    return text


def _only(table: Table, known: set[str]) -> None:
    strange = sorted(set(table) - known)
    if strange:
        raise ValueError(f"does not belong here: {', '.join(strange)}")
