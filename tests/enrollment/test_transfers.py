"""Insurance that moves between pools: offered signed, checked to the byte, decided anew."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from ltci.assessment.v1 import events_pb2 as assessment_pb
from ltci.enrollment.v1 import enrollment_service_pb2 as pb
from ltci.enrollment.v1 import enrollment_service_pb2_grpc as pb_grpc
from ltci.enrollment.v1 import enrollment_types_pb2 as types
from ltci.enrollment.v1 import transfer_service_pb2 as transfer_pb
from ltci.enrollment.v1 import transfer_service_pb2_grpc as transfer_grpc
from ltci.events.v1 import feed_pb2

from kernel.config import SettingMissing, Settings
from kernel.eventstore.keys import KeyRing, read_master_key
from kernel.ids import derive, new_id
from kernel.refusal import Refused
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from services.enrollment import bundle as bundles
from services.enrollment.__main__ import build
from services.enrollment.codec import enrollment_codec
from services.enrollment.domain import coverage as c
from services.enrollment.domain import transfer as t
from services.enrollment.domain import transferred as td
from services.enrollment.replay import DECISIONS
from tests.enrollment import test_eligibility as cases
from tests.enrollment.test_service import contribution, coverage, life_event, registration
from tests.explain.made import taking_over
from tests.support.packs import CHANGZHOU, CHENGDU
from tests.support.service import Running, refused, running
from tests.support.spec import Decider

SPELL = c.Spell(group=c.InsuredGroup.RESIDENT, first=date(2022, 1, 1), last=date(2024, 5, 31))
OVER = c.Coverage(spells=(SPELL,))
ASKED = t.Question(
    person=cases.PERSON,
    transfer=derive("transfer"),
    from_pool=CHENGDU,
    to_pool=CHANGZHOU,
    on_date=date(2024, 6, 10),
    manifest_hash="0" * 64,
    event_count=4,
)
GRADED = t.Concluded(
    application=derive("application"),
    grade=4,
    conclusion_date=date(2023, 6, 1),
    effective_date=date(2023, 7, 1),
    valid_until_date=date(2025, 5, 31),
)


# -- the rules -----------------------------------------------------------------------------------


def found(brought: t.Brought, *, known: bool | None = None) -> t.Found:
    return t.rule_transfer(ASKED, brought, taking_over(known), "test")


def test_coverage_goes_on_the_day_after_it_ended() -> None:
    assert found(t.Brought(coverage=OVER)).start_date == date(2024, 6, 1)


def test_months_elsewhere_count_only_where_the_new_pool_says_so() -> None:
    brought = t.Brought(coverage=OVER)
    counted = found(brought, known=True)
    assert (counted.insured_since, counted.months_counted) == (date(2022, 1, 1), 29)
    for known in (None, False):
        assert found(brought, known=known).months_counted == 0


def test_a_grade_is_taken_over_only_where_the_new_pool_says_so() -> None:
    brought = t.Brought(coverage=OVER, conclusions=(GRADED,))
    assert found(brought, known=True).grade_decision is td.GradeDecision.GRADE_ACCEPTED
    for known in (None, False):
        assert found(brought, known=known).grade_decision is td.GradeDecision.GRADE_REOPENED
    assert found(t.Brought(coverage=OVER)).grade_decision is td.GradeDecision.NO_GRADE


def test_a_transfer_of_a_transfer_counts_from_the_first_pool() -> None:
    earlier = accepted(start_date=date(2022, 1, 1), insured_since_date=date(2020, 7, 1))
    brought = t.Brought(coverage=OVER, arrived=(earlier,))
    assert found(brought, known=True).insured_since == date(2020, 7, 1)


def test_what_cannot_go_on_is_refused() -> None:
    with pytest.raises(Refused, match="NOT_COVERED"):
        found(t.Brought(coverage=c.Coverage()))
    open_spell = c.Coverage(spells=(c.Spell(group=SPELL.group, first=SPELL.first),))
    with pytest.raises(Refused, match="STILL_COVERED"):
        found(t.Brought(coverage=open_spell))
    with pytest.raises(Refused, match="DEAD"):
        found(t.Brought(coverage=OVER, died=True))


def accepted(**changes: Any) -> td.TransferAccepted:
    told: dict[str, Any] = {
        "transfer": ASKED.transfer,
        "person": cases.PERSON,
        "from_pool": CHENGDU,
        "to_pool": CHANGZHOU,
        "start_date": date(2024, 6, 1),
        "insured_since_date": None,
        "months_counted": 0,
        "grade_decision": td.GradeDecision.NO_GRADE,
        "grade": 0,
        "application": None,
        "valid_until_date": None,
        "bundle": b"",
        "ruling": b"",
    }
    return td.TransferAccepted(**(told | changes))


def test_a_transfer_is_accepted_or_rejected_once() -> None:
    transfers = Decider(td.decide, td.evolve, td.Transfers())
    rejected = td.TransferRejected(
        transfer=ASKED.transfer,
        person=cases.PERSON,
        from_pool=CHENGDU,
        to_pool=CHANGZHOU,
        cause="not ours",
        rejected_date=date(2024, 6, 10),
    )
    transfers.given(accepted()).when(accepted()).then()
    transfers.given(accepted()).when(rejected).then_refused("ACCEPTED_ALREADY")
    transfers.given(rejected).when(rejected).then()
    transfers.given(rejected).when(accepted()).then_refused("REJECTED_ALREADY")


def test_months_that_count_make_the_coverage_long_enough() -> None:
    told = cases.started(date(2024, 2, 1))
    brought = accepted(start_date=date(2024, 2, 1), insured_since_date=date(2020, 1, 1))
    alone, moved = cases.ruled(told, cases.paid()), cases.ruled(told, cases.paid(), brought)
    months = {
        step.inputs["months"]
        for ruling in (alone, moved)
        for step in ruling.steps
        if step.clause == "enrollment.continuous_months"
    }
    assert months == {1, 50}


# -- the service ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Office:
    service: Running
    stub: Any
    desk: Any

    async def ready_to_move(self) -> str:
        """Two years insured in Chengdu, paid up, and over."""
        who = str((await self.stub.RegisterPerson(registration())).person)
        await self.stub.StartCoverage(coverage(who, pool=CHENGDU))
        await self.stub.CollectContribution(contribution(who, pool=CHENGDU))
        end = pb.EndCoverageRequest(
            person=who, pool=CHENGDU, end_date="2024-05-31", cause="moves", request_id=rid("end")
        )
        await self.stub.EndCoverage(end)
        return who

    async def offer(self, who: str, to_pool: str = CHANGZHOU, **more: Any) -> Any:
        asked = transfer_pb.OfferTransferRequest(
            person=who, from_pool=CHENGDU, to_pool=to_pool, request_id=str(new_id()), **more
        )
        return await self.desk.OfferTransfer(asked)

    async def accept(self, bundle: Any) -> Any:
        asked = transfer_pb.AcceptTransferRequest(bundle=bundle, request_id=str(new_id()))
        return await self.desk.AcceptTransfer(asked)


def rid(name: str) -> str:
    return str(derive("test", name))


def conclusion(who: str) -> feed_pb2.RecordedEvent:
    told = assessment_pb.ConclusionDelivered(
        application=rid("application"),
        person=who,
        pool=CHENGDU,
        grade=4,
        grade_eligible=True,
        conclusion_date="2023-06-01",
        effective_date="2023-07-01",
        valid_until_date="2025-05-31",
    )
    return feed_pb2.RecordedEvent(
        position=7,
        stream=rid("stream"),
        version=5,
        category="application",
        pool=CHENGDU,
        type=bundles.CONCLUSION,
        payload=told.SerializeToString(),
        recorded_time=Timestamp(seconds=1_700_000_000),
        hash=b"h",
    )


@pytest.fixture
async def office(database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with running("enrollment", database_url, tmp_path, enrollment_codec, build) as service:
        yield Office(
            service,
            pb_grpc.EnrollmentServiceStub(service.channel),
            transfer_grpc.TransferServiceStub(service.channel),
        )


async def test_a_person_moves_from_pool_to_pool(office: Office) -> None:
    who = await office.ready_to_move()
    bundle = await office.offer(who, conclusions=[conclusion(who)])

    moved = await office.accept(bundle)

    assert (moved.start_date, moved.grade) == ("2024-06-01", 4)
    # Changzhou does not say whether it takes months and grades over.
    assert moved.months_counted == 0
    assert moved.grade_decision == types.GRADE_DECISION_GRADE_REOPENED
    check = pb.CheckEligibilityRequest(person=who, pool=CHANGZHOU, on_date="2024-06-01")
    assert "NOT_COVERED" not in (await office.stub.CheckEligibility(check)).reasons
    head = await office.service.head()
    await office.accept(bundle)
    assert await office.service.head() == head


async def test_an_accepted_transfer_is_decided_again_from_its_bundle(office: Office) -> None:
    who = await office.ready_to_move()
    moved = await office.accept(await office.offer(who, conclusions=[conclusion(who)]))

    store = office.service.service.parts.store
    (event,) = [one for one in await store.read_all(0) if "TransferAccepted" in one.type]
    kept = await store.get_pack(Ruling.parse(moved.ruling).pack.partition("@")[2])
    assert kept is not None
    assert DECISIONS[event.type](event.payload, [], Pack.parse(kept[1])) == moved.ruling


async def test_only_insurance_that_is_over_is_offered(office: Office) -> None:
    who = str((await office.stub.RegisterPerson(registration())).person)
    assert (await refused(office.offer(who))).reason == "NOT_COVERED"
    await office.stub.StartCoverage(coverage(who, pool=CHENGDU))
    assert (await refused(office.offer(who))).reason == "STILL_COVERED"
    assert (await refused(office.offer(who, to_pool=CHENGDU))).reason == "SAME_POOL"
    other = conclusion(rid("nobody"))
    problem = await refused(office.offer(who, conclusions=[other, feed_pb2.RecordedEvent()]))
    assert [one.field for one in problem.violations] == ["conclusions[1]"]


async def test_the_conclusion_of_another_person_is_not_signed(office: Office) -> None:
    who = await office.ready_to_move()
    problem = await refused(office.offer(who, conclusions=[conclusion(rid("another"))]))
    assert (problem.reason, problem.metadata["event"]) == ("CONCLUSION_OF_ANOTHER", "assessment:7")


def drop(bundle: Any) -> str:
    gone = bundle.events.pop(1)
    return f"EVENT_MISSING {gone.service}:{gone.position}"


def alter(bundle: Any) -> str:
    bundle.events[1].payload += b"\x0a\x01x"
    return f"EVENT_ALTERED {bundle.events[1].service}:{bundle.events[1].position}"


def add(bundle: Any) -> str:
    extra = bundle.events.add()
    extra.CopyFrom(bundle.events[0])
    extra.position = 10_000
    return f"EVENT_NOT_LISTED {extra.service}:10000"


def resign(bundle: Any) -> str:
    bundle.signature = bytes(64)
    return "SIGNATURE_WRONG "


def relabel(bundle: Any) -> str:
    manifest = transfer_pb.TransferManifest.FromString(bundle.manifest)
    manifest.offered_date = "2020-01-01"
    bundle.manifest = manifest.SerializeToString(deterministic=True)
    return "SIGNATURE_WRONG "


def stranger(bundle: Any) -> str:
    bundle.public_key = bytes(32)
    return "KEY_NOT_TRUSTED "


async def test_a_bundle_that_is_not_as_signed_is_refused_and_says_what_is_wrong(
    office: Office,
) -> None:
    who = await office.ready_to_move()
    whole = await office.offer(who)
    head = await office.service.head()
    wrongs: tuple[Callable[[Any], str], ...] = (drop, alter, add, resign, relabel, stranger)
    for wrong in wrongs:
        bundle = transfer_pb.TransferBundle.FromString(whole.SerializeToString())
        expected = wrong(bundle)
        problem = await refused(office.accept(bundle))
        assert f"{problem.reason} {problem.metadata.get('event', '')}" == expected
    assert await office.service.head() == head


async def test_a_stream_without_its_beginning_is_refused_though_signed(office: Office) -> None:
    who = await office.ready_to_move()
    whole = await office.offer(who)
    keys = office.service.service.parts.keys
    manifest = transfer_pb.TransferManifest.FromString(whole.manifest)
    del whole.events[0], manifest.events[0]
    whole.manifest = manifest.SerializeToString(deterministic=True)
    whole.signature = keys.sign(whole.manifest)
    assert (await refused(office.accept(whole))).reason == "CHAIN_BROKEN"


async def test_a_bundle_may_be_turned_down_whatever_is_wrong_with_it(office: Office) -> None:
    who = await office.ready_to_move()
    bundle = await office.offer(who)
    asked = transfer_pb.RejectTransferRequest(
        bundle=bundle, cause="not ours", request_id=rid("reject")
    )
    asked.bundle.signature = b""
    assert not (await office.desk.RejectTransfer(asked)).accepted
    assert (await refused(office.accept(bundle))).reason == "REJECTED_ALREADY"
    unreadable = transfer_pb.TransferBundle(manifest=b"\xff")
    problem = await refused(office.accept(unreadable))
    assert problem.reason == "BUNDLE_UNREADABLE"


async def test_the_dead_do_not_move(office: Office) -> None:
    who = await office.ready_to_move()
    await office.stub.ReportLifeEvent(life_event(who, pool=CHENGDU))
    assert (await refused(office.accept(await office.offer(who)))).reason == "DEAD"


async def test_the_key_of_a_deployment_is_its_own_and_stays(office: Office) -> None:
    told = await office.desk.GetTransferKey(transfer_pb.GetTransferKeyRequest())
    master = read_master_key(office.service.folder / "master.key")
    pool: Any = None
    assert KeyRing(pool, master).public_key == told.public_key
    assert KeyRing(pool, bytes(32)).public_key.hex() != told.public_key_hex


def test_trusted_keys_come_from_the_settings() -> None:
    keys = {"LTCI_TRANSFER_KEYS": f"{'0a' * 32}, {'0b' * 32}"}
    assert Settings.from_environment(keys).transfer_keys == {b"\x0a" * 32, b"\x0b" * 32}
    assert Settings.from_environment({}).transfer_keys == frozenset()
    for wrong in ("zz", "0a"):
        with pytest.raises(SettingMissing):
            _ = Settings.from_environment({"LTCI_TRANSFER_KEYS": wrong}).transfer_keys
