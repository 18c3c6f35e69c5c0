"""Objections to a published conclusion (异议). Pure: no clock, no I/O.

Anybody may object while the conclusion is public, in real name. Source: 医保发〔2023〕29号; the
time to decide as Chengdu has it, counted from the end of publicity.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from kernel.refusal import NotFound, Refused
from kernel.rules.pack import Pack
from kernel.rules.ruling import Clause, Fact, Ruling, Trace
from services.assessment.domain import dispute_events as d
from services.assessment.domain import events as e
from services.assessment.domain import grounds as g
from services.assessment.domain import terms
from services.assessment.domain.applicant import Application, State
from services.assessment.domain.dispute_events import ObjectionOutcome as Outcome
from services.assessment.domain.disputed import Disputed
from services.assessment.domain.order import not_before

QUESTION = "objection"
JUDGED = Clause(
    key="assessment.judged_by_people",
    citation="长期护理保险失能等级评估管理办法(试行), 医保发〔2023〕29号: decided by people",
    verified=False,
)


@dataclass(frozen=True, kw_only=True)
class FileObjection:
    """What was told; the day to decide is not known yet."""

    application: UUID
    objection: UUID
    objector: UUID
    objector_name: str
    objector_contact: str
    statement: str
    attacked_clauses: tuple[str, ...]
    attacked_items: tuple[str, ...]
    filed_date: date


@dataclass(frozen=True, kw_only=True)
class DecideObjection:
    """`grounds` are the facts on record."""

    application: UUID
    objection: UUID
    outcome: Outcome
    reasoning: str
    decided_by: tuple[str, ...]
    decided_date: date
    grounds: g.Grounds = field(default_factory=g.Grounds)


def file(
    command: FileObjection, one: Application, disputed: Disputed, pack: Pack
) -> list[d.DisputeEvent]:
    """Refuses NOT_IN_PUBLICITY, REVIEW_RUNNING."""
    if command.objection in disputed.objections:
        return []
    g.check_items("attacked_items", command.attacked_items, pack)
    first, last, day = disputed.published, one.publicity_end, command.filed_date
    public = one.state is State.PUBLISHED and first is not None and last is not None
    if not public or not first <= day <= last:  # type: ignore[operator]
        raise Refused("NOT_IN_PUBLICITY", state=one.state, publicity_end_date=str(last or ""))
    if disputed.review is not None:
        raise Refused("REVIEW_RUNNING", due_date=str(disputed.review.told.due_date))
    assert last is not None  # noqa: S101 - tells the type checker
    return [
        d.ObjectionFiled(
            objection=command.objection,
            application=one.application,
            person=one.person,
            pool=one.pool,
            objector=command.objector,
            objector_name=command.objector_name,
            objector_contact=command.objector_contact,
            statement=command.statement,
            attacked_clauses=command.attacked_clauses,
            attacked_items=command.attacked_items,
            filed_date=day,
            due_date=terms.objection_due(pack, last),
        )
    ]


def decide(
    command: DecideObjection, one: Application, disputed: Disputed, pack: Pack
) -> list[d.DisputeEvent]:
    """Refuses NotFound, DECIDED_ALREADY, SAME_ASSESSOR. Upheld, it orders a review."""
    objection = disputed.objections.get(command.objection)
    if objection is None:
        raise NotFound("objection", command.objection)
    if objection.decided is not None:
        if objection.decided.outcome is command.outcome:
            return []
        raise Refused("DECIDED_ALREADY", outcome=objection.decided.outcome)
    g_twice = sorted(set(command.decided_by) & set(disputed.first_round))
    if g_twice:
        raise Refused("SAME_ASSESSOR", people=",".join(g_twice))
    not_before("decided_date", command.decided_date, objection.told.filed_date)
    ruling = rule(_question(command, one), _facts(command), pack, command.grounds.code_version)
    told = objection.told
    events: list[d.DisputeEvent] = [
        d.ObjectionDecided(
            objection=told.objection,
            application=one.application,
            person=one.person,
            pool=one.pool,
            outcome=command.outcome,
            reasoning=command.reasoning,
            decided_by=command.decided_by,
            decided_date=command.decided_date,
            attacked_clauses=told.attacked_clauses,
            attacked_items=told.attacked_items,
            original_assessors=disputed.assessors,
            ruling=ruling.to_bytes(),
        )
    ]
    if command.outcome is Outcome.UPHELD and disputed.review is None:
        events.append(
            d.ReviewOrdered(
                application=one.application,
                person=one.person,
                pool=one.pool,
                objection=told.objection,
                ordered_date=command.decided_date,
                due_date=terms.review_due(pack, command.decided_date),
                attacked_clauses=told.attacked_clauses,
                attacked_items=told.attacked_items,
            )
        )
    return events


# The ruling ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Question:
    """Is this objection well founded, and was it handled as the rules ask?"""

    objection: UUID
    application: UUID
    person: UUID
    pool: str
    outcome: Outcome
    decided_by: tuple[str, ...]
    decided_date: date


def rule(question: Question, facts: Sequence[Fact], pack: Pack, code_version: str) -> Ruling:
    """How an objection was decided. Facts: the objection, its publication, the first forms."""
    filed = next(
        (
            fact.event
            for fact in facts
            if isinstance(fact.event, d.ObjectionFiled)
            and fact.event.objection == question.objection
        ),
        None,
    )
    published = g.event_in(facts, e.ConclusionPublished)
    if filed is None or published is None:
        raise LookupError("the objection and its publication are not among the facts")
    trace = Trace()
    trace.check(
        holds=published.published_date <= filed.filed_date <= published.publicity_end_date,
        clause=pack.figure("assessment.publicity_days", published.published_date),
        label="filed while the conclusion was public (公示期内提出)",
        inputs={
            "filed_date": f"{filed.filed_date}",
            "published_date": f"{published.published_date}",
            "publicity_end_date": f"{published.publicity_end_date}",
        },
    )
    g.check_in_time(
        trace,
        pack.figure("assessment.objection_days", published.publicity_end_date),
        "decided in time (异议处理期限)",
        {"decided_date": question.decided_date, "due_date": filed.due_date},
    )
    before = [fact.event.assessor for fact in facts if isinstance(fact.event, e.OnSiteAssessed)]
    g.check_other_people(trace, question.decided_by, before)
    upheld = question.outcome is Outcome.UPHELD
    trace.check(
        holds=upheld,
        clause=JUDGED,
        label="the objection is well founded (异议成立)",
        inputs={
            "attacked_items": g.joined(filed.attacked_items),
            "attacked_clauses": g.joined(filed.attacked_clauses),
        },
    )
    return Ruling(
        question=QUESTION,
        subject=str(question.person),
        pool=question.pool,
        asked={
            "objection": str(question.objection),
            "application": str(question.application),
            "outcome": question.outcome.value,
            "decided_by": g.joined(question.decided_by),
            "decided_date": str(question.decided_date),
        },
        outcome=question.outcome.value,
        reasons=() if upheld else ("OBJECTION_UNFOUNDED",),
        facts=g.refs(facts),
        pack=pack.pin,
        steps=trace.steps,
        code_version=code_version,
    )


def asked_in(ruling: Ruling) -> Question:
    """The question a ruling answered."""
    asked = ruling.asked
    return Question(
        objection=g.uuid_in(asked, "objection"),
        application=g.uuid_in(asked, "application"),
        person=UUID(ruling.subject),
        pool=ruling.pool,
        outcome=Outcome(str(asked["outcome"])),
        decided_by=g.parted(asked["decided_by"]),
        decided_date=g.date_in(asked, "decided_date"),
    )


def _question(command: DecideObjection, one: Application) -> Question:
    return Question(
        objection=command.objection,
        application=one.application,
        person=one.person,
        pool=one.pool,
        outcome=command.outcome,
        decided_by=command.decided_by,
        decided_date=command.decided_date,
    )


def _facts(command: DecideObjection) -> tuple[Fact, ...]:
    found = command.grounds
    own = tuple(
        fact
        for fact in found.of(d.ObjectionFiled)
        if isinstance(fact.event, d.ObjectionFiled) and fact.event.objection == command.objection
    )
    return (*own, *found.newest(e.ConclusionPublished), *found.of(e.OnSiteAssessed))
