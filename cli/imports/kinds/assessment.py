"""Files for assessment: applications with the steps of their assessment (失能评估)."""

from collections.abc import Callable, Sequence
from typing import Any

from google.protobuf.message import Message
from ltci.assessment.v1 import assessment_service_pb2 as assessment
from ltci.assessment.v1 import assessment_types_pb2 as assessment_types

from cli.imports import cells
from cli.imports.kinds.kind import IDENTITY, POOL, Kind, Single, Step, Values, at_day, column
from kernel.rpc.validate import Check

# Secondary indicators in the order of the form. Source: 医保办发〔2021〕37号.
ITEMS = (
    "adl_feeding",
    "adl_dressing",
    "adl_face_oral",
    "adl_bowel",
    "adl_bladder",
    "adl_toilet",
    "adl_walking",
    "adl_transfer",
    "adl_stairs",
    "adl_bathing",
    "cog_time",
    "cog_person",
    "cog_space",
    "cog_memory",
    "per_vision",
    "per_hearing",
    "per_communication",
)

_APPLICATION = (
    "identity_number",
    "pool",
    "kind",
    "application_date",
    "disabled_since_date",
    "missing_papers",
    "agent_name",
)
_ON_SITE = ("assessed_date", "assessor", "expert", *ITEMS)
_CONFIRMATION = ("confirming_expert_1", "confirming_expert_2", "confirmed_date")


def _application_steps(values: Values) -> tuple[Step, ...]:
    """The submission first, then the other steps that the row has, by their days."""
    later = [
        *_papers_supplied(values),
        *_withdrawal(values),
        *_on_site(values),
        *_confirmations(values),
    ]
    return (_submission(values), *sorted(later, key=lambda step: step.due))


def _submission(values: Values) -> Step:
    return Step(
        name="submit",
        due=at_day(values["application_date"]),
        service="assessment",
        method="SubmitApplication",
        columns=_APPLICATION,
        made="application",
        request=lambda request_id, _: assessment.SubmitApplicationRequest(
            identity_number=values["identity_number"],
            pool=values["pool"],
            kind=values["kind"],
            application_date=str(values["application_date"]),
            disabled_since_date=str(values["disabled_since_date"]),
            missing_papers=values.get("missing_papers", ()),
            agent_name=values.get("agent_name", ""),
            request_id=request_id,
        ),
    )


def _papers_supplied(values: Values) -> Sequence[Step]:
    if "papers_supplied_date" not in values:
        return ()
    step = Step(
        name="supply papers",
        due=at_day(values["papers_supplied_date"]),
        service="assessment",
        method="SupplyPapers",
        columns=("papers_supplied_date",),
        request=lambda request_id, application: assessment.SupplyPapersRequest(
            application=application,
            received_date=str(values["papers_supplied_date"]),
            request_id=request_id,
        ),
    )
    return (step,)


def _withdrawal(values: Values) -> Sequence[Step]:
    if "withdrawn_date" not in values:
        return ()
    step = Step(
        name="withdraw",
        due=at_day(values["withdrawn_date"]),
        service="assessment",
        method="WithdrawApplication",
        columns=("withdrawn_date",),
        request=lambda request_id, application: assessment.WithdrawApplicationRequest(
            application=application,
            withdrawn_date=str(values["withdrawn_date"]),
            deemed=False,
            request_id=request_id,
        ),
    )
    return (step,)


def _on_site(values: Values) -> Sequence[Step]:
    """The two forms, the assessor's and the expert's, with the same scores."""
    if "assessed_date" not in values:
        return ()
    return tuple(
        Step(
            name=f"on-site form, {column}",
            due=at_day(values["assessed_date"]),
            service="assessment",
            method="RecordOnSite",
            columns=("assessed_date", column, *ITEMS),
            request=_form(values, column, kind),
        )
        for column, kind in (
            ("assessor", assessment_types.ASSESSOR_KIND_ASSESSOR),
            ("expert", assessment_types.ASSESSOR_KIND_EXPERT),
        )
    )


def _form(values: Values, column: str, kind: Any) -> Callable[[str, str], Message]:
    return lambda request_id, application: assessment.RecordOnSiteRequest(
        application=application,
        assessor=values[column],
        assessor_kind=kind,
        assessed_date=str(values["assessed_date"]),
        scores=[assessment_types.ItemScore(item=item, score=values[item]) for item in ITEMS],
        request_id=request_id,
    )


def _confirmations(values: Values) -> Sequence[Step]:
    if "confirmed_date" not in values:
        return ()
    return tuple(
        Step(
            name=f"confirmation, {column}",
            due=at_day(values["confirmed_date"]),
            service="assessment",
            method="ConfirmConclusion",
            columns=("confirmed_date", column),
            request=_confirmation(values, column),
        )
        for column in ("confirming_expert_1", "confirming_expert_2")
    )


def _confirmation(values: Values, column: str) -> Callable[[str, str], Message]:
    return lambda request_id, application: assessment.ConfirmConclusionRequest(
        application=application,
        expert=values[column],
        confirmed_date=str(values["confirmed_date"]),
        request_id=request_id,
    )


def _whole_steps(check: Check, values: Values) -> None:
    """A step is there with all of its columns or not at all."""
    for group in (_ON_SITE, _CONFIRMATION):
        given = [column for column in group if column in values]
        if given:
            for column in group:
                check.require(column, values.get(column))


APPLICATIONS = Kind(
    name="applications",
    title="applications with the steps of their assessment",
    title_zh="失能评估申请及评估各环节",
    columns=(
        IDENTITY,
        POOL,
        column("kind", cells.word(assessment_types.ApplicationKind, "APPLICATION_KIND_")),
        column("application_date", cells.day, past=True),
        column("disabled_since_date", cells.day, past=True),
        column("missing_papers", cells.several, required=False),
        column("papers_supplied_date", cells.day, required=False, past=True),
        column("withdrawn_date", cells.day, required=False, past=True),
        column("assessed_date", cells.day, required=False, past=True),
        column("assessor", cells.text(), required=False),
        column("expert", cells.text(), required=False),
        *(column(item, cells.whole(0, 100), required=False) for item in ITEMS),
        column("confirming_expert_1", cells.text(), required=False),
        column("confirming_expert_2", cells.text(), required=False),
        column("confirmed_date", cells.day, required=False, past=True),
        column("agent_name", cells.text(100), required=False, personal=True),
    ),
    delivery=Single(lane=("identity_number",), steps=_application_steps),
    renamed={"person": "identity_number", "received_date": "papers_supplied_date"},
    also=_whole_steps,
    identity=_APPLICATION,
)
