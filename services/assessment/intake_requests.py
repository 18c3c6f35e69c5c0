"""What callers ask around an application, checked field by field and made into commands."""

import datetime as dt
from uuid import UUID

from ltci.assessment.v1 import assignment_service_pb2 as assignment
from ltci.assessment.v1 import intake_service_pb2 as intake
from ltci.assessment.v1 import intake_types_pb2 as wire
from ltci.assessment.v1 import on_site_service_pb2 as on_site_pb

from kernel.clock import Clock
from kernel.rpc.validate import Check
from kernel.rules.library import PackLibrary
from services.assessment.assigning import Asked
from services.assessment.domain import assignment as a
from services.assessment.domain import grade_change, on_site, submission, termination
from services.assessment.domain import words as w
from services.assessment.register_requests import division
from services.assessment.requests import MOST_LISTED, opaque, self_assessment


class IntakeRequests:
    """Reads requests. What it returns counts only after `check.done()`."""

    def __init__(self, packs: PackLibrary, clock: Clock) -> None:
        self._pools = packs.pools()
        self._clock = clock

    def recheck(
        self, check: Check, asked: intake.RecheckSelfAssessmentRequest
    ) -> submission.RecheckSelfAssessment:
        application = check.uuid("application", asked.application)
        check.require("items", list(asked.items))
        return submission.RecheckSelfAssessment(
            application=application,
            recheck=submission.Recheck(
                items=self_assessment(check, "items", asked.items),
                operator=opaque(check, "operator", asked.operator),
                rechecked_date=self._past_day(check, "rechecked_date", asked.rechecked_date),
            ),
            today=self._clock.today(),
        )

    def settle(self, check: Check, asked: on_site_pb.SettleItemRequest) -> on_site.SettleItem:
        return on_site.SettleItem(
            application=check.uuid("application", asked.application),
            item=check.text("item", asked.item, max=64),
            score=asked.score,
            reason=check.text("reason", asked.reason),
            settled_by=check.enum("settled_by", asked.settled_by, wire.SettledBy, w.SettledBy),
            assessor=opaque(check, "assessor", asked.assessor),
            settled_date=self._past_day(check, "settled_date", asked.settled_date),
        )

    def change(
        self, check: Check, asked: on_site_pb.ChangeGradeRequest
    ) -> grade_change.ChangeGrade:
        return grade_change.ChangeGrade(
            application=check.uuid("application", asked.application),
            grade=check.between("grade", asked.grade, 0, 5),
            reason=check.text("reason", asked.reason),
            expert=opaque(check, "expert", asked.expert),
            changed_date=self._past_day(check, "changed_date", asked.changed_date),
        )

    def terminate(
        self, check: Check, asked: on_site_pb.TerminateAssessmentRequest
    ) -> termination.TerminateAssessment:
        return termination.TerminateAssessment(
            application=check.uuid("application", asked.application),
            reason=check.enum("reason", asked.reason, wire.TerminationReason, w.TerminationReason),
            terminated_date=self._past_day(check, "terminated_date", asked.terminated_date),
            note=check.text("note", asked.note, required=False),
        )

    def assign(
        self, check: Check, asked: assignment.AssignAssessorsRequest
    ) -> tuple[a.AssignAssessors, Asked]:
        wish = a.AssignAssessors(
            application=check.uuid("application", asked.application),
            assignment_round=check.enum(
                "assignment_round", asked.assignment_round, wire.AssignmentRound, w.AssignmentRound
            ),
        )
        return wish, self._case(check, asked)

    def replace(
        self, check: Check, asked: assignment.ReplaceAssessorRequest
    ) -> tuple[a.ReplaceAssessor, Asked]:
        wish = a.ReplaceAssessor(
            application=check.uuid("application", asked.application),
            assessor=opaque(check, "assessor", asked.assessor),
            replacement_cause=check.enum(
                "replacement_cause",
                asked.replacement_cause,
                wire.ReplacementCause,
                w.ReplacementCause,
            ),
        )
        return wish, self._case(check, asked)

    def draw_day(self, check: Check, pool: str, day: str) -> tuple[str, dt.date]:
        return check.pool("pool", pool, self._pools), check.date("drawn_date", day)

    def _case(
        self,
        check: Check,
        asked: assignment.AssignAssessorsRequest | assignment.ReplaceAssessorRequest,
    ) -> Asked:
        check.between("providers", len(asked.providers), 0, MOST_LISTED)
        check.between("recused", len(asked.recused), 0, MOST_LISTED)
        providers: list[UUID] = [
            check.uuid(f"providers[{place}]", one) for place, one in enumerate(asked.providers)
        ]
        recused = [
            opaque(check, f"recused[{place}]", one) for place, one in enumerate(asked.recused)
        ]
        return Asked(
            division=division(check, asked.division),
            providers=frozenset(providers),
            recused=frozenset(recused),
        )

    def _past_day(self, check: Check, field: str, told: str) -> dt.date:
        day = check.date(field, told)
        check.not_future(field, day, self._clock.today())
        return day
