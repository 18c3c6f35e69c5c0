"""The rules of designation: from the application to the end of an agreement, one test a rule."""

from dataclasses import replace
from datetime import date

import pytest

from kernel.ids import derive
from kernel.rules.ruling import Ruling
from services.provider.domain import agreement as a
from services.provider.domain import designation as d
from services.provider.domain import provider as p
from services.provider.domain import standing as s
from services.provider.domain.admission import review_of, rule_designation
from services.provider.domain.verdict import Basis
from tests.provider import designated as t
from tests.provider.care import ADMITTED, CHANGZHOU, POOL, PROVIDER, as_facts
from tests.support.spec import Decider

designation = Decider(d.decide, d.evolve, d.Designation())
provider = Decider(a.decide, p.evolve, p.Provider())

APPLY = d.ApplyForDesignation(**vars(t.APPLIED))
GOOD = t.ruled(t.REVIEW, t.APPLIED)
REVIEWED = d.DesignationReviewed(
    application=t.APPLICATION,
    provider=PROVIDER,
    pool=POOL,
    review_date=date(2024, 1, 15),
    accepted=True,
    reasons=(),
    ruling=GOOD.to_bytes(),
)
PUBLISHED = d.DesignationPublished(
    application=t.APPLICATION,
    provider=PROVIDER,
    pool=POOL,
    publicity_start_date=date(2024, 1, 16),
    publicity_end_date=date(2024, 1, 23),
)
READY = d.Designation(applied=t.APPLIED, reviewed=REVIEWED, published=PUBLISHED)
SIGN = a.SignAgreement(
    **{k: v for k, v in vars(t.SIGNED).items() if k not in {"provider", "pool"}},
    designation=READY,
    months_min=12,
    months_max=24,
)
FIRST = replace(
    ADMITTED, agreement_start_date=t.SIGNED.start_date, agreement_end_date=t.SIGNED.end_date
)
DAYS = {"agreement": t.AGREEMENT, "provider": PROVIDER}
LEAVES = s.ExitRequested(
    provider=PROVIDER,
    pool=POOL,
    request_date=date(2024, 5, 6),
    exit_date=date(2024, 8, 6),
    cause="停业",
)


def test_an_application_goes_its_way_once() -> None:
    review = d.ReviewDesignation(
        application=t.APPLICATION, review_date=date(2024, 1, 15), ruling=GOOD
    )
    publish = d.PublishDesignation(
        application=t.APPLICATION,
        publicity_start_date=date(2024, 1, 16),
        publicity=t.FIVE_WORKING_DAYS,
    )
    designation.given().when(APPLY).then(t.APPLIED)
    designation.given(t.APPLIED).when(APPLY).then()
    designation.given(t.APPLIED).when(review).then(REVIEWED)
    designation.given(t.APPLIED, REVIEWED).when(review).then()
    designation.given(t.APPLIED, REVIEWED).when(publish).then(PUBLISHED)
    designation.given(t.APPLIED, REVIEWED, PUBLISHED).when(publish).then()
    later = replace(publish, publicity_start_date=date(2024, 1, 17))
    designation.given(t.APPLIED, REVIEWED, PUBLISHED).when(later).then_refused(
        "PUBLISHED_ALREADY", publicity_end_date="2024-01-23"
    )
    again = replace(review, review_date=date(2024, 1, 16))
    designation.given(t.APPLIED, REVIEWED).when(again).then_refused(
        "REVIEWED_ALREADY", review_date="2024-01-15"
    )


def test_only_who_was_accepted_is_published() -> None:
    publish = d.PublishDesignation(
        application=t.APPLICATION,
        publicity_start_date=date(2024, 1, 16),
        publicity=t.FIVE_WORKING_DAYS,
    )
    refused = replace(REVIEWED, accepted=False, reasons=("SYSTEMS_MISSING",))
    designation.given(t.APPLIED, refused).when(publish).then_refused(
        "NOT_ACCEPTED", state="refused"
    )


@pytest.mark.parametrize(
    ("reason", "findings", "applied"),
    [
        ("KIND_NOT_ADMITTED", {}, {"body_kind": "bank"}),
        ("NOT_REGISTERED", {"registered": False}, {}),
        ("RUNNING_TOO_SHORT", {}, {"operating_since_date": date(2023, 10, 9)}),
        ("STAFF_NOT_QUALIFIED", {"staff_qualified": False}, {}),
        ("PREMISES_MISSING", {"premises": False}, {}),
        ("SYSTEMS_MISSING", {"systems": False}, {}),
        ("CANNOT_CONNECT", {"can_connect": False}, {}),
        ("RECENT_VIOLATION", {"no_recent_violation": False}, {}),
    ],
)
def test_one_condition_not_met_refuses_the_body(
    reason: str, findings: dict[str, bool], applied: dict[str, object]
) -> None:
    review = replace(t.REVIEW, findings=replace(t.ALL_WELL, **findings))
    ruling = t.ruled(review, replace(t.APPLIED, **applied))  # type: ignore[arg-type]

    assert ("refused", (reason,)) == (ruling.outcome, ruling.reasons)


