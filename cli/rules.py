"""`ltci rules`: checks rule packs, lists what they can do and lack, shows the figures of a day."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.output import BAD_INPUT, FAILED, Failure, JsonOption, LangOption, Output
from kernel.clock import Clock
from kernel.config import Settings
from kernel.rules.catalogue import FOLDER as CATALOGUE
from kernel.rules.catalogue import Catalogues
from kernel.rules.figure import Figure
from kernel.rules.library import PackLibrary, check_base, pack_folders
from kernel.rules.pack import Pack
from kernel.rules.reading import PackInvalid, Problem
from kernel.rules.survey import FIELD_SHAPES, figures_on, needs, shapes_used

app = typer.Typer(
    name="rules",
    help="Rule packs of the pools 规则包: check, list, show.",
    no_args_is_help=True,
)
SHORT = 12  # characters of a hash that tell packs apart for people
FolderOption = Annotated[
    Path | None, typer.Option("--rules", help="Folder of all packs.", show_default=False)
]
STATUS_ZH = {"live": "施行", "historical": "历史", "plan": "方案", "partial": "部分"}


@app.command()
def check(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Pack folders; all of them without one.")
    ] = None,
    rules: FolderOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Says what is wrong with packs: file, key, reason. Ends with 1 where anything is. 校验"""
    output = Output.of(lang, as_json=as_json)
    with output.expected_errors():
        wanted = list(folders or ()) or _all_folders(_root(rules))
        problems: list[Problem] = []
        for folder in wanted:
            problems += _problems(folder)
        output.document(
            {
                "folders": [str(folder) for folder in wanted],
                "problems": [vars(problem) for problem in problems],
            }
        )
        if problems:
            output.table(
                output.text("Problems", "问题"),
                output.columns(("file", "文件"), ("key", "键"), ("reason", "原因")),
                [(p.file, p.key, p.reason) for p in problems],
            )
        output.show(
            f"{len(wanted)} folders checked, {len(problems)} problems",
            f"校验 {len(wanted)} 个文件夹，{len(problems)} 处问题",
        )
    if problems:
        raise typer.Exit(FAILED)


@app.command("list")
def list_(rules: FolderOption = None, lang: LangOption = None, as_json: JsonOption = False) -> None:
    """Every pool: its pack, the shapes it uses, what is unverified and unknown. 一览"""
    output = Output.of(lang, as_json=as_json)
    with output.expected_errors():
        library = _library(_root(rules))
        rows = [_summary(library.pack_for(pool)) for pool in library.pools()]
        output.document({"packs": rows, "shapes": {str(n): en for n, (en, _) in _shapes()}})
        output.table(
            output.text("Rule packs", "规则包"),
            output.columns(
                ("pool", "统筹区"),
                ("name", "名称"),
                ("hash", "哈希"),
                ("since", "施行日"),
                ("status", "状态"),
                ("shapes", "公式"),
                ("figures", "数值"),
                ("unverified", "未核实"),
                ("unknown", "未知"),
                ("missing to go live", "上线所缺"),
            ),
            [
                (
                    row["pool"],
                    output.text(row["name_en"], row["name_zh"]),
                    row["hash"][:SHORT],
                    row["in_force_since"],
                    output.text(row["status"], STATUS_ZH[row["status"]]),
                    " ".join(str(n) for n in row["shapes"]),
                    row["figures"],
                    row["unverified"],
                    row["unknown"],
                    len(row["needs"]),
                )
                for row in rows
            ],
            right=(6, 7, 8, 9),
        )
        for number, (en, zh) in _shapes():
            output.show(f"{number:2} {en}", f"{number:2} {zh}")


