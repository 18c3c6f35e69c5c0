"""Whether a person is insured and paid up on a day, as the pool demands (待遇享受条件审核).

Pure: no clock, no I/O. The caller brings every event of the person's coverage in the pool, of
the contributions for the year, of the person's life, and of transfers into the pool; the order
does not matter. Of persons who are one it brings those of all, and the merges that make them one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from uuid import UUID

from kernel.calendar import add_months
from kernel.rules.pack import Pack
from kernel.rules.precedence import WHO_COUNTS, precedence_figure, ranks_of, told_of
from kernel.rules.ruling import Clause, Fact, Ruling, Scalar, Trace
from services.enrollment.domain import coverage as c
from services.enrollment.domain import life as lf
from services.enrollment.domain.contribution import ContributionCollected, ContributionSource
from services.enrollment.domain.merging import in_order, together
from services.enrollment.domain.transferred import TransferAccepted, insured_since
from services.enrollment.domain.upkeep import PersonsMerged

QUESTION = "eligibility"
ELIGIBLE, NOT_ELIGIBLE = "eligible", "not_eligible"

# What the insured side itself pays; transfers and subsidies come on top and prove nothing.
OWN_SOURCES = frozenset({ContributionSource.PERSON, ContributionSource.EMPLOYER})

ALIVE = Clause(
    key="enrollment.alive",
    citation="医保办发〔2024〕22号, as told by local rules: benefits end at death",
    verified=False,
)
MERGED = Clause(
    key="enrollment.merged_persons",
    citation="参保信息并档: design reading; what is one person's counts as one person's",
    verified=False,
)
COVERED = Clause(
    key="enrollment.covered",
    citation="医保发〔2023〕29号, as told by local rules: not taken where not insured",
    verified=False,
)


@dataclass(frozen=True, kw_only=True)
class Question:
    person: UUID
    pool: str
    on_date: date


@dataclass(frozen=True, kw_only=True)
class _Known:
    """The facts, folded."""

    persons: tuple[UUID, ...]  # who are one by the merges among the facts; none without a merge
    coverage: c.Coverage
    life: lf.Life
    contributions: tuple[ContributionCollected, ...]
    transfers: tuple[TransferAccepted, ...]


def rule_eligibility(
    question: Question, facts: Sequence[Fact], pack: Pack, code_version: str
) -> Ruling:
    """The decision with one step a condition; its reasons are the conditions not met.

    NOT_COVERED, GROUP_NOT_INSURED, WAITING, NOT_BEGUN, COVERAGE_TOO_SHORT, NOT_PAID_UP, DEAD.
    Conditions that a pack does not mention are not asked. Refuses FIGURE_UNKNOWN for a condition
    that is stated as unknown, and for a day before the pool's rules begin.
    """
    known, trace = _fold(facts), Trace()
    if known.persons:
        told: dict[str, Scalar] = {"persons": len(known.persons), "survivor": str(known.persons[0])}
        trace.computed(MERGED, "of persons who are one (并档)", told, len(known.persons))
    conditions = {
        "NOT_COVERED": _covered(question, known, trace),
        "GROUP_NOT_INSURED": _of_an_insured_group(question, known, pack, trace),
        "WAITING": _waited(question, known, pack, trace),
        "NOT_BEGUN": _begun(question, pack, trace),
        "COVERAGE_TOO_SHORT": _long_enough(question, known, pack, trace),
        "NOT_PAID_UP": _paid_up(question, known, pack, trace),
        "DEAD": _alive(question, known, pack, trace),
    }
    reasons = tuple(reason for reason, holds in conditions.items() if not holds)
    return Ruling(
        question=QUESTION,
        subject=str(question.person),
        pool=question.pool,
        asked={"on_date": str(question.on_date)},
        outcome=NOT_ELIGIBLE if reasons else ELIGIBLE,
        reasons=reasons,
        facts=tuple(fact.ref for fact in facts),
        pack=pack.pin,
        steps=trace.steps,
        code_version=code_version,
    )


def asked_in(ruling: Ruling) -> Question:
    """The question a ruling answered; ValueError for a ruling on something else."""
    if ruling.question != QUESTION:
        raise ValueError(f"a ruling on {ruling.question}, not on {QUESTION}")
    return Question(
        person=UUID(ruling.subject),
        pool=ruling.pool,
        on_date=date.fromisoformat(str(ruling.asked["on_date"])),
    )


def _covered(question: Question, known: _Known, trace: Trace) -> bool:
    spell = known.coverage.on(question.on_date)
    return trace.check(
        holds=spell is not None,
        clause=COVERED,
        label="insured in the pool on the day (参保)",
        inputs={
            "on_date": str(question.on_date),
            "spells": len(known.coverage.spells),
            "since": str(spell.first) if spell else "",
        },
    )


def _long_enough(question: Question, known: _Known, pack: Pack, trace: Trace) -> bool:
    spell = known.coverage.on(question.on_date) or known.coverage.latest
    figure, required = pack.months_insured(spell.group if spell else "", question.on_date)
    since = known.coverage.unbroken_since(question.on_date)
    if since is not None:
        since = insured_since(since, known.transfers)
    months = 0 if since is None else full_months(since, question.on_date)
    return trace.check(
        holds=months >= required,
        clause=figure,
        label="insured without a gap for long enough (连续参保)",
        inputs={"months": months, "months_required": required},
    )


def _of_an_insured_group(question: Question, known: _Known, pack: Pack, trace: Trace) -> bool:
    spell = known.coverage.on(question.on_date)
    if spell is None or not pack.mentions("enrollment.insured_groups"):
        return True  # not insured at all is a reason of its own
    figure = pack.figure("enrollment.insured_groups", question.on_date)
    return trace.check(
        holds=spell.group in figure.texts(),
        clause=figure,
        label="of a group that the pool insures (参保范围)",
        inputs={"group": spell.group.value, "groups": ",".join(figure.texts())},
    )


def _waited(question: Question, known: _Known, pack: Pack, trace: Trace) -> bool:
    since = known.coverage.unbroken_since(question.on_date)
    if since is None or not pack.mentions("enrollment.waiting_days"):
        return True
    figure = pack.figure("enrollment.waiting_days", question.on_date)
    days = (question.on_date - since).days
    return trace.check(
        holds=days >= figure.integer(),
        clause=figure,
        label="the waiting time is over (等待期)",
        inputs={"days": days, "days_required": figure.integer()},
    )


def _begun(question: Question, pack: Pack, trace: Trace) -> bool:
    if not pack.mentions("enrollment.benefits_from"):
        return True
    figure = pack.figure("enrollment.benefits_from", question.on_date)
    return trace.check(
        holds=question.on_date >= date.fromisoformat(figure.text()),
        clause=figure,
        label="the scheme pays benefits already (待遇起付日)",
        inputs={"on_date": str(question.on_date), "benefits_from": figure.text()},
    )


def _paid_up(question: Question, known: _Known, pack: Pack, trace: Trace) -> bool:
    figure = pack.figure("enrollment.arrears_suspend", question.on_date)
    year = question.on_date.year
    own = [paid for paid in known.contributions if paid.year == year and paid.source in OWN_SOURCES]
    return trace.check(
        holds=bool(own) or not figure.flag(),
        clause=figure,
        label="own contribution paid for the year (按时缴费)",
        inputs={
            "year": year,
            "own_contributions": len(own),
            "own_amount_fen": sum(paid.amount.fen for paid in own),
        },
    )


def _alive(question: Question, known: _Known, pack: Pack, trace: Trace) -> bool:
    weighed = known.life.weighed(ranks_of(pack))
    for dispute in weighed.disputes:
        if dispute.topic == "death":
            trace.computed(precedence_figure(pack), WHO_COUNTS, told_of(dispute), dispute.source)
    death = weighed.death
    return trace.check(
        holds=death is None or question.on_date <= death.day,
        clause=ALIVE,
        label="alive on the day; the day of death still counts (存活)",
        inputs={
            "on_date": str(question.on_date),
            "death_date": str(death.day) if death else "",
        },
    )


def full_months(first: date, day: date) -> int:
    """How many whole months lie between the first day insured and the day; 0 at least."""
    months = (day.year - first.year) * 12 + day.month - first.month
    if months > 0 and add_months(first, months) > day:
        months -= 1
    return max(months, 0)


def _coverage_in(events: Sequence[object], persons: Sequence[UUID]) -> c.Coverage:
    """The coverage that the events tell; of several who are one, each one's own put together."""
    told = [e for e in events if isinstance(e, c.Event)]
    if not persons:
        return reduce(c.evolve, told, c.Coverage())
    return together(
        [reduce(c.evolve, (e for e in told if e.person == who), c.Coverage()) for who in persons]
    )


def _fold(facts: Sequence[Fact]) -> _Known:
    events = [fact.event for fact in sorted(facts, key=lambda fact: fact.ref)]
    merges = tuple(event for event in events if isinstance(event, PersonsMerged))
    return _Known(
        persons=in_order(merges),
        coverage=_coverage_in(events, in_order(merges)),
        life=reduce(
            lf.evolve,
            (e for e in events if isinstance(e, lf.LifeEventReported | lf.LifeEventWithdrawn)),
            lf.Life(),
        ),
        contributions=tuple(e for e in events if isinstance(e, ContributionCollected)),
        transfers=tuple(e for e in events if isinstance(e, TransferAccepted)),
    )
