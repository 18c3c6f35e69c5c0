"""Claims over real gRPC and real PostgreSQL: taken in, matched, matched again, listed, replayed."""

import asyncio
import random
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from google.rpc import code_pb2
from ltci.events.v1 import feed_pb2, feed_pb2_grpc
from ltci.provider.v1 import claim_service_pb2 as pb
from ltci.provider.v1 import claim_service_pb2_grpc as pb_grpc
from ltci.provider.v1 import events_pb2
from ltci.provider.v1 import provider_service_pb2 as provider_pb

from kernel.eventstore.envelope import Append, Meta, StreamAppend
from kernel.ids import derive, new_id
from kernel.replay import RawFact, raw_fact
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from services.provider.application.claim_matcher import FOLLOWED as OFFERED
from services.provider.application.streams import flag_stream, visit_stream
from services.provider.claims import FOLLOWED
from services.provider.codec import provider_codec
from services.provider.domain.risk import RiskCleared, RiskFlagged
from services.provider.domain.visit import ServiceDelivered, ServiceRejected
from services.provider.replay import DECISIONS
from tests.provider.test_service import (
    CARED_FOR,
    CHANGZHOU,
    CODE,
    admission,
    code_like,
    plan,
    provider,
    reason_of,
    request_id,
    stub,
    upload,
)
from tests.support.service import Running, refused, rows, stream_of

__all__ = ["plan", "provider", "stub"]  # fixtures


@pytest.fixture
def claims(provider: Running) -> Any:
    return pb_grpc.ClaimServiceStub(provider.channel)


def row(name: str = "line", **changes: Any) -> pb.ClaimLineRow:
    told: dict[str, Any] = {
        "social_credit_code": CODE,
        "pool": CHANGZHOU,
        "month": "2024-03",
        "items": ["bath", "hair"],
        "amount_fen": 8000,
        "request_id": request_id(name),
    }
    if "visit" not in changes:
        told |= {"identity_number": CARED_FOR.identity_number, "start_date": "2024-03-04"}
    return pb.ClaimLineRow(**(told | changes))


async def send(claims: Any, *told: pb.ClaimLineRow, validate_only: bool = False) -> Any:
    """One message's answer."""
    message = pb.ImportClaimLinesRequest(rows=told, validate_only=validate_only)
    [answer] = [one async for one in claims.ImportClaimLines(stream_of([message]))]
    return answer


async def listed(provider: Running, claims: Any, **filters: Any) -> list[pb.ClaimLine]:
    """The lines of March, once everything that was recorded has been looked at."""
    await provider.caught_up()
    await provider.caught_up()
    answer = await claims.ListClaimLines(
        pb.ListClaimLinesRequest(pool=CHANGZHOU, month="2024-03", **filters)
    )
    return list(answer.lines)


async def tell(provider: Running, category: str, stream: UUID, version: int, event: object) -> None:
    """Records an event as another part of the service would."""
    parts, name = provider.service.parts, new_id()
    encoded = await parts.codec.encode(stream, version + 1, event)
    await parts.store.append(
        Append(
            request_id=name,
            fingerprint=name.bytes,
            answer=b"",
            streams=(StreamAppend(stream, category, CHANGZHOU, version, (encoded,)),),
            meta=Meta(name, "test", "", "test"),
        )
    )


async def verdict_again(provider: Running, visit: str, *, counts: bool) -> None:
    """A later verdict on a visit: a correction would bring it."""
    parts, stream = provider.service.parts, visit_stream(UUID(visit))
    recorded = await parts.store.read_stream(stream)
    told = await parts.codec.decode(recorded[-1])
    shared = {
        name: getattr(told, name)
        for name in ("visit", "plan", "person", "pool", "provider", "care_date", "cost", "ruling")
    }
    event: object = (
        ServiceDelivered(minutes=90, **shared)
        if counts
        else ServiceRejected(reasons=("NOT_CONFIRMED",), **shared)
    )
    await tell(provider, "visit", stream, recorded[-1].version, event)


def flag_on(visit: str, person: UUID | None = None) -> RiskFlagged:
    return RiskFlagged(
        flag=derive("flag", "shared_device", "1", visit),
        detector="shared_device",
        detector_version=1,
        visit=UUID(visit),
        person=person or derive("test", "person"),
        pool=CHANGZHOU,
        care_date=date(2024, 3, 4),
        ruling=b"{}",
    )


async def raise_flag(provider: Running, visit: str, person: UUID | None = None) -> None:
    flag = flag_on(visit, person)
    await tell(provider, "flag", flag_stream(flag.flag), 0, flag)


