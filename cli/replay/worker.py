"""`python -m cli.replay.worker`: one of the processes that share a replay (重算子进程).

Told by JSON lines on standard input: first the settings and what each settlement knew, then one
stretch a line. Each is answered by a line with its report. It ends when its input ends, so that
it never outlives the replay that started it.
"""

import asyncio
import gc
import json
import re
import sys
from pathlib import Path
from typing import Any

from cli.replay.logs import open_logs
from cli.replay.part import Replayer
from kernel.config import Settings

STRETCHES_A_CLEANING = 25


async def _work() -> None:
    told = await _next()
    if told is None:
        return
    # Judging makes no rings of objects, and looking for some took a third of the time.
    gc.disable()
    frozen = {(pool, month): known for pool, month, known in told["frozen"]}
    async with open_logs(Settings(told["settings"])) as logs:
        replayer = Replayer(logs, frozen)
        _say({"ready": True})
        done = 0
        while (job := await _next()) is not None:
            done += 1
            if done % STRETCHES_A_CLEANING == 0:
                gc.collect()
            service, after, upto = job["stretch"]
            report = await replayer.stretch(service, after, upto)
            _say({"report": report.as_json(), "peak_kib": peak_kib()})


def peak_kib() -> int:
    """The most memory this program has had, in KiB; 0 where the system does not tell."""
    # Not getrusage: what that tells includes the program that started this one.
    try:
        told = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    found = re.search(r"^VmHWM:\s+(\d+) kB", told, re.MULTILINE)
    return int(found[1]) if found else 0


async def _next() -> Any:
    line = await asyncio.to_thread(sys.stdin.readline)
    return json.loads(line) if line else None


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main() -> None:
    """The program."""
    try:
        asyncio.run(_work())
    except (KeyboardInterrupt, BrokenPipeError):
        raise SystemExit(1) from None  # the replay itself says what happened


if __name__ == "__main__":
    main()
