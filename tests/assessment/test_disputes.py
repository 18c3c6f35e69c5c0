"""What may follow a grade: objection, review, appeal, reassessment; one test a rule."""

from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from kernel.ids import derive
from kernel.money import yuan
from kernel.refusal import Invalid, NotFound, Refused
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from services.assessment.domain import dispute_events as de
from services.assessment.domain import events as e
from services.assessment.domain import reassessment_outcome, review, submission
from services.assessment.domain.conclusion import PublishConclusion
from services.assessment.domain.dispute_events import AppealAgainst, FeePayer, ItemChange
from services.assessment.domain.dispute_events import AppealOutcome as Appealed
from services.assessment.domain.dispute_events import ObjectionOutcome as Objected
from services.assessment.domain.dispute_events import ReassessmentOutcome as Leads
from services.assessment.domain.grade_change import ChangeGrade
from tests.assessment import desk as office
from tests.assessment.desk import FIRST, SECOND, Desk, reassess, refuse_reassessment
from tests.assessment.forms import bedridden, scores
from tests.support.packs import CHANGZHOU, CHENGDU, changed, pack

WORSE = bedridden(cog_time=0, cog_person=0, cog_space=0, cog_memory=0)  # severe in both: grade 5
HEALTHY = scores()


def refused(desk: Desk, command: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        desk.do(command)
    return caught.value


def test_a_review_compares_with_the_grade_that_an_expert_changed_and_excludes_the_expert() -> None:
    desk = Desk()
    desk.do(office.submit(), office.first_form("assessor-1"), office.first_form("expert-1"))
    change = ChangeGrade(
        application=FIRST,
        grade=4,
        reason="现场录像",
        expert="expert-4",
        changed_date=office.VISITED,
    )
    desk.do(change, office.confirmation("expert-2"), office.confirmation("expert-3"))
    desk.do(PublishConclusion(application=FIRST, today=office.PUBLISHED))
    desk.do(office.delivery(), office.ask_review())
    own = office.second_form("expert-4")
    assert refused(desk, own).reason == "SAME_ASSESSOR"
    graded = desk.do(*office.second_round()[:2])[-1]
    assert (graded.grade_before, graded.grade) == (4, 3)
    assert desk.redone(graded) == graded.ruling


# Objections ------------------------------------------------------------------------------------


def test_an_objection_is_due_ten_working_days_after_the_publicity() -> None:
    [filed] = office.public().do(office.object_to())
    # 31 March is a Sunday; 4 to 6 April are the holiday, 7 April is worked for it.
    assert filed.due_date == date(2024, 4, 15)


@pytest.mark.parametrize(
    ("desk", "day"),
    [
        (office.graded, date(2024, 3, 28)),
        (office.public, date(2024, 3, 25)),
        (office.public, date(2024, 4, 1)),
        (office.delivered, date(2024, 3, 28)),
    ],
    ids=["not public yet", "before", "after", "delivered"],
)
def test_an_objection_is_taken_only_in_publicity(desk: Any, day: date) -> None:
    assert refused(desk(), office.object_to(on=day)).reason == "NOT_IN_PUBLICITY"


def test_an_objection_told_twice_is_one() -> None:
    desk = office.public()
    assert len(desk.do(office.object_to(), office.object_to())) == 1


def test_an_item_that_the_standard_does_not_know_is_bad_input() -> None:
    with pytest.raises(Invalid, match="no item"):
        office.public().do(office.object_to(attacked_items=("adl_flying",)))


def test_an_open_objection_holds_the_delivery() -> None:
    desk = office.public()
    desk.do(office.object_to())
    refusal = refused(desk, office.delivery())
    assert (refusal.reason, refusal.facts) == ("OBJECTION_OPEN", {"due_date": "2024-04-15"})


def test_a_dismissed_objection_lets_the_conclusion_be_delivered() -> None:
    desk = office.public()
    desk.do(office.object_to())
    [decided] = desk.do(office.decide_objection(Objected.DISMISSED))
    assert decided.original_assessors == ("assessor-1", "expert-1")
    assert decided.attacked_items == ("adl_stairs",)
    assert Ruling.parse(decided.ruling).reasons == ("OBJECTION_UNFOUNDED",)
    assert desk.redone(decided) == decided.ruling
    [conclusion] = desk.do(office.delivery(on=date(2024, 4, 9)))
    assert (conclusion.authority, conclusion.round) == (e.Authority.ORDINARY, 1)


def test_an_upheld_objection_orders_a_review_and_the_first_conclusion_waits() -> None:
    desk = office.public()
    desk.do(office.object_to())
    decided, ordered = desk.do(office.decide_objection(Objected.UPHELD))
    assert desk.redone(decided) == decided.ruling
    assert (ordered.objection, ordered.due_date) == (office.OBJECTION, date(2024, 4, 22))
    assert refused(desk, office.delivery()).reason == "REVIEW_RUNNING"
    assert desk.do(office.decide_objection(Objected.UPHELD)) == []


def test_an_objection_is_decided_once_by_others_than_the_first_round() -> None:
    desk = office.public()
    with pytest.raises(NotFound):
        desk.do(office.decide_objection(Objected.UPHELD))
    desk.do(office.object_to())
    by_assessor = office.decide_objection(Objected.DISMISSED, by=("expert-2",))
    assert refused(desk, by_assessor).reason == "SAME_ASSESSOR"
    desk.do(office.decide_objection(Objected.DISMISSED))
    assert refused(desk, office.decide_objection(Objected.UPHELD)).reason == "DECIDED_ALREADY"


def test_a_second_upheld_objection_orders_no_second_review() -> None:
    desk, other = office.public(), derive("test", "other objection")
    desk.do(office.object_to(), office.object_to(objection=other))
    desk.do(office.decide_objection(Objected.UPHELD))
    [decided] = desk.do(office.decide_objection(Objected.UPHELD, objection=other))
    assert isinstance(decided, de.ObjectionDecided)
    assert refused(desk, office.object_to(objection=SECOND)).reason == "REVIEW_RUNNING"


# Reviews ---------------------------------------------------------------------------------------


def test_a_review_is_asked_for_within_five_working_days_after_delivery() -> None:
    [asked] = office.delivered().do(office.ask_review(on=date(2024, 4, 9)))
    assert asked.due_date == date(2024, 4, 23)  # ten working days
    refusal = refused(office.delivered(), office.ask_review(on=date(2024, 4, 10)))
    assert refusal.reason == "REVIEW_TOO_LATE"
    assert refusal.facts == {"request_by_date": "2024-04-09"}


def test_a_review_is_asked_for_after_delivery_and_once() -> None:
    assert refused(office.public(), office.ask_review()).reason == "NOT_DELIVERED"
    desk = office.delivered()
    assert len(desk.do(office.ask_review(), office.ask_review())) == 1
    assert refused(desk, office.ask_review(on=date(2024, 4, 8))).reason == "REVIEW_RUNNING"


def test_a_review_is_by_other_people_with_the_same_items() -> None:
    desk = office.delivered()
    assert refused(desk, office.second_form("assessor-5")).reason == "NO_REVIEW"
    desk.do(office.ask_review())
    for person in ("assessor-1", "expert-1", "expert-2"):
        assert refused(desk, office.second_form(person)).reason == "SAME_ASSESSOR"
    with pytest.raises(Invalid, match="every item"):
        desk.do(office.second_form("assessor-5", {"adl_feeding": 0}))
    desk.do(office.second_form("assessor-5"))
    differs = office.second_form("expert-5", bedridden(adl_bathing=5))
    assert refused(desk, differs).facts == {"items": "adl_bathing"}
    lonely = office.second_form("assessor-6")
    assert refused(desk, lonely).reason == "EXPERT_MISSING"
    assert desk.do(office.second_form("assessor-5")) == []
    desk.do(office.second_form("expert-5"))
    assert refused(desk, office.second_form("expert-9")).reason == "CONCLUDED_ALREADY"


def test_a_review_says_which_items_changed_and_who_assessed_first() -> None:
    desk = office.delivered()
    desk.do(office.ask_review(), office.second_form("assessor-5", WORSE))
    _, graded = desk.do(office.second_form("expert-5", WORSE))
    assert (graded.grade_before, graded.grade) == (3, 5)
    assert [change.item for change in graded.changed_items] == [
        "cog_memory",
        "cog_person",
        "cog_space",
        "cog_time",
    ]
    assert graded.changed_items[0] == ItemChange(item="cog_memory", score_before=4, score=0)
    assert graded.original_assessors == ("assessor-1", "expert-1")
    assert desk.redone(graded) == graded.ruling


def test_a_review_is_confirmed_by_two_experts_of_its_own() -> None:
    desk = office.delivered()
    desk.do(office.ask_review())
    assert refused(desk, office.confirm_review("expert-6")).reason == "NOT_GRADED"
    desk.do(office.second_form("assessor-5"), office.second_form("expert-5"))
    assert refused(desk, office.confirm_review("expert-2")).reason == "SAME_ASSESSOR"
    desk.do(office.confirm_review("expert-6"))
    assert refused(desk, office.confirm_review("expert-6")).reason == "SAME_EXPERT_TWICE"
    deliver = review.DeliverReview(application=FIRST, today=date(2024, 4, 15))
    assert refused(desk, deliver).reason == "NOT_CONFIRMED"
    desk.do(office.confirm_review("expert-7"))
    assert refused(desk, office.confirm_review("expert-8")).reason == "CONCLUDED_ALREADY"


def test_the_applicant_pays_for_the_same_result_and_the_fund_for_another() -> None:
    for told, payer in ((bedridden(), FeePayer.APPLICANT), (WORSE, FeePayer.FUND)):
        desk = office.delivered()
        desk.do(office.ask_review())
        fee = desk.do(*office.second_round(told))[-1]
        assert (fee.payer, fee.fee) == (payer, None)  # no amount is known for Changzhou
        assert desk.redone(fee) == fee.ruling


def test_a_fee_that_is_known_goes_by_the_place() -> None:
    figures = {"review_fee": ({"home": 20000, "institution": 15000}, "2022-01-01")}
    for place, amount in (("home", "200"), ("institution", "150")):
        desk = office.delivered(pack=changed(CHANGZHOU, "assessment", figures))
        desk.do(office.ask_review())
        fee = desk.do(*office.second_round(place=de.AssessmentPlace(place)))[-1]
        assert fee.fee == yuan(amount)
        assert desk.redone(fee) == fee.ruling


def test_a_review_that_an_objection_led_to_costs_nobody_anything() -> None:
    desk = office.public()
    desk.do(office.object_to(), office.decide_objection(Objected.UPHELD))
    events = desk.do(*office.second_round())
    assert not any(isinstance(event, de.ReviewFeeDecided) for event in events)


def test_another_eligible_result_is_made_public_again() -> None:
    desk = office.delivered()
    desk.do(office.ask_review(), *office.second_round(WORSE))
    deliver = review.DeliverReview(application=FIRST, today=date(2024, 4, 15))
    assert refused(desk, deliver).reason == "IN_PUBLICITY"
    publish = review.PublishReview(application=FIRST, today=date(2024, 4, 15))
    [published] = desk.do(publish)
    assert published.publicity_end_date == date(2024, 4, 20)
    assert desk.do(publish) == []
    assert refused(desk, deliver).facts == {"publicity_end_date": "2024-04-20"}
    [conclusion] = desk.do(replace(deliver, today=date(2024, 4, 21)))
    assert (conclusion.grade, conclusion.round, conclusion.replaces_round) == (5, 2, 1)
    assert desk.do(replace(deliver, today=date(2024, 4, 22))) == []


def test_the_same_result_or_one_without_benefit_is_delivered_at_once() -> None:
    for told in (bedridden(), HEALTHY):
        desk = office.delivered()
        desk.do(office.ask_review(), *office.second_round(told))
        publish = review.PublishReview(application=FIRST, today=date(2024, 4, 15))
        assert refused(desk, publish).reason == "NOT_FOR_PUBLICITY"
        [conclusion] = desk.do(review.DeliverReview(application=FIRST, today=date(2024, 4, 15)))
        assert conclusion.authority is e.Authority.REVIEW


@pytest.mark.parametrize(
    ("figure", "effective"),
    [("as_first", date(2024, 4, 1)), ("month_after_conclusion", date(2024, 5, 1))],
)
def test_a_review_has_effect_as_the_pool_says(figure: str, effective: date) -> None:
    pool = changed(CHANGZHOU, "assessment", {"review_effective": (figure, "2022-01-01")})
    desk = office.delivered(pack=pool)
    desk.do(office.ask_review(), *office.second_round())
    [conclusion] = desk.do(review.DeliverReview(application=FIRST, today=date(2024, 4, 15)))
    assert conclusion.effective_date == effective


def test_the_result_of_a_review_is_final() -> None:
    desk = office.delivered()
    desk.do(office.ask_review(), *office.second_round())
    desk.do(review.DeliverReview(application=FIRST, today=date(2024, 4, 15)))
    assert refused(desk, office.ask_review(on=date(2024, 4, 16))).reason == "REVIEW_FINAL"


def test_an_ordered_review_delivers_the_only_conclusion() -> None:
    desk = office.public()
    desk.do(office.object_to(), office.decide_objection(Objected.UPHELD))
    desk.do(*office.second_round(HEALTHY))
    [conclusion] = desk.do(review.DeliverReview(application=FIRST, today=date(2024, 4, 15)))
    assert (conclusion.grade, conclusion.round, conclusion.replaces_round) == (0, 2, 0)
    assert desk.do(office.delivery(on=date(2024, 4, 16))) == []
    assert desk.applicant.applications[FIRST].grade == 0


# Appeals ---------------------------------------------------------------------------------------


def test_an_appeal_is_against_something_that_was_told() -> None:
    for against in AppealAgainst:
        refusal = refused(office.public(), office.appeal_against(against))
        assert refusal.reason == "NOTHING_TO_APPEAL"


def test_an_appeal_is_taken_where_the_time_limit_is_not_known_and_says_so() -> None:
    [filed] = office.delivered().do(
        office.appeal_against(AppealAgainst.CONCLUSION, on=date(2026, 1, 5))
    )
    assert (filed.told_date, filed.file_by_date) == (office.DELIVERED, None)
    assert filed.due_date == date(2026, 3, 6)


def test_an_appeal_that_comes_too_late_is_refused_where_the_limit_is_known() -> None:
    limit = {"appeal_days": ({"days": 30, "kind": "calendar"}, "2022-01-01")}
    desk = office.delivered(pack=changed(CHANGZHOU, "assessment", limit))
    late = office.appeal_against(AppealAgainst.CONCLUSION, on=date(2024, 5, 2))
    assert refused(desk, late).facts == {"file_by_date": "2024-05-01"}
    [filed] = desk.do(replace(late, filed_date=date(2024, 5, 1)))
    decided = desk.do(office.decide_appeal())[0]
    assert filed.file_by_date == date(2024, 5, 1)
    assert desk.redone(decided) == decided.ruling


def test_one_appeal_at_a_time() -> None:
    desk = office.delivered()
    command = office.appeal_against(AppealAgainst.CONCLUSION)
    assert len(desk.do(command, command)) == 1
    assert refused(desk, replace(command, appeal=SECOND)).reason == "APPEAL_RUNNING"


def test_a_panel_is_of_two_people_who_had_no_part_before() -> None:
    desk = office.delivered()
    desk.do(office.ask_review(), *office.second_round())
    desk.do(office.appeal_against(AppealAgainst.CONCLUSION))
    for member in ("assessor-1", "expert-3", "expert-6", "assessor-5"):
        refusal = refused(desk, office.decide_appeal(panel=("member-1", member)))
        assert (refusal.reason, refusal.facts) == ("PANEL_INVOLVED", {"people": member})
    lonely = office.decide_appeal(panel=("member-1", "member-1"))
    assert refused(desk, lonely).reason == "PANEL_TOO_SMALL"
    with pytest.raises(NotFound):
        desk.do(office.decide_appeal(appeal=SECOND))


def test_a_won_appeal_delivers_a_conclusion_with_the_panels_grade_and_day() -> None:
    desk = office.delivered()
    desk.do(office.appeal_against(AppealAgainst.CONCLUSION, attacked_items=("cog_time",)))
    decided, conclusion = desk.do(office.decide_appeal())
    assert (decided.grade_before, decided.grade) == (3, 4)
    assert decided.attacked_items == ("cog_time",)
    assert decided.original_assessors == ("assessor-1", "expert-1", "expert-2", "expert-3")
    assert (conclusion.authority, conclusion.round) == (e.Authority.APPEAL, 2)
    assert (conclusion.grade, conclusion.effective_date) == (4, date(2024, 4, 1))
    assert conclusion.conclusion_date == date(2024, 6, 3)
    assert desk.redone(decided) == decided.ruling
    assert desk.do(office.decide_appeal()) == []
    assert refused(desk, office.decide_appeal(grade=5)).reason == "DECIDED_ALREADY"
    assert refused(desk, office.ask_review(on=date(2024, 6, 4))).reason == "REVIEW_FINAL"


def test_a_dismissed_appeal_changes_nothing() -> None:
    desk = office.delivered()
    desk.do(office.appeal_against(AppealAgainst.CONCLUSION))
    dismissal = office.decide_appeal(
        outcome=Appealed.DISMISSED, grade=None, effective_date=None, preview_digest=""
    )
    [decided] = desk.do(dismissal)
    assert Ruling.parse(decided.ruling).reasons == ("APPEAL_UNFOUNDED",)
    assert desk.redone(decided) == decided.ruling


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"grade": None}, "REQUIRED"),
        ({"effective_date": None}, "REQUIRED"),
        ({"preview_digest": ""}, "PREVIEW_MISSING"),
        ({"effective_date": date(2024, 3, 3)}, "TOO_EARLY"),
        ({"decided_date": date(2024, 5, 5)}, "TOO_EARLY"),
        ({"outcome": Appealed.DISMISSED}, "NOT_WANTED"),
    ],
)
def test_a_panel_decides_on_what_it_saw(changes: dict[str, Any], reason: str) -> None:
    desk = office.delivered()
    desk.do(office.appeal_against(AppealAgainst.CONCLUSION))
    with pytest.raises(Invalid) as caught:
        desk.do(office.decide_appeal(**changes))
    assert caught.value.reason == reason


