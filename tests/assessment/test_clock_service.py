"""Legal clocks over real gRPC and real PostgreSQL. Changzhou, the year 2024."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ltci.assessment.v1 import assessment_service_pb2 as apb
from ltci.assessment.v1 import assessment_service_pb2_grpc as apb_grpc
from ltci.assessment.v1 import clock_service_pb2 as pb
from ltci.assessment.v1 import clock_service_pb2_grpc as pb_grpc
from ltci.assessment.v1 import clock_types_pb2 as types

from kernel import telemetry
from kernel.ids import derive
from services.assessment.__main__ import build
from services.assessment.clock_projection import ClocksReader
from services.assessment.codec import assessment_codec
from tests.assessment.test_service import confirmation, form, request_id, submission
from tests.support.packs import CHANGZHOU, CHENGDU
from tests.support.service import Running, refused, running

PERSONS = [str(derive("test", f"person {n}")) for n in range(3)]


@dataclass(frozen=True)
class Office:
    """Assessment and its clocks as a caller sees them."""

    service: Running
    applications: Any
    clocks: Any

    async def apply(self, n: int = 0, **changed: Any) -> str:
        told = submission(f"apply {n}", person=PERSONS[n], **changed)
        return str((await self.applications.SubmitApplication(told)).application)

    async def conclude(self, application: str) -> None:
        for assessor in ("assessor-1", "expert-1"):
            await self.applications.RecordOnSite(form(application, assessor))
        for expert in ("expert-1", "expert-2"):
            await self.applications.ConfirmConclusion(confirmation(application, expert))

    async def listed(self, **asked: Any) -> list[tuple[str, str, str]]:
        """Step, state and last day of the clocks that a list gives, all pages of it."""
        await self.service.caught_up()
        found: list[Any] = []
        request = pb.ListClocksRequest(page_size=2, **{"pool": CHANGZHOU, **asked})
        while True:
            page = await self.clocks.ListClocks(request)
            found += page.clocks
            request.page_token = page.next_page_token
            if not page.next_page_token:
                return [shown(clock) for clock in found]


def shown(clock: Any) -> tuple[str, str, str]:
    step = types.ClockStep.Name(clock.step).removeprefix("CLOCK_STEP_")
    state = types.ClockState.Name(clock.state).removeprefix("CLOCK_STATE_")
    return step, state, clock.due_date


def pause(application: str, name: str = "pause", **changed: Any) -> Any:
    told: dict[str, Any] = {
        "application": application,
        "reason": "IN_HOSPITAL",
        "from_date": "2024-03-11",
        "request_id": request_id(name),
    }
    return pb.PauseClockRequest(**(told | changed))


def resume(application: str, **changed: Any) -> Any:
    told: dict[str, Any] = {
        "application": application,
        "resumed_date": "2024-03-18",
        "request_id": request_id("resume"),
    }
    return pb.ResumeClockRequest(**(told | changed))


def note(application: str, notice: str, name: str = "note", **changed: Any) -> Any:
    told: dict[str, Any] = {
        "application": application,
        "step": types.CLOCK_STEP_CONCLUSION,
        "notice": types.ClockNotice.Value(f"CLOCK_NOTICE_{notice}"),
        "request_id": request_id(name),
    }
    return pb.NoteClockRequest(**(told | changed))


@pytest.fixture
async def office(database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with running("assessment", database_url, tmp_path, assessment_codec, build) as service:
        service.set_day(date(2024, 3, 20))
        yield Office(
            service,
            apb_grpc.AssessmentServiceStub(service.channel),
            pb_grpc.ClockServiceStub(service.channel),
        )


async def test_a_pause_moves_the_last_day_wherever_it_is_shown(office: Office) -> None:
    application = await office.apply()

    told = await office.clocks.PauseClock(pause(application))
    assert [(one.pause_reason, one.due_date) for one in told.deadlines] == [
        ("IN_HOSPITAL", "2024-04-26")  # as if it ran again tomorrow
    ]
    assert await office.listed() == [("CONCLUSION", "PAUSED", "2024-04-26")]
    assert await office.clocks.PauseClock(pause(application)) == told  # the first answer

    await office.clocks.ResumeClock(resume(application))
    one = await office.applications.GetApplication(
        apb.GetApplicationRequest(application=application)
    )
    assert (one.conclusion_due_date, one.reminder_date) == ("2024-04-23", "2024-04-09")
    assert await office.listed() == [("CONCLUSION", "RUNNING", "2024-04-23")]
    found = await office.clocks.GetClocks(pb.GetClocksRequest(application=application))
    assert [(*shown(clock), clock.paused_days_count) for clock in found.clocks] == [
        ("COMPLETENESS_CHECK", "IN_TIME", "2024-03-11", 0),
        ("CONCLUSION", "RUNNING", "2024-04-23", 5),
    ]


async def test_reminded_and_missed_are_recorded_once(office: Office) -> None:
    application = await office.apply()
    problem = await refused(office.clocks.NoteClock(note(application, "MISSED")))
    assert problem.reason == "NOT_OVERDUE"

    office.service.set_day(date(2024, 4, 18))
    before = await office.service.head()
    for name in ("one", "two"):
        told = await office.clocks.NoteClock(note(application, "MISSED", name))
        assert [one.missed for one in told.deadlines] == [True]
        told = await office.clocks.NoteClock(note(application, "REMINDED", f"again {name}"))
        assert [one.reminded for one in told.deadlines] == [True]
    events = await office.service.events_after(before)
    assert [event.type for event in events] == [
        "ltci.assessment.v1.ClockMissed/1",
        "ltci.assessment.v1.ClockReminded/1",
    ]
    assert await office.listed() == [("CONCLUSION", "OVERDUE", "2024-04-16")]


async def test_lists_and_punctuality_come_from_the_events(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, late, waiting = [await office.apply(n) for n in range(3)]
    await office.clocks.PauseClock(pause(waiting))
    office.service.set_day(date(2024, 3, 25))
    await office.conclude(done)
    office.service.set_day(date(2024, 5, 6))
    await office.conclude(late)
    await office.clocks.ResumeClock(resume(waiting))

    assert await office.listed(filter=pb.CLOCK_FILTER_OVERDUE) == [
        ("PUBLICATION", "OVERDUE", "2024-04-01"),
        ("PUBLICATION", "OVERDUE", "2024-04-01"),
        ("CONCLUSION", "OVERDUE", "2024-04-23"),
    ]
    for application in (done, late):
        named = apb.PublishConclusionRequest(
            application=application, request_id=request_id(f"publish {application}")
        )
        await office.applications.PublishConclusion(named)
    assert await office.listed(steps=[types.CLOCK_STEP_PUBLICATION]) == []
    assert {step for step, _, _ in await office.listed()} == {
        "CONCLUSION",
        "PUBLICITY",
        "DELIVERY",
    }
    every = await office.listed(filter=pb.CLOCK_FILTER_ALL)
    assert len(every) == 3 + 3 + 3 * 2
    assert await office.listed(filter=pb.CLOCK_FILTER_ALL, pool="") == every
    assert await office.listed(filter=pb.CLOCK_FILTER_ALL, pool=CHENGDU) == []

    period = pb.GetPunctualityRequest(
        pool=CHANGZHOU, first_date="2024-03-01", last_date="2024-05-31"
    )
    told = {
        types.ClockStep.Name(one.step).removeprefix("CLOCK_STEP_"): one
        for one in (await office.clocks.GetPunctuality(period)).steps
    }
    assert list(told) == ["COMPLETENESS_CHECK", "CONCLUSION", "PUBLICATION", "DELIVERY"]
    assert told["CONCLUSION"] == pb.StepPunctuality(
        step=types.CLOCK_STEP_CONCLUSION,
        done_count=2,
        in_time_count=2,
        in_time_basis_points=10_000,
        total_days_count=42,
        overdue_count=1,
        running_count=1,
    )
    assert told["PUBLICATION"] == pb.StepPunctuality(
        step=types.CLOCK_STEP_PUBLICATION, done_count=2, late_count=2, total_days_count=84
    )

    gauge: dict[tuple[str, str], int] = {}
    monkeypatch.setattr(
        telemetry.CLOCKS_IN_TIME,
        "set",
        lambda steps, place: gauge.update({(place["step"], place["outcome"]): steps}),
    )
    parts = office.service.service.parts
    table = next(r for r in office.service.service.runners if r.name == "clocks")
    await ClocksReader(parts.store.pool, table).tell("assessment", parts.clock)
    assert gauge == {
        ("completeness_check", "in_time"): 3,
        ("conclusion", "in_time"): 2,
        ("publication", "late"): 2,
    }


async def test_rebuilt_from_the_events_the_table_is_the_same(office: Office) -> None:
    application = await office.apply()
    await office.clocks.PauseClock(pause(application))
    await office.clocks.ResumeClock(resume(application))
    office.service.set_day(date(2024, 3, 25))
    await office.conclude(application)
    every = await office.listed(filter=pb.CLOCK_FILTER_ALL)

    table = next(r for r in office.service.service.runners if r.name == "clocks")
    await table.rebuild(grace_seconds=0)

    assert await office.listed(filter=pb.CLOCK_FILTER_ALL) == every


NOBODY = str(derive("test", "nobody"))
UNHEARD_OF: Any = 9
BAD: list[tuple[str, Any, str, str]] = [
    ("GetClocks", pb.GetClocksRequest(application="x"), "application", "NOT_A_UUID"),
    ("PauseClock", pause("x"), "application", "NOT_A_UUID"),
    ("PauseClock", pause(NOBODY, reason=""), "reason", "REQUIRED"),
    ("PauseClock", pause(NOBODY, step=99), "step", "UNKNOWN_VALUE"),
    ("PauseClock", pause(NOBODY, from_date="2024-03-21"), "from_date", "DATE_IN_FUTURE"),
    ("PauseClock", pause(NOBODY, request_id=""), "request_id", "REQUIRED"),
    ("ResumeClock", resume(NOBODY, resumed_date="soon"), "resumed_date", "NOT_A_DATE"),
    ("ResumeClock", resume(NOBODY, resumed_date="2024-03-21"), "resumed_date", "DATE_IN_FUTURE"),
    ("NoteClock", note(NOBODY, "MISSED", step=0), "step", "REQUIRED"),
    ("NoteClock", note(NOBODY, "UNSPECIFIED"), "notice", "REQUIRED"),
    ("ListClocks", pb.ListClocksRequest(pool="x"), "pool", "UNKNOWN_POOL"),
    (
        "ListClocks",
        pb.ListClocksRequest(pool=CHANGZHOU, filter=UNHEARD_OF),
        "filter",
        "UNKNOWN_VALUE",
    ),
    (
        "ListClocks",
        pb.ListClocksRequest(pool=CHANGZHOU, steps=[types.CLOCK_STEP_UNSPECIFIED]),
        "steps[0]",
        "REQUIRED",
    ),
    (
        "GetPunctuality",
        pb.GetPunctualityRequest(pool=CHANGZHOU, first_date="2024-02-01", last_date="2024-01-01"),
        "last_date",
        "ENDS_BEFORE_START",
    ),
]


async def test_bad_input_is_told_by_field(office: Office) -> None:
    for method, request, field, reason in BAD:
        problem = await refused(getattr(office.clocks, method)(request))
        assert [(one.field, one.reason) for one in problem.violations] == [(field, reason)], method


async def test_refusals_name_their_reason(office: Office) -> None:
    application = await office.apply()
    clocks = office.clocks
    for call, reason in (
        (clocks.GetClocks(pb.GetClocksRequest(application=NOBODY)), "APPLICATION_UNKNOWN"),
        (clocks.PauseClock(pause(application, reason="BUSY")), "REASON_NOT_LAWFUL"),
        (
            clocks.PauseClock(pause(application, step=types.CLOCK_STEP_DELIVERY)),
            "NOT_RUNNING",
        ),
        (clocks.ResumeClock(resume(application)), "NOT_PAUSED"),
        (clocks.NoteClock(note(application, "REMINDED")), "TOO_SOON_TO_REMIND"),
    ):
        assert (await refused(call)).reason == reason
