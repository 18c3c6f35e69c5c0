"""Evidence of visits over real gRPC and PostgreSQL: taken in, sealed, judged by, forgotten."""

import hashlib
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from ltci.provider.v1 import device_service_pb2 as devices
from ltci.provider.v1 import (
    device_service_pb2_grpc,
    events_pb2,
    evidence_service_pb2_grpc,
)
from ltci.provider.v1 import evidence_service_pb2 as ev
from ltci.provider.v1 import provider_service_pb2 as pb
from ltci.provider.v1 import provider_types_pb2 as types

from kernel.eventstore.envelope import Append, Meta, StreamAppend
from kernel.ids import derive, stream_id
from kernel.rules.ruling import Ruling
from services.provider.domain.risk import RiskCleared, RiskFlagged
from tests.provider.evident import BEACON, CODE, TAG, evidence, shown, signals, signed
from tests.provider.test_service import (
    CARED_FOR,
    CHANGZHOU,
    FAR_AWAY,
    NEXT_DOOR,
    plan,
    provider,
    registration,
    request_id,
    stub,
    upload,
)
from tests.support.service import Running, end_of, refused, rows, stream_of

__all__ = ["plan", "provider", "stub"]
MATCHED, NOT_MATCHED, UNKNOWN = (
    types.SIGNAL_RESULT_MATCHED,
    types.SIGNAL_RESULT_NOT_MATCHED,
    types.SIGNAL_RESULT_UNKNOWN,
)
KEY = Ed25519PrivateKey.from_private_bytes(b"d" * 32)


@pytest.fixture
def devices_stub(provider: Running) -> Any:
    return device_service_pb2_grpc.DeviceServiceStub(provider.channel)


@pytest.fixture
def evidence_stub(provider: Running) -> Any:
    return evidence_service_pb2_grpc.EvidenceServiceStub(provider.channel)


def short(event: Any) -> str:
    name: str = event.type.rpartition(".")[2].partition("/")[0]
    return name


async def part_of(evidence_stub: Any, visit: str, *, content: bool = False) -> ev.EvidencePart:
    """The one evidence of a visit."""
    asked = ev.GetEvidenceRequest(visit=visit, with_content=content)
    found: ev.VisitEvidence = await evidence_stub.GetEvidence(asked)
    [part] = found.parts
    return part


def markers(name: str = "markers", **changes: Any) -> devices.SetPlaceMarkersRequest:
    told: dict[str, Any] = {
        "identity_number": CARED_FOR.identity_number,
        "pool": CHANGZHOU,
        "beacons": [BEACON],
        "tags": [TAG],
        "family_codes": [CODE],
        "start_date": "2024-02-01",
        "request_id": request_id(name),
    }
    return devices.SetPlaceMarkersRequest(**(told | changes))


async def registered(devices_stub: Any, provider_id: str, **changes: Any) -> devices.Device:
    told: dict[str, Any] = {
        "provider": provider_id,
        "public_key": KEY.public_key().public_bytes_raw(),
        "registered_date": "2024-02-01",
        "request_id": request_id("device"),
    }
    asked = devices.RegisterDeviceRequest(**(told | changes))
    found: devices.Device = await devices_stub.RegisterDevice(asked)
    return found


# -- taken in ---------------------------------------------------------------------------------


async def test_evidence_is_kept_with_the_visit_under_a_key_of_its_own(
    provider: Running, stub: Any, evidence_stub: Any, plan: pb.Plan
) -> None:
    before = await provider.head()
    visit = await stub.SubmitVisit(shown())

    assert visit.state == types.VISIT_STATE_DELIVERED
    events = await provider.events_after(before)
    assert [short(event) for event in events] == [
        "VisitStarted",
        "EvidenceKept",
        "VisitEnded",
        "VisitConfirmed",
        "ServiceDelivered",
    ]
    assert len({event.meta.request_id for event in events}) == 1
    started, kept = events[:2]
    assert started.sealed is None  # the place is in the evidence alone
    assert kept.sealed is not None
    keys = provider.service.parts.keys
    assert kept.key_id == await keys.key_id(UUID(visit.visit))
    for event in events:
        for told in (BEACON, TAG, CODE):
            assert told.encode() not in event.payload

    part = await part_of(evidence_stub, visit.visit, content=True)
    assert (part.phase, part.readable) == (types.VISIT_PHASE_WHOLE, True)
    assert part.digest == hashlib.sha256(part.salt + part.content).digest()
    assert BEACON.encode() in part.content
    assert (part.findings.start_distance_m, part.findings.end_distance_m) == (111, -1)
    assert list(part.findings.photos) == list(signals().photos)
    ruling = Ruling.parse((await evidence_stub.GetEvidence(asked(visit.visit))).ruling)
    assert ruling.asked["evidence"] == part.digest.hex()
    assert not (await part_of(evidence_stub, visit.visit)).content