async def clear_flag(provider: Running, visit: str, person: UUID | None = None) -> None:
    flag = flag_on(visit, person)
    cleared = RiskCleared(
        flag=flag.flag,
        visit=flag.visit,
        person=flag.person,
        pool=CHANGZHOU,
        decided_date=date(2024, 6, 1),
        cause="looked at",
    )
    await tell(provider, "flag", flag_stream(flag.flag), 1, cleared)


def told_of(lines: list[pb.ClaimLine]) -> list[tuple[str, tuple[str, ...], int]]:
    return [
        (
            pb.ClaimOutcome.Name(one.outcome).removeprefix("CLAIM_OUTCOME_"),
            tuple(one.reasons),
            one.approved_fen,
        )
        for one in lines
    ]


MATCHED = ("MATCHED", (), 8000)


async def test_a_line_is_matched_by_visit_or_by_person_and_day(
    provider: Running, claims: Any, stub: Any, plan: provider_pb.Plan
) -> None:
    visit = await stub.SubmitVisit(upload())
    await provider.caught_up()
    before = await provider.head()

    by_visit = await send(claims, row(visit=visit.visit))
    by_day = await send(claims, row("again"))

    assert told_of(by_visit.lines) == [MATCHED]
    assert told_of(by_day.lines) == [("REFUSED", ("ALREADY_CLAIMED",), 0)]
    assert {one.visit for one in (*by_visit.lines, *by_day.lines)} == {visit.visit}
    kinds = [event.type.split(".")[-1] for event in await provider.events_after(before)]
    assert sorted(kinds) == ["ClaimLineMatched/1", "ClaimLineRefused/1", "ClaimSubmitted/1"]


async def test_the_same_lines_again_are_answered_and_not_recorded(
    provider: Running, claims: Any, stub: Any, plan: provider_pb.Plan
) -> None:
    visit = await stub.SubmitVisit(upload())
    first = await send(claims, row(visit=visit.visit), row("dup", visit=visit.visit))
    before = await provider.events_after(0)

    again = await send(claims, row(visit=visit.visit), row("dup", visit=visit.visit))
    [other] = (await send(claims, row(visit=visit.visit, amount_fen=1))).results

    assert again == first
    assert (other.status.code, reason_of(other)) == (
        code_pb2.ALREADY_EXISTS,
        "REQUEST_ID_REUSED",
    )
    recorded = [event.type for event in (await provider.events_after(0))[len(before) :]]
    assert recorded == []


async def test_bad_rows_are_told_by_field_and_do_not_hold_up_the_good(
    provider: Running, claims: Any, stub: Any, plan: provider_pb.Plan
) -> None:
    visit = await stub.SubmitVisit(upload())
    bad = {
        "both": row("a", visit=visit.visit, start_date="2024-03-04"),
        "neither": row("b", identity_number="", start_date=""),
        "no day": row("c", start_date=""),
        "future": row("d", month="2024-08"),
        "nothing asked": row("e", amount_fen=0),
        "items twice": row("f", items=["bath", "bath"]),
        "no provider": row("g", social_credit_code=""),
    }

    answer = await send(claims, *bad.values(), row(visit=visit.visit))

    codes = [result.status.code for result in answer.results]
    assert codes == [code_pb2.INVALID_ARGUMENT] * len(bad) + [code_pb2.OK]
    assert told_of(answer.lines) == [MATCHED]


async def test_a_provider_that_was_never_admitted_cannot_claim(
    claims: Any, stub: Any, plan: provider_pb.Plan
) -> None:
    answer = await send(claims, row(social_credit_code=code_like(7)))

    assert [one.status.code for one in answer.results] == [code_pb2.NOT_FOUND]


async def test_another_providers_visit_is_not_paid_to_who_claims_it(
    claims: Any, stub: Any, plan: provider_pb.Plan
) -> None:
    visit = await stub.SubmitVisit(upload())
    other = code_like(7)
    await stub.AdmitProvider(admission("other", social_credit_code=other))

    answer = await send(claims, row(visit=visit.visit, social_credit_code=other))

    assert told_of(answer.lines) == [("REFUSED", ("OTHER_PROVIDER",), 0)]


async def test_checking_alone_records_nothing(
    provider: Running, claims: Any, stub: Any, plan: provider_pb.Plan
) -> None:
    visit = await stub.SubmitVisit(upload())
    before = await provider.head()

    answer = await send(claims, row(visit=visit.visit), validate_only=True)

    assert told_of(answer.lines) == [MATCHED]
    assert before == await provider.head()


async def test_of_many_who_claim_a_visit_at_the_same_moment_one_has_it(
    claims: Any, stub: Any, plan: provider_pb.Plan
) -> None:
    visit = await stub.SubmitVisit(upload())

    answers = await asyncio.gather(
        *(send(claims, row(f"line {n}", visit=visit.visit)) for n in range(5))
    )

    outcomes = [one for answer in answers for one in told_of(answer.lines)]
    assert sorted(outcomes) == [MATCHED, *[("REFUSED", ("ALREADY_CLAIMED",), 0)] * 4]


