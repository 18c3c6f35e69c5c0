"""Cases over real gRPC and real PostgreSQL, from a flag to what becomes of it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from ltci.events.v1 import feed_pb2, feed_pb2_grpc
from ltci.provider.v1 import inspection_service_pb2 as pb
from ltci.provider.v1 import inspection_service_pb2_grpc as pb_grpc
from ltci.provider.v1 import inspection_types_pb2 as types
from ltci.provider.v1 import provider_service_pb2 as provider_pb
from ltci.provider.v1 import provider_service_pb2_grpc as provider_grpc
from ltci.provider.v1 import provider_types_pb2 as provider_types

from cli.letters.found import SERVICES as LETTER_SERVICES
from cli.letters.found import letter_of
from kernel.eventstore.handle import Call, Work
from kernel.ids import derive
from kernel.money import yuan
from kernel.replay import raw_fact
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from services.provider.__main__ import build
from services.provider.application.streams import FLAG, flag_stream, visit_stream
from services.provider.codec import provider_codec
from services.provider.domain.risk import RiskFlagged
from services.provider.replay import DECISIONS
from tests.provider.cases import flag as any_flag
from tests.provider.cases import ruling_with
from tests.provider.test_service import CHANGZHOU, admission, approval, price, registration, upload
from tests.support.service import TODAY, Running, end_of, refused, running

CHENGDU = "510100"
UNKNOWN: Any = 9
CONFIRMED, CLEARED = types.INSPECTION_VERDICT_CONFIRMED, types.INSPECTION_VERDICT_CLEARED
PANEL, OTHERS = ("chief-1", "chief-2"), ("board-1", "board-2")
NOTICED, RESPOND_BY = date(2024, 7, 3), date(2024, 7, 17)  # ten working days
DECIDED, APPEAL_BY = date(2024, 7, 18), date(2024, 8, 8)  # fifteen


def request_id(name: str) -> str:
    return str(derive("test", name))


@pytest.fixture
async def provider(database_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    async with running("provider", database_url, tmp_path, provider_codec, build) as service:
        yield service


@pytest.fixture
def stub(provider: Running) -> Any:
    return pb_grpc.InspectionServiceStub(provider.channel)


@pytest.fixture
async def visits(provider: Running) -> list[provider_pb.Visit]:
    """Three visits that counted, by one carer in one month."""
    services: Any = provider_grpc.ProviderServiceStub(provider.channel)
    await services.AdmitProvider(admission())
    await services.SetPrice(price("bath", 6000, 50))
    await services.SetPrice(price("hair", 2000, 20))
    await services.RegisterCaregiver(registration())
    await services.ApprovePlan(approval())
    return [
        await services.SubmitVisit(
            upload(
                f"visit {day}",
                start_time=f"2024-03-0{day}T09:00:00+08:00",
                end_time=f"2024-03-0{day}T10:30:00+08:00",
            )
        )
        for day in (4, 5, 6)
    ]


async def flagged(provider: Running, visit: provider_pb.Visit, **changes: Any) -> RiskFlagged:
    """A detector's flag on a visit, recorded as it records them."""
    store = provider.service.parts.store
    recorded = await store.read_stream(visit_stream(UUID(visit.visit)))
    refs = [raw_fact("provider", one).ref for one in recorded]
    told = any_flag(
        4,
        flag=derive("flag", "too_short", "1", visit.visit),
        visit=UUID(visit.visit),
        person=UUID(visit.person),
        provider=derive("provider", "91350100M000100Y43"),
        care_date=date.fromisoformat(visit.start_time[:10]),
        cost=yuan("80"),
        ruling=ruling_with(*refs),
    )
    event = replace(told, **changes)
    stream = flag_stream(event.flag)

    async def work(work: Work) -> provider_pb.Visit:
        await work.load(FLAG, stream)
        work.record(FLAG, stream, event.pool, [event])
        return visit

    call = Call(derive("test", "flag", str(event.flag)), b"", "test")
    await provider.service.parts.handler.execute(call, work, provider_pb.Visit)
    return event


async def opened(stub: Any, flag: RiskFlagged, name: str = "open") -> pb.Inspection:
    answer: pb.Inspection = await stub.OpenInspection(
        pb.OpenInspectionRequest(
            cause=types.INSPECTION_CAUSE_FLAG,
            flag=str(flag.flag),
            officer="detectors",
            request_id=request_id(f"{name} {flag.flag}"),
        )
    )
    return answer


