"""One application from acceptance to its delivered conclusion (失能评估).

It keeps the legal clocks: the service counts their days, this process waits for them, has each
reminder and each missed last day recorded, and stands while they stand. Where the application
is in its course is always asked of the service; news from outside only wake the process.
"""

from dataclasses import replace
from datetime import date, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from kernel.ids import derive
    from workflows.activities.assessment import (
        Application,
        ApplicationStep,
        AssessmentActivities,
        ClockNote,
        Deadline,
        RefusalOrder,
        Withdrawal,
    )
    from workflows.activities.enrollment import (
        Eligibility,
        EligibilityQuestion,
        EnrollmentActivities,
    )
    from workflows.business_time import BusinessTime, end_of, instant_of
    from workflows.legal_clocks import LegalClocks
    from workflows.messages import Assessment, FactNotice, Outcome
    from workflows.search_attributes import Board
    from workflows.timing import READ, WRITE, call, refusal_in

LOOK_AGAIN = timedelta(days=5)  # business days between looks without news: none is lost for good
TRY_AGAIN = timedelta(hours=1)  # business time after a step that was refused for now
ONE_DAY = timedelta(days=1)
ENDS = frozenset({"DELIVERED", "REFUSED", "WITHDRAWN", "TERMINATED"})
FIRST = ("ELIGIBILITY", "ENROLLMENT")  # what a process shows from its start
WAITS = {  # what a state waits for, unless a clock says more
    "SUPPLEMENT_REQUESTED": "MISSING_PAPERS",
    "ACCEPTED": "ON_SITE_ASSESSMENT",
    "ON_SITE": "ON_SITE_ASSESSMENT",
    "GRADED": "EXPERTS",
    "CONFIRMED": "PUBLICITY",
    "PUBLISHED": "END_OF_PUBLICITY",
}
CLOCKS = "legal-clocks"  # processes begun before keep the papers' and the conclusion's day alone


