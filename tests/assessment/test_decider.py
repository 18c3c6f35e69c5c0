"""The rules of an application, one test a rule. Changzhou's pack, the year 2024."""

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import pytest

from kernel.ids import derive
from kernel.refusal import Invalid, NotFound
from kernel.rules.ruling import Fact, FactRef, Ruling
from services.assessment.domain import conclusion, on_site, submission, terms
from services.assessment.domain import decider as d
from services.assessment.domain import events as e
from services.assessment.domain import reassessment as r
from services.assessment.domain.applicant import Applicant, Application, Recorded, evolve
from tests.assessment.forms import bedridden, items, scores
from tests.support.packs import CHANGZHOU, pack
from tests.support.spec import Decider

PACK = pack(CHANGZHOU)
PERSON = derive("test", "somebody")
OTHER = derive("test", "another")
LETTER = derive("test", "letter")
FIRST, SECOND = derive("test", "first"), derive("test", "second")
ON = date(2024, 3, 4)  # a Monday

applicant: Decider[d.Command, Applicant, Recorded] = Decider(
    partial(d.decide, pack=PACK), evolve, Applicant()
)


def submit(**changed: Any) -> submission.SubmitApplication:
    told: dict[str, Any] = {
        "application": FIRST,
        "person": PERSON,
        "pool": CHANGZHOU,
        "kind": e.ApplicationKind.FIRST,
        "application_date": ON,
        "disabled_since_date": date(2023, 1, 1),
        "missing_papers": (),
        "agent_name": "",
    }
    return submission.SubmitApplication(told=e.ApplicationSubmitted(**(told | changed)))


def form(assessor: str, told: dict[str, int] | None = None, **changed: Any) -> on_site.RecordOnSite:
    """A form of this assessor; all but those of "a" come after one of "a" with the same scores."""
    fields: dict[str, Any] = {
        "application": FIRST,
        "assessor": assessor,
        "assessor_kind": e.AssessorKind.EXPERT,
        "assessed_date": date(2024, 3, 18),
        "scores": items(told or bedridden()),
        "evidence_hashes": (),
        "code_version": "test",
    }
    if assessor != "a":
        known = {name: fields[name] for name in ("application", "assessed_date", "scores")}
        event = e.OnSiteAssessed(
            **known,
            person=PERSON,
            assessor="a",
            assessor_kind=e.AssessorKind.ASSESSOR,
            evidence_hashes=(),
        )
        known_at = datetime(2024, 3, 18, tzinfo=UTC)
        fields["earlier"] = (Fact(FactRef("assessment", 3, "0" * 32), event, known_at),)
    return on_site.RecordOnSite(**(fields | changed))


def confirm(expert: str, day: date = date(2024, 3, 25)) -> conclusion.ConfirmConclusion:
    return conclusion.ConfirmConclusion(application=FIRST, expert=expert, confirmed_date=day)


def publish(today: date) -> conclusion.PublishConclusion:
    return conclusion.PublishConclusion(application=FIRST, today=today)


def deliver(today: date) -> conclusion.DeliverConclusion:
    return conclusion.DeliverConclusion(application=FIRST, today=today, letter=LETTER)


def withdraw(today: date = ON, *, deemed: bool = False) -> submission.WithdrawApplication:
    return submission.WithdrawApplication(
        application=FIRST, withdrawn_date=today, deemed=deemed, today=today
    )


REFUSE = submission.RefuseApplication(
    application=FIRST, reasons=("NOT_COVERED",), eligibility_decision=None, today=ON
)
SUPPLY = submission.SupplyPapers(application=FIRST, received_date=date(2024, 3, 8))

accepted = applicant.after(submit())
awaited = applicant.after(submit(missing_papers=("medical record",)))
graded = accepted.after(form("a"), form("b"))
confirmed = graded.after(confirm("x"), confirm("y", date(2024, 3, 27)))
published = confirmed.after(publish(date(2024, 4, 1)))
delivered = published.after(deliver(date(2024, 4, 7)))
well = accepted.after(form("a", scores()), form("b", scores()), confirm("x"), confirm("y"))


