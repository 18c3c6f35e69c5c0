"""Inspections drawn by risk: anybody with the seed and the candidates draws the same people."""

import hashlib
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ltci.assessment.v1 import assessment_service_pb2_grpc as first_round
from ltci.assessment.v1 import dispute_types_pb2 as types
from ltci.assessment.v1 import inspection_service_pb2 as pb
from ltci.assessment.v1 import inspection_service_pb2_grpc as pb_grpc

from kernel.calendar import Month
from kernel.draw import commitment
from kernel.ids import derive
from kernel.refusal import Invalid, NotFound
from services.assessment.__main__ import build
from services.assessment.codec import assessment_codec
from services.assessment.domain import inspection as i
from tests.assessment.test_dispute_service import Office
from tests.assessment.test_service import NOBODY, SOMEBODY, deliver, publish, request_id
from tests.support.packs import CHANGZHOU
from tests.support.service import refused, running
from tests.support.spec import Decider

JULY = Month(2024, 7)
SEED = b"a seed of the test"
PEOPLE = {derive("test", f"person {n}"): n % 4 + 1 for n in range(40)}
inspections: Decider[i.Command, i.Inspections, i.Event] = Decider(
    i.decide, i.evolve, i.Inspections()
)
COMMIT = i.CommitDraw(pool=CHANGZHOU, month=JULY, seed=SEED, today=date(2024, 6, 28))


def draw(today: date = date(2024, 7, 1), **changes: Any) -> i.DrawInspections:
    told: dict[str, Any] = {
        "pool": CHANGZHOU,
        "month": JULY,
        "count": 5,
        "seed": SEED,
        "candidates": PEOPLE,
        "told": {},
        "known_position": 7,
        "today": today,
    }
    return i.DrawInspections(**(told | changes))


def record(inspection: Any, **changes: Any) -> i.RecordInspection:
    told: dict[str, Any] = {
        "pool": CHANGZHOU,
        "month": JULY,
        "inspection": inspection,
        "inspectors": ("officer-1",),
        "inspected_date": date(2024, 7, 9),
        "finding": i.InspectionFinding.AS_ASSESSED,
        "evidence_hashes": (),
    }
    return i.RecordInspection(**(told | changes))


def test_a_seed_is_committed_before_the_day_of_the_draw() -> None:
    inspections.when(draw()).then_refused("NOT_COMMITTED", month="2024-07")
    committed = inspections.after(COMMIT)
    committed.when(COMMIT).then()
    committed.when(draw(today=date(2024, 6, 28))).then_refused("COMMITTED_TODAY")
    committed.when(draw(candidates={})).then_refused("NO_CANDIDATES")
    inspections.after(COMMIT, draw()).when(draw()).then_refused("DRAWN_ALREADY")


def test_an_outsider_draws_the_same_people() -> None:
    [drawn] = inspections.after(COMMIT).when(draw()).events()
    assert isinstance(drawn, i.InspectionsDrawn)

    def smallest_ticket(person: Any, weight: int) -> bytes:
        prefix = SEED + f"\0inspections/{CHANGZHOU}/2024-07\0{person}\0".encode()
        return min(hashlib.sha256(prefix + str(n).encode()).digest() for n in range(weight))

    again = sorted(PEOPLE, key=lambda person: smallest_ticket(person, PEOPLE[person]))[:5]
    lines = "\n".join(sorted(f"{person} {weight}" for person, weight in PEOPLE.items()))
    assert [one.person for one in drawn.drawn] == again
    assert drawn.candidates_digest == hashlib.sha256(lines.encode()).hexdigest()
    assert drawn.commitment == hashlib.sha256(SEED).hexdigest()


def test_a_person_of_weight_zero_is_never_drawn() -> None:
    nobody = dict.fromkeys(PEOPLE, 0)
    inspections.after(COMMIT).when(draw(candidates=nobody)).then_refused("NO_CANDIDATES")


def test_each_span_since_the_conclusion_is_a_ticket() -> None:
    on = date(2024, 7, 1)
    days = [date(2024, 1, 2), date(2024, 1, 1), date(2023, 7, 1), date(2022, 7, 1)]
    assert [i.weight_of(day, on, 6) for day in days] == [1, 2, 3, 5]


def test_the_seed_is_told_only_when_the_month_is_over() -> None:
    def reveal(today: date) -> i.RevealSeed:
        return i.RevealSeed(pool=CHANGZHOU, month=JULY, seed=SEED, today=today)

    inspections.after(COMMIT).when(reveal(date(2024, 8, 1))).then_refused("NOT_DRAWN")
    drawn = inspections.after(COMMIT, draw())
    drawn.when(reveal(date(2024, 7, 31))).then_refused("MONTH_NOT_OVER")
    told = i.InspectionSeedRevealed(pool=CHANGZHOU, month=JULY, seed=SEED.hex())
    drawn.when(reveal(date(2024, 8, 1))).then(told)
    inspections.after(COMMIT, draw(), reveal(date(2024, 8, 1))).when(
        reveal(date(2024, 8, 2))
    ).then()


