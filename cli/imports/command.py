"""`ltci import KIND FILE.csv`: the command for people and for other systems' nightly files."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from cli.connect import DEFAULT_DATA, Connection, DataOption
from cli.imports.faults import FaultFile
from cli.imports.kinds import KINDS, Kind
from cli.imports.progress import ImportProgress, ImportReport
from cli.imports.run import PATIENCE, ImportStopped, run_import
from cli.output import BAD_INPUT, FAILED, Failure, JsonOption, LangOption, Output
from cli.traced import traced

SHOWN = 20  # faults on the screen; the report file has them all
_LOOKS_A_SECOND = 5

app = typer.Typer(
    name="import",
    help="Imports CSV files 导入CSV文件. Importing a file again changes nothing.",
    no_args_is_help=True,
)

FileArgument = Annotated[Path, typer.Argument(metavar="FILE.csv", show_default=False)]
AllOrNothing = Annotated[
    bool, typer.Option("--all-or-nothing", help="Check every row first; record none if one is bad.")
]
Follow = Annotated[
    bool, typer.Option("--follow", help="Rows of the future wait for their day instead of failing.")
]
ReportOption = Annotated[
    Path | None,
    typer.Option("--report", help="CSV file for the bad rows.", dir_okay=False, show_default=False),
]
PatienceOption = Annotated[
    float, typer.Option("--patience", min=0, help="Seconds to wait for a service that is away.")
]


def _command(kind: Kind) -> Callable[..., None]:
    def command(
        file: FileArgument,
        all_or_nothing: AllOrNothing = False,
        follow: Follow = False,
        as_json: JsonOption = False,
        data: DataOption = DEFAULT_DATA,
        report: ReportOption = None,
        patience: PatienceOption = PATIENCE,
        lang: LangOption = None,
    ) -> None:
        output = Output.of(lang, as_json=as_json)

        async def work(faults: FaultFile | None) -> ImportReport:
            progress = ImportProgress()
            async with Connection.to_stack(data) as connection:
                with _bar(output, progress):
                    return await run_import(
                        connection,
                        kind.name,
                        file,
                        follow=follow,
                        all_or_nothing=all_or_nothing,
                        progress=progress,
                        patience=patience,
                        tell=faults,
                    )

        with output.expected_errors(), ExitStack() as closing:
            faults = FaultFile(report, output.lang, source=file) if report else None
            if faults is not None:
                closing.enter_context(faults)
            try:
                with traced(f"import {kind.name}"):
                    found = asyncio.run(work(faults))
            except ImportStopped as stopped:
                stopped.code = FAILED if stopped.report.recorded else BAD_INPUT
                _show_faults(output, stopped.report, report)
                raise
            except Failure as failure:
                failure.code = BAD_INPUT  # nothing could be done
                raise
        _show(output, found, report)
        raise typer.Exit(exit_code(found))

    return command


for _kind in KINDS.values():
    app.command(
        _kind.name,
        help=f"{_kind.title} {_kind.title_zh}.\n\nColumns: {', '.join(_kind.required)};"
        f" may be missing: {', '.join(_kind.optional) or '-'}.",
    )(_command(_kind))


def exit_code(report: ImportReport) -> int:
    """0 where every row is good, 1 where some are bad, 2 where nothing was recorded."""
    if report.good:
        return 0
    return FAILED if report.recorded else BAD_INPUT


def _show(output: Output, report: ImportReport, file: Path | None) -> None:
    output.document(report.as_json())
    if output.as_json:
        return
    _show_faults(output, report, file)
    none = (
        output.text("; nothing was recorded", "；未登记任何行")
        if report.all_or_nothing and not report.good
        else ""
    )
    output.show(
        f"{report.kind}: {report.rows} rows, {report.recorded} good, {report.bad_rows} bad{none}",
        f"{report.kind}：共{report.rows}行,成功{report.recorded}行,错误{report.bad_rows}行{none}",
    )


def _show_faults(output: Output, report: ImportReport, file: Path | None) -> None:
    if report.good or output.as_json:
        return
    columns = (("line", "行"), ("column", "列"), ("value", "值"), ("reason", "原因"))
    output.table(
        output.text(f"Bad rows of {report.file}", f"{report.file} 中的错误行"),
        [output.text(en, zh) for en, zh in (*columns, ("what would be right", "正确写法"))],
        [
            (f.line, f.column, f.value, f.reason, f.text(output.lang))
            for f in sorted(report.bad, key=lambda fault: fault.line)[:SHOWN]
        ],
        right=(0,),
    )
    if len(report.bad) > SHOWN:
        where = str(file) if file else "--report"
        output.show(f"more of them: {where}", f"其余见：{where}")


@contextmanager
def _bar(output: Output, progress: ImportProgress) -> Iterator[None]:
    """A bar on standard error while somebody watches."""
    if not output.interactive:
        yield
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[told]}"),
        TimeRemainingColumn(),
        console=output.err,
        get_time=None,
        refresh_per_second=_LOOKS_A_SECOND,
    )
    with bar:
        following = asyncio.ensure_future(_follow(bar, output, progress))
        try:
            yield
        finally:
            following.cancel()


async def _follow(bar: Progress, output: Output, progress: ImportProgress) -> None:
    task = bar.add_task("", total=None, told="")
    while True:
        counted = f"{progress.recorded} ✓"
        bad = f" {progress.bad_rows} ✗" if progress.bad_rows else ""
        done, total = progress.share
        bar.update(
            task,
            description=output.text("checking", "检查中")
            if progress.checking
            else output.text("importing", "导入中"),
            total=total,
            completed=done,
            told=counted + bad,
        )
        await asyncio.sleep(1 / _LOOKS_A_SECOND)
