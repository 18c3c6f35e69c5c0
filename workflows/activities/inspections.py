"""What workflows ask of provider about cases (案件查处)."""

from dataclasses import dataclass

import grpc
from ltci.provider.v1 import inspection_service_pb2 as pb
from ltci.provider.v1 import inspection_service_pb2_grpc as rpc
from ltci.provider.v1 import inspection_types_pb2 as types
from temporalio import activity

from workflows.activities.calling import ask

DETECTORS = "detectors"  # the role that opens cases because of flags


@dataclass(frozen=True)
class InspectionStanding:
    """Where a case stands; days are ISO texts, empty where there are none."""

    inspection: str
    state: str  # InspectionState without its prefix: "NOTICED"
    outcome: str = ""  # of a closed case: "CLEARED" or "CONFIRMED"
    due_date: str = ""  # last day of what the office owes
    respond_by_date: str = ""
    appeal_by_date: str = ""
    answered: bool = False  # the other side answered


@dataclass(frozen=True)
class FlagStep:
    flag: str
    request_id: str


@dataclass(frozen=True)
class InspectionCall:
    inspection: str
    request_id: str


@dataclass(frozen=True)
class InspectionClock:
    """`step` and `note` are names of the enums, without prefix."""

    inspection: str
    step: str
    note: str
    request_id: str


class InspectionActivities:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._service = rpc.InspectionServiceStub(channel)

    @activity.defn(name="provider.OpenInspection")
    async def open_inspection(self, asked: FlagStep) -> InspectionStanding:
        """Puts a flag into a case; the case it went to."""
        request = pb.OpenInspectionRequest(
            cause=types.INSPECTION_CAUSE_FLAG,
            flag=asked.flag,
            officer=DETECTORS,
            request_id=asked.request_id,
        )
        return _standing(await ask(self._service.OpenInspection, request, timeout=10))

    @activity.defn(name="provider.GetInspection")
    async def get_inspection(self, inspection: str) -> InspectionStanding:
        request = pb.GetInspectionRequest(inspection=inspection)
        return _standing(await ask(self._service.GetInspection, request, timeout=5))

    @activity.defn(name="provider.CloseInspection")
    async def close_inspection(self, asked: InspectionCall) -> InspectionStanding:
        request = pb.CloseInspectionRequest(
            inspection=asked.inspection, request_id=asked.request_id
        )
        return _standing(await ask(self._service.CloseInspection, request, timeout=10))

    @activity.defn(name="provider.NoteInspectionClock")
    async def note_inspection_clock(self, asked: InspectionClock) -> InspectionStanding:
        request = pb.NoteInspectionClockRequest(
            inspection=asked.inspection,
            step=types.InspectionStep.Value(f"INSPECTION_STEP_{asked.step}"),
            note=types.InspectionNote.Value(f"INSPECTION_NOTE_{asked.note}"),
            request_id=asked.request_id,
        )
        return _standing(await ask(self._service.NoteInspectionClock, request, timeout=10))


def _standing(told: pb.Inspection) -> InspectionStanding:
    closed = told.state == types.INSPECTION_STATE_CLOSED
    return InspectionStanding(
        inspection=told.inspection,
        state=types.InspectionState.Name(told.state).removeprefix("INSPECTION_STATE_"),
        outcome=_outcome(told) if closed else "",
        due_date=told.due_date,
        respond_by_date=told.respond_by_date,
        appeal_by_date=told.decision.appeal_by_date,
        answered=bool(told.statements),
    )


def _outcome(told: pb.Inspection) -> str:
    return types.InspectionVerdict.Name(told.outcome).removeprefix("INSPECTION_VERDICT_")
