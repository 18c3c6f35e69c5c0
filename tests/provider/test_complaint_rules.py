"""The rules of complaints, one test a rule."""

from datetime import date
from uuid import UUID

from kernel.ids import derive
from services.provider.domain import complaint as c
from tests.support.spec import Decider

NAME, PROVIDER = derive("test", "complaint"), derive("test", "provider")
FILED = c.ComplaintFiled(
    complaint=NAME,
    pool="320400",
    provider=PROVIDER,
    channel=c.ComplaintChannel.HOTLINE,
    anonymous=True,
    words="nobody came",
    filed_date=date(2024, 3, 4),
    accept_due_date=date(2024, 3, 25),
)
ACCEPTED = c.ComplaintAccepted(
    complaint=NAME,
    pool="320400",
    accepted_date=date(2024, 3, 6),
    answer_due_date=date(2024, 6, 3),
)
ANSWERED = c.ComplaintAnswered(
    complaint=NAME,
    pool="320400",
    provider=PROVIDER,
    outcome=c.ComplaintOutcome.SUBSTANTIATED,
    reasons="the visit was not made",
    answered_date=date(2024, 4, 1),
)
ACCEPT = c.AcceptComplaint(
    complaint=NAME, today=ACCEPTED.accepted_date, answer_due_date=ACCEPTED.answer_due_date
)


def answer(
    outcome: c.ComplaintOutcome = c.ComplaintOutcome.SUBSTANTIATED, name: UUID = NAME
) -> c.AnswerComplaint:
    return c.AnswerComplaint(
        complaint=name, outcome=outcome, reasons=ANSWERED.reasons, today=ANSWERED.answered_date
    )


complaint = Decider(c.decide, c.evolve, c.Complaint())


def test_a_complaint_comes_in_once() -> None:
    complaint.given().when(c.FileComplaint(filed=FILED)).then(FILED)
    complaint.given(FILED).when(c.FileComplaint(filed=FILED)).then()


def test_it_is_accepted_once_and_gets_its_last_day() -> None:
    complaint.given(FILED).when(ACCEPT).then(ACCEPTED)
    complaint.given(FILED, ACCEPTED).when(ACCEPT).then()
    complaint.given(FILED, ACCEPTED, ANSWERED).when(ACCEPT).then_refused("ANSWERED_ALREADY")


def test_only_an_accepted_complaint_is_answered() -> None:
    complaint.given(FILED).when(answer()).then_refused("NOT_ACCEPTED")
    complaint.given(FILED, ACCEPTED).when(answer()).then(ANSWERED)


def test_an_answer_stands() -> None:
    complaint.given(FILED, ACCEPTED, ANSWERED).when(answer()).then()
    other = answer(c.ComplaintOutcome.NOT_SUBSTANTIATED)
    complaint.given(FILED, ACCEPTED, ANSWERED).when(other).then_refused("ANSWERED_ALREADY")


def test_the_last_day_is_of_what_is_to_be_done_next() -> None:
    filed = c.evolve(c.Complaint(), FILED)
    accepted = c.evolve(filed, ACCEPTED)
    answered = c.evolve(accepted, ANSWERED)
    dues = [one.due for one in (c.Complaint(), filed, accepted, answered)]
    assert dues == [None, date(2024, 3, 25), date(2024, 6, 3), None]
