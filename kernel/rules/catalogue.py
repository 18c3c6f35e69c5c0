"""Lists of service items as data (服务项目目录), each version named by the hash of its content.

A list (`national`, `older`) has versions by day. What was not found stays unknown: an item may be
known to exist, with its kind and no name. Reading the folder is the only I/O.
Source: 国家长期护理保险服务项目目录(试行) of 2025-09-25; the older list of 42 items.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from kernel.rules.figure import SOURCES, may_be_verified
from kernel.rules.reading import PackInvalid, Problem, Table, read_table
from kernel.rules.ruling import canonical

FOLDER = "catalogue"
KINDS = ("life", "medical", "device_rent")  # 生活照护, 医疗护理, 辅助器具租赁
STAFF = ("care_worker", "medical_carer", "nurse", "specialist_nurse", "therapist", "family")
SETTINGS = ("home", "institution", "hospital", "community")
PERIODS = ("day", "week", "month")
_VERSION = {
    "id", "list", "title_zh", "title_en", "document", "article", "published", "source", "verified",
    "effective_from", "effective_to", "note", "kinds", "classes", "items", "exclusions", "local",
}  # fmt: skip
_ITEM = {
    "code", "kind", "class", "name_zh", "name_en", "unknown", "staff", "minutes", "times", "per",
    "rent_per", "note",
}  # fmt: skip
_LOCAL = {
    "pool", "item", "setting", "minutes", "times", "per", "months", "source", "verified",
    "citation",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ServiceClass:
    """A class of items (类别)."""

    code: str
    kind: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, kw_only=True)
class ServiceItem:
    """An item. Unknown ones have a kind and no name; minutes, staff, frequency where stated."""

    code: str
    kind: str
    unknown: bool = False
    class_code: str = ""
    name_zh: str = ""
    name_en: str = ""
    staff: tuple[str, ...] = ()
    minutes: int | None = None
    times: int | None = None
    per: str = ""
    rent_per: str = ""  # of a device: what its rent is for, `day` or `month`
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class LocalStatement:
    """What a pool states of an item in a setting."""

    pool: str
    item: str
    setting: str
    minutes: int | None = None
    times: int | None = None
    per: str = ""
    months: tuple[int, ...] = ()  # of the year; none: all of them
    citation: str = ""
    verified: bool = False


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of a list, for days of care from `effective_from` on."""

    id: str
    list: str
    hash: str  # SHA-256 of the content, in hex
    content: bytes = field(repr=False, compare=False)
    title_zh: str
    title_en: str
    document: str
    source: str
    verified: bool
    effective_from: date
    effective_to: date | None
    note: str
    counts: Mapping[str, int] = field(compare=False)
    classes: tuple[ServiceClass, ...]
    items: tuple[ServiceItem, ...]
    exclusions: tuple[tuple[str, str], ...]  # Chinese and English
    local: tuple[LocalStatement, ...]

    def holds_on(self, day: date) -> bool:
        return self.effective_from <= day and (
            self.effective_to is None or day <= self.effective_to
        )

    def item(self, code: str) -> ServiceItem | None:
        return next((one for one in self.items if one.code == code), None)


@dataclass(frozen=True, kw_only=True)
class Mapped:
    """Where an item of one list belongs in another; nowhere known where both are empty."""

    code: str
    item: str = ""
    class_code: str = ""


@dataclass(frozen=True, kw_only=True)
class Correspondence:
    """From a version to another (新旧目录对照)."""

    source_id: str
    target_id: str
    items: tuple[Mapped, ...]

    def of(self, code: str) -> Mapped | None:
        return next((one for one in self.items if one.code == code), None)


