"""Files for what follows a visit: disputes (服务异议) and corrections (服务记录更正).

A row names the visit by the person, the pool and the start that was recorded first. A dispute may
come again with what people found filled in, and goes on where it was.
"""

from datetime import datetime

from google.protobuf.message import Message
from ltci.provider.v1 import exception_service_pb2 as exceptions
from ltci.provider.v1 import exception_types_pb2 as exception_types
from ltci.provider.v1 import provider_service_pb2 as provider
from ltci.provider.v1 import provider_types_pb2 as provider_types

from cli.connect import Connection
from cli.imports import cells
from cli.imports.kinds.kind import (
    IDENTITY,
    POOL,
    Asking,
    Kind,
    NothingThere,
    Single,
    Step,
    Values,
    at_day,
    column,
    nothing_there,
    whole,
)
from cli.people import person_ids
from kernel.clock import SHANGHAI
from kernel.rpc.validate import Check

PAGE = 1_000
_WORDS = cells.text(2_000)
_CODE = cells.text(64)
_NO_VISIT = nothing_there(
    "NO_VISIT", "no visit of the person in this pool began then", "该人在本统筹区无此时开始的服务"
)
_NO_DISPUTE = nothing_there("NO_DISPUTE", "the visit is not disputed", "该次服务没有异议")


async def visit_of(connection: Connection, values: Values) -> str:
    """The person's visit that began then, by its first record. Raises `NothingThere`."""
    (person,) = await person_ids(connection, [values["identity_number"]])
    begun: datetime = values["start_time"]
    request = provider.ListVisitsRequest(person=person, pool=values["pool"], page_size=PAGE)
    while True:
        page = await connection.provider.ListVisits(request)
        for one in page.visits:
            if datetime.fromisoformat(one.recorded_start_time) == begun:
                return one.visit
        request.page_token = page.next_page_token
        if not page.next_page_token:
            raise NothingThere(_NO_VISIT)


# Disputes --------------------------------------------------------------------------------------

_VISIT = ("identity_number", "pool", "start_time")
_SAID = (*_VISIT, "reason", "statement", "disputed_by", "disputed_date")
_FOUND = ("outcome", "found_by", "settled_by", "settled_date")


def _dispute_steps(values: Values) -> tuple[Step, ...]:
    said = Step(
        name="dispute",
        due=at_day(values["disputed_date"]),
        service="exceptions",
        method="DisputeVisit",
        columns=_SAID,
        asking=_disputing(values),
    )
    if "settled_date" not in values:
        return (said,)
    found = Step(
        name="settle",
        due=at_day(values["settled_date"]),
        service="exceptions",
        method="SettleException",
        columns=(*_VISIT, *_FOUND),
        asking=_settling(values),
    )
    return (said, found)


def _disputing(values: Values) -> Asking:
    async def asking(connection: Connection, request_id: str, _made: str) -> Message:
        return exceptions.DisputeVisitRequest(
            visit=await visit_of(connection, values),
            reason=values["reason"],
            statement=values.get("statement", ""),
            disputed_by=values["disputed_by"],
            disputed_date=str(values["disputed_date"]),
            request_id=request_id,
        )

    return asking


def _settling(values: Values) -> Asking:
    async def asking(connection: Connection, request_id: str, _made: str) -> Message:
        visit = await visit_of(connection, values)
        asked = exceptions.GetVisitRecordRequest(visit=visit)
        record = await connection.exceptions.GetVisitRecord(asked)
        found = [
            one for one in record.exceptions if one.kind == exception_types.EXCEPTION_KIND_DISPUTED
        ]
        if not found:
            raise NothingThere(_NO_DISPUTE)
        return exceptions.SettleExceptionRequest(
            visit=visit,
            exception=found[-1].exception,
            outcome=values["outcome"],
            reason=values["found_by"],
            settled_by=values["settled_by"],
            settled_date=str(values["settled_date"]),
            request_id=request_id,
        )

    return asking


