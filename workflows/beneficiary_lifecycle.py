"""The years of one person in the scheme, from the first application to the end (待遇享受全程).

It waits: for assessments, for life, for the legal dates. What the facts mean for the entitlement
is decided by payment, each time something happened, and this process follows the answer.
"""

import asyncio
from datetime import date, timedelta

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ActivityError, ChildWorkflowError, WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from kernel.ids import derive
    from workflows.activities.assessment import AssessmentActivities, ReassessmentOrder
    from workflows.activities.payment import Entitlement, PaymentActivities, Review
    from workflows.business_time import BusinessTime, instant_of
    from workflows.messages import (
        Assessment,
        Beneficiary,
        Carried,
        FactNotice,
        Outcome,
        Story,
    )
    from workflows.search_attributes import Board, about
    from workflows.timing import READ, REVIEW, WRITE, call, refusal_in

from workflows.assess_disability import ENDS, FIRST, AssessDisability

# When the periodic reassessment is ordered (定期评估) is told with the entitlement; an answer that
# came before payment told it, in the history of a process of then, means so early.
REASSESS_BEFORE = timedelta(days=60)
LOOK_AGAIN = timedelta(days=5)  # business days until something that should have come is looked for
ONE_DAY = timedelta(days=1)
FACTS_A_RUN = 2_000  # then a new run with a short history takes over
STEPS_KEPT = 30
OVER = frozenset(
    {"ENDED", "REFUSED", "WITHDRAWN", "TERMINATED", "NOT_ELIGIBLE_GRADE", "NOT_ENTITLED"}
)
WAITS = {"ASSESSING": "ASSESSMENT", "PAUSED": "DISCHARGE"}


