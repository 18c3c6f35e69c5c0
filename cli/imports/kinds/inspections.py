"""Files that move cases along (案件查处): told, answered, heard, decided, appealed.

A row with a sample or a complaint opens its case. A row without is about the latest case of the
provider, or of its caregiver, by then: what detectors flagged opens cases by itself. A row may come
again with more of its steps filled in, and goes on where it was.
"""

from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message
from ltci.provider.v1 import inspection_service_pb2 as pb
from ltci.provider.v1 import inspection_types_pb2 as types
from ltci.provider.v1 import provider_types_pb2

from cli.connect import Connection
from cli.imports import cells
from cli.imports.kinds.kind import (
    CREDIT_CODE,
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
)
from cli.people import person_ids
from kernel.ids import derive
from kernel.rpc.validate import Check
from services.provider.application.streams import provider_named

LONGEST_WORDS = 2_000
PAGE = 1_000
YES = "yes"
_WORDS = cells.text(LONGEST_WORDS)
_CASE = ("pool", "social_credit_code", "caregiver_identity_number", "opened_date", "cause")
_OPENED = ("opened_date", "cause", "opened_by")
_NOTICED = ("noticed_date", "officer")
_ANSWERED = ("answered_date", "statement")
_HEARD = ("held_date", "hearing_officers")
_DECIDED = ("decided_date", "verdict", "why", "decided_by", "reasons")
_APPEALED = ("appealed_date", "appeal_statement")
_JUDGED = ("appeal_decided_date", "appeal_outcome", "appeal_decided_by", "appeal_reasons")
_Make = Callable[[str, str], Message]  # of request id and inspection
_NO_CASE = nothing_there(
    "NO_INSPECTION",
    "no case was opened about this provider and caregiver by then",
    "截至该日，尚无涉及该机构和该护理人员的案件",
)


async def latest_case(connection: Connection, values: Values, until: str) -> str | None:
    """The newest case about the provider, or its caregiver, up to a day; None where none is."""
    caregiver = await _caregiver(connection, values)
    asked = pb.ListInspectionsRequest(
        pool=values["pool"],
        provider=str(provider_named(values["social_credit_code"])),
        page_size=PAGE,
    )
    found = ""
    while True:
        page = await connection.inspections.ListInspections(asked)
        for case in page.inspections:
            if case.opened_date <= until and case.caregiver == caregiver:
                found = case.inspection
        asked.page_token = page.next_page_token
        if not page.next_page_token:
            return found or None


async def _caregiver(connection: Connection, values: Values) -> str:
    number = values.get("caregiver_identity_number")
    return (await person_ids(connection, [number]))[0] if number else ""


def _steps(values: Values) -> tuple[Step, ...]:
    """The steps whose day is filled in, in the order of a case."""
    made = [
        _step("open", values, "opened_date", "OpenInspection", _OPENED, None),
        _step("notice", values, "noticed_date", "SendNotice", _NOTICED, _notice),
        _step("answer", values, "answered_date", "FileStatement", _ANSWERED, _answer),
        _step("hearing", values, "held_date", "HoldHearing", _HEARD, _hearing),
        _step("decide", values, "decided_date", "DecideInspection", _DECIDED, _decision),
        _step("appeal", values, "appealed_date", "AppealInspection", _APPEALED, _appeal),
        _step(
            "decide the appeal",
            values,
            "appeal_decided_date",
            "DecideInspectionAppeal",
            _JUDGED,
            _judgment,
        ),
    ]
    return tuple(step for step in made if step is not None)


def _step(
    name: str,
    values: Values,
    day: str,
    method: str,
    columns: tuple[str, ...],
    make: Callable[[Values], _Make] | None,
) -> Step | None:
    if day not in values:
        return None
    return Step(
        name=name,
        due=at_day(values[day]),
        service="inspections",
        method=method,
        columns=(*_CASE, *columns),
        asking=_opening(values) if make is None else _about(values, day, make(values)),
        made="inspection",
    )


def _opening(values: Values) -> Asking:
    async def asking(connection: Connection, request_id: str, _made: str) -> Message:
        provider = str(provider_named(values["social_credit_code"]))
        return pb.OpenInspectionRequest(
            cause=values["cause"],
            source=str(derive("import", request_id)),
            pool=values["pool"],
            provider=provider,
            caregiver=await _caregiver(connection, values),
            officer=values["opened_by"],
            opened_date=str(values["opened_date"]),
            request_id=request_id,
        )

    return asking


def _about(values: Values, day: str, make: _Make) -> Asking:
    """A request about the case that an earlier step named, else about the latest by then."""

    async def asking(connection: Connection, request_id: str, made: str) -> Message:
        case = made or await latest_case(connection, values, str(values[day]))
        if case is None:
            raise NothingThere(_NO_CASE)
        return make(request_id, case)

    return asking


def _notice(values: Values) -> _Make:
    return lambda request_id, case: pb.SendNoticeRequest(
        inspection=case,
        officer=values["officer"],
        noticed_date=str(values["noticed_date"]),
        request_id=request_id,
    )


