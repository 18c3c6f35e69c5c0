"""Makes a pool's decisions again under packs of the caller's choice. Pure: no clock, no I/O.

Decisions stand on one another: a grade that the pool pays for now opens an entitlement, a visit
that counts now is a cost, and both end in money. So what a pack changes in an earlier decision
is put in the place of the recorded fact before the later ones are made.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from uuid import UUID

from ltci.provider.v1 import events_pb2 as provider_pb

from cli.replay.judge import REDO
from cli.whatif.history import PoolHistory, Range, RecordedBenefit, day_of
from kernel.calendar import Month
from kernel.money import Money
from kernel.refusal import Refused
from kernel.replay import RawFact
from kernel.rules.pack import Pack
from kernel.rules.ruling import FactRef, Ruling
from services.assessment.domain.grading import grade_in
from services.payment.domain import entitlement as e
from services.payment.domain.benefit import months_due, rule_benefit
from services.payment.domain.facts import (
    Authority,
    CaseFacts,
    Conclusion,
    Delivered,
    PersonFact,
    Rejected,
)
from services.payment.domain.merging import case_of, named_in
from services.payment.incoming import DELIVERED, fact_of

GRADE_NOT_ELIGIBLE = "GRADE_NOT_ELIGIBLE"
NOTHING = "nothing"  # the outcome of a month that nobody would record
PackOf = Callable[[str], Pack]  # the pack to use where a ruling pins this one


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A decision that a pack cannot make: the reason, and the figure it lacks where told."""

    reason: str
    key: str = ""


Result = Ruling | Refusal


@dataclass(frozen=True, kw_only=True)
class MonthResult:
    """A person's month as recorded and as made again; outcome `nothing` where there is none."""

    person: UUID
    month: Month
    recorded: Ruling | None
    again: Result | None


def attempt(work: Callable[[], Ruling]) -> Result:
    """The ruling, or why there is none."""
    try:
        return work()
    except Refused as refused:
        return Refusal(reason=refused.reason, key=refused.facts.get("key", ""))
    except (LookupError, ValueError, TypeError) as error:
        return Refusal(reason="NOT_REPEATABLE", key=type(error).__name__)


def same(recorded: Ruling | None, again: Result | None) -> bool:
    """Whether people would notice nothing: outcome, reasons and amounts are equal."""
    if isinstance(again, Refusal):
        return False
    if recorded is None or again is None:
        return recorded is again
    return (recorded.outcome, recorded.reasons, dict(recorded.amounts)) == (
        again.outcome,
        again.reasons,
        dict(again.amounts),
    )