async def noticed(provider: Running, stub: Any, case: str, day: date = NOTICED) -> pb.Inspection:
    provider.set_day(day)
    answer: pb.Inspection = await stub.SendNotice(
        pb.SendNoticeRequest(
            inspection=case,
            officer="inspector-1",
            noticed_date=str(day),
            request_id=request_id(f"notice {case}"),
        )
    )
    return answer


def statement(case: str, **changes: Any) -> pb.FileStatementRequest:
    told: dict[str, Any] = {
        "inspection": case,
        "statement": "当日家属要求提前结束",
        "filed_date": "2024-07-10",
        "request_id": request_id(f"statement {case}"),
    }
    return pb.FileStatementRequest(**(told | changes))


def decision(case: str, verdict: Any, name: str = "decide", **changes: Any) -> Any:
    told: dict[str, Any] = {
        "inspection": case,
        "verdict": verdict,
        "cause": "the visit was thirty minutes short",
        "decided_by": PANEL,
        "decided_date": str(DECIDED),
        "reasoning": "详见笔录",
        "request_id": request_id(f"{name} {case}"),
    }
    return pb.DecideInspectionRequest(**(told | changes))


async def confirmed(provider: Running, stub: Any, flags: list[RiskFlagged]) -> pb.Inspection:
    """A case over these flags, told, answered and decided against the carer."""
    for one in flags:
        case = await opened(stub, one)
    await noticed(provider, stub, case.inspection)
    provider.set_day(DECIDED)
    await stub.FileStatement(statement(case.inspection))
    answer: pb.Inspection = await stub.DecideInspection(decision(case.inspection, CONFIRMED))
    return answer


async def whole(stub: Any, case: str, **known: Any) -> pb.Inspection:
    answer: pb.Inspection = await stub.GetInspection(
        pb.GetInspectionRequest(inspection=case, **known)
    )
    return answer


async def names(provider: Running, after: int) -> list[str]:
    events = await provider.events_after(after)
    return [event.type.rpartition(".")[2].partition("/")[0] for event in events]


async def test_a_flag_becomes_a_case_and_is_confirmed(
    provider: Running, stub: Any, visits: list[provider_pb.Visit]
) -> None:
    flag = await flagged(provider, visits[0])
    case = await opened(stub, flag)
    assert (case.state, case.flag_count) == (types.INSPECTION_STATE_OPENED, 1)
    assert (case.opened_date, case.due_date) == (str(TODAY), "2024-07-08")  # five working days
    told = await noticed(provider, stub, case.inspection)
    assert told.respond_by_date == str(RESPOND_BY)
    assert len(told.letters) == 2  # to the provider and to the carer
    provider.set_day(DECIDED)
    before = await provider.head()
    decided = await stub.DecideInspection(decision(case.inspection, CONFIRMED))

    # The decision, what becomes of the flag, and the letters: one append.
    assert await names(provider, before) == [
        "InspectionDecided",
        "RiskConfirmed",
        "LetterIssued",
        "LetterIssued",
    ]
    assert decided.state == types.INSPECTION_STATE_DECIDED
    assert decided.decision.appeal_by_date == str(APPEAL_BY)
    file = await whole(stub, case.inspection)
    assert [(one.flag, one.verdict) for one in file.flags] == [(str(flag.flag), CONFIRMED)]
    assert file.decision.reasoning == "详见笔录"


async def test_flags_of_one_carer_and_month_are_one_case_until_it_is_told(
    provider: Running, stub: Any, visits: list[provider_pb.Visit]
) -> None:
    one, two, three = [await flagged(provider, visit) for visit in visits]
    first = await opened(stub, one)
    joined = await opened(stub, two)
    assert (joined.inspection, joined.flag_count) == (first.inspection, 2)
    assert (await opened(stub, one, "again")).inspection == first.inspection
    await noticed(provider, stub, first.inspection)

    later = await opened(stub, three)
    assert later.inspection != first.inspection
    assert (await opened(stub, two, "again")).inspection == first.inspection
    assert (await opened(stub, three, "again")).inspection == later.inspection
    file = await whole(stub, first.inspection)
    assert [flag.flag for flag in file.flags] == [str(one.flag), str(two.flag)]


