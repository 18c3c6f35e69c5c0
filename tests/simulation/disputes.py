"""What may follow a conclusion: objection, review, reassessment and appeal (异议、复评、申诉)."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from ltci.assessment.v1 import appeal_service_pb2 as appeal_pb
from ltci.assessment.v1 import appeal_service_pb2_grpc as appeal_rpc
from ltci.assessment.v1 import assessment_types_pb2 as types
from ltci.assessment.v1 import clock_service_pb2 as clock_pb
from ltci.assessment.v1 import clock_service_pb2_grpc as clock_rpc
from ltci.assessment.v1 import dispute_types_pb2 as dispute_types
from ltci.assessment.v1 import objection_service_pb2 as objection_pb
from ltci.assessment.v1 import objection_service_pb2_grpc as objection_rpc
from ltci.assessment.v1 import reassessment_service_pb2 as reassessment_pb
from ltci.assessment.v1 import reassessment_service_pb2_grpc as reassessment_rpc
from ltci.assessment.v1 import review_service_pb2 as review_pb
from ltci.assessment.v1 import review_service_pb2_grpc as review_rpc

from tests.simulation.people import Person, form
from tests.simulation.stories import (
    EARLY,
    End,
    Life,
    Story,
    delivered,
    entitled,
    graded,
    insured,
    soon,
    story,
    until,
)
from tests.support.packs import CHANGZHOU

OTHERS = ("assessor-5", "expert-5")  # of the second round
JUDGES = ("officer-1", "officer-2")


def _stub(person: Person, rpc: Any, name: str) -> Any:
    return getattr(rpc, f"{name}Stub")(person.region.connection.channel("assessment"))


async def _today(person: Person) -> str:
    return str(await person.region.today())


async def object_to(person: Person) -> str:
    """A neighbour objects, in real name."""
    told = await _stub(person, objection_rpc, "ObjectionService").FileObjection(
        objection_pb.FileObjectionRequest(
            application=person.application,
            objector_name="王试七",
            objector_contact="13900000000",
            statement="walks to the market",
            attacked_items=["adl_walking"],
            filed_date=await _today(person),
            request_id=person.once("objection", person.application),
        )
    )
    return str(told.objection)


async def decide_objection(person: Person, objection: str, outcome: str) -> None:
    await _stub(person, objection_rpc, "ObjectionService").DecideObjection(
        objection_pb.DecideObjectionRequest(
            objection=objection,
            outcome=dispute_types.ObjectionOutcome.Value(f"OBJECTION_OUTCOME_{outcome}"),
            reasoning="looked into",
            decided_by=JUDGES[:1],
            decided_date=await _today(person),
            request_id=person.once("decide", objection),
        )
    )


async def ask_review(person: Person) -> None:
    await _stub(person, review_rpc, "ReviewService").RequestReview(
        review_pb.RequestReviewRequest(
            application=person.application,
            requested_date=await _today(person),
            attacked_items=["adl_walking"],
            request_id=person.once("review", person.application),
        )
    )


async def reviewed(person: Person, grade: int, by: Sequence[str] = OTHERS) -> None:
    """The second round's forms, of other people, and two other experts."""
    stub = _stub(person, review_rpc, "ReviewService")
    for assessor in by:
        kind = "EXPERT" if assessor.startswith("expert") else "ASSESSOR"
        await stub.RecordReviewForm(
            review_pb.RecordReviewFormRequest(
                application=person.application,
                assessor=assessor,
                assessor_kind=types.AssessorKind.Value(f"ASSESSOR_KIND_{kind}"),
                assessed_date=await _today(person),
                scores=[
                    types.ItemScore(item=item, score=score) for item, score in form(grade).items()
                ],
                place=dispute_types.ASSESSMENT_PLACE_HOME,
                request_id=person.once("review form", person.application, assessor),
            )
        )
    for expert in ("expert-6", "expert-7"):
        await stub.ConfirmReview(
            review_pb.ConfirmReviewRequest(
                application=person.application,
                expert=expert,
                confirmed_date=await _today(person),
                request_id=person.once("review confirm", person.application, expert),
            )
        )


async def appeal(person: Person, against: str = "CONCLUSION") -> str:
    told = await _stub(person, appeal_rpc, "AppealService").FileAppeal(
        appeal_pb.FileAppealRequest(
            application=person.application,
            against=dispute_types.AppealAgainst.Value(f"APPEAL_AGAINST_{against}"),
            statement="worse than was seen",
            filed_date=await _today(person),
            request_id=person.once("appeal", person.application),
        )
    )
    return str(told.appeal)


