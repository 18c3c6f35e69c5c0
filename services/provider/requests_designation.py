"""What callers ask of designation and sanctions, checked field by field and made into commands."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from ltci.provider.v1 import designation_service_pb2 as pb
from ltci.provider.v1 import provider_types_pb2 as types
from ltci.provider.v1 import sanction_service_pb2 as sanctions

from kernel.clock import Clock
from kernel.eventstore.keys import KeyRing
from kernel.ids import derive
from kernel.rpc.private import RESIDENT, person_named
from kernel.rpc.validate import Check
from kernel.rules.library import PackLibrary
from services.provider.application.carers import Barring
from services.provider.application.designations import Exit, Wanted
from services.provider.application.streams import provider_named
from services.provider.domain import agreement, designation
from services.provider.domain.admission import Findings, Review
from services.provider.domain.carer_record import BarredRole
from services.provider.domain.credentials import RestorePerson
from services.provider.domain.handover import Receiver
from services.provider.domain.standing import SanctionMeasure, ServiceLine

LONGEST_BAR_MONTHS = 1200
MOST_RECEIVERS = 50
MOST_PLACES = 100_000
MOST_YEARS = 100
_BODY_KIND = (
    r"[a-z][a-z0-9_]{0,39}",
    "a kind of body in lower-case letters, at most 40",
    "机构类型,小写字母,不超过40个字符",
)


class DesignationRequests:
    """Reads requests. What it returns counts only after `check.done()`."""

    def __init__(self, keys: KeyRing, packs: PackLibrary, clock: Clock) -> None:
        self._keys = keys
        self._pools = packs.pools()
        self._clock = clock

    def application(
        self, check: Check, request: pb.ApplyForDesignationRequest
    ) -> designation.ApplyForDesignation:
        code = check.social_credit_code("social_credit_code", request.social_credit_code)
        controller = request.controller_identity_number
        command = designation.ApplyForDesignation(
            application=derive("designation", request.request_id),
            provider=provider_named(code),
            pool=self.pool(check, request.pool),
            provider_name=check.text("provider_name", request.provider_name),
            social_credit_code=code,
            body_kind=check.pattern("body_kind", request.body_kind, *_BODY_KIND),
            lines=_lines(check, request.lines),
            operating_since_date=check.date("operating_since_date", request.operating_since_date),
            legal_representative=self._identity(
                check,
                "legal_representative_identity_number",
                request.legal_representative_identity_number,
            ),
            head=self._identity(check, "head_identity_number", request.head_identity_number),
            controller=self._identity(check, "controller_identity_number", controller)
            if controller
            else None,
            application_date=check.date("application_date", request.application_date),
        )
        self._past(check, "application_date", command.application_date)
        self._past(check, "operating_since_date", command.operating_since_date)
        return command

    def review(self, check: Check, request: pb.ReviewDesignationRequest) -> Review:
        if not request.HasField("findings"):
            check.fail("findings", "REQUIRED", "must be given", "必填")
        told = request.findings
        return Review(
            application=check.uuid("application", request.application),
            review_date=self._past(
                check, "review_date", check.date("review_date", request.review_date)
            ),
            findings=Findings(
                registered=told.registered,
                staff_qualified=told.staff_qualified,
                premises=told.premises,
                systems=told.systems,
                can_connect=told.can_connect,
                no_recent_violation=told.no_recent_violation,
            ),
        )

    def publication(self, check: Check, request: pb.PublishDesignationRequest) -> tuple[UUID, date]:
        first = check.date("publicity_start_date", request.publicity_start_date)
        self._past(check, "publicity_start_date", first)
        return check.uuid("application", request.application), first

    def signing(self, check: Check, request: pb.SignAgreementRequest) -> Wanted:
        code, name = request.operator_code, request.operator_name
        if bool(code) != bool(name.strip()):
            check.fail(
                "operator_code",
                "OPERATOR_INCOMPLETE",
                "an operator has a name and a social credit code, both or neither",
                "经办机构的名称和统一社会信用代码应同时填写或同时不填",
            )
        wanted = Wanted(
            agreement=derive("agreement", request.request_id),
            application=check.uuid("application", request.application),
            operator_name=check.text("operator_name", name, required=False),
            operator_code=check.social_credit_code("operator_code", code) if code else "",
            lines=_lines(check, request.lines),
            start_date=check.date("start_date", request.start_date),
            end_date=check.date("end_date", request.end_date),
            signed_date=check.date("signed_date", request.signed_date),
        )
        check.in_order("end_date", wanted.start_date, wanted.end_date)
        self._past(check, "signed_date", wanted.signed_date)
        return wanted

    def exit(self, check: Check, request: pb.RequestExitRequest) -> tuple[UUID, Exit]:
        asked = Exit(
            request_date=check.date("request_date", request.request_date),
            exit_date=check.date("exit_date", request.exit_date),
            cause=check.text("cause", request.cause),
        )
        self._past(check, "request_date", asked.request_date)
        return check.uuid("provider", request.provider), asked

    def ending(self, check: Check, request: pb.EndAgreementRequest) -> agreement.EndAgreement:
        return agreement.EndAgreement(
            provider=check.uuid("provider", request.provider),
            agreement=check.uuid("agreement", request.agreement),
            today=self._clock.today(),
        )

    def appraisal_order(
        self, check: Check, request: pb.OrderAppraisalRequest
    ) -> agreement.OrderAppraisal:
        return agreement.OrderAppraisal(
            provider=check.uuid("provider", request.provider),
            agreement=check.uuid("agreement", request.agreement),
            agreement_year=check.between("agreement_year", request.agreement_year, 1, MOST_YEARS),
            today=self._clock.today(),
        )

    def appraisal(
        self, check: Check, request: pb.RecordAppraisalRequest
    ) -> agreement.RecordAppraisal:
        day = check.date("appraised_date", request.appraised_date)
        return agreement.RecordAppraisal(
            provider=check.uuid("provider", request.provider),
            agreement=check.uuid("agreement", request.agreement),
            agreement_year=check.between("agreement_year", request.agreement_year, 1, MOST_YEARS),
            appraised_date=self._past(check, "appraised_date", day),
            points=check.between("points", request.points, 0, 100),
            passed=request.passed,
        )

    def sanction(
        self, check: Check, request: sanctions.ImposeSanctionRequest
    ) -> agreement.ImposeSanction:
        command = agreement.ImposeSanction(
            sanction=derive("sanction", request.request_id),
            provider=check.uuid("provider", request.provider),
            measure=check.enum("measure", request.measure, types.SanctionMeasure, SanctionMeasure),
            start_date=check.date("start_date", request.start_date),
            end_date=check.optional_date("end_date", request.end_date),
            cause=check.text("cause", request.cause),
            article=check.text("article", request.article, max=100),
        )
        if command.end_date is not None:
            check.in_order("end_date", command.start_date, command.end_date)
        if command.measure is SanctionMeasure.CORRECT:
            check.require("end_date", request.end_date)
        if command.measure is SanctionMeasure.TERMINATE and command.end_date is not None:
            check.fail(
                "end_date", "NO_END_HERE", "a termination has no end", "解除协议不得填写终止日期"
            )
        return command

    def lifting(
        self, check: Check, request: sanctions.LiftSanctionRequest
    ) -> agreement.LiftSanction:
        return agreement.LiftSanction(
            provider=check.uuid("provider", request.provider),
            sanction=check.uuid("sanction", request.sanction),
            lifted_date=check.date("lifted_date", request.lifted_date),
            cause=check.text("cause", request.cause),
        )

    def barring(self, check: Check, request: sanctions.BarPersonRequest) -> Barring:
        return Barring(
            bar=derive("bar", request.request_id),
            person=person_named(
                check, request.person, request.identity_number, self._keys, self._clock.today()
            ),
            provider=check.uuid("provider", request.provider),
            role=check.enum("role", request.role, types.BarredRole, BarredRole),
            serious=request.serious,
            start_date=check.date("start_date", request.start_date),
            months=check.between("months", request.months, 1, LONGEST_BAR_MONTHS),
            cause=check.text("cause", request.cause),
            article=check.text("article", request.article, max=100),
        )

    def restoring(self, check: Check, request: sanctions.RestorePersonRequest) -> RestorePerson:
        return RestorePerson(
            person=check.uuid("person", request.person),
            bar=check.uuid("bar", request.bar),
            restored_date=check.date("restored_date", request.restored_date),
        )

    def handover(
        self, check: Check, request: sanctions.HandOverPlansRequest
    ) -> tuple[UUID, date, tuple[Receiver, ...]]:
        check.between("receivers", len(request.receivers), 0, MOST_RECEIVERS)
        receivers = tuple(
            Receiver(
                provider=check.uuid(f"receivers[{place}].provider", one.provider),
                places=check.between(
                    f"receivers[{place}].places_count", one.places_count, 1, MOST_PLACES
                ),
            )
            for place, one in enumerate(request.receivers)
        )
        provider = check.uuid("provider", request.provider)
        return provider, check.date("handover_date", request.handover_date), receivers

    def pool(self, check: Check, value: str) -> str:
        """A pool whose rules are loaded."""
        return check.pool("pool", value, self._pools)

    def _identity(self, check: Check, field: str, value: str) -> UUID:
        number = check.identity_number(field, value, today=self._clock.today())
        return self._keys.person_id(RESIDENT, number)

    def _past(self, check: Check, field: str, day: date) -> date:
        check.not_future(field, day, self._clock.today())
        return day


def _lines(check: Check, told: Sequence[int]) -> tuple[ServiceLine, ...]:
    check.require("lines", list(told))
    found = [
        check.enum(f"lines[{place}]", number, types.ServiceLine, ServiceLine)
        for place, number in enumerate(told)
    ]
    return tuple(sorted(set(found), key=list(ServiceLine).index))