async def test_an_appeal_clears_what_was_confirmed(
    provider: Running, stub: Any, visits: list[provider_pb.Visit]
) -> None:
    flags = [await flagged(provider, visit) for visit in visits[:2]]
    case = (await confirmed(provider, stub, flags)).inspection
    moment = end_of(DECIDED)
    provider.set_day(date(2024, 7, 30))
    await stub.AppealInspection(
        pb.AppealInspectionRequest(
            inspection=case,
            statement="请求复核",
            filed_date="2024-07-30",
            request_id=request_id("appeal"),
        )
    )
    before = await provider.head()
    request = pb.DecideInspectionAppealRequest(
        inspection=case,
        outcome=types.INSPECTION_APPEAL_OUTCOME_UPHELD,
        flags=[str(flags[0].flag)],
        decided_by=OTHERS,
        decided_date="2024-07-30",
        reasoning="家属已证明",
        request_id=request_id("judge"),
    )
    closed = await stub.DecideInspectionAppeal(request)

    assert await names(provider, before) == [
        "InspectionAppealDecided",
        "InspectionClosed",
        "RiskCleared",
        "LetterIssued",
        "LetterIssued",
    ]
    assert closed.state == types.INSPECTION_STATE_CLOSED
    file = await whole(stub, case)
    assert [one.verdict for one in file.flags] == [CLEARED, CONFIRMED]
    assert file.appeal.outcome == types.INSPECTION_APPEAL_OUTCOME_UPHELD
    # As it was known on the day of the decision.
    then = await whole(stub, case, known_at_time=moment)
    assert [one.verdict for one in then.flags] == [CONFIRMED, CONFIRMED]
    assert then.state == types.INSPECTION_STATE_DECIDED
    assert not then.HasField("appeal")
    # The same request gets the same answer.
    assert await stub.DecideInspectionAppeal(request) == closed


async def test_nobody_loses_days_because_it_was_told_late(
    provider: Running, stub: Any, visits: list[provider_pb.Visit]
) -> None:
    case = (await opened(stub, await flagged(provider, visits[0]))).inspection
    provider.set_day(date(2024, 7, 10))
    notice = pb.SendNoticeRequest(
        inspection=case,
        officer="inspector-1",
        noticed_date=str(NOTICED),  # a week before it is told here
        request_id=request_id("notice"),
    )
    assert (await stub.SendNotice(notice)).respond_by_date == "2024-07-24"
    provider.set_day(date(2024, 8, 1))
    again = pb.SendNoticeRequest()
    again.CopyFrom(notice)
    again.request_id = request_id("notice once more")
    assert (await stub.SendNotice(again)).respond_by_date == "2024-07-24"
    decided = await stub.DecideInspection(decision(case, CONFIRMED, decided_date="2024-07-25"))
    assert decided.decision.appeal_by_date == "2024-08-22"  # as the letter of 1 August says
    feed = feed_pb2_grpc.EventFeedServiceStub(provider.channel)
    letter = await letter_of(dict.fromkeys(LETTER_SERVICES, feed), decided.letters[-1])
    assert letter.document["remedies"][0]["until"] == "2024-08-22"


async def test_what_is_cleared_needs_no_notice_and_no_letter(
    provider: Running, stub: Any, visits: list[provider_pb.Visit]
) -> None:
    case = await opened(stub, await flagged(provider, visits[0]))
    before = await provider.head()
    provider.set_day(DECIDED)
    closed = await stub.DecideInspection(decision(case.inspection, CLEARED))

    assert await names(provider, before) == ["InspectionDecided", "InspectionClosed", "RiskCleared"]
    assert (closed.state, list(closed.letters)) == (types.INSPECTION_STATE_CLOSED, [])