def test_three_months_to_the_day_are_enough() -> None:
    assert (
        t.ruled(t.REVIEW, replace(t.APPLIED, operating_since_date=date(2023, 10, 8))).reasons == ()
    )


def test_nobody_barred_answers_for_a_body() -> None:
    ruling = t.ruled(t.REVIEW, t.APPLIED, t.HEAD_BARRED)

    assert ruling.reasons == ("MANAGER_BARRED",)
    assert len(ruling.facts) == 2
    assert t.ruled(t.REVIEW, replace(t.APPLIED, head=t.BOSS), t.HEAD_BARRED).reasons == ()


def test_a_review_can_be_made_again_from_what_its_ruling_names() -> None:
    facts = as_facts(t.HEAD_BARRED, t.APPLIED)
    basis = Basis(facts=facts, pack=CHANGZHOU, code_version="test")
    ruling = rule_designation(t.REVIEW, basis)

    told = review_of(Ruling.parse(ruling.to_bytes()))

    assert ruling.to_bytes() == rule_designation(told, basis).to_bytes()


def test_the_first_agreement_admits_the_provider() -> None:
    provider.given().when(SIGN).then(FIRST, t.SIGNED)
    provider.given(FIRST, t.SIGNED).when(SIGN).then()


@pytest.mark.parametrize(
    ("changes", "reason", "facts"),
    [
        (
            {"designation": replace(READY, published=None)},
            "NOT_PUBLISHED",
            {"application": str(t.APPLICATION)},
        ),
        (
            {"signed_date": date(2024, 1, 23)},
            "PUBLICITY_RUNNING",
            {"publicity_end_date": "2024-01-23"},
        ),
        ({"lines": (s.ServiceLine.HOSPITAL,)}, "LINE_NOT_APPLIED", {"line": "hospital"}),
        (
            {"end_date": date(2025, 1, 30)},
            "TERM_OUTSIDE_RANGE",
            {"earliest": "2025-01-31", "latest": "2026-01-31"},
        ),
        (
            {"end_date": date(2026, 2, 1)},
            "TERM_OUTSIDE_RANGE",
            {"earliest": "2025-01-31", "latest": "2026-01-31"},
        ),
    ],
)
def test_an_agreement_that_may_not_be_signed_is_refused(
    changes: dict[str, object], reason: str, facts: dict[str, str]
) -> None:
    provider.given().when(replace(SIGN, **changes)).then_refused(reason, **facts)  # type: ignore[arg-type]


def test_agreements_of_a_provider_follow_each_other() -> None:
    again = replace(
        SIGN,
        application=derive("again"),
        agreement=derive("second"),
        start_date=date(2025, 2, 1),
        end_date=date(2027, 1, 31),
    )
    early = replace(again, start_date=date(2025, 1, 31), end_date=date(2026, 1, 30))

    provider.given(FIRST, t.SIGNED).when(early).then_refused(
        "AGREEMENT_OVERLAPS", end_date="2025-01-31"
    )
    [signed] = a.decide(again, provider.given(FIRST, t.SIGNED).state)
    state = provider.given(FIRST, t.SIGNED, signed).state
    assert [state.serves_on(day) for day in (date(2025, 1, 31), date(2025, 2, 1))] == [True, True]
    assert state.problem_on(date(2027, 2, 1)) == "AGREEMENT_NOT_IN_FORCE"


def test_one_application_gives_one_agreement() -> None:
    second = replace(SIGN, agreement=derive("second"))
    provider.given(FIRST, t.SIGNED).when(second).then_refused(
        "SIGNED_ALREADY", application=str(t.APPLICATION)
    )


def test_a_suspension_closes_its_days_and_no_others() -> None:
    state = provider.given(FIRST, t.SIGNED, t.SUSPENDED_A_WEEK).state

    days = [date(2024, 2, day) for day in (9, 10, 16, 17)]
    assert [state.problem_on(day) for day in days] == [
        "",
        "AGREEMENT_SUSPENDED",
        "AGREEMENT_SUSPENDED",
        "",
    ]


