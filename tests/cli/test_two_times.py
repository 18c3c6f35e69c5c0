"""The two times as people type them, and what commands say about the past."""

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from ltci.enrollment.v1 import enrollment_service_pb2_grpc as pb_grpc
from ltci.events.v1 import feed_pb2
from rich.console import Console

from cli import case, eligible
from cli.connect import Connection
from cli.output import Failure, Language, Output
from cli.replay import SERVICES
from cli.two_times import TwoTimes, two_times
from kernel.clock import SHANGHAI, Clock
from kernel.config import Settings
from kernel.rpc.server import start_server
from services.enrollment.__main__ import build
from services.enrollment.codec import enrollment_codec
from tests.enrollment.test_service import contribution, coverage, life_event, registration
from tests.support.packs import CHANGZHOU
from tests.support.service import Running, running, set_clock

NINE = datetime(2024, 7, 1, 9, tzinfo=SHANGHAI)
END_OF_JUNE_30 = datetime(2024, 6, 30, 23, 59, 59, 999_999, tzinfo=SHANGHAI)


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    set_clock(tmp_path / "clock.json", NINE.date())
    return Clock(tmp_path / "clock.json")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2024-06-30", END_OF_JUNE_30),
        ("2024-06-30T12:00", datetime(2024, 6, 30, 12, tzinfo=SHANGHAI)),
        ("2024-06-30 12:00:30", datetime(2024, 6, 30, 12, 0, 30, tzinfo=SHANGHAI)),
        ("2024-06-30T12:00Z", datetime(2024, 6, 30, 20, tzinfo=SHANGHAI)),
        ("2024-06-30T12:00+09:00", datetime(2024, 6, 30, 11, tzinfo=SHANGHAI)),
        ("2024-07-01", None),  # its end has not come: all that is known
        ("", None),
    ],
)
def test_a_moment_is_one_in_shanghai_and_a_bare_day_its_end(
    clock: Clock, typed: str, meant: datetime | None
) -> None:
    times = two_times(clock, known_at=typed)

    assert times.known_at == meant
    told = times.known_at_time
    assert (told and told.ToDatetime(tzinfo=SHANGHAI)) == meant


@pytest.mark.parametrize(
    "typed", ["yesterday", "2024-02-30", "2024-06-30T25:00", "20240630", "2024-06"]
)
def test_what_is_no_moment_or_no_day_is_told_with_what_would_be_right(
    clock: Clock, typed: str
) -> None:
    for option, arguments in [("--known-at", ("", typed)), ("--as-of", (typed, ""))]:
        with pytest.raises(Failure) as caught:
            two_times(clock, *arguments)
        assert (caught.value.where, caught.value.code) == (option, 2)
        assert caught.value.right


def output(lang: Language = Language.EN) -> tuple[Output, io.StringIO]:
    text = io.StringIO()
    made = Output.of(lang)
    return replace(made, out=Console(file=text, width=200, highlight=False)), text


def test_every_header_says_both_times(clock: Clock) -> None:
    english, chinese = output()[0], output(Language.ZH)[0]

    assert two_times(clock).words(english) == "as of now, as known at 2024-07-01 09:00"
    past = two_times(clock, "2024-06-15", "2024-06-30")
    assert past.words(english) == "as of 2024-06-15, as known at 2024-06-30 23:59:59"
    assert past.words(chinese) == "截至 2024-06-15，按 2024-06-30 23:59:59 所知"
    assert two_times(clock).as_json() == {
        "as_of_date": None,
        "known_at_time": "2024-07-01T09:00:00+08:00",
    }


@pytest.fixture
async def office(database_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    async with running("enrollment", database_url, tmp_path, enrollment_codec, build) as service:
        yield service


@pytest.fixture
async def connection(office: Running) -> AsyncIterator[Connection]:
    """To enrollment alone, as a command has it."""
    server = await start_server(
        "enrollment",
        "127.0.0.1:0",
        office.service.registration.add,
        feed_store=office.service.parts.store,
        cases=office.service.cases,
    )
    variables = {
        "LTCI_ENROLLMENT_ADDRESS": f"127.0.0.1:{server.port}",
        "LTCI_CLOCK_FILE": str(office.folder / "clock.json"),
    }
    async with Connection(Settings.from_environment(variables)) as open_connection:
        yield open_connection
    await server.stop(0.5)


class Silent:
    """The feed of a service that knows nothing about anybody."""

    async def ListCaseEvents(  # noqa: N802 - the name in the proto
        self, _request: feed_pb2.ListCaseEventsRequest
    ) -> feed_pb2.ListCaseEventsResponse:
        return feed_pb2.ListCaseEventsResponse()


async def test_commands_tell_then_from_now(office: Running, connection: Connection) -> None:
    stub: Any = pb_grpc.EnrollmentServiceStub(office.channel)
    who = str((await stub.RegisterPerson(registration())).person)
    await stub.StartCoverage(coverage(who))
    await stub.CollectContribution(contribution(who))
    office.set_day(date(2024, 9, 2))
    await stub.ReportLifeEvent(life_event(who, event_date="2024-05-20"))
    await office.caught_up()

    def typed(as_of: str, known_at: str = "") -> TwoTimes:
        return two_times(connection.clock(), as_of, known_at)

    now, then = typed("2024-06-30"), typed("2024-06-30", "2024-08-01")
    rulings = [await eligible.ask(connection, who, CHANGZHOU, times) for times in (now, then)]
    assert [(r.outcome, r.reasons) for r in rulings] == [
        ("not_eligible", ("DEAD",)),
        ("eligible", ()),
    ]
    assert eligible.told(rulings[0], now)["steps"][-1]["verdict"] == "not_met"
    screen, text = output()
    eligible.show(rulings[1], then, screen)
    assert "as of 2024-06-30, as known at 2024-08-01 23:59:59" in text.getvalue()
    assert "\neligible; on 2 facts" in text.getvalue()

    feeds: dict[str, Any] = dict.fromkeys(SERVICES, Silent()) | {
        "enrollment": connection.feed("enrollment")
    }
    stories = [await case.timeline(feeds, who, times) for times in (now, then)]
    assert [[line.event for line in story] for story in stories] == [
        ["PersonRegistered", "CoverageStarted", "ContributionCollected", "LifeEventReported"],
        ["PersonRegistered", "CoverageStarted", "ContributionCollected"],
    ]
