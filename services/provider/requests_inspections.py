"""What callers ask of cases, checked field by field and made into commands."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from ltci.provider.v1 import inspection_service_pb2 as pb
from ltci.provider.v1 import inspection_types_pb2 as types
from ltci.provider.v1 import provider_types_pb2

from kernel.clock import Clock
from kernel.rpc.validate import Check
from kernel.rules.library import PackLibrary
from services.provider.application.inspections import AppealJudgment, Judgment, Opening
from services.provider.domain import inspection as i
from services.provider.domain import inspection_steps as steps
from services.provider.domain.inspection_events import (
    FlagFinding,
    InspectionAppealOutcome,
    InspectionCause,
    InspectionNote,
    InspectionStep,
    InspectionVerdict,
)
from services.provider.domain.standing import SanctionMeasure

MOST_WORDS = 2_000
MOST_LISTED = 50
_PEOPLE = (
    "[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}",
    "a role or an id of letters, digits and _ . : -, at most 64, no name",
    "岗位或编号,由字母、数字和_.:-组成,不超过64个字符,不得填写姓名",
)
_HASH = ("[0-9a-f]{64}", "SHA-256 in lower-case hex", "SHA-256摘要,小写十六进制")


class InspectionRequests:
    """Reads requests. What it returns counts only after `check.done()`."""

    def __init__(self, packs: PackLibrary, clock: Clock) -> None:
        self._pools = packs.pools()
        self._clock = clock

    def opening(self, check: Check, asked: pb.OpenInspectionRequest) -> UUID | Opening:
        """The flag that led to it, or what a complaint or a sample says."""
        cause = check.enum("cause", asked.cause, types.InspectionCause, InspectionCause)
        if cause is InspectionCause.FLAG:
            for field in ("source", "provider", "caregiver", "pool", "visits"):
                if getattr(asked, field):
                    check.fail(
                        field,
                        "NOT_WANTED",
                        "must be empty: the flag says what the case is about",
                        "应为空:案件所涉事项以风险提示为准",
                    )
            return check.uuid("flag", asked.flag)
        if asked.flag:
            check.fail(
                "flag",
                "NOT_WANTED",
                "must be empty: no flag led to it",
                "应为空:并非由风险提示立案",
            )
        check.between("visits", len(asked.visits), 0, MOST_LISTED)
        return Opening(
            cause=cause,
            source=check.uuid("source", asked.source),
            pool=check.pool("pool", asked.pool, self._pools),
            provider=check.uuid("provider", asked.provider),
            caregiver=check.optional_uuid("caregiver", asked.caregiver),
            visits=tuple(
                check.uuid(f"visits[{place}]", one) for place, one in enumerate(asked.visits)
            ),
        )

    def opened_date(self, check: Check, told: str) -> date:
        return self._past(check, "opened_date", told) if told else self._clock.today()

    def officer(self, check: Check, told: str) -> str:
        return check.pattern("officer", told, *_PEOPLE)

    def noticed_date(self, check: Check, told: str) -> date:
        return self._past(check, "noticed_date", told)

    def filed_date(self, check: Check, told: str) -> date:
        return self._past(check, "filed_date", told)

    def statement(self, check: Check, asked: pb.FileStatementRequest) -> steps.FileStatement:
        check.between("evidence_hashes", len(asked.evidence_hashes), 0, MOST_LISTED)
        return steps.FileStatement(
            inspection=check.uuid("inspection", asked.inspection),
            statement=check.text("statement", asked.statement, max=MOST_WORDS),
            hearing_wanted=asked.hearing_wanted,
            evidence_hashes=tuple(
                check.pattern(f"evidence_hashes[{place}]", one, *_HASH)
                for place, one in enumerate(asked.evidence_hashes)
            ),
            filed_date=self.filed_date(check, asked.filed_date),
        )

    def hearing(self, check: Check, asked: pb.HoldHearingRequest) -> steps.HoldHearing:
        return steps.HoldHearing(
            inspection=check.uuid("inspection", asked.inspection),
            officers=_people(check, "officers", asked.officers),
            attended=asked.attended,
            statement=check.text(
                "statement", asked.statement, max=MOST_WORDS, required=asked.attended
            ),
            held_date=self._past(check, "held_date", asked.held_date),
        )

    def judgment(self, check: Check, asked: pb.DecideInspectionRequest) -> Judgment:
        check.between("findings", len(asked.findings), 0, i.MOST_FLAGS)
        rest = (
            check.enum("verdict", asked.verdict, types.InspectionVerdict, InspectionVerdict)
            if asked.verdict
            else None
        )
        measure = (
            check.enum(
                "proposed_measure",
                asked.proposed_measure,
                provider_types_pb2.SanctionMeasure,
                SanctionMeasure,
            )
            if asked.proposed_measure
            else None
        )
        findings = tuple(
            FlagFinding(
                flag=check.uuid(f"findings[{place}].flag", one.flag),
                verdict=check.enum(
                    f"findings[{place}].verdict",
                    one.verdict,
                    types.InspectionVerdict,
                    InspectionVerdict,
                ),
                cause=check.text(f"findings[{place}].cause", one.cause),
            )
            for place, one in enumerate(asked.findings)
        )
        told = {one.verdict for one in findings} | ({rest} if rest else set())
        if measure is not None and i.CONFIRMED not in told:
            check.fail(
                "proposed_measure",
                "NOTHING_CONFIRMED",
                "must be empty where nothing is confirmed",
                "未认定任何事项时应为空",
            )
        return Judgment(
            inspection=check.uuid("inspection", asked.inspection),
            findings=findings,
            rest=rest,
            cause=check.text("cause", asked.cause, required=rest is not None),
            decided_by=_people(check, "decided_by", asked.decided_by),
            decided_date=self._past(check, "decided_date", asked.decided_date),
            proposed_measure=measure,
            proposed_article=check.text(
                "proposed_article", asked.proposed_article, max=100, required=measure is not None
            ),
            reasoning=check.text("reasoning", asked.reasoning, max=MOST_WORDS),
        )

    def appeal_judgment(
        self, check: Check, asked: pb.DecideInspectionAppealRequest
    ) -> AppealJudgment:
        check.between("flags", len(asked.flags), 0, i.MOST_FLAGS)
        return AppealJudgment(
            inspection=check.uuid("inspection", asked.inspection),
            outcome=check.enum(
                "outcome", asked.outcome, types.InspectionAppealOutcome, InspectionAppealOutcome
            ),
            flags=tuple(
                check.uuid(f"flags[{place}]", one) for place, one in enumerate(asked.flags)
            ),
            decided_by=_people(check, "decided_by", asked.decided_by),
            decided_date=self._past(check, "decided_date", asked.decided_date),
            reasoning=check.text("reasoning", asked.reasoning, max=MOST_WORDS),
        )

    def note(self, check: Check, asked: pb.NoteInspectionClockRequest) -> steps.NoteClock:
        return steps.NoteClock(
            inspection=check.uuid("inspection", asked.inspection),
            step=check.enum("step", asked.step, types.InspectionStep, InspectionStep),
            note=check.enum("note", asked.note, types.InspectionNote, InspectionNote),
            today=self._clock.today(),
        )

    def pool(self, check: Check, value: str) -> str:
        return check.pool("pool", value, self._pools)

    def _past(self, check: Check, field: str, told: str) -> date:
        day = check.date(field, told)
        check.not_future(field, day, self._clock.today())
        return day


def _people(check: Check, field: str, told: Sequence[str]) -> tuple[str, ...]:
    """Each once, in the order told."""
    check.require(field, list(told))
    check.between(field, len(told), 0, MOST_LISTED)
    found = [check.pattern(f"{field}[{place}]", one, *_PEOPLE) for place, one in enumerate(told)]
    return tuple(dict.fromkeys(found))
