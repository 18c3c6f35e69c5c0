"""One decision, told: what, for whom, because of which facts, by which clauses (裁定说明). Pure.

Everything said here comes from the decision's own ruling, the facts and the pack that it names.
Nothing is decided again; a step nobody wrote a sentence for says its label and its values.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from cli.explain.messages import about, contents, event_name, message_of, ruling_of
from cli.explain.wording import Wording
from kernel.calendar import DayKind
from kernel.clock import SHANGHAI
from kernel.replay import RawFact
from kernel.rules.figure import Figure, FigureUnknown
from kernel.rules.pack import Pack
from kernel.rules.ruling import FactRef, Ruling, Step
from kernel.rules.sentences import Sentence, Text, sentences

Facts = Mapping[tuple[str, int], RawFact]
REVIEW_PERIOD = "assessment.review_request_days"


@dataclass(frozen=True, kw_only=True)
class FactLine:
    """A fact the decision stood on."""

    where: str  # `provider:17`
    event: str  # its message's name
    title: str
    about: str
    known: str
    says: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class Citation:
    """The text a clause rests on, as far as it is known, and whether it was read."""

    document: str
    article: str
    published: str
    mark: str  # "verified (…)", or "not verified: …"
    verified: bool


@dataclass(frozen=True, kw_only=True)
class StepLine:
    """One clause applied."""

    title: str
    sentence: str
    verdict: str
    verdict_word: str
    takes_away: bool
    clause: str
    citation: Citation
    arithmetic: str


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Everything a person should be told about a decision, in one language."""

    where: str
    event: str
    title: str
    question: str
    subject: str
    pool: str
    pool_name: str
    about: str
    known: str
    outcome: str
    good: bool
    reasons: tuple[str, ...]
    amounts: tuple[tuple[str, str], ...]
    asked: tuple[tuple[str, str], ...]
    facts: tuple[FactLine, ...]
    steps: tuple[StepLine, ...]
    changes: tuple[str, ...]
    all_of_them: bool  # every change is needed, not one of them
    objection: tuple[str, ...]
    unverified: int  # steps that rest on a text nobody read
    pack: str
    code_version: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def explain(decision: RawFact, facts: Facts, pack: Pack | None, lang: str) -> Explanation:
    """The decision in a language. Facts, the pack, the ruling itself may be missing: it says so."""
    ruling = ruling_of(decision)
    if ruling is None:
        return _unreadable(decision, lang)
    wording = Wording.of_pack(lang, pack)
    outcome = sentences().of_outcome(ruling)
    steps = tuple(_step(ruling, step, pack, wording) for step in ruling.steps)
    changes, all_of_them = _changes(ruling, pack, wording)
    name = event_name(decision.type)
    where = f"{decision.service}:{decision.position}"
    return Explanation(
        where=where,
        event=name,
        title=wording.event(name),
        question=wording.question(ruling.question),
        subject=ruling.subject,
        pool=ruling.pool,
        pool_name=_pool_name(ruling.pool, pack, lang),
        about=wording.day(about(message_of(decision))),
        known=_moment(decision, wording),
        outcome=_outcome(ruling, outcome.text if outcome else None, wording),
        good=(outcome is None or outcome.good) and not ruling.reasons,
        reasons=tuple(map(wording.reason, ruling.reasons)),
        amounts=tuple((wording.name(k), wording.money(v)) for k, v in ruling.amounts.items()),
        asked=tuple((wording.name(k), _asked(k, v, wording)) for k, v in ruling.asked.items()),
        facts=tuple(fact_line(ref, facts, wording) for ref in ruling.facts),
        steps=steps,
        changes=changes,
        all_of_them=all_of_them,
        objection=_objection(ruling, decision, pack, wording),
        unverified=sum(not step.citation.verified for step in steps),
        pack=ruling.pack,
        code_version=ruling.code_version,
    )


