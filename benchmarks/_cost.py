"""What processes cost, read from /proc: processor time and the most memory they ever held."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.append import free_port
from infra.embedded.postgres import EmbeddedPostgres

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Processor time of a process, of its children, and of those that have ended."""
    return _own_seconds(pid) + sum(map(_own_seconds, _children(pid)))


def peak_mib(pid: int) -> float:
    """The most memory the process ever held."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


@contextmanager
def machine() -> Iterator[EmbeddedPostgres]:
    """A database server in a folder that vanishes with it."""
    folder = Path(tempfile.mkdtemp(prefix="ltci-bench-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder / "data", free_port(), folder / "postgres.log")
    try:
        server.start()
        server.wait_ready()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


def _own_seconds(pid: int) -> float:
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / _TICKS  # user and system, its own and of the ended
    return 0.0


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []
