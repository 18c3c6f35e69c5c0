"""The words of `ltci whatif`: tables for people, one document for machines, CSV and page."""

import csv
import io
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from cli.output import BAD_INPUT, Failure, Output, money
from cli.replay.logs import open_logs
from cli.whatif.compare import Comparison, Line
from cli.whatif.history import Range
from cli.whatif.page import NAMES, Subject, page, signed
from cli.whatif.run import whatif
from kernel.config import Settings
from kernel.rules.pack import Pack
from kernel.rules.reading import PackInvalid

COLUMNS = (
    "person",
    "month",
    "group",
    "grade",
    "setting",
    "old_fund_fen",
    "new_fund_fen",
    "difference_fen",
    "old_personal_fen",
    "new_personal_fen",
    "refused",
)


def draft_pack(folder: Path, pool: str = "") -> Pack:
    """The draft of a folder. Refuses one that is no pack, or not the pool's that is asked for."""
    try:
        pack = Pack.load(folder)
    except (PackInvalid, OSError, ValueError) as error:
        raise Failure(
            f"no rule pack can be read there: {error}",
            f"该目录不是可读取的规则包：{error}",
            where="--pack",
            right="a folder such as rules/320400_changzhou, with its base beside it",
            right_zh="应为 rules/320400_changzhou 这样的目录，其基础包在同级目录",
            reason="PACK_INVALID",
            code=BAD_INPUT,
        ) from None
    if pool and pool != pack.pool:
        raise Failure(
            f"the pack is that of pool {pack.pool}",
            f"该规则包属于统筹区 {pack.pool}",
            where="--pool",
            code=BAD_INPUT,
        )
    return pack


def days(first: str, last: str) -> Range:
    """The range of days of care that is asked for, both in."""
    found: list[date] = []
    for where, told in (("--from", first), ("--to", last)):
        try:
            found.append(date.fromisoformat(told))
        except ValueError:
            raise Failure(
                f"{told!r} is no day",
                f"{told!r} 不是日期",
                where=where,
                right="write it as 2024-01-31",
                right_zh="应写作 2024-01-31",
                code=BAD_INPUT,
            ) from None
    if found[1] < found[0]:
        raise Failure("it is before --from", "早于 --from", where="--to", code=BAD_INPUT)
    return Range(first=found[0], last=found[1])


async def compared(
    settings: Settings,
    draft: Pack,
    within: Range,
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """What the draft would change in the running stack's history; reads only."""
    async with open_logs(settings) as logs:
        return await whatif(logs, draft, within, progress)


def write_page(path: Path, subject: Subject, found: Comparison) -> None:
    path.write_text(page(subject, found), encoding="utf-8")


def write_csv(path: Path, found: Comparison) -> None:
    """A line for each person and month, with opaque ids."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in found.rows:
        refused = row.refused
        new: tuple[object, ...] = (row.new.fund, row.difference)
        writer.writerow(
            (
                row.person,
                row.month,
                row.group,
                row.grade,
                row.setting,
                row.old.fund,
                *(new if refused is None else ("", "")),
                row.old.own,
                row.new.own if refused is None else "",
                f"{refused.reason} {refused.key}".strip() if refused else "",
            )
        )
    path.write_text(written.getvalue(), encoding="utf-8")


def document(subject: Subject, found: Comparison) -> dict[str, Any]:
    return {
        "pool": subject.draft.pool,
        "pack": subject.draft.hash,
        "from": str(subject.within.first),
        "to": str(subject.within.last),
        **found.as_json(),
    }


def show(output: Output, subject: Subject, found: Comparison) -> None:
    """Everything for people."""
    total = found.total()
    name = output.text(subject.draft.name_en, subject.draft.name_zh)
    output.show(
        f"{name}: {subject.within.first} to {subject.within.last} under the draft pack"
        f" {subject.draft.hash[:12]}; yuan",
        f"{name}：{subject.within.first} 至 {subject.within.last}，"
        f"拟用规则包 {subject.draft.hash[:12]}；单位元",
    )
    for key, title in (*NAMES.items(), ("month", ("By month", "按月份"))):
        _sums(output, subject, output.text(*title), [*found.lines(key), total])
    _changes(output, subject, found)
    if found.refused:
        output.table(
            output.text("What the draft cannot decide", "拟用规则无法裁定的"),
            output.columns(
                ("decision", "裁定"), ("reason", "原因"), ("figure", "参数"), ("count", "数量")
            ),
            [(subject.word(kind), *rest, n) for (kind, *rest), n in sorted(found.refused.items())],
            right=(3,),
        )
    output.show(
        f"fund: {money(total.old.fund)} recorded, {money(total.new.fund)} under the draft,"
        f" {signed(total.difference)}; {total.gainers} people gain, {total.losers} lose",
        f"基金支付：原 {money(total.old.fund)}，拟 {money(total.new.fund)}，"
        f"差额 {signed(total.difference)}；{total.gainers} 人增加，{total.losers} 人减少",
    )
    output.show(zero_words(found)[0], zero_words(found)[1])


def zero_words(found: Comparison) -> tuple[str, str]:
    """The zero check in one line, in English and Chinese."""
    zero = found.zero
    if zero.good:
        return (
            f"unchanged pack: zero differences over {zero.decisions} decisions",
            f"原规则包：{zero.decisions} 项裁定，差异为零",
        )
    count, first = len(zero.differences), zero.differences[0]
    told = f"unchanged pack: {count} differences, the first in {first}: do not rely on the figures"
    return told, f"原规则包：{count} 处差异，首处为 {first}：数字不可采信"


def _sums(output: Output, subject: Subject, title: str, lines: Sequence[Line]) -> None:
    output.table(
        title,
        output.columns(
            ("", ""),
            ("months", "人月"),
            ("fund, recorded", "基金支付·原"),
            ("fund, draft", "基金支付·拟"),
            ("difference", "差额"),
            ("gain", "增加人数"),
            ("lose", "减少人数"),
        ),
        [
            (
                output.text("all", "合计") if line is lines[-1] else subject.word(line.label),
                line.months,
                money(line.old.fund),
                money(line.new.fund),
                signed(line.difference),
                line.gainers,
                line.losers,
            )
            for line in lines
        ],
        right=(1, 2, 3, 4, 5, 6),
    )


def _changes(output: Output, subject: Subject, found: Comparison) -> None:
    if not found.changed:
        return
    output.table(
        output.text("Decisions that come out otherwise", "结果有变的裁定"),
        output.columns(("decision", "裁定"), ("was", "原"), ("would be", "拟"), ("count", "数量")),
        [
            (
                subject.word(kind),
                was,
                now if now != was else output.text("other amounts", "金额有变"),
                n,
            )
            for (kind, was, now), n in sorted(found.changed.items())
        ],
        right=(3,),
    )
