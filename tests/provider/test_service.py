"""Designated care over real gRPC and real PostgreSQL."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from google.rpc import code_pb2, error_details_pb2
from ltci.events.v1 import feed_pb2, feed_pb2_grpc
from ltci.provider.v1 import events_pb2
from ltci.provider.v1 import provider_service_pb2 as pb
from ltci.provider.v1 import provider_service_pb2_grpc as pb_grpc
from ltci.provider.v1 import provider_types_pb2 as types

from kernel.identity_numbers import credit_check_character
from kernel.ids import derive
from kernel.replay import raw_fact
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from services.provider.__main__ import without_detectors as quiet
from services.provider.codec import provider_codec
from services.provider.replay import DECISIONS
from tests.support.people import person
from tests.support.service import Running, end_of, refused, rows, running, stream_of

CHANGZHOU = "320400"
CODE = "91350100M000100Y43"
HOME = types.Place(latitude_microdegrees=31_779_000, longitude_microdegrees=119_974_000)
NEXT_DOOR = types.Place(latitude_microdegrees=31_780_000, longitude_microdegrees=119_974_000)
FAR_AWAY = types.Place(latitude_microdegrees=31_790_000, longitude_microdegrees=119_974_000)
CARED_FOR, CARER = person(1), person(2)


def request_id(name: str) -> str:
    return str(derive("test", name))


def code_like(number: int) -> str:
    body = CODE[:12] + f"{number:05d}"
    return body + credit_check_character(body)


@pytest.fixture
async def provider(database_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    async with running("provider", database_url, tmp_path, provider_codec, quiet) as service:
        yield service


@pytest.fixture
def stub(provider: Running) -> Any:
    return pb_grpc.ProviderServiceStub(provider.channel)


@pytest.fixture
async def plan(stub: Any) -> pb.Plan:
    """A person with a plan, at a provider with prices and a caregiver."""
    await stub.AdmitProvider(admission())
    await stub.SetPrice(price("bath", 6000, 50))
    await stub.SetPrice(price("hair", 2000, 20))
    await stub.RegisterCaregiver(registration())
    approved: pb.Plan = await stub.ApprovePlan(approval())
    return approved


def admission(name: str = "admit", **changes: Any) -> pb.AdmitProviderRequest:
    told: dict[str, Any] = {
        "pool": CHANGZHOU,
        "provider_name": "常州安心护理站",
        "social_credit_code": CODE,
        "agreement_start_date": "2024-01-01",
        "agreement_end_date": "2024-12-31",
        "request_id": request_id(name),
    }
    return pb.AdmitProviderRequest(**(told | changes))


def price(item: str, fen: int, minutes: int, **changes: Any) -> pb.SetPriceRequest:
    told: dict[str, Any] = {
        "social_credit_code": CODE,
        "item": item,
        "item_name": "沐浴",
        "price_fen": fen,
        "minutes": minutes,
        "effective_date": "2024-01-01",
        "request_id": request_id(f"price {item} {fen} {minutes}"),
    }
    return pb.SetPriceRequest(**(told | changes))


def registration(name: str = "register", **changes: Any) -> pb.RegisterCaregiverRequest:
    told: dict[str, Any] = {
        "identity_number": CARER.identity_number,
        "full_name": CARER.full_name,
        "social_credit_code": CODE,
        "registered_date": "2024-01-01",
        "request_id": request_id(name),
    }
    return pb.RegisterCaregiverRequest(**(told | changes))


def approval(name: str = "plan", **changes: Any) -> pb.ApprovePlanRequest:
    told: dict[str, Any] = {
        "identity_number": CARED_FOR.identity_number,
        "pool": CHANGZHOU,
        "social_credit_code": CODE,
        "form": types.CARE_FORM_HOME_VISITS,
        "start_date": "2024-02-01",
        "place": HOME,
        "request_id": request_id(name),
    }
    return pb.ApprovePlanRequest(**(told | changes))


def upload(name: str = "visit", **changes: Any) -> pb.SubmitVisitRequest:
    told: dict[str, Any] = {
        "caregiver_identity_number": CARER.identity_number,
        "start_time": "2024-03-04T09:00:00+08:00",
        "end_time": "2024-03-04T10:30:00+08:00",
        "place": NEXT_DOOR,
        "items": ["bath", "hair"],
        "confirmed_by": types.CONFIRMED_BY_FAMILY,
        "request_id": request_id(name),
    }
    if "plan" not in changes:
        told |= {"identity_number": CARED_FOR.identity_number, "pool": CHANGZHOU}
    return pb.SubmitVisitRequest(**(told | changes))


async def test_a_visit_uploaded_whole_counts(provider: Running, stub: Any, plan: pb.Plan) -> None:
    before = await provider.head()
    visit = await stub.SubmitVisit(upload())

    assert visit.state == types.VISIT_STATE_DELIVERED
    assert (plan.plan, plan.person, 8000) == (visit.plan, visit.person, visit.cost_fen)
    events = await provider.events_after(before)
    assert [event.type.rpartition(".")[2].partition("/")[0] for event in events] == [
        "VisitStarted",
        "VisitEnded",
        "VisitConfirmed",
        "ServiceDelivered",
    ]
    assert len({event.meta.request_id for event in events}) == 1
    assert visit == await stub.GetVisit(pb.GetVisitRequest(visit=visit.visit))


async def test_the_same_visit_step_by_step_counts_alike(stub: Any, plan: pb.Plan) -> None:
    carer = await stub.RegisterCaregiver(registration())
    whole = await stub.SubmitVisit(upload())
    begun = await stub.StartVisit(
        pb.StartVisitRequest(
            plan=plan.plan,
            caregiver=carer.caregiver,
            start_time="2024-03-04T01:00:00Z",
            place=NEXT_DOOR,
            request_id=request_id("start"),
        )
    )
    assert begun.state == types.VISIT_STATE_STARTED
    ended = await stub.EndVisit(
        pb.EndVisitRequest(
            visit=begun.visit,
            end_time="2024-03-04T10:30:00+08:00",
            items=["bath", "hair"],
            request_id=request_id("end"),
        )
    )
    assert ended.state == types.VISIT_STATE_ENDED
    counted = await stub.ConfirmVisit(
        pb.ConfirmVisitRequest(
            visit=begun.visit,
            confirmed_by=types.CONFIRMED_BY_FAMILY,
            request_id=request_id("confirm"),
        )
    )
    whole.visit = counted.visit
    assert whole == counted


async def test_no_second_visit_starts_under_a_plan_while_one_goes_on(
    stub: Any, plan: pb.Plan
) -> None:
    carer = await stub.RegisterCaregiver(registration())

    def start(name: str) -> pb.StartVisitRequest:
        return pb.StartVisitRequest(
            plan=plan.plan,
            caregiver=carer.caregiver,
            start_time="2024-03-04T09:00:00+08:00",
            place=NEXT_DOOR,
            request_id=request_id(name),
        )

    first = await stub.StartVisit(start("first"))

    problem = await refused(stub.StartVisit(start("second")))
    assert ("VISIT_RUNNING", first.visit) == (problem.reason, problem.metadata["visit"])
    assert first == await stub.StartVisit(start("first"))


async def test_every_reason_is_told(stub: Any, plan: pb.Plan) -> None:
    await stub.SuspendAgreement(
        pb.SuspendAgreementRequest(
            provider=plan.provider,
            start_date="2024-03-01",
            cause="虚假服务",
            request_id=request_id("suspend"),
        )
    )
    await stub.EndPlan(
        pb.EndPlanRequest(plan=plan.plan, end_date="2024-02-29", request_id=request_id("end plan"))
    )
    visit = await stub.SubmitVisit(
        upload(
            caregiver_identity_number=person(3).identity_number,
            end_time="2024-03-04T09:20:00+08:00",
            place=FAR_AWAY,
            confirmed_by=types.CONFIRMED_BY_UNSPECIFIED,
        )
    )

    assert visit.state == types.VISIT_STATE_REJECTED
    assert list(visit.reasons) == [
        "PLAN_NOT_IN_FORCE",
        "PROVIDER_SUSPENDED",
        "CAREGIVER_NOT_REGISTERED",
        "TOO_FAR",
        "TOO_SHORT",
        "NOT_CONFIRMED",
    ]


async def test_the_price_of_the_day_of_care_counts(stub: Any, plan: pb.Plan) -> None:
    await stub.SetPrice(price("bath", 7000, 50, effective_date="2024-03-05"))
    monday = await stub.SubmitVisit(upload("monday", items=["bath"]))
    tuesday = await stub.SubmitVisit(
        upload(
            "tuesday",
            items=["bath"],
            start_time="2024-03-05T09:00:00+08:00",
            end_time="2024-03-05T10:00:00+08:00",
        )
    )

    assert (monday.cost_fen, tuesday.cost_fen) == (6000, 7000)


async def test_verdicts_can_be_made_again(provider: Running, stub: Any, plan: pb.Plan) -> None:
    before = await provider.head()
    await stub.SubmitVisit(upload("good", plan=plan.plan))
    await stub.SubmitVisit(upload("far", place=FAR_AWAY))
    store = provider.service.parts.store
    decisions = [e for e in await store.read_all(before) if e.type in DECISIONS]
    assert len(decisions) == 2

    for decision in decisions:
        kind = events_pb2.ServiceDelivered
        message = kind() if "Delivered" in decision.type else events_pb2.ServiceRejected()
        message.ParseFromString(decision.payload)
        ruling = Ruling.parse(message.ruling)
        found = await store.read_positions([fact.position for fact in ruling.facts])
        kept = await store.get_pack(ruling.pack.partition("@")[2])
        assert kept is not None
        facts = [raw_fact("provider", event) for event in found]
        assert list(ruling.facts) == [fact.ref for fact in facts]
        redone = DECISIONS[decision.type](decision.payload, facts, Pack.parse(kept[1]))
        assert message.ruling == redone


async def test_places_and_names_are_sealed(provider: Running, stub: Any, plan: pb.Plan) -> None:
    await stub.SubmitVisit(upload())

    for event in await provider.events_after(0):
        kind = event.type.rpartition(".")[2]
        sealed = kind in {"PlanApproved/1", "VisitStarted/1", "CaregiverRegistered/1"}
        assert sealed == (event.sealed is not None)
        assert CARER.full_name.encode() not in event.payload
    plans = await stub.ListPlans(pb.ListPlansRequest(person=plan.person, pool=CHANGZHOU))
    assert plans == pb.ListPlansResponse(plans=[plan])


async def test_a_person_whose_key_is_gone_has_no_place_to_compare(
    provider: Running, stub: Any, plan: pb.Plan
) -> None:
    await provider.service.parts.keys.destroy(UUID(plan.person))

    assert (await refused(stub.SubmitVisit(upload()))).reason == "PLACE_ERASED"


Refusal = tuple[dict[str, Any], int, str, str]
BAD_VISITS: list[Refusal] = [
    ({"plan": request_id("nobody's plan")}, code_pb2.NOT_FOUND, "PLAN_UNKNOWN", ""),
    (
        {"identity_number": person(9).identity_number},
        code_pb2.NOT_FOUND,
        "PLAN_UNKNOWN",
        "",
    ),
    (
        {"end_time": "2024-03-04T08:00:00+08:00"},
        code_pb2.INVALID_ARGUMENT,
        "ENDS_BEFORE_START",
        "end_time",
    ),
    (
        {"end_time": "2024-03-05T09:00:01+08:00"},
        code_pb2.INVALID_ARGUMENT,
        "LASTS_TOO_LONG",
        "end_time",
    ),
    (
        {"start_time": "2024-07-01T09:00:01+08:00", "end_time": "2024-07-01T08:59:00+08:00"},
        code_pb2.INVALID_ARGUMENT,
        "TIME_IN_FUTURE",
        "start_time",
    ),
    (
        {"start_time": "2024-03-04T09:00:00"},
        code_pb2.INVALID_ARGUMENT,
        "NOT_AN_INSTANT",
        "start_time",
    ),
    (
        {"start_time": "0001-01-01T00:00:00+14:00"},
        code_pb2.INVALID_ARGUMENT,
        "NOT_AN_INSTANT",
        "start_time",
    ),
    (
        {"items": ["bath", "massage"]},
        code_pb2.INVALID_ARGUMENT,
        "ITEM_NOT_LISTED",
        "items[1]",
    ),
    ({"items": ["bath", "bath"]}, code_pb2.INVALID_ARGUMENT, "ITEM_REPEATED", "items[1]"),
    ({"items": []}, code_pb2.INVALID_ARGUMENT, "REQUIRED", "items"),
    ({"place": None}, code_pb2.INVALID_ARGUMENT, "REQUIRED", "place"),
    (
        {"place": types.Place(latitude_microdegrees=90_000_001)},
        code_pb2.INVALID_ARGUMENT,
        "OUT_OF_RANGE",
        "place.latitude_microdegrees",
    ),
    ({"pool": "999999"}, code_pb2.INVALID_ARGUMENT, "UNKNOWN_POOL", "pool"),
    ({"confirmed_by": 7}, code_pb2.INVALID_ARGUMENT, "UNKNOWN_VALUE", "confirmed_by"),
    (
        {"caregiver_identity_number": "11010519491231002Y"},
        code_pb2.INVALID_ARGUMENT,
        "IDENTITY_LENGTH",
        "caregiver_identity_number",
    ),
    ({"request_id": "visit-1"}, code_pb2.INVALID_ARGUMENT, "NOT_A_UUID", "request_id"),
]


@pytest.mark.parametrize("bad", BAD_VISITS, ids=lambda bad: f"{bad[2]}-{bad[3]}")
async def test_a_bad_visit_is_refused_and_nothing_is_stored(
    bad: Refusal, provider: Running, stub: Any, plan: pb.Plan
) -> None:
    changes, code, reason, field = bad
    before = await provider.head()

    problem = await refused(stub.SubmitVisit(upload(**changes)))

    assert (code_pb2.Code.Name(code), reason) == (problem.code, problem.reason)
    assert problem.domain == "provider.ltci"
    if field:
        assert field in {violation.field for violation in problem.violations}
    assert before == await provider.head()
    [row] = await rows(
        stub.ImportVisits(stream_of([pb.ImportVisitsRequest(rows=[upload(**changes)])]))
    )
    assert (code, reason) == (row.status.code, reason_of(row))
    assert before == await provider.head()


def reason_of(row: Any) -> str:
    info = error_details_pb2.ErrorInfo()
    row.status.details[0].Unpack(info)
    return str(info.reason)


async def test_text_that_is_not_utf_8_is_refused_by_field(provider: Running) -> None:
    before = await provider.head()
    raw = (
        admission(provider_name="station")
        .SerializeToString()
        .replace(b"station", b"sta\xff\xfe\xfdn")
    )
    call: Any = provider.channel.unary_unary("/ltci.provider.v1.ProviderService/AdmitProvider")

    problem = await refused(call(raw))

    assert (problem.code, problem.reason) == ("INVALID_ARGUMENT", "MALFORMED_REQUEST")
    assert problem.violations[0].field == "provider_name"
    assert before == await provider.head()


async def test_one_request_id_for_two_visits_is_refused(
    provider: Running, stub: Any, plan: pb.Plan
) -> None:
    await stub.SubmitVisit(upload())
    before = await provider.head()

    problem = await refused(stub.SubmitVisit(upload(items=["bath"])))

    assert (problem.code, problem.reason) == ("ALREADY_EXISTS", "REQUEST_ID_REUSED")
    assert before == await provider.head()


Ask = Callable[[Any, pb.Plan], Awaitable[Any]]


def ended(stub: Any, plan: pb.Plan, day: str) -> Awaitable[Any]:
    asked = pb.EndPlanRequest(plan=plan.plan, end_date=day, request_id=request_id("end plan"))
    return stub.EndPlan(asked)  # type: ignore[no-any-return]  # the stub is untyped


REFUSED: dict[str, tuple[Ask, str]] = {
    "provider differs": (
        lambda stub, _: stub.AdmitProvider(admission("again", provider_name="另一机构")),
        "PROVIDER_DIFFERS",
    ),
    "credit code": (
        lambda stub, _: stub.AdmitProvider(admission("bad", social_credit_code=CODE[:-1] + "4")),
        "SOCIAL_CREDIT_CODE_CHECK",
    ),
    "agreement ends before it starts": (
        lambda stub, _: stub.AdmitProvider(admission("bad", agreement_end_date="2023-12-31")),
        "ENDS_BEFORE_START",
    ),
    "price of an unknown provider": (
        lambda stub, _: stub.SetPrice(price("face", 1, 1, social_credit_code=code_like(7))),
        "PROVIDER_UNKNOWN",
    ),
    "negative price": (lambda stub, _: stub.SetPrice(price("face", -1, 1)), "OUT_OF_RANGE"),
    "caregiver of an unknown provider": (
        lambda stub, _: stub.RegisterCaregiver(
            registration("other", social_credit_code=code_like(7))
        ),
        "PROVIDER_UNKNOWN",
    ),
    "caregiver registered tomorrow": (
        lambda stub, _: stub.RegisterCaregiver(registration("bad", registered_date="2024-07-02")),
        "DATE_IN_FUTURE",
    ),
    "plan elsewhere": (
        lambda stub, _: stub.ApprovePlan(approval("other", pool="510100")),
        "PROVIDER_NOT_IN_POOL",
    ),
    "plan after the agreement": (
        lambda stub, _: stub.ApprovePlan(approval("other", start_date="2025-01-01")),
        "AGREEMENT_NOT_IN_FORCE",
    ),
    "plan that overlaps": (
        lambda stub, _: stub.ApprovePlan(approval("other", start_date="2024-01-15")),
        "PLAN_OVERLAPS",
    ),
    "plan of a person named twice": (
        lambda stub, plan: stub.ApprovePlan(approval("other", person=plan.person)),
        "ONE_OF_TWO",
    ),
    "plan ends before it starts": (
        lambda stub, plan: ended(stub, plan, "2024-01-31"),
        "ENDS_BEFORE_START",
    ),
    "unknown plan ends": (
        lambda stub, _: ended(stub, pb.Plan(plan=request_id("nobody's")), "2024-03-01"),
        "PLAN_UNKNOWN",
    ),
    "unknown visit ends": (
        lambda stub, _: stub.EndVisit(
            pb.EndVisitRequest(
                visit=request_id("no visit"),
                end_time="2024-03-04T10:00:00+08:00",
                items=["bath"],
                request_id=request_id("end"),
            )
        ),
        "VISIT_UNKNOWN",
    ),
    "unknown visit": (
        lambda stub, _: stub.GetVisit(pb.GetVisitRequest(visit=request_id("no visit"))),
        "VISIT_UNKNOWN",
    ),
    "unknown provider": (
        lambda stub, _: stub.GetProvider(pb.GetProviderRequest(provider=request_id("none"))),
        "PROVIDER_UNKNOWN",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_is_refused_stores_nothing(
    case: str, provider: Running, stub: Any, plan: pb.Plan
) -> None:
    ask, reason = REFUSED[case]
    before = await provider.head()

    assert reason == (await refused(ask(stub, plan))).reason
    assert before == await provider.head()


async def test_a_later_plan_ends_the_one_before(
    stub: Any, provider: Running, plan: pb.Plan
) -> None:
    family = await stub.ApprovePlan(
        approval("family", form=types.CARE_FORM_FAMILY_CARER, start_date="2024-05-01")
    )
    await provider.caught_up()
    listed = await stub.ListPlans(pb.ListPlansRequest(person=plan.person, pool=CHANGZHOU))

    plan.end_date = "2024-04-30"
    assert [plan, family] == list(listed.plans)
    assert plan.plan == (await stub.SubmitVisit(upload())).plan


async def test_order_of_arrival_and_doubled_uploads_do_not_matter(
    provider: Running, stub: Any, plan: pb.Plan
) -> None:
    visits = [
        upload(
            f"visit {day}",
            start_time=f"{date(2024, 3, day)}T09:00:00+08:00",
            end_time=f"{date(2024, 3, day)}T10:{day:02d}:00+08:00",
        )
        for day in range(1, 31)
    ]
    random.Random(1).shuffle(visits)
    before = await provider.head()
    first = await rows(
        stub.ImportVisits(
            stream_of(
                [
                    pb.ImportVisitsRequest(rows=[*visits[:20], *visits[:5]]),
                    pb.ImportVisitsRequest(rows=visits[15:]),
                ]
            )
        )
    )
    stored = await provider.events_after(before)
    random.Random(2).shuffle(visits)
    again = await rows(stub.ImportVisits(stream_of([pb.ImportVisitsRequest(rows=visits)])))

    assert {code_pb2.OK} == {row.status.code for row in [*first, *again]}
    assert list(range(40)) == [row.row for row in first]
    assert {row.name for row in first} == {row.name for row in again}
    assert len(stored) == 30 * 4
    assert stored == await provider.events_after(before)
    await provider.caught_up()
    page = await stub.ListVisits(
        pb.ListVisitsRequest(person=plan.person, pool=CHANGZHOU, month="2024-03", page_size=25)
    )
    rest = await stub.ListVisits(
        pb.ListVisitsRequest(
            person=plan.person,
            pool=CHANGZHOU,
            month="2024-03",
            page_size=25,
            page_token=page.next_page_token,
        )
    )
    listed = [*page.visits, *rest.visits]
    assert [f"2024-03-{day:02d}" for day in range(1, 31)] == [v.start_time[:10] for v in listed]
    assert rest.next_page_token == ""
    short = [v for v in listed if v.state == types.VISIT_STATE_REJECTED]
    assert [list(v.reasons) for v in short] == [["TOO_SHORT"]] * 9  # under 70 minutes
    one = await stub.GetVisit(pb.GetVisitRequest(visit=listed[0].visit))
    assert one == listed[0]


async def test_checking_rows_only_records_nothing(
    provider: Running, stub: Any, plan: pb.Plan
) -> None:
    before = await provider.head()
    asked = pb.ImportVisitsRequest(
        rows=[upload("good"), upload("bad", items=["massage"])], validate_only=True
    )

    good, bad = await rows(stub.ImportVisits(stream_of([asked])))

    assert (good.status.code, bad.status.code) == (code_pb2.OK, code_pb2.INVALID_ARGUMENT)
    assert before == await provider.head()
    assert good.name == (await stub.SubmitVisit(upload("good"))).visit


async def test_a_message_with_too_many_rows_is_refused(stub: Any) -> None:
    asked = pb.ImportVisitsRequest(rows=[pb.SubmitVisitRequest()] * 501)

    with pytest.raises(Exception, match="rows"):
        await rows(stub.ImportVisits(stream_of([asked])))


async def test_providers_are_listed_page_by_page(stub: Any, provider: Running) -> None:
    for number in range(5):
        code = code_like(number)
        await stub.AdmitProvider(admission(f"admit {number}", social_credit_code=code))
    await provider.caught_up()
    found: list[pb.Provider] = []
    token = ""
    while token or not found:
        page = await stub.ListProviders(
            pb.ListProvidersRequest(pool=CHANGZHOU, page_size=2, page_token=token)
        )
        found += page.providers
        token = page.next_page_token

    assert len(found) == 5
    assert sorted(found, key=lambda one: one.provider) == found
    one = await stub.GetProvider(pb.GetProviderRequest(provider=found[0].provider))
    assert one == found[0]


async def test_visits_and_providers_are_shown_as_they_were_known_then(
    provider: Running, stub: Any, plan: pb.Plan
) -> None:
    provider.set_day(date(2024, 7, 2))
    visit = await stub.SubmitVisit(upload())
    provider.set_day(date(2024, 7, 3))
    suspension = pb.SuspendAgreementRequest(
        provider=plan.provider,
        start_date="2024-07-01",
        cause="inspection",
        request_id=request_id("suspend"),
    )
    suspended = await stub.SuspendAgreement(suspension)
    provider.set_day(date(2024, 7, 9))

    async def visit_known(day: int) -> Any:
        request = pb.GetVisitRequest(visit=visit.visit, known_at_time=end_of(date(2024, 7, day)))
        return await stub.GetVisit(request)

    async def provider_known(day: int) -> Any:
        moment = end_of(date(2024, 7, day))
        return await stub.GetProvider(
            pb.GetProviderRequest(provider=plan.provider, known_at_time=moment)
        )

    assert [await visit_known(2), await visit_known(3)] == [visit, visit]
    assert (await refused(visit_known(1))).code == "NOT_FOUND"
    assert (await refused(visit_known(9))).reason == "TIME_IN_FUTURE"
    assert suspended.suspended_from_date == "2024-07-01"
    assert (await provider_known(2)).suspended_from_date == ""
    assert await provider_known(3) == suspended
    assert (await refused(provider_known(9))).reason == "TIME_IN_FUTURE"


async def test_the_persons_story_has_plan_and_visits(
    provider: Running, stub: Any, plan: pb.Plan
) -> None:
    await stub.SubmitVisit(upload())
    await provider.caught_up()
    feed: Any = feed_pb2_grpc.EventFeedServiceStub(provider.channel)

    told = await feed.ListCaseEvents(feed_pb2.ListCaseEventsRequest(person=plan.person))

    assert [e.category for e in told.events] == ["plan", "visit", "visit", "visit", "visit"]
