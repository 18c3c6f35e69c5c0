"""Who can take a plan, or each plan of a pool that nobody has (人员匹配); nothing is recorded."""

import asyncio
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import grpc
import typer
from google.protobuf.json_format import MessageToDict
from ltci.provider.v1 import caregiver_service_pb2 as pb
from ltci.provider.v1 import provider_types_pb2 as types

from cli.connect import DEFAULT_DATA, Connection, DataOption
from cli.output import BAD_INPUT, Failure, JsonOption, LangOption, Output
from cli.traced import traced
from kernel.rpc.errors import explain

LEVELS_ZH = {"THREE": "三级", "FOUR": "四级", "FIVE": "五级", "UNSPECIFIED": "-"}


def match(
    asked: Annotated[
        str, typer.Argument(help="A plan's id, or a pooling area: 320400", metavar="PLAN|POOL")
    ],
    items: Annotated[
        str, typer.Option("--items", help="Codes of items that are needed, with commas.")
    ] = "",
    minutes: Annotated[int, typer.Option("--minutes", help="Minutes of care a week.", min=0)] = 0,
    on: Annotated[str, typer.Option("--on", metavar="DAY", help="Day; today without.")] = "",
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ranks caregivers for a plan, or for each plan of a pool that nobody has. 护理人员匹配"""
    output = Output.of(lang, as_json=as_json)
    request = pb.MatchCaregiversRequest(
        items=[code.strip() for code in items.split(",") if code.strip()],
        minutes_a_week=minutes,
        on_date=on,
    )
    with output.expected_errors(), traced("match"):
        _name(request, asked)
        asyncio.run(_show(data, request, output))


async def ask(
    connection: Connection, request: pb.MatchCaregiversRequest
) -> pb.MatchCaregiversResponse:
    """The service's answer; a refusal becomes words."""
    try:
        answer: pb.MatchCaregiversResponse = await connection.caregivers.MatchCaregivers(request)
    except grpc.aio.AioRpcError as error:
        raise Failure.of_call(explain(error), where="PLAN|POOL") from None
    return answer


def told(answer: pb.MatchCaregiversResponse) -> dict[str, Any]:
    """The answer for machines."""
    return MessageToDict(
        answer, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def show(answer: pb.MatchCaregiversResponse, output: Output) -> None:
    """The answer for people: a table a plan, best first, then who was left out and why."""
    for plan in answer.plans:
        output.table(
            output.text(f"Plan {plan.plan}", f"护理计划 {plan.plan}"),
            output.columns(
                ("", "序"),
                ("caregiver", "护理人员"),
                ("skills missing", "缺少技能"),
                ("level", "等级"),
                ("metres", "距离（米）"),
                ("load, ‰", "负荷（‰）"),
            ),
            [
                (
                    place,
                    one.caregiver,
                    one.skills_missing_count,
                    _level(one.level, output),
                    one.distance_m,
                    one.load_permille,
                )
                for place, one in enumerate(plan.candidates, 1)
            ],
            right=(0, 2, 4, 5),
        )
        for left in plan.left_out:
            output.show(
                f"left out: {left.caregiver}, {left.reason}",
                f"未列入：{left.caregiver}，{left.reason}",
            )
    output.show(
        f"{len(answer.plans)} plans; order: skills missing, level, distance, load, id",
        f"共 {len(answer.plans)} 份计划；排序：缺少技能、等级、距离、负荷、编号",
    )


async def _show(data: Path, request: pb.MatchCaregiversRequest, output: Output) -> None:
    async with Connection.to_stack(data) as connection:
        answer = await ask(connection, request)
    output.document(told(answer))
    show(answer, output)


def _name(request: pb.MatchCaregiversRequest, asked: str) -> None:
    if asked.isascii() and asked.isdigit() and len(asked) == 6:
        request.pool = asked
        return
    try:
        request.plan = str(UUID(asked))
    except ValueError:
        raise Failure(
            "this is neither a plan's id (a UUID) nor a pooling area",
            "既不是护理计划编号（UUID），也不是统筹区代码",
            where="PLAN|POOL",
            right="a pooling area has six digits: 320400",
            right_zh="统筹区为六位代码，如 320400",
            code=BAD_INPUT,
        ) from None


def _level(number: int, output: Output) -> str:
    name = types.CaregiverLevel.Name(number).removeprefix("CAREGIVER_LEVEL_")  # type: ignore[arg-type]
    return output.text("-" if name == "UNSPECIFIED" else name.lower(), LEVELS_ZH[name])
