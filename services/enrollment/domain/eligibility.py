"""Whether a person is insured and paid up on a day, as the pool demands (待遇享受条件审核).

Pure: no clock, no I/O. The caller brings every event of the person's coverage in the pool, of
the contributions for the year, and of the person's life; the order does not matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from uuid import UUID

from kernel.calendar import add_months
from kernel.money import ZERO, Money
from kernel.rules.collection import transition_months
from kernel.rules.pack import Pack
from kernel.rules.ruling import Clause, Fact, Ruling, Trace
from services.enrollment.domain import account as a
from services.enrollment.domain import coverage as c
from services.enrollment.domain import life as lf
from services.enrollment.domain.account import OWN_SOURCES
from services.enrollment.domain.contribution import ContributionCollected
from services.enrollment.domain.dues import coverage_of, pays_own_share

QUESTION = "eligibility"
ELIGIBLE, NOT_ELIGIBLE = "eligible", "not_eligible"

ALIVE = Clause(
    key="enrollment.alive",
    citation="医保办发〔2024〕22号, as told by local rules: benefits end at death",
    verified=False,
)
COVERED = Clause(
    key="enrollment.covered",
    citation="医保发〔2023〕29号, as told by local rules: not taken where not insured",
    verified=False,
)
NOT_SUSPENDED = Clause(
    key="enrollment.not_suspended",
    citation="医保办发〔2024〕22号, as told by local rules: arrears and medical gaps suspend",
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

    coverage: c.Coverage
    life: lf.Life
    account: a.Account  # of the year of the day


def rule_eligibility(
    question: Question, facts: Sequence[Fact], pack: Pack, code_version: str
) -> Ruling:
    """The decision with one step a condition; its reasons are the conditions not met.

    NOT_COVERED, GROUP_NOT_INSURED, WAITING, NOT_BEGUN, COVERAGE_TOO_SHORT, SUSPENDED,
    NOT_PAID_UP, DEAD. Conditions that a pack does not mention are not asked, nor is there a step
    about changes and suspensions where none is known. Refuses FIGURE_UNKNOWN for a condition
    that is stated as unknown, and for a day before the pool's rules begin.
    """
    known, trace = _fold(facts, question.on_date.year), Trace()
    covered = _covered(question, known, trace)
    group = _group_that_counts(question, known, pack, trace)
    conditions = {
        "NOT_COVERED": covered,
        "GROUP_NOT_INSURED": _of_an_insured_group(question, group, pack, trace),
        "WAITING": _waited(question, known, pack, trace),
        "NOT_BEGUN": _begun(question, pack, trace),
        "COVERAGE_TOO_SHORT": _long_enough(question, known, group, pack, trace),
        "SUSPENDED": _not_suspended(question, known, trace),
        "NOT_PAID_UP": _paid_up(question, known, pack, trace),
        "DEAD": _alive(question, known, trace),
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


def _group_that_counts(question: Question, known: _Known, pack: Pack, trace: Trace) -> str:
    """The group of the day; after a change the one before, while the pool's transition lasts."""
    spell = known.coverage.on(question.on_date)
    if spell is None:
        return ""
    *before, now = [one for one in spell.standings if one.since <= question.on_date]
    changed = next((one for one in reversed(before) if one.group is not now.group), None)
    if changed is None:
        return now.group
    after = spell.standings[spell.standings.index(changed) + 1]
    if not pack.mentions("enrollment.transition_months"):
        return now.group
    figure = pack.figure("enrollment.transition_months", after.since)
    months = transition_months(figure, changed.group, after.group)
    ends = add_months(after.since, months)
    counts = changed.group if question.on_date < ends else now.group
    trace.computed(
        figure,
        "group that counts after a change (险种转换)",
        {
            "group_before": changed.group.value,
            "group": now.group.value,
            "change_date": str(after.since),
            "transition_months": months,
            "transition_ends": str(ends),
        },
        counts.value,
    )
    return counts