async def test_a_flag_refuses_the_line_until_it_is_cleared(
    provider: Running, claims: Any, stub: Any, plan: provider_pb.Plan
) -> None:
    visit = await stub.SubmitVisit(upload())
    await send(claims, row(visit=visit.visit))

    await raise_flag(provider, visit.visit)
    held = await listed(provider, claims)
    await clear_flag(provider, visit.visit)
    free = await listed(provider, claims)

    assert told_of(held) == [("REFUSED", ("VISIT_FLAGGED",), 0)]
    assert told_of(free) == [MATCHED]
    types = [event.type for event in await provider.events_after(0)]
    assert sum("ClaimLine" in one for one in types) == 3  # each earlier event stays


async def test_a_persons_story_tells_the_flag_and_what_became_of_the_claim(
    provider: Running, claims: Any, stub: Any, plan: provider_pb.Plan
) -> None:
    visit = await stub.SubmitVisit(upload())
    await send(claims, row(visit=visit.visit))
    await raise_flag(provider, visit.visit, UUID(plan.person))
    await provider.caught_up()
    await clear_flag(provider, visit.visit, UUID(plan.person))
    await provider.caught_up()
    await provider.caught_up()

    feed: Any = feed_pb2_grpc.EventFeedServiceStub(provider.channel)
    page = await feed.ListCaseEvents(feed_pb2.ListCaseEventsRequest(person=plan.person))

    told = [event.type.rpartition(".")[2].removesuffix("/1") for event in page.events]
    assert told[told.index("ServiceDelivered") + 1 :] == [
        "ClaimLineMatched",
        "RiskFlagged",
        "ClaimLineRefused",
        "RiskCleared",
        "ClaimLineMatched",
    ]


async def test_a_later_verdict_changes_the_line(
    provider: Running, claims: Any, stub: Any, plan: provider_pb.Plan
) -> None:
    visit = await stub.SubmitVisit(upload())
    await send(claims, row(visit=visit.visit))

    await verdict_again(provider, visit.visit, counts=False)
    rejected = await listed(provider, claims)
    await verdict_again(provider, visit.visit, counts=True)

    assert told_of(rejected) == [("REFUSED", ("VISIT_REJECTED",), 0)]
    assert told_of(await listed(provider, claims)) == [MATCHED]


async def test_a_line_that_came_before_its_visit_is_matched_when_it_comes(
    provider: Running, claims: Any, stub: Any, plan: provider_pb.Plan
) -> None:
    early = await send(claims, row())

    visit = await stub.SubmitVisit(upload())

    assert told_of(early.lines) == [("REFUSED", ("NO_VISIT",), 0)]
    [line] = await listed(provider, claims)
    assert (told_of([line]), line.visit) == ([MATCHED], visit.visit)


async def test_whatever_order_things_come_in_the_lines_end_alike(
    provider: Running, claims: Any, stub: Any, plan: provider_pb.Plan
) -> None:
    """Two visits a day, one of them flagged; lines, visits and the flag in any order."""
    ends = []
    for round_, month in enumerate(("2024-04", "2024-05", "2024-06")):
        times = {"morning": "T09:00:00+08:00", "evening": "T17:00:00+08:00"}
        day = f"{month}-10"

        async def visit(name: str, day: str = day, times: dict[str, str] = times) -> None:
            begins = times[name]
            await stub.SubmitVisit(
                upload(
                    f"{day} {name}",
                    start_time=day + begins,
                    end_time=day + begins.replace(":00:00", ":50:00"),
                    items=["bath"] if name == "morning" else ["hair"],
                )
            )

        async def claim(name: str, day: str = day, month: str = month) -> None:
            bath = name == "morning"
            await send(
                claims,
                row(
                    f"{day} line {name}",
                    month=month,
                    start_date=day,
                    items=["bath"] if bath else ["hair"],
                    amount_fen=6000 if bath else 2000,
                ),
            )

        async def flag(_name: str, day: str = day) -> None:
            found = derive("visit", request_id(f"{day} morning"))
            await raise_flag(provider, str(found))

        steps: list[tuple[Any, str]] = [
            (visit, "morning"),
            (visit, "evening"),
            (claim, "morning"),
            (claim, "evening"),
        ]
        steps.append((flag, ""))
        random.Random(round_).shuffle(steps)
        for step, name in steps:
            await step(name)
        await provider.caught_up()
        await provider.caught_up()
        page = await claims.ListClaimLines(pb.ListClaimLinesRequest(pool=CHANGZHOU, month=month))
        ends.append(sorted(told_of(list(page.lines))))

    assert ends == [[("MATCHED", (), 2000), ("REFUSED", ("VISIT_FLAGGED",), 0)]] * 3


