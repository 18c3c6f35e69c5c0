"""What a person's month has left, asked of the running service."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ltci.provider.v1 import booking_service_pb2 as pb
from ltci.provider.v1 import provider_service_pb2_grpc as care_grpc
from ltci.provider.v1 import provider_types_pb2 as types

from cli.connect import Connection
from cli.output import Failure, Language, Output
from cli.remaining import ask, day_of, show, told
from kernel.config import Settings
from services.provider.__main__ import build
from services.provider.codec import provider_codec
from tests.provider.test_booking_service import entitle
from tests.provider.test_service import CHANGZHOU, admission, approval
from tests.support.service import Running, running


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    async with running("provider", database_url, tmp_path, provider_codec, build) as service:
        yield service


@pytest.fixture
async def connection(service: Running) -> AsyncIterator[Connection]:
    clock = str(service.folder / "clock.json")
    async with Connection(Settings({"LTCI_CLOCK_FILE": clock})) as connection:
        connection._channels["provider"] = service.channel
        yield connection


async def test_the_month_is_shown_with_what_is_left(
    connection: Connection, service: Running
) -> None:
    stub: Any = care_grpc.ProviderServiceStub(service.channel)
    await stub.AdmitProvider(admission())
    plan = await stub.ApprovePlan(approval())

    before = told(await ask(connection, plan.person, CHANGZHOU, "2024-07-01"))
    assert (before["entitled"], before["remaining"]) == (False, [])
    await entitle(service, plan.person)
    after = told(await ask(connection, plan.person, CHANGZHOU, "2024-07-01"))
    assert (after["entitled"], after["month"], after["plan"]) == (True, "2024-07", plan.plan)
    assert after["remaining"][0]["left"] == "150000"

    with pytest.raises(Failure):
        await ask(connection, plan.person, "999999", "2024-07-01")


def test_a_month_is_asked_by_today_or_by_its_first_day() -> None:
    today = date(2024, 7, 9)

    assert [day_of(month, today) for month in ("", "2024-07", "2024-08")] == [
        "2024-07-09", "2024-07-09", "2024-08-01",
    ]  # fmt: skip
    with pytest.raises(Failure):
        day_of("July", today)


@pytest.mark.parametrize(
    ("lang", "words"),
    [(Language.EN, ("grade 3", "1,440.00")), (Language.ZH, ("失能等级3", "剩余", "1,440.00"))],
)
def test_people_read_it_in_their_language(
    lang: Language, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    room = types.Remaining(component="home_care", unit="money", limit=150_000, used=6_000)
    room.left = 144_000
    answer = pb.RemainingMonth(month="2024-07", entitled=True, grade=3, plan="p", remaining=[room])
    show(answer, Output.of(lang))

    printed = capsys.readouterr().out
    assert all(word in printed for word in words)