def test_a_won_appeal_against_a_refusal_establishes_no_grade() -> None:
    desk = Desk()
    desk.do(
        office.submit(),
        submission.RefuseApplication(
            application=FIRST,
            reasons=("NOT_COVERED",),
            eligibility_decision=None,
            today=date(2024, 3, 6),
        ),
        office.appeal_against(AppealAgainst.REFUSAL),
    )
    with pytest.raises(Invalid, match="no grade"):
        desk.do(office.decide_appeal())
    [decided] = desk.do(office.decide_appeal(grade=None, effective_date=None, preview_digest=""))
    assert (decided.grade, decided.grade_before) == (None, None)
    assert desk.redone(decided) == decided.ruling
    assert len(desk.do(office.submit(SECOND, on=date(2024, 6, 4)))) == 2


# Reassessments ---------------------------------------------------------------------------------


PERIODIC, SPOT_CHECK = e.ApplicationKind.PERIODIC, e.ApplicationKind.SPOT_CHECK


@pytest.mark.parametrize("kind", [PERIODIC, SPOT_CHECK, e.ApplicationKind.CHANGE_OF_STATE])
def test_a_reassessment_that_pays_the_same_goes_on(kind: e.ApplicationKind) -> None:
    desk = office.delivered()
    conclusion, concluded = reassess(desk, WORSE, kind)  # 3 and 5 are both severe
    assert (concluded.outcome, concluded.kind) == (Leads.CONTINUE, kind)
    assert (concluded.grade_before, concluded.grade) == (3, 5)
    assert concluded.effective_date == conclusion.effective_date
    assert desk.redone(concluded) == concluded.ruling


