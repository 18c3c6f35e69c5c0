"""What is to be paid in for a person and a time, as the pool's pack says (应缴核定). Pure.

The caller brings every event of the person's coverage in the pool, and for a month what the
employer declared; the order does not matter. A year's due is asked by the lines that are for a
year, a month's by those for a month. A year that was insured in part is due as a whole: no text
on parts of a year was found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import reduce
from uuid import UUID

from kernel.calendar import Month, Period
from kernel.money import ZERO, Money
from kernel.refusal import Refused
from kernel.rules.collection import NOBODY
from kernel.rules.contribution import Base, Contributor, PerTime, RateOfBase, contributions_due
from kernel.rules.figure import Figure
from kernel.rules.pack import Pack
from kernel.rules.ruling import Clause, Fact, Ruling, Scalar, Trace
from services.enrollment.domain import coverage as c
from services.enrollment.domain.account import Account, ContributionDue, DueShare
from services.enrollment.domain.contribution import ContributionSource
from services.enrollment.domain.employer import StaffDeclared

QUESTION = "contribution_due"
DUE, NOTHING_DUE = "due", "nothing_due"
AGE = "age"  # told by value, as the bases are, where nobody declared it

COVERED_IN_TIME = Clause(
    key="enrollment.covered_in_time",
    citation="医保办发〔2024〕22号, as told by local rules: paid with the medical insurance",
    verified=False,
)
LAST_DAY = Clause(
    key="enrollment.last_day_works",
    citation="民法典 第二百零三条: a last day that is no working day moves to the next one",
    verified=False,
)


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is due for a year, or for a month with an employer."""

    person: UUID
    pool: str
    year: int
    month: Month | None = None
    employer: UUID | None = None
    told: Mapping[str, int] = field(default_factory=dict)  # bases in fen, and the age

    @property
    def period(self) -> Period:
        if self.month is not None:
            return self.month.period
        return Period(Month(self.year, 1).first, Month(self.year, 12).last)

    @property
    def time(self) -> tuple[str, str]:
        """Its time as an account knows it: month and employer, empty for the year."""
        return str(self.month or ""), str(self.employer or "")

    @property
    def asked(self) -> dict[str, str | int]:
        """As a ruling keeps it."""
        named: dict[str, str | int] = {"year": self.year}
        if self.month is not None:
            named["month"] = str(self.month)
        if self.employer is not None:
            named["employer"] = str(self.employer)
        return named | {_asked_as(name): amount for name, amount in sorted(self.told.items())}


def rule_due(question: Question, facts: Sequence[Fact], pack: Pack, code_version: str) -> Ruling:
    """What each source owes, in the ruling's amounts; `nothing_due` with a reason where nothing is.

    NOT_COVERED, EXEMPT. Refuses FIGURE_UNKNOWN, BASE_MISSING, `<DIMENSION>_WITHOUT_AMOUNT`, and
    NOTHING_BY_YEAR or NOTHING_BY_MONTH where the group pays for other times.
    """
    trace, insured = Trace(), coverage_of(facts)
    first = insured.first_within(question.period.first, question.period.last)
    asked: dict[str, Scalar] = {
        "from_date": str(question.period.first),
        "to_date": str(question.period.last),
        "first_insured": str(first or ""),
    }
    covered = trace.check(
        holds=first is not None,
        clause=COVERED_IN_TIME,
        label="insured in the time it is for (当期参保)",
        inputs=asked,
    )
    spell = None if first is None else insured.on(first)
    owed: dict[str, Money] = {}
    reasons: tuple[str, ...] = () if covered else ("NOT_COVERED",)
    if first is not None and spell is not None:
        standing = spell.standing(first)
        owed = _owed(question, facts, standing, first, pack, trace)
        reasons = () if owed else ("EXEMPT",)
        if owed:
            _last_day(question, standing.group, pack, trace)
    return Ruling(
        question=QUESTION,
        subject=str(question.person),
        pool=question.pool,
        asked=question.asked,
        outcome=DUE if owed else NOTHING_DUE,
        reasons=reasons,
        amounts={source: amount.fen for source, amount in owed.items()},
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
        person=UUID(ruling.subject),
        pool=ruling.pool,
        year=int(asked["year"]),
        month=Month.parse(str(asked["month"])) if "month" in asked else None,
        employer=UUID(str(asked["employer"])) if "employer" in asked else None,
        told={
            name: int(asked[_asked_as(name)]) for name in (*Base, AGE) if _asked_as(name) in asked
        },
    )


@dataclass(frozen=True, kw_only=True)
class DetermineDue:
    """Keep what a ruling says is due."""

    due: UUID
    question: Question
    ruling: Ruling
    facts: Sequence[Fact]