@dataclass
class Effects:
    """What the decisions made again change for those that stand on them."""

    # By application, for its first round and for a review.
    grades: dict[tuple[UUID, Authority], tuple[int, bool]] = field(default_factory=dict)
    # By the verdict that was recorded: what takes its place. Of a visit the latest one counts.
    verdicts: dict[FactRef, Delivered | Rejected] = field(default_factory=dict)
    with_new_visits: set[UUID] = field(default_factory=set)  # persons
    turned_away: dict[UUID, list[date]] = field(default_factory=dict)  # by person
    admitted: set[UUID] = field(default_factory=set)  # eligible now; what follows is not known

    def note(self, decision: RawFact, recorded: Ruling, again: Result) -> None:
        """Takes in a decision that came out otherwise, and every grade that experts changed."""
        if isinstance(again, Ruling) and recorded.question == "grade_change":
            application = UUID(str(recorded.asked["application"]))
            pays = GRADE_NOT_ELIGIBLE not in again.reasons
            self.grades[application, Authority.ORDINARY] = grade_in(again), pays
        if isinstance(again, Refusal) or same(recorded, again):
            return
        person = UUID(recorded.subject) if recorded.question != "visit" else None
        match recorded.question:
            case "grade" | "review_grade" as question:
                application = UUID(str(recorded.asked["application"]))
                authority = Authority.ORDINARY if question == "grade" else Authority.REVIEW
                self.grades[application, authority] = (
                    grade_in(again),
                    GRADE_NOT_ELIGIBLE not in again.reasons,
                )
            case "visit" if again.outcome != recorded.outcome:
                self._visit(decision, again)
            case "eligibility" if person is not None and again.outcome != recorded.outcome:
                if again.outcome == "eligible":
                    self.admitted.add(person)
                else:
                    self.turned_away.setdefault(person, []).append(day_of(recorded))
            case _:
                pass

    def on(self, person: UUID, facts: Iterable[PersonFact]) -> list[PersonFact]:
        """The person's facts as they would be."""
        away = self.turned_away.get(person, ())
        found: list[PersonFact] = []
        for fact in facts:
            match fact:
                case Conclusion() if any(day <= fact.conclusion_date for day in away):
                    continue
                case Conclusion() if (fact.application, fact.authority) in self.grades:
                    grade, eligible = self.grades[fact.application, fact.authority]
                    found.append(replace(fact, grade=grade, eligible=eligible))
                case Delivered() | Rejected() if fact.ref in self.verdicts:
                    found.append(self.verdicts[fact.ref])
                case _:
                    found.append(fact)
        return found

    def touches(self, person: UUID) -> bool:
        return person in self.with_new_visits or person in self.turned_away

    def _visit(self, decision: RawFact, again: Ruling) -> None:
        if again.outcome != "delivered":
            visit = UUID(again.subject)
            self.verdicts[decision.ref] = Rejected(ref=decision.ref, visit=visit)
            return
        m = provider_pb.ServiceDelivered.FromString(_delivered(decision, again))
        told = fact_of(DELIVERED, m.SerializeToString(deterministic=True), decision.ref)
        assert isinstance(told, Delivered)  # noqa: S101 - tells the type checker
        self.verdicts[decision.ref] = told
        self.with_new_visits.add(UUID(m.person))


def _delivered(rejected: RawFact, again: Ruling) -> bytes:
    """The event that would have been recorded in place of a rejection."""
    m = provider_pb.ServiceRejected.FromString(rejected.payload)
    begins, ends = (
        datetime.fromisoformat(str(again.asked[name])) for name in ("start_time", "end_time")
    )
    return provider_pb.ServiceDelivered(
        visit=m.visit,
        plan=m.plan,
        person=m.person,
        pool=m.pool,
        provider=m.provider,
        care_date=m.care_date,
        minutes=int((ends - begins).total_seconds()) // 60,
        cost_fen=m.cost_fen,
    ).SerializeToString(deterministic=True)


