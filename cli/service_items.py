"""`ltci catalogue`: the lists of service items of a day, and one item in full (服务项目目录)."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.output import BAD_INPUT, Failure, JsonOption, LangOption, Output
from cli.two_times import day
from kernel.clock import Clock
from kernel.config import Settings
from kernel.rules.catalogue import FOLDER, Catalogues, LocalStatement, ServiceItem, Version
from kernel.rules.reading import PackInvalid

SHORT = 12  # characters of a hash that tell versions apart for people
KINDS_ZH = {"life": "生活照护", "medical": "医疗护理", "device_rent": "辅助器具租赁"}
app = typer.Typer(
    name="catalogue",
    help="Lists of service items 服务项目目录: list, show.",
    no_args_is_help=True,
)
OnOption = Annotated[
    str, typer.Option("--on", metavar="DAY", help="Day of care, 2026-01-01; today without.")
]
RulesOption = Annotated[
    Path | None, typer.Option("--rules", help="Folder of all packs.", show_default=False)
]


@app.command("list")
def list_(
    on: OnOption = "",
    rules: RulesOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Every item of the lists in force on a day; unknown ones are named so. 一览"""
    output = Output.of(lang, as_json=as_json)
    with output.expected_errors():
        asked, lists = _asked(on, rules)
        versions = lists.on(asked)
        output.document(
            {
                "on": asked.isoformat(),
                "versions": [
                    _version(one) | {"items": [_item(one, item) for item in one.items]}
                    for one in versions
                ],
            }
        )
        for version in versions:
            _show_version(version, output)
        if not versions:
            output.show(f"no list is in force on {asked}", f"{asked} 没有施行的目录")


@app.command()
def show(
    code: Annotated[str, typer.Argument(help="Code of the item: older.06", metavar="CODE")],
    on: OnOption = "",
    rules: RulesOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """One item: kind, staff, minutes, what pools state, where it belongs nationally. 查看"""
    output = Output.of(lang, as_json=as_json)
    with output.expected_errors():
        asked, lists = _asked(on, rules)
        found = lists.find(code, asked)
        if found is None:
            raise Failure(
                f"no item {code!r} on {asked}",
                f"{asked} 没有项目 {code!r}",
                where="CODE",
                right=f"`ltci catalogue list --on {asked}` lists the codes",
                right_zh=f"可用 `ltci catalogue list --on {asked}` 查看代码",
                code=BAD_INPUT,
            )
        version, item = found
        told = _item(version, item) | {
            "on": asked.isoformat(),
            "version": _version(version),
            "mapping": _mapping(lists, version, code),
            "local": [_local(one) for one in version.local if one.item == code],
            "exclusions": [output.text(en, zh) for zh, en in version.exclusions],
        }
        output.document(told)
        _show_item(told, output)


def _asked(on: str, rules: Path | None) -> tuple[date, Catalogues]:
    asked = day(on, "--on") if on else Clock().today()
    folder = (rules or Settings.from_environment().rules_folder) / FOLDER
    try:
        return asked, Catalogues.load(folder)
    except PackInvalid as invalid:
        first, count = invalid.problems[0], len(invalid.problems)
        raise Failure(
            f"{count} problems in the lists of service items, the first: {first}",
            f"服务项目目录有 {count} 处问题，第一处：{first}",
            right="`ltci rules check` tells all of them",
            right_zh="`ltci rules check` 可列出全部",
        ) from None


def _show_version(version: Version, output: Output) -> None:
    classes = {one.code: (one.name_en, one.name_zh) for one in version.classes}
    output.table(
        output.text(
            f"{version.title_en}, {version.hash[:SHORT]}, from {version.effective_from}",
            f"{version.title_zh}，{version.hash[:SHORT]}，自 {version.effective_from} 起",
        ),
        output.columns(("code", "代码"), ("kind", "类型"), ("class", "类别"), ("name", "名称")),
        [
            (
                item.code,
                output.text(item.kind, KINDS_ZH[item.kind]),
                output.text(*classes.get(item.class_code, ("", ""))),
                output.text("UNKNOWN", "未知") if item.unknown else _name(item, output),
            )
            for item in version.items
        ],
    )
    if version.classes:
        names = ", ".join(output.text(*names) for names in classes.values())
        output.show(f"classes: {names}", f"类别：{names}")


def _show_item(told: dict[str, Any], output: Output) -> None:
    rows = [
        (name, str(told[name]))
        for name in ("code", "kind", "name_zh", "name_en", "minutes", "times", "per", "rent_per")
        if told[name]
    ]
    rows.append(("staff", ", ".join(told["staff"]) or output.text("UNKNOWN", "未知")))
    if told["unknown"]:
        rows.append(("name", output.text("UNKNOWN", "未知")))
    rows += [(f"{one['pool']} {one['setting']}", one["says"]) for one in told["local"]]
    if told["mapping"]:
        leads = told["mapping"]["item"] or told["mapping"]["class"]
        rows.append((told["mapping"]["to"], leads or output.text("UNKNOWN", "未知")))
    rows += [(output.text("exclusion", "不予支付"), text) for text in told["exclusions"]]
    version = told["version"]
    output.table(
        f"{told['code']}, {version['id']}, {version['hash'][:SHORT]}",
        output.columns(("what", "事项"), ("", "")),
        rows,
    )
    if version["note"]:
        output.show(version["note"], version["note"])


def _name(item: ServiceItem, output: Output) -> str:
    return f"{item.name_zh} ({item.name_en})" if output.lang == "en" else item.name_zh


def _version(version: Version) -> dict[str, Any]:
    return {
        "id": version.id,
        "list": version.list,
        "hash": version.hash,
        "document": version.document,
        "verified": version.verified,
        "effective_from": version.effective_from.isoformat(),
        "effective_to": version.effective_to.isoformat() if version.effective_to else "",
        "counts": dict(version.counts),
        "classes": [vars(one) for one in version.classes],
        "note": version.note,
    }


def _item(version: Version, item: ServiceItem) -> dict[str, Any]:
    told = dict(vars(item))
    told["class"] = told.pop("class_code")
    return told | {"list": version.list, "staff": list(item.staff)}


def _mapping(lists: Catalogues, version: Version, code: str) -> dict[str, str]:
    found = lists.mapped(version, code)
    if found is None:
        return {}
    target, mapped = found
    return {"to": target, "item": mapped.item, "class": mapped.class_code}


def _local(one: LocalStatement) -> dict[str, Any]:
    says = [f"{one.minutes} min"] if one.minutes else []
    says += [f"{one.times} / {one.per}"] if one.times else []
    says += [f"months {', '.join(map(str, one.months))}"] if one.months else []
    return dict(vars(one)) | {"months": list(one.months), "says": "; ".join(says)}
