"""Legal clocks: which run, which are overdue, and who was in time (时限)."""

import asyncio
import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from google.protobuf.message import Message
from ltci.assessment.v1 import clock_service_pb2 as pb
from ltci.assessment.v1 import clock_service_pb2_grpc as pb_grpc
from ltci.assessment.v1 import clock_types_pb2 as types
from rich.text import Text

from cli.connect import DEFAULT_DATA, Connection, DataOption
from cli.output import JsonOption, LangOption, Output
from cli.traced import traced
from cli.two_times import day

PAGE = 500
SOON = 3  # working days left from which a clock is worth a colour
YEAR = dt.timedelta(days=364)
STEPS = {
    "COMPLETENESS_CHECK": ("check of completeness", "受理审核"),
    "SUPPLEMENT": ("missing papers", "补正"),
    "ON_SITE": ("visit on site", "现场评估"),
    "CONCLUSION": ("conclusion", "评估结论"),
    "PUBLICATION": ("publication", "公示"),
    "PUBLICITY": ("publicity", "公示期"),
    "DELIVERY": ("delivery", "送达"),
    "REVIEW_REQUEST": ("time to ask for a review", "复评申请期"),
    "VALIDITY": ("validity", "有效期"),
    "PERIODIC_REASSESSMENT": ("periodic reassessment", "定期评估"),
    "CHANGE_REASSESSMENT": ("reassessment after a change", "状态变更评估"),
    "OBJECTION": ("decision on an objection", "异议处理"),
    "REVIEW": ("review", "复评"),
    "APPEAL": ("decision on an appeal", "申诉处理"),
}
STATES = {
    "RUNNING": ("runs", "计时中"),
    "PAUSED": ("stands", "中止"),
    "OVERDUE": ("OVERDUE", "超期"),
    "IN_TIME": ("in time", "按期"),
    "LATE": ("late", "超期办结"),
    "OVER": ("over", "期满"),
    "VOID": ("not needed", "无需办理"),
}