async def decide_appeal(
    person: Person, name: str, *, grade: int | None = None, effective: date | None = None
) -> None:
    """Upheld with a grade; without one, dismissed."""
    given: dict[str, Any] = {}
    if grade is not None:
        given = {"grade": grade, "effective_date": str(effective), "preview_digest": "0" * 64}
    outcome = "DISMISSED" if grade is None else "UPHELD"
    await _stub(person, appeal_rpc, "AppealService").DecideAppeal(
        appeal_pb.DecideAppealRequest(
            appeal=name,
            outcome=dispute_types.AppealOutcome.Value(f"APPEAL_OUTCOME_{outcome}"),
            panel=JUDGES,
            decided_date=await _today(person),
            reasoning="heard and seen",
            request_id=person.once("decide", name),
            **given,
        )
    )


# Objection -------------------------------------------------------------------------------------


async def _public(life: Life, begins: date, grade: int) -> Story:
    async for day in insured(life, begins):
        yield day
    async for day in graded(life, grade):
        yield day
    async for day in until(life, "PUBLISHED", 20):
        yield day


@story
async def objection_dismissed(life: Life, begins: date) -> Story:
    async for day in _public(life, begins, 3):
        yield day
    objection = await object_to(life.person)
    yield await soon(life, 2, 8)
    await decide_objection(life.person, objection, "DISMISSED")
    async for day in until(life, "DELIVERED"):
        yield day
    life.end = End(("DELIVERED",), "OPEN", 3)


async def _objection_upheld(life: Life, begins: date, grade: int) -> Story:
    async for day in _public(life, begins, 3):
        yield day
    objection = await object_to(life.person)
    yield await soon(life, 2, 8)
    await decide_objection(life.person, objection, "UPHELD")
    yield await soon(life, 1, 8)
    await reviewed(life.person, grade)
    async for day in until(life, "DELIVERED"):
        yield day


@story
async def objection_upheld_and_grade_falls(life: Life, begins: date) -> Story:
    async for day in _objection_upheld(life, begins, 0):
        yield day
    life.end = End(("DELIVERED",), "NONE")


@story
async def objection_upheld_and_grade_stands(life: Life, begins: date) -> Story:
    async for day in _objection_upheld(life, begins, 3):
        yield day
    life.end = End(("DELIVERED",), "OPEN", 3)


@story
async def clock_stands_while_in_hospital(life: Life, begins: date) -> Story:
    """A lawful pause moves the last day: who comes after the first one is still in time."""
    async for day in insured(life, begins):
        yield day
    yield await soon(life, 2, 6)
    stub = _stub(life.person, clock_rpc, "ClockService")
    about: dict[str, Any] = {"application": life.person.application}
    await stub.PauseClock(
        clock_pb.PauseClockRequest(
            **about,
            reason="IN_HOSPITAL",
            from_date=await _today(life.person),
            request_id=life.person.once("pause"),
        )
    )
    yield await soon(life, 30, 50)
    await stub.ResumeClock(
        clock_pb.ResumeClockRequest(
            **about, resumed_date=await _today(life.person), request_id=life.person.once("resume")
        )
    )
    async for day in delivered(life, 3):
        yield day
    life.end = End(("DELIVERED",), "OPEN", 3)


# Review ----------------------------------------------------------------------------------------


async def _review(life: Life, begins: date, before: int, after: int) -> Story:
    async for day in insured(life, begins):
        yield day
    async for day in delivered(life, before):
        yield day
    await ask_review(life.person)
    yield await soon(life, 1, 9)
    await reviewed(life.person, after)
    yield await soon(life, 20, 30)
    assert (await life.person.state()).grade == after


@story
async def review_up(life: Life, begins: date) -> Story:
    async for day in _review(life, begins, 3, 5):
        yield day
    life.end = End(("DELIVERED",), "OPEN", 5)


@story
async def review_down(life: Life, begins: date) -> Story:
    async for day in _review(life, begins, 4, 3):
        yield day
    life.end = End(("DELIVERED",), "OPEN", 3)


@story
async def review_of_a_grade_without_benefit(life: Life, begins: date) -> Story:
    async for day in _review(life, begins, 0, 2):
        yield day
    life.end = End(("DELIVERED",), "OPEN", 2)


@story
async def review_comes_to_the_same(life: Life, begins: date) -> Story:
    async for day in _review(life, begins, 3, 3):
        yield day
    life.end = End(("DELIVERED",), "OPEN", 3)


@story
async def review_nobody_comes(life: Life, begins: date) -> Story:
    """Its clock runs out and is told; the conclusion stands meanwhile."""
    async for day in insured(life, begins):
        yield day
    async for day in delivered(life, 3):
        yield day
    await ask_review(life.person)
    life.end = End(("DELIVERED",), "OPEN", 3)


# Reassessment ----------------------------------------------------------------------------------


