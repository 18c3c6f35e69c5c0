"""What callers ask of the registers, checked field by field and made into commands."""

import datetime as dt
from uuid import UUID

from ltci.assessment.v1 import assessment_types_pb2 as types
from ltci.assessment.v1 import assessor_service_pb2 as pb
from ltci.assessment.v1 import intake_service_pb2 as intake
from ltci.assessment.v1 import intake_types_pb2 as wire

from kernel.clock import Clock
from kernel.eventstore.keys import KeyRing
from kernel.rpc.private import RESIDENT
from kernel.rpc.validate import Check
from kernel.rules.library import PackLibrary
from services.assessment.domain import assessor as a
from services.assessment.domain import body as b
from services.assessment.domain import service_point as s
from services.assessment.domain import words as w
from services.assessment.requests import opaque
from services.assessment.streams import body_id, point_id

_DIVISION = "[0-9]{6}"


class RegisterRequests:
    """Reads requests. What it returns counts only after `check.done()`."""

    def __init__(self, keys: KeyRing, packs: PackLibrary, clock: Clock) -> None:
        self._keys = keys
        self._pools = packs.pools()
        self._clock = clock

    def pool(self, check: Check, asked: str) -> str:
        return check.pool("pool", asked, self._pools)

    def designate(self, check: Check, asked: pb.DesignateBodyRequest) -> b.DesignateBody:
        pool = self.pool(check, asked.pool)
        code = check.social_credit_code("social_credit_code", asked.social_credit_code)
        start = check.date("agreement_start_date", asked.agreement_start_date)
        end = check.date("agreement_end_date", asked.agreement_end_date)
        check.in_order("agreement_end_date", start, end)
        told = b.AssessmentBodyDesignated(
            body=body_id(code),
            pool=pool,
            body_name=check.text("body_name", asked.body_name, max=100),
            social_credit_code=code,
            operating_since_date=self.past_day(
                check, "operating_since_date", asked.operating_since_date
            ),
            agreement_start_date=start,
            agreement_end_date=end,
            division=division(check, asked.division),
        )
        return b.DesignateBody(
            told=told, delivers_care=asked.delivers_care, runs_scheme=asked.runs_scheme
        )

    def suspend(self, check: Check, asked: pb.SuspendBodyRequest) -> b.SuspendBody:
        return b.SuspendBody(
            told=b.AssessmentBodySuspended(
                body=check.uuid("body", asked.body),
                pool=self.pool(check, asked.pool),
                start_date=check.date("start_date", asked.start_date),
                cause=check.text("cause", asked.cause),
            )
        )

    def restore(self, check: Check, asked: pb.RestoreBodyRequest) -> b.RestoreBody:
        return b.RestoreBody(
            told=b.AssessmentBodyRestored(
                body=check.uuid("body", asked.body),
                pool=self.pool(check, asked.pool),
                start_date=check.date("start_date", asked.start_date),
                cause=check.text("cause", asked.cause),
            )
        )

    def end(self, check: Check, asked: pb.EndBodyRequest) -> b.EndBody:
        return b.EndBody(
            told=b.AssessmentBodyEnded(
                body=check.uuid("body", asked.body),
                pool=self.pool(check, asked.pool),
                end_date=check.date("end_date", asked.end_date),
                cause=check.text("cause", asked.cause),
            )
        )

    def register(self, check: Check, asked: pb.RegisterAssessorRequest) -> a.RegisterAssessor:
        number = check.identity_number(
            "identity_number", asked.identity_number, today=self._clock.today()
        )
        code = asked.social_credit_code
        kind = check.enum("assessor_kind", asked.assessor_kind, types.AssessorKind, w.AssessorKind)
        title = check.enum("title", asked.title, wire.ProfessionalTitle, w.ProfessionalTitle)
        if code:
            check.social_credit_code("social_credit_code", code)
        return a.RegisterAssessor(
            assessor=opaque(check, "assessor", asked.assessor),
            person=self._keys.person_id(RESIDENT, number),
            pool=self.pool(check, asked.pool),
            assessor_kind=kind,
            body=body_id(code) if code else None,
            full_name=check.text("full_name", asked.full_name, max=100),
            title=title,
            practice_since_date=self.past_day(
                check, "practice_since_date", asked.practice_since_date
            ),
            trained_date=check.optional_date("trained_date", asked.trained_date),
            examined_date=check.optional_date("examined_date", asked.examined_date),
            division=division(check, asked.division),
            registered_date=self.past_day(check, "registered_date", asked.registered_date),
        )

    def bar(self, check: Check, asked: pb.BarAssessorRequest) -> a.BarAssessor:
        start = check.date("start_date", asked.start_date)
        end = check.optional_date("end_date", asked.end_date)
        if end is not None:
            check.in_order("end_date", start, end)
        return a.BarAssessor(
            told=a.AssessorBarred(
                assessor=opaque(check, "assessor", asked.assessor),
                pool=self.pool(check, asked.pool),
                start_date=start,
                end_date=end,
                cause=check.text("cause", asked.cause),
            )
        )

    def unbar(self, check: Check, asked: pb.RestoreAssessorRequest) -> a.RestoreAssessor:
        return a.RestoreAssessor(
            told=a.AssessorRestored(
                assessor=opaque(check, "assessor", asked.assessor),
                pool=self.pool(check, asked.pool),
                start_date=check.date("start_date", asked.start_date),
                cause=check.text("cause", asked.cause),
            )
        )

    def tie(self, check: Check, asked: pb.DeclareTieRequest) -> a.DeclareTie:
        kind = check.enum("tie_kind", asked.tie_kind, wire.TieKind, w.TieKind)
        employed = kind is w.TieKind.EMPLOYER
        provider = self._either(check, "provider", asked.provider, wanted=employed)
        person = self._either(check, "tied_person", asked.tied_person, wanted=not employed)
        return a.DeclareTie(
            told=a.TieDeclared(
                assessor=opaque(check, "assessor", asked.assessor),
                pool=self.pool(check, asked.pool),
                tie_kind=kind,
                provider=provider,
                tied_person=person,
                declared_date=self.past_day(check, "declared_date", asked.declared_date),
            )
        )

    def point(
        self, check: Check, asked: intake.RegisterServicePointRequest
    ) -> s.RegisterServicePoint:
        pool = self.pool(check, asked.pool)
        code = opaque(check, "code", asked.code)
        return s.RegisterServicePoint(
            told=s.ServicePointRegistered(
                service_point=point_id(pool, code),
                pool=pool,
                code=code,
                point_name=check.text("point_name", asked.point_name, max=100),
                level=check.enum("level", asked.level, wire.ServicePointLevel, w.ServicePointLevel),
                point_kind=check.enum(
                    "point_kind", asked.point_kind, wire.ServicePointKind, w.ServicePointKind
                ),
                division=division(check, asked.division),
                opened_date=check.date("opened_date", asked.opened_date),
            )
        )

    def past_day(self, check: Check, field: str, told: str) -> dt.date:
        day = check.date(field, told)
        check.not_future(field, day, self._clock.today())
        return day

    def _either(self, check: Check, field: str, told: str, *, wanted: bool) -> UUID | None:
        """The id where this kind of tie is to such a thing; nothing else may be told."""
        if wanted:
            return check.uuid(field, told)
        if told:
            check.fail(field, "NOT_WITH_THIS_TIE", "must be empty for this tie", "此关系不得填写")
        return None


def division(check: Check, told: str) -> str:
    """A county (GB/T 2260)."""
    return check.pattern("division", told, _DIVISION, "six digits (GB/T 2260)", "六位行政区划代码")