def _answer(values: Values) -> _Make:
    return lambda request_id, case: pb.FileStatementRequest(
        inspection=case,
        statement=values["statement"],
        hearing_wanted=values.get("hearing_wanted") == YES,
        filed_date=str(values["answered_date"]),
        request_id=request_id,
    )


def _hearing(values: Values) -> _Make:
    record = values.get("hearing_record", "")
    return lambda request_id, case: pb.HoldHearingRequest(
        inspection=case,
        officers=values["hearing_officers"],
        attended=bool(record),
        statement=record,
        held_date=str(values["held_date"]),
        request_id=request_id,
    )


def _decision(values: Values) -> _Make:
    return lambda request_id, case: pb.DecideInspectionRequest(
        inspection=case,
        verdict=values["verdict"],
        cause=values["why"],
        decided_by=values["decided_by"],
        decided_date=str(values["decided_date"]),
        reasoning=values["reasons"],
        proposed_measure=values.get("proposed_measure", 0),
        proposed_article=values.get("proposed_article", ""),
        request_id=request_id,
    )


def _appeal(values: Values) -> _Make:
    return lambda request_id, case: pb.AppealInspectionRequest(
        inspection=case,
        statement=values["appeal_statement"],
        filed_date=str(values["appealed_date"]),
        request_id=request_id,
    )


def _judgment(values: Values) -> _Make:
    return lambda request_id, case: pb.DecideInspectionAppealRequest(
        inspection=case,
        outcome=values["appeal_outcome"],
        decided_by=values["appeal_decided_by"],
        decided_date=str(values["appeal_decided_date"]),
        reasoning=values["appeal_reasons"],
        request_id=request_id,
    )


def _whole(check: Check, values: Values) -> None:
    """A step is there with all of its columns or not at all, and some step is there."""
    groups = (_OPENED, _NOTICED, _ANSWERED, _HEARD, _DECIDED, _APPEALED, _JUDGED)
    for group in groups:
        if any(name in values for name in group):
            for name in group:
                check.require(name, values.get(name))
    if not any(group[0] in values for group in groups):
        check.require("noticed_date", None)
    if "proposed_measure" in values:
        check.require("proposed_article", values.get("proposed_article"))


def _optional(name: str, read: Any, **more: bool) -> Any:
    return column(name, read, required=False, **more)


INSPECTIONS = Kind(
    name="inspections",
    title="cases against providers and caregivers, step by step",
    title_zh="案件查处各环节",
    columns=(
        POOL,
        CREDIT_CODE,
        _optional("caregiver_identity_number", cells.identity_number, personal=True),
        _optional("opened_date", cells.day, past=True),
        _optional("cause", cells.word(types.InspectionCause, "INSPECTION_CAUSE_")),
        _optional("opened_by", cells.text(64)),
        _optional("noticed_date", cells.day, past=True),
        _optional("officer", cells.text(64)),
        _optional("answered_date", cells.day, past=True),
        _optional("statement", _WORDS, personal=True),
        _optional("hearing_wanted", cells.one_of(YES, "no")),
        _optional("held_date", cells.day, past=True),
        _optional("hearing_officers", cells.several),
        _optional("hearing_record", _WORDS, personal=True),
        _optional("decided_date", cells.day, past=True),
        _optional("verdict", cells.word(types.InspectionVerdict, "INSPECTION_VERDICT_")),
        _optional("why", cells.text()),
        _optional("decided_by", cells.several),
        _optional("reasons", _WORDS, personal=True),
        _optional(
            "proposed_measure",
            cells.word(provider_types_pb2.SanctionMeasure, "SANCTION_MEASURE_"),
        ),
        _optional("proposed_article", cells.text(100)),
        _optional("appealed_date", cells.day, past=True),
        _optional("appeal_statement", _WORDS, personal=True),
        _optional("appeal_decided_date", cells.day, past=True),
        _optional(
            "appeal_outcome",
            cells.word(types.InspectionAppealOutcome, "INSPECTION_APPEAL_OUTCOME_"),
        ),
        _optional("appeal_decided_by", cells.several),
        _optional("appeal_reasons", _WORDS, personal=True),
    ),
    delivery=Single(lane=("pool", "social_credit_code"), steps=_steps),
    renamed={"reasoning": "reasons", "provider": "social_credit_code"},
    also=_whole,
    about={
        "NO_INSPECTION": "social_credit_code",
        "NOT_NOTICED": "noticed_date",
        "RESPOND_PERIOD_OPEN": "decided_date",
        "HEARING_DUE": "held_date",
        "SAME_OFFICER": "decided_by",
        "TOO_FEW_OFFICERS": "decided_by",
        "DECIDED_ALREADY": "verdict",
        "APPEAL_TOO_LATE": "appealed_date",
        "NOTHING_TO_APPEAL": "appealed_date",
    },
    identity=_CASE,
)
