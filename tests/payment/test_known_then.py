"""Payment as of a day, as known at a moment: late facts change now and leave then untouched."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given as for_all
from hypothesis import strategies as st
from ltci.payment.v1 import payment_service_pb2 as pb
from ltci.payment.v1 import payment_types_pb2 as types

from kernel.ids import new_id
from services.payment.domain.course import Course, Standing, State
from tests.payment.world import World, person_number, world
from tests.support.service import TODAY, end_of, refused, set_clock

CHANGZHOU, CHENGDU = "320400", "510100"
WHO = person_number(1)
FAMILY = f"persons/{WHO}"
OPEN, ENDED = types.ENTITLEMENT_STATE_OPEN, types.ENTITLEMENT_STATE_ENDED
NONE = types.ENTITLEMENT_STATE_NONE


@pytest.fixture
async def neighbours(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with world(database_url, tmp_path) as running:
        yield running


def go_to(neighbours: World, day: date) -> None:
    set_clock(neighbours.folder / "clock.json", day)


async def review(neighbours: World) -> Any:
    await neighbours.caught_up()
    return await neighbours.stub.ReviewEntitlement(
        pb.ReviewEntitlementRequest(person=str(WHO), pool=CHENGDU, request_id=str(new_id()))
    )


async def entitlement(neighbours: World, as_of: str = "", known_at: date | None = None) -> Any:
    return await neighbours.stub.GetEntitlement(
        pb.GetEntitlementRequest(
            person=str(WHO),
            pool=CHENGDU,
            as_of_date=as_of,
            known_at_time=end_of(known_at) if known_at else None,
        )
    )


async def test_a_death_reported_late_changes_the_entitlement_known_now_not_then(
    neighbours: World,
) -> None:
    july_1, september_2, october_1 = TODAY, date(2024, 9, 2), date(2024, 10, 1)
    await neighbours.conclude(WHO, CHENGDU, "2024-04-01")
    opened = await review(neighbours)
    go_to(neighbours, september_2)
    await neighbours.live(WHO, CHENGDU, "death", "2024-06-10")
    ended = await review(neighbours)
    go_to(neighbours, october_1)

    async def state(as_of: str, known_at: date | None) -> tuple[int, str, str]:
        found = await entitlement(neighbours, as_of, known_at)
        return found.state, found.effective_date, found.valid_until_date

    # As known now, by day; the day of death still counts.
    assert await state("2024-03-31", None) == (NONE, "", "")
    assert await state("2024-06-10", None) == (OPEN, "2024-04-01", "2026-04-01")
    assert await state("2024-06-11", None) == (ENDED, "2024-06-11", "")
    # As known in July, when nobody had told of the death.
    assert await state("2024-06-11", july_1) == (OPEN, "2024-04-01", "2026-04-01")
    assert await state("2024-06-11", date(2024, 9, 1)) == (OPEN, "2024-04-01", "2026-04-01")
    assert await state("2024-06-11", september_2) == (ENDED, "2024-06-11", "")
    assert await state("2024-06-11", date(2024, 6, 30)) == (NONE, "", "")
    assert await entitlement(neighbours, known_at=july_1) == opened
    assert await entitlement(neighbours) == ended


async def test_a_conclusion_that_comes_later_is_not_part_of_the_day_before(
    neighbours: World,
) -> None:
    await neighbours.conclude(WHO, CHENGDU, "2024-04-01", 3)
    await neighbours.conclude(WHO, CHENGDU, "2024-06-01", 4)
    await review(neighbours)

    may, june = [await entitlement(neighbours, day) for day in ("2024-05-31", "2024-06-01")]

    assert (may.grade, may.effective_date, may.valid_until_date) == (3, "2024-04-01", "2026-04-01")
    assert (june.grade, june.effective_date, june.valid_until_date) == (
        4,
        "2024-06-01",
        "2026-06-01",
    )


async def transfer(neighbours: World, fen: int, day: str) -> None:
    await neighbours.stub.RecordTransfer(
        pb.RecordTransferRequest(
            pool=CHENGDU,
            amount_fen=fen,
            transfer_date=day,
            cause="test",
            request_id=str(new_id()),
        )
    )


async def fund(neighbours: World, as_of: str = "", known_at: date | None = None) -> Any:
    return await neighbours.stub.GetFund(
        pb.GetFundRequest(
            pool=CHENGDU, as_of_date=as_of, known_at_time=end_of(known_at) if known_at else None
        )
    )


async def test_a_fund_of_the_past_is_the_running_sum_of_its_entries(neighbours: World) -> None:
    # Booked on one day, counting on another; some days late, some twice.
    booked = [(0, -180), (0, 0), (3, 3), (3, -10), (9, 8), (20, 2), (20, 20), (41, -181), (60, 60)]
    entries = [
        (100 + n, TODAY + timedelta(days=known), TODAY + timedelta(days=posted))
        for n, (known, posted) in enumerate(booked)
    ]
    for fen, known, posted in entries:
        go_to(neighbours, known)
        await transfer(neighbours, fen, posted.isoformat())
    go_to(neighbours, TODAY + timedelta(days=100))

    moments = [None, *(TODAY + timedelta(days=n) for n in (-1, 0, 3, 8, 9, 20, 40, 41, 60, 99))]
    days = [None, *(TODAY + timedelta(days=n) for n in (-182, -181, -10, 0, 2, 3, 20, 60, 500))]
    for moment in moments:
        for day in days:
            counting = [
                fen
                for fen, known, posted in entries
                if (moment is None or known <= moment) and (day is None or posted <= day)
            ]
            found = await fund(neighbours, day.isoformat() if day else "", moment)
            assert (found.cash_fen, found.entry_count) == (sum(counting), len(counting))
            assert found.balanced
            assert len(found.balances) == (2 if counting else 0)


async def test_sums_of_all_lines_are_the_sums_kept(neighbours: World) -> None:
    await neighbours.conclude(WHO, CHENGDU, "2024-04-01")
    await neighbours.plan(WHO, CHENGDU, "family_carer")
    await neighbours.contribute(WHO, CHENGDU, 3_000)
    await neighbours.account(FAMILY)
    settled = await neighbours.settle(CHENGDU, "2024-06")
    await neighbours.send(settled.batch)
    await neighbours.caught_up()

    now = await fund(neighbours)

    assert now.entry_count == 3
    assert await fund(neighbours, as_of=TODAY.isoformat()) == now
    go_to(neighbours, TODAY + timedelta(days=1))
    assert await fund(neighbours, known_at=TODAY) == now
    # The settlement counts on the last day of its month, the payment on the day it was proven.
    before = await fund(neighbours, as_of="2024-06-30")
    assert (before.entry_count, before.payable_fen) == (2, settled.fund_share_fen)


async def test_a_contribution_entered_later_is_no_part_of_the_fund_known_then(
    neighbours: World,
) -> None:
    await neighbours.contribute(WHO, CHENGDU, 3_000)
    await neighbours.caught_up()
    go_to(neighbours, date(2024, 9, 1))
    await neighbours.contribute(person_number(2), CHENGDU, 4_000)  # paid on the same day
    await neighbours.caught_up()
    go_to(neighbours, date(2024, 9, 2))

    assert (await fund(neighbours, "2024-01-05")).cash_fen == 7_000
    assert (await fund(neighbours, "2024-01-05", TODAY)).cash_fen == 3_000
    assert (await fund(neighbours, "2024-01-04")).cash_fen == 0


async def test_a_settlement_and_its_benefits_are_shown_as_known_then(neighbours: World) -> None:
    await neighbours.conclude(WHO, CHENGDU, "2024-05-01")
    await neighbours.plan(WHO, CHENGDU, "family_carer")
    frozen = await neighbours.freeze(CHENGDU, "2024-05")
    go_to(neighbours, date(2024, 7, 2))
    await neighbours.determine(CHENGDU, "2024-05")
    closed = await neighbours.stub.CloseSettlement(
        pb.CloseSettlementRequest(pool=CHENGDU, month="2024-05", request_id=str(new_id()))
    )
    go_to(neighbours, date(2024, 8, 2))
    await neighbours.settle(CHENGDU, "2024-06")

    async def known(day: date) -> tuple[Any, list[str]]:
        moment = end_of(day)
        run = pb.GetSettlementRequest(pool=CHENGDU, month="2024-05", known_at_time=moment)
        page = await neighbours.stub.ListBenefits(
            pb.ListBenefitsRequest(pool=CHENGDU, known_at_time=moment)
        )
        return await neighbours.stub.GetSettlement(run), [b.month for b in page.benefits]

    assert await known(TODAY) == (frozen, [])
    assert await known(date(2024, 7, 2)) == (closed, ["2024-05"])
    await neighbours.caught_up()
    assert [b.month for b in await neighbours.benefits(CHENGDU)] == ["2024-05", "2024-06"]
    early = pb.GetSettlementRequest(
        pool=CHENGDU, month="2024-05", known_at_time=end_of(date(2024, 6, 30))
    )
    assert (await refused(neighbours.stub.GetSettlement(early))).code == "NOT_FOUND"


BAD_INPUT: list[tuple[str, Any]] = [
    ("GetEntitlement", pb.GetEntitlementRequest(person=str(WHO), pool=CHENGDU)),
    ("GetSettlement", pb.GetSettlementRequest(pool=CHENGDU, month="2024-06")),
    ("ListBenefits", pb.ListBenefitsRequest(pool=CHENGDU)),
    ("GetFund", pb.GetFundRequest(pool=CHENGDU)),
]


async def test_moments_to_come_and_days_that_are_none_are_bad_input(neighbours: World) -> None:
    tomorrow, nonsense = end_of(TODAY + timedelta(days=1)), Timestamp(nanos=-1)
    for method, request in BAD_INPUT:
        for moment, reason in [(tomorrow, "TIME_IN_FUTURE"), (nonsense, "NOT_AN_INSTANT")]:
            request.known_at_time.CopyFrom(moment)
            problem = await refused(getattr(neighbours.stub, method)(request))
            assert problem.code == "INVALID_ARGUMENT", method
            assert [(v.field, v.reason) for v in problem.violations] == [("known_at_time", reason)]
        if "as_of_date" in request.DESCRIPTOR.fields_by_name:
            request.ClearField("known_at_time")
            request.as_of_date = "2024-02-30"
            problem = await refused(getattr(neighbours.stub, method)(request))
            assert [(v.field, v.reason) for v in problem.violations] == [
                ("as_of_date", "NOT_A_DATE")
            ]


DAYS = st.dates(date(2024, 1, 1), date(2024, 3, 1))
STANDINGS = st.sampled_from(
    [Standing(state=State.OPEN, grade=3), Standing(state=State.PAUSED, grade=3, cause="X")]
)


@for_all(st.dictionaries(DAYS, STANDINGS), DAYS)
def test_turns_after_a_day_say_nothing_about_the_day(
    standings: dict[date, Standing], day: date
) -> None:
    until = {turn: standing for turn, standing in standings.items() if turn <= day}

    assert Course.of(standings).turn_on(day) == Course.of(until).last
