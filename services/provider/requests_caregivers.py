"""What callers ask of caregivers' records, checked field by field and made into commands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from ltci.provider.v1 import caregiver_service_pb2 as pb
from ltci.provider.v1 import provider_types_pb2 as types

from kernel.clock import Clock
from kernel.eventstore.keys import KeyRing
from kernel.rpc.private import RESIDENT, person_named
from kernel.rpc.validate import Check
from kernel.rules.library import PackLibrary
from services.provider.domain import credentials
from services.provider.domain.carer_record import CaregiverLevel
from services.provider.requests import ITEM, ONE_OF_TWO, place_of

MOST_SKILLS = 100
MOST_ITEMS = 50
MOST_PLANS, USUAL_PLANS = 200, 50
MINUTES_OF_A_WEEK = 7 * 24 * 60
LONGEST_COURSE_MINUTES = 1_000 * 60
RELATIONS = ("spouse", "child", "parent", "other_relative")


@dataclass(frozen=True, kw_only=True)
class MatchQuestion:
    """A plan, or a pool, with what is needed of a caregiver."""

    plan: UUID | None
    pool: str
    items: tuple[str, ...]
    minutes_a_week: int
    day: date
    most: int


class CaregiverRequests:
    """Reads requests. What it returns counts only after `check.done()`."""

    def __init__(self, keys: KeyRing, packs: PackLibrary, clock: Clock) -> None:
        self._keys = keys
        self._pools = packs.pools()
        self._clock = clock

    def examination(
        self, check: Check, request: pb.RecordExaminationRequest
    ) -> credentials.RecordExamination:
        today = self._clock.today()
        number = check.identity_number("identity_number", request.identity_number, today=today)
        if request.passed:
            check.require("certificate", request.certificate.strip())
        command = credentials.RecordExamination(
            caregiver=self._keys.person_id(RESIDENT, number),
            level=check.enum("level", request.level, types.CaregiverLevel, CaregiverLevel),
            passed=request.passed,
            certificate=check.text("certificate", request.certificate, max=60, required=False),
            exam_date=check.date("exam_date", request.exam_date),
        )
        check.not_future("exam_date", command.exam_date, today)
        return command

    def revocation(
        self, check: Check, request: pb.RevokeCertificateRequest
    ) -> credentials.RevokeCertificate:
        return credentials.RevokeCertificate(
            caregiver=check.uuid("caregiver", request.caregiver),
            level=check.enum("level", request.level, types.CaregiverLevel, CaregiverLevel),
            revoked_date=check.date("revoked_date", request.revoked_date),
            cause=check.text("cause", request.cause),
        )

    def training(
        self, check: Check, request: pb.RecordTrainingRequest
    ) -> credentials.RecordTraining:
        command = credentials.RecordTraining(
            caregiver=check.uuid("caregiver", request.caregiver),
            course=check.text("course", request.course, max=100),
            minutes=check.between("minutes", request.minutes, 1, LONGEST_COURSE_MINUTES),
            completed_date=check.date("completed_date", request.completed_date),
        )
        check.not_future("completed_date", command.completed_date, self._clock.today())
        return command

    def profile(self, check: Check, request: pb.SetProfileRequest) -> credentials.SetProfile:
        minutes = request.minutes_a_week
        return credentials.SetProfile(
            caregiver=check.uuid("caregiver", request.caregiver),
            skills=_codes(check, "skills", request.skills, MOST_SKILLS),
            place=place_of(check, request),
            minutes_a_week=check.between("minutes_a_week", minutes, 1, MINUTES_OF_A_WEEK),
            start_date=check.date("start_date", request.start_date),
        )

    def engagement(
        self, check: Check, request: pb.EngageFamilyCarerRequest
    ) -> credentials.EngageFamilyCarer:
        """The command, before anybody looked up what training the rules ask."""
        return credentials.EngageFamilyCarer(
            caregiver=check.uuid("caregiver", request.caregiver),
            person=person_named(
                check, request.person, request.identity_number, self._keys, self._clock.today()
            ),
            provider=check.uuid("provider", request.provider),
            relation=check.one_of("relation", request.relation, RELATIONS),
            employed=request.employed,
            start_date=check.date("start_date", request.start_date),
            trained_min=None,
        )

    def assignment(
        self, check: Check, request: pb.AssignCaregiverRequest
    ) -> tuple[UUID, UUID, int, date]:
        minutes = request.minutes_a_week
        return (
            check.uuid("caregiver", request.caregiver),
            check.uuid("plan", request.plan),
            check.between("minutes_a_week", minutes, 1, MINUTES_OF_A_WEEK),
            check.date("start_date", request.start_date),
        )

    def question(self, check: Check, request: pb.MatchCaregiversRequest) -> MatchQuestion:
        plan = check.optional_uuid("plan", request.plan)
        if bool(request.plan) == bool(request.pool):
            check.fail("plan", *ONE_OF_TWO)
        elif request.pool:
            check.pool("pool", request.pool, self._pools)
        minutes, most = request.minutes_a_week, request.plans_count_max
        return MatchQuestion(
            plan=plan,
            pool=request.pool,
            items=_codes(check, "items", request.items, MOST_ITEMS),
            minutes_a_week=check.between("minutes_a_week", minutes, 0, MINUTES_OF_A_WEEK),
            day=check.optional_date("on_date", request.on_date) or self._clock.today(),
            most=check.between("plans_count_max", most, 0, MOST_PLANS) or USUAL_PLANS,
        )


def _codes(check: Check, field: str, codes: Sequence[str], most: int) -> tuple[str, ...]:
    check.between(field, len(codes), 0, most)
    for place, code in enumerate(codes):
        check.pattern(f"{field}[{place}]", code, *ITEM)
    return tuple(sorted(set(codes)))
