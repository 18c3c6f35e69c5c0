"""What a panel sees before it decides is what comes of its decision."""

from typing import Any

from ltci.assessment.v1 import dispute_types_pb2 as dispute_types
from ltci.assessment.v1 import events_pb2 as assessment_pb
from ltci.payment.v1 import payment_types_pb2 as types
from ltci.payment.v1 import preview_service_pb2 as pb

from kernel.calendar import Month
from kernel.ids import derive
from kernel.money import ZERO, yuan
from kernel.replay import RawFact
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from services.payment.domain.benefit import DeterminedMonth
from services.payment.domain.facts import Authority, CareForm, Conclusion, PersonFact
from services.payment.domain.preview import Effect, preview
from services.payment.replay import DECISIONS
from tests.payment import cases as c
from tests.payment.test_service import WHO, neighbours, review
from tests.payment.world import World
from tests.support.service import refused

__all__ = ["neighbours"]
FIRST = c.conclusion("02-01", 3)
PLAN = c.plan(CareForm.FAMILY_CARER)
FACTS: list[PersonFact] = [FIRST, PLAN, c.visit("02-05", "80"), c.visit("03-05", "80")]
UPTO = Month(2024, 4)


def shown(thought: Conclusion, *more: PersonFact, done: tuple[DeterminedMonth, ...] = ()) -> Effect:
    return preview(
        c.PERSON,
        c.CHENGDU,
        thought,
        facts=[*FACTS, *more],
        determined=done,
        pack=c.pack(c.CHENGDU),
        upto=UPTO,
    )


def won(grade: int = 5, effective: str = "03-01") -> Conclusion:
    return c.again(FIRST, Authority.APPEAL, effective, grade, decided="05-06")


def test_the_difference_is_the_months_with_it_less_those_without() -> None:
    effect = shown(won())
    told = {
        str(m.month): (m.known_grade, m.would_be_grade, m.difference_fen) for m in effect.months
    }
    # Chengdu pays 1 077.00 for grade 3 and 1 796.00 for grade 5, whatever the visits.
    assert told["2024-02"] == (3, 3, 0)
    assert told["2024-03"] == told["2024-04"] == (3, 5, 71_900)
    assert effect.difference_fen == 2 * 71_900


def test_what_it_takes_away_is_below_zero() -> None:
    worse = won(grade=3)
    higher = c.conclusion("02-01", 5)
    effect = preview(
        c.PERSON,
        c.CHENGDU,
        c.again(higher, Authority.APPEAL, "04-01", 3, decided="05-06"),
        facts=[higher, PLAN],
        determined=(),
        pack=c.pack(c.CHENGDU),
        upto=UPTO,
    )
    assert effect.difference_fen == -71_900
    assert shown(worse).difference_fen == 0


def test_a_determined_month_is_told_apart() -> None:
    done = DeterminedMonth(person=c.PERSON, month=UPTO, settled_month=UPTO, fund_share=yuan("1077"))
    months = {str(m.month): m.determined for m in shown(won(), done=(done,)).months}
    assert months == {"2024-02": None, "2024-03": None, "2024-04": yuan("1077")}


def test_the_digest_names_the_view_and_the_facts() -> None:
    digest = shown(won()).digest
    assert shown(won()).digest == digest
    others = [shown(won(grade=4)), shown(won(effective="04-01")), shown(won(), c.death("06-01"))]
    assert digest not in {other.digest for other in others}


def test_a_month_that_cannot_be_computed_says_why_and_counts_nothing() -> None:
    effect = shown(won(grade=2))  # Chengdu has no amount for it
    assert {month.refused for month in effect.months} == {"", "GRADE_WITHOUT_AMOUNT"}
    assert [month.would_be for month in effect.months if month.refused] == [ZERO, ZERO]


# The service -----------------------------------------------------------------------------------


def thought(grade: int, effective: str, **changes: Any) -> Any:
    told: dict[str, Any] = {
        "person": str(WHO),
        "pool": c.CHENGDU,
        "application": str(derive("application", str(WHO), "2024-04-01")),
        "round": 2,
        "grade": grade,
        "grade_eligible": True,
        "conclusion_date": "2024-07-01",
        "effective_date": effective,
        "valid_until_date": "2026-06-30",
    }
    return pb.PreviewConclusionRequest(**(told | changes))