def test_another_payment_is_a_new_grade_from_the_next_month() -> None:
    desk = office.delivered(pack=pack(CHENGDU), pool=CHENGDU)
    _, concluded = reassess(desk, WORSE, PERIODIC)
    assert (concluded.outcome, concluded.effective_date) == (Leads.NEW_GRADE, date(2025, 4, 1))
    assert desk.redone(concluded) == concluded.ruling


def test_who_is_no_longer_eligible_is_stopped_from_the_next_month() -> None:
    desk = office.delivered()
    _, concluded = reassess(desk, HEALTHY, PERIODIC)
    assert (concluded.outcome, concluded.effective_date) == (Leads.STOP, date(2025, 4, 1))
    assert desk.redone(concluded) == concluded.ruling


def test_who_refuses_without_cause_is_stopped_from_the_month_after_the_validity() -> None:
    desk = office.delivered()
    [concluded] = desk.do(refuse_reassessment())
    assert (concluded.outcome, concluded.refused) == (Leads.STOP, True)
    assert concluded.effective_date == date(2026, 4, 1)  # valid until 24 March
    assert desk.redone(concluded) == concluded.ruling
    assert desk.do(refuse_reassessment()) == []


def test_only_an_ordered_reassessment_of_the_conclusion_in_force_is_refused() -> None:
    assert refused(office.public(), refuse_reassessment()).reason == "NOT_DELIVERED"
    desk = office.delivered()
    assert refused(desk, refuse_reassessment(ordered=False)).reason == "NOT_ORDERED"
    reassess(desk, WORSE, PERIODIC)
    assert refused(desk, refuse_reassessment()).reason == "REASSESSED_ALREADY"


