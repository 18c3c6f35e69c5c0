"""Lives as many cases as asked for: `python -m tests.simulation --cases 2000`.

It exits with 1 where a case did not end as its story says or a decision comes out otherwise.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections import Counter
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import infra.embedded.forks  # noqa: F401 - before grpc
from cli.replay import replay_everything
from infra.embedded.postgres import EmbeddedPostgres
from tests.simulation.clocks import missed_clocks
from tests.simulation.living import cast, differences, live
from tests.simulation.region import region
from tests.simulation.test_two_years import BEGINS, ENDS
from tests.support.postgres import free_port, fresh_database

MANY_FIRST = 1_000  # numbers of people apart from those that other tests use


async def _simulate(cases: int, server: EmbeddedPostgres, folder: Path, console: Console) -> bool:
    started = time.monotonic()
    async with region(await fresh_database(server), folder, BEGINS) as place:
        lives = cast(place, cases, MANY_FIRST)
        with Progress(console=console) as shown:
            days = shown.add_task(f"{BEGINS} to {ENDS}", total=(ENDS - BEGINS).days)

            def told(today: date, going_on: int) -> None:
                what = f"{today}, {going_on} stories go on"
                shown.update(days, completed=(today - BEGINS).days, description=what)

            await live(place, lives, BEGINS, ENDS, told)
        lived = time.monotonic() - started
        wrong = await differences(lives)
        late, silent, wrongly = await missed_clocks(place)
        replayed = await replay_everything(place.connection.settings)
    table = Table("story", "cases")
    for name, count in sorted(Counter(life.story for life in lives).items()):
        table.add_row(name, str(count))
    console.print(table)
    console.print(f"{cases} cases from {BEGINS} to {ENDS}, lived in {lived:.0f} s")
    console.print(
        f"{len(wrong)} ended otherwise; {sum(replayed.decisions.values())} decisions made again,"
        f" {len(replayed.differences)} differences"
    )
    console.print(f"{late} clocks were missed, {len(silent)} of them without a record")
    bad = [*wrong, *silent, *wrongly, *map(str, replayed.differences)]
    for line in bad[:60]:
        console.print(line, style="red")
    return not bad


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--cases", type=int, default=2_000, help="how many people (2000)")
    cases = parser.parse_args().cases
    folder = Path(tempfile.mkdtemp(prefix="ltci-simulation-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder / "data", free_port(), folder / "postgres.log")
    try:
        server.start()
        server.wait_ready()
        good = asyncio.run(_simulate(cases, server, folder, Console()))
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
