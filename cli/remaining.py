"""What the caps and quotas of a person's month have left (当月剩余额度); nothing is recorded."""

import asyncio
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import grpc
import typer
from google.protobuf.json_format import MessageToDict
from ltci.provider.v1 import booking_service_pb2 as pb

from cli.connect import DEFAULT_DATA, Connection, DataOption
from cli.output import BAD_INPUT, Failure, JsonOption, LangOption, Output, money
from cli.people import person_id
from cli.traced import traced
from kernel.calendar import Month
from kernel.rpc.errors import explain

_UNITS_ZH = {"money": "金额（元）", "minutes": "分钟", "visits": "次数"}


def remaining(
    person: Annotated[str, typer.Argument(help="Identity number, or a person's id")],
    pool: Annotated[str, typer.Argument(help="Pooling area, GB/T 2260: 320400", metavar="POOL")],
    month: Annotated[
        str, typer.Option("--month", metavar="MONTH", help="2024-03; this month without.")
    ] = "",
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a person's month has left of caps and quotas. 当月剩余额度"""
    output = Output.of(lang, as_json=as_json)
    with output.expected_errors(), traced("remaining"):
        asyncio.run(_show(data, person, pool, month, output))


def day_of(month: str, today: date) -> str:
    """The day that is asked about: today in its own month, else the first; refuses no month."""
    try:
        told = Month.parse(month) if month else Month.of(today)
    except ValueError:
        raise Failure(
            f"this is no month: {month}",
            f"月份无效：{month}",
            where="--month",
            right="a month is written like 2024-03",
            right_zh="月份格式如 2024-03",
            code=BAD_INPUT,
        ) from None
    return (today if today in told else told.first).isoformat()


async def ask(connection: Connection, person: str, pool: str, day: str) -> pb.RemainingMonth:
    """The service's answer; a refusal becomes words."""
    request = pb.GetRemainingMonthRequest(person=person, pool=pool, on_date=day)
    try:
        answer: pb.RemainingMonth = await connection.bookings.GetRemainingMonth(request)
    except grpc.aio.AioRpcError as error:
        raise Failure.of_call(explain(error), where="PERSON POOL") from None
    return answer


def told(answer: pb.RemainingMonth) -> dict[str, Any]:
    """The answer for machines."""
    return MessageToDict(
        answer, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def show(answer: pb.RemainingMonth, output: Output) -> None:
    """The answer for people: how the person stands, then each cap and quota in a line."""
    if not answer.entitled:
        output.show(
            f"{answer.month}: not entitled; the fund pays nothing until an entitlement is open",
            f"{answer.month}：未享受待遇；待遇核定开通后方由基金支付",
        )
    elif not answer.plan:
        output.show(
            f"{answer.month}: grade {answer.grade}, no care plan in force",
            f"{answer.month}：失能等级{answer.grade}，无生效护理计划",
        )
    else:
        output.show(
            f"{answer.month}: grade {answer.grade}, {answer.booking_count} bookings counted;"
            " care given without a booking is counted at the settlement",
            f"{answer.month}：失能等级{answer.grade}，计入预约{answer.booking_count}次；"
            "未经预约的服务在结算时计入",
        )
    if answer.remaining:
        output.table(
            output.text("Left of the month", "当月剩余额度"),
            output.columns(
                ("part", "项目"),
                ("unit", "单位"),
                ("limit", "限额"),
                ("used", "已用"),
                ("left", "剩余"),
                ("own cost", "自费"),
            ),
            [
                (
                    one.component,
                    output.text(one.unit, _UNITS_ZH[one.unit]),
                    *(
                        money(number) if one.unit == "money" else number
                        for number in (one.limit, one.used, one.left, one.over)
                    ),
                )
                for one in answer.remaining
            ],
            right=(2, 3, 4, 5),
        )


async def _show(data: Path, person: str, pool: str, month: str, output: Output) -> None:
    async with Connection.to_stack(data) as connection:
        day = day_of(month, connection.clock().today())
        answer = await ask(connection, await person_id(connection, person), pool, day)
    output.document(told(answer))
    show(answer, output)
