"""Composes a letter from a decision's ruling (文书生成). Pure: no clock, no I/O.

Every sentence comes from a step of the ruling or is a fixed phrase; a letter says nothing that its
ruling does not. The document is canonical JSON with each text in Chinese and in English; the same
matter and pack give the same bytes. The addressee is not in it.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from kernel.calendar import DayKind
from kernel.ids import derive
from kernel.letters.issued import LetterIssued
from kernel.letters.phrases import LANGUAGES, Kind, phrases
from kernel.rules.figure import Figure, FigureUnknown
from kernel.rules.pack import Pack
from kernel.rules.ruling import FactRef, Ruling, Step, canonical
from kernel.rules.sentences import Text, sentences
from kernel.rules.telling import tell_changes, tell_outcome, tell_step
from kernel.rules.wording import Wording

FORM = 1  # of the document; a reader of old letters looks at it
OFFICE = "pool.office"
_ELSEWHERE = "recorded_elsewhere"
_SERIAL_CHARACTERS = 10
_FOR_THE_FAMILY = frozenset({"DEATH", "DEAD"})
Table = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class FactTold:
    """A fact as a letter tells it: what it says, where it comes from, since when it is known."""

    ref: FactRef  # position 0: recorded together with the letter
    event: str  # the short name of its event; empty where only its place is known here
    about: str  # the day it is about; empty where it is about none
    known: str  # local time to the minute
    says: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Matter:
    """What a letter is about: what was decided, on which rulings, because of which facts."""

    kind: str
    letter: UUID
    person: UUID | None  # None where it is to a body
    pool: str
    application: UUID | None
    decision: str
    decision_digest: str
    rulings: tuple[Ruling, ...]  # told in this order
    recorded: Ruling | None  # the one that an event keeps: the decision's, or what it rests on
    facts: tuple[FactTold, ...]
    officer: str
    issued_date: date
    to: str = "to_person"  # the line that addresses it
    provider: UUID | None = None  # the body it is to


class LetterDamaged(ValueError):  # noqa: N818 - says what the letter is
    """The bytes of a letter are not those that its hash names."""


def letter_id(kind: str, *names: str) -> UUID:
    """The letter that tells this; a decision told again is the same letter."""
    return derive("letter", kind, *names)


def compose(matter: Matter, pack: Pack) -> LetterIssued:
    """The letter, ready to be recorded."""
    document = canonical(_document(matter, pack))
    return LetterIssued(
        letter=matter.letter,
        person=matter.person,
        pool=matter.pool,
        kind=matter.kind,
        application=matter.application,
        decision=matter.decision,
        decision_digest=matter.decision_digest,
        ruling_hash=matter.recorded.digest() if matter.recorded else "",
        officer=matter.officer,
        issued_date=matter.issued_date,
        languages=LANGUAGES,
        hash=hashlib.sha256(document).hexdigest(),
        document=document,
        provider=matter.provider,
    )


def read(document: bytes, digest: str) -> Table:
    """The letter that the hash names. Raises `LetterDamaged` for any other bytes."""
    if hashlib.sha256(document).hexdigest() != digest:
        raise LetterDamaged(f"the letter's bytes are not those of {digest}")
    told: Table = json.loads(document)
    return told


def _document(matter: Matter, pack: Pack) -> Table:
    kind = phrases().kinds[matter.kind]
    number = _number(matter, kind, pack)
    office, office_known = _office(pack, matter.issued_date)
    grounds = [_ground(r, step, pack) for r in matter.rulings for step in r.steps]
    remedies = [_remedy(name, matter, pack, office) for name in kind.remedies]
    unverified = sum(not one["verified"] for one in grounds)
    outcomes = [sentences().of_outcome(ruling) for ruling in matter.rulings]
    reasons = tuple(dict.fromkeys(r for ruling in matter.rulings for r in ruling.reasons))
    to_family = bool(_FOR_THE_FAMILY & set(reasons))
    changes, all_of_them = _changes(matter.rulings, pack)
    return {
        "form": FORM,
        "letter": str(matter.letter),
        "kind": matter.kind,
        "number": number,
        "person": str(matter.person) if matter.person else "",
        "application": str(matter.application) if matter.application else "",
        "pool": matter.pool,
        "pool_name": {"zh": pack.name_zh, "en": pack.name_en},
        "to": _table(phrases().lines["to_family" if to_family else matter.to]),
        "title": _table(kind.title),
        "opening": _table(phrases().lines["opening_family"] if to_family else kind.opening),
        "good": not reasons and all(one is None or one.good for one in outcomes),
        "outcomes": [_both(pack, lambda w, r=r: tell_outcome(r, w)) for r in matter.rulings],  # type: ignore[misc]
        "reasons": [_both(pack, lambda w, r=r: w.reason(r)) for r in reasons],  # type: ignore[misc]
        "facts": [_fact(one, pack) for one in matter.facts],
        "grounds": grounds,
        "changes": changes,
        "all_of_them": all_of_them,
        "remedies": remedies,
        "say": _line("say", number),
        "notes": _notes(unverified, reasons),
        "office": office,
        "office_known": office_known,
        "officer": matter.officer,
        "issued_date": matter.issued_date.isoformat(),
        "day": _both(pack, lambda w: w.day(matter.issued_date.isoformat())),
        "decision": {
            "event": matter.decision,
            "digest": matter.decision_digest,
            "rulings": [ruling.digest() for ruling in matter.rulings],
            "pack": pack.pin,
            "code_version": matter.rulings[0].code_version,
        },
        # Letters to people keep the form that they had before there were any to bodies.
        **({"provider": str(matter.provider)} if matter.provider else {}),
    }


# --- Parts ------------------------------------------------------------------------------------


def _number(matter: Matter, kind: Kind, pack: Pack) -> Table:
    # Of the letter's id: a running number would make all letters of a pool wait for each other.
    return {
        lang: _put(
            "number",
            lang,
            pool=pool,
            mark=kind.mark,
            code=kind.code,
            year=str(matter.issued_date.year),
            serial=matter.letter.hex[:_SERIAL_CHARACTERS].upper(),
        )
        for lang, pool in (("zh", pack.name_zh), ("en", matter.pool))
    }


def _office(pack: Pack, on: date) -> tuple[Table, bool]:
    """The handling agency by its name, or by what it is where the pack does not name it."""
    figure = _first_known(pack, (OFFICE,), on)
    if figure is not None:
        told = figure.table()
        return {"zh": str(told["name_zh"]), "en": str(told["name_en"])}, True
    names = {"zh": pack.name_zh, "en": pack.name_en}
    return {lang: _put("office", lang, pool=names[lang]) for lang in LANGUAGES}, False


def _fact(fact: FactTold, pack: Pack) -> Table:
    here = fact.ref.position
    return {
        "service": fact.ref.service,
        "position": here,
        "digest": fact.ref.digest,
        "event": fact.event,
        "title": _both(pack, lambda w: w.event(fact.event)) if fact.event else _line(_ELSEWHERE),
        "source": _both(pack, lambda w: w.service(fact.ref.service)),
        "place": _same(f"{fact.ref.service}:{here}") if here else _line("recorded_with"),
        "about": _both(pack, lambda w: w.day(fact.about)),
        "known": _both(pack, lambda w: w.day(fact.known)),
        "says": _both(pack, lambda w: w.listed(fact.says)),
    }


def _ground(ruling: Ruling, step: Step, pack: Pack) -> Table:
    """One clause applied: the sentence, the text it rests on, and whether that was read."""
    lines = {lang: tell_step(ruling, step, pack, _wording(pack, lang)) for lang in LANGUAGES}
    one = lines["zh"]
    return {
        "clause": step.clause,
        "verdict": step.verdict,
        "takes_away": one.takes_away,
        "text": {lang: line.sentence for lang, line in lines.items()},
        "sum": {lang: line.arithmetic for lang, line in lines.items()},
        "document": one.citation.document,
        "article": one.citation.article,
        "published": one.citation.published,
        "verified": step.verified,
        "mark": {lang: line.citation.plain_mark for lang, line in lines.items()},
    }


def _changes(rulings: Sequence[Ruling], pack: Pack) -> tuple[list[Table], bool]:
    told: list[Table] = []
    every = False
    for ruling in rulings:
        zh, all_of_them = tell_changes(ruling, pack, _wording(pack, "zh"))
        en, _ = tell_changes(ruling, pack, _wording(pack, "en"))
        told += [{"zh": one, "en": other} for one, other in zip(zh, en, strict=True)]
        every = every or all_of_them
    return told, every


def _remedy(name: str, matter: Matter, pack: Pack, office: Table) -> Table:
    """How to object and until when; a period that nobody knows is said to be unknown."""
    remedy = phrases().remedies[name]
    figure = _first_known(pack, remedy.figures, matter.issued_date)
    told: Table = {"name": name, "title": _table(remedy.title), "until": "", "basis": _same("")}
    if figure is None:
        return told | {"text": _filled(remedy.unknown, office=office)}
    term = figure.term()
    until = term.after(matter.issued_date)
    unit = "working_days" if term.kind is DayKind.WORKING else "calendar_days"
    basis = "period_verified" if figure.verified else "period_unverified"
    return told | {
        "until": until.isoformat(),
        "text": _filled(
            remedy.known,
            office=office,
            period=_both(pack, lambda w: w.phrase(unit, days=str(term.days))),
            until=_both(pack, lambda w: w.day(until.isoformat())),
            **{"from": _both(pack, lambda w: w.day(matter.issued_date.isoformat()))},
        ),
        "basis": _line(basis, citation=figure.citation),
    }


def _notes(unverified: int, reasons: Sequence[str]) -> list[Table]:
    """What a reader should know of the letter itself."""
    notes = [_line("unverified", count=str(unverified))] if unverified else []
    unworded = [reason for reason in reasons if reason not in sentences().reasons]
    return notes + ([_line("unworded", codes=", ".join(unworded))] if unworded else [])


def _first_known(pack: Pack, keys: Sequence[str], on: date) -> Figure | None:
    for key in keys:
        try:
            return pack.figure(key, on)
        except FigureUnknown:
            continue
    return None


# --- Both languages ---------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _wording(pack: Pack, lang: str) -> Wording:
    return Wording.of_pack(lang, pack)


def _both(pack: Pack, say: Callable[[Wording], str]) -> Table:
    return {lang: say(_wording(pack, lang)) for lang in LANGUAGES}


def _same(text: str) -> Table:
    return dict.fromkeys(LANGUAGES, text)


def _table(text: Text) -> Table:
    return {"zh": text.zh, "en": text.en}


def _line(name: str, number: Table | None = None, **values: str) -> Table:
    """A line of any letter; the letter's number is another in each language."""
    named = {lang: values | ({"number": number[lang]} if number else {}) for lang in LANGUAGES}
    return {lang: _put(name, lang, **named[lang]) for lang in LANGUAGES}


def _filled(text: Text, **values: Table) -> Table:
    return {
        lang: text.filled(
            lang,
            {name: one[lang] for name, one in values.items()},
            lambda _, value: str(value),
        )
        for lang in LANGUAGES
    }


def _put(name: str, lang: str, **values: str) -> str:
    return phrases().lines[name].filled(lang, values, lambda _, value: str(value))
