"""`ltci report provider`: a provider's month as a page."""

from pathlib import Path
from typing import Annotated

import typer
from ltci.provider.v1 import monitoring_service_pb2 as pb
from ltci.provider.v1 import monitoring_service_pb2_grpc as pb_grpc
from rich.progress import track

from cli.connect import DEFAULT_DATA, Connection, DataOption
from cli.output import LangOption, Output
from cli.report.figures import MonthFigures
from cli.running import with_stack
from cli.watch import frame, month_of
from kernel.calendar import Month
from kernel.ids import derive
from kernel.rules.ruling import Ruling

app = typer.Typer(name="report", help="Reports as pages 报表.", no_args_is_help=True)


@app.callback()
def reports() -> None:
    """Reports as pages. 报表"""


@app.command()
def provider(
    code: Annotated[str, typer.Argument(help="Social credit code.", metavar="CODE")],
    month: Annotated[str, typer.Argument(help="The month of care, 2024-03.", metavar="MONTH")],
    out: Annotated[Path, typer.Option("--out", "-o", help="FILE.html", dir_okay=False)],
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
) -> None:
    """A provider's month on one page, without personal data. 机构服务月报"""
    from cli.report.page import page

    output = Output.of(lang)

    async def write(connection: Connection) -> None:
        stub = pb_grpc.MonitoringServiceStub(connection.channel("provider"))
        name = str(derive("provider", code.strip().upper()))
        asked = pb.GetProviderMonthRequest(provider=name, month=str(month_of(month)))
        figures = figures_of(await stub.GetProviderMonth(asked))
        out.write_text(page(figures, output.lang), encoding="utf-8")
        output.show(f"written: {out}", f"已写出：{out}")

    with_stack("report provider", data, output, write)


@app.command()
def pool(
    pool: Annotated[str, typer.Argument(help="Pooling area, GB/T 2260: 320400", metavar="POOL")],
    month: Annotated[str, typer.Argument(help="The month of care, 2024-03.", metavar="MONTH")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write to.", file_okay=False)],
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
) -> None:
    """The month of each of a pool's providers, a page each. 统筹区机构服务月报"""
    from cli.report.page import page

    output = Output.of(lang)

    async def write(connection: Connection) -> None:
        stub, wanted = (
            pb_grpc.MonitoringServiceStub(connection.channel("provider")),
            month_of(month),
        )
        bodies = await frame(connection, pool)
        out.mkdir(parents=True, exist_ok=True)
        for body in track(bodies, console=output.err, transient=True):
            asked = pb.GetProviderMonthRequest(provider=body.provider, month=str(wanted))
            figures = figures_of(await stub.GetProviderMonth(asked))
            name = f"{figures.social_credit_code}-{wanted}.html"
            (out / name).write_text(page(figures, output.lang), encoding="utf-8")
        output.show(f"{len(bodies)} pages in {out}", f"已写出 {len(bodies)} 份至 {out}")

    with_stack("report pool", data, output, write)


def figures_of(told: pb.ProviderMonth) -> MonthFigures:
    """The month as its page shows it."""
    return MonthFigures(
        provider_name=told.provider_name,
        social_credit_code=told.social_credit_code,
        month=Month.parse(told.month),
        counts={(one.name, one.key): one.total for one in told.counts},
        ruling=Ruling.read(told.score.ruling) if told.HasField("score") else None,
    )
