"""Files for how providers are sanctioned (违约处理), and who takes their people over (移交)."""

from typing import Any

from google.protobuf.message import Message
from ltci.provider.v1 import provider_types_pb2 as types
from ltci.provider.v1 import sanction_service_pb2 as sanction

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
from cli.providers import providers
from kernel.rpc.errors import Problem
from kernel.rpc.validate import Check

PLACES = 10_000  # of a receiver where the file names no number
_IMPOSED = ("social_credit_code", "pool", "measure", "start_date", "end_date", "cause", "article")
_HANDED_OVER = ("handover_date", "receivers", "places")


def _unknown(code: str) -> Problem:
    return nothing_there(
        "PROVIDER_UNKNOWN",
        f"no provider with the code {code} is designated in this pool",
        f"本统筹区没有代码为 {code} 的定点机构",
    )


async def _named(connection: Connection, pool: str, codes: list[str]) -> list[str]:
    known = await providers(connection, pool)
    for code in codes:
        if code not in known:
            raise NothingThere(_unknown(code))
    return [known[code] for code in codes]


def _imposing(values: Values) -> Asking:
    async def asking(connection: Connection, request_id: str, _made: str) -> Message:
        # The receivers, too: nobody is suspended by a row that cannot be carried out.
        codes = [values["social_credit_code"], *values.get("receivers", ())]
        name, *_ = await _named(connection, values["pool"], codes)
        return sanction.ImposeSanctionRequest(
            provider=name,
            measure=values["measure"],
            start_date=str(values["start_date"]),
            end_date=str(values.get("end_date", "")),
            cause=values["cause"],
            article=values["article"],
            request_id=request_id,
        )

    return asking


def _handing_over(values: Values) -> Asking:
    async def asking(connection: Connection, request_id: str, _made: str) -> Message:
        codes = [values["social_credit_code"], *values["receivers"]]
        name, *receivers = await _named(connection, values["pool"], codes)
        places = values.get("places", PLACES)
        return sanction.HandOverPlansRequest(
            provider=name,
            handover_date=str(values["handover_date"]),
            receivers=[sanction.Receiver(provider=one, places_count=places) for one in receivers],
            request_id=request_id,
        )

    return asking


def _steps(values: Values) -> tuple[Step, ...]:
    imposed = Step(
        name="impose",
        due=at_day(values["start_date"]),
        service="sanctions",
        method="ImposeSanction",
        columns=_IMPOSED,
        asking=_imposing(values),
    )
    if "handover_date" not in values:
        return (imposed,)
    handed_over = Step(
        name="hand over",
        due=at_day(values["handover_date"]),
        service="sanctions",
        method="HandOverPlans",
        columns=_HANDED_OVER,
        asking=_handing_over(values),
    )
    return (imposed, handed_over)


def _together(check: Check, values: Values) -> None:
    """Days in order; a handing over with its receivers, or none."""
    for last in ("end_date", "handover_date"):
        if last in values:
            check.in_order(last, values["start_date"], values[last])
    if "handover_date" in values and not values.get("receivers"):
        check.require("receivers", None)
    if "receivers" in values and "handover_date" not in values:
        check.require("handover_date", None)


def _measures() -> Any:
    return cells.word(types.SanctionMeasure, "SANCTION_MEASURE_")


SANCTIONS = Kind(
    name="sanctions",
    title="sanctions of providers, with the handing over of their plans",
    title_zh="定点机构违约处理及服务对象移交",
    columns=(
        CREDIT_CODE,
        POOL,
        column("measure", _measures()),
        column("start_date", cells.day),
        column("end_date", cells.day, required=False),
        column("cause", cells.text(300)),
        column("article", cells.text(100)),
        column("handover_date", cells.day, required=False),
        column("receivers", cells.several, required=False),
        column("places", cells.whole(1, 100_000), required=False),
    ),
    delivery=Single(lane=("social_credit_code",), steps=_steps),
    renamed={"provider": "social_credit_code"},
    also=_together,
    about={
        "PROVIDER_UNKNOWN": "social_credit_code",
        "PROVIDER_SERVES": "handover_date",
        "RECEIVER_NOT_IN_FORCE": "receivers",
        "PROVIDER_NOT_IN_POOL": "receivers",
    },
    identity=_IMPOSED,
)