async def test_nobody_is_found_guilty_unheard(
    provider: Running, stub: Any, visits: list[provider_pb.Visit]
) -> None:
    case = (await opened(stub, await flagged(provider, visits[0]))).inspection
    provider.set_day(DECIDED)
    problem = await refused(stub.DecideInspection(decision(case, CONFIRMED)))
    assert problem.reason == "NOT_NOTICED"
    await noticed(provider, stub, case)
    soon = decision(case, CONFIRMED, decided_date=str(NOTICED))
    assert (await refused(stub.DecideInspection(soon))).reason == "RESPOND_PERIOD_OPEN"
    provider.set_day(DECIDED)
    await stub.FileStatement(statement(case, hearing_wanted=True))
    problem = await refused(stub.DecideInspection(decision(case, CONFIRMED)))
    assert problem.reason == "HEARING_DUE"
    mine = decision(case, CONFIRMED, decided_by=["inspector-1", "chief-1"])
    assert (await refused(stub.DecideInspection(mine))).reason == "SAME_OFFICER"
    await stub.HoldHearing(
        pb.HoldHearingRequest(
            inspection=case,
            officers=["chair-1"],
            attended=True,
            statement="双方到场",
            held_date=str(DECIDED),
            request_id=request_id("hearing"),
        )
    )
    decided = await stub.DecideInspection(decision(case, CONFIRMED))
    assert decided.decision.outcome == CONFIRMED
    assert [(one.held_date, one.statement) for one in decided.hearings] == [(str(DECIDED), "")]
    file = await whole(stub, case)
    assert file.hearings[0].statement == "双方到场"
    assert file.statements[0].statement == "当日家属要求提前结束"


async def test_the_evidence_is_compared_with_the_log(
    provider: Running, stub: Any, visits: list[provider_pb.Visit], database_url: str
) -> None:
    case = (await opened(stub, await flagged(provider, visits[0]))).inspection
    before = (await whole(stub, case)).evidence
    # The flag's event and the four of the visit.
    assert (len(before.frozen), before.unchanged, list(before.changed_positions)) == (5, True, [])
    assert before.digest == before.digest_now

    altered = before.frozen[0].position
    await alter(database_url, altered)
    after = (await whole(stub, case)).evidence
    assert (after.unchanged, list(after.changed_positions)) == (False, [altered])
    assert after.digest_now != before.digest == after.digest
    problem = await refused(stub.DecideInspection(decision(case, CLEARED, decided_date=str(TODAY))))
    assert problem.reason == "EVIDENCE_CHANGED"


