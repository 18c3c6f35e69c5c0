"""The exception queue of visits: what hangs, is disputed or waits for approval (异常服务记录)."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from ltci.provider.v1 import exception_service_pb2 as pb
from ltci.provider.v1 import exception_types_pb2 as types
from rich.text import Text

from cli.connect import DEFAULT_DATA, Connection, DataOption
from cli.output import BAD_INPUT, Failure, JsonOption, LangOption, Output
from cli.running import with_stack

PAGE = 500
KINDS = {
    "not_ended": ("not ended", "未签退"),
    "not_confirmed": ("not confirmed", "未确认"),
    "disputed": ("disputed", "有异议"),
    "correction": ("correction to approve", "更正待审批"),
}
OUTCOMES = {
    "": ("open", "待处理"),
    "ended": ("ended", "已签退"),
    "confirmed": ("confirmed", "已确认"),
    "denied": ("denied", "被否认"),
    "lapsed": ("nobody confirmed", "逾期未确认"),
    "corrected": ("corrected", "已更正"),
    "voided": ("void", "作废"),
    "upheld": ("upheld", "异议成立"),
    "not_upheld": ("not upheld", "异议不成立"),
    "approved": ("approved", "同意更正"),
    "refused": ("refused", "不同意更正"),
}


def exceptions(
    pool: Annotated[str, typer.Argument(help="Pooling area, GB/T 2260: 320400", metavar="POOL")],
    kind: Annotated[str, typer.Option("--kind", help=f"One of {', '.join(KINDS)}.")] = "",
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what is overdue.")] = False,
    every: Annotated[bool, typer.Option("--all", help="What was settled, too.")] = False,
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Visits that hang, are disputed, or wait for approval, by last day. 异常服务记录"""
    output = Output.of(lang, as_json=as_json)

    async def run(connection: Connection) -> None:
        told = await found(connection, pool, kind=kind, overdue=overdue, every=every)
        show(told, output)

    with_stack("exceptions", data, output, run)


async def found(
    connection: Connection,
    pool: str,
    *,
    kind: str = "",
    overdue: bool = False,
    every: bool = False,
) -> list[pb.Exception]:
    """All pages. Refuses (`Failure`) a kind that there is not."""
    if kind and kind not in KINDS:
        known = ", ".join(KINDS)
        raise Failure(
            f"no such kind of exception: {kind}",
            f"没有此异常类别：{kind}",
            where="--kind",
            right=f"one of {known}",
            right_zh=f"可填：{known}",
            code=BAD_INPUT,
        )
    request = pb.ListExceptionsRequest(
        pool=pool,
        kind=types.ExceptionKind.Value(f"EXCEPTION_KIND_{kind.upper()}" if kind else _ALL),
        overdue=overdue,
        settled=every,
        page_size=PAGE,
    )
    told: list[pb.Exception] = []
    while True:
        page = await connection.exceptions.ListExceptions(request)
        told += page.exceptions
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return told


def show(told: Sequence[pb.Exception], output: Output) -> None:
    """By last day; late ones red."""
    output.document([as_json(one) for one in told])
    late = sum(one.overdue for one in told)
    output.table(
        output.text("Exception queue of visits", "异常服务记录"),
        output.columns(
            ("visit", "服务"),
            ("why", "类别"),
            ("provider", "机构"),
            ("since", "列入日"),
            ("last day", "期限"),
            ("state", "状态"),
            ("by", "处理人"),
        ),
        [_row(one, output) for one in told],
    )
    output.show(
        f"{len(told)} exceptions, {late} overdue",
        f"共 {len(told)} 项异常，其中 {late} 项超期",
    )


def _row(one: pb.Exception, output: Output) -> Sequence[object]:
    state = output.text("OVERDUE", "超期") if one.overdue else output.text(*OUTCOMES[_outcome(one)])
    cells = (
        one.visit,
        output.text(*KINDS[_kind(one)]),
        one.provider,
        one.opened_date,
        one.due_date,
        state,
        one.settled_by,
    )
    return tuple(Text(cell, style="red") for cell in cells) if one.overdue else cells


def as_json(one: pb.Exception) -> dict[str, Any]:
    told: dict[str, Any] = {field.name: getattr(one, field.name) for field in one.DESCRIPTOR.fields}
    return told | {"kind": _kind(one), "outcome": _outcome(one)}


def _kind(one: pb.Exception) -> str:
    return types.ExceptionKind.Name(one.kind).removeprefix("EXCEPTION_KIND_").lower()


def _outcome(one: pb.Exception) -> str:
    """Empty while it is open."""
    if not one.outcome:
        return ""
    return types.ExceptionOutcome.Name(one.outcome).removeprefix("EXCEPTION_OUTCOME_").lower()


_ALL = "EXCEPTION_KIND_UNSPECIFIED"