@app.command()
def show(
    pool: Annotated[str, typer.Argument(help="Pooling area, GB/T 2260: 320400", metavar="POOL")],
    on: Annotated[str, typer.Option("--on", help="Day of care, 2024-03-01; today without.")] = "",
    rules: FolderOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """A pool's figures in force on a day, with text and mark; unknown ones are named. 查看"""
    output = Output.of(lang, as_json=as_json)
    with output.expected_errors():
        day = _day(on)
        library = _library(_root(rules))
        if pool not in library.pools():
            raise Failure(
                f"no rule pack for pool {pool}",
                f"没有统筹区 {pool} 的规则包",
                where="POOL",
                right=f"there are {', '.join(library.pools())}",
                right_zh=f"现有 {'、'.join(library.pools())}",
                code=BAD_INPUT,
            )
        pack = library.pack_for(pool)
        told = [_told(key, figure, pack) for key, figure in figures_on(pack, day)]
        output.document({**_summary(pack), "on": day.isoformat(), "in_force": told})
        name = output.text(pack.name_en, pack.name_zh)
        output.table(
            output.text(
                f"{pool} {name}, {pack.hash[:SHORT]}, on {day}",
                f"{pool} {name}，{pack.hash[:SHORT]}，{day} 施行的数值",
            ),
            output.columns(("key", "键"), ("value", "数值"), ("mark", "来源"), ("text", "依据")),
            [
                (
                    one["key"],
                    _shown(one, output),
                    one["mark"] + ("" if one["verified"] or one["unknown"] else " *"),
                    one["citation"] or one["note"],
                )
                for one in told
            ],
        )
        output.show(
            "* not verified: no text was read that states it",
            "* 未核实：尚未读到载明该数值的文本",
        )
        for key in needs(pack):
            output.show(f"missing to go live: {key}", f"上线所缺：{key}")


def _root(rules: Path | None) -> Path:
    return rules or Settings.from_environment().rules_folder


def _library(root: Path) -> PackLibrary:
    try:
        return PackLibrary(root)
    except PackInvalid as invalid:
        first = invalid.problems[0]
        count = len(invalid.problems)
        raise Failure(
            f"{count} problems in the rule packs, the first: {first}",
            f"规则包有 {count} 处问题，第一处：{first}",
            right="`ltci rules check` tells all of them",
            right_zh="`ltci rules check` 可列出全部",
        ) from None


def _all_folders(root: Path) -> list[Path]:
    """Every pack and base, and the lists of service items where there are any."""
    lists = root / CATALOGUE
    return [*pack_folders(root), *([lists] if lists.is_dir() else [])]


def _problems(folder: Path) -> list[Problem]:
    if not folder.is_dir():
        raise Failure(
            f"{folder} is no folder", f"{folder} 不是文件夹", where="FOLDER", code=BAD_INPUT
        )
    try:
        if folder.resolve().name == CATALOGUE:
            Catalogues.load(folder.resolve())
        elif (folder / "pool.toml").exists():
            Pack.load(folder.resolve())
        else:
            check_base(folder.resolve())
    except PackInvalid as invalid:
        return list(invalid.problems)
    return []


def _day(text: str) -> date:
    if not text:
        return Clock().today()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Failure(
            f"{text!r} is no day",
            f"{text!r} 不是日期",
            where="--on",
            right="write it as 2024-03-01",
            right_zh="应写作 2024-03-01",
            code=BAD_INPUT,
        ) from None


def _shapes() -> Iterator[tuple[int, tuple[str, str]]]:
    yield from FIELD_SHAPES.items()


def _summary(pack: Pack) -> dict[str, Any]:
    values = [one for key in pack.figure_keys for one in pack.history(key)]
    return {
        "pool": pack.pool,
        "name": pack.name,
        "name_zh": pack.name_zh,
        "name_en": pack.name_en,
        "hash": pack.hash,
        "status": pack.status,
        "in_force_since": "" if pack.in_force_since is None else pack.in_force_since.isoformat(),
        "standard": pack.standard().id,
        "shapes": list(shapes_used(pack)),
        "figures": len(pack.figure_keys),
        "unverified": sum(not one.verified for one in values),
        "unknown": sum(not pack.history(key) for key in pack.figure_keys),
        "needs": list(needs(pack)),
    }


def _told(key: str, figure: Figure | None, pack: Pack) -> dict[str, Any]:
    if figure is None:
        return {
            "key": key,
            "value": None,
            "unknown": not pack.history(key),
            "mark": "",
            "verified": False,
            "citation": "",
            "note": pack.note(key),
            "unit": "",
        }
    return {
        "key": key,
        "title": figure.title,
        "value": figure.value,
        "unit": figure.unit,
        "by": list(figure.dimensions),
        "unknown": False,
        "mark": figure.source,
        "verified": figure.verified,
        "citation": figure.citation,
        "note": figure.note,
        "effective_from": figure.effective_from.isoformat(),
        "effective_to": figure.effective_to.isoformat() if figure.effective_to else "",
    }


def _shown(one: dict[str, Any], output: Output) -> str:
    if one["unknown"]:
        return output.text("UNKNOWN", "未知")
    if one["value"] is None:
        return output.text("not in force", "未施行")
    return json.dumps(one["value"], ensure_ascii=False)