async def test_exceptions_are_listed_by_provider_and_day_with_their_sums(
    provider: Running, claims: Any, stub: Any, plan: provider_pb.Plan
) -> None:
    visit = await stub.SubmitVisit(upload())
    await send(
        claims,
        row("a", visit=visit.visit, amount_fen=9000),
        *(row(f"x{n}", start_date=f"2024-03-1{n}") for n in range(3)),
    )

    partial = await listed(provider, claims, outcome=pb.CLAIM_OUTCOME_PARTIAL)
    first = await claims.ListClaimLines(
        pb.ListClaimLinesRequest(pool=CHANGZHOU, month="2024-03", page_size=3)
    )
    rest = await claims.ListClaimLines(
        pb.ListClaimLinesRequest(
            pool=CHANGZHOU, month="2024-03", page_size=3, page_token=first.next_page_token
        )
    )
    sums = await claims.GetClaimSums(pb.GetClaimSumsRequest(pool=CHANGZHOU, month="2024-03"))

    assert told_of(partial) == [("PARTIAL", ("PRICE_ABOVE_LIST",), 8000)]
    assert partial[0].due_date == "2024-07-15"
    assert len({one.line for one in (*first.lines, *rest.lines)}) == 4
    assert not rest.next_page_token
    assert {
        one.outcome: (one.line_count, one.asked_fen, one.approved_fen) for one in sums.sums
    } == {
        pb.CLAIM_OUTCOME_PARTIAL: (1, 9000, 8000),
        pb.CLAIM_OUTCOME_REFUSED: (3, 24000, 0),
    }
    assert [(one.reason, one.line_count, one.withheld_fen) for one in sums.reasons] == [
        ("NO_VISIT", 3, 24000),
        ("PRICE_ABOVE_LIST", 1, 1000),
    ]
    problem = await refused(
        claims.ListClaimLines(pb.ListClaimLinesRequest(pool="999999", month="2024-03"))
    )
    assert {one.field for one in problem.violations} == {"pool"}


async def test_every_match_is_made_again_to_the_byte(
    provider: Running, claims: Any, stub: Any, plan: provider_pb.Plan
) -> None:
    visit = await stub.SubmitVisit(upload())
    await send(
        claims, row(visit=visit.visit, amount_fen=9000), row("none", start_date="2024-03-09")
    )
    await raise_flag(provider, visit.visit)
    await provider.caught_up()
    await provider.caught_up()
    store = provider.service.parts.store

    seen = 0
    for event in await provider.events_after(0):
        name = event.type.split(".")[-1].removesuffix("/1")
        if name not in {"ClaimLineMatched", "ClaimLineRefused"}:
            continue
        seen += 1
        message: Any = getattr(events_pb2, name).FromString(event.payload)
        ruling = Ruling.parse(message.ruling)
        stored = await store.get_pack(ruling.pack.partition("@")[2])
        assert stored is not None
        named = await store.read_positions([ref.position for ref in ruling.facts])
        facts: list[RawFact] = [raw_fact("provider", one) for one in named]
        assert [fact.ref for fact in facts] == list(ruling.facts)
        again = DECISIONS[event.type](event.payload, facts, Pack.parse(stored[1]))
        assert again == message.ruling
    assert seen == 3


async def test_many_lines_in_one_stream_are_answered_in_their_places(
    claims: Any, stub: Any, plan: provider_pb.Plan
) -> None:
    visits = [
        await stub.SubmitVisit(
            upload(
                f"visit {day}",
                start_time=f"2024-03-{day:02d}T09:00:00+08:00",
                end_time=f"2024-03-{day:02d}T10:30:00+08:00",
            )
        )
        for day in range(4, 10)
    ]
    told = [row(f"line {n}", visit=one.visit) for n, one in enumerate(visits)]

    results = await rows(
        claims.ImportClaimLines(
            stream_of(
                [
                    pb.ImportClaimLinesRequest(rows=told[:4]),
                    pb.ImportClaimLinesRequest(rows=told[4:]),
                ]
            )
        )
    )

    assert [one.row for one in results] == list(range(6))
    assert {one.status.code for one in results} == {code_pb2.OK}
    assert [one.name for one in results] == [
        str(derive("claim_line", one.request_id)) for one in told
    ]


def test_what_lines_follow_are_events_as_the_service_writes_them_today() -> None:
    assert set(FOLLOWED) == set(OFFERED) <= set(provider_codec(None).types)