@workflow.defn
class BeneficiaryLifecycle:
    """One person in one pool. Id `beneficiary/{pool}/{person}`.

    It ends with the entitlement, or when an assessment ended without one; a later application or
    a late fact starts it again under the same id.
    """

    @workflow.init
    def __init__(self, who: Beneficiary) -> None:
        before = who.carried
        self._who = who
        self._time: BusinessTime | None = None
        self._notices: list[FactNotice] = []
        self._seen = dict(before.seen)
        self._told = 0
        self._assessing: dict[str, asyncio.Task[None]] = {}
        self._outcomes: list[Outcome] = []
        self._last_outcome: Outcome | None = None
        self._delivered: set[str] = set()  # applications whose delivery we were told of
        self._undelivered: dict[str, date] = {}  # ended, not told yet; when to look without news
        self._entitlement = Entitlement(
            before.entitlement,
            before.grade,
            valid_until_date=before.valid_until,
            reassessment_date=before.reassess_on,
        )
        self._reassessment_ordered_for = before.reassessment_ordered_for
        self._review_again: date | None = None
        self._refused_because = ""
        self._shown, self._since = before.shown, before.since
        self._steps = list(before.steps)
        self._board = Board("Beneficiary")

    @workflow.run
    async def run(self, _who: Beneficiary) -> str:
        """Returns how it ended: `ENDED`, `REFUSED`, `WITHDRAWN`, `NOT_ELIGIBLE_GRADE`, …"""
        self._time = await BusinessTime.read()
        if not self._entitlement.state and not self._notices:
            await self._review({}, "started by hand")
        while True:
            await self._catch_up()
            self._show()
            if self._is_over():
                return self._state()
            if self._is_long() and not self._assessing and workflow.all_handlers_finished():
                workflow.continue_as_new(self._carried())
            await self._sleep()

    @workflow.signal
    def fact(self, notice: FactNotice) -> None:
        """A service recorded something about this person. What was told before changes nothing."""
        self._told += 1  # also where it is old: the history grows with it
        if notice.position <= self._seen.get(notice.service, 0):
            return
        self._seen[notice.service] = notice.position
        self._notices.append(notice)

    @workflow.signal
    def clock_changed(self) -> None:
        """The business clock was set: deadlines may be nearer than they seemed."""
        if self._time is not None:
            self._time.mark_stale()

    @workflow.query
    def story(self) -> Story:
        """Where the person stands and how it came to that."""
        deadline = self._next_date() if self._time else None
        return Story(
            pool=self._who.pool,
            person=self._who.person,
            state=self._state(),
            since=self._since,
            waits_for=self._waits_for(),
            next_deadline=deadline.isoformat() if deadline else "",
            assessments=sorted(self._assessing),
            steps=list(self._steps),
        )

    # What happened -----------------------------------------------------------------------------

    async def _catch_up(self) -> None:
        """Takes in all that came: starts assessments, and has the facts reviewed together."""
        while self._notices or self._outcomes:
            notices, self._notices = self._notices, []
            outcomes, self._outcomes = self._outcomes, []
            for outcome in outcomes:
                self._take_outcome(outcome)
            for notice in notices:
                self._take_notice(notice)
            if facts := [one for one in notices if one.event != "ApplicationSubmitted"]:
                await self._review(_known(facts), ", ".join(sorted({one.event for one in facts})))
            for outcome in outcomes:
                if outcome.state != "DELIVERED":
                    await self._review({}, f"assessment {outcome.state}", outcome.application)

    def _take_notice(self, notice: FactNotice) -> None:
        match notice.event:
            case "ApplicationSubmitted":
                self._note("application submitted")
                task = asyncio.create_task(self._assess(notice))
                self._assessing[notice.application] = task
            case "ConclusionDelivered":
                self._delivered.add(notice.application)
                self._undelivered.pop(notice.application, None)

    def _take_outcome(self, outcome: Outcome) -> None:
        self._last_outcome = outcome
        self._note(f"assessment {outcome.state.lower()}")
        if outcome.state == "DELIVERED" and outcome.application not in self._delivered:
            # Its event is on the way; payment is asked once we know how far it must have read.
            self._undelivered[outcome.application] = self._today() + LOOK_AGAIN

    async def _assess(self, notice: FactNotice) -> None:
        """Has the application carried to its end by a process of its own."""
        asked = Assessment(notice.application, self._who.pool, self._who.person, notice.day)
        try:
            outcome = await workflow.execute_child_workflow(
                AssessDisability.run,
                asked,
                id=f"assessment/{notice.application}",
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                parent_close_policy=ParentClosePolicy.ABANDON,
                search_attributes=about(
                    self._who.pool, self._who.person, state=FIRST[0], waits_for=FIRST[1]
                ),
                static_summary=f"Assessment in {self._who.pool}",
            )
        except (WorkflowAlreadyStartedError, ChildWorkflowError):
            outcome = await self._followed(notice.application)
        del self._assessing[notice.application]
        self._outcomes.append(outcome)

    async def _followed(self, application: str) -> Outcome:
        """The end of an assessment that is not our child: an earlier run's, or mended by hand."""
        while True:
            now = await call(READ, AssessmentActivities.get_application, application)
            if now.state in ENDS:
                return Outcome(
                    application, now.state, now.grade, now.grade_eligible, now.conclusion_date
                )
            await self._clock.wait_for(lambda: application in self._delivered, ONE_DAY)

    # What it means -----------------------------------------------------------------------------

    async def _review(self, known: dict[str, int], because: str, *step: str) -> None:
        """Has payment look at all facts; a refusal is shown to operators and tried again."""
        parts = [f"{service}:{position}" for service, position in sorted(known.items())]
        # A review looks at the present: a lifecycle that is started anew must not be given the
        # answer that another one got years ago. Reviewing twice records nothing twice.
        parts.append(workflow.info().first_execution_run_id)
        review = Review(
            person=self._who.person,
            pool=self._who.pool,
            known=known,
            request_id=self._request_id("review", because, *step, *parts),
        )
        try:
            entitlement = await call(REVIEW, PaymentActivities.review_entitlement, review)
        except ActivityError as error:
            self._refused_because = refusal_in(error).reason
            self._review_again = self._today() + ONE_DAY
            self._note(f"review refused: {self._refused_because}")
            return
        self._refused_because, self._review_again = "", None
        if entitlement != self._entitlement:
            self._note(_told(entitlement, because))
        self._entitlement = entitlement

    async def _sleep(self) -> None:
        """Waits for news or the next date, and does what the date asks for."""
        day = self._next_date()
        if await self._clock.wait_until(lambda: bool(self._notices or self._outcomes), day):
            return
        if day is None or self._today() < day:
            return
        if day == self._reassess_on():
            await self._order_reassessment()
            return
        for application in [one for one, until in self._undelivered.items() if until <= day]:
            del self._undelivered[application]
        await self._review({}, "date reached", day.isoformat())
        valid_until = self._valid_until()
        if valid_until and day > valid_until and self._review_again is None:
            self._review_again = self._today() + ONE_DAY  # still open: payment sees more than we

    async def _order_reassessment(self) -> None:
        valid_until = self._entitlement.valid_until_date
        order = ReassessmentOrder(
            person=self._who.person,
            pool=self._who.pool,
            due_date=valid_until,
            cause="VALIDITY_ENDS",
            request_id=self._request_id("reassess", valid_until),
        )
        self._reassessment_ordered_for = valid_until
        try:
            await call(WRITE, AssessmentActivities.order_reassessment, order)
            self._note(f"periodic reassessment ordered, due {valid_until}")
        except ActivityError as error:
            self._note(f"reassessment refused: {refusal_in(error).reason}")

    def _next_date(self) -> date | None:
        """The next day on which something is due without news."""
        days = [*self._undelivered.values()]
        if self._review_again:
            days.append(self._review_again)
        if reassess_on := self._reassess_on():
            days.append(reassess_on)
        elif self._review_again is None and (valid_until := self._valid_until()):
            days.append(valid_until + ONE_DAY)
        return min(days, default=None)

    def _reassess_on(self) -> date | None:
        """When the periodic reassessment is to be ordered; None where it was."""
        valid_until = self._valid_until()
        if (
            valid_until is None
            or self._reassessment_ordered_for == valid_until.isoformat()
            or self._today() > valid_until
        ):
            return None
        told = self._entitlement.reassessment_date
        return date.fromisoformat(told) if told else valid_until - REASSESS_BEFORE

    def _valid_until(self) -> date | None:
        told = self._entitlement.valid_until_date
        is_running = self._entitlement.state in {"OPEN", "PAUSED"}
        return date.fromisoformat(told) if told and is_running else None

    # Where it stands ---------------------------------------------------------------------------

    def _state(self) -> str:
        match self._entitlement.state:
            case "OPEN":
                return "ENTITLED"
            case "PAUSED":
                return "PAUSED"
        if self._assessing or self._outcomes or self._undelivered or not self._entitlement.state:
            return "ASSESSING"
        if self._entitlement.state == "ENDED":
            return "ENDED"
        match self._last_outcome:
            case Outcome(state="DELIVERED", eligible=False):
                return "NOT_ELIGIBLE_GRADE"
            case Outcome(state="REFUSED" | "WITHDRAWN" | "TERMINATED" as ended):
                return ended
        return "NOT_ENTITLED"

    def _waits_for(self) -> str:
        if self._refused_because:
            return "OPERATOR"
        state = self._state()
        if state == "ENTITLED":
            ordered = self._reassessment_ordered_for == self._entitlement.valid_until_date
            return "REASSESSMENT" if ordered else "REASSESSMENT_DATE"
        return WAITS.get(state, "")

    def _is_over(self) -> bool:
        nothing_open = not (self._notices or self._assessing or self._review_again)
        return nothing_open and self._state() in OVER

    def _is_long(self) -> bool:
        return workflow.info().is_continue_as_new_suggested() or self._told >= FACTS_A_RUN

    def _carried(self) -> Beneficiary:
        return Beneficiary(
            self._who.pool,
            self._who.person,
            Carried(
                entitlement=self._entitlement.state,
                grade=self._entitlement.grade,
                valid_until=self._entitlement.valid_until_date,
                reassess_on=self._entitlement.reassessment_date,
                shown=self._shown,
                since=self._since,
                reassessment_ordered_for=self._reassessment_ordered_for,
                seen=self._seen,
                steps=self._steps,
            ),
        )

    def _show(self) -> None:
        state, deadline = self._state(), self._next_date()
        if state != self._shown:
            self._shown, self._since = state, self._today().isoformat()
        self._board.show(
            state,
            waits_for=self._waits_for(),
            deadline=instant_of(deadline) if deadline else None,
            lines=self._steps,
        )

    def _note(self, what: str) -> None:
        self._steps = [*self._steps, f"{self._today().isoformat()} {what}"][-STEPS_KEPT:]

    def _today(self) -> date:
        return self._clock.today()

    def _request_id(self, *step: str) -> str:
        return str(derive("workflow", workflow.info().workflow_id, *step))

    @property
    def _clock(self) -> BusinessTime:
        assert self._time is not None, "read at the start of run"  # noqa: S101
        return self._time


def _known(facts: list[FactNotice]) -> dict[str, int]:
    """How far payment must have read to have seen these facts and all before them.

    Its own log is not among them: what it wrote itself it knows.
    """
    known: dict[str, int] = {}
    for fact in facts:
        for service, position in {**fact.heads, fact.service: fact.position}.items():
            if service != "payment":
                known[service] = max(position, known.get(service, 0))
    return known


def _told(entitlement: Entitlement, because: str) -> str:
    told = f"entitlement {entitlement.state.lower()}"
    if entitlement.effective_date:
        told += f" from {entitlement.effective_date}"
    if entitlement.state == "OPEN":
        told += f", grade {entitlement.grade}, valid until {entitlement.valid_until_date}"
    return f"{told} ({entitlement.cause or because})"