def decide(command: DetermineDue, account: Account) -> list[ContributionDue]:
    """Records the determination, unless the newest for its time and employer says the same."""
    question, ruling = command.question, command.ruling
    insured, period = coverage_of(command.facts), command.question.period
    first = insured.first_within(period.first, period.last)
    spell = None if first is None else insured.on(first)
    known = account.dues.get(question.time)
    if known is None and (first is None or spell is None):
        return []  # never due, and nothing to take back
    due = ContributionDue(
        due=command.due,
        person=question.person,
        pool=question.pool,
        group=spell.standing(first).group if spell and first else _group_of(known),
        year=question.year,
        month=str(question.month or ""),
        employer=question.employer,
        from_date=period.first,
        shares=tuple(
            DueShare(source=ContributionSource(source), amount=Money(fen))
            for source, fen in sorted(ruling.amounts.items())
        ),
        due_date=due_date_in(ruling),
        ruling=ruling.to_bytes(),
    )
    if known is not None and _says(known) == _says(due):
        return []
    return [due]


def due_date_in(ruling: Ruling) -> date | None:
    """The last day to pay that a ruling came to."""
    days = [step.output for step in ruling.steps if step.clause == LAST_DAY.key]
    return date.fromisoformat(str(days[-1])) if days else None


def coverage_of(facts: Sequence[Fact]) -> c.Coverage:
    """The coverage that the facts tell, in the order of the log."""
    events = [fact.event for fact in sorted(facts, key=lambda fact: fact.ref)]
    told = (e for e in events if isinstance(e, _COVERAGE))
    return reduce(c.evolve, told, c.Coverage())


_COVERAGE = (
    c.CoverageStarted
    | c.CoverageEnded
    | c.CoverageChanged
    | c.CoverageSuspended
    | c.CoverageResumed
)


def _owed(
    question: Question,
    facts: Sequence[Fact],
    standing: c.Standing,
    first: date,
    pack: Pack,
    trace: Trace,
) -> dict[str, Money]:
    """By source; empty where nobody owes anything."""
    wanted = PerTime.YEAR if question.month is None else PerTime.MONTH
    lines = tuple(
        line
        for line in pack.contributions(standing.group, first)
        if (line.rule.per if isinstance(line.rule, RateOfBase) else PerTime.YEAR) is wanted
    )
    if not lines:
        raise Refused(f"NOTHING_BY_{wanted.upper()}", pool=question.pool, group=standing.group)
    person = Contributor(
        group=standing.group,
        tier=standing.tier,
        age=question.told.get(AGE),
        statuses=frozenset(standing.statuses),
        bases=_bases(question, facts),
    )
    payer = _pays_for(standing, first, pack, trace)
    if payer == NOBODY:
        return {}
    owed: dict[str, Money] = {}
    for due in contributions_due(lines, person, trace):
        source = payer if payer and due.source == ContributionSource.PERSON else due.source
        owed[source] = owed.get(source, ZERO) + due.amount
    return {source: amount for source, amount in owed.items() if amount}


def _pays_for(standing: c.Standing, first: date, pack: Pack, trace: Trace) -> str:
    """Who pays the own share instead of the person; empty where nobody does."""
    told = pays_own_share(standing.statuses, first, pack)
    if told is None:
        return ""
    figure, payer = told
    trace.computed(
        figure, "own share, paid by (资助参保)", {"statuses": ",".join(standing.statuses)}, payer
    )
    return payer


def pays_own_share(statuses: Sequence[str], on: date, pack: Pack) -> tuple[Figure, str] | None:
    """The figure and who pays the own share of somebody with these statuses; None: the person.

    Of several, exemption counts first, then the order of the names.
    """
    if not statuses or not pack.mentions("enrollment.own_share_paid_by"):
        return None
    figure = pack.figure("enrollment.own_share_paid_by", on)
    payers = [figure.table()[status] for status in sorted(statuses) if status in figure.table()]
    if not payers:
        return None
    return figure, NOBODY if NOBODY in payers else payers[0]


def _last_day(question: Question, group: str, pack: Pack, trace: Trace) -> None:
    """Writes the last day to pay down, where the pack knows one for the year."""
    told = pack.collection(group, question.year) if question.month is None else None
    if told is None:
        return
    figure, window = told
    trace.computed(
        figure,
        "collected until (征缴期)",
        {"group": group, "year": question.year},
        str(window.last),
    )
    trace.computed(
        LAST_DAY, "last day to pay (缴费截止日)", {"last": str(window.last)}, str(window.due)
    )


def _bases(question: Question, facts: Sequence[Fact]) -> dict[Base, Money]:
    """What was told with the question, and over it what the employer declared for the month."""
    bases = {Base(name): Money(fen) for name, fen in question.told.items() if name != AGE}
    for fact in sorted(facts, key=lambda fact: fact.ref):
        told = fact.event
        if isinstance(told, StaffDeclared) and told.month == question.month:
            if told.wage:
                bases[Base.WAGE] = told.wage
            if told.medical_base:
                bases[Base.MEDICAL_BASE] = told.medical_base
    return bases


def _asked_as(name: str) -> str:
    return name if name == AGE else f"{name}_fen"


def _group_of(known: ContributionDue | None) -> c.InsuredGroup:
    if known is None:
        raise AssertionError("without a coverage there is an earlier determination")
    return known.group


def _says(due: ContributionDue) -> tuple[object, ...]:
    return due.group, due.shares, due.due_date