def test_a_stop_for_refusing_can_be_appealed_against() -> None:
    desk = office.delivered()
    desk.do(refuse_reassessment())
    on = date(2026, 4, 6)
    desk.do(office.appeal_against(AppealAgainst.REASSESSMENT_STOP, on=on))
    decided, conclusion = desk.do(
        office.decide_appeal(decided_date=on, effective_date=date(2026, 4, 1))
    )
    assert desk.redone(decided) == decided.ruling
    assert conclusion.authority is e.Authority.APPEAL


def test_the_agency_waits_no_six_months_for_a_spot_check() -> None:
    desk, on = office.delivered(), date(2024, 5, 6)
    assert len(desk.do(office.submit(SECOND, SPOT_CHECK, on))) == 2
    asked = office.submit(SECOND, e.ApplicationKind.CHANGE_OF_STATE, on)
    assert office.delivered().do(asked)[-1].reasons == ("TOO_SOON_AFTER_LAST",)


def test_grades_are_paid_alike_only_where_every_figure_says_the_same() -> None:
    on = date(2024, 6, 1)
    by_pool: list[tuple[Pack, int, int, bool]] = [
        (pack(CHANGZHOU), 3, 5, True),
        (pack(CHANGZHOU), 2, 3, False),
        (pack(CHENGDU), 3, 4, False),
        (pack(CHENGDU), 4, 4, True),
    ]
    for pool, before, grade, alike in by_pool:
        assert reassessment_outcome.paid_alike(pool, before, grade, on) is alike


