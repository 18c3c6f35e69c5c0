"""Files for enrollment: persons, contributions, life events (参保缴费)."""

from google.protobuf.message import Message
from ltci.enrollment.v1 import enrollment_service_pb2 as enrollment
from ltci.enrollment.v1 import enrollment_types_pb2 as enrollment_types

from cli.imports import cells
from cli.imports.kinds.kind import (
    IDENTITY,
    POOL,
    Bulk,
    Kind,
    Single,
    Values,
    at_day,
    column,
    on_day,
)
from kernel.ids import derive
from kernel.rpc.validate import Check


def _person_row(values: Values, request_id: str) -> Message:
    return enrollment.PersonRow(
        person=enrollment.RegisterPersonRequest(
            identity_kind=values.get("identity_kind", enrollment_types.IDENTITY_KIND_RESIDENT),
            identity_number=values["identity_number"],
            full_name=values["full_name"],
            birth_date=str(values.get("birth_date", "")),
            phone=values.get("phone", ""),
            address=values.get("address", ""),
            registered_date=str(values["registered_date"]),
            request_id=request_id,
        ),
        coverage=enrollment.StartCoverageRequest(
            pool=values["pool"],
            group=values["group"],
            start_date=str(values["coverage_start_date"]),
            tier=values.get("tier", ""),
            statuses=values.get("statuses", ()),
            request_id=str(derive("coverage", request_id)),
        ),
    )


def _resident_number(check: Check, values: Values) -> None:
    resident = enrollment_types.IDENTITY_KIND_RESIDENT
    if values.get("identity_kind", resident) == resident:
        check.identity_number("identity_number", values["identity_number"])


PERSONS = Kind(
    name="persons",
    title="people with the coverage they start",
    title_zh="参保人及参保登记",
    columns=(
        column("identity_number", cells.any_identity_number, personal=True),
        column("full_name", cells.text(100), personal=True),
        column("phone", cells.text(40), required=False, personal=True),
        column("address", cells.text(300), required=False, personal=True),
        POOL,
        column("group", cells.word(enrollment_types.InsuredGroup, "INSURED_GROUP_")),
        column("coverage_start_date", cells.day, past=True),
        column("registered_date", cells.day, past=True),
        column(
            "identity_kind",
            cells.word(enrollment_types.IdentityKind, "IDENTITY_KIND_"),
            required=False,
        ),
        column("birth_date", cells.day, required=False, personal=True),
        column("tier", cells.text(40), required=False),
        column("statuses", cells.several, required=False),
    ),
    delivery=Bulk(
        service="enrollment",
        method="ImportPersons",
        message=enrollment.ImportPersonsRequest,
        row=_person_row,
        due=lambda v: at_day(max(v["registered_date"], v["coverage_start_date"])),
    ),
    renamed={"coverage.start_date": "coverage_start_date"},
    also=_resident_number,
)

CONTRIBUTIONS = Kind(
    name="contributions",
    title="contributions that came in",
    title_zh="缴费记录",
    columns=(
        IDENTITY,
        POOL,
        column("source", cells.word(enrollment_types.ContributionSource, "CONTRIBUTION_SOURCE_")),
        column("amount_yuan", cells.yuan(1)),
        column("year", cells.whole(2000, 2100)),
        column("paid_date", cells.day, past=True),
    ),
    delivery=Bulk(
        service="enrollment",
        method="ImportContributions",
        message=enrollment.ImportContributionsRequest,
        row=lambda v, request_id: enrollment.CollectContributionRequest(
            identity_number=v["identity_number"],
            pool=v["pool"],
            source=v["source"],
            amount_fen=v["amount_yuan"],
            year=v["year"],
            paid_date=str(v["paid_date"]),
            request_id=request_id,
        ),
        due=lambda v: at_day(v["paid_date"]),
    ),
    renamed={"amount_fen": "amount_yuan", "person": "identity_number"},
)

LIFE_EVENTS = Kind(
    name="life-events",
    title="deaths, admissions, discharges, moves",
    title_zh="死亡、住院、迁出等事件",
    columns=(
        IDENTITY,
        POOL,
        column("kind", cells.word(enrollment_types.LifeEventKind, "LIFE_EVENT_KIND_")),
        column("event_date", cells.day, past=True),
        column("source", cells.word(enrollment_types.FactSource, "FACT_SOURCE_")),
    ),
    delivery=Single(
        lane=("identity_number",),
        steps=on_day(
            "enrollment",
            "ReportLifeEvent",
            lambda v, request_id: enrollment.ReportLifeEventRequest(
                identity_number=v["identity_number"],
                pool=v["pool"],
                kind=v["kind"],
                event_date=str(v["event_date"]),
                source=v["source"],
                request_id=request_id,
            ),
            "event_date",
        ),
    ),
    renamed={"person": "identity_number"},
)
