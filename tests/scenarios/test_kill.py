"""Each process is killed in the middle of the demo, then all at once: nothing lost or doubled."""

import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.running import (
    business_day,
    document,
    left_behind,
    ltci,
    pids,
    started,
    wait_until,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

# On which business day each part is killed: in a month's life, while others settle and pay. The
# worker comes after the payments that the bank sends back, for its workflows wait for it a while.
KILLS = {
    "enrollment": "2024-03-04",
    "assessment": "2024-03-20",
    "provider": "2024-05-06",
    "payment": "2024-07-19",
    "bank": "2024-10-18",
    "worker": "2024-12-13",
    "temporal": "2025-03-14",
    "postgres": "2025-05-19",
}
ALL_DAY = "2025-08-13"


@dataclass
class Killed:
    folder: Path
    restarted: dict[str, bool] = field(default_factory=dict)
    orphans: list[str] = field(default_factory=list)
    came_up: bool = False
    told: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    """One demo in which every part is killed in turn, then everything, then run to its end."""
    folder = tmp_path_factory.mktemp("kill") / "data"
    folder.mkdir()
    story = Killed(folder)
    log = folder / "demo.log"
    demo = started("demo", "--data", folder, log=log)
    try:
        _kill_in_turn(demo, story, log)
        _wait_for_day(demo, folder, ALL_DAY)
        assert demo.poll() is None, log.read_text()[-3000:]
        demo.kill()
        demo.wait()
        wait_until(lambda: not left_behind(folder), "the parts to end with their parent", 30)
        story.orphans = left_behind(folder)
        story.came_up = _up_and_down(folder, log)
        done = ltci("demo", "--data", folder, "--json", good=False)
        assert done.stdout, done.stderr[-3000:]
        story.told = document(done)
        yield story
    finally:
        if demo.poll() is None:
            demo.send_signal(signal.SIGTERM)
            demo.wait(60)


def _kill_in_turn(demo: subprocess.Popen[bytes], story: Killed, log: Path) -> None:
    for part, day in KILLS.items():
        _wait_for_day(demo, story.folder, day)
        assert demo.poll() is None, log.read_text()[-3000:]
        before = pids(story.folder)[part]
        os.kill(before, signal.SIGKILL)
        _wait_for_another(story.folder, part, before)
        story.restarted[part] = True


def _wait_for_day(demo: subprocess.Popen[bytes], folder: Path, day: str) -> None:
    wait_until(lambda: business_day(folder) >= day or demo.poll() is not None, day)


def _wait_for_another(folder: Path, part: str, before: int) -> None:
    wait_until(lambda: pids(folder)[part] != before, f"{part} to be started again", 60)


def _up_and_down(folder: Path, log: Path) -> bool:
    """`ltci up` on what the killed demo left, until it runs; then Ctrl-C."""
    (folder / "pids.json").unlink()
    up = started("up", "--data", folder, log=log)
    wait_until(lambda: (folder / "pids.json").exists() or up.poll() is not None, "ltci up", 90)
    came_up = up.poll() is None
    up.send_signal(signal.SIGINT)
    return came_up and up.wait(60) == 0


@pytest.mark.parametrize("part", KILLS)
def test_a_killed_part_is_started_again(killed: Killed, part: str) -> None:
    assert killed.restarted[part]


def test_the_parts_end_with_a_killed_parent(killed: Killed) -> None:
    assert killed.orphans == []


def test_the_stack_comes_up_on_what_was_left(killed: Killed) -> None:
    assert killed.came_up


def test_the_lives_end_as_if_nothing_had_been_killed(killed: Killed) -> None:
    assert killed.told["differences"] == []


def test_nothing_was_paid_twice(killed: Killed) -> None:
    for fund in killed.told["funds"].values():
        assert fund["balanced"]
        assert fund["payable_fen"] == 0


def test_the_replay_finds_no_difference(killed: Killed) -> None:
    assert killed.told["replay"]["differences"] == []
