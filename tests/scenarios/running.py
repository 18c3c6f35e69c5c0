"""Runs the `ltci` program as a person does, and looks at what it leaves behind."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

LTCI = Path(sys.executable).parent / "ltci"
ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 420.0  # seconds a whole demo may take on a busy machine


def ltci(
    *arguments: object,
    good: bool = True,
    timeout: float = PATIENCE,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Runs `ltci` to its end; `good` demands exit code 0."""
    done = subprocess.run(
        [LTCI, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env={**os.environ, "LTCI_LANG": "en", **(environment or {})},
    )
    if good:
        assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done


def started(*arguments: object, log: Path) -> subprocess.Popen[bytes]:
    """Starts `ltci` and returns at once."""
    with log.open("ab") as out:
        return subprocess.Popen(
            [LTCI, *map(str, arguments)],
            cwd=ROOT,
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "LTCI_LANG": "en"},
        )


def left_behind(folder: Path) -> list[str]:
    """Command lines of processes that still work on a stack's folder."""
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        try:
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in words and b"pytest" not in words.split(b"\0", 3)[0]:
            found.append(
                words.split(b"\0\0")[0].replace(b"\0", b" ").decode(errors="replace")[:200]
            )
    return found


def wait_until(holds: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"waited {seconds:.0f} s for {what}"
        pause()


def pause() -> None:
    time.sleep(0.1)  # other processes move on; there is nothing in this one to wait for


def business_day(folder: Path) -> str:
    """The day on the stack's business clock; empty before there is one."""
    try:
        return str(datetime.fromisoformat((folder / "clock.stood").read_text()).date())
    except (FileNotFoundError, ValueError):
        return ""


def pids(folder: Path) -> dict[str, int]:
    told: dict[str, int] = json.loads((folder / "pids.json").read_text())
    return told


def document(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(done.stdout)
    return told
