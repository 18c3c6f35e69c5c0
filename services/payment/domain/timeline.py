"""Whether a person is entitled on a day, from the facts of the case alone. Pure.

A day is judged in this order: no eligible conclusion yet; dead; recovered, or stopped; moved away;
not insured; conclusion no longer valid; coverage suspended; in hospital; excluded by the pool's
list; else open. Which conclusion counts on a day is said in `precedence`. It does not matter when
or in which order facts became known, but for a source that puts itself right. Sources:
医保发〔2023〕29号 (conclusions, validity), 医保办发〔2024〕22号 (pause and end); neither text could
be read, so clauses without a figure are not verified.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from kernel.refusal import Refused
from kernel.rules.figure import Figure
from kernel.rules.pack import Pack
from kernel.rules.precedence import WHO_COUNTS, precedence_figure, ranks_of, told_of, weigh
from kernel.rules.ruling import Cited, Clause, Scalar, Trace
from services.payment.domain.course import NO_STANDING, Cause, Course, Standing, State
from services.payment.domain.facts import Authority, CaseFacts, Conclusion, LifeEventKind
from services.payment.domain.insured import Insurance
from services.payment.domain.precedence import Reign, reigns
from services.payment.domain.rests import Rests, Stay, periods

ONE_DAY = timedelta(days=1)
# What a pool may do while a person is in hospital: pay for the care that is received, or not.
_PAYS_ON = frozenset({"pay_on", "pay_at_care_received"})
_RESTS = frozenset({"pause", "stop"})
_MOVES = frozenset({LifeEventKind.MOVED_AWAY, LifeEventKind.MOVED_TO_POOL})
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
ONE_CASE = Clause(
    key="payment.one_case",
    citation="参保信息并档: design reading; a person is paid once, in the case of who stays",
    verified=False,
)
INSURED = _clause("ends_with_coverage", _HANDLING)
NOT_SUSPENDED = _clause("rests_with_coverage", _HANDLING)


class Timeline:
    """The case of one person in one pool, ready to be asked about days."""

    def __init__(
        self, facts: CaseFacts, pool: str, pack: Pack, *, today: date | None = None
    ) -> None:
        """With `today`, a validity that runs out later does not count as run out."""
        self._pack = pack
        self._today = today
        withdrawn = {withdrawal.life_event for withdrawal in facts.withdrawals}
        events = [
            event
            for event in facts.life_events
            # A move out of another pool says nothing here.
            if event.life_event not in withdrawn
            and (event.kind not in _MOVES or event.pool == pool)
        ]
        self._weighed = weigh([event.report for event in events], ranks_of(pack))
        self._died = self._weighed.death.day if self._weighed.death else None
        self._moves = sorted({day for kind in _MOVES for day in self._weighed.days_of(kind)})
        self._stays = tuple(
            periods(self._weighed, LifeEventKind.ADMISSION, LifeEventKind.DISCHARGE)
        )
        self._rests = Rests(self._weighed, pack)
        self._reigns = reigns(facts.conclusions)
        # Of persons who are one each has an insurance of its own.
        self._insurances = tuple(map(Insurance.of, _insured_members(facts) or [facts]))
        self._joined = tuple(
            (first, Timeline(joined, pool, pack, today=today)) for first, joined in facts.joined
        )
        self._merged_on = facts.merged_on
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
        case = next((one for first, one in reversed(self._joined) if first <= day), self)
        standing = case._by_its_facts(day, trace)  # noqa: SLF001 - of the same kind
        if self._merged_on is None or day < self._merged_on or not standing.runs:
            return standing
        if trace is not None:
            told: dict[str, Scalar] = {"on_date": f"{day}", "merged": f"{self._merged_on}"}
            trace.not_met(ONE_CASE, "the case goes on under the person's own id", told)
        return Standing(state=State.ENDED, cause=Cause.MERGED)

    def _by_its_facts(self, day: date, trace: Trace | None) -> Standing:
        reign = self.reign_on(day)
        if self._first is None or day < self._first or reign is None:
            return NO_STANDING
        conclusion, reach = reign.conclusion, reign.carries_until
        _say_what_outranks(conclusion, trace)
        if trace is not None:
            self._explain_disputes(trace)
        for cause, holds, clause, label, inputs in self._conditions(day, conclusion, reach):
            if trace is not None:
                trace.check(holds=holds, clause=clause, label=label, inputs=inputs)
            if not holds:
                return Standing(state=State.ENDED, cause=cause)
        rests = self._rests_on(day, trace)
        if rests is None:
            return Standing(state=State.OPEN, grade=conclusion.grade)
        return Standing(state=State.PAUSED, grade=conclusion.grade, cause=rests)

    def _rests_on(self, day: date, trace: Trace | None) -> Cause | None:
        """Why it rests: the coverage does, then a stay in hospital, then what a pool excludes."""
        suspended = self._suspended_from(day)
        if suspended is not None:
            if trace is not None:
                told: dict[str, Scalar] = {"on_date": f"{day}", "suspended_from": f"{suspended}"}
                trace.not_met(NOT_SUSPENDED, "the coverage does not rest", told)
            return Cause.SUSPENDED
        stay = self._stay_on(day)
        if stay is not None and self._rests_in_hospital(stay, day, trace):
            return Cause.IN_HOSPITAL
        return self._rests.cause_on(day, trace)

    def _rests_in_hospital(self, stay: Stay, day: date, trace: Trace | None) -> bool:
        rule = self._hospital_rule(day)
        if trace is not None:
            trace.computed(
                rule,
                "a day in hospital",
                {"on_date": f"{day}", "admitted": f"{stay.first}"},
                rule.text(),
            )
        return rule.text() not in _PAYS_ON

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
        insurance = self._insurance_on(day)
        if insurance is not None:
            ended, again = insurance
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

    def _insurance_on(self, day: date) -> tuple[date, bool] | None:
        """The last end of coverage before the day, and whether it began again; None without one.

        Of persons who are one, the one with the best insurance counts.
        """
        found: list[tuple[bool, date]] = []
        for insurance in self._insurances:
            ended = insurance.last_end(day)
            if ended is None:
                return None
            found.append((insurance.began_again(ended, day), ended))
        again, ended = max(found)
        return ended, again

    def _suspended_from(self, day: date) -> date | None:
        """First day of the suspension that has the day; of several, the earliest.

        Of persons who are one, nothing rests while the insurance of one of them does not.
        """
        having = [one for one in self._insurances if one.has(day)] or self._insurances
        firsts = [one.suspended_from(day) for one in having]
        known = [first for first in firsts if first is not None]
        return min(known) if len(known) == len(firsts) else None

    def _explain_disputes(self, trace: Trace) -> None:
        """Which of contradicting reports count; nothing where none contradict."""
        for dispute in self._weighed.disputes:
            trace.computed(
                precedence_figure(self._pack), WHO_COUNTS, told_of(dispute), dispute.source
            )

    def _stay_on(self, day: date) -> Stay | None:
        return next((stay for stay in self._stays if day in stay), None)

    def _hospital_rule(self, day: date) -> Figure:
        figure = self._pack.figure("payment.hospital", day)
        if figure.text() not in _PAYS_ON | _RESTS:
            raise Refused("HOSPITAL_RULE_UNKNOWN", rule=figure.text(), pool=self._pack.pool)
        return figure

    def _turning_days(self) -> Iterator[date]:
        """Every day on which the standing may change."""
        yield from self._turning_by_its_facts()
        for first, joined in self._joined:
            yield first
            yield from joined._turning_by_its_facts()  # noqa: SLF001 - of the same kind
        if self._merged_on is not None:
            yield self._merged_on

    def _turning_by_its_facts(self) -> Iterator[date]:
        if self._first is not None:
            yield self._first  # also of a conclusion that was set aside from before its first day
        for reign in self._reigns:
            yield reign.first
            if reign.carries_until < date.max:
                yield reign.carries_until + ONE_DAY
        if self._died is not None:
            yield self._died + ONE_DAY
        yield from (day + ONE_DAY for day in self._moves)
        for insurance in self._insurances:
            yield from insurance.turning_days()
        for stay in self._stays:
            yield stay.first
            if stay.last is not None:
                yield stay.last + ONE_DAY
        yield from self._rests.turning_days()
        if self._stays:
            yield from (rule.effective_from for rule in self._pack.history("payment.hospital"))


def _insured_members(facts: CaseFacts) -> list[CaseFacts]:
    """Of persons who are one, those of whose insurance anything is known."""
    return [one for one in facts.members if one.coverage_ends or one.coverage_starts]


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