# Any order of commands -------------------------------------------------------------------------

COMMANDS: tuple[Any, ...] = (
    office.object_to(),
    office.decide_objection(Objected.DISMISSED),
    office.decide_objection(Objected.UPHELD),
    office.delivery(),
    office.delivery(on=date(2024, 4, 9)),
    office.ask_review(),
    office.ask_review(on=date(2024, 4, 30)),
    *office.second_round(),
    office.second_form("assessor-6", WORSE),
    office.second_form("assessor-1"),
    review.PublishReview(application=FIRST, today=date(2024, 4, 15)),
    review.DeliverReview(application=FIRST, today=date(2024, 4, 15)),
    review.DeliverReview(application=FIRST, today=date(2024, 4, 25)),
    *(office.appeal_against(against) for against in AppealAgainst),
    office.decide_appeal(),
    office.decide_appeal(panel=("member-1", "expert-1")),
    refuse_reassessment(),
)


@settings(deadline=None, max_examples=60)
@for_all(st.lists(st.sampled_from(COMMANDS), max_size=25))
def test_any_order_of_steps_is_obeyed_refused_or_done_before(commands: list[Any]) -> None:
    desk = office.public()
    for command in commands:
        try:
            made = desk.do(command)
        except (Refused, Invalid, NotFound):
            continue
        for event in made:
            if type(event) in office.RULINGS:
                assert desk.redone(event) == event.ruling
        with suppress(Refused, Invalid, NotFound):
            assert desk.do(command) == []
    found = desk.disputed
    rounds = [conclusion.round for conclusion in found.conclusions]
    assert rounds == sorted(set(rounds))
    reviews = [c for c in found.conclusions if c.authority is e.Authority.REVIEW]
    assert len(reviews) <= 1
    if found.open_objections:
        assert all(c.authority is not e.Authority.ORDINARY for c in found.conclusions)
