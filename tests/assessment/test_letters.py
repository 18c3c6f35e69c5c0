"""What people are told of their application: each letter with its decision, or neither."""

import json
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from ltci.assessment.v1 import assessment_service_pb2 as pb

from kernel.letters.issued import LetterIssued
from kernel.rules.ruling import Ruling
from services.assessment.domain.events import AssessmentGraded
from services.assessment.letters import carried, conclusion_letter
from tests.assessment.forms import scores
from tests.assessment.test_service import (
    AGENT,
    NOBODY,
    SOMEBODY,
    Office,
    confirmation,
    deliver,
    form,
    office,
    publish,
    request_id,
    submission,
)
from tests.enrollment import test_eligibility as eligibility
from tests.support.letters import Written, letters_in, same_append
from tests.support.people import person
from tests.support.service import refused

__all__ = ["office"]


async def letters(office: Office) -> list[Written]:
    return letters_in(await office.service.events_after(0))


async def delivered(office: Office) -> str:
    application = await office.confirmed()
    await office.stub.PublishConclusion(publish(application))
    office.service.set_day(date(2024, 7, 8))
    await office.stub.DeliverConclusion(deliver(application))
    return application


async def test_a_conclusion_is_delivered_with_its_letter(office: Office) -> None:
    application = await delivered(office)

    accepted, concluded = await letters(office)

    events = await office.service.events_after(0)
    assert same_append(events, accepted) == ["ApplicationSubmitted", "ApplicationAccepted"]
    assert same_append(events, concluded) == ["ConclusionDelivered"]
    assert concluded.event.kind == "conclusion"
    assert concluded.event.letter == str(conclusion_letter(UUID(application)))
    told = concluded.document
    assert told["outcomes"][0]["zh"] == "失能等级评定为3级（重度失能Ⅰ级）。"
    assert told["good"] is True
    assert {fact["event"] for fact in told["facts"]} == {
        "ApplicationSubmitted",
        "OnSiteAssessed",
        "ConclusionConfirmed",
        "ConclusionPublished",
    }
    for fact in told["facts"]:
        assert all((fact["position"], fact["digest"], fact["known"]["en"], fact["about"]["zh"]))
    [graded] = [e for e in events if "AssessmentGraded" in e.type]
    ruling = office.service.service.parts.codec.decode_clear(graded.type, graded.payload).ruling
    assert concluded.event.ruling_hash == Ruling.parse(ruling).digest()
    assert len(told["grounds"]) == len(Ruling.parse(ruling).steps) + 3
    [review, appeal] = told["remedies"]
    assert (review["until"], appeal["until"]) == ("2024-07-15", "")


async def test_delivering_again_writes_no_second_letter(office: Office) -> None:
    application = await delivered(office)
    head = await office.service.head()

    await office.stub.DeliverConclusion(deliver(application))
    await office.stub.DeliverConclusion(deliver(application, "once more"))

    assert await office.service.head() == head


async def test_a_grade_without_benefit_is_told_with_its_reason(office: Office) -> None:
    application = (await office.stub.SubmitApplication(submission())).application
    for assessor in ("assessor-1", "expert-1"):
        await office.stub.RecordOnSite(form(application, assessor, scores()))
    for expert in ("expert-1", "expert-2"):
        await office.stub.ConfirmConclusion(confirmation(application, expert))

    await office.stub.DeliverConclusion(deliver(application))

    told = (await letters(office))[-1].document
    assert told["good"] is False
    assert "GRADE_NOT_ELIGIBLE" in told["reasons"][0]["zh"]
    assert [one["text"]["zh"] for one in told["grounds"] if one["takes_away"]]
    assert told["changes"]


async def test_missing_papers_are_told_all_at_once_and_until_when(office: Office) -> None:
    papers = ["medical record", "identity paper"]
    awaited = await office.stub.SubmitApplication(
        submission(application_date="2024-06-28", missing_papers=papers)
    )
    [asked] = await letters(office)
    assert asked.event.kind == "supplement"
    text = asked.document["grounds"][0]["text"]["zh"]
    assert all(paper in text for paper in papers)
    assert "2024年7月5日" in asked.document["outcomes"][0]["zh"]

    office.service.set_day(date(2024, 7, 6))
    await office.stub.WithdrawApplication(
        pb.WithdrawApplicationRequest(
            application=awaited.application,
            withdrawn_date="2024-07-06",
            deemed=True,
            request_id=request_id("withdraw"),
        )
    )

    [_, over] = await letters(office)
    assert (over.event.kind, over.document["good"]) == ("withdrawal", False)
    assert over.document["changes"]


