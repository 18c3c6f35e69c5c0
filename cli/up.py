"""`ltci up`: the embedded stack, until Ctrl-C."""

from datetime import date, datetime, time
from pathlib import Path

from cli.output import BAD_INPUT, Failure, Output
from infra.embedded.stack import ClockSettings, Stack, StackError, interrupted_by_signals
from kernel.clock import SHANGHAI, Clock

OFFICE_OPENS = time(8, tzinfo=SHANGHAI)
FASTEST = 2_600_000.0  # thirty days a second: beyond it, timers are shorter than a call


def clock_settings(speed: float, begins: str) -> ClockSettings | None:
    """The business clock of a new stack; None for real time. Bad input is said clearly."""
    if speed == 1.0 and not begins:
        return None
    if not 0 < speed <= FASTEST:
        raise Failure(
            f"the business clock cannot run {speed} times as fast",
            f"业务时钟不能以 {speed} 倍速运行",
            where="--speed",
            right=f"more than 0, at most {FASTEST:,.0f}",
            right_zh=f"应大于 0，不超过 {FASTEST:,.0f}",
            code=BAD_INPUT,
        )
    try:
        day = date.fromisoformat(begins) if begins else Clock().today()
    except ValueError:
        raise Failure(
            f"{begins!r} is no day",
            f"{begins!r} 不是日期",
            where="--begins",
            right="write it as 2024-01-02",
            right_zh="应写作 2024-01-02",
            code=BAD_INPUT,
        ) from None
    return ClockSettings(begins=datetime.combine(day, OFFICE_OPENS), speed=speed)


def new_stack(data: Path, clock: ClockSettings | None, output: Output) -> Stack:
    """A stack on the folder that tells its progress on standard error."""
    return Stack(data, clock, say=lambda text: output.err.print(text, markup=False))


def run_up(data: Path, speed: float, begins: str, output: Output) -> None:
    """Starts the stack, prints every address, waits for Ctrl-C, stops all."""
    stack = new_stack(data, clock_settings(speed, begins), output)
    with interrupted_by_signals() as interrupted:
        try:
            with stack:
                show_addresses(stack, output)
                output.say("everything runs; Ctrl-C stops it", "系统已启动；按 Ctrl-C 停止")
                interrupted.wait()
                output.say("stopping", "正在停止")
        except StackError as error:
            raise Failure(str(error)) from None


def show_addresses(stack: Stack, output: Output) -> None:
    output.table(
        output.text("Where everything listens", "各部分地址"),
        [output.text("part", "部分"), output.text("address", "地址")],
        list(stack.addresses().items()),
    )