def test_a_finding_is_recorded_once_for_who_was_drawn() -> None:
    inspections.after(COMMIT).when(record(NOBODY)).then_refused("NOT_DRAWN")
    drawn = inspections.after(COMMIT, draw())
    with pytest.raises(NotFound):
        drawn.when(record(derive("test", "other"))).events()
    inspection = derive(
        "inspection", CHANGZHOU, "2024-07", str(i.draw(SEED, CHANGZHOU, JULY, PEOPLE)[0])
    )
    with pytest.raises(Invalid, match="before"):
        drawn.when(record(inspection, inspected_date=date(2024, 6, 30))).events()
    recorded = inspections.after(COMMIT, draw(), record(inspection))
    recorded.when(record(inspection)).then()
    changed = record(inspection, finding=i.InspectionFinding.STATE_CHANGED)
    recorded.when(changed).then_refused("RECORDED_ALREADY")


# The service -----------------------------------------------------------------------------------


@pytest.fixture
async def office(database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with running("assessment", database_url, tmp_path, assessment_codec, build) as service:
        yield Office(service, first_round.AssessmentServiceStub(service.channel))


def asked(kind: Any, month: str = "2024-07", **changes: Any) -> Any:
    named = request_id(f"{kind.__name__} {month}")
    return kind(**({"pool": CHANGZHOU, "month": month, "request_id": named} | changes))


async def test_a_month_of_inspections_can_be_drawn_again_by_anybody(office: Office) -> None:
    application = await office.confirmed()
    await office.stub.PublishConclusion(publish(application))
    stub: Any = pb_grpc.InspectionServiceStub(office.service.channel)
    committed = await stub.CommitInspectionDraw(asked(pb.CommitInspectionDrawRequest))
    early = await refused(stub.DrawInspections(asked(pb.DrawInspectionsRequest, count=3)))
    assert early.reason == "COMMITTED_TODAY"
    office.service.set_day(date(2024, 7, 8))
    await office.stub.DeliverConclusion(deliver(application))
    await office.service.caught_up()

    drawn = await stub.DrawInspections(asked(pb.DrawInspectionsRequest, count=3))

    assert [one.person for one in drawn.drawn] == [SOMEBODY]
    place = pb.ListInspectionCandidatesRequest(pool=CHANGZHOU, month="2024-07")
    listed = (await stub.ListInspectionCandidates(place)).candidates
    assert [(one.person, one.weight) for one in listed] == [(SOMEBODY, 1)]
    lines = "\n".join(f"{one.person} {one.weight}" for one in listed)
    assert drawn.candidates_digest == hashlib.sha256(lines.encode()).hexdigest()
    finding = asked(
        pb.RecordInspectionRequest,
        inspection=drawn.drawn[0].inspection,
        inspectors=["officer-1"],
        inspected_date="2024-07-08",
        finding=types.INSPECTION_FINDING_STATE_CHANGED,
    )
    found = await stub.RecordInspection(finding)
    assert list(found.recorded) == [drawn.drawn[0].inspection]
    ordered = [e for e in await office.service.events_after(0) if "SpotCheckOrdered" in e.type]
    told = assessment_codec(None).decode_clear(ordered[0].type, ordered[0].payload)
    assert (str(told.person), told.cause, str(told.inspection)) == (
        SOMEBODY,
        "inspection",
        drawn.drawn[0].inspection,
    )
    office.service.set_day(date(2024, 8, 1))
    revealed = await stub.RevealInspectionSeed(asked(pb.RevealInspectionSeedRequest))
    assert commitment(bytes.fromhex(revealed.seed)) == committed.commitment
    month = pb.GetInspectionMonthRequest(pool=CHANGZHOU, month="2024-07")
    assert await stub.GetInspectionMonth(month) == revealed


async def test_bad_input_is_told_by_field(office: Office) -> None:
    stub: Any = pb_grpc.InspectionServiceStub(office.service.channel)
    for method, request, field in (
        ("CommitInspectionDraw", asked(pb.CommitInspectionDrawRequest, "2024-13"), "month"),
        ("CommitInspectionDraw", asked(pb.CommitInspectionDrawRequest, pool="9"), "pool"),
        ("DrawInspections", asked(pb.DrawInspectionsRequest), "count"),
        (
            "DrawInspections",
            asked(
                pb.DrawInspectionsRequest,
                count=1,
                told_weights=[pb.CandidateWeight(person=SOMEBODY, weight=2000)],
            ),
            "told_weights[0].weight",
        ),
        ("RecordInspection", asked(pb.RecordInspectionRequest), "inspected_date"),
        ("GetInspectionMonth", pb.GetInspectionMonthRequest(pool=CHANGZHOU), "month"),
    ):
        problem = await refused(getattr(stub, method)(request))
        assert problem.code == "INVALID_ARGUMENT", method
        assert field in [violation.field for violation in problem.violations], method
    place = pb.GetInspectionMonthRequest(pool=CHANGZHOU, month="2024-07")
    assert (await refused(stub.GetInspectionMonth(place))).code == "NOT_FOUND"