def state_of(decider: Decider[d.Command, Applicant, Recorded]) -> Application:
    return decider.state.applications[FIRST]


# -- submission -----------------------------------------------------------------------------------


def test_a_complete_application_is_accepted_at_once() -> None:
    submitted, accepted = applicant.given().when(submit()).events()

    assert submitted == submit().told
    assert isinstance(accepted, e.ApplicationAccepted)
    # 30 working days with Qingming and its eve
    assert (accepted.accepted_date, accepted.conclusion_due_date) == (ON, date(2024, 4, 16))
    assert Ruling.parse(accepted.ruling).outcome == "accepted"


def test_missing_papers_are_asked_for_once_and_all() -> None:
    papers = ("medical record", "agent's power")
    events = applicant.given().when(submit(missing_papers=papers)).events()

    assert events[1] == e.SupplementRequested(
        application=FIRST, person=PERSON, missing_papers=papers, due_date=date(2024, 3, 11)
    )


def test_who_is_disabled_for_less_than_six_months_waits() -> None:
    early = submit(disabled_since_date=date(2023, 9, 5))
    submitted, refused = applicant.given().when(early).events()
    assert submitted == early.told
    assert isinstance(refused, e.ApplicationRefused)
    assert (refused.reasons, refused.refused_date) == (("DISABLED_TOO_SHORT",), ON)
    assert Ruling.parse(refused.ruling).reasons == refused.reasons
    on_the_day = submit(disabled_since_date=date(2023, 9, 4))
    assert len(applicant.given().when(on_the_day).events()) == 2


def test_one_application_at_a_time() -> None:
    accepted.when(submit(application=SECOND)).then_refused(
        "APPLICATION_RUNNING", application=str(FIRST)
    )
    for over in (accepted.after(withdraw()), accepted.after(REFUSE)):
        assert len(over.when(submit(application=SECOND)).events()) == 2


def test_a_new_application_waits_six_months_from_the_conclusion() -> None:
    early = submit(application=SECOND, application_date=date(2024, 9, 26))
    _, refused = delivered.when(early).events()
    assert isinstance(refused, e.ApplicationRefused)
    assert refused.reasons == ("TOO_SOON_AFTER_LAST",)
    assert Ruling.parse(refused.ruling).asked["last_ended_date"] == "2024-03-27"
    late = submit(application=SECOND, application_date=date(2024, 9, 27))
    assert len(delivered.when(late).events()) == 2


def test_a_periodic_reassessment_does_not_wait() -> None:
    periodic = submit(
        application=SECOND,
        kind=e.ApplicationKind.PERIODIC,
        application_date=date(2024, 9, 1),
    )
    assert len(delivered.when(periodic).events()) == 2


# -- papers, withdrawal, refusal ------------------------------------------------------------------


def test_papers_are_taken_once_and_the_application_with_them() -> None:
    received, acceptance = awaited.when(SUPPLY).events()

    assert isinstance(received, e.SupplementReceived)
    assert isinstance(acceptance, e.ApplicationAccepted)
    assert acceptance.accepted_date == SUPPLY.received_date
    awaited.after(SUPPLY).when(SUPPLY).then()
    accepted.when(SUPPLY).then_refused("NOT_AWAITED", state="accepted")


def test_papers_do_not_come_before_the_application() -> None:
    early = submission.SupplyPapers(application=FIRST, received_date=date(2024, 3, 1))
    with pytest.raises(Invalid) as caught:
        awaited.when(early).events()
    assert [(v.field, v.reason) for v in caught.value.violations] == [
        ("received_date", "TOO_EARLY")
    ]


