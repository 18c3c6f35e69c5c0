"""Use cases around complaints: taken in, accepted, answered."""

from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from ltci.provider.v1 import complaint_service_pb2 as pb
from ltci.provider.v1 import supervision_types_pb2 as types

from kernel.eventstore.handle import Call, Handler, Work
from kernel.refusal import NotFound
from kernel.rules.library import PackLibrary
from services.provider.application.streams import COMPLAINT, complaint_stream
from services.provider.counts_reader import CountsReader
from services.provider.domain import complaint as c

ACCEPT_DAYS, ANSWER_DAYS = "provider.complaint_accept_days", "provider.complaint_answer_days"


class Complaints:
    """Carries complaints to their answer."""

    def __init__(self, handler: Handler, packs: PackLibrary, reader: CountsReader) -> None:
        self._handler = handler
        self._packs = packs
        self._reader = reader

    async def file(self, call: Call, told: c.ComplaintFiled, today: date) -> pb.Complaint:
        """Takes it in. Refuses NOT_FOUND where its provider or visit is not known."""

        async def work(work: Work) -> pb.Complaint:
            filed = await self._placed(told)
            term = self._packs.pack_for(filed.pool).term(ACCEPT_DAYS, filed.filed_date)
            filed = replace(filed, accept_due_date=term.after(filed.filed_date))
            return await self._obey(work, c.FileComplaint(filed=filed), filed.complaint, today)

        return await self._handler.execute(call, work, pb.Complaint)

    async def accept(self, call: Call, name: UUID, today: date) -> pb.Complaint:
        """Accepts it today."""

        async def work(work: Work) -> pb.Complaint:
            filed = (await work.load(COMPLAINT, complaint_stream(name))).filed
            if filed is None:
                raise NotFound("complaint", name)
            term = self._packs.pack_for(filed.pool).term(ANSWER_DAYS, today)
            command = c.AcceptComplaint(
                complaint=name, today=today, answer_due_date=term.after(today)
            )
            return await self._obey(work, command, name, today)

        return await self._handler.execute(call, work, pb.Complaint)

    async def answer(self, call: Call, command: c.AnswerComplaint) -> pb.Complaint:
        """Answers it today."""

        async def work(work: Work) -> pb.Complaint:
            return await self._obey(work, command, command.complaint, command.today)

        return await self._handler.execute(call, work, pb.Complaint)

    async def find(
        self, name: UUID, today: date, known_at: datetime | None, *, with_words: bool
    ) -> pb.Complaint:
        """Refuses NOT_FOUND."""
        stream = complaint_stream(name)
        state, version = await self._handler.load_known(COMPLAINT, stream, known_at)
        if version == 0:
            raise NotFound("complaint", name)
        return answer_of(state, today, with_words=with_words)

    async def _obey(self, work: Work, command: c.Command, name: UUID, today: date) -> pb.Complaint:
        stream = complaint_stream(name)
        state = await work.load(COMPLAINT, stream)
        pool = command.filed.pool if isinstance(command, c.FileComplaint) else _pool(state)
        state = work.record(COMPLAINT, stream, pool, c.decide(command, state))
        return answer_of(state, today)

    async def _placed(self, told: c.ComplaintFiled) -> c.ComplaintFiled:
        """With the provider and caregiver of the visit, where it is about one."""
        await self._reader.caught_up()
        if told.visit is not None:
            found = await self._reader.visit(told.visit)
            if found is None:
                raise NotFound("visit", told.visit)
            return replace(told, provider=found[0], caregiver=found[1])
        if told.provider is not None and await self._reader.body(told.provider) is None:
            raise NotFound("provider", told.provider)
        return told


def answer_of(state: c.Complaint, today: date, *, with_words: bool = False) -> pb.Complaint:
    """The complaint as callers get it; what was said only where it is asked for."""
    filed, accepted, answered = state.filed, state.accepted, state.answered
    if filed is None:
        raise ValueError("only a complaint that came in has an answer")
    told = pb.Complaint(
        complaint=str(filed.complaint),
        pool=filed.pool,
        provider=_text(filed.provider),
        caregiver=_text(filed.caregiver),
        visit=_text(filed.visit),
        assessor=_text(filed.assessor),
        channel=types.ComplaintChannel.Value(f"COMPLAINT_CHANNEL_{filed.channel.upper()}"),
        anonymous=filed.anonymous,
        state=_state(state),
        filed_date=filed.filed_date.isoformat(),
        accepted_date=_text(accepted.accepted_date if accepted else None),
        answered_date=_text(answered.answered_date if answered else None),
        due_date=_text(state.due),
        overdue=state.due is not None and state.due < today,
    )
    if answered is not None:
        name = f"COMPLAINT_OUTCOME_{answered.outcome.upper()}"
        told.outcome = types.ComplaintOutcome.Value(name)
    if with_words:
        told.words, told.contact = filed.words, filed.contact
        told.reasons = answered.reasons if answered else ""
    return told


def _state(state: c.Complaint) -> pb.ComplaintState.ValueType:
    if state.answered is not None:
        return pb.COMPLAINT_STATE_ANSWERED
    return pb.COMPLAINT_STATE_ACCEPTED if state.accepted else pb.COMPLAINT_STATE_FILED


def _pool(state: c.Complaint) -> str:
    return state.filed.pool if state.filed else ""


def _text(value: object) -> str:
    return "" if value is None else str(value)