class Rerun:
    """One pass over a pool's history under one choice of packs."""

    def __init__(self, history: PoolHistory, within: Range, pack_of: PackOf) -> None:
        self._history = history
        self._within = within
        self._pack_of = pack_of
        self._cases: dict[UUID, list[PersonFact]] = {}
        self.effects = Effects()

    def decision(
        self, service: str, decision: RawFact, ruling: Ruling, facts: Sequence[RawFact]
    ) -> Result:
        """An eligibility, a grade or a visit, from the facts that its ruling names."""
        pack = self._pack_of(ruling.pack)
        redo = REDO[service][decision.type]
        again = attempt(lambda: Ruling.read(redo(decision.payload, facts, pack)))
        self.effects.note(decision, ruling, again)
        return again

    def entitlement(self, ruling: Ruling) -> Result:
        """A recorded change of entitlement, after the decisions it stands on."""
        person, named = UUID(ruling.subject), {ref.position: ref for ref in ruling.facts}
        case = self._case(person, lambda f: named.get(f.ref.position) == f.ref)
        review = e.ReviewEntitlement(
            person=person,
            pool=ruling.pool,
            today=date.fromisoformat(str(ruling.asked["today"])),
            facts=case,
            pack=self._pack_of(ruling.pack),
            code_version=ruling.code_version,
        )
        return attempt(lambda: e.rule_entitlement(review, day_of(ruling)))

    def months(self, person: UUID) -> list[MonthResult]:
        """The person's settled months of the range: those with a benefit, and those without."""
        runs, benefits = self._history.runs, self._history.benefits
        within = [run for run in runs if self._within.has_month(run)]
        # What a year's other months came to counts where a pool caps the year: in the order in
        # which they were determined, months outside the range as recorded.
        paid: Counter[int] = Counter()
        for recorded in self._history.of_person.get(person, ()):
            if not self._within.has_month(recorded.month):
                paid[recorded.month.year] += recorded.ruling.amounts["fund_share"]
        found: dict[Month, MonthResult] = {}
        for month in sorted(within, key=lambda month: (self._settled(person, month), month)):
            earlier = Money(paid[month.year])
            one = benefits.get((person, month))
            again = (
                self._first_due(person, month, runs, earlier)
                if one is None
                else self._determined(one, earlier)
            )
            if isinstance(again, Ruling):
                paid[month.year] += again.amounts["fund_share"]
            ruling = None if one is None else one.ruling
            found[month] = MonthResult(person=person, month=month, recorded=ruling, again=again)
        return [found[month] for month in within]

    def _settled(self, person: UUID, month: Month) -> Month:
        recorded = self._history.benefits.get((person, month))
        return month if recorded is None else recorded.settled_month

    def _determined(self, recorded: RecordedBenefit, paid: Money) -> Result:
        """A month that has a benefit, from what its settlement run knew."""
        case = self._known(recorded.person, recorded.settled_month)
        pack, version = self._pack_of(recorded.ruling.pack), recorded.ruling.code_version
        return attempt(
            lambda: self._benefit(recorded.person, recorded.month, case, pack, paid, version)
        )

    def _first_due(
        self, person: UUID, month: Month, runs: Sequence[Month], paid: Money
    ) -> Result | None:
        """A month without a benefit: what the first run that finds one due would determine.

        A run that cannot decide leaves it to the next; the refusal counts where all do.
        """
        pack, before, refusal = self._pack_of(self._history.last_pin), None, None
        for run in runs:
            if run < month:
                continue
            case = self._known(person, run)
            seen = _refs_of(case, month)
            if seen == before:
                continue
            before = seen
            again = attempt(partial(self._if_due, person, month, case, pack, paid))
            if isinstance(again, Ruling):
                return again
            refusal = None if again.reason == NOTHING else again
        return refusal

    def _if_due(
        self, person: UUID, month: Month, case: CaseFacts, pack: Pack, paid: Money
    ) -> Ruling:
        if month not in months_due(case, self._history.pool, pack, upto=month):
            raise Refused(NOTHING)
        ruling = self._benefit(person, month, case, pack, paid, "whatif")
        # As the decider does: a month in which nothing was given and nothing is due is no event.
        if not ruling.amounts["fund_share"] and not ruling.amounts["eligible_cost"]:
            raise Refused(NOTHING)
        return ruling

    def _benefit(
        self,
        person: UUID,
        month: Month,
        case: CaseFacts,
        pack: Pack,
        paid: Money,
        code_version: str,
    ) -> Ruling:
        return rule_benefit(
            person,
            self._history.pool,
            month,
            facts=case,
            pack=pack,
            code_version=code_version,
            paid_this_year=paid,
        ).ruling

    def _known(self, person: UUID, run: Month) -> CaseFacts:
        known: Mapping[str, int] = self._history.known(run)
        return self._case(person, lambda f: f.ref.position <= known.get(f.ref.service, 0))

    def _case(self, person: UUID, counts: Callable[[PersonFact], bool]) -> CaseFacts:
        """The person's case from the facts that count, those of who is one with the person too."""
        if person not in self._cases:
            # One person at a time is asked about: the others' facts need not be kept twice.
            self._cases = {person: self._facts_of(person)}
            while missing := named_in(self._cases) - set(self._cases):
                self._cases |= {who: self._facts_of(who) for who in missing}
        owned = {who: [f for f in facts if counts(f)] for who, facts in self._cases.items()}
        return case_of(person, owned)

    def _facts_of(self, person: UUID) -> list[PersonFact]:
        return self.effects.on(person, self._history.facts.get(person, ()))


def _refs_of(case: CaseFacts, month: Month) -> tuple[FactRef, ...]:
    """What a month's benefit stands on."""
    whole = case.whole
    visits = tuple(d.ref for d in whole.deliveries if d.care_date in month)
    return (*case.standing_refs, *case.plan_refs, *visits, *whole.care_refs)
