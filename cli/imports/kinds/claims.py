"""Files of what providers claim (费用申报)."""

from datetime import datetime

from ltci.provider.v1 import claim_service_pb2 as pb

from cli.imports import cells
from cli.imports.kinds.kind import CREDIT_CODE, IDENTITY, POOL, Bulk, Kind, Values, at_day, column


def _due(values: Values) -> datetime:
    """A month is claimed from the first day after it."""
    return at_day(values["month"].next().first)


CLAIMS = Kind(
    name="claims",
    title="lines of providers' monthly claims",
    title_zh="定点机构费用申报明细",
    columns=(
        CREDIT_CODE,
        POOL,
        column("month", cells.month),
        IDENTITY,
        column("start_date", cells.day, past=True),
        column("items", cells.several),
        column("amount_yuan", cells.yuan(1)),
    ),
    delivery=Bulk(
        service="claims",
        method="ImportClaimLines",
        message=pb.ImportClaimLinesRequest,
        row=lambda v, request_id: pb.ClaimLineRow(
            social_credit_code=v["social_credit_code"],
            pool=v["pool"],
            month=str(v["month"]),
            identity_number=v["identity_number"],
            start_date=str(v["start_date"]),
            items=v["items"],
            amount_fen=v["amount_yuan"],
            request_id=request_id,
        ),
        due=_due,
        rows_a_message=500,
    ),
    renamed={
        "amount_fen": "amount_yuan",
        "provider": "social_credit_code",
        "visit": "identity_number",
    },
)