def asked(visit: str) -> ev.GetEvidenceRequest:
    return ev.GetEvidenceRequest(visit=visit)


async def test_a_visit_told_step_by_step_is_judged_by_the_evidence_of_both_ends(
    provider: Running, stub: Any, evidence_stub: Any, plan: pb.Plan
) -> None:
    carer = await stub.RegisterCaregiver(registration())
    begun = await stub.StartVisit(
        pb.StartVisitRequest(
            plan=plan.plan,
            caregiver=carer.caregiver,
            start_time="2024-03-04T09:00:00+08:00",
            place=NEXT_DOOR,
            evidence=evidence(),
            request_id=request_id("start"),
        )
    )
    await stub.EndVisit(
        pb.EndVisitRequest(
            visit=begun.visit,
            end_time="2024-03-04T10:30:00+08:00",
            items=["bath", "hair"],
            evidence=types.Evidence(end=signals(place=FAR_AWAY)),
            request_id=request_id("end"),
        )
    )
    counted = await stub.ConfirmVisit(
        pb.ConfirmVisitRequest(
            visit=begun.visit,
            confirmed_by=types.CONFIRMED_BY_FAMILY,
            request_id=request_id("confirm"),
        )
    )

    assert list(counted.reasons) == ["LEFT_EARLY"]
    provider.set_day(date(2024, 7, 2))
    then = ev.GetEvidenceRequest(visit=begun.visit, known_at_time=end_of(date(2024, 7, 1)))
    assert len((await evidence_stub.GetEvidence(then)).parts) == 2
    then.known_at_time.CopyFrom(end_of(date(2024, 6, 30)))
    assert (await refused(evidence_stub.GetEvidence(then))).reason == "VISIT_UNKNOWN"
    parts = (await evidence_stub.GetEvidence(asked(begun.visit))).parts
    assert [part.phase for part in parts] == [types.VISIT_PHASE_START, types.VISIT_PHASE_END]
    assert len({part.digest for part in parts}) == 2


async def test_a_device_that_got_no_answer_may_send_the_same_capture_again_later(
    provider: Running, stub: Any, plan: pb.Plan
) -> None:
    provider.set_day(date(2024, 7, 1))  # nine in the morning
    first = shown(evidence=evidence(sent_time="2024-07-01T09:05:00+08:00"))
    again = shown(evidence=evidence(sent_time="2024-07-01T09:20:00+08:00"))
    visit = await stub.SubmitVisit(first)
    head = await provider.head()

    assert visit == await stub.SubmitVisit(again)
    assert head == await provider.head()
    assert visit.start_time == "2024-03-04T08:55:00+08:00"  # the clock was five minutes ahead
    other = shown(evidence=evidence(start=signals(beacon="other")))
    assert (await refused(stub.SubmitVisit(other))).reason == "REQUEST_ID_REUSED"


