"""One decision, told: what, for whom, because of which facts, by which clauses (裁定说明). Pure.

Everything said here comes from the decision's own ruling, the facts and the pack that it names.
Nothing is decided again; a step nobody wrote a sentence for says its label and its values.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from kernel.calendar import DayKind
from kernel.clock import SHANGHAI
from kernel.messages import about, contents, event_name, message_of, ruling_of
from kernel.replay import RawFact
from kernel.rules.figure import FigureUnknown
from kernel.rules.pack import Pack
from kernel.rules.ruling import FactRef, Ruling
from kernel.rules.sentences import sentences
from kernel.rules.telling import StepLine, tell_changes, tell_outcome, tell_step
from kernel.rules.wording import Wording

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
    steps = tuple(tell_step(ruling, step, pack, wording) for step in ruling.steps)
    changes, all_of_them = tell_changes(ruling, pack, wording)
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
        outcome=tell_outcome(ruling, wording),
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


def _asked(name: str, value: str | int, wording: Wording) -> str:
    if name == "items" and isinstance(value, str):
        # A visit keeps what was done as `item=fen`.
        priced = (one.rpartition("=") for one in value.split(",") if "=" in one)
        return wording.join(f"{item} {wording.money(int(fen))}" for item, _, fen in priced)
    return wording.value(name, value)


# --- How to object ------------------------------------------------------------------------------


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
