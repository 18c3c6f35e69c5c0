"""The exception queue as the messages that callers get."""

from datetime import date

from ltci.provider.v1 import exception_service_pb2 as pb
from ltci.provider.v1 import exception_types_pb2 as types

from services.provider.domain.exception import ExceptionKind, ExceptionOpened, ExceptionSettled
from services.provider.domain.visit import Visit
from services.provider.wire import visit_answer


def record_answer(visit: Visit, today: date) -> pb.VisitRecord:
    """The visit, begun before, with what is and was unusual about it."""
    unusual = visit.exceptions
    return pb.VisitRecord(
        visit=visit_answer(visit),
        exceptions=[
            *(settled_answer(one) for one in unusual.settled),
            *(open_answer(one, today) for one in unusual.open),
        ],
        corrected_count=unusual.corrected_count,
        correction_reason=unusual.corrected.reason if unusual.corrected else "",
        dispute_reason=unusual.disputed.reason if unusual.disputed else "",
    )


def open_answer(one: ExceptionOpened, today: date) -> pb.Exception:
    return pb.Exception(
        exception=str(one.exception),
        visit=str(one.visit),
        person=str(one.person),
        pool=one.pool,
        provider=str(one.provider),
        caregiver=str(one.caregiver),
        kind=_kind(one.kind),
        opened_date=one.opened_date.isoformat(),
        due_date=one.due_date.isoformat(),
        overdue=today > one.due_date,
    )


def settled_answer(one: ExceptionSettled) -> pb.Exception:
    return pb.Exception(
        exception=str(one.exception),
        visit=str(one.visit),
        person=str(one.person),
        pool=one.pool,
        kind=_kind(one.kind),
        outcome=types.ExceptionOutcome.Value(f"EXCEPTION_OUTCOME_{one.outcome.upper()}"),
        reason=one.reason,
        settled_by=one.settled_by,
        settled_date=one.settled_date.isoformat(),
    )


def _kind(kind: ExceptionKind) -> "types.ExceptionKind.ValueType":
    return types.ExceptionKind.Value(f"EXCEPTION_KIND_{kind.upper()}")
