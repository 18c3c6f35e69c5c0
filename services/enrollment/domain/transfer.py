"""Insurance that moves from one pool to another (转移接续). Pure: no clock, no I/O.

The old pool offers what it knows, signed; the new pool decides by its own rules from that alone.
Coverage goes on the day after it ended. Whether months insured elsewhere count and whether the
grade is taken over, the new pool's pack says; where it does not know, months do not count and the
person is assessed anew: nothing is given that no rule gives.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from kernel.refusal import Refused
from kernel.rules.figure import Figure
from kernel.rules.pack import Pack
from kernel.rules.ruling import Clause, Ruling, Scalar, Trace
from services.enrollment.domain.coverage import Coverage, Spell
from services.enrollment.domain.eligibility import full_months
from services.enrollment.domain.transferred import GradeDecision, TransferAccepted, insured_since

QUESTION = "transfer"
MONTHS, GRADE = "enrollment.counts_transferred_months", "assessment.accepts_transferred_grade"
_ONE_DAY = timedelta(days=1)

COMPLETE = Clause(
    key="enrollment.transfer_bundle",
    citation="转移接续材料: design reading; signed by the old pool, no event missing or altered",
    verified=False,
)
IN_FORCE = Clause(
    key="enrollment.transferred_conclusion",
    citation="医保发〔2023〕29号, as told by local rules: a conclusion is valid for its time",
    verified=False,
)


@dataclass(frozen=True, kw_only=True)
class Question:
    """A bundle that was found whole, looked at on a day."""

    person: UUID  # here
    transfer: UUID
    from_pool: str
    to_pool: str
    on_date: date
    manifest_hash: str
    event_count: int


@dataclass(frozen=True, kw_only=True)
class Concluded:
    """A conclusion of the old pool."""

    application: UUID
    grade: int
    conclusion_date: date
    effective_date: date
    valid_until_date: date


@dataclass(frozen=True, kw_only=True)
class Brought:
    """What the bundle says."""

    coverage: Coverage
    arrived: tuple[TransferAccepted, ...] = ()  # earlier transfers into the old pool
    conclusions: tuple[Concluded, ...] = ()
    died: bool = False


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the new pool decides, and why."""

    spell: Spell  # the one that goes on
    start_date: date
    insured_since: date | None  # where the old pool's months count
    months_counted: int
    grade_decision: GradeDecision
    conclusion: Concluded | None
    ruling: Ruling


def last_spell(coverage: Coverage, pool: str) -> tuple[Spell, date]:
    """The spell that is over, and its last day. Refuses NOT_COVERED, STILL_COVERED."""
    spell = coverage.latest
    if spell is None:
        raise Refused("NOT_COVERED", pool=pool)
    if spell.last is None:
        raise Refused("STILL_COVERED", pool=pool, since=str(spell.first))
    return spell, spell.last


def rule_transfer(question: Question, brought: Brought, pack: Pack, code_version: str) -> Found:
    """The decision on a bundle. Refuses NOT_COVERED, STILL_COVERED, DEAD."""
    if brought.died:
        raise Refused("DEAD", pool=question.to_pool)
    spell, last = last_spell(brought.coverage, question.from_pool)
    trace = Trace()
    trace.computed(
        COMPLETE,
        "signed by the old pool, no event missing or altered (材料完整)",
        {"from_pool": question.from_pool, "manifest_hash": question.manifest_hash},
        question.event_count,
    )
    since, months = _months(question, brought, last, pack, trace)
    conclusion, grade_decision = _grade(question, brought, pack, trace)
    ruling = Ruling(
        question=QUESTION,
        subject=str(question.person),
        pool=question.to_pool,
        asked={
            "on_date": str(question.on_date),
            "transfer": str(question.transfer),
            "from_pool": question.from_pool,
            "manifest_hash": question.manifest_hash,
            "event_count": question.event_count,
        },
        outcome=grade_decision.value,
        pack=pack.pin,
        steps=trace.steps,
        code_version=code_version,
    )
    return Found(
        spell=spell,
        start_date=last + _ONE_DAY,
        insured_since=since,
        months_counted=months,
        grade_decision=grade_decision,
        conclusion=conclusion,
        ruling=ruling,
    )


def asked_in(ruling: Ruling) -> Question:
    """The question a ruling answered; ValueError for a ruling on something else."""
    if ruling.question != QUESTION:
        raise ValueError(f"a ruling on {ruling.question}, not on {QUESTION}")
    return Question(
        person=UUID(ruling.subject),
        transfer=UUID(str(ruling.asked["transfer"])),
        from_pool=str(ruling.asked["from_pool"]),
        to_pool=ruling.pool,
        on_date=date.fromisoformat(str(ruling.asked["on_date"])),
        manifest_hash=str(ruling.asked["manifest_hash"]),
        event_count=int(ruling.asked["event_count"]),
    )


def _months(
    question: Question, brought: Brought, last: date, pack: Pack, trace: Trace
) -> tuple[date | None, int]:
    """From when on the old pool's insurance counts here, and for how many whole months."""
    unbroken = brought.coverage.unbroken_since(last) or last
    since = insured_since(unbroken, brought.arrived)
    months = full_months(since, last + _ONE_DAY)
    inputs: dict[str, Scalar] = {"since": str(since), "coverage_end": str(last), "months": months}
    figure = _known(pack, MONTHS, question.on_date)
    if figure is None:
        clause = Clause(key=MONTHS, citation="", verified=False)
        trace.computed(clause, "whether months elsewhere count is not known", inputs, "unknown")
        return None, 0
    counts = trace.check(
        holds=figure.flag(),
        clause=figure,
        label="months insured in the old pool count (转移前参保时间)",
        inputs=inputs,
    )
    return (since, months) if counts else (None, 0)


def _grade(
    question: Question, brought: Brought, pack: Pack, trace: Trace
) -> tuple[Concluded | None, GradeDecision]:
    """The old pool's newest conclusion that is valid, and what becomes of it."""
    ordered = sorted(
        brought.conclusions, key=lambda c: (c.effective_date, c.conclusion_date, c.application)
    )
    newest = ordered[-1] if ordered else None
    valid = newest is not None and newest.valid_until_date >= question.on_date
    told: dict[str, Scalar] = {"on_date": str(question.on_date), "conclusions": len(ordered)}
    if newest is not None:
        told |= {"grade": newest.grade, "valid_until_date": str(newest.valid_until_date)}
    trace.check(
        holds=valid,
        clause=IN_FORCE,
        label="the old pool's newest conclusion is valid on the day (评估结论有效)",
        inputs=told,
    )
    if newest is None or not valid:
        return None, GradeDecision.NO_GRADE
    figure = _known(pack, GRADE, question.on_date)
    if figure is None:
        clause = Clause(key=GRADE, citation="", verified=False)
        label = "whether a grade is taken over is not known"
        trace.computed(clause, label, {"grade": newest.grade}, "unknown")
        return newest, GradeDecision.GRADE_REOPENED
    accepted = trace.check(
        holds=figure.flag(),
        clause=figure,
        label="a grade of another pool is taken over (等级互认)",
        inputs={"grade": newest.grade},
    )
    taken = GradeDecision.GRADE_ACCEPTED if accepted else GradeDecision.GRADE_REOPENED
    return newest, taken


def _known(pack: Pack, key: str, on: date) -> Figure | None:
    return next((figure for figure in pack.history(key) if figure.holds_on(on)), None)