def _not_suspended(question: Question, known: _Known, trace: Trace) -> bool:
    if not known.coverage.suspensions:
        return True  # not asked where nothing ever rested
    resting = known.coverage.suspended_on(question.on_date)
    return trace.check(
        holds=resting is None,
        clause=NOT_SUSPENDED,
        label="the coverage does not rest (待遇未暂停)",
        inputs={
            "on_date": str(question.on_date),
            "suspended_from": str(resting.first) if resting else "",
            "suspension_cause": resting.cause.value if resting else "",
            "resume_date": str(resting.resumed or "") if resting else "",
        },
    )


def _long_enough(question: Question, known: _Known, group: str, pack: Pack, trace: Trace) -> bool:
    spell = known.coverage.latest
    asked = group or (spell.group if spell else "")
    figure, required = pack.months_insured(asked, question.on_date)
    since = known.coverage.unbroken_since(question.on_date)
    months = 0 if since is None else full_months(since, question.on_date)
    return trace.check(
        holds=months >= required,
        clause=figure,
        label="insured without a gap for long enough (连续参保)",
        inputs={"months": months, "months_required": required},
    )


def _of_an_insured_group(question: Question, group: str, pack: Pack, trace: Trace) -> bool:
    if not group or not pack.mentions("enrollment.insured_groups"):
        return True  # not insured at all is a reason of its own
    figure = pack.figure("enrollment.insured_groups", question.on_date)
    return trace.check(
        holds=group in figure.texts(),
        clause=figure,
        label="of a group that the pool insures (参保范围)",
        inputs={"group": str(group), "groups": ",".join(figure.texts())},
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
    """By what was determined where anything was; else by whether anything was paid at all."""
    figure = pack.figure("enrollment.arrears_suspend", question.on_date)
    if _paid_for(question, known, pack, trace):
        return True
    year, net = question.on_date.year, known.account.own_net()
    own = [paid for paid in known.account.paid if paid.source in OWN_SOURCES]
    inputs: dict[str, str | int] = {
        "year": year,
        "own_contributions": len(own),
        "own_amount_fen": net.fen,
    }
    paid = net > ZERO
    if known.account.dues:
        owed = _own_due(known.account, question.on_date)
        inputs |= {"own_due_fen": owed.fen}
        paid = net >= owed
    return trace.check(
        holds=paid or not figure.flag(),
        clause=figure,
        label="own contribution paid for the year (按时缴费)",
        inputs=inputs,
    )


def _paid_for(question: Question, known: _Known, pack: Pack, trace: Trace) -> bool:
    """Whether somebody else pays the own share; not asked of people without a status."""
    spell = known.coverage.on(question.on_date)
    if spell is None:
        return False
    statuses = spell.standing(question.on_date).statuses
    told = pays_own_share(statuses, question.on_date, pack)
    if told is None:
        return False
    figure, payer = told
    trace.met(
        figure,
        "the own share is not the person's to pay (资助参保、免缴)",
        {"statuses": ",".join(statuses), "paid_by": payer},
    )
    return True


def _own_due(account: a.Account, day: date) -> Money:
    """What the insured side had to have paid by the day: without a last day, all of it."""
    return account.own_due(lambda due: due.due_date is None or due.due_date < day)


def _alive(question: Question, known: _Known, trace: Trace) -> bool:
    death = known.life.death
    return trace.check(
        holds=death is None or question.on_date <= death.event_date,
        clause=ALIVE,
        label="alive on the day; the day of death still counts (存活)",
        inputs={
            "on_date": str(question.on_date),
            "death_date": str(death.event_date) if death else "",
        },
    )


def full_months(first: date, day: date) -> int:
    """How many whole months lie between the first day insured and the day; 0 at least."""
    months = (day.year - first.year) * 12 + day.month - first.month
    if months > 0 and add_months(first, months) > day:
        months -= 1
    return max(months, 0)


def _fold(facts: Sequence[Fact], year: int) -> _Known:
    events = [fact.event for fact in sorted(facts, key=lambda fact: fact.ref)]
    of_year = (e for e in events if isinstance(e, _ACCOUNT) and e.year == year)
    return _Known(
        coverage=coverage_of(facts),
        life=reduce(
            lf.evolve,
            (e for e in events if isinstance(e, lf.LifeEventReported | lf.LifeEventWithdrawn)),
            lf.Life(),
        ),
        account=reduce(a.evolve, of_year, a.Account()),
    )


_ACCOUNT = ContributionCollected | a.ContributionDue | a.ContributionRefunded
