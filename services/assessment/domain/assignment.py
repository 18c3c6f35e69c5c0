"""Who assesses whom: drawn by a committed seed, without conflict of interest (评估人员抽取). Pure.

Whom the rules exclude is left out first, with the reason. Of the others each has tickets, the more
the fewer assignments of late; the seed's order is told. From that order the rule takes experts and
assessors, people of the same county first, and never the same people twice in a row for one person.

The ruling shows the choice from the order; the order follows from seed, purpose and weights, which
anybody can check once the seed is told (`kernel.draw`, `ltci draw check`). Replay needs no seed.
Source: 医保发〔2023〕29号: at least two on site, at least one of them an expert.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from kernel.draw import HEAVIEST, drawn_by_weight
from kernel.refusal import Refused
from kernel.rules.pack import Pack
from kernel.rules.ruling import Clause, Fact, Ruling, Trace
from services.assessment.domain import words as w
from services.assessment.domain.applicant import OVER, Applicant, Application
from services.assessment.domain.assessor import Assessor
from services.assessment.domain.body import Body
from services.assessment.domain.draws import DrawDay, DrawMade
from services.assessment.domain.events import AssessorReplaced, AssessorsAssigned
from services.assessment.domain.team import Team, choose

QUESTION = "assignment"
ASSIGNED, SHORT = "assigned", "short"
CONFLICT = Clause(
    key="assessment.conflict_of_interest",
    citation="医保发〔2023〕29号, recalled: assessors avoid cases in which they have an interest",
    verified=False,
)
DRAWN = Clause(
    key="assessment.draw",
    citation="design reading: drawn at random, by a seed committed before and told after",
    verified=False,
)
ROTATION = Clause(
    key="assessment.rotation",
    citation="design reading: not the same people for the same person twice in a row",
    verified=False,
)


@dataclass(frozen=True, kw_only=True)
class Registered:
    """One of the pool's database, with the body that employs."""

    assessor: Assessor
    body: Body | None


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What a draw must know besides the application; `recent` are assignments of late."""

    today: date
    division: str
    providers: frozenset[UUID]
    recused: frozenset[str]
    register: Mapping[str, Registered]
    recent: Mapping[str, int]
    seed: bytes = field(repr=False)
    facts: tuple[Fact, ...] = ()
    code_version: str = ""


@dataclass(frozen=True, kw_only=True)
class AssignAssessors:
    application: UUID
    assignment_round: w.AssignmentRound


@dataclass(frozen=True, kw_only=True)
class ReplaceAssessor:
    application: UUID
    assessor: str
    replacement_cause: w.ReplacementCause


@dataclass(frozen=True, kw_only=True)
class Question:
    """Whom does this order assign?"""

    application: UUID
    person: UUID
    pool: str
    assignment_round: w.AssignmentRound
    on_date: date
    division: str
    purpose: str
    commitment: str
    excluded: int
    team: Team


def assign(
    command: AssignAssessors,
    one: Application,
    applicant: Applicant,
    day: DrawDay,
    known: Circumstances,
    pack: Pack,
) -> tuple[list[AssessorsAssigned], list[DrawMade]]:
    """The assignment and its draw; nothing where people are assigned already.

    Refuses NOT_ACCEPTED, CONCLUDED_ALREADY, ASSESSED_ALREADY; NOT_CONCLUDED for a review;
    ASSESSORS_SHORT.
    """
    which = command.assignment_round
    if one.assignment(which) is not None:
        return [], []
    _must_be_open(one, which)
    question, draw = _drawn(one, applicant, which, (), day, known, pack)
    ruling, chosen = _ruled(question, known, pack)
    assigned = AssessorsAssigned(
        application=one.application,
        person=one.person,
        pool=one.pool,
        assignment_round=which,
        assigned=_as(chosen, question.team),
        draw=draw,
        assigned_date=known.today,
        ruling=ruling.to_bytes(),
    )
    return [assigned], [_made(one, draw, chosen)]


def replace_one(
    command: ReplaceAssessor,
    one: Application,
    applicant: Applicant,
    day: DrawDay,
    known: Circumstances,
    pack: Pack,
) -> tuple[list[AssessorReplaced], list[DrawMade]]:
    """The next one in the place of an assigned one.

    Refuses NOT_ASSIGNED, CONCLUDED_ALREADY, ASSESSED_ALREADY, ASSESSORS_SHORT.
    """
    standing = [found for which in w.AssignmentRound if (found := one.assignment(which))]
    assignment = next((a for a in standing if a.kind_of(command.assessor)), None)
    if assignment is None:
        raise Refused("NOT_ASSIGNED", assessor=command.assessor)
    if assignment.round is w.AssignmentRound.FIRST:
        if one.grade is not None or one.state in OVER:
            raise Refused("CONCLUDED_ALREADY", state=one.state)
        if command.assessor in one.forms:
            raise Refused("ASSESSED_ALREADY", state=one.state)
    kept = tuple(a for a in assignment.assigned if a.assessor != command.assessor)
    question, draw = _drawn(one, applicant, assignment.round, kept, day, known, pack)
    ruling, chosen = _ruled(question, known, pack)
    replaced = AssessorReplaced(
        application=one.application,
        person=one.person,
        pool=one.pool,
        assignment_round=assignment.round,
        assigned=_as(chosen, question.team),
        draw=draw,
        assigned_date=known.today,
        ruling=ruling.to_bytes(),
        replaced=command.assessor,
        replacement_cause=command.replacement_cause,
    )
    return [replaced], [_made(one, draw, chosen)]


def exclusion(
    name: str,
    known: Registered,
    one: Application,
    which: w.AssignmentRound,
    around: Circumstances,
    *,
    full: bool,
) -> w.ExclusionReason | None:
    """Why the assessor cannot be drawn, the first reason that holds; None where nothing does."""
    registered = known.assessor.registered
    assert registered is not None, "of the register"  # noqa: S101
    reasons = w.ExclusionReason
    before = {a.assessor for past in one.assignments if past.round is which for a in past.assigned}
    holds = {
        reasons.BARRED: known.assessor.barred_on(around.today),
        reasons.BODY_NOT_IN_FORCE: known.body is not None and not known.body.in_force(around.today),
        reasons.SAME_PERSON: registered.person == one.person,
        reasons.TIED: one.person in known.assessor.people,
        reasons.SERVES_PERSON: bool(known.assessor.providers & around.providers),
        reasons.EARLIER_ROUND: which is w.AssignmentRound.REVIEW and name in first_round(one),
        reasons.RECUSED: name in around.recused,
        reasons.ASSIGNED_BEFORE: name in before,
        reasons.DAY_FULL: full,
    }
    return next((reason for reason, applies in holds.items() if applies), None)


def first_round(one: Application) -> frozenset[str]:
    """Everybody who had a part in the first assessment: none of them reviews it."""
    assignment = one.assignment(w.AssignmentRound.FIRST)
    assigned = {a.assessor for a in assignment.assigned} if assignment else set()
    changed = {one.changed.expert} if one.changed else set()
    return frozenset({*one.forms, *one.confirmed, *assigned, *changed})


def rule_assignment(
    question: Question, facts: Sequence[Fact], pack: Pack, code_version: str
) -> Ruling:
    """Whom the order assigns, by the figures of the day of the draw."""
    trace, on, team = Trace(), question.on_date, question.team
    people = pack.figure("assessment.min_assessors", on)
    experts = pack.figure("assessment.min_experts_on_site", on)
    trace.computed(
        CONFLICT,
        "who could be drawn (回避)",
        {"excluded": question.excluded},
        len(team.drawn),
    )
    trace.computed(people, "people on site (现场评估人数)", {}, people.integer())
    trace.computed(experts, "experts among them (现场评估专家人数)", {}, experts.integer())
    chosen = choose(team, people.integer(), experts.integer())
    inputs = {"purpose": question.purpose, "commitment": question.commitment}
    trace.computed(DRAWN, "drawn by a committed seed (随机抽取)", inputs, ",".join(chosen or ()))
    if team.last:
        last = ",".join(sorted(team.last))
        label = "not the people of the last time (轮换)"
        trace.computed(ROTATION, label, {"last_team": last}, ",".join(chosen or ()))
    return Ruling(
        question=QUESTION,
        subject=str(question.person),
        pool=question.pool,
        asked={
            "application": str(question.application),
            "assignment_round": question.assignment_round.value,
            "on_date": str(on),
            "division": question.division,
            "purpose": question.purpose,
            "commitment": question.commitment,
            "excluded": question.excluded,
            **team.asked(),
        },
        outcome=ASSIGNED if chosen else SHORT,
        reasons=() if chosen else ("ASSESSORS_SHORT",),
        facts=tuple(fact.ref for fact in facts),
        pack=pack.pin,
        steps=trace.steps,
        code_version=code_version,
    )


def asked_in(ruling: Ruling) -> Question:
    """The question a ruling answered; ValueError for a ruling on something else."""
    if ruling.question != QUESTION:
        raise ValueError(f"a ruling on {ruling.question}, not on {QUESTION}")
    asked = ruling.asked
    return Question(
        application=UUID(str(asked["application"])),
        person=UUID(ruling.subject),
        pool=ruling.pool,
        assignment_round=w.AssignmentRound(str(asked["assignment_round"])),
        on_date=date.fromisoformat(str(asked["on_date"])),
        division=str(asked["division"]),
        purpose=str(asked["purpose"]),
        commitment=str(asked["commitment"]),
        excluded=int(asked["excluded"]),
        team=Team.asked_in(asked),
    )


def _must_be_open(one: Application, which: w.AssignmentRound) -> None:
    if which is w.AssignmentRound.REVIEW:
        if one.conclusion is None:
            raise Refused("NOT_CONCLUDED", state=one.state)
        return
    if one.grade is not None:
        raise Refused("CONCLUDED_ALREADY", state=one.state)
    if one.accepted is None or one.state in OVER:
        raise Refused("NOT_ACCEPTED", state=one.state)
    if one.forms:
        raise Refused("ASSESSED_ALREADY", state=one.state)


def _drawn(
    one: Application,
    applicant: Applicant,
    which: w.AssignmentRound,
    kept: Sequence[w.AssignedAssessor],
    day: DrawDay,
    known: Circumstances,
    pack: Pack,
) -> tuple[Question, w.Draw]:
    """Everybody the rules allow, in the order of the seed."""
    if not day.commitment:
        raise ValueError("the seed is committed before it is used")
    limit = pack.integer("assessment.assessor_daily_limit", known.today)
    exclusions, able = [], []
    for name, found in sorted(known.register.items()):
        full = day.load.get(name, 0) >= limit
        reason = exclusion(name, found, one, which, known, full=full)
        if reason is None:
            able.append(name)
        else:
            exclusions.append(w.DrawExclusion(assessor=name, reason=reason))
    most = max((known.recent.get(name, 0) for name in able), default=0)
    candidates = tuple(_candidate(name, most, known) for name in able)
    purpose = f"assign/{one.application}/{day.next_number}"
    order = drawn_by_weight(known.seed, purpose, {c.assessor: c.weight for c in candidates})
    first = which is w.AssignmentRound.FIRST
    last = applicant.last_team(one.application) if first else frozenset()
    team = Team.of(order, candidates, kept, last)
    draw = w.Draw(
        number=day.next_number,
        purpose=purpose,
        drawn_date=known.today,
        commitment=day.commitment,
        candidates=candidates,
        exclusions=tuple(exclusions),
        drawn=tuple(order),
        kept=tuple(a.assessor for a in kept),
        last_team=tuple(sorted(last)),
    )
    question = Question(
        application=one.application,
        person=one.person,
        pool=one.pool,
        assignment_round=which,
        on_date=known.today,
        division=known.division,
        purpose=purpose,
        commitment=day.commitment,
        excluded=len(exclusions),
        team=team,
    )
    return question, draw


def _candidate(name: str, most: int, known: Circumstances) -> w.DrawCandidate:
    registered = known.register[name].assessor.registered
    assert registered is not None, "of the register"  # noqa: S101
    return w.DrawCandidate(
        assessor=name,
        assessor_kind=registered.assessor_kind,
        weight=min(1 + most - known.recent.get(name, 0), HEAVIEST),
        near=registered.division == known.division,
    )


def _ruled(question: Question, known: Circumstances, pack: Pack) -> tuple[Ruling, tuple[str, ...]]:
    """The ruling and whom it assigns. Refuses ASSESSORS_SHORT."""
    ruling = rule_assignment(question, known.facts, pack, known.code_version)
    if ruling.outcome != ASSIGNED:
        able, excluded = len(question.team.drawn), question.excluded
        raise Refused("ASSESSORS_SHORT", candidates=str(able), excluded=str(excluded))
    on = question.on_date
    needed = [pack.integer(f"assessment.{k}", on) for k in ("min_assessors", "min_experts_on_site")]
    return ruling, choose(question.team, *needed) or ()


def _as(chosen: Sequence[str], team: Team) -> tuple[w.AssignedAssessor, ...]:
    kinds = w.AssessorKind
    return tuple(
        w.AssignedAssessor(
            assessor=name,
            assessor_kind=kinds.EXPERT if name in team.experts else kinds.ASSESSOR,
        )
        for name in chosen
    )


def _made(one: Application, draw: w.Draw, chosen: Sequence[str]) -> DrawMade:
    return DrawMade(
        pool=one.pool,
        drawn_date=draw.drawn_date,
        number=draw.number,
        application=one.application,
        purpose=draw.purpose,
        assigned=tuple(name for name in chosen if name not in draw.kept),
    )