async def _reassessed(life: Life, kind: str, grade: int) -> Story:
    await life.person.apply(kind)
    async for day in delivered(life, grade):
        yield day
    yield await soon(life, 35, 40)


@story
async def periodic_goes_on(life: Life, begins: date) -> Story:
    """Assessed again before the validity ends: the benefit goes on."""
    async for day in insured(life, begins, applies=EARLY):
        yield day
    async for day in delivered(life, 4):
        yield day
    yield await soon(life, 650, 680)
    async for day in _reassessed(life, "PERIODIC", 4):
        yield day
    life.end = End(("DELIVERED", "DELIVERED"), "OPEN", 4)


@story
async def spot_check_finds_recovery(life: Life, begins: date) -> Story:
    async for day in entitled(life, begins, 3):
        yield day
    await _order_spot_check(life)
    yield await soon(life, 3, 10)
    async for day in _reassessed(life, "SPOT_CHECK", 0):
        yield day
    life.end = End(("DELIVERED", "DELIVERED"), "ENDED", cause="RECOVERED")


@story
async def refuses_a_spot_check(life: Life, begins: date) -> Story:
    """Without cause: the benefit stops in the month after the validity ends."""
    async for day in insured(life, begins, applies=EARLY):
        yield day
    async for day in delivered(life, 3):
        yield day
    yield await soon(life, 200, 300)
    await _order_spot_check(life)
    yield await soon(life, 10, 20)
    await _stub(life.person, reassessment_rpc, "ReassessmentService").RefuseReassessment(
        reassessment_pb.RefuseReassessmentRequest(
            application=life.person.application,
            kind=types.APPLICATION_KIND_SPOT_CHECK,
            refused_date=await _today(life.person),
            request_id=life.person.once("refuse"),
        )
    )
    life.end = End(("DELIVERED",), "ENDED", cause="REASSESSMENT_REFUSED")


async def _order_spot_check(life: Life) -> None:
    today = await life.person.region.today()
    await _stub(life.person, reassessment_rpc, "ReassessmentService").OrderSpotCheck(
        reassessment_pb.OrderSpotCheckRequest(
            person=life.person.id,
            pool=CHANGZHOU,
            ordered_date=str(today),
            cause=dispute_types.SPOT_CHECK_CAUSE_COMPLAINT,
            request_id=life.person.once("spot check"),
        )
    )


# Appeal ----------------------------------------------------------------------------------------


@story
async def appeal_won(life: Life, begins: date) -> Story:
    async for day in insured(life, begins):
        yield day
    async for day in delivered(life, 2):
        yield day
    name = await appeal(life.person)
    yield await soon(life, 45, 70)
    today = await life.person.region.today()
    effective = today.replace(day=1)
    await decide_appeal(life.person, name, grade=4, effective=effective)
    life.late = effective, today
    life.end = End(("DELIVERED",), "OPEN", 4)


@story
async def appeal_won_outlives_its_validity(life: Life, begins: date) -> Story:
    """No clock alone ends what a panel established."""
    async for day in insured(life, begins, applies=EARLY):
        yield day
    async for day in delivered(life, 0):
        yield day
    name = await appeal(life.person)
    yield await soon(life, 5, 9)
    await decide_appeal(life.person, name, grade=3, effective=date(2024, 3, 1))
    life.end = End(("DELIVERED",), "OPEN", 3)


@story
async def appeal_lost(life: Life, begins: date) -> Story:
    async for day in insured(life, begins):
        yield day
    async for day in delivered(life, 0):
        yield day
    name = await appeal(life.person)
    yield await soon(life, 10, 40)
    await decide_appeal(life.person, name)
    life.end = End(("DELIVERED",), "NONE")


@story
async def appeal_against_a_refusal_won(life: Life, begins: date) -> Story:
    """The refusal is set aside: the person applies again at once, and is taken."""
    async for day in insured(life, begins, years=0):
        yield day
    async for day in until(life, "REFUSED", 5):
        yield day
    name = await appeal(life.person, "REFUSAL")
    yield await soon(life, 10, 20)
    await _stub(life.person, appeal_rpc, "AppealService").DecideAppeal(
        appeal_pb.DecideAppealRequest(
            appeal=name,
            outcome=dispute_types.APPEAL_OUTCOME_UPHELD,
            panel=JUDGES,
            decided_date=await _today(life.person),
            reasoning="paid, and not booked",
            request_id=life.person.once("decide", name),
        )
    )
    for year in (begins.year, begins.year + 1, begins.year + 2):
        await life.person.contribute(year)
    yield await soon(life, 1, 3)
    await life.person.apply()
    async for day in delivered(life, 3):
        yield day
    life.end = End(("REFUSED", "DELIVERED"), "OPEN", 3)
