"""Files for what follows a conclusion: objections (异议), reviews (复评), appeals (申诉).

A row names the person, not the application: it is about the person's latest application of its
day. A row may come again with more of its steps filled in, and goes on where it was.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

from google.protobuf.message import Message
from ltci.assessment.v1 import appeal_service_pb2 as appeal
from ltci.assessment.v1 import assessment_service_pb2 as assessment
from ltci.assessment.v1 import assessment_types_pb2 as assessment_types
from ltci.assessment.v1 import dispute_types_pb2 as dispute_types
from ltci.assessment.v1 import objection_service_pb2 as objection
from ltci.assessment.v1 import review_service_pb2 as review

from cli import appeal as panels
from cli.connect import Connection
from cli.imports import cells
from cli.imports.kinds.assessment import ITEMS
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
from kernel.rpc.validate import Check

LONGEST_WORDS = 2_000
HIGHEST_GRADE = 5
PAGE = 1_000
_WORDS = cells.text(LONGEST_WORDS)
_NO_APPLICATION = nothing_there(
    "NO_APPLICATION",
    "the person had not applied in this pool by then",
    "截至该日，该人在本统筹区无评估申请",
)


async def latest_application(
    connection: Connection, identity_number: str, pool: str, until: date
) -> assessment.Application | None:
    """The person's newest application up to a day; None where there is none."""
    (person,) = await person_ids(connection, [identity_number])
    asked = assessment.ListApplicationsRequest(pool=pool, person=person, page_size=PAGE)
    answer = await connection.assessment.ListApplications(asked)
    known = [one for one in answer.applications if one.application_date <= str(until)]
    return known[-1] if known else None


def _about_application(values: Values, day: str, request: Callable[[str, str], Message]) -> Asking:
    """A request about the person's latest application of the day in a column."""

    async def asking(connection: Connection, request_id: str, _made: str) -> Message:
        number, pool = values["identity_number"], values["pool"]
        found = await latest_application(connection, number, pool, values[day])
        if found is None:
            raise NothingThere(_NO_APPLICATION)
        return request(request_id, found.application)

    return asking


# Objections ------------------------------------------------------------------------------------

_FILED = (
    "identity_number",
    "pool",
    "filed_date",
    "objector_name",
    "objector_contact",
    "grounds",
)
_DECIDED = ("decided_date", "outcome", "decided_by", "reasons")


def _objection_steps(values: Values) -> tuple[Step, ...]:
    filed = Step(
        name="file",
        due=at_day(values["filed_date"]),
        service="objections",
        method="FileObjection",
        columns=_FILED,
        made="objection",
        asking=_about_application(
            values,
            "filed_date",
            lambda request_id, application: objection.FileObjectionRequest(
                application=application,
                objector_name=values["objector_name"],
                objector_contact=values["objector_contact"],
                statement=values["grounds"],
                filed_date=str(values["filed_date"]),
                request_id=request_id,
            ),
        ),
    )
    if "decided_date" not in values:
        return (filed,)
    decided = Step(
        name="decide",
        due=at_day(values["decided_date"]),
        service="objections",
        method="DecideObjection",
        columns=_DECIDED,
        request=lambda request_id, made: objection.DecideObjectionRequest(
            objection=made,
            outcome=values["outcome"],
            reasoning=values["reasons"],
            decided_by=values["decided_by"],
            decided_date=str(values["decided_date"]),
            request_id=request_id,
        ),
    )
    return (filed, decided)


OBJECTIONS = Kind(
    name="objections",
    title="objections to published conclusions, with their decisions",
    title_zh="公示异议及处理结果",
    columns=(
        IDENTITY,
        POOL,
        column("filed_date", cells.day, past=True),
        column("objector_name", cells.text(100), personal=True),
        column("objector_contact", cells.text(), personal=True),
        column("grounds", _WORDS, personal=True),
        column("decided_date", cells.day, required=False, past=True),
        column(
            "outcome",
            cells.word(dispute_types.ObjectionOutcome, "OBJECTION_OUTCOME_"),
            required=False,
        ),
        column("decided_by", cells.several, required=False),
        column("reasons", _WORDS, required=False, personal=True),
    ),
    delivery=Single(lane=("identity_number",), steps=_objection_steps),
    renamed={"statement": "grounds", "reasoning": "reasons", "person": "identity_number"},
    also=whole(_DECIDED),
    about={
        "NO_APPLICATION": "identity_number",
        "NOT_IN_PUBLICITY": "filed_date",
        "REVIEW_RUNNING": "filed_date",
        "DECIDED_ALREADY": "outcome",
        "SAME_ASSESSOR": "decided_by",
    },
    identity=_FILED,
)


