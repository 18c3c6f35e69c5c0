"""A provider's agreements, one after the other, from signing to the recorded end (服务协议).

It keeps the clocks of the agreement: the appraisal of each year, the last day of the term, and a
voluntary exit after its notice (医保办发〔2024〕21号, Art. 41). How the agreement stands is always
asked of the service; news only wake the process. The quality deposit is no part of it.
"""

from datetime import date, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from kernel.ids import derive
    from workflows.activities.provider import AgreementStep, OpenAgreement, ProviderActivities
    from workflows.business_time import BusinessTime, instant_of
    from workflows.messages import Designated, FactNotice
    from workflows.search_attributes import Board
    from workflows.timing import READ, WRITE, call, refusal_in

TRY_AGAIN = timedelta(hours=1)  # business time after a step that was refused for now


@workflow.defn
class ProviderAgreement:
    """Carries a provider's agreements through their clocks. Id `agreement/{provider}`."""

    @workflow.init
    def __init__(self, what: Designated) -> None:
        self._what = what
        self._time: BusinessTime | None = None
        self._news = 0
        self._looked = 0
        self._seen = 0
        self._ended = what.ended
        self._board = Board(f"Agreement of provider {what.provider}")

    @workflow.run
    async def run(self, what: Designated) -> int:
        """Returns how many agreements came to their end, once none is open any more."""
        self._time = await BusinessTime.read()
        while True:
            self._looked = self._news
            now = await call(READ, ProviderActivities.get_open_agreement, what.provider)
            if now is None:
                if self._has_news():
                    continue
                self._board.show("ENDED")
                return self._ended
            await self._carry(now, self._time)
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(Designated(what.pool, what.provider, self._ended))

    @workflow.signal
    def progress(self, notice: FactNotice) -> None:
        """Something was signed, imposed or asked for: look at it."""
        if notice.position > self._seen:
            self._seen = notice.position
            self._news += 1

    @workflow.signal
    def clock_changed(self) -> None:
        """The business clock was set: deadlines may be nearer than they seemed."""
        if self._time is not None:
            self._time.mark_stale()

    async def _carry(self, now: OpenAgreement, clock: BusinessTime) -> None:
        """The next step whose day has come; else the wait for it, or for news."""
        last = date.fromisoformat(now.last_served_date)
        due = date.fromisoformat(now.appraisal_due_date) if now.appraisal_due_date else None
        today = clock.today()
        try:
            if due is not None and due < today:
                await call(WRITE, ProviderActivities.order_appraisal, self._appraisal(now))
            elif last < today:
                await call(WRITE, ProviderActivities.end_agreement, self._step(now, "end"))
                self._ended += 1
            else:
                await self._wait(last if due is None else min(due, last), clock)
        except ActivityError as error:
            workflow.logger.info("refused: %s", refusal_in(error).reason)
            await clock.wait_for(self._has_news, TRY_AGAIN)

    async def _wait(self, until: date, clock: BusinessTime) -> None:
        deadline = instant_of(until + timedelta(days=1))
        self._board.show("IN_FORCE", waits_for="END_OR_APPRAISAL", deadline=deadline)
        await clock.wait_past(self._has_news, until)

    def _has_news(self) -> bool:
        return self._news > self._looked

    def _appraisal(self, now: OpenAgreement) -> AgreementStep:
        return self._step(now, "appraisal", now.appraisal_year)

    def _step(self, now: OpenAgreement, step: str, year: int = 0) -> AgreementStep:
        workflow_id = workflow.info().workflow_id
        request_id = derive("workflow", workflow_id, step, now.agreement, str(year))
        return AgreementStep(self._what.provider, now.agreement, str(request_id), year)
