"""A case as one page that needs nothing else: for a screen, and for paper (个案卷宗)."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2

from cli.explain.casefile import CaseFile, Instruction, StreamCheck
from cli.explain.explanation import Explanation, explain
from cli.explain.ltci_dossier.again import Difference, is_decision
from kernel.clock import SHANGHAI
from kernel.messages import about, contents, event_name, message_of
from kernel.replay import RawFact
from kernel.rules.wording import Wording

# Of every visit start, evidence, end and confirmation: shown only where asked for.
_MINOR = frozenset({"VisitStarted", "EvidenceKept", "VisitEnded", "VisitConfirmed"})
_PEOPLE = (  # event, field with the id, field with the role or the role's word
    ("OnSiteAssessed", "assessor", "assessor_kind"),
    ("ConclusionConfirmed", "expert", "expert"),
    ("VisitStarted", "caregiver", "caregiver"),
    ("PlanApproved", "provider", "provider"),
)

Kind = tuple[str, str]  # of stream: service and category


@dataclass(frozen=True, kw_only=True)
class Line:
    """An event in the timeline."""

    where: str
    known: str
    about: str
    title: str
    says: str
    service: str
    decision: bool
    minor: bool


@dataclass(frozen=True, kw_only=True)
class Told:
    """A decision with how it came out when it was made again."""

    it: Explanation
    differences: Sequence[Difference]
    facts: RawFact

    @property
    def anchor(self) -> str:
        return self.it.where.replace(":", "-")


@dataclass(frozen=True, kw_only=True)
class MonthLine:
    """A month's benefit."""

    anchor: str
    month: str
    settled: str
    parts: tuple[tuple[str, str], ...]
    cost: int
    fund: int
    own: int


@dataclass(frozen=True, kw_only=True)
class InstructionLine:
    """A payment and what proves it."""

    id: str
    settled: str
    payee: str
    amount: int
    state: str
    evidence: str
    paid: bool