# Reviews ---------------------------------------------------------------------------------------

_REQUESTED = ("identity_number", "pool", "requested_date")
_SECOND_ROUND = ("assessed_date", "place", "assessor", "expert", *ITEMS)
_CONFIRMED = ("confirmed_date", "confirming_expert_1", "confirming_expert_2")


def _review_steps(values: Values) -> tuple[Step, ...]:
    requested = Step(
        name="request",
        due=at_day(values["requested_date"]),
        service="reviews",
        method="RequestReview",
        columns=_REQUESTED,
        made="application",
        asking=_about_application(
            values,
            "requested_date",
            lambda request_id, application: review.RequestReviewRequest(
                application=application,
                requested_date=str(values["requested_date"]),
                request_id=request_id,
            ),
        ),
    )
    later: list[Step] = []
    if "assessed_date" in values:
        later += [
            _review_form(values, "assessor", assessment_types.ASSESSOR_KIND_ASSESSOR),
            _review_form(values, "expert", assessment_types.ASSESSOR_KIND_EXPERT),
        ]
    if "confirmed_date" in values:
        later += [_review_confirmation(values, name) for name in _CONFIRMED[1:]]
    return (requested, *sorted(later, key=lambda step: step.due))


def _review_form(values: Values, column: str, kind: Any) -> Step:
    """One form of the second round: the assessor's or the expert's, with the same scores."""
    return Step(
        name=f"second form, {column}",
        due=at_day(values["assessed_date"]),
        service="reviews",
        method="RecordReviewForm",
        columns=("assessed_date", "place", column, *ITEMS),
        request=lambda request_id, made: review.RecordReviewFormRequest(
            application=made,
            assessor=values[column],
            assessor_kind=kind,
            assessed_date=str(values["assessed_date"]),
            scores=[assessment_types.ItemScore(item=item, score=values[item]) for item in ITEMS],
            place=values["place"],
            request_id=request_id,
        ),
    )


def _review_confirmation(values: Values, column: str) -> Step:
    return Step(
        name=f"confirmation, {column}",
        due=at_day(values["confirmed_date"]),
        service="reviews",
        method="ConfirmReview",
        columns=("confirmed_date", column),
        request=lambda request_id, made: review.ConfirmReviewRequest(
            application=made,
            expert=values[column],
            confirmed_date=str(values["confirmed_date"]),
            request_id=request_id,
        ),
    )


REVIEWS = Kind(
    name="reviews",
    title="reviews that applicants asked for, with their second round",
    title_zh="复评申请及复评各环节",
    columns=(
        IDENTITY,
        POOL,
        column("requested_date", cells.day, past=True),
        column("assessed_date", cells.day, required=False, past=True),
        column(
            "place",
            cells.word(dispute_types.AssessmentPlace, "ASSESSMENT_PLACE_"),
            required=False,
        ),
        column("assessor", cells.text(), required=False),
        column("expert", cells.text(), required=False),
        *(column(item, cells.whole(0, 100), required=False) for item in ITEMS),
        column("confirming_expert_1", cells.text(), required=False),
        column("confirming_expert_2", cells.text(), required=False),
        column("confirmed_date", cells.day, required=False, past=True),
    ),
    delivery=Single(lane=("identity_number",), steps=_review_steps),
    renamed={"person": "identity_number"},
    also=whole(_SECOND_ROUND, _CONFIRMED),
    about={
        "NO_APPLICATION": "identity_number",
        "NOT_DELIVERED": "requested_date",
        "REVIEW_TOO_LATE": "requested_date",
        "REVIEW_FINAL": "requested_date",
        "REVIEW_RUNNING": "requested_date",
        "EXPERT_MISSING": "expert",
        "SAME_EXPERT_TWICE": "confirming_expert_2",
    },
    identity=_REQUESTED,
)