@workflow.defn
class AssessDisability:
    """Carries one application through its clocks. Id `assessment/{application}`."""

    @workflow.init
    def __init__(self, asked: Assessment) -> None:
        self._asked = asked
        self._time: BusinessTime | None = None
        self._news = 0  # grows with every progress
        self._looked = 0  # how much of it the last look at the application includes
        self._seen = 0
        self._reminded = asked.reminded
        self._refusals = 0  # one after the other
        self._board = Board(f"Assessment {asked.application}")

    @workflow.run
    async def run(self, asked: Assessment) -> Outcome:
        """Returns how it ended; a refusal or withdrawal ends it at any time."""
        self._time = await BusinessTime.read()
        now = await self._application()
        eligibility = await self._eligibility() if now.state not in ENDS else None
        while eligibility and not eligibility.eligible and now.state not in ENDS:
            await self._refuse(eligibility)
            now = await self._application()
        carry = self._carry if workflow.patched(CLOCKS) else self._carry_as_before
        now = await carry(now)
        self._show(now.state)
        return Outcome(
            asked.application, now.state, now.grade, now.grade_eligible, now.conclusion_date
        )

    @workflow.signal
    def progress(self, notice: FactNotice) -> None:
        """The application moved: look at it."""
        if notice.position > self._seen:
            self._seen = notice.position
            self._news += 1

    @workflow.signal
    def clock_changed(self) -> None:
        """The business clock was set: deadlines may be nearer than they seemed."""
        if self._time is not None:
            self._time.mark_stale()

    # With its clocks ----------------------------------------------------------------------------

    async def _carry(self, now: Application) -> Application:
        """Takes each step that is due, notes each clock, and waits; until the end."""
        while now.state not in ENDS:
            now = await self._go_on(now)
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(self._asked)
        return now

    async def _go_on(self, now: Application) -> Application:
        clocks, today = LegalClocks(now.deadlines), self._clock.today()
        refused = False
        if self._is_step_due(now, clocks, today):
            taken = await self._take_step(now)
            if taken is not None:
                return taken
            refused = True
        if (told := clocks.to_note(today)) is not None:
            deadlines = await self._note(*told)
            return (
                await self._application()
                if deadlines is None
                else replace(now, deadlines=deadlines)
            )
        self._show_clocks(now, clocks, today)
        if refused:
            await self._clock.wait_for(self._has_news, self._patience())
        else:
            self._refusals = 0
            await self._wait_until(clocks.wake_day(today))
        return await self._application()

    def _is_step_due(self, now: Application, clocks: LegalClocks, today: date) -> bool:
        """Whether it is this process's turn, and not that of people."""
        match now.state:
            case "SUPPLEMENT_REQUESTED":
                return clocks.is_over("SUPPLEMENT", today)
            case "PUBLISHED":
                return today > date.fromisoformat(now.publicity_end_date)
        return now.state == "CONFIRMED"

    async def _take_step(self, now: Application) -> Application | None:
        """The application after the step; None where the service refused it for now."""
        step = ApplicationStep(self._asked.application, self._request_id("deliver"))
        try:
            if now.state == "SUPPLEMENT_REQUESTED":
                return await call(
                    WRITE, AssessmentActivities.withdraw_application, self._withdrawal(now)
                )
            if now.state == "CONFIRMED" and now.grade_eligible:
                public = replace(step, request_id=self._request_id("publish"))
                return await call(WRITE, AssessmentActivities.publish_conclusion, public)
        except ActivityError as error:
            # Where the pool has no publicity, the conclusion is delivered at once.
            if refusal_in(error).reason != "NOT_FOR_PUBLICITY":
                self._not_now(error)
                return None
        try:
            return await call(WRITE, AssessmentActivities.deliver_conclusion, step)
        except ActivityError as error:
            self._not_now(error)
            return None

    def _withdrawal(self, now: Application) -> Withdrawal:
        """Papers that are not there when their last day is over: taken as withdrawn (视为撤回)."""
        due = LegalClocks(now.deadlines).due("SUPPLEMENT")
        last = due.isoformat() if due else now.supplement_due_date
        return Withdrawal(
            application=self._asked.application,
            withdrawn_date=(date.fromisoformat(last) + ONE_DAY).isoformat(),
            deemed=True,
            request_id=self._request_id("withdraw", last),
        )

    def _not_now(self, error: ActivityError) -> None:
        """A step the service did not take: somebody was faster, or its day has not come."""
        workflow.logger.info("refused: %s", refusal_in(error).reason)
        self._refusals += 1

    def _patience(self) -> timedelta:
        """An hour after the first refusal; a day after each further one, or until news come."""
        return TRY_AGAIN if self._refusals == 1 else ONE_DAY

    async def _note(self, clock: Deadline, notice: str) -> list[Deadline] | None:
        """Records a reminder or a missed last day; None where the clock moved meanwhile."""
        order = ClockNote(
            application=self._asked.application,
            step=clock.step,
            notice=notice,
            request_id=self._request_id("note", clock.step, notice, clock.due_date),
        )
        try:
            deadlines = await call(WRITE, AssessmentActivities.note_clock, order)
        except ActivityError as error:
            self._not_now(error)
            await self._clock.wait_for(self._has_news, self._patience())
            return None
        counter = "ltci_reminders" if notice == "REMINDED" else "ltci_clocks_overdue"
        workflow.metric_meter().create_counter(counter).add(1, {"step": clock.step})
        return deadlines

    def _show_clocks(self, now: Application, clocks: LegalClocks, today: date) -> None:
        state, waits_for = now.state, WAITS.get(now.state, now.state)
        if standing := clocks.standing():
            state, waits_for = "PAUSED", standing
        elif clocks.is_missed(today):
            state, waits_for = "OVERDUE", "OPERATOR"
        elif now.state == "PUBLISHED" and self._is_step_due(now, clocks, today):
            waits_for = "DELIVERY"
        due = clocks.next_due()
        self._board.show(
            state,
            waits_for=waits_for,
            deadline=end_of(due) if due else None,
            lines=clocks.lines(),
        )

    # As before the clocks -----------------------------------------------------------------------

    async def _carry_as_before(self, now: Application) -> Application:
        while now.state not in ENDS:
            match now.state:
                case "SUPPLEMENT_REQUESTED":
                    await self._await_papers(now)
                case "CONFIRMED" if now.grade_eligible:
                    await self._publish(now)
                case "CONFIRMED":
                    await self._deliver(now)
                case "PUBLISHED":
                    await self._await_publicity(now)
                case _:
                    await self._await_conclusion(now)
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(replace(self._asked, reminded=self._reminded))
            now = await self._application()
        return now

    async def _await_papers(self, now: Application) -> None:
        """Papers that are not there when their last day is over: taken as withdrawn (视为撤回)."""
        due = date.fromisoformat(now.supplement_due_date)
        self._show("SUPPLEMENT_REQUESTED", "MISSING_PAPERS", due)
        if await self._wait_past(due):
            withdrawal = Withdrawal(
                application=self._asked.application,
                withdrawn_date=(due + ONE_DAY).isoformat(),
                deemed=True,
                request_id=self._request_id("withdraw", now.supplement_due_date),
            )
            try:
                await call(WRITE, AssessmentActivities.withdraw_application, withdrawal)
            except ActivityError as error:
                await self._refused_for_now(error)

    async def _await_conclusion(self, now: Application) -> None:
        """Waits for assessors and experts; reminds them, and escalates when the time is over."""
        waits_for = "EXPERTS" if now.state == "GRADED" else "ON_SITE_ASSESSMENT"
        due = _day(now.conclusion_due_date)
        reminder = _day(now.reminder_date)
        today = self._clock.today()
        if due and today > due:
            self._show("OVERDUE", waits_for, due)
            await self._wait_until(None)
            return
        if reminder and today >= reminder:
            if not self._reminded:
                self._reminded = True
                workflow.metric_meter().create_counter("ltci_reminders").add(1)
            self._show(now.state, waits_for, due, ["reminded"])
            if due and await self._wait_past(due):
                workflow.metric_meter().create_counter("ltci_clocks_overdue").add(1)
            return
        self._show(now.state, waits_for, reminder or due)
        await self._wait_until(reminder or (due + ONE_DAY if due else None))

    async def _publish(self, now: Application) -> None:
        """Makes an eligible conclusion public (公示); where the pool has no publicity, delivers."""
        self._show("CONFIRMED", "PUBLICITY")
        step = ApplicationStep(self._asked.application, self._request_id("publish"))
        try:
            await call(WRITE, AssessmentActivities.publish_conclusion, step)
        except ActivityError as error:
            if refusal_in(error).reason != "NOT_FOR_PUBLICITY":
                await self._refused_for_now(error)
            else:
                await self._deliver(now)

    async def _await_publicity(self, now: Application) -> None:
        end = date.fromisoformat(now.publicity_end_date)
        self._show("PUBLISHED", "END_OF_PUBLICITY", end)
        if await self._wait_past(end):
            await self._deliver(now)

    async def _deliver(self, now: Application) -> None:
        self._show(now.state, "DELIVERY")
        step = ApplicationStep(self._asked.application, self._request_id("deliver"))
        try:
            await call(WRITE, AssessmentActivities.deliver_conclusion, step)
        except ActivityError as error:
            await self._refused_for_now(error)

    # Both ---------------------------------------------------------------------------------------

    async def _eligibility(self) -> Eligibility:
        """Whether the person is insured and paid up on the day of the application."""
        self._show(*FIRST)
        question = EligibilityQuestion(
            person=self._asked.person,
            pool=self._asked.pool,
            on_date=self._asked.on_date,
            request_id=self._request_id("eligibility", self._asked.on_date),
        )
        try:
            return await call(WRITE, EnrollmentActivities.decide_eligibility, question)
        except ActivityError as error:
            refusal = refusal_in(error)
            if refusal.code != "NOT_FOUND":
                raise
            # Whom enrollment does not know, it does not insure.
            return Eligibility("", eligible=False, reasons=[refusal.reason])

    async def _refuse(self, eligibility: Eligibility) -> None:
        order = RefusalOrder(
            application=self._asked.application,
            reasons=eligibility.reasons,
            eligibility_decision=eligibility.decision,
            request_id=self._request_id("refuse"),
            eligibility_ruling=eligibility.ruling,
        )
        try:
            await call(WRITE, AssessmentActivities.refuse_application, order)
        except ActivityError as error:
            await self._refused_for_now(error)

    async def _application(self) -> Application:
        self._looked = self._news  # before the call: what comes meanwhile is news again
        return await call(READ, AssessmentActivities.get_application, self._asked.application)

    async def _wait_past(self, day: date) -> bool:
        """Waits for news or for the end of a day; True where the day is over without news."""
        return not await self._wait_until(day + ONE_DAY) and self._clock.today() > day

    async def _wait_until(self, day: date | None) -> bool:
        """Waits for news, the day, or the next look; True where there are news."""
        look = self._clock.today() + LOOK_AGAIN
        return await self._clock.wait_until(self._has_news, min(day, look) if day else look)

    def _has_news(self) -> bool:
        return self._news > self._looked

    async def _refused_for_now(self, error: ActivityError) -> None:
        """A step the service did not take: somebody was faster, or its day has not come."""
        workflow.logger.info("refused: %s", refusal_in(error).reason)
        await self._clock.wait_for(self._has_news, TRY_AGAIN)

    def _show(
        self,
        state: str,
        waits_for: str = "",
        deadline: date | None = None,
        lines: list[str] | None = None,
    ) -> None:
        self._board.show(
            state,
            waits_for=waits_for,
            deadline=instant_of(deadline) if deadline else None,
            lines=lines or [],
        )

    def _request_id(self, *step: str) -> str:
        return str(derive("workflow", workflow.info().workflow_id, *step))

    @property
    def _clock(self) -> BusinessTime:
        assert self._time is not None, "read at the start of run"  # noqa: S101
        return self._time


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
