"""Draft rules change what they say and nothing else; rules in force change nothing at all."""

import csv
import re
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import asyncpg
import pytest

from cli.demo.draft import raised_caps
from cli.output import Failure, Language
from cli.replay.logs import open_logs
from cli.whatif.command import compared, days, draft_pack, write_csv
from cli.whatif.compare import Comparison
from cli.whatif.history import day_of
from cli.whatif.page import Subject, page
from cli.whatif.rerun import MonthResult, Refusal
from infra.embedded.postgres import EmbeddedPostgres
from kernel.config import ROOT, Settings
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from tests.explain.made import drawn
from tests.support.history import MONTHS, History, stores
from tests.support.packs import CHANGZHOU, pack
from tests.support.postgres import fresh_database

FOLDER = "320400_changzhou"
PEOPLE = 8  # two of each grade
YEAR = days("2024-01-01", "2024-12-31")
GRADES = "value = [2, 3, 4, 5]"
CAPS = "value = { 2 = 90000, 3 = 150000, 4 = 150000, 5 = 150000 }"


@pytest.fixture(scope="module")
async def dsn(postgres: EmbeddedPostgres) -> str:
    made = await fresh_database(postgres)
    async with stores(made) as opened:
        await History(opened, pack(CHANGZHOU)).make(PEOPLE)
    return made


async def what_if(dsn: str, draft: Pack) -> Comparison:
    return await compared(Settings({"LTCI_DATABASE_URL": dsn}), draft, YEAR)


def draft(folder: Path, file: str, edit: Callable[[str], str]) -> Pack:
    """Changzhou's rules with one file edited."""
    shutil.copytree(ROOT / "rules", folder / "rules", ignore=shutil.ignore_patterns("cases"))
    path = folder / "rules" / FOLDER / file
    text = path.read_text(encoding="utf-8")
    edited = edit(text)
    assert edited != text
    path.write_text(edited, encoding="utf-8")
    return draft_pack(folder / "rules" / FOLDER)


async def test_unchanged_rules_change_exactly_nothing(dsn: str) -> None:
    found = await what_if(dsn, pack(CHANGZHOU))

    total = found.total()
    assert (total.difference, total.gainers, total.losers) == (0, 0, 0)
    assert total.old == total.new
    assert total.old.fund > 0
    for name in ("grade", "group", "setting", "month"):
        assert all(line.old == line.new for line in found.lines(name))
    assert not found.changed
    assert not found.refused
    assert found.zero.differences == []
    assert found.zero.decisions == sum(found.decisions.values())
    assert set(found.decisions) == {"visit", "entitlement", "benefit"}  # the others lie in 2023


async def test_raised_caps_give_gainers_only(dsn: str, tmp_path: Path) -> None:
    folder = raised_caps(ROOT / "rules", FOLDER, Fraction(11, 10), tmp_path / "rules")
    found = await what_if(dsn, draft_pack(folder))

    total = found.total()
    assert total.difference > 0
    assert total.gainers > 0
    assert total.losers == 0
    assert all(row.difference >= 0 for row in found.rows)
    # What the fund pays more, the people pay less.
    assert total.new.fund + total.new.own == total.old.fund + total.old.own
    assert found.zero.good
    assert found.zero.decisions > 0


async def test_a_lowered_figure_gives_losers_only(dsn: str, tmp_path: Path) -> None:
    lower = "value = { 2 = 60000, 3 = 60000, 4 = 60000, 5 = 60000 }"
    found = await what_if(
        dsn, draft(tmp_path, "payment.toml", lambda text: text.replace(CAPS, lower))
    )

    assert found.total().losers > 0
    assert found.total().gainers == 0
    assert all(row.difference <= 0 for row in found.rows)
    assert found.zero.good