DISPUTED_VISITS = Kind(
    name="disputed-visits",
    title="visits that persons or families dispute, with what people found",
    title_zh="服务异议及核实结果",
    columns=(
        IDENTITY,
        POOL,
        column("start_time", cells.instant, past=True),
        column("reason", _CODE),
        column("statement", _WORDS, required=False, personal=True),
        column("disputed_by", cells.word(provider_types.ConfirmedBy, "CONFIRMED_BY_")),
        column("disputed_date", cells.day, past=True),
        column(
            "outcome",
            cells.word(exception_types.ExceptionOutcome, "EXCEPTION_OUTCOME_"),
            required=False,
        ),
        column("found_by", _CODE, required=False),
        column("settled_by", cells.text(64), required=False),
        column("settled_date", cells.day, required=False, past=True),
    ),
    delivery=Single(lane=("identity_number",), steps=_dispute_steps),
    renamed={"person": "identity_number", "visit": "start_time"},
    also=whole(_FOUND),
    about={
        "NO_VISIT": "start_time",
        "NO_DISPUTE": "start_time",
        "NOT_DECIDED": "start_time",
        "NOTHING_TO_DISPUTE": "start_time",
        "DISPUTED_ALREADY": "start_time",
        "DISPUTE_TOO_LATE": "disputed_date",
        "SETTLED_ALREADY": "outcome",
        "OUTCOME_NOT_POSSIBLE": "outcome",
    },
    identity=_SAID,
)


# Corrections -----------------------------------------------------------------------------------


def _correction_steps(values: Values) -> tuple[Step, ...]:
    return (
        Step(
            name="",
            due=at_day(values["corrected_date"]),
            service="exceptions",
            method="CorrectVisit",
            asking=_correcting(values),
        ),
    )


def _correcting(values: Values) -> Asking:
    async def asking(connection: Connection, request_id: str, _made: str) -> Message:
        return exceptions.CorrectVisitRequest(
            visit=await visit_of(connection, values),
            reason=values["reason"],
            explanation=values["explanation"],
            caregiver_identity_number=values.get("caregiver_identity_number", ""),
            start_time=_instant(values, "right_start_time"),
            end_time=_instant(values, "right_end_time"),
            items=values.get("items", ()),
            corrected_by=values["corrected_by"],
            approved_by=values.get("approved_by", ""),
            corrected_date=str(values["corrected_date"]),
            request_id=request_id,
        )

    return asking


def _instant(values: Values, name: str) -> str:
    told: datetime | None = values.get(name)
    return told.astimezone(SHANGHAI).isoformat() if told else ""


def _something_right(check: Check, values: Values) -> None:
    right = ("right_start_time", "right_end_time", "items", "caregiver_identity_number")
    if not any(name in values for name in right):
        check.fail(
            "right_end_time",
            "NOTHING_CHANGED",
            f"one of these must be given: {', '.join(right)}",
            "更正内容至少填写一项",
        )


VISIT_CORRECTIONS = Kind(
    name="visit-corrections",
    title="corrections of visits, with reason and who approved",
    title_zh="服务记录更正",
    columns=(
        IDENTITY,
        POOL,
        column("start_time", cells.instant, past=True),
        column("reason", _CODE),
        column("explanation", _WORDS, personal=True),
        column("right_start_time", cells.instant, required=False, past=True),
        column("right_end_time", cells.instant, required=False, past=True),
        column("items", cells.several, required=False),
        column("caregiver_identity_number", cells.identity_number, required=False, personal=True),
        column("corrected_by", cells.text(64)),
        column("approved_by", cells.text(64), required=False),
        column("corrected_date", cells.day, past=True),
    ),
    delivery=Single(lane=("identity_number",), steps=_correction_steps),
    renamed={
        "start_time": "right_start_time",
        "end_time": "right_end_time",
        "person": "identity_number",
        "visit": "start_time",
        "caregiver": "caregiver_identity_number",
    },
    also=_something_right,
    about={
        "NO_VISIT": "start_time",
        "NOTHING_CHANGED": "right_end_time",
        "DISPUTE_UPHELD": "start_time",
        "CORRECTION_PENDING": "start_time",
        "CORRECTED_TOO_OFTEN": "start_time",
        "CORRECTION_TOO_LATE": "corrected_date",
        "SAME_PERSON": "approved_by",
    },
)