def render(case: CaseFile, lang: str) -> str:
    """The page, complete with its style; no link leads out of it."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cli.explain", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    wording = Wording.of_pack(
        lang, case.library.pack_of(case.decisions[-1]) if case.decisions else None
    )
    told = [_told(case, decision, lang) for decision in case.decisions]
    counted = _counted(told)
    months = list(_months(case, wording))
    return environment.get_template("dossier.html.j2").render(
        w=wording,
        case=case,
        lang=lang,
        pools=sorted({(one.it.pool_name, one.it.pool) for one in told}),
        state=_state(case, wording),
        made=wording.day(case.made_at.astimezone(SHANGHAI).isoformat(timespec="minutes")),
        timeline=list(_timeline(case, wording)),
        told=[one for one in told if one not in counted],
        visits=counted,
        months=months,
        sums=[sum(getattr(m, name) for m in months) for name in ("cost", "fund", "own")],
        instructions=[_instruction(one, wording) for one in case.instructions],
        people=list(_people(case, wording)),
        actors=sorted(Counter((e.fact.service, e.actor) for e in case.entries).items()),
        unverified=_unverified(told),
        broken=sum(bool(check.broken_at) for check in case.streams),
        computed=all(check.computed for check in case.streams),
        chains=_chains(case.streams),
        kinds=sorted(Counter(one.it.title for one in told).items()),
    )


def _counted(told: Sequence[Told]) -> list[Told]:
    """The visits that count: of several verdicts on a visit the last one."""
    last: dict[str, Told] = {}
    for one in told:
        if one.it.event in {"ServiceDelivered", "ServiceRejected"}:
            last[message_of(one.facts).visit] = one  # type: ignore[attr-defined]
    return [one for one in last.values() if one.it.event == "ServiceDelivered"]


def _told(case: CaseFile, decision: RawFact, lang: str) -> Told:
    it = explain(decision, case.library.facts, case.library.pack_of(decision), lang)
    found = case.replayed[decision.service, decision.position]
    return Told(it=it, differences=found, facts=decision)


def _timeline(case: CaseFile, wording: Wording) -> Iterator[Line]:
    for entry in case.entries:
        message, name = message_of(entry.fact), event_name(entry.fact.type)
        known = entry.fact.recorded_at.astimezone(SHANGHAI).isoformat(timespec="minutes")
        yield Line(
            where=f"{entry.fact.service}:{entry.fact.position}",
            known=wording.day(known),
            about=wording.day(about(message)),
            title=wording.event(name),
            says=wording.listed(contents(message)),
            service=wording.service(entry.fact.service),
            decision=is_decision(entry.fact),
            minor=name in _MINOR,
        )


def _state(case: CaseFile, wording: Wording) -> str:
    """What the newest recorded change of the entitlement says, or where the application stands."""
    for kinds in (("Entitlement",), ("Application", "Conclusion", "AssessmentGraded")):
        for entry in reversed(case.entries):
            name = event_name(entry.fact.type)
            if name.startswith(kinds):
                message = message_of(entry.fact)
                day = wording.day(about(message))
                told: dict[str, Any] = contents(message)
                more = [wording.value(k, told[k]) for k in ("grade", "cause") if told.get(k)]
                return " · ".join(filter(None, [wording.event(name), day, *more]))
    return wording.page("state_none")


# --- Money ------------------------------------------------------------------------------------


def _months(case: CaseFile, wording: Wording) -> Iterator[MonthLine]:
    for decision in case.decisions:
        if event_name(decision.type) != "BenefitDetermined":
            continue
        m: Any = message_of(decision)
        yield MonthLine(
            anchor=f"{decision.service}-{decision.position}",
            month=wording.day(m.month),
            settled=wording.day(m.settled_month),
            parts=tuple(
                (
                    f"{wording.name(c.component)} → {wording.value('payee', c.payee)}",
                    wording.money(c.amount_fen),
                )
                for c in m.components
            ),
            cost=m.eligible_cost_fen,
            fund=m.fund_share_fen,
            own=m.personal_share_fen,
        )


def _instruction(one: Instruction, wording: Wording) -> InstructionLine:
    first: Any = message_of(one.events[0])
    last = one.events[-1]
    paid = next((e for e in one.events if event_name(e.type) == "BenefitPaid"), None)
    evidence = wording.page("no_evidence")
    told = contents(message_of(paid or last))
    kept = ("evidence_kind", "bank_reference", "booked_time", "cause", "replaced_by")
    if parts := {name: told[name] for name in kept if name in told}:
        evidence = wording.listed(parts)
    return InstructionLine(
        id=one.id,
        settled=wording.day(one.settled_month),
        payee=wording.value("payee", one.payee),
        amount=first.amount_fen,
        state=wording.event(event_name(last.type)),
        evidence=evidence,
        paid=paid is not None,
    )


# --- People, and what was not verified --------------------------------------------------------


def _people(case: CaseFile, wording: Wording) -> Iterator[tuple[str, str, str, int]]:
    """Role, id, what was done, how often."""
    found: Counter[tuple[str, str, str]] = Counter()
    for entry in case.entries:
        name = event_name(entry.fact.type)
        for kind, identity, role in _PEOPLE:
            if name == kind:
                told = contents(message_of(entry.fact))
                word = wording.value(role, told[role]) if role.endswith("_kind") else ""
                did = wording.event(name)
                found[word or wording.name(role), str(told.get(identity, "")), did] += 1
    for (role, identity, did), times in sorted(found.items()):
        yield role, identity, did, times


def _chains(checks: Sequence[StreamCheck]) -> list[tuple[str, str, int, int, int]]:
    """Service, kind of stream, how many of them, with how many events, how many broken."""
    streams, events, broken = Counter[Kind](), Counter[Kind](), Counter[Kind]()
    for check in checks:
        kind = (check.service, check.category)
        streams[kind] += 1
        events[kind] += check.events
        broken[kind] += bool(check.broken_at)
    return [(*kind, count, events[kind], broken[kind]) for kind, count in sorted(streams.items())]


def _unverified(told: Sequence[Told]) -> list[tuple[str, str, str, int]]:
    """Each clause that rests on an unread text: its key, document, mark, and how often used."""
    found = Counter(
        (step.clause, step.citation.document, step.citation.mark)
        for one in told
        for step in one.it.steps
        if not step.citation.verified
    )
    return [(clause, text, mark, times) for (clause, text, mark), times in sorted(found.items())]
