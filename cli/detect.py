"""What detectors flagged, and what they would have found in the past (风险筛查): `ltci detect`."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from google.protobuf.json_format import MessageToDict
from ltci.provider.v1 import detection_service_pb2 as pb
from ltci.provider.v1 import detection_service_pb2_grpc as pb_grpc
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from cli.connect import DEFAULT_DATA, Connection, DataOption
from cli.output import JsonOption, LangOption, Output, money
from cli.running import with_stack
from cli.two_times import day

PAGE = 1_000
SHOWN = 40  # flags that people are shown; machines get all
STATES = {
    pb.FLAG_STATE_UNSPECIFIED: ("", ""),
    pb.FLAG_STATE_OPEN: ("held", "暂缓支付"),
    pb.FLAG_STATE_CLEARED: ("cleared", "已排除"),
    pb.FLAG_STATE_CONFIRMED: ("CONFIRMED", "属实"),
}
_UNSEEN = {"detector", "detector_version", "day", "held_fen"}


def detect(
    pool: Annotated[str, typer.Argument(help="Pooling area, GB/T 2260: 320400.", metavar="POOL")],
    detector: Annotated[
        list[str] | None,
        typer.Option("--detector", metavar="NAME", help="Only these; all if none."),
    ] = None,
    first: Annotated[str, typer.Option("--from", metavar="DAY", help="First day of care.")] = "",
    last: Annotated[str, typer.Option("--to", metavar="DAY", help="Last day of care.")] = "",
    backtest: Annotated[
        bool,
        typer.Option(
            "--backtest",
            help="Run over all history, each day with what was known then; nothing is recorded.",
        ),
    ] = False,
    catalogue: Annotated[
        bool, typer.Option("--list", help="The detectors, their versions and figures.")
    ] = False,
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """What detectors flagged: what was seen, the money held, what became of it. 风险提示"""
    output = Output.of(lang, as_json=as_json)

    async def run(connection: Connection) -> None:
        days: dict[str, Any] = {
            "first_date": str(day(first, "--from")) if first else "",
            "last_date": str(day(last, "--to")) if last else "",
        }
        names = list(detector or ())
        if catalogue:
            show_catalogue(await detectors(connection, pool), output)
        elif backtest:
            asked = pb.BacktestRequest(pool=pool, detectors=names, **days)
            show_flags(await would_have_found(connection, asked, output), output, past=True)
        else:
            found = [
                one for name in names or [""] for one in await flagged(connection, pool, name, days)
            ]
            show_flags(found, output, past=False)

    with_stack("detect", data, output, run)


async def detectors(connection: Connection, pool: str) -> list[pb.Detector]:
    """The catalogue, with the figures of the pool."""
    request = pb.ListDetectorsRequest(pool=pool, page_size=PAGE)
    told: list[pb.Detector] = []
    while True:
        page = await _stub(connection).ListDetectors(request)
        told += page.detectors
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return told


async def flagged(
    connection: Connection, pool: str, detector: str, days: dict[str, Any]
) -> list[pb.Flag]:
    """All pages."""
    request = pb.ListFlagsRequest(pool=pool, detector=detector, page_size=PAGE, **days)
    told: list[pb.Flag] = []
    while True:
        page = await _stub(connection).ListFlags(request)
        told += page.flags
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return told


async def would_have_found(
    connection: Connection, asked: pb.BacktestRequest, output: Output
) -> list[pb.Flag]:
    """What the detectors would have found, with a bar while the logs are read."""
    bar = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    told: list[pb.Flag] = []
    with Progress(*bar, console=output.err, transient=True) as shown:
        task = shown.add_task(output.text("reading the logs", "正在读取事件"), total=None)
        async for part in _stub(connection).Backtest(asked):
            told += part.flags
            shown.update(task, total=part.event_count, advance=part.read_count)
    return told


def show_catalogue(told: Sequence[pb.Detector], output: Output) -> None:
    output.document([MessageToDict(one, preserving_proto_field_name=True) for one in told])
    columns = output.columns(
        ("detector", "规则"),
        ("version", "版本"),
        ("what it looks for", "筛查内容"),
        ("figures", "参数"),
    )
    rows = []
    for one in told:
        figures = ", ".join(f"{figure.figure} {figure.value}" for figure in one.figures)
        mark = "" if one.verified or not figures else output.text(" (unverified)", "（未核实）")
        title = output.text(one.title, one.title_zh)
        rows.append((one.detector, one.version, title, figures + mark))
    output.table(output.text("Detectors", "筛查规则"), columns, rows, right=(1,))


def show_flags(told: Sequence[pb.Flag], output: Output, *, past: bool) -> None:
    """The first of them a line each, then sums by detector."""
    output.document([MessageToDict(one, preserving_proto_field_name=True) for one in told])
    if not told:
        output.show("nothing was flagged", "没有风险提示")
        return
    columns = output.columns(
        ("day of care", "服务日"),
        ("known on", "知悉日"),
        ("detector", "规则"),
        ("seen", "依据"),
        ("held", "暂缓金额"),
        ("flagged then", "当时已提示") if past else ("state", "状态"),
    )
    rows = []
    for one in told[:SHOWN]:
        seen = ", ".join(
            f"{name} {value}" for name, value in sorted(one.seen.items()) if name not in _UNSEEN
        )
        state = _then(one, output) if past else output.text(*STATES[one.state])
        rows.append((one.care_date, one.known_date, one.detector, seen, money(one.held_fen), state))
    title = ("What would have been found", "回溯筛查结果") if past else ("Flags", "风险提示")
    output.table(output.text(*title), columns, rows, right=(4,))
    if len(told) > SHOWN:
        more = len(told) - SHOWN
        output.show(f"and {more} more (--json)", f"另有 {more} 条（--json）")
    _show_sums(told, output)


def _show_sums(told: Sequence[pb.Flag], output: Output) -> None:
    by_detector: dict[str, list[pb.Flag]] = defaultdict(list)
    for one in told:
        by_detector[one.detector].append(one)
    rows = [
        (name, len(flags), money(sum(one.held_fen for one in flags)))
        for name, flags in sorted(by_detector.items())
    ]
    columns = output.columns(("detector", "规则"), ("flags", "提示数"), ("held", "暂缓金额"))
    output.table("", columns, rows, right=(1, 2))


def _then(one: pb.Flag, output: Output) -> str:
    return output.text("yes", "是") if one.recorded else output.text("NO", "否")


def _stub(connection: Connection) -> Any:
    return pb_grpc.DetectionServiceStub(connection.channel("provider"))