@dataclass(frozen=True, kw_only=True)
class Catalogues:
    """All versions of all lists, and the mappings between them."""

    versions: tuple[Version, ...]
    mappings: tuple[Correspondence, ...]

    @classmethod
    def load(cls, folder: Path) -> "Catalogues":
        """The lists of a folder; PackInvalid says everything that is wrong with them."""
        problems: list[Problem] = []
        versions: list[Version] = []
        tables: list[tuple[str, Table]] = []
        for path in sorted(folder.glob("*.toml")):
            where = f"{FOLDER}/{path.name}"
            try:
                table = read_table(path, where)
                if "from" in table:
                    tables.append((where, table))
                else:
                    versions.append(_version(table))
            except PackInvalid as invalid:
                problems += invalid.problems
            except KeyError as error:
                problems.append(Problem(where, str(error).strip("'"), "missing"))
            except (TypeError, ValueError) as error:
                problems.append(Problem(where, "", str(error)))
        problems += _overlaps(versions)
        mappings: list[Correspondence] = []
        for where, table in tables:
            try:
                mappings.append(_mapping(table, versions))
            except (KeyError, TypeError, ValueError) as error:
                problems.append(Problem(where, "", str(error)))
        if problems:
            raise PackInvalid(problems)
        return cls(versions=tuple(versions), mappings=tuple(mappings))

    def on(self, day: date) -> tuple[Version, ...]:
        """The versions in force on a day of care, one a list."""
        return tuple(version for version in self.versions if version.holds_on(day))

    def find(self, code: str, day: date) -> tuple[Version, ServiceItem] | None:
        """An item as it stands on a day of care, and the version it stands in."""
        for version in self.on(day):
            item = version.item(code)
            if item is not None:
                return version, item
        return None

    def mapped(self, version: Version, code: str) -> tuple[str, Mapped] | None:
        """Where an item belongs in another list, and that version's id."""
        for mapping in self.mappings:
            found = mapping.of(code) if mapping.source_id == version.id else None
            if found is not None:
                return mapping.target_id, found
        return None


# --- reading ----------------------------------------------------------------------------------


def _version(table: Table) -> Version:
    _only(table, _VERSION)
    _marked(table)
    content = canonical(table)
    classes = tuple(ServiceClass(**one) for one in table.get("classes", ()))
    items = tuple(map(_item, table["items"]))
    version = Version(
        id=table["id"],
        list=table["list"],
        hash=hashlib.sha256(content).hexdigest(),
        content=content,
        title_zh=table["title_zh"],
        title_en=table["title_en"],
        document=table["document"],
        source=table["source"],
        verified=table["verified"],
        effective_from=date.fromisoformat(table["effective_from"]),
        effective_to=date.fromisoformat(table["effective_to"]) if "effective_to" in table else None,
        note=table.get("note", ""),
        counts=table["kinds"],
        classes=classes,
        items=items,
        exclusions=tuple((one["text_zh"], one["text_en"]) for one in table.get("exclusions", ())),
        local=tuple(map(_local, table.get("local", ()))),
    )
    _check(version)
    return version


def _check(version: Version) -> None:
    codes = [item.code for item in version.items]
    if len(set(codes)) != len(codes):
        raise ValueError("a code stands twice")
    classes = {one.code: one.kind for one in version.classes}
    for item in version.items:
        if item.class_code and classes.get(item.class_code) != item.kind:
            raise ValueError(f"{item.code}: no class {item.class_code!r} of its kind")
    for kind, count in version.counts.items():
        there = sum(item.kind == kind for item in version.items)
        if there != count:
            raise ValueError(f"{there} items of {kind}, the list has {count}")
    for one in version.local:
        if one.item not in codes:
            raise ValueError(f"{one.pool} speaks of {one.item!r}, which is not listed")