def clocks(
    pool: Annotated[
        str, typer.Argument(help="Pooling area, GB/T 2260: 320400; all if none.", metavar="[POOL]")
    ] = "",
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what is overdue.")] = False,
    every: Annotated[
        bool, typer.Option("--all", help="What ended and the validity of conclusions, too.")
    ] = False,
    punctuality: Annotated[
        bool, typer.Option("--punctuality", help="How often each step was done in time.")
    ] = False,
    first: Annotated[
        str, typer.Option("--from", metavar="DAY", help="With --punctuality; a year ago if none.")
    ] = "",
    last: Annotated[
        str, typer.Option("--to", metavar="DAY", help="With --punctuality; today if none.")
    ] = "",
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Legal clocks of assessments: running, overdue, days left; who was in time. 评估时限"""
    output = Output.of(lang, as_json=as_json)

    async def show() -> None:
        async with Connection.to_stack(data) as connection:
            if not punctuality:
                told = await found(connection, pool, overdue=overdue, every=every)
                show_clocks(told, output)
                return
            until = day(last, "--to") if last else connection.clock().today()
            since = day(first, "--from") if first else until - YEAR
            show_punctuality(await punctual(connection, pool, since, until), output)

    with output.expected_errors(), traced("clocks"):
        asyncio.run(show())


async def found(
    connection: Connection, pool: str, *, overdue: bool = False, every: bool = False
) -> list[types.Clock]:
    """All pages. The validity of conclusions is left out unless everything is asked for."""
    kind = pb.CLOCK_FILTER_UNSPECIFIED
    if overdue:
        kind = pb.CLOCK_FILTER_OVERDUE
    elif every:
        kind = pb.CLOCK_FILTER_ALL
    request = pb.ListClocksRequest(pool=pool, filter=kind, page_size=PAGE)
    if not every:
        request.steps.extend(
            types.ClockStep.Value(f"CLOCK_STEP_{step}") for step in STEPS if step != "VALIDITY"
        )
    told: list[types.Clock] = []
    while True:
        page = await _stub(connection).ListClocks(request)
        told += page.clocks
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return told


async def punctual(
    connection: Connection, pool: str, first: dt.date, last: dt.date
) -> pb.Punctuality:
    return await _stub(connection).GetPunctuality(
        pb.GetPunctualityRequest(
            pool=pool, first_date=first.isoformat(), last_date=last.isoformat()
        )
    )


def show_clocks(told: Sequence[types.Clock], output: Output) -> None:
    """By last day; late ones red, those of the next days yellow, those that stand blue."""
    output.document([_as_json(one) for one in told])
    late = sum(one.state == types.CLOCK_STATE_OVERDUE for one in told)
    output.table(
        output.text("Legal clocks", "评估时限"),
        output.columns(
            ("pool", "统筹区"),
            ("application", "申请"),
            ("step", "环节"),
            ("state", "状态"),
            ("last day", "期限"),
            ("working days left", "剩余工作日"),
            ("", ""),
        ),
        [_row(one, output) for one in told],
        right=(5,),
    )
    output.show(
        f"{len(told)} clocks, {late} overdue",
        f"共 {len(told)} 项时限，其中 {late} 项超期",
    )


def show_punctuality(told: pb.Punctuality, output: Output) -> None:
    """Step by step: done, in time, late, the share, and what is open today."""
    output.document(
        {
            "pool": told.pool,
            "first_date": told.first_date,
            "last_date": told.last_date,
            "steps": [_as_json(one) for one in told.steps],
        }
    )
    where = told.pool or output.text("all pools", "全部统筹区")
    output.table(
        output.text(
            f"In time, {where}, {told.first_date} to {told.last_date}",
            f"{where} {told.first_date} 至 {told.last_date} 时限达标情况",
        ),
        output.columns(
            ("step", "环节"),
            ("done", "办结"),
            ("in time", "按期"),
            ("late", "超期"),
            ("share in time", "达标率"),
            ("days on average", "平均天数"),
            ("overdue now", "当前超期"),
            ("open now", "当前在办"),
        ),
        [
            (
                output.text(*STEPS[_name(one, "step")]),
                one.done_count,
                one.in_time_count,
                one.late_count,
                f"{_hundredths(one.in_time_basis_points)} %" if one.done_count else "",
                _mean(one.total_days_count, one.done_count),
                one.overdue_count,
                one.running_count,
            )
            for one in told.steps
        ],
        right=(1, 2, 3, 4, 5, 6, 7),
    )


def _row(one: types.Clock, output: Output) -> Sequence[object]:
    state = _name(one, "state")
    cells = (
        one.pool,
        one.application or one.person,
        output.text(*STEPS[_name(one, "step")]),
        output.text(*STATES[state]),
        one.due_date,
        one.working_days_left_count,
        _remark(one, output),
    )
    style = _style(one, state)
    return tuple(Text(str(cell), style=style) for cell in cells) if style else cells


def _style(one: types.Clock, state: str) -> str:
    if state in {"OVERDUE", "LATE"}:
        return "red"
    if state == "PAUSED":
        return "blue"
    soon = state == "RUNNING" and not one.period and one.working_days_left_count <= SOON
    return "yellow" if soon else ""


def _remark(one: types.Clock, output: Output) -> str:
    if one.pause_reason:
        return one.pause_reason
    told = []
    if one.reminded:
        told.append(output.text("reminded", "已催办"))
    if one.missed:
        told.append(output.text("escalated", "已上报"))
    if one.paused_days_count:
        told.append(
            output.text(f"stood {one.paused_days_count} days", f"中止{one.paused_days_count}天")
        )
    return ", ".join(told)


def _name(message: Message, field: str) -> str:
    """The word of an enum on the wire, without its prefix: "CONCLUSION"."""
    enum: Any = message.DESCRIPTOR.fields_by_name[field].enum_type
    prefix = enum.values[0].name.removesuffix("UNSPECIFIED")
    name: str = enum.values_by_number[getattr(message, field)].name
    return name.removeprefix(prefix)


def _as_json(message: Message) -> dict[str, Any]:
    return {
        field.name: _name(message, field.name) if field.enum_type else getattr(message, field.name)
        for field in message.DESCRIPTOR.fields
    }


def _hundredths(number: int) -> str:
    return f"{number // 100}.{number % 100:02d}"


def _mean(total: int, count: int) -> str:
    """Days with one digit, rounded half up: whole numbers only."""
    if not count:
        return ""
    tenths = (total * 20 + count) // (2 * count)
    return f"{tenths // 10}.{tenths % 10}"


def _stub(connection: Connection) -> "pb_grpc.ClockServiceAsyncStub":
    return pb_grpc.ClockServiceStub(connection.channel("assessment"))