def _unreadable(decision: RawFact, lang: str) -> Explanation:
    """What is left to say of a decision whose ruling was damaged."""
    wording, message = Wording(lang), message_of(decision)
    name, where = event_name(decision.type), f"{decision.service}:{decision.position}"
    pool: str = getattr(message, "pool", "")
    return Explanation(
        where=where,
        event=name,
        title=wording.event(name),
        question="",
        subject=getattr(message, "person", ""),
        pool=pool,
        pool_name=pool,
        about=wording.day(about(message)),
        known=_moment(decision, wording),
        outcome=wording.phrase("unreadable"),
        good=False,
        reasons=(),
        amounts=(),
        asked=tuple((wording.name(k), wording.value(k, v)) for k, v in contents(message).items()),
        facts=(),
        steps=(),
        changes=(),
        all_of_them=False,
        objection=(
            wording.phrase("objection_other", pool=pool),
            wording.phrase("objection_say", where=where),
        ),
        unverified=0,
        pack="",
        code_version="",
    )


def fact_line(ref: FactRef, facts: Facts, wording: Wording) -> FactLine:
    """A fact as a line; where it cannot be read, its place and digest."""
    where = f"{ref.service}:{ref.position}"
    fact = facts.get((ref.service, ref.position))
    if fact is None:
        missing = wording.phrase("missing")
        return FactLine(
            where=where, event="", title=missing, about="", known="", says="", digest=ref.digest
        )
    message, name = message_of(fact), event_name(fact.type)
    return FactLine(
        where=where,
        event=name,
        title=wording.event(name),
        about=wording.day(about(message)),
        known=_moment(fact, wording),
        says=wording.listed(contents(message)),
        digest=ref.digest,
    )


def _moment(fact: RawFact, wording: Wording) -> str:
    return wording.day(fact.recorded_at.astimezone(SHANGHAI).isoformat(timespec="minutes"))


def _pool_name(pool: str, pack: Pack | None, lang: str) -> str:
    if pack is None:
        return pool
    return pack.name_zh if lang == "zh" else pack.name_en


def _outcome(ruling: Ruling, text: Text | None, wording: Wording) -> str:
    if text is None:
        return ruling.outcome
    grade = ruling.outcome.removeprefix("grade_")
    values = dict(ruling.asked) | ({"grade": int(grade)} if grade.isdecimal() else {})
    return text.filled(wording.lang, values, wording.value)


def _asked(name: str, value: str | int, wording: Wording) -> str:
    if name == "items" and isinstance(value, str):
        # A visit keeps what was done as `item=fen`.
        priced = (one.rpartition("=") for one in value.split(",") if "=" in one)
        return wording.join(f"{item} {wording.money(int(fen))}" for item, _, fen in priced)
    return wording.value(name, value)


# --- Steps ------------------------------------------------------------------------------------


def _step(ruling: Ruling, step: Step, pack: Pack | None, wording: Wording) -> StepLine:
    sentence = sentences().of_step(ruling.question, step)
    figure = _figure(step, pack)
    title = wording.titled(figure.title if figure else step.label.partition(":")[0])
    unit = sentence.unit if sentence else _guessed_unit(step)
    return StepLine(
        title=title,
        sentence=_said(step, sentence, title, unit, wording),
        verdict=step.verdict,
        verdict_word=wording.verdict(step.verdict),
        takes_away=sentence.takes_away if sentence else step.verdict == "not_met",
        clause=step.clause,
        citation=_citation(step, figure, pack, wording),
        arithmetic=_arithmetic(step, unit, wording),
    )


def _said(step: Step, sentence: Sentence | None, title: str, unit: str, wording: Wording) -> str:
    if sentence is None:
        return f"{step.label} {wording.phrase('no_sentence')}"
    return _filled(sentence.text, step, title, unit, wording)


def _filled(text: Text, step: Step, title: str, unit: str, wording: Wording) -> str:
    def say(name: str, value: str | int) -> str:
        if name == "title":
            return title
        if name == "inputs":
            return _in_brackets(step, unit, wording)
        return wording.output(unit, value) if name == "output" else wording.value(name, value)

    return text.filled(wording.lang, {**step.inputs, "output": step.output}, say)


def _arithmetic(step: Step, unit: str, wording: Wording) -> str:
    """Inputs, an arrow, the output. What a price list sums is named by its items, in fen."""
    parts = _inputs(step, unit, wording)
    if step.verdict == "computed":
        result = wording.output(unit, step.output)
    else:
        result = wording.verdict(step.verdict)
    return f"{wording.join(parts)} → {result}" if parts else f"→ {result}"


def _inputs(step: Step, unit: str, wording: Wording) -> list[str]:
    parts = []
    for name, value in step.inputs.items():
        if unit == "fen" and type(value) is int and not wording.is_named(name):
            parts.append(f"{name} {wording.money(value)}")
        else:
            parts.append(wording.pair(name, value))
    return parts