Refusal = tuple[dict[str, Any], str, str]
BAD: list[Refusal] = [
    ({"sent_time": "2024-03-04 09:00"}, "NOT_AN_INSTANT", "evidence.sent_time"),
    ({"device": "no spaces please"}, "WRONG_FORM", "evidence.device"),
    ({"signature": b"short"}, "WRONG_LENGTH", "evidence.signature"),
    ({"signature": b"s" * 64, "device": ""}, "REQUIRED", "evidence.device"),
    ({"start": signals(place=FAR_AWAY)}, "PLACE_DIFFERS", "evidence.start.place"),
    ({"start": types.Signals()}, "REQUIRED", "evidence.start.place"),
    ({"end": types.Signals()}, "REQUIRED", "evidence.end.place"),
    ({"start": signals(accuracy_m=-1)}, "OUT_OF_RANGE", "evidence.start.accuracy_m"),
    ({"start": signals(device_time="nine")}, "NOT_AN_INSTANT", "evidence.start.device_time"),
    ({"start": signals(beacon="b" * 81)}, "TOO_LONG", "evidence.start.beacon"),
    ({"start": signals(tag="a\x00b")}, "CONTROL_CHARACTER", "evidence.start.tag"),
    ({"start": signals(face=9)}, "UNKNOWN_VALUE", "evidence.start.face"),
    (
        {"start": signals(photos=[types.Photo(sha256=b"x")])},
        "WRONG_LENGTH",
        "evidence.start.photos[0].sha256",
    ),
    ({"start": signals(photos=[types.Photo()])}, "REQUIRED", "evidence.start.photos[0].sha256"),
    (
        {"start": signals(photos=[types.Photo(sha256=b"x" * 32)] * 9)},
        "OUT_OF_RANGE",
        "evidence.start.photos",
    ),
    (
        {"end": signals(place=types.Place(latitude_microdegrees=90_000_001))},
        "OUT_OF_RANGE",
        "evidence.end.place.latitude_microdegrees",
    ),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{bad[1]}-{bad[2]}")
async def test_bad_evidence_is_refused_by_field_and_nothing_is_stored(
    bad: Refusal, provider: Running, stub: Any, plan: pb.Plan
) -> None:
    changes, reason, field = bad
    before = await provider.head()
    request = shown(evidence=evidence(**changes))

    problem = await refused(stub.SubmitVisit(request))
    assert (reason, field) in {(v.reason, v.field) for v in problem.violations}
    assert all(v.message_zh for v in problem.violations)
    [row] = await rows(stub.ImportVisits(stream_of([pb.ImportVisitsRequest(rows=[request])])))
    assert row.status.code
    assert before == await provider.head()


async def test_evidence_of_the_other_end_is_refused(stub: Any, plan: pb.Plan) -> None:
    carer = await stub.RegisterCaregiver(registration())
    start = pb.StartVisitRequest(
        plan=plan.plan,
        caregiver=carer.caregiver,
        start_time="2024-03-04T09:00:00+08:00",
        place=NEXT_DOOR,
        evidence=types.Evidence(end=signals()),
        request_id=request_id("start"),
    )

    problem = await refused(stub.StartVisit(start))
    assert (problem.violations[0].reason, problem.violations[0].field) == (
        "OTHER_END",
        "evidence.end",
    )


# -- devices and markers ------------------------------------------------------------------------


async def test_a_capture_counts_as_the_devices_key_says(
    provider: Running, stub: Any, devices_stub: Any, evidence_stub: Any, plan: pb.Plan
) -> None:
    device = await registered(devices_stub, plan.provider)
    assert device.device == str(derive("device", KEY.public_key().public_bytes_raw().hex()))
    by_device = evidence(device=device.device, end=signals())
    cases = {
        "signed": (signed(shown("signed", evidence=by_device), KEY), MATCHED),
        "changed": (signed(shown("changed", evidence=by_device), KEY), NOT_MATCHED),
        "another key": (
            signed(shown("another key", evidence=by_device), Ed25519PrivateKey.generate()),
            NOT_MATCHED,
        ),
        "not registered": (signed(shown("not registered"), KEY), UNKNOWN),
        "not signed": (shown("not signed", evidence=by_device), 0),
    }
    cases["changed"][0].items.pop()
    for request, result in cases.values():
        visit = await stub.SubmitVisit(request)
        part = await part_of(evidence_stub, visit.visit)
        assert part.findings.signature == result
        assert list(visit.reasons) == (["SIGNATURE_NOT_MATCHED"] if result == NOT_MATCHED else [])

    retired = await devices_stub.RetireDevice(
        devices.RetireDeviceRequest(
            device=device.device,
            retired_date="2024-03-04",
            cause="lost",
            request_id=request_id("retire"),
        )
    )
    assert retired == await devices_stub.GetDevice(devices.GetDeviceRequest(device=device.device))
    late = await stub.SubmitVisit(signed(shown("late", evidence=by_device), KEY))
    assert list(late.reasons) == ["SIGNATURE_NOT_MATCHED"]


async def test_markers_are_compared_as_keyed_hashes_and_never_stored_in_the_clear(
    provider: Running, stub: Any, devices_stub: Any, evidence_stub: Any, plan: pb.Plan
) -> None:
    before = await stub.SubmitVisit(shown("before"))
    found = await devices_stub.SetPlaceMarkers(markers())
    assert (found.person, found.beacon_count, found.family_code_count) == (plan.person, 1, 1)
    right = await stub.SubmitVisit(shown("right"))
    wrong = await stub.SubmitVisit(
        shown("wrong", evidence=evidence(start=signals(beacon="elsewhere", family_code="0")))
    )

    for visit, result in ((before, UNKNOWN), (right, MATCHED)):
        part = await part_of(evidence_stub, visit.visit)
        assert part.findings.beacon == part.findings.tag == part.findings.family_code == result
        assert visit.state == types.VISIT_STATE_DELIVERED
    assert list(wrong.reasons) == ["MARKER_NOT_MATCHED", "FAMILY_CODE_WRONG"]
    for event in await provider.events_after(0):
        assert short(event) != "PlaceMarkersSet" or event.sealed is not None
        for told in (BEACON, TAG, CODE):
            assert told.encode() not in event.payload + (event.sealed or b"")


async def test_a_device_with_a_wrong_key_or_of_nobody_is_refused(
    provider: Running, devices_stub: Any, plan: pb.Plan
) -> None:
    head = await provider.head()

    short_key = await refused(registered(devices_stub, plan.provider, public_key=b"short"))
    nobody = await refused(registered(devices_stub, request_id("nobody")))
    unknown = await refused(
        devices_stub.GetDevice(devices.GetDeviceRequest(device=request_id("no device")))
    )

    assert (short_key.reason, short_key.violations[0].field) == ("WRONG_LENGTH", "public_key")
    assert (nobody.reason, unknown.reason) == ("PROVIDER_UNKNOWN", "DEVICE_UNKNOWN")
    assert head == await provider.head()


# -- forgotten ----------------------------------------------------------------------------------


def forgetting(name: str = "forget", **changes: Any) -> ev.ForgetEvidenceRequest:
    told: dict[str, Any] = {
        "pool": CHANGZHOU,
        "up_to_date": "2024-07-01",
        "request_id": request_id(name),
    }
    return ev.ForgetEvidenceRequest(**(told | changes))


async def flag(service: Running, visit: str, *, cleared: bool = False) -> None:
    """Puts a flag on a visit on record, or takes it off."""
    parts = service.service.parts
    name = derive("flag", "test", "1", visit)
    stream = stream_id("flag", str(name))
    event: Any = RiskCleared(
        flag=name, visit=UUID(visit), pool=CHANGZHOU, decided_date=date(2024, 9, 1), cause="test"
    )
    if not cleared:
        event = RiskFlagged(
            flag=name,
            detector="test",
            detector_version=1,
            visit=UUID(visit),
            pool=CHANGZHOU,
            care_date=date(2024, 3, 4),
            ruling=b"",
        )
    version = int(cleared)
    encoded = await parts.codec.encode(stream, version + 1, event)
    asked_for = derive("test", "flag", visit, str(cleared))
    append = StreamAppend(stream, "flag", CHANGZHOU, version, (encoded,))
    meta = Meta(asked_for, "test", "", "test")
    await parts.store.append(Append(asked_for, b"test", b"", (append,), meta))


async def test_evidence_goes_when_nobody_can_object_and_no_flag_holds_it(
    provider: Running, stub: Any, evidence_stub: Any, plan: pb.Plan
) -> None:
    visits = [await stub.SubmitVisit(shown(f"visit {n}")) for n in range(4)]
    held, *others = [visit.visit for visit in visits]
    await flag(provider, held)
    before = {v: await part_of(evidence_stub, v, content=True) for v in (held, *others)}
    rulings = {v: (await evidence_stub.GetEvidence(asked(v))).ruling for v in (held, *others)}

    early = await refused(evidence_stub.ForgetEvidence(forgetting()))
    assert (early.reason, early.metadata["until"]) == ("OBJECTION_PERIOD_RUNS", "2024-08-30")
    kept = await evidence_stub.GetKeptEvidence(
        ev.GetKeptEvidenceRequest(pool=CHANGZHOU, up_to_date="2024-07-31")
    )
    # Recorded on the first of July: of that day, though the care was in March.
    assert (kept.due_count, kept.waiting_count, kept.due_date) == (0, 4, "2024-08-31")

    provider.set_day(date(2024, 8, 31))
    head = await provider.head()
    first = await evidence_stub.ForgetEvidence(forgetting(visit_count_max=2))
    assert (first.forgotten_count, first.due_count, first.held_count) == (2, 1, 1)
    assert first == await evidence_stub.ForgetEvidence(forgetting(visit_count_max=2))
    second = await evidence_stub.ForgetEvidence(forgetting("again"))
    assert (second.forgotten_count, second.due_count, second.held_count) == (1, 0, 1)
    events = await provider.events_after(head)
    assert [short(event) for event in events] == ["EvidenceForgotten"] * 2
    told = [events_pb2.EvidenceForgotten.FromString(event.payload) for event in events]
    assert sorted(v for one in told for v in one.visits) == sorted(others)
    for one in told:
        digests = b"".join(before[v].digest for v in one.visits)
        assert one.digest == hashlib.sha256(digests).digest()
        assert one.care_date == "2024-07-01"

    for visit in others:
        after = await part_of(evidence_stub, visit, content=True)
        assert (after.readable, after.content, after.salt) == (False, b"", b"")
        assert (after.digest, after.findings) == (before[visit].digest, before[visit].findings)
        exported = before[visit]
        assert after.digest == hashlib.sha256(exported.salt + exported.content).digest()
        assert rulings[visit] == (await evidence_stub.GetEvidence(asked(visit))).ruling
    assert (await part_of(evidence_stub, held)).readable

    await flag(provider, held, cleared=True)
    freed = await evidence_stub.ForgetEvidence(forgetting("freed"))
    assert (freed.forgotten_count, freed.held_count) == (1, 0)
    assert not (await part_of(evidence_stub, held)).readable
    nothing = await evidence_stub.ForgetEvidence(forgetting("nothing"))
    assert nothing.forgotten_count == 0


async def test_forgetting_that_broke_off_after_the_keys_is_put_on_record_by_the_next_call(
    provider: Running, stub: Any, evidence_stub: Any, plan: pb.Plan
) -> None:
    visit = (await stub.SubmitVisit(shown())).visit
    await provider.service.parts.keys.destroy_all([UUID(visit)])
    provider.set_day(date(2024, 8, 31))
    head = await provider.head()

    assert (await evidence_stub.ForgetEvidence(forgetting())).forgotten_count == 1
    assert [short(event) for event in await provider.events_after(head)] == ["EvidenceForgotten"]


async def test_evidence_of_an_unknown_visit_is_not_found_and_one_without_any_has_none(
    stub: Any, evidence_stub: Any, plan: pb.Plan
) -> None:
    visit = await stub.SubmitVisit(upload())

    assert not (await evidence_stub.GetEvidence(asked(visit.visit))).parts
    unknown = await refused(evidence_stub.GetEvidence(asked(request_id("no visit"))))
    assert unknown.reason == "VISIT_UNKNOWN"


async def test_rows_with_evidence_are_taken_in_once_however_often_they_come(
    provider: Running, stub: Any, evidence_stub: Any, plan: pb.Plan
) -> None:
    message = pb.ImportVisitsRequest(rows=[shown(f"row {n}") for n in range(20)])
    first = await rows(stub.ImportVisits(stream_of([message])))
    head = await provider.head()
    again = await rows(stub.ImportVisits(stream_of([message, message])))

    assert {row.status.code for row in [*first, *again]} == {0}
    assert head == await provider.head()
    assert (await part_of(evidence_stub, first[0].name, content=True)).content
