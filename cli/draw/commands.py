"""`ltci draw`: a day's draws as a file, and drawn again from it."""

import asyncio
import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from google.protobuf.json_format import MessageToDict
from ltci.assessment.v1 import assignment_service_pb2 as pb

from cli.connect import DEFAULT_DATA, Connection, DataOption
from cli.draw.recompute import faults
from cli.output import BAD_INPUT, FAILED, Failure, JsonOption, LangOption, Output
from cli.traced import traced
from cli.two_times import day
from kernel.ids import derive

_PAGE = 500

app = typer.Typer(
    name="draw",
    help="Draws of assessors, and drawing them again 评估人员抽取及复核.",
    no_args_is_help=True,
)
PoolArgument = Annotated[
    str, typer.Argument(help="Pooling area, GB/T 2260: 320400", metavar="POOL")
]
DayArgument = Annotated[str, typer.Argument(help="Day of the draws: 2024-03-05", metavar="DAY")]


@app.command()
def export(
    pool: PoolArgument,
    on: DayArgument,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="File to write; else the screen.", dir_okay=False),
    ] = None,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Tell the seed first; once the day is over.")
    ] = False,
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
) -> None:
    """Writes a day's draws with all that is needed to draw again. 导出当日抽取记录"""
    output = Output.of(lang)
    with output.expected_errors(), traced("draw export"):
        told = asyncio.run(_export(data, pool, day(on, "DAY"), reveal=reveal))
        text = json.dumps(told, ensure_ascii=False, indent=1)
        if out is None:
            typer.echo(text)
        else:
            out.write_text(text + "\n", encoding="utf-8")


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `ltci draw export` wrote.")],
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Draws again from a file, without the stack: is everybody whom the seed gives? 复核抽取结果"""
    output = Output.of(lang, as_json=as_json)
    with output.expected_errors():
        told = _read(file)
        try:
            found = faults(told)
        except ValueError as error:
            raise _no_day(file, str(error)) from error
        except (KeyError, TypeError, AttributeError) as error:
            raise _no_day(file, f"{type(error).__name__}: {error}") from error
    draws = len(told["draws"])
    output.document(
        {"draws": draws, "good": not found, "differences": [vars(one) for one in found]}
    )
    if not as_json:
        for one in found:
            output.show(
                f"{one.where}: recorded {one.told}, drawn again {one.found}",
                f"{one.where}：记录为{one.told}，复核为{one.found}",
            )
        output.show(
            f"{draws} draws, {len(found)} differences", f"共{draws}次抽取，{len(found)}处不一致"
        )
    raise typer.Exit(FAILED if found else 0)


async def _export(data: Path, pool: str, on: date, *, reveal: bool) -> dict[str, Any]:
    async with Connection.to_stack(data) as connection:
        return await exported(connection, pool, on, reveal=reveal)


async def exported(
    connection: Connection, pool: str, on: date, *, reveal: bool = False
) -> dict[str, Any]:
    """The day and all of its draws, as JSON tells a message with the protos' own names."""
    desk = connection.assignment
    if reveal:
        name = str(derive("reveal draw seed", pool, on.isoformat()))
        await desk.RevealDrawSeed(
            pb.RevealDrawSeedRequest(pool=pool, drawn_date=on.isoformat(), request_id=name)
        )
    whole, token = pb.ListDrawsResponse(), ""
    while True:
        page = await desk.ListDraws(
            pb.ListDrawsRequest(
                pool=pool, drawn_date=on.isoformat(), page_size=_PAGE, page_token=token
            )
        )
        whole.day.CopyFrom(page.day)
        whole.draws.extend(page.draws)
        token = page.next_page_token
        if not token:
            told: dict[str, Any] = MessageToDict(whole, preserving_proto_field_name=True)
            return {"draws": [], **told, "day": {"draw_count": 0, **told["day"]}}


def _read(file: Path) -> dict[str, Any]:
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise _no_day(file, error.strerror or "cannot be read") from error
    except ValueError as error:
        raise _no_day(file, "no JSON") from error
    if not isinstance(told, dict) or "day" not in told or "draws" not in told:
        raise _no_day(file, "no day of draws")
    return told


def _no_day(file: Path, why: str) -> Failure:
    return Failure(
        f"{file}: {why}",
        f"{file}：{why}",
        right="a file that `ltci draw export POOL DAY --reveal` wrote after the day",
        right_zh="应为当日结束后由 `ltci draw export POOL DAY --reveal` 写出的文件",
        code=BAD_INPUT,
    )
