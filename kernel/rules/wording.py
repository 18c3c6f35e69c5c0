"""Values, events and clauses as people read them, in one language (用语)."""

import re
import tomllib
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from importlib import resources
from typing import Any, Self

from kernel.rules.pack import Pack
from kernel.rules.sentences import Text, sentences

_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_INSTANT = re.compile(
    r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})"
)
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAMED = re.compile(r"(.*?)\s*[(（]([^()（）]*[\u4e00-\u9fff][^()（）]*)[)）]$")
_MONTHS = "January February March April May June July August September October November December"
_ID_SHOWN = 13
_FLAGS = frozenset(
    {"disputed", "required", "eligible", "grade_eligible", "complete", "deemed", "refused"}
    | {"denied", "counts_denied", "aside_denied", "mistaken"}
    | {"mocked", "offline"},
)
_LEVELS = frozenset({"adl_level", "worse_other_level", "level"})
_LISTS = frozenset({"grades", "groups", "self_grades", "body_kinds", "signals"})
_GRADES = frozenset({"grade", "grade_before", "computed_grade"})
_RATES = frozenset({"share", "rate"})
_AMOUNTS = frozenset({"fund_share", "personal_share", "eligible_cost", "cost"})


@cache
def _words() -> dict[str, dict[str, dict[str, str]]]:
    file = resources.files("kernel.rules").joinpath("words.toml")
    told: dict[str, dict[str, dict[str, str]]] = tomllib.loads(file.read_text(encoding="utf-8"))
    return told


def table(name: str) -> Mapping[str, Text]:
    """All words of one kind: events, fields, values …"""
    return {key: Text(zh=one["zh"], en=one["en"]) for key, one in _words()[name].items()}