def _in_brackets(step: Step, unit: str, wording: Wording) -> str:
    parts = _inputs(step, unit, wording)
    if not parts:
        return ""
    told = wording.join(parts)
    return f"（{told}）" if wording.lang == "zh" else f" ({told})"


def _guessed_unit(step: Step) -> str:
    return "fen" if any(name.endswith("_fen") for name in step.inputs) else ""


def _figure(step: Step, pack: Pack | None) -> Figure | None:
    """The pack's figure that the step cites; None where the clause has no figure."""
    history: Sequence[Figure] = pack.history(step.clause) if pack else ()
    wanted = (step.citation, step.verified)
    return next((one for one in history if (one.citation, one.verified) == wanted), None)


def _citation(step: Step, figure: Figure | None, pack: Pack | None, wording: Wording) -> Citation:
    parts = _cited_parts(step, pack) if figure else None
    if step.verified:
        mark = wording.phrase("verified") + (f" ({wording.mark(figure.source)})" if figure else "")
    else:
        told = wording.mark(figure.source) if figure else wording.mark("none")
        note = f" – {figure.note}" if figure and figure.note else ""
        colon = "：" if wording.lang == "zh" else ": "
        mark = f"{wording.phrase('not_verified')}{colon}{told}{note}"
    return Citation(
        document=parts["document"] if parts else step.citation,
        article=parts["article"] if parts else "",
        published=parts["published"] if parts else "",
        mark=mark,
        verified=step.verified,
    )


def _cited_parts(step: Step, pack: Pack | None) -> dict[str, str] | None:
    """Document, article and day of publication apart, as the pack's own text keeps them."""
    told: Any = json.loads(pack.content)["files"] if pack else {}
    for part in step.clause.split("."):
        told = told.get(part, {}) if isinstance(told, dict) else {}
    values = told.get("values", ()) if isinstance(told, dict) else ()
    for value in values:
        cited = value.get("citation", {})
        if _joined(cited) == step.citation:
            return {name: str(cited.get(name, "")) for name in ("document", "article", "published")}
    return None


def _joined(cited: Mapping[str, str]) -> str:
    return ", ".join(filter(None, (cited.get(n) for n in ("document", "article", "published"))))


# --- What would change it, and how to object -----------------------------------------------------


def _changes(ruling: Ruling, pack: Pack | None, wording: Wording) -> tuple[tuple[str, ...], bool]:
    """What the steps that refuse or take away say would change them; each once, in their order."""
    found: dict[str, None] = {}
    refusing = 0
    for step in ruling.steps:
        sentence = sentences().of_step(ruling.question, step)
        if sentence is None or sentence.change is None:
            continue
        figure = _figure(step, pack)
        title = wording.titled(figure.title if figure else step.label.partition(":")[0])
        said = _filled(sentence.change, step, title, sentence.unit, wording)
        refusing += step.verdict == "not_met" and said not in found
        found[said] = None
    return tuple(found), refusing > 1


def _objection(
    ruling: Ruling, decision: RawFact, pack: Pack | None, wording: Wording
) -> tuple[str, ...]:
    """To whom, how long, and what to name; the period only where the pack has one for it."""
    pool = _pool_name(ruling.pool, pack, wording.lang)
    where = wording.phrase("objection_say", where=f"{decision.service}:{decision.position}")
    if ruling.question != "grade":
        return wording.phrase("objection_other", pool=pool), where
    day = about(message_of(decision))
    try:
        figure = pack.figure(REVIEW_PERIOD, date.fromisoformat(day)) if pack else None
    except (FigureUnknown, ValueError):
        figure = None
    if figure is None:
        return wording.phrase("objection_grade_open", pool=pool), where
    term = figure.term()
    kind = "working_days" if term.kind is DayKind.WORKING else "calendar_days"
    period = wording.phrase(kind, days=str(term.days))
    if figure.verified:
        mark = wording.phrase("verified")
    else:
        colon = "：" if wording.lang == "zh" else ": "
        told = figure.note or wording.mark(figure.source)
        mark = f"{wording.phrase('not_verified')}{colon}{told}"
    return (
        wording.phrase("objection_grade", period=period, pool=pool),
        wording.phrase("period_mark", citation=figure.citation, mark=mark),
        where,
    )
