"""`python -m benchmarks.generator`: writes a pool's month as CSV files."""

import json
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks.generator.files import write
from benchmarks.generator.sizes import CHENGDU_PEOPLE, Sizes
from kernel.calendar import Month

TOLD = 500  # visits between two looks at the bar


def main(
    out: Annotated[Path, typer.Option(help="Folder for the files; made where it is missing.")],
    pool: Annotated[str, typer.Option(help="Pooling area, GB/T 2260.")] = "510100",
    month: Annotated[str, typer.Option(help="The month, like 2025-03.")] = "2025-03",
    scale: Annotated[
        float, typer.Option(min=0.0001, max=1.0, help="Of 140 000 beneficiaries; 1 is Chengdu.")
    ] = 0.01,
    people: Annotated[
        int, typer.Option(min=0, help="So many beneficiaries, instead of a scale.")
    ] = 0,
    fraud: Annotated[
        float, typer.Option(min=0.0, max=0.1, help="Planted visits as a share of all; 0 is clean.")
    ] = 0.01,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
) -> None:
    """Writes a month of a pool's care visits, with fraud planted and told in truth.csv.

    Everything is made up and belongs to nobody. At scale 1: 140 000 people, 2.5 million visits.
    """
    try:
        told = Month.parse(month)
    except ValueError as error:
        raise typer.BadParameter("must be a month, like 2025-03", param_hint="--month") from error
    if len(pool) != 6 or not pool.isdecimal():
        raise typer.BadParameter("must be six digits, like 510100", param_hint="--pool")
    sizes = Sizes(
        pool=pool,
        first=date(told.year, told.month, 1),
        people=people or max(50, round(CHENGDU_PEOPLE * scale)),
        fraud=fraud,
        seed=seed,
    )
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
    )
    with bar:
        task = bar.add_task("visits 护理服务", total=sizes.visits)
        waiting = 0

        def tell(count: int) -> None:
            nonlocal waiting
            waiting += count
            if waiting >= TOLD:
                bar.advance(task, waiting)
                waiting = 0

        counts = write(sizes, out, tell)
        bar.update(task, total=counts["visits"], completed=counts["visits"])
    print(json.dumps({"folder": str(out), "rows": counts}, ensure_ascii=False))


if __name__ == "__main__":
    typer.run(main)
