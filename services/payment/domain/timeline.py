"""Whether a person is entitled on a day, from the facts of the case alone. Pure.

A day is judged in this order: no eligible conclusion yet; dead; recovered, or stopped; moved away;
not insured; conclusion no longer valid; coverage suspended; in hospital; else open. Which
conclusion counts on a day is said in `precedence`. It does not matter when or in which
order facts became known. Sources: 医保发〔2023〕29号 (conclusions, validity), 医保办发〔2024〕22号
(pause and end); neither text could be read, so clauses without a figure are not verified.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from kernel.refusal import Refused
from kernel.rules.figure import Figure
from kernel.rules.pack import Pack
from kernel.rules.ruling import Cited, Clause, Scalar, Trace
from services.payment.domain.course import NO_STANDING, Cause, Course, Standing, State
from services.payment.domain.facts import (
    Authority,
    CaseFacts,
    Conclusion,
    LifeEvent,
    LifeEventKind,
)
from services.payment.domain.precedence import Reign, reigns

ONE_DAY = timedelta(days=1)
# What a pool may do while a person is in hospital: pay for the care that is received, or not.
_PAYS_ON = frozenset({"pay_on", "pay_at_care_received"})
_RESTS = frozenset({"pause", "stop"})
_HANDLING = "长期护理保险经办规程(试行), 医保办发〔2024〕22号"
_ADMINISTRATION = "长期护理保险失能等级评估管理办法(试行), 医保发〔2023〕29号"


def _clause(name: str, citation: str) -> Clause:
    return Clause(key=f"payment.{name}", citation=citation, verified=False)


GRADE = _clause("grade_in_force", _ADMINISTRATION)
VALIDITY = _clause("validity", _ADMINISTRATION)
STOPPED = _clause("ends_with_refused_reassessment", _ADMINISTRATION)
OUTRANKS = Clause(
    key="payment.appeal_outranks",
    citation="what an appeal established stands until people decide anew: design reading",
    verified=False,
)
ALIVE = _clause("ends_with_death", _HANDLING)
RESIDENT = _clause("ends_with_move", _HANDLING)
INSURED = _clause("ends_with_coverage", _HANDLING)
NOT_SUSPENDED = _clause("rests_with_coverage", _HANDLING)


@dataclass(frozen=True, slots=True)
class _Stay:
    """Days in hospital, admission and discharge both in; without a discharge they go on."""

    first: date
    last: date | None

    def __contains__(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)


class Timeline:
    """The case of one person in one pool, ready to be asked about days."""

    def __init__(
        self, facts: CaseFacts, pool: str, pack: Pack, *, today: date | None = None
    ) -> None:
        """With `today`, a validity that runs out later does not count as run out."""
        self._pack = pack
        self._today = today
        withdrawn = {withdrawal.life_event for withdrawal in facts.withdrawals}
        events = [event for event in facts.life_events if event.life_event not in withdrawn]
        self._died = min(
            (e.event_date for e in events if e.kind is LifeEventKind.DEATH), default=None
        )
        self._moves = [
            e.event_date for e in events if e.kind is LifeEventKind.MOVED_AWAY and e.pool == pool
        ]
        self._stays = tuple(_stays(events))
        self._reigns = reigns(facts.conclusions)
        self._coverage_ends = [end.end_date for end in facts.coverage_ends]
        self._coverage_starts = [start.start_date for start in facts.coverage_starts]
        resumed = {one.suspension: one.resume_date for one in facts.resumptions}
        self._rests = tuple(
            (one.from_date, resumed.get(one.suspension)) for one in facts.suspensions
        )
        self._first = min((c.effective_date for c in facts.conclusions if c.eligible), default=None)

    @property
    def first_day(self) -> date | None:
        """First day of the first eligible conclusion; None where there is none."""
        return self._first

    def reign_on(self, day: date) -> Reign | None:
        """The conclusion that counts on a day, and the last day it carries."""
        counting = None
        for reign in self._reigns:
            if reign.first > day:
                break
            counting = reign
        return counting

    def course(self) -> Course:
        """All standings, each with its first day."""
        return Course.of({day: self.on(day) for day in sorted(self._turning_days())})

    def on(self, day: date, trace: Trace | None = None) -> Standing:
        """How the person stands on a day; the trace gets the clauses applied."""
        reign = self.reign_on(day)
        if self._first is None or day < self._first or reign is None:
            return NO_STANDING
        conclusion, reach = reign.conclusion, reign.carries_until
        _say_what_outranks(conclusion, trace)
        for cause, holds, clause, label, inputs in self._conditions(day, conclusion, reach):
            if trace is not None:
                trace.check(holds=holds, clause=clause, label=label, inputs=inputs)
            if not holds:
                return Standing(state=State.ENDED, cause=cause)
        resting = self._resting_on(day)
        if resting is not None:
            if trace is not None:
                rests: dict[str, Scalar] = {"on_date": f"{day}", "suspended_from": f"{resting}"}
                trace.not_met(NOT_SUSPENDED, "the coverage does not rest", rests)
            return Standing(state=State.PAUSED, grade=conclusion.grade, cause=Cause.SUSPENDED)
        stay = self._stay_on(day)
        if stay is None:
            return Standing(state=State.OPEN, grade=conclusion.grade)
        rule = self._hospital_rule(day)
        if trace is not None:
            trace.computed(
                rule,
                "a day in hospital",
                {"on_date": f"{day}", "admitted": f"{stay.first}"},
                rule.text(),
            )
        if rule.text() in _PAYS_ON:
            return Standing(state=State.OPEN, grade=conclusion.grade)
        return Standing(state=State.PAUSED, grade=conclusion.grade, cause=Cause.IN_HOSPITAL)

    def _conditions(
        self, day: date, conclusion: Conclusion, reach: date
    ) -> Iterator[tuple[Cause, bool, Cited, str, dict[str, Scalar]]]:
        """What must hold for an entitlement not to be over, in the order it is asked."""
        on: dict[str, Scalar] = {"on_date": f"{day}"}
        died = self._died
        yield (
            Cause.DEATH,
            died is None or day <= died,
            ALIVE,
            "alive; the day of death still counts",
            on if died is None else {**on, "died": f"{died}"},
        )
        if conclusion.authority is Authority.AUTOMATIC:
            yield (
                Cause.REASSESSMENT_REFUSED,
                False,
                STOPPED,
                "did not refuse a reassessment without cause",
                {
                    **on,
                    "refused_date": f"{conclusion.conclusion_date}",
                    "effective_date": f"{conclusion.effective_date}",
                },
            )
            return
        yield (
            Cause.RECOVERED,
            conclusion.eligible,
            GRADE,
            "the pool pays for the grade of the conclusion in force",
            {**on, "grade": conclusion.grade, "effective_date": f"{conclusion.effective_date}"},
        )
        moved = max((d for d in self._moves if _known_here(conclusion) <= d < day), default=None)
        if moved is not None:
            yield (
                Cause.MOVED_AWAY,
                False,
                RESIDENT,
                "lives in the pool",
                {**on, "moved": f"{moved}"},
            )
        ended = max((d for d in self._coverage_ends if d < day), default=None)
        if ended is not None:
            again = any(ended < start <= day for start in self._coverage_starts)
            yield (
                Cause.COVERAGE_ENDED,
                again,
                INSURED,
                "insured in the pool",
                {**on, "coverage_end": f"{ended}"},
            )
        if conclusion.authority is Authority.APPEAL:
            return  # what an appeal established does not run out by itself
        expired = day > reach and (self._today is None or self._today > reach)
        yield (
            Cause.VALIDITY_EXPIRED,
            not expired,
            VALIDITY,
            "the conclusion is valid, or carries until the next one that was reached in time",
            {
                **on,
                "valid_until_date": f"{conclusion.valid_until_date}",
                "carries_until": f"{reach}",
            },
        )

    def _resting_on(self, day: date) -> date | None:
        """First day of the suspension that has the day; of several, the earliest."""
        firsts = (f for f, again in self._rests if f <= day and (again is None or day < again))
        return min(firsts, default=None)

    def _stay_on(self, day: date) -> _Stay | None:
        return next((stay for stay in self._stays if day in stay), None)

    def _hospital_rule(self, day: date) -> Figure:
        figure = self._pack.figure("payment.hospital", day)
        if figure.text() not in _PAYS_ON | _RESTS:
            raise Refused("HOSPITAL_RULE_UNKNOWN", rule=figure.text(), pool=self._pack.pool)
        return figure

    def _turning_days(self) -> Iterator[date]:
        """Every day on which the standing may change."""
        if self._first is not None:
            yield self._first  # also of a conclusion that was set aside from before its first day
        for reign in self._reigns:
            yield reign.first
            if reign.carries_until < date.max:
                yield reign.carries_until + ONE_DAY
        if self._died is not None:
            yield self._died + ONE_DAY
        yield from (day + ONE_DAY for day in self._moves)
        yield from (day + ONE_DAY for day in self._coverage_ends)
        yield from self._coverage_starts
        for first, again in self._rests:
            yield first
            if again is not None:
                yield again
        for stay in self._stays:
            yield stay.first
            if stay.last is not None:
                yield stay.last + ONE_DAY
        if self._stays:
            yield from (rule.effective_from for rule in self._pack.history("payment.hospital"))


def _say_what_outranks(conclusion: Conclusion, trace: Trace | None) -> None:
    """An appeal's conclusion says that it is one; others need no word."""
    if trace is None or conclusion.authority is not Authority.APPEAL:
        return
    trace.computed(
        OUTRANKS,
        "established by an appeal (申诉决定)",
        {
            "effective_date": f"{conclusion.effective_date}",
            "decided_date": f"{conclusion.conclusion_date}",
        },
        conclusion.grade,
    )


def _known_here(conclusion: Conclusion) -> date:
    """The day on which people last saw the person live in the pool.

    A panel or a second round speaks of the state from its first day of effect on, however late.
    """
    if conclusion.authority is Authority.ORDINARY:
        return conclusion.conclusion_date
    return min(conclusion.conclusion_date, conclusion.effective_date)


def _stays(events: list[LifeEvent]) -> Iterator[_Stay]:
    """The stays in hospital that admissions and discharges make together.

    Told twice is told once. On one day a person in hospital is discharged before being admitted
    again (a transfer), and a person outside is admitted before being discharged.
    """
    admissions = {e.event_date for e in events if e.kind is LifeEventKind.ADMISSION}
    discharges = {e.event_date for e in events if e.kind is LifeEventKind.DISCHARGE}
    since: date | None = None
    for day in sorted(admissions | discharges):
        leaves = day in discharges and (since is None or day not in admissions)
        if since is None and day in admissions:
            since = day
        if since is not None and leaves:
            yield _Stay(since, day)
            since = None
    if since is not None:
        yield _Stay(since, None)