async def test_what_was_previewed_is_what_comes_and_settled_months_stay(
    neighbours: World,
) -> None:
    first = await neighbours.conclude(WHO, c.CHENGDU, "2024-04-01")
    plan = await neighbours.plan(WHO, c.CHENGDU, "family_carer")
    await neighbours.deliver(WHO, c.CHENGDU, plan, "2024-04-05", 8000)
    await neighbours.caught_up()
    await neighbours.stub.ReviewEntitlement(review({"assessment": first}, pool=c.CHENGDU))
    await neighbours.settle(c.CHENGDU, "2024-04")
    await neighbours.caught_up()
    before, head = await neighbours.benefits(c.CHENGDU), len(await neighbours.events())

    effect = await neighbours.previews.PreviewConclusion(thought(5, "2024-04-01"))

    assert len(await neighbours.events()) == head
    april = effect.months[0]
    assert (april.month, april.settled, april.determined_fen) == (
        "2024-04",
        True,
        before[0].fund_share_fen,
    )
    assert (april.difference_fen, april.would_be_grade) == (71_900, 5)
    assert [turn.grade for turn in effect.as_known[:1]] == [3]
    decided = await delivered_on_appeal(neighbours, 5, "2024-04-01")
    await neighbours.caught_up()
    now = await neighbours.stub.ReviewEntitlement(
        review({"assessment": decided}, "won", pool=c.CHENGDU)
    )
    opened = effect.as_would_be[0]
    assert (now.state, now.grade, now.effective_date) == (
        types.ENTITLEMENT_STATE_OPEN,
        opened.grade,
        opened.effective_date,
    )
    assert await neighbours.benefits(c.CHENGDU) == before
    stop = await refuse_reassessment(neighbours)
    await neighbours.caught_up()
    still = await neighbours.stub.ReviewEntitlement(
        review({"assessment": stop}, "stop", pool=c.CHENGDU)
    )
    assert (still.state, still.grade) == (types.ENTITLEMENT_STATE_OPEN, 5)
    await redone(neighbours)


async def delivered_on_appeal(world: World, grade: int, effective: str) -> int:
    application = str(derive("application", str(WHO), "2024-04-01"))
    event = assessment_pb.ConclusionDelivered(
        application=application,
        person=str(WHO),
        pool=c.CHENGDU,
        grade=grade,
        grade_eligible=True,
        conclusion_date="2024-07-01",
        effective_date=effective,
        valid_until_date="2026-06-30",
        authority=dispute_types.AUTHORITY_APPEAL,
        round=2,
        replaces_round=1,
    )
    return await world.tell("assessment", "application", (application,), c.CHENGDU, event)


async def refuse_reassessment(world: World) -> int:
    application = str(derive("application", str(WHO), "2024-04-01"))
    event = assessment_pb.ReassessmentConcluded(
        reassessment=str(derive("reassessment", application)),
        application=application,
        person=str(WHO),
        pool=c.CHENGDU,
        refused=True,
        grade=5,
        effective_date="2024-06-01",
        concluded_date="2024-05-20",
        ruling=b"{}",
    )
    return await world.tell("assessment", "application", (application,), c.CHENGDU, event)


async def redone(world: World) -> None:
    """Every ruling again to the byte, from the facts as their services recorded them."""
    store = world.service.parts.store
    for recorded in await store.read_all(0):
        redo = DECISIONS.get(recorded.type)
        if redo is None:
            continue
        event = world.service.parts.codec.decode_clear(recorded.type, recorded.payload)
        ruling = Ruling.parse(event.ruling)
        found = await store.get_pack(ruling.pack.partition("@")[2])
        assert found is not None
        facts = []
        for ref in ruling.facts:
            [told] = await world.stores[ref.service].read_positions([ref.position])
            facts.append(
                RawFact(ref.service, ref.position, told.type, told.payload, told.recorded_at)
            )
        assert redo(recorded.payload, facts, Pack.parse(found[1])) == event.ruling


async def test_bad_input_is_told_by_field(neighbours: World) -> None:
    for changes, field in (
        ({"person": "x"}, "person"),
        ({"pool": "999999"}, "pool"),
        ({"grade": 6}, "grade"),
        ({"round": 0}, "round"),
        ({"effective": ""}, "effective_date"),
        ({"valid_until_date": "2024-01-01"}, "valid_until_date"),
        ({"conclusion_date": "2024-02-30"}, "conclusion_date"),
    ):
        told: dict[str, Any] = {"grade": 3, "effective": "2024-04-01", **changes}
        request = thought(**told)
        problem = await refused(neighbours.previews.PreviewConclusion(request))
        assert (problem.code, problem.violations[0].field) == ("INVALID_ARGUMENT", field)