# Appeals ---------------------------------------------------------------------------------------

_APPEALED = ("identity_number", "pool", "against", "filed_date", "grounds")
_JUDGED = ("decided_date", "panel", "outcome", "reasons")
_ESTABLISHED = ("grade", "effective_date")


def _appeal_steps(values: Values) -> tuple[Step, ...]:
    filed = Step(
        name="file",
        due=at_day(values["filed_date"]),
        service="appeals",
        method="FileAppeal",
        columns=_APPEALED,
        made="appeal",
        asking=_about_application(
            values,
            "filed_date",
            lambda request_id, application: appeal.FileAppealRequest(
                application=application,
                against=values["against"],
                statement=values["grounds"],
                filed_date=str(values["filed_date"]),
                request_id=request_id,
            ),
        ),
    )
    if "decided_date" not in values:
        return (filed,)
    decided = Step(
        name="decide",
        due=at_day(values["decided_date"]),
        service="appeals",
        method="DecideAppeal",
        columns=(*_JUDGED, *_ESTABLISHED),
        asking=_panel(values),
    )
    return (filed, decided)


def _panel(values: Values) -> Asking:
    """The panel sees the preview of its view, as `ltci appeal preview` shows it, and decides."""

    async def asking(connection: Connection, request_id: str, made: str) -> Message | None:
        if _decided_so(await connection.appeals.GetAppeal(appeal.GetAppealRequest(appeal=made))):
            return None  # a preview of today would be another one than the panel saw
        told = {"grade": values["grade"]} if "grade" in values else {}
        effective, digest = str(values.get("effective_date", "")), ""
        if told and effective:
            digest = (await panels.ask(connection, made, values["grade"], effective)).digest
        return appeal.DecideAppealRequest(
            appeal=made,
            outcome=values["outcome"],
            **told,
            effective_date=effective,
            panel=values["panel"],
            decided_date=str(values["decided_date"]),
            preview_digest=digest,
            reasoning=values["reasons"],
            request_id=request_id,
        )

    def _decided_so(known: appeal.Appeal) -> bool:
        return (known.outcome, known.decided_date, known.grade, known.effective_date) == (
            values["outcome"],
            str(values["decided_date"]),
            values.get("grade", 0),
            str(values.get("effective_date", "")),
        )

    return asking


def _view(check: Check, values: Values) -> None:
    """Grade and first day go together, and come with the decision."""
    whole(_JUDGED)(check, values)
    if any(name in values for name in _ESTABLISHED):
        for name in ("decided_date", *_ESTABLISHED):
            if name not in values:
                check.require(name, None)


APPEALS = Kind(
    name="appeals",
    title="appeals to a panel, with its decisions",
    title_zh="申诉及合议决定",
    columns=(
        IDENTITY,
        POOL,
        column("against", cells.word(dispute_types.AppealAgainst, "APPEAL_AGAINST_")),
        column("filed_date", cells.day, past=True),
        column("grounds", _WORDS, personal=True),
        column("decided_date", cells.day, required=False, past=True),
        column("panel", cells.several, required=False),
        column(
            "outcome", cells.word(dispute_types.AppealOutcome, "APPEAL_OUTCOME_"), required=False
        ),
        column("grade", cells.whole(0, HIGHEST_GRADE), required=False),
        column("effective_date", cells.day, required=False),
        column("reasons", _WORDS, required=False, personal=True),
    ),
    delivery=Single(lane=("identity_number",), steps=_appeal_steps),
    renamed={"statement": "grounds", "reasoning": "reasons", "person": "identity_number"},
    also=_view,
    about={
        "NO_APPLICATION": "identity_number",
        "NOTHING_TO_APPEAL": "against",
        "APPEAL_RUNNING": "filed_date",
        "APPEAL_TOO_LATE": "filed_date",
        "DECIDED_ALREADY": "outcome",
        "PANEL_TOO_SMALL": "panel",
        "PANEL_INVOLVED": "panel",
    },
    identity=_APPEALED,
)
