"""The lists of service items: what they say, what they leave unknown, and what is refused."""

import json
import shutil
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.__main__ import app
from kernel.config import ROOT
from kernel.rules.catalogue import Catalogues
from kernel.rules.reading import PackInvalid

FOLDER = ROOT / "rules" / "catalogue"
LISTS = Catalogues.load(FOLDER)
IN_2026 = date(2026, 1, 1)


def ltci(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"LTCI_LANG": "en"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "catalogue"))


def changed(folder: Path, name: str, old: str, new: str) -> str:
    """What is wrong once a file says otherwise."""
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PackInvalid) as caught:
        Catalogues.load(folder)
    return str(caught.value)


def test_the_national_list_has_36_items_and_invents_no_name() -> None:
    [national] = [one for one in LISTS.on(IN_2026) if one.list == "national"]

    assert [len(national.items), len(national.classes)] == [36, 12]
    assert dict(national.counts) == {"life": 20, "medical": 16, "device_rent": 0}
    assert all(item.unknown and not item.name_zh for item in national.items)


def test_the_older_list_has_42_named_items() -> None:
    [older] = [one for one in LISTS.on(IN_2026) if one.list == "older"]

    assert [item.name_zh for item in older.items[:2]] == ["头面部清洁梳理", "洗发"]
    assert len({item.name_zh for item in older.items}) == 42
    assert sum(item.kind == "medical" for item in older.items) == 15


def test_a_list_counts_from_its_day_on() -> None:
    assert {one.id for one in LISTS.on(date(2025, 9, 24))} == {"older-42"}
    assert {one.id for one in LISTS.on(date(2025, 9, 25))} == {"older-42", "national-36"}
    assert LISTS.on(date(2021, 12, 31)) == ()
    assert LISTS.find("national.life.01", date(2025, 9, 24)) is None


def test_an_old_item_leads_to_a_class_where_its_name_says_so_and_nowhere_else() -> None:
    [older] = [one for one in LISTS.versions if one.id == "older-42"]
    mapped = {item.code: LISTS.mapped(older, item.code) for item in older.items}

    assert all(one is not None and one[0] == "national-36" for one in mapped.values())
    assert not any(one[1].item for one in mapped.values() if one)
    classes = {code: one[1].class_code for code, one in mapped.items() if one}
    assert {code: named for code, named in classes.items() if named} == {
        "older.01": "life.cleaning",
        "older.04": "life.cleaning",
        "older.07": "life.feeding",
        "older.08": "life.cleaning",
        "older.09": "life.dressing",
        "older.11": "life.excretion",
        "older.23": "life.safety",
        "older.32": "life.vital_signs",
    }


def test_a_version_is_named_by_its_content(folder: Path) -> None:
    again = Catalogues.load(folder)
    assert [one.hash for one in again.versions] == [one.hash for one in LISTS.versions]

    path = folder / "older-42.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("minutes = 50", "minutes = 51"))
    hashes = {one.id: one.hash for one in Catalogues.load(folder).versions}
    before = {one.id: one.hash for one in LISTS.versions}
    assert [name for name in hashes if hashes[name] != before[name]] == ["older-42"]


def test_a_device_is_rented_by_the_day_or_month(folder: Path) -> None:
    rent = '\n[[items]]\ncode = "older.bed"\nkind = "device_rent"\nname_zh = "护理床"\n'
    path = folder / "older-42.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + rent + 'rent_per = "month"\n', encoding="utf-8")
    unmapped = folder / "mapping-older-42-national-36.toml"
    unmapped.write_text(
        unmapped.read_text(encoding="utf-8") + '\n[[items]]\ncode = "older.bed"\nunknown = true\n'
    )

    found = Catalogues.load(folder).find("older.bed", IN_2026)
    assert found is not None
    assert (found[1].kind, found[1].rent_per) == ("device_rent", "month")
    assert "what their rent is for" in changed(folder, "older-42.toml", 'rent_per = "month"\n', "")


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("national-36.toml", "unknown = true", 'name_zh = "洗发"\nunknown = true', "or unknown"),
        ("national-36.toml", "life = 20", "life = 21", "20 items of life, the list has 21"),
        ("national-36.toml", 'source = "F"', 'source = "X"', "no such source"),
        ("national-36.toml", 'kind = "life"\nunknown', 'kind = "death"\nunknown', "no such kind"),
        ("older-42.toml", 'code = "older.02"', 'code = "older.01"', "stands twice"),
        ("older-42.toml", 'item = "older.01"', 'item = "older.99"', "not listed"),
        ("older-42.toml", 'list = "older"', 'list = "national"', "holds too"),
        ("older-42.toml", "minutes = 10", "minutes = 0", "whole number"),
        ("older-42.toml", "minutes = 10", "minutes = 10.5", "no floats"),
        (
            "mapping-older-42-national-36.toml",
            'class = "life.safety"',
            'class = "life.danger"',
            "no class",
        ),
        (
            "mapping-older-42-national-36.toml",
            'code = "older.42"',
            'code = "older.41"',
            "told once",
        ),
        ("mapping-older-42-national-36.toml", "verified = false", "verified = true", "never"),
    ],
)
def test_what_is_wrong_with_a_list_is_told(
    folder: Path, name: str, old: str, new: str, told: str
) -> None:
    assert told in changed(folder, name, old, new)


def test_the_check_of_rules_covers_the_lists(folder: Path) -> None:
    assert str(FOLDER) in json.loads(ltci("rules", "check", "--json").stdout)["folders"]
    path = folder / "older-42.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("older.02", "older.01"))

    result = ltci("rules", "check", str(folder), "--json")

    assert result.exit_code == 1
    [problem] = json.loads(result.stdout)["problems"][:1]
    assert problem["file"] == "catalogue/older-42.toml"


def test_the_command_lists_and_shows_items() -> None:
    listed = json.loads(ltci("catalogue", "list", "--on", "2026-01-01", "--json").stdout)
    assert [len(one["items"]) for one in listed["versions"]] == [36, 42]
    bath = json.loads(ltci("catalogue", "show", "older.06", "--on", "2026-01-01", "--json").stdout)
    assert bath["local"][0]["says"] == "50 min"
    assert bath["mapping"] == {"to": "national-36", "item": "", "class": ""}
    assert "UNKNOWN" in ltci("catalogue", "show", "national.life.01", "--on", "2026-01-01").stdout
    assert ltci("catalogue", "show", "national.life.01", "--on", "2025-01-01").exit_code == 2
