"""`ltci rules`: what it checks, lists and shows."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.__main__ import app
from kernel.rules.library import PackLibrary

RULES = Path(__file__).parents[2] / "rules"


def ltci(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["rules", *arguments], env={"LTCI_LANG": "en"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("320400_changzhou", "national", "standards"):
        shutil.copytree(RULES / name, tmp_path / name)
    return tmp_path


def test_all_packs_and_bases_of_the_tree_pass() -> None:
    result = ltci("check", "--json")

    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told["problems"] == []
    assert {"national", "national_2026", "320400_changzhou"} <= {
        Path(one).name for one in told["folders"]
    }


def test_a_bad_pack_is_told_with_file_key_and_reason_and_ends_with_1(folder: Path) -> None:
    path = folder / "320400_changzhou/payment.toml"
    path.write_text(path.read_text().replace('month_cap = "home_cap"', 'month_cap = "cap"'))

    result = ltci("check", str(folder / "320400_changzhou"), "--json")

    assert result.exit_code == 1
    [problem] = json.loads(result.stdout)["problems"]
    assert problem == {
        "file": "320400_changzhou/payment.toml",
        "key": "payment.forms.home_visits",
        "reason": "needs payment.amounts.cap on 2022-01-01",
    }
    assert "needs payment.amounts.cap" in ltci("check", str(folder / "320400_changzhou")).stdout


def test_a_bad_base_is_told_too(folder: Path) -> None:
    path = folder / "national/payment.toml"
    path.write_text(path.read_text().replace('source = "D"', 'source = "X"'))

    result = ltci("check", str(folder / "national"), "--json")

    assert result.exit_code == 1
    assert "no such source 'X'" in json.loads(result.stdout)["problems"][0]["reason"]


def test_a_folder_that_is_not_there_is_bad_input() -> None:
    assert ltci("check", "/nowhere").exit_code == 2


def test_the_list_says_what_each_pool_uses_and_lacks() -> None:
    told = {one["pool"]: one for one in json.loads(ltci("list", "--json").stdout)["packs"]}

    assert set(told) == set(PackLibrary(RULES).pools())
    changzhou = told["320400"]
    assert changzhou["in_force_since"] == "2022-01-01"
    assert changzhou["shapes"] == [2, 9, 15]
    assert changzhou["needs"] == []
    assert changzhou["unverified"] > 0
    assert changzhou["unknown"] > 0
    assert told["130500"]["needs"]
    for language, word in (("en", "Changzhou"), ("zh", "常州市")):
        assert word in ltci("list", "--lang", language).stdout


def test_the_figures_of_a_day_are_shown_with_text_and_mark() -> None:
    result = ltci("show", "320400", "--on", "2024-03-01", "--json")

    told = {one["key"]: one for one in json.loads(result.stdout)["in_force"]}
    cap = told["payment.amounts.home_cap"]
    assert (cap["value"]["5"], cap["mark"], cap["verified"]) == (150000, "S1", True)
    assert "Changzhou practice report" in cap["citation"]
    deposit = told["payment.deposit_share"]
    assert (deposit["unknown"], deposit["value"]) == (True, None)
    assert deposit["note"]
    people = ltci("show", "320400", "--on", "2024-03-01")
    assert "UNKNOWN" in people.stdout


def test_a_figure_before_its_first_day_is_not_in_force() -> None:
    told = json.loads(ltci("show", "320400", "--on", "2021-12-31", "--json").stdout)["in_force"]

    cap = next(one for one in told if one["key"] == "payment.amounts.home_cap")
    assert (cap["value"], cap["unknown"]) == (None, False)


@pytest.mark.parametrize("arguments", [("999999",), ("320400", "--on", "March")])
def test_a_pool_or_day_that_is_none_is_bad_input(arguments: tuple[str, ...]) -> None:
    assert ltci("show", *arguments).exit_code == 2