class Wording:
    """Says things in one language; a pack adds the names that only it knows."""

    def __init__(
        self,
        lang: str,
        items: Mapping[str, Text] | None = None,
        components: Mapping[str, str] | None = None,
    ) -> None:
        self.lang = lang
        self._items = items or {}
        self._components = components or {}

    @classmethod
    def of_pack(cls, lang: str, pack: Pack | None) -> Self:
        """Wording that names the assessment's items and the benefit's parts as a pack does."""
        if pack is None:
            return cls(lang)
        items = {
            item.code: Text(zh=item.name_zh, en=item.name_en) for item in pack.standard().items
        }
        titles = {
            key.rpartition(".")[2]: figure.title
            for key in pack.keys()  # noqa: SIM118 - a method, not a mapping
            if key.startswith("payment.components.")
            for figure in pack.history(key)[:1]
        }
        return cls(lang, items, titles)

    def phrase(self, name: str, **values: object) -> str:
        """A fixed phrase with its values put in."""
        return self._put("phrases", name, values)

    def page(self, name: str, **values: object) -> str:
        """A fixed phrase of the dossier's page."""
        return self._put("page", name, values)

    def event(self, name: str) -> str:
        """What kind of event it is; its own name where nobody named it."""
        return self._of("events", name) or name

    def service(self, name: str) -> str:
        return self._of("services", name) or name

    def question(self, name: str) -> str:
        return self._of("questions", name) or name

    def verdict(self, name: str) -> str:
        return self._of("verdicts", name) or name

    def mark(self, source: str) -> str:
        """What a figure's source mark says of its text; `none` where a clause has no figure."""
        return self._of("marks", source if source == "none" else source[:1]) or source

    def name(self, field: str) -> str:
        """The name of a field, a step's input or an amount; payees and items by what they are."""
        known = self._of("fields", field.removesuffix("_fen"))
        if known:
            return known
        if field in self._items:
            return self._text(self._items[field])
        if field in self._components:
            return self.titled(self._components[field])
        head, colon, payee = field.partition(":")
        if colon:
            return f"{self.name(head)} → {self.value('payee', payee)}"
        return field.removesuffix("_fen").replace("_", " ")

    def value(self, field: str, value: Any) -> str:
        """A value as people read it: money in yuan, days and months in words, ids shortened."""
        if isinstance(value, dict):
            return self.listed(value)
        if isinstance(value, list | tuple):
            return self.join(self.value(field, one) for one in value) or self.phrase("open_end")
        if isinstance(value, bool) or (field in _FLAGS and value in {0, 1}):
            return self.phrase("yes" if value else "no")
        if isinstance(value, int):
            return self._number(field, value)
        return self._worded(field, str(value))

    def listed(self, told: Mapping[str, Any]) -> str:
        """Names and values in one line."""
        if set(told) == {"item", "score"}:
            return f"{self._item(told['item'])} {told['score']}"
        if set(told) == {"component", "payee", "amount_fen"}:
            name, payee = self.name(told["component"]), self.value("payee", told["payee"])
            return f"{name} → {payee} {self.money(told['amount_fen'])}"
        return self.join(self.pair(field, value) for field, value in told.items())

    def pair(self, field: str, value: Any) -> str:
        """Name and value; the name alone would be said twice before "grade 4"."""
        name, told = self.name(field), self.value(field, value)
        return told if told.startswith(f"{name} ") else f"{name} {told}"

    def is_named(self, field: str) -> bool:
        """Whether the field has a name of its own here."""
        return bool(self._of("fields", field.removesuffix("_fen"))) or field in self._items

    def join(self, parts: Any) -> str:
        return ("；" if self.lang == "zh" else "; ").join(parts)

    def money(self, fen: int) -> str:
        """An amount in yuan: 123450 fen is 1,234.50."""
        sign = "-" if fen < 0 else ""
        told = f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"
        return f"{told}{'元' if self.lang == 'zh' else ' yuan'}"

    def grade(self, grade: str | int) -> str:
        return self._of("grades", str(grade)) or str(grade)

    def level(self, level: str | int) -> str:
        return self._of("levels", str(level)) or str(level)

    def rate(self, text: str) -> str:
        """0.75 as 75%; a third stays 1/3."""
        thousandths = Fraction(text) * 100 * 1000
        if thousandths.denominator != 1:
            return text
        whole, rest = divmod(thousandths.numerator, 1000)
        return f"{whole}.{rest:03d}".rstrip("0").rstrip(".") + "%"

    def output(self, unit: str, value: str | int) -> str:
        """A step's output, by the unit that its sentence names."""
        match unit:
            case "fen" if isinstance(value, int):
                return self.money(value)
            case "days":
                return self.phrase("days", days=str(value))
            case "grade":
                return self.grade(value)
            case "level":
                return self.level(value)
            case "rate":
                return self.rate(str(value))
            case _:
                return self.value("output", value)

    def reason(self, reason: str) -> str:
        """A reason in words, and its code, which programs and offices use."""
        words = sentences().reasons.get(reason)
        return f"{self._text(words)} ({reason})" if words else reason

    def titled(self, text: str) -> str:
        """The half of "English (中文)" that is in this language."""
        found = _NAMED.fullmatch(text)
        if found is None:
            return text
        return found[2] if self.lang == "zh" else found[1]

    def day(self, iso: str) -> str:
        """2024-03-01: 2024年3月1日, 1 March 2024; months likewise, instants with their minute."""
        if found := _INSTANT.fullmatch(iso):
            return f"{self.day(found[1])} {found[2]}"
        if found := _DAY.fullmatch(iso):
            year, month, day = map(int, found.groups())
            if self.lang == "zh":
                return f"{year}年{month}月{day}日"
            return f"{day} {_MONTHS.split()[month - 1]} {year}"
        if found := _MONTH.fullmatch(iso):
            year, month = map(int, found.groups())
            if self.lang == "zh":
                return f"{year}年{month}月"
            return f"{_MONTHS.split()[month - 1]} {year}"
        return iso

    def _number(self, field: str, value: int) -> str:
        if field.endswith("_fen") or field in _AMOUNTS or ":" in field:
            return self.money(value)
        if field in _GRADES:
            return self.grade(value)
        return self.level(value) if field in _LEVELS else str(value)

    def _worded(self, field: str, text: str) -> str:
        if not text:
            return self.phrase("open_end")
        if field in {"differing", "settled_item"}:
            return self.join(self._item(code) for code in text.split(","))
        if field in _LISTS:
            told = (self._of("values", one) or one for one in text.split(","))
            return ("、" if self.lang == "zh" else ", ").join(told)
        if field == "reasons":
            return self.reason(text)
        if field == "payee":
            return self._payee(text)
        if field == "component":
            return self.name(text)
        if field in _RATES:
            return self.rate(text)
        if _ID.fullmatch(text):
            return f"{text[:_ID_SHOWN]}…"
        return self._of("values", text) or self._reason_word(text) or self.day(text)

    def _payee(self, payee: str) -> str:
        kind, _, owner = payee.partition("/")
        return f"{self.phrase(kind)} {owner[:_ID_SHOWN]}…"

    def _reason_word(self, text: str) -> str:
        words = sentences().reasons.get(text)
        return self._text(words) if words else ""

    def _item(self, code: str) -> str:
        return self._text(self._items[code]) if code in self._items else code

    def _put(self, kind: str, name: str, values: Mapping[str, object]) -> str:
        told = self._of(kind, name) or name
        for key, value in values.items():
            told = told.replace("{" + key + "}", str(value))
        return told

    def _of(self, kind: str, name: str) -> str:
        return _words()[kind].get(name, {}).get(self.lang, "")

    def _text(self, text: Text) -> str:
        return text.zh if self.lang == "zh" else text.en