async def test_every_sum_is_the_sum_of_its_parts(dsn: str, tmp_path: Path) -> None:
    folder = raised_caps(ROOT / "rules", FOLDER, Fraction(11, 10), tmp_path / "rules")
    found = await what_if(dsn, draft_pack(folder))
    write_csv(tmp_path / "rows.csv", found)

    total = found.total()
    for name in ("grade", "group", "setting", "month"):
        lines = found.lines(name)
        assert sum(line.difference for line in lines) == total.difference
        assert sum(line.old.fund for line in lines) == total.old.fund
    assert sum(found.by_person().values()) == total.difference
    with (tmp_path / "rows.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sum(int(row["difference_fen"]) for row in rows) == total.difference
    assert len(rows) == total.months


async def test_a_stricter_rule_on_visits_is_carried_into_benefits(dsn: str, tmp_path: Path) -> None:
    """Visits of 60 minutes no longer count: what they cost is no longer paid."""
    longer = draft(
        tmp_path,
        "../national/provider.toml",
        lambda text: re.sub(
            r"(\[\[visit_minutes_min\.values\]\]\n[^\n]+\nvalue = )\d+", r"\g<1>61", text
        ),
    )
    found = await what_if(dsn, longer)

    assert found.changed["visit", "delivered", "rejected (TOO_SHORT)"] > 0
    visited = next(line for line in found.lines("setting") if line.label == "home_visits")
    assert visited.new.fund == 0
    assert visited.losers > 0
    assert found.zero.good


async def test_grades_that_become_eligible_open_benefits_that_never_were(
    postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    """Lived under rules without grade 2; the draft pays for it from the first day on."""
    severe_only = draft(
        tmp_path, "assessment.toml", lambda text: text.replace(GRADES, "value = [3, 4, 5]")
    )
    lived = await fresh_database(postgres)
    async with stores(lived) as opened:
        await History(opened, severe_only, visits_a_month=2).make(PEOPLE)
    settings = Settings({"LTCI_DATABASE_URL": lived})

    whole = days("2023-11-01", "2024-12-31")
    same = await compared(settings, severe_only, whole)
    found = await compared(settings, pack(CHANGZHOU), whole)

    assert same.zero.good
    assert same.zero.months_without > 0
    assert same.total().difference == 0
    assert found.zero.good
    newly = [row for row in found.rows if row.old.fund == 0 and row.new.fund > 0]
    assert {row.grade for row in newly} == {"2"}
    assert len(newly) == len({row.person for row in newly}) * len(MONTHS)
    assert found.total().losers == 0
    assert found.changed["grade", "grade_2 (GRADE_NOT_ELIGIBLE)", "grade_2"] > 0
    # Grades were given in 2023: a range that begins later leaves them as they were.
    later = await compared(settings, pack(CHANGZHOU), YEAR)
    assert later.total().difference == 0


async def test_what_the_draft_cannot_decide_is_listed_by_reason(dsn: str, tmp_path: Path) -> None:
    """How long a visit must last is known from July on only."""
    unknown = draft(
        tmp_path,
        "../national/provider.toml",
        lambda text: re.sub(
            r"(\[\[visit_minutes_min\.values\]\]\neffective_from = )[-\d]+",
            r"\g<1>2024-07-01",
            text,
        ),
    )
    found = await what_if(dsn, unknown)

    [(kind, reason, key)] = found.refused
    assert (kind, reason, key) == ("visit", "FIGURE_UNKNOWN", "provider.visit_minutes_min")
    assert (
        found.refused[kind, reason, key] == sum(month < MONTHS[6] for month in MONTHS) * PEOPLE * 14
    )
    assert found.total().difference == 0
    assert found.zero.good


async def test_a_month_that_the_draft_cannot_decide_is_in_no_sum(dsn: str) -> None:
    found = await what_if(dsn, pack(CHANGZHOU))
    whole, row = found.total(), found.rows[0]
    recorded = Ruling(
        question="benefit",
        subject=str(row.person),
        pool=CHANGZHOU,
        asked={},
        outcome="due",
        amounts={"eligible_cost": 300, "fund_share": 200, "personal_share": 100},
        pack="",
        code_version="",
    )
    refusal = Refusal(reason="FIGURE_UNKNOWN", key="payment.amounts.home_cap")
    found.take_month(
        MonthResult(person=row.person, month=row.month, recorded=recorded, again=refusal),
        "resident",
    )

    assert found.total() == whole
    assert found.refused_total().old.fund == 200
    assert found.refused["benefit", "FIGURE_UNKNOWN", "payment.amounts.home_cap"] == 1


async def test_nothing_is_written(dsn: str) -> None:
    async def state() -> list[tuple[int, ...]]:
        connection = await asyncpg.connect(dsn)
        try:
            return [
                tuple(
                    await connection.fetchrow(  # type: ignore[arg-type]
                        f"select last_position, (select count(*) from {schema}.requests),"
                        f" (select count(*) from {schema}.packs) from {schema}.log"
                    )
                )
                for schema in ("enrollment", "assessment", "provider", "payment")
            ]
        finally:
            await connection.close()

    before = await state()
    await what_if(dsn, pack(CHANGZHOU))
    assert await state() == before

    async with open_logs(Settings({"LTCI_DATABASE_URL": dsn})) as logs:
        pool = logs["payment"]._pool  # type: ignore[attr-defined]
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await pool.execute("update payment.log set last_position = 0")


@pytest.mark.parametrize("lang", list(Language))
async def test_the_page_stands_alone_and_is_always_the_same(
    dsn: str, tmp_path: Path, lang: Language
) -> None:
    folder = raised_caps(ROOT / "rules", FOLDER, Fraction(11, 10), tmp_path / "rules")
    changed = draft_pack(folder)
    found = await what_if(dsn, changed)
    subject = Subject(draft=changed, within=YEAR, lang=lang)

    told = page(subject, found)

    assert told == page(subject, found)
    assert not re.search(r'(?:src|href)="(?!#)(?!data:)', told)
    assert "@import" not in told
    assert "url(http" not in told
    assert told.count("<svg") == 5
    assert ("常州" if lang is Language.ZH else "Changzhou") in told
    assert not any(str(row.person) in told for row in found.rows)


def test_a_folder_that_is_no_pack_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="no rule pack"):
        draft_pack(tmp_path)
    with pytest.raises(Failure, match="320400"):
        draft_pack(ROOT / "rules" / FOLDER, "510100")


@pytest.mark.parametrize(("first", "last"), [("2024", "2024-12-31"), ("2024-02-01", "2024-01-31")])
def test_days_that_make_no_range_are_refused(first: str, last: str) -> None:
    with pytest.raises(Failure):
        days(first, last)


def test_every_kind_of_decision_says_which_day_it_is_about() -> None:
    for question, rulings in drawn()[0].items():
        if question not in {"benefit", "procedure", "inspection_notice"}:  # told in letters
            assert all(day_of(ruling) for ruling in rulings)