async def alter(database_url: str, position: int) -> None:
    """What only somebody with the database's own password could do."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("set session_replication_role = replica")  # no trigger guards it
        await connection.execute(
            "update provider.events set payload = payload || '\\x7a00'::bytea where position = $1",
            position,
        )
    finally:
        await connection.close()


async def test_a_complaint_opens_its_case_once_and_freezes_its_visits(
    provider: Running, stub: Any, visits: list[provider_pb.Visit]
) -> None:
    request = pb.OpenInspectionRequest(
        cause=types.INSPECTION_CAUSE_COMPLAINT,
        source=request_id("complaint"),
        pool=CHANGZHOU,
        provider=str(derive("provider", "91350100M000100Y43")),
        visits=[visits[0].visit, visits[1].visit],
        officer="hotline",
        request_id=request_id("open"),
    )
    case = await stub.OpenInspection(request)
    again = pb.OpenInspectionRequest()
    again.CopyFrom(request)
    again.request_id = request_id("open once more")
    assert await stub.OpenInspection(again) == case
    again.pool, again.request_id = CHENGDU, request_id("elsewhere")
    assert (await refused(stub.OpenInspection(again))).reason == "PROVIDER_NOT_IN_POOL"
    file = await whole(stub, case.inspection)
    assert (file.source, len(file.evidence.frozen), file.flag_count) == (request.source, 8, 0)
    provider.set_day(DECIDED)
    asked = decision(case.inspection, CONFIRMED)
    assert (await refused(stub.DecideInspection(asked))).reason == "NOT_NOTICED"
    nobody = decision(
        case.inspection,
        0,
        "nobody",
        cause="",
    )
    assert (await refused(stub.DecideInspection(nobody))).reason == "FINDINGS_INCOMPLETE"
    closed = await stub.DecideInspection(decision(case.inspection, CLEARED))
    assert closed.state == types.INSPECTION_STATE_CLOSED


async def test_decisions_are_made_again_to_the_same_bytes(
    provider: Running, stub: Any, visits: list[provider_pb.Visit]
) -> None:
    flags = [await flagged(provider, visit) for visit in visits[:2]]
    case = (await confirmed(provider, stub, flags)).inspection
    await stub.AppealInspection(
        pb.AppealInspectionRequest(
            inspection=case,
            statement="请求复核",
            filed_date=str(DECIDED),
            request_id=request_id("appeal"),
        )
    )
    await stub.DecideInspectionAppeal(
        pb.DecideInspectionAppealRequest(
            inspection=case,
            outcome=types.INSPECTION_APPEAL_OUTCOME_DISMISSED,
            decided_by=OTHERS,
            decided_date=str(DECIDED),
            reasoning="维持",
            request_id=request_id("judge"),
        )
    )
    events = await provider.events_after(0)
    store = provider.service.parts.store
    made = 0
    for event in events:
        redo = DECISIONS.get(event.type)
        if redo is None or "Inspection" not in event.type:
            continue
        told = Ruling.read(_ruling(event))
        facts = [
            raw_fact("provider", one)
            for one in await store.read_positions([ref.position for ref in told.facts])
        ]
        assert [fact.ref for fact in facts] == list(told.facts)
        found = await store.get_pack(told.pack.partition("@")[2])
        assert found is not None
        assert redo(event.payload, facts, Pack.parse(found[1])) == told.to_bytes()
        made += 1
    assert made == 2


def _ruling(event: Any) -> bytes:
    decoded = provider_codec(None).decode_clear(event.type, event.payload)
    return bytes(decoded.ruling)


async def test_letters_tell_both_sides_what_and_why(
    provider: Running, stub: Any, visits: list[provider_pb.Visit]
) -> None:
    case = await confirmed(provider, stub, [await flagged(provider, visits[0])])
    feed = feed_pb2_grpc.EventFeedServiceStub(provider.channel)
    nobody = Nobody()
    feeds = {"assessment": nobody, "payment": nobody, "provider": feed}
    letters = [await letter_of(feeds, letter) for letter in case.letters]

    assert [one.event.kind for one in letters] == [
        "inspection_notice",
        "inspection_notice",
        "inspection_confirmed",
        "inspection_confirmed",
    ]
    to_provider, to_carer = letters[:2]
    assert to_provider.event.provider
    assert not to_provider.event.person
    assert to_provider.document["to"]["en"] == "To the care provider {name},"
    assert to_carer.event.person == case.caregiver
    notice, decided = letters[0].document, letters[2].document
    assert notice["good"]
    assert not decided["good"]
    assert notice["remedies"][0]["until"] == str(RESPOND_BY)
    assert decided["remedies"][0]["until"] == str(APPEAL_BY)
    told = " ".join(one["text"]["en"] for one in decided["grounds"])
    assert "the visit was thirty minutes short" in told
    assert "80.00" in told
    assert all(one["text"]["zh"] for one in decided["grounds"])
    assert [fact["event"] for fact in decided["facts"]] == ["RiskFlagged"]
    assert "当日家属要求提前结束" not in str(decided)


class Nobody:
    """A service without letters."""

    async def ReadEvents(self, _asked: Any) -> feed_pb2.ReadEventsResponse:  # noqa: N802 - as in the proto
        return feed_pb2.ReadEventsResponse()


async def test_the_words_are_sealed_and_no_answer_keeps_them(
    provider: Running, stub: Any, visits: list[provider_pb.Visit], database_url: str
) -> None:
    await confirmed(provider, stub, [await flagged(provider, visits[0])])
    connection = await asyncpg.connect(database_url)
    try:
        for table, column in (("events", "payload"), ("requests", "answer")):
            rows = await connection.fetch(f"select {column} from provider.{table}")
            assert rows
            held = b"".join(row[0] for row in rows if row[0])
            assert "提前结束".encode() not in held
            assert "详见笔录".encode() not in held
    finally:
        await connection.close()


async def test_cases_are_listed_by_state_and_by_what_is_overdue(
    provider: Running, stub: Any, visits: list[provider_pb.Visit]
) -> None:
    one = await opened(stub, await flagged(provider, visits[0]))
    two = await opened(
        stub, await flagged(provider, visits[1], caregiver=derive("test", "another carer"))
    )
    await noticed(provider, stub, one.inspection)
    provider.set_day(date(2024, 7, 9))  # the notice of the second is late
    await provider.caught_up()

    async def listed(**changes: Any) -> list[str]:
        request = pb.ListInspectionsRequest(pool=CHANGZHOU, page_size=1, **changes)
        found: list[str] = []
        while True:
            page = await stub.ListInspections(request)
            found += [case.inspection for case in page.inspections]
            request.page_token = page.next_page_token
            if not page.next_page_token:
                return found

    assert sorted(await listed()) == sorted([one.inspection, two.inspection])
    assert await listed(filter=pb.INSPECTION_FILTER_OVERDUE) == [two.inspection]
    assert await listed(state=types.INSPECTION_STATE_NOTICED) == [one.inspection]
    provider.set_day(DECIDED)
    await stub.DecideInspection(decision(two.inspection, CLEARED))
    await provider.caught_up()
    assert await listed(filter=pb.INSPECTION_FILTER_OPEN) == [one.inspection]
    assert await listed(provider=str(derive("provider", "nobody"))) == []


async def test_a_case_is_closed_when_nobody_appealed_and_last_days_are_noted(
    provider: Running, stub: Any, visits: list[provider_pb.Visit]
) -> None:
    case = (await confirmed(provider, stub, [await flagged(provider, visits[0])])).inspection
    close = pb.CloseInspectionRequest(inspection=case, request_id=request_id("close"))
    assert (await refused(stub.CloseInspection(close))).reason == "APPEAL_PERIOD_OPEN"
    note = pb.NoteInspectionClockRequest(
        inspection=case,
        step=types.INSPECTION_STEP_DECISION,
        note=types.INSPECTION_NOTE_MISSED,
        request_id=request_id("note"),
    )
    assert (await refused(stub.NoteInspectionClock(note))).reason == "NOT_RUNNING"
    provider.set_day(date(2024, 8, 9))
    closed = await stub.CloseInspection(close)
    assert closed.closed_date == "2024-08-09"
    file = await whole(stub, case)
    assert file.flags[0].verdict == CONFIRMED


BAD: list[tuple[str, Any, str, str]] = [
    (
        "OpenInspection",
        pb.OpenInspectionRequest(cause=types.INSPECTION_CAUSE_FLAG, officer="x"),
        "flag",
        "REQUIRED",
    ),
    (
        "OpenInspection",
        pb.OpenInspectionRequest(
            cause=types.INSPECTION_CAUSE_FLAG,
            flag=request_id("f"),
            source=request_id("s"),
            officer="x",
        ),
        "source",
        "NOT_WANTED",
    ),
    (
        "OpenInspection",
        pb.OpenInspectionRequest(
            cause=types.INSPECTION_CAUSE_FLAG, flag=request_id("f"), officer="张三"
        ),
        "officer",
        "WRONG_FORM",
    ),
    (
        "OpenInspection",
        pb.OpenInspectionRequest(cause=UNKNOWN, officer="x"),
        "cause",
        "UNKNOWN_VALUE",
    ),
    (
        "SendNotice",
        pb.SendNoticeRequest(inspection=request_id("i"), officer="x", noticed_date="2024-07-02"),
        "noticed_date",
        "DATE_IN_FUTURE",
    ),
    (
        "FileStatement",
        statement(request_id("i"), statement="", filed_date=str(TODAY)),
        "statement",
        "REQUIRED",
    ),
    (
        "FileStatement",
        statement(request_id("i"), evidence_hashes=["abc"], filed_date=str(TODAY)),
        "evidence_hashes[0]",
        "WRONG_FORM",
    ),
    (
        "DecideInspection",
        decision(
            request_id("i"),
            CLEARED,
            decided_date=str(TODAY),
            proposed_measure=provider_types.SANCTION_MEASURE_TALK,
            proposed_article="Art. 40",
        ),
        "proposed_measure",
        "NOTHING_CONFIRMED",
    ),
    (
        "DecideInspection",
        decision(request_id("i"), CONFIRMED, decided_date=str(TODAY), decided_by=[]),
        "decided_by",
        "REQUIRED",
    ),
    ("ListInspections", pb.ListInspectionsRequest(pool="000000"), "pool", "UNKNOWN_POOL"),
    (
        "ListInspections",
        pb.ListInspectionsRequest(pool=CHANGZHOU, filter=UNKNOWN),
        "filter",
        "UNKNOWN_VALUE",
    ),
]


@pytest.mark.parametrize(("method", "request_", "field", "reason"), BAD)
async def test_bad_input_is_told_by_field(
    stub: Any, method: str, request_: Any, field: str, reason: str
) -> None:
    if "request_id" in request_.DESCRIPTOR.fields_by_name and not request_.request_id:
        request_.request_id = request_id("bad")
    problem = await refused(getattr(stub, method)(request_))
    assert problem.code == "INVALID_ARGUMENT"
    assert (field, reason) in [(one.field, one.reason) for one in problem.violations]