def _item(table: Table) -> ServiceItem:
    _only(table, _ITEM)
    code, kind = table["code"], table["kind"]
    if kind not in KINDS:
        raise ValueError(f"{code}: no such kind {kind!r}; there are {', '.join(KINDS)}")
    unknown = bool(table.get("unknown", False))
    if unknown == ("name_zh" in table):
        raise ValueError(f"{code}: an item has its name, or unknown = true")
    staff = tuple(table.get("staff", ()))
    if not set(staff) <= set(STAFF):
        raise ValueError(f"{code}: staff is of {', '.join(STAFF)}")
    if (kind == "device_rent") != ("rent_per" in table):
        raise ValueError(f"{code}: devices, and they alone, say what their rent is for (rent_per)")
    return ServiceItem(
        code=code,
        kind=kind,
        unknown=unknown,
        class_code=table.get("class", ""),
        name_zh=table.get("name_zh", ""),
        name_en=table.get("name_en", ""),
        staff=staff,
        minutes=_whole(table, "minutes"),
        times=_whole(table, "times"),
        per=_period(table, "per"),
        rent_per=_period(table, "rent_per"),
        note=table.get("note", ""),
    )


def _local(table: Table) -> LocalStatement:
    _only(table, _LOCAL)
    _marked(table)
    if table["setting"] not in SETTINGS:
        raise ValueError(f"setting is one of {', '.join(SETTINGS)}")
    return LocalStatement(
        pool=table["pool"],
        item=table["item"],
        setting=table["setting"],
        minutes=_whole(table, "minutes"),
        times=_whole(table, "times"),
        per=_period(table, "per"),
        months=tuple(table.get("months", ())),
        citation=table["citation"],
        verified=table["verified"],
    )


def _mapping(table: Table, versions: list[Version]) -> Correspondence:
    """Every item of the old list is told, be it as unknown; what it leads to is there."""
    _only(table, {"from", "to", "source", "verified", "note", "items"})
    _marked(table)
    named = {version.id: version for version in versions}
    source, target = named[table["from"]], named[table["to"]]
    mapped = tuple(map(_mapped, table["items"]))
    if sorted(one.code for one in mapped) != sorted(item.code for item in source.items):
        raise ValueError(f"each item of {source.id} is told once, be it as unknown")
    classes = {one.code for one in target.classes}
    for one in mapped:
        if one.item and target.item(one.item) is None:
            raise ValueError(f"{one.code}: {target.id} has no item {one.item!r}")
        if one.class_code and one.class_code not in classes:
            raise ValueError(f"{one.code}: {target.id} has no class {one.class_code!r}")
    return Correspondence(source_id=source.id, target_id=target.id, items=mapped)


def _mapped(table: Table) -> Mapped:
    _only(table, {"code", "item", "class", "unknown"})
    known = "item" in table or "class" in table
    if known == bool(table.get("unknown", False)):
        raise ValueError(f"{table['code']}: leads somewhere, or unknown = true")
    return Mapped(code=table["code"], item=table.get("item", ""), class_code=table.get("class", ""))


def _overlaps(versions: list[Version]) -> Iterator[Problem]:
    by_day = sorted(versions, key=lambda one: (one.list, one.effective_from))
    for earlier, later in pairwise(by_day):
        if earlier.list == later.list and earlier.holds_on(later.effective_from):
            yield Problem(f"{FOLDER}/{later.id}.toml", "effective_from", f"{earlier.id} holds too")


def _marked(table: Table) -> None:
    if table["source"] not in SOURCES:
        raise ValueError(f"no such source {table['source']!r}; there are {', '.join(SOURCES)}")
    if table["verified"] and not may_be_verified(table["source"]):
        raise ValueError(f"never verified with the source {table['source']}")
    if table["source"] == "D" and not table.get("note"):
        raise ValueError("a design reading (D) has a note that says so")


def _whole(table: Table, name: str) -> int | None:
    value: Any = table.get(name)
    if value is not None and (type(value) is not int or value < 1):
        raise ValueError(f"{name} is a whole number above 0")
    return value


def _period(table: Table, name: str) -> str:
    value = table.get(name, "")
    if value and value not in PERIODS:
        raise ValueError(f"{name} is one of {', '.join(PERIODS)}")
    return str(value)


def _only(table: Table, known: set[str]) -> None:
    strange = sorted(set(table) - known)
    if strange:
        raise ValueError(f"does not belong here: {', '.join(strange)}")
