"""What goes on in a pool now, by provider, and how good their months were (服务监测)."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import grpc
import typer
from google.protobuf.json_format import MessageToDict
from ltci.provider.v1 import monitoring_service_pb2 as pb
from ltci.provider.v1 import monitoring_service_pb2_grpc as pb_grpc
from ltci.provider.v1 import provider_service_pb2 as providers
from rich.table import Table
from rich.text import Text

from cli.connect import DEFAULT_DATA, Connection, DataOption
from cli.output import BAD_INPUT, Failure, JsonOption, LangOption, Output
from cli.running import with_stack
from kernel.calendar import Month
from kernel.ids import derive
from kernel.rpc.errors import explain

PAGE = 500
EVERY = 2.0  # seconds between frames
COLUMNS = (
    ("provider", "机构"),
    ("going on", "服务中"),
    ("overlong", "超时未结束"),
    ("not begun", "逾期未开始"),
    ("to confirm", "待确认"),
    ("flagged", "风险提示"),
    ("count today", "今日有效"),
    ("do not count", "今日无效"),
)
COUNTS = (
    "going_on_count",
    "overlong_count",
    "not_begun_count",
    "to_confirm_count",
    "flagged_count",
    "delivered_count",
    "rejected_count",
)
ALARMS = {"overlong_count": "red", "not_begun_count": "red", "flagged_count": "yellow"}

PoolArgument = Annotated[
    str, typer.Argument(help="Pooling area, GB/T 2260: 320400", metavar="POOL")
]


def watch(
    pool: PoolArgument,
    once: Annotated[bool, typer.Option("--once", help="One frame, and no more.")] = False,
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Visits that go on, are late, wait for confirmation or are flagged; Ctrl-C ends. 服务监测"""
    output = Output.of(lang, as_json=as_json)

    async def show(connection: Connection) -> None:
        if once or as_json:
            rows = await frame(connection, pool)
            output.document(
                {"pool": pool, "time": connection.clock().now(), "providers": as_documents(rows)}
            )
            if not as_json:
                output.out.print(drawn(rows, connection.clock().now(), output))
            return
        from rich.live import Live

        with Live(console=output.out, auto_refresh=False) as live:
            while True:
                rows = await frame(connection, pool)
                live.update(drawn(rows, connection.clock().now(), output), refresh=True)
                await asyncio.sleep(EVERY)

    with_stack("watch", data, output, show)


def quality(
    pool: PoolArgument,
    month: Annotated[str, typer.Argument(help="The month of care, 2024-03.", metavar="MONTH")],
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Scores the month of each of a pool's providers that had visits. 服务质量评分"""
    output = Output.of(lang, as_json=as_json)

    async def show(connection: Connection) -> None:
        wanted = month_of(month)
        found = await scored(connection, pool, wanted)
        output.document({"pool": pool, "month": str(wanted), "scores": [s for _, s in found]})
        output.table(
            output.text(f"Quality {pool} {wanted}", f"服务质量 {pool} {wanted}"),
            output.columns(
                ("provider", "机构"), ("points of 1000", "得分（千分制）"), ("visits", "服务次数")
            ),
            [(name, one["points"], one["visit_count"]) for name, one in found],
            right=(1, 2),
        )

    with_stack("quality", data, output, show)


async def frame(connection: Connection, pool: str) -> list[pb.ProviderWatch]:
    """All of a pool's providers, page by page."""
    stub = pb_grpc.MonitoringServiceStub(connection.channel("provider"))
    request = pb.ListWatchesRequest(pool=pool, page_size=PAGE)
    rows: list[pb.ProviderWatch] = []
    while True:
        page = await stub.ListWatches(request)
        rows += page.watches
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return rows


async def scored(
    connection: Connection, pool: str, month: Month
) -> list[tuple[str, dict[str, Any]]]:
    """Name and score of every provider with visits, the best first."""
    stub = pb_grpc.MonitoringServiceStub(connection.channel("provider"))
    request = providers.ListProvidersRequest(pool=pool, page_size=PAGE)
    found: list[tuple[str, dict[str, Any]]] = []
    while True:
        page = await connection.provider.ListProviders(request)
        for one in page.providers:
            try:
                told = await stub.ScoreProvider(await _asked(stub, one.provider, month))
            except grpc.aio.AioRpcError as error:
                if explain(error).reason != "NO_VISITS":
                    raise
                continue
            found.append((one.provider_name, _score(told)))
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return sorted(found, key=lambda row: (-row[1]["points"], row[0]))


async def _asked(stub: Any, provider: str, month: Month) -> pb.ScoreProviderRequest:
    """The request to score what is known now: asked twice of the same counts, it is the same."""
    counted = await stub.GetProviderMonth(
        pb.GetProviderMonthRequest(provider=provider, month=str(month))
    )
    name = derive("score", provider, str(month), str(counted.known_position))
    return pb.ScoreProviderRequest(provider=provider, month=str(month), request_id=str(name))


def drawn(rows: Sequence[pb.ProviderWatch], now: datetime, output: Output) -> Table:
    """One frame; what wants a look is coloured, the last line is the pool's."""
    title = output.text(f"{now:%Y-%m-%d %H:%M:%S}", f"{now:%Y-%m-%d %H:%M:%S} 服务监测")
    table = Table(title=title, title_justify="left")
    for place, column in enumerate(output.columns(*COLUMNS)):
        table.add_column(column, justify="right" if place else "left")
    for row in rows:
        table.add_row(Text(row.provider_name), *(_cell(row, name) for name in COUNTS))
    table.add_section()
    totals = (str(sum(getattr(row, name) for row in rows)) for name in COUNTS)
    table.add_row(output.text("all", "合计"), *totals)
    return table


def as_documents(rows: Sequence[pb.ProviderWatch]) -> list[dict[str, Any]]:
    names = ("provider", "provider_name", *COUNTS)
    return [{name: getattr(row, name) for name in names} for row in rows]


def month_of(text: str) -> Month:
    """Refuses what is no month."""
    try:
        return Month.parse(text)
    except ValueError:
        raise Failure(
            f"{text!r} is no month",
            f"{text!r} 不是月份",
            where="MONTH",
            right="write it as 2024-03",
            right_zh="应写作 2024-03",
            code=BAD_INPUT,
        ) from None


def _cell(row: pb.ProviderWatch, name: str) -> Text:
    count = getattr(row, name)
    return Text(str(count), style=ALARMS.get(name, "") if count else "dim")


def _score(told: pb.QualityScore) -> dict[str, Any]:
    whole: dict[str, Any] = MessageToDict(told, preserving_proto_field_name=True)
    whole.pop("ruling", None)
    return whole | {"points": told.points, "known_position": told.known_position}
