"""A replay of the whole history on all cores: stretches of the logs, shared out to processes."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.output import Failure
from cli.replay.judge import Frozen
from cli.replay.logs import Logs, open_logs
from cli.replay.part import frozen_of
from cli.replay.place import FILE, Place, Stood, Stretch, grown, read_place
from cli.replay.report import Report
from kernel.config import ROOT, Settings

STRETCH = 2_000  # positions: a second's work or less, so that little is lost when killed
ANSWER_LIMIT = 64 * 1024 * 1024  # a line of a worker's answer: many differences

Progress = Callable[[int, int], None]  # events looked at, events in all


@dataclass
class Effort:
    """What a replay took: for the benchmark."""

    workers: int = 0
    peak_kib: list[int] = field(default_factory=list)  # of each worker


@dataclass(frozen=True, kw_only=True)
class Resumed:
    """Whether an earlier replay was taken up again."""

    asked: bool = False
    found: bool = False
    differs: bool = False  # the logs are not those it had looked at


async def replay_everything(
    settings: Settings,
    folder: Path | None = None,
    *,
    resume: bool = False,
    progress: Progress | None = None,
    workers: int | None = None,
    effort: Effort | None = None,
    told: Callable[[Resumed], None] | None = None,
) -> Report:
    """Every decision of every service, and the order of the logs themselves.

    With a folder the place reached is kept there until the end; `resume` goes on from it, unless
    the logs are not those that were looked at: then all is done anew.
    """
    kept = None if folder is None else folder / FILE
    async with open_logs(settings) as logs:
        place, resumed = await _begin(logs, kept if resume else None)
        if told is not None:
            told(Resumed(asked=resume, found=resumed.found, differs=resumed.differs))
        frozen = await frozen_of(logs)
    missing = place.missing(STRETCH)
    count = min(workers or os.cpu_count() or 1, len(missing))
    crew = _Crew(settings, frozen, place, kept, progress)
    try:
        await crew.work(missing, count)
    except BaseExceptionGroup as group:
        raise first_of(group) from None
    if effort is not None:
        effort.workers, effort.peak_kib = count, list(crew.peaks)
    if kept is not None:
        kept.unlink(missing_ok=True)
    place.report.differences.sort(key=lambda one: (one.service, one.position))
    return place.report


async def _begin(logs: Logs, kept: Path | None) -> tuple[Place, Resumed]:
    """Where to begin: at an earlier replay's place, or at the beginning."""
    heads = {service: await _stood(logs, service) for service in logs}
    place = None if kept is None else read_place(kept)
    if place is None:
        return Place(heads), Resumed()
    at_old = {
        service: await _hash_at(logs, service, head.position)
        for service, head in place.heads.items()
        if service in logs
    }
    if not grown(place.heads, heads, at_old):
        return Place(heads), Resumed(differs=True)
    return Place(heads, place.done, place.report), Resumed(found=True)


async def _stood(logs: Logs, service: str) -> Stood:
    head = await logs[service].head()
    at = await _hash_at(logs, service, head.position)
    return Stood(epoch=head.epoch, position=head.position, hash=at)


async def _hash_at(logs: Logs, service: str, position: int) -> str:
    found = await logs[service].at([position]) if position else []
    return found[0].hash.hex() if found else ""


class _Crew:
    """The processes and what is left for them to do."""

    def __init__(
        self,
        settings: Settings,
        frozen: Frozen,
        place: Place,
        kept: Path | None,
        progress: Progress | None,
    ) -> None:
        self._settings = settings
        self._frozen = [[pool, month, dict(known)] for (pool, month), known in frozen.items()]
        self._place = place
        self._kept = kept
        self._progress = progress
        self.peaks: list[int] = []

    async def work(self, stretches: list[Stretch], count: int) -> None:
        """Does all stretches with so many processes."""
        self._tell()
        # The last log first: benefits take longest, and none should be left alone at the end.
        waiting = list(stretches)
        self.peaks = [0] * count
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                group.create_task(self._worker(number, waiting))

    async def _worker(self, number: int, waiting: list[Stretch]) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "cli.replay.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=ROOT,
            limit=ANSWER_LIMIT,
        )
        try:
            settings = dict(self._settings.variables)
            await _asked(process, {"settings": settings, "frozen": self._frozen})
            while waiting:
                stretch = waiting.pop()
                answer = await _asked(process, {"stretch": stretch})
                self.peaks[number] = answer["peak_kib"]
                self._place.finish(stretch, Report.of_json(answer["report"]))
                if self._kept is not None:
                    self._place.save(self._kept)
                self._tell()
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(self._place.done_count, self._place.total)


async def _asked(process: asyncio.subprocess.Process, question: dict[str, Any]) -> Any:
    """The answer of a worker; a Failure with its last words where it died."""
    assert process.stdin is not None  # noqa: S101 - tells the type checker
    assert process.stdout is not None  # noqa: S101
    assert process.stderr is not None  # noqa: S101
    line = b""
    try:
        process.stdin.write(json.dumps(question).encode() + b"\n")
        await process.stdin.drain()
        line = await process.stdout.readline()
    except ConnectionError:
        pass  # its last words say why
    if line:
        return json.loads(line)
    words = (await process.stderr.read()).decode(errors="replace").strip().splitlines()
    last = words[-1] if words else "no word"
    raise Failure(f"a process of the replay ended: {last}", f"重算子进程已退出：{last}")


def first_of(error: BaseException) -> BaseException:
    """What happened first, of several that ended together."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
