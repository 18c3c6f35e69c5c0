"""Stops a legal clock for a lawful reason, and lets it run again (中止、恢复计算): `ltci clock`."""

from typing import Annotated, Any

import typer
from ltci.assessment.v1 import clock_service_pb2 as pb
from ltci.assessment.v1 import clock_service_pb2_grpc as pb_grpc
from ltci.assessment.v1 import clock_types_pb2 as types

from cli.clocks import STEPS
from cli.connect import DEFAULT_DATA, Connection, DataOption
from cli.output import Failure, JsonOption, LangOption, Output
from cli.running import with_stack
from cli.two_times import day
from kernel.ids import derive

app = typer.Typer(
    name="clock",
    help="Stops a legal clock, and lets it run again. 中止与恢复",
    no_args_is_help=True,
)

Application = Annotated[str, typer.Argument(help="The application's id.")]
Step = Annotated[
    str,
    typer.Option(metavar="STEP", help="Such as CONCLUSION; all that may be stopped if none."),
]


@app.callback()
def _clock() -> None:
    """Stops a legal clock, and lets it run again. 中止与恢复"""


@app.command()
def pause(
    application: Application,
    reason: Annotated[
        str, typer.Argument(help="One of the pool's lawful reasons, such as IN_HOSPITAL.")
    ],
    since: Annotated[
        str, typer.Option("--from", metavar="DAY", help="First day that does not count.")
    ],
    step: Step = "",
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Stops a clock for a lawful reason: its last day moves by the days it stands. 中止计算"""
    output = Output.of(lang, as_json=as_json)

    async def run(connection: Connection) -> None:
        asked = pb.PauseClockRequest(
            application=application,
            step=_step(step),
            reason=reason,
            from_date=str(day(since, "--from")),
            request_id=str(derive("clock pause", application, step, reason, since)),
        )
        show(await _stub(connection).PauseClock(asked), output)

    with_stack("clock pause", data, output, run)


@app.command()
def resume(
    application: Application,
    on: Annotated[str, typer.Option("--on", metavar="DAY", help="First day that counts again.")],
    step: Step = "",
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Lets a clock that stands run again. 恢复计算"""
    output = Output.of(lang, as_json=as_json)

    async def run(connection: Connection) -> None:
        asked = pb.ResumeClockRequest(
            application=application,
            step=_step(step),
            resumed_date=str(day(on, "--on")),
            request_id=str(derive("clock resume", application, step, on)),
        )
        show(await _stub(connection).ResumeClock(asked), output)

    with_stack("clock resume", data, output, run)


def show(told: pb.Deadlines, output: Output) -> None:
    """The application's deadlines as they stand after it."""
    output.document(
        {
            "application": told.application,
            "deadlines": [
                {
                    "step": _name(one),
                    "due_date": one.due_date,
                    "pause_reason": one.pause_reason,
                }
                for one in told.deadlines
            ],
        }
    )
    for one in told.deadlines:
        en, zh = STEPS[_name(one)]
        stands, stands_zh = "", ""
        if one.pause_reason:
            stands, stands_zh = f", stands: {one.pause_reason}", f"，中止：{one.pause_reason}"
        output.show(f"{en}: {one.due_date}{stands}", f"{zh}：{one.due_date}{stands_zh}")


def _step(told: str) -> "types.ClockStep.ValueType":
    if told and told.upper() not in STEPS:
        raise Failure(
            f"--step {told}: no such step; one of {', '.join(STEPS)}",
            f"--step {told}：没有该环节，应为 {'、'.join(STEPS)} 之一",
        )
    name = told.upper() or "UNSPECIFIED"
    return types.ClockStep.Value(f"CLOCK_STEP_{name}")


def _name(one: types.Deadline) -> str:
    return types.ClockStep.Name(one.step).removeprefix("CLOCK_STEP_")


def _stub(connection: Connection) -> Any:
    return pb_grpc.ClockServiceStub(connection.channel("assessment"))