def test_missing_papers_count_as_withdrawal_only_after_their_day() -> None:
    due = date(2024, 3, 11)
    awaited.when(withdraw(due, deemed=True)).then_refused("NOT_OVERDUE", due_date="2024-03-11")
    accepted.when(withdraw(date(2024, 5, 1), deemed=True)).then_refused("NOT_OVERDUE")
    overdue = withdraw(date(2024, 3, 12), deemed=True)
    awaited.when(overdue).then(
        e.ApplicationWithdrawn(
            application=FIRST, person=PERSON, withdrawn_date=date(2024, 3, 12), deemed=True
        )
    )
    awaited.after(overdue).when(overdue).then()


def test_the_applicant_may_withdraw_until_the_conclusion() -> None:
    assert len(graded.when(withdraw(date(2024, 3, 20))).events()) == 1
    confirmed.when(withdraw(date(2024, 4, 1))).then_refused("CONCLUDED_ALREADY")


def test_an_application_is_refused_once_and_only_before_the_conclusion() -> None:
    assert state_of(accepted.after(REFUSE)).reasons == ("NOT_COVERED",)
    accepted.after(REFUSE).when(REFUSE).then()
    confirmed.when(REFUSE).then_refused("CONCLUDED_ALREADY", state="confirmed")
    accepted.after(withdraw()).when(REFUSE).then_refused("CONCLUDED_ALREADY")


# -- on site --------------------------------------------------------------------------------------


def test_the_form_that_completes_the_set_grades_the_person() -> None:
    [first] = accepted.when(form("a")).events()
    assert isinstance(first, e.OnSiteAssessed)
    assert state_of(accepted.after(form("a"))).state == "on_site"

    second, grade = accepted.after(form("a")).when(form("b")).events()

    assert isinstance(second, e.OnSiteAssessed)
    assert isinstance(grade, e.AssessmentGraded)
    assert (grade.grade, grade.assessed_date) == (3, date(2024, 3, 18))
    assert state_of(graded).grade_eligible


def test_forms_that_differ_are_both_kept_and_show_the_items() -> None:
    other = bedridden(adl_bathing=5, per_vision=3)
    differing = accepted.after(form("a"), form("b", other))

    one = state_of(differing)
    assert (one.state, one.grade) == ("on_site", None)
    assert one.differing == ("adl_bathing", "per_vision")
    assert [one.forms[name].scores["adl_bathing"] for name in "ab"] == [0, 5]


def test_an_assessor_may_put_the_own_form_right() -> None:
    corrected = accepted.after(form("a")).after(form("a", scores()))
    assert state_of(corrected).state == "on_site"
    assert state_of(corrected.after(form("b", scores()))).grade == 0
    corrected.when(form("a", scores())).then()


def test_two_assessors_without_an_expert_do_not_grade() -> None:
    layman: dict[str, Any] = {"assessor_kind": e.AssessorKind.ASSESSOR}
    once = accepted.after(form("a", **layman))
    once.when(form("b", **layman)).then_refused("EXPERT_MISSING")
    assert len(once.when(form("b")).events()) == 2


def test_nothing_is_assessed_before_acceptance_nor_after_the_grade() -> None:
    awaited.when(form("a")).then_refused("NOT_ACCEPTED", state="supplement_requested")
    accepted.after(REFUSE).when(form("a")).then_refused("NOT_ACCEPTED", state="refused")
    graded.when(form("c")).then_refused("CONCLUDED_ALREADY")
    graded.when(form("b")).then()


def test_nobody_is_assessed_before_the_application() -> None:
    with pytest.raises(Invalid):
        accepted.when(form("a", assessed_date=date(2024, 3, 3))).events()


# -- conclusion -----------------------------------------------------------------------------------


def test_two_different_experts_conclude_on_the_later_day() -> None:
    accepted.when(confirm("x")).then_refused("NOT_GRADED")
    once = graded.after(confirm("x", date(2024, 3, 27)))
    assert state_of(once).state == "graded"
    once.when(confirm("x")).then_refused("SAME_EXPERT_TWICE")
    twice = once.after(confirm("y"))
    assert state_of(twice).conclusion == date(2024, 3, 27)
    twice.when(confirm("z")).then_refused("CONCLUDED_ALREADY")


