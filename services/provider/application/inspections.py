"""Use cases of cases (案件查处): opened, told, heard, decided, appealed, closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from ltci.provider.v1 import inspection_service_pb2 as pb

from kernel.eventstore.handle import Call, Handler, Work, code_version
from kernel.ids import derive
from kernel.refusal import NotFound, Refused
from kernel.rules.pack import Pack
from services.provider.application.frozen import FrozenReader
from services.provider.application.grounds import GroundsReader
from services.provider.application.streams import (
    FLAG,
    INSPECTION,
    PROVIDER,
    flag_stream,
    inspection_stream,
    provider_stream,
)
from services.provider.domain import inspection as i
from services.provider.domain import inspection_appeal as appeals
from services.provider.domain import inspection_decision as d
from services.provider.domain import inspection_events as e
from services.provider.domain import inspection_ruling as rulings
from services.provider.domain import inspection_steps as steps
from services.provider.domain import risk
from services.provider.domain.agreement import admitted
from services.provider.domain.standing import SanctionMeasure
from services.provider.domain.verdict import Basis
from services.provider.letters import Letters, Told
from services.provider.wire_inspections import Evidence, case_answer, case_file

NOTICE = "provider.inspection_notice_days"


@dataclass(frozen=True, kw_only=True)
class Opening:
    """A case as it is to be opened for a complaint or a sample."""

    cause: e.InspectionCause
    source: UUID
    pool: str
    provider: UUID
    caregiver: UUID | None
    visits: tuple[UUID, ...]


@dataclass(frozen=True, kw_only=True)
class Judgment:
    """A decision as it is asked for; `rest` is for the flags that `findings` does not name."""

    inspection: UUID
    findings: tuple[e.FlagFinding, ...]
    rest: e.InspectionVerdict | None
    cause: str
    decided_by: tuple[str, ...]
    decided_date: date
    proposed_measure: SanctionMeasure | None
    proposed_article: str
    reasoning: str


@dataclass(frozen=True, kw_only=True)
class AppealJudgment:
    """The decision on an appeal as it is asked for."""

    inspection: UUID
    outcome: e.InspectionAppealOutcome
    flags: tuple[UUID, ...]
    decided_by: tuple[str, ...]
    decided_date: date
    reasoning: str


class Inspections:
    """Carries a case from what led to it to its end."""

    def __init__(
        self, handler: Handler, grounds: GroundsReader, frozen: FrozenReader, letters: Letters
    ) -> None:
        self._handler = handler
        self._grounds = grounds
        self._frozen = frozen
        self._letters = letters

    async def open_for_flag(
        self, call: Call, flag: UUID, officer: str, today: date
    ) -> pb.Inspection:
        """Puts a flag into a case: one that takes it, or a new one. Refuses FLAG_DECIDED."""

        async def work(work: Work) -> pb.Inspection:
            state = await work.load(FLAG, flag_stream(flag))
            told = risk.raised(flag, state)
            name, case = await self._case_of(work, told)
            if flag in case.flags:
                return case_answer(case)
            if state.word is not None:
                raise Refused("FLAG_DECIDED", flag=str(flag))
            pack = await self._grounds.pack(told.pool)
            command = steps.OpenInspection(
                inspection=name,
                pool=told.pool,
                cause=e.InspectionCause.FLAG,
                source=None,
                flags=(flag,),
                provider=told.provider,
                caregiver=told.caregiver,
                assessor=told.assessor,
                frozen=await self._frozen.of_flag(told),
                opened_by=officer,
                opened_date=today,
                **_last_days(pack, today),
            )
            return case_answer(self._take(work, name, told.pool, steps.decide(command, case)))

        return await self._handler.execute(call, work, pb.Inspection)

    async def open_for(
        self, call: Call, asked: Opening, officer: str, today: date
    ) -> pb.Inspection:
        """Opens the case of a complaint or a sample; there is one for each.

        Refuses PROVIDER_NOT_IN_POOL.
        """
        name = derive("inspection", asked.cause, str(asked.source))

        async def work(work: Work) -> pb.Inspection:
            body = admitted(
                asked.provider, await work.load(PROVIDER, provider_stream(asked.provider))
            )
            if body.pool != asked.pool:
                raise Refused("PROVIDER_NOT_IN_POOL", pool=body.pool)
            case = await work.load(INSPECTION, inspection_stream(name))
            pack = await self._grounds.pack(body.pool)
            command = steps.OpenInspection(
                inspection=name,
                pool=asked.pool,
                cause=asked.cause,
                source=asked.source,
                flags=(),
                provider=asked.provider,
                caregiver=asked.caregiver,
                assessor=None,
                frozen=await self._frozen.of_visits(asked.visits),
                opened_by=officer,
                opened_date=today,
                **_last_days(pack, today),
            )
            return case_answer(self._take(work, name, asked.pool, steps.decide(command, case)))

        return await self._handler.execute(call, work, pb.Inspection)

    async def notice(
        self, call: Call, name: UUID, officer: str, day: date, today: date
    ) -> pb.Inspection:
        """Tells everybody concerned by a letter, from which the days to answer count."""

        async def work(work: Work) -> pb.Inspection:
            case = await work.load(INSPECTION, inspection_stream(name))
            pool = i.known(name, case).pool
            pack = await self._grounds.pack(pool)
            command = steps.SendNotice(
                inspection=name,
                officer=officer,
                noticed_date=day,
                respond_by_date=pack.term(rulings.RESPOND, day).after(max(day, today)),
            )
            return await self._told(work, name, pack, steps.decide(command, case))

        return await self._handler.execute(call, work, pb.Inspection)

    async def obey(
        self,
        call: Call,
        command: steps.FileStatement | steps.HoldHearing | steps.CloseInspection | steps.NoteClock,
    ) -> pb.Inspection:
        """A step that needs nothing but the case."""
        name = command.inspection

        async def work(work: Work) -> pb.Inspection:
            case = await work.load(INSPECTION, inspection_stream(name))
            events = steps.decide(command, case)
            return case_answer(self._take(work, name, i.known(name, case).pool, events))

        return await self._handler.execute(call, work, pb.Inspection)

    async def decide(self, call: Call, asked: Judgment, today: date) -> pb.Inspection:
        """Decides the case and its flags in one append, with the letters that tell it."""
        name, day = asked.inspection, asked.decided_date
        told_date = max(day, today)

        async def work(work: Work) -> pb.Inspection:
            case = await work.load(INSPECTION, inspection_stream(name))
            pool = d.open_to_decision(name, case, day).pool
            found, outcome = i.findings(asked.findings, asked.rest, asked.cause, case)
            pack = await self._grounds.pack(pool)
            question = rulings.Question(
                inspection=name,
                outcome=outcome,
                findings=found,
                decided_by=asked.decided_by,
                decided_date=day,
                told_date=told_date,
            )
            command = d.DecideInspection(
                inspection=name,
                findings=found,
                outcome=outcome,
                decided_by=asked.decided_by,
                decided_date=day,
                appeal_by_date=pack.term(rulings.APPEAL, day).after(told_date),
                proposed_measure=asked.proposed_measure,
                proposed_article=asked.proposed_article,
                reasoning=asked.reasoning,
                ruling=rulings.rule_inspection(question, await self._basis(case, name, pack)),
            )
            events = d.decide(command, case)
            await self._speak(work, pool, [_word(name, day, one) for one in found if events])
            return await self._told(work, name, pack, events)

        return await self._handler.execute(call, work, pb.Inspection)

    async def appeal(self, call: Call, name: UUID, statement: str, day: date) -> pb.Inspection:
        """Takes the other side's appeal."""

        async def work(work: Work) -> pb.Inspection:
            case = await work.load(INSPECTION, inspection_stream(name))
            pool = i.known(name, case).pool
            pack = await self._grounds.pack(pool)
            command = d.AppealInspection(
                inspection=name,
                statement=statement,
                filed_date=day,
                due_date=pack.term(rulings.APPEAL_DECISION, day).after(day),
            )
            return case_answer(self._take(work, name, pool, d.decide(command, case)))

        return await self._handler.execute(call, work, pb.Inspection)

    async def decide_appeal(self, call: Call, asked: AppealJudgment) -> pb.Inspection:
        """Decides the appeal; what it clears is cleared in the same append."""
        name, day = asked.inspection, asked.decided_date

        async def work(work: Work) -> pb.Inspection:
            case = await work.load(INSPECTION, inspection_stream(name))
            pool = d.open_to_appeal_decision(name, case).pool
            flags = d.upheld_flags(asked.outcome, asked.flags, case)
            pack = await self._grounds.pack(pool)
            told: dict[str, Any] = {
                "inspection": name,
                "outcome": asked.outcome,
                "flags": flags,
                "decided_by": asked.decided_by,
                "decided_date": day,
            }
            ruling = appeals.rule_appeal(
                appeals.Question(**told), await self._basis(case, name, pack)
            )
            command = d.DecideAppeal(**told, reasoning=asked.reasoning, ruling=ruling)
            events = d.decide(command, case)
            words = [
                risk.ClearRisk(flag=flag, inspection=name, decided_date=day, cause="APPEAL_UPHELD")
                for flag in flags
                if events
            ]
            await self._speak(work, pool, words)
            return await self._told(work, name, pack, events)

        return await self._handler.execute(call, work, pb.Inspection)

    async def find(self, name: UUID, known_at: datetime | None) -> pb.Inspection:
        """The whole case as known now or at a moment; its evidence is compared with the log now."""
        stream = inspection_stream(name)
        case, version = await self._handler.load_known(INSPECTION, stream, known_at)
        if not version:
            raise NotFound("inspection", name)
        states = [
            (await self._handler.load_known(FLAG, flag_stream(flag), known_at))[0]
            for flag in case.flags
        ]
        now = await self._frozen.now(case.frozen)
        return case_file(case, states, Evidence.of(case, [raw.ref for raw in now]))

    # Inside --------------------------------------------------------------------------------------

    async def _case_of(self, work: Work, told: risk.RiskFlagged) -> tuple[UUID, i.Inspection]:
        """The case the flag is in; else the first that takes it."""
        number, takes = 1, None
        while True:
            name = i.case_of_flag(told, number)
            case = await work.load(INSPECTION, inspection_stream(name))
            if told.flag in case.flags:
                return name, case
            if takes is None and (case.opened is None or case.takes()):
                takes = name, case
            if case.opened is None:
                return cast("tuple[UUID, i.Inspection]", takes)
            number += 1

    async def _basis(self, case: i.Inspection, name: UUID, pack: Pack) -> Basis:
        facts = await self._frozen.facts(case, name)
        return Basis(facts=facts, pack=pack, code_version=code_version())

    async def _speak(
        self, work: Work, pool: str, words: Sequence[risk.ClearRisk | risk.ConfirmRisk]
    ) -> None:
        """Records what was decided on the flags, each on its own stream."""
        streams = [flag_stream(word.flag) for word in words]
        states = await work.load_many(FLAG, streams) if streams else {}
        for word, stream in zip(words, streams, strict=True):
            work.record(FLAG, stream, pool, risk.decide(word, states[stream]))

    async def _told(
        self, work: Work, name: UUID, pack: Pack, events: Sequence[e.Event]
    ) -> pb.Inspection:
        """Records the events with the letters that tell them."""
        case = self._take(work, name, pack.pool, events)
        flags = await self._frozen.flags(case.flags) if events else []
        told = Told(inspection=case, events=events, flags=flags)
        await self._letters.accompany(work, told, pack)
        return case_answer(case)

    @staticmethod
    def _take(work: Work, name: UUID, pool: str, events: Sequence[e.Event]) -> i.Inspection:
        return work.record(INSPECTION, inspection_stream(name), pool, events)


def _last_days(pack: Pack, day: date) -> dict[str, date]:
    return {
        "notice_due_date": pack.term(NOTICE, day).after(day),
        "decision_due_date": pack.term(rulings.DECISION, day).after(day),
    }


def _word(inspection: UUID, day: date, found: e.FlagFinding) -> risk.ClearRisk | risk.ConfirmRisk:
    told: dict[str, Any] = {
        "flag": found.flag,
        "inspection": inspection,
        "decided_date": day,
        "cause": found.cause,
    }
    if found.verdict is i.CONFIRMED:
        return risk.ConfirmRisk(**told)
    return risk.ClearRisk(**told)
