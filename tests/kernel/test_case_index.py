"""Which person an event is about, and which day."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from google.protobuf.message import Message
from ltci.assessment.v1 import events_pb2 as assessment
from ltci.enrollment.v1 import events_pb2 as enrollment
from ltci.payment.v1 import events_pb2 as payment
from ltci.provider.v1 import events_pb2 as provider

from kernel.case_index import about
from kernel.ids import derive
from kernel.projection import FeedEvent

WHO = derive("person", "a")
ID = str(WHO)


def recorded(message: Message) -> FeedEvent:
    return FeedEvent(
        source="test",
        position=1,
        stream=WHO,
        version=1,
        category="test",
        pool="320400",
        type=f"{message.DESCRIPTOR.full_name}/1",
        payload=message.SerializeToString(),
        recorded_at=datetime(2024, 9, 1, tzinfo=UTC),
        hash=b"",
        traceparent="",
        request_id=UUID(int=1),
        actor="test",
    )


@pytest.mark.parametrize(
    ("event", "day"),
    [
        (enrollment.LifeEventReported(person=ID, event_date="2024-05-20"), date(2024, 5, 20)),
        (payment.BenefitDetermined(person=ID, month="2024-02"), date(2024, 2, 29)),
        (
            provider.VisitStarted(person=ID, start_time="2024-03-04T00:30:00+08:00"),
            date(2024, 3, 4),
        ),
        (
            assessment.ConclusionDelivered(
                person=ID, conclusion_date="2024-03-15", effective_date="2024-04-01"
            ),
            date(2024, 4, 1),
        ),
        (enrollment.LifeEventWithdrawn(person=ID), None),
        (provider.VisitConfirmed(person=ID), None),
        (enrollment.LifeEventReported(person=ID, event_date="some day"), None),
        (payment.BenefitDetermined(person=ID, month="2024-13"), None),
        (payment.PayeeRegistered(owner=ID, registered_date="2024-01-01"), date(2024, 1, 1)),
    ],
)
def test_an_event_is_about_a_day_or_about_none(event: Message, day: date | None) -> None:
    assert about(recorded(event)) == [(WHO, day)]


def test_an_event_about_no_person_belongs_to_no_case() -> None:
    assert about(recorded(payment.SettlementOpened(month="2024-02"))) == []
    assert about(recorded(payment.PayeeRegistered(owner="", registered_date="2024-01-01"))) == []