def test_only_a_confirmed_eligible_grade_is_made_public() -> None:
    graded.when(publish(ON)).then_refused("NOT_CONFIRMED")
    well.when(publish(ON)).then_refused("NOT_FOR_PUBLICITY", grade="0")
    confirmed.when(publish(date(2024, 4, 1))).then(
        e.ConclusionPublished(
            application=FIRST,
            person=PERSON,
            published_date=date(2024, 4, 1),
            publicity_end_date=date(2024, 4, 6),
        )
    )
    published.when(publish(date(2024, 4, 2))).then()


def test_an_eligible_conclusion_is_delivered_after_publicity() -> None:
    graded.when(deliver(ON)).then_refused("NOT_CONFIRMED")
    confirmed.when(deliver(ON)).then_refused("IN_PUBLICITY", publicity_end_date="")
    published.when(deliver(date(2024, 4, 6))).then_refused(
        "IN_PUBLICITY", publicity_end_date="2024-04-06"
    )
    published.when(deliver(date(2024, 4, 7))).then(
        e.ConclusionDelivered(
            application=FIRST,
            person=PERSON,
            pool=CHANGZHOU,
            kind=e.ApplicationKind.FIRST,
            grade=3,
            grade_eligible=True,
            conclusion_date=date(2024, 3, 27),
            effective_date=date(2024, 4, 1),
            valid_until_date=date(2026, 3, 26),
            delivered_date=date(2024, 4, 7),
        )
    )
    delivered.when(deliver(date(2024, 5, 1))).then()


def test_no_conclusion_is_delivered_without_its_letter() -> None:
    silent = replace(deliver(date(2024, 4, 7)), letter=None)

    published.when(silent).then_refused("LETTER_MISSING", grade="3")
    well.when(silent).then_refused("LETTER_MISSING", grade="0")
    delivered.when(silent).then()


def test_a_refusal_rests_on_no_other_persons_eligibility() -> None:
    ruling = rule_of("refused")
    of_another = replace(ruling, subject=str(OTHER))

    accepted.when(replace(REFUSE, ruling=of_another)).then_refused("ELIGIBILITY_OF_ANOTHER")
    assert len(accepted.when(replace(REFUSE, ruling=ruling)).events()) == 1


def rule_of(outcome: str) -> Ruling:
    return Ruling(
        question="eligibility",
        subject=str(PERSON),
        pool=CHANGZHOU,
        asked={},
        outcome=outcome,
        pack="320400@0",
        code_version="test",
    )


def test_a_conclusion_without_a_benefit_is_delivered_at_once() -> None:
    [event] = well.when(deliver(date(2024, 3, 28))).events()
    assert isinstance(event, e.ConclusionDelivered)
    assert (event.grade, event.grade_eligible) == (0, False)


def test_an_unknown_application_is_told_apart() -> None:
    with pytest.raises(NotFound):
        applicant.when(REFUSE).events()


def test_the_reminder_comes_before_the_day_it_reminds_of() -> None:
    assert terms.reminder(PACK, ON) == date(2024, 4, 1) < terms.conclusion_due(PACK, ON)


# -- reassessment ---------------------------------------------------------------------------------


def test_a_reassessment_is_ordered_once_for_each_kind_and_day() -> None:
    known: Any = Decider(r.decide, r.evolve, r.Reassessments())
    told = r.ReassessmentOrdered(
        person=PERSON,
        pool=CHANGZHOU,
        kind=e.ApplicationKind.PERIODIC,
        due_date=date(2026, 3, 26),
        cause="validity ends",
    )
    order = r.OrderReassessment(told=told)

    known.given().when(order).then(told)
    known.given(told).when(order).then()
