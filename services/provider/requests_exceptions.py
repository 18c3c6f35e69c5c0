"""What callers ask about disputes, corrections and the exception queue, checked field by field."""

from datetime import date
from uuid import UUID

from ltci.provider.v1 import exception_service_pb2 as pb
from ltci.provider.v1 import exception_types_pb2 as types
from ltci.provider.v1 import provider_types_pb2

from kernel.ids import derive
from kernel.rpc.validate import Check
from services.provider.application.exceptions import Correction, Objection, Settlement
from services.provider.domain.exception import ExceptionOutcome
from services.provider.domain.verdict import ConfirmedBy
from services.provider.requests import ONE_OF_TWO, Requests, items_of
from services.provider.requests_evidence import instant_of

MOST_WORDS = 2_000
CODE = (
    r"[A-Z][A-Z0-9_]{0,63}",
    "a code of capital letters, digits and _, at most 64",
    "由大写字母、数字及下划线组成的代码,不超过64个字符",
)


class ExceptionRequests(Requests):
    """Reads requests. What it returns counts only after `check.done()`."""

    def objection(self, check: Check, request: pb.DisputeVisitRequest) -> Objection:
        return Objection(
            dispute=derive("dispute", request.request_id),
            visit=check.uuid("visit", request.visit),
            reason=check.pattern("reason", request.reason, *CODE),
            statement=check.text("statement", request.statement, max=MOST_WORDS, required=False),
            disputed_by=check.enum(
                "disputed_by", request.disputed_by, provider_types_pb2.ConfirmedBy, ConfirmedBy
            ),
            disputed_date=self._past(check, "disputed_date", request.disputed_date),
        )

    def correction(self, check: Check, request: pb.CorrectVisitRequest) -> Correction:
        start, end = request.start_time, request.end_time
        now = self._clock.now()
        return Correction(
            correction=derive("correction", request.request_id),
            visit=check.uuid("visit", request.visit),
            reason=check.pattern("reason", request.reason, *CODE),
            explanation=check.text("explanation", request.explanation, max=MOST_WORDS),
            caregiver=self._carer(check, request),
            start_time=instant_of(check, "start_time", start, now) if start else None,
            end_time=instant_of(check, "end_time", end, now) if end else None,
            items=items_of(check, request.items) if request.items else (),
            corrected_by=check.text("corrected_by", request.corrected_by, max=64),
            approved_by=check.text("approved_by", request.approved_by, max=64, required=False),
            corrected_date=self._past(check, "corrected_date", request.corrected_date),
        )

    def settlement(self, check: Check, request: pb.SettleExceptionRequest) -> Settlement:
        return Settlement(
            visit=check.uuid("visit", request.visit),
            exception=check.uuid("exception", request.exception),
            outcome=check.enum(
                "outcome", request.outcome, types.ExceptionOutcome, ExceptionOutcome
            ),
            reason=check.pattern("reason", request.reason, *CODE),
            settled_by=check.text("settled_by", request.settled_by, max=64),
            settled_date=self._past(check, "settled_date", request.settled_date),
        )

    def _carer(self, check: Check, request: pb.CorrectVisitRequest) -> UUID | None:
        """The right caregiver, by id or number; None where it stays who it was."""
        if request.caregiver and request.caregiver_identity_number:
            check.fail("caregiver", *ONE_OF_TWO)
        if request.caregiver_identity_number:
            number = request.caregiver_identity_number
            return self._identity(check, "caregiver_identity_number", number)
        return check.optional_uuid("caregiver", request.caregiver)

    def _past(self, check: Check, field: str, value: str) -> date:
        day = check.date(field, value)
        check.not_future(field, day, self._clock.today())
        return day