def test_a_suspension_is_lifted_from_a_day_on() -> None:
    lift = a.LiftSanction(
        sanction=t.SANCTION, provider=PROVIDER, lifted_date=date(2024, 4, 1), cause="已整改"
    )
    lifted = s.SanctionLifted(pool=POOL, **vars(lift))
    given = (FIRST, t.SIGNED, t.SUSPENDED)
    provider.given(*given).when(lift).then(lifted)
    provider.given(*given, lifted).when(lift).then()
    provider.given(*given).when(replace(lift, lifted_date=date(2024, 2, 29))).then_refused(
        "LIFTED_BEFORE_START", start_date="2024-03-01"
    )
    state = provider.given(*given, lifted).state
    assert [state.serves_on(date(2024, 3, 31)), state.serves_on(date(2024, 4, 1))] == [False, True]


def test_a_termination_is_final_and_a_new_agreement_is_not_touched_by_it() -> None:
    given = (FIRST, t.SIGNED, t.TERMINATED)
    lift = a.LiftSanction(
        sanction=t.TERMINATED.sanction, provider=PROVIDER, lifted_date=date(2024, 4, 1), cause="x"
    )
    provider.given(*given).when(lift).then_refused(
        "SANCTION_FINAL", sanction=str(t.TERMINATED.sanction)
    )
    anew = replace(
        t.SIGNED,
        agreement=derive("anew"),
        start_date=date(2024, 6, 1),
        end_date=date(2025, 5, 31),
    )
    state = provider.given(*given, anew).state
    assert [state.problem_on(date(2024, m, 4)) for m in (2, 3, 6)] == ["", "AGREEMENT_ENDED", ""]


def test_milder_steps_of_the_ladder_leave_the_service_open() -> None:
    for measure in tuple(s.SanctionMeasure)[:5]:
        step = replace(t.SUSPENDED, measure=measure)
        assert provider.given(FIRST, t.SIGNED, step).state.serves_on(date(2024, 3, 4))


def test_who_leaves_says_so_three_months_ahead() -> None:
    leave = a.RequestExit(**{k: v for k, v in vars(LEAVES).items() if k != "pool"}, notice_months=3)
    provider.given(FIRST, t.SIGNED).when(leave).then(LEAVES)
    provider.given(FIRST, t.SIGNED, LEAVES).when(leave).then()
    provider.given(FIRST, t.SIGNED).when(replace(leave, exit_date=date(2024, 8, 5))).then_refused(
        "NOTICE_TOO_SHORT", earliest="2024-08-06"
    )
    provider.given(FIRST, t.SIGNED, t.TERMINATED).when(leave).then_refused(
        "NOT_IN_FORCE", on="2024-05-06"
    )
    state = provider.given(FIRST, t.SIGNED, LEAVES).state
    assert [state.problem_on(date(2024, 8, day)) for day in (5, 6)] == ["", "AGREEMENT_ENDED"]


def test_the_end_of_an_agreement_is_recorded_once_its_last_day_is_over() -> None:
    end = a.EndAgreement(**DAYS, today=date(2025, 2, 1))
    over = s.AgreementEnded(**DAYS, pool=POOL, end_date=date(2025, 1, 31), cause="TERM_OVER")
    provider.given(FIRST, t.SIGNED).when(end).then(over)
    provider.given(FIRST, t.SIGNED, over).when(end).then()
    provider.given(FIRST, t.SIGNED).when(replace(end, today=date(2025, 1, 31))).then_refused(
        "STILL_IN_FORCE", end_date="2025-01-31"
    )
    left = replace(over, end_date=date(2024, 8, 5), cause="VOLUNTARY_EXIT")
    provider.given(FIRST, t.SIGNED, LEAVES).when(replace(end, today=date(2024, 8, 6))).then(left)


def test_each_year_of_an_agreement_has_one_appraisal() -> None:
    order = a.OrderAppraisal(**DAYS, agreement_year=1, today=date(2025, 2, 1))
    ordered = s.AppraisalOrdered(**DAYS, pool=POOL, agreement_year=1, due_date=date(2025, 1, 31))
    provider.given(FIRST, t.SIGNED).when(order).then(ordered)
    provider.given(FIRST, t.SIGNED, ordered).when(order).then()
    provider.given(FIRST, t.SIGNED).when(replace(order, today=date(2025, 1, 31))).then_refused(
        "NOT_DUE", due_date="2025-01-31"
    )
    provider.given(FIRST, t.SIGNED).when(
        replace(order, agreement_year=2, today=date(2026, 6, 1))
    ).then_refused("NOT_DUE", due_date="2026-01-31")
    record = a.RecordAppraisal(
        **DAYS, agreement_year=1, appraised_date=date(2025, 3, 3), points=88, passed=True
    )
    recorded = s.AppraisalRecorded(pool=POOL, **vars(record))
    provider.given(FIRST, t.SIGNED, ordered).when(record).then(recorded)
    provider.given(FIRST, t.SIGNED, ordered, recorded).when(record).then()
    provider.given(FIRST, t.SIGNED, recorded).when(replace(record, points=50)).then_refused(
        "APPRAISED_ALREADY", appraised_date="2025-03-03"
    )