async def refusal_of(office: Office, **changes: Any) -> Any:
    application = (await office.stub.SubmitApplication(submission())).application
    told: dict[str, Any] = {
        "application": application,
        "reasons": ["NOT_COVERED"],
        "eligibility_decision": NOBODY,
        "request_id": request_id("refuse"),
    }
    return pb.RefuseApplicationRequest(**(told | changes))


def not_covered(subject: str = SOMEBODY) -> bytes:
    told = json.loads(eligibility.ruled(eligibility.paid(), on=date(2024, 3, 4)).to_bytes())
    ruling = Ruling.read(json.dumps(told | {"subject": subject}, ensure_ascii=False).encode())
    return ruling.to_bytes()


async def test_a_refusal_tells_the_steps_of_the_decision_it_rests_on(office: Office) -> None:
    ruling = not_covered()
    await office.stub.RefuseApplication(await refusal_of(office, eligibility_ruling=ruling))

    refusal = (await letters(office))[-1]

    events = await office.service.events_after(0)
    assert same_append(events, refusal) == ["ApplicationRefused"]
    assert refusal.event.ruling_hash == Ruling.parse(ruling).digest()
    told = refusal.document
    assert "enrollment.covered" in {one["clause"] for one in told["grounds"]}
    assert [fact["place"]["zh"] for fact in told["facts"]] == ["assessment:1", "enrollment:1"]
    assert "没有在本统筹地区参保的记录" in json.dumps(told, ensure_ascii=False)
    assert told["good"] is False


async def test_a_refusal_without_that_decision_still_tells_its_reasons(office: Office) -> None:
    await office.stub.RefuseApplication(await refusal_of(office))

    told = (await letters(office))[-1].document

    [ground] = [one for one in told["grounds"] if one["takes_away"]]
    assert ground["text"]["zh"].startswith("不符合参保缴费条件：")
    assert told["changes"]


@pytest.mark.parametrize(
    ("ruling", "code", "reason"),
    [
        (b"{}", "INVALID_ARGUMENT", "NO_RULING"),
        (not_covered(NOBODY), "FAILED_PRECONDITION", "ELIGIBILITY_OF_ANOTHER"),
    ],
)
async def test_a_refusal_rests_on_no_foreign_paper(
    office: Office, ruling: bytes, code: str, reason: str
) -> None:
    asked = await refusal_of(office, eligibility_ruling=ruling)
    problem = await refused(office.stub.RefuseApplication(asked))

    assert (problem.code, problem.reason) == (code, reason)
    assert [one.event.kind for one in await letters(office)] == ["acceptance"]


async def test_an_event_that_keeps_its_ruling_is_told_by_one_line(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = {AssessmentGraded: ("appeal_outcome", carried)}
    monkeypatch.setattr("services.assessment.letters.LETTERS", line)

    await office.graded()

    [letter] = await letters(office)
    events = await office.service.events_after(0)
    assert same_append(events, letter) == ["OnSiteAssessed", "AssessmentGraded"]
    assert letter.document["title"]["zh"] == "失能等级评估申诉处理决定书"
    assert letter.event.ruling_hash in letter.document["decision"]["rulings"]
    assert letter.document["facts"] == []  # nobody filed an appeal


async def test_nothing_personal_is_in_a_letter(office: Office) -> None:
    number = person(1).identity_number
    await office.stub.SubmitApplication(submission(person="", identity_number=number))

    [accepted] = await letters(office)

    assert accepted.recorded.sealed is None
    for personal in (number, AGENT):
        assert personal.encode() not in accepted.recorded.payload
    assert accepted.event.officer == accepted.recorded.meta.actor


async def test_a_letter_can_be_read_back_as_it_was_issued(office: Office) -> None:
    await delivered(office)
    codec = office.service.service.parts.codec

    for letter in await letters(office):
        issued = await codec.decode(letter.recorded)
        assert isinstance(issued, LetterIssued)
        assert issued.document == letter.event.document
        assert len(issued.document) < 24_000
