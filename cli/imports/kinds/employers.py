"""Files of employers: who they are, and their staff with bases by the month (用人单位)."""

from google.protobuf.message import Message
from ltci.enrollment.v1 import contribution_service_pb2 as contributions

from cli.imports import cells
from cli.imports.kinds.kind import (
    CREDIT_CODE,
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
from kernel.rpc.validate import Check

EMPLOYERS = Kind(
    name="employers",
    title="employers",
    title_zh="用人单位",
    columns=(
        CREDIT_CODE,
        column("employer_name", cells.text(200)),
        POOL,
        column("registered_date", cells.day, past=True),
    ),
    delivery=Single(
        lane=("social_credit_code",),
        steps=on_day(
            "contributions",
            "RegisterEmployer",
            lambda v, request_id: contributions.RegisterEmployerRequest(
                social_credit_code=v["social_credit_code"],
                employer_name=v["employer_name"],
                pool=v["pool"],
                registered_date=str(v["registered_date"]),
                request_id=request_id,
            ),
            "registered_date",
        ),
    ),
    about={"EMPLOYER_DIFFERS": "social_credit_code"},
)


def _staff_row(values: Values, request_id: str) -> Message:
    return contributions.StaffRow(
        social_credit_code=values["social_credit_code"],
        identity_number=values["identity_number"],
        pool=values["pool"],
        month=str(values["month"]),
        wage_fen=values.get("wage_yuan", 0),
        medical_base_fen=values.get("medical_base_yuan", 0),
        request_id=request_id,
    )


def _a_base(check: Check, values: Values) -> None:
    if "wage_yuan" not in values:
        check.require("medical_base_yuan", values.get("medical_base_yuan"))


STAFF = Kind(
    name="staff",
    title="people that employers declare for a month, with their bases",
    title_zh="单位职工及缴费基数",
    columns=(
        CREDIT_CODE,
        IDENTITY,
        POOL,
        column("month", cells.month),
        column("wage_yuan", cells.yuan(1), required=False),
        column("medical_base_yuan", cells.yuan(1), required=False),
    ),
    delivery=Bulk(
        service="contributions",
        method="ImportStaff",
        message=contributions.ImportStaffRequest,
        row=_staff_row,
        due=lambda v: at_day(v["month"].first),
    ),
    renamed={
        "wage_fen": "wage_yuan",
        "medical_base_fen": "medical_base_yuan",
        "person": "identity_number",
        "employer": "social_credit_code",
    },
    also=_a_base,
    about={"NOT_COVERED": "identity_number", "POOL_DIFFERS": "pool"},
)
