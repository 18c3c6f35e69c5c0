"""The example claim through the import, and what `ltci claims` tells of it."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cli import claims
from cli.imports.run import run_import
from cli.output import Language, Output
from cli.replay import replay_everything
from kernel.config import Settings
from services.provider.__main__ import build
from services.provider.codec import provider_codec
from tests.cli.test_import_services import EXAMPLES, connected
from tests.support.history import stores
from tests.support.service import running

POOL, MONTH = "320400", "2024-05"


def rows_of_may(folder: Path) -> Path:
    """The visits of May alone: the others are in no line of the example."""
    told = (EXAMPLES / "visits.csv").read_text("utf-8").splitlines()
    kept = [told[0], *(row for row in told[1:] if ",2024-05" in row)]
    file = folder / "may.csv"
    file.write_text("\n".join(kept) + "\n", "utf-8")
    return file


async def test_the_example_claim_is_matched_line_by_line(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with (
        running("provider", database_url, tmp_path, provider_codec, build) as service,
        connected(tmp_path / "clock.json", provider=service.channel) as connection,
    ):
        service.set_day(date(2024, 6, 3))
        for kind in ("providers", "prices", "caregivers"):
            await run_import(connection, kind, EXAMPLES / f"{kind}.csv")
        await run_import(connection, "plans", EXAMPLES / "plans.csv")
        await run_import(connection, "visits", rows_of_may(tmp_path))
        await service.caught_up()

        report = await run_import(connection, "claims", EXAMPLES / "claims.csv")
        head = await service.head()
        again = await run_import(connection, "claims", EXAMPLES / "claims.csv")

        assert (report.bad, again.bad) == ([], [])
        assert report.recorded == again.recorded > 50
        await service.caught_up()
        assert head == await service.head()
        sums = await claims.ask(connection, POOL, MONTH, "")
        told = claims.told(sums)
        nothing = await claims.ask(connection, POOL, "2024-04", "")

    async with stores(database_url):
        replayed = await replay_everything(
            Settings({"LTCI_DATABASE_URL": database_url}), None, workers=1
        )
    assert replayed.differences == []
    lines = ("ClaimLineMatched", "ClaimLineRefused")
    assert sum(replayed.decisions[one] for one in lines) == report.recorded

    by_outcome: dict[str, Any] = {one["outcome"]: one for one in told["sums"]}
    assert set(by_outcome) == {"matched", "partial", "refused"}
    assert by_outcome["matched"]["asked_fen"] == by_outcome["matched"]["approved_fen"]
    assert {one["reason"] for one in told["reasons"]} >= {
        "PRICE_ABOVE_LIST",
        "ITEM_NOT_DONE",
        "ALREADY_CLAIMED",
    }
    for lang, word in ((Language.ZH, "重复申报"), (Language.EN, "claimed already")):
        claims.show(sums, POOL, MONTH, Output.of(lang))
        assert word in capsys.readouterr().out
    claims.show(nothing, POOL, "2024-04", Output.of(Language.EN))
    assert "Nothing is claimed" in capsys.readouterr().out
    Output.of(Language.EN, as_json=True).document(told)
    assert json.loads(capsys.readouterr().out) == told
