"""The exception queue of a pool's visits, day by day (异常服务记录).

A visit that was not ended, or that nobody confirmed, becomes an exception when its time is over;
what nobody confirmed by the last day is decided as it stands. The service knows which visits these
are: this process only says that a new day has begun. One a pool, not one a visit: visits come by
the million, and nearly none of them hangs.
"""

from datetime import date, datetime, time, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from kernel.clock import SHANGHAI
    from kernel.ids import derive
    from workflows.activities.provider import ProviderActivities, SweepStep, Swept
    from workflows.business_time import BusinessTime
    from workflows.messages import PoolQueue
    from workflows.search_attributes import Board
    from workflows.timing import WRITE, call, refusal_in

ONE_DAY = timedelta(days=1)


@workflow.defn
class VisitExceptions:
    """Looks through the visits of a pool that hang, once a day. Id `visit-exceptions/{pool}`."""

    @workflow.init
    def __init__(self, asked: PoolQueue) -> None:
        self._asked = asked
        self._time: BusinessTime | None = None
        self._board = Board(f"Exception queue of visits in {asked.pool}")

    @workflow.run
    async def run(self, asked: PoolQueue) -> None:
        """Goes on for ever."""
        self._time = await BusinessTime.read()
        while True:
            today = self._time.today()
            try:
                self._show(await self._sweep(today))
            except ActivityError as error:
                # Tomorrow is another day: a pool whose rules are not there yet keeps its queue.
                self._board.show("REFUSED", lines=[refusal_in(error).reason])
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(asked)
            await self._until_after(today, self._time)

    @workflow.signal
    def clock_changed(self) -> None:
        """The business clock was set: the next day may be nearer than it seemed."""
        if self._time is not None:
            self._time.mark_stale()

    async def _sweep(self, today: date) -> Swept:
        """All that is due today, however much it is."""
        number = 0
        while True:
            swept = await call(WRITE, ProviderActivities.sweep_visits, self._step(today, number))
            if not swept.more:
                return swept
            number += 1

    async def _until_after(self, today: date, clock: BusinessTime) -> None:
        """The next day. On a clock that races, several days are looked at together."""
        midnight = datetime.combine(today + ONE_DAY, time(), SHANGHAI)
        await clock.wait_for(lambda: False, midnight - clock.now())

    def _show(self, swept: Swept) -> None:
        state = "OVERDUE" if swept.overdue_count else "OPEN" if swept.open_count else "EMPTY"
        self._board.show(
            state,
            waits_for="OFFICER" if swept.open_count else "",
            lines=[f"open: {swept.open_count}", f"overdue: {swept.overdue_count}"],
        )

    def _step(self, today: date, number: int) -> SweepStep:
        workflow_id = workflow.info().workflow_id
        request_id = derive("workflow", workflow_id, "sweep", today.isoformat(), str(number))
        return SweepStep(self._asked.pool, str(request_id))
