"""The demo's words: a line a settled month, and the table at the end."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cli.demo import disputes
from cli.demo.outcome import Outcome
from cli.output import Output, money
from cli.replay import Report
from cli.settle import told
from cli.whatif.command import zero_words
from cli.whatif.compare import Comparison
from cli.whatif.page import signed

POOL_NAMES = {"320400": ("Changzhou", "常州"), "510100": ("Chengdu", "成都")}
SHOWN_DIFFERENCES = 20


def settled(output: Output, settlement: Any, today: date) -> None:
    """One line a settlement, on the business clock's day."""
    says = told(settlement)
    en, zh = POOL_NAMES[says["pool"]]
    amount = money(says["fund_share_fen"])
    output.say(
        f"{today}  {en} {says['month']} settled: {says['benefit_count']} benefits, {amount} yuan",
        f"{today}  {zh} {says['month']} 结算完成：{says['benefit_count']} 笔待遇，{amount} 元",
    )


@dataclass(frozen=True, kw_only=True)
class End:
    """Everything the demo ends with."""

    found: Outcome
    differences: list[str]
    replayed: Report
    asked: Comparison  # the what-if
    page: Path
    changed: dict[str, int]  # by a rule that changes in mid-month: difference by month of care
    new_events: int
    seconds: float


def asked_well(asked: Comparison) -> bool:
    """Whether the what-if can be believed: the zero check holds, and higher caps take nothing."""
    total = asked.total()
    gains = total.difference > 0 and total.gainers > 0 and total.losers == 0
    return asked.zero.good and gains and not asked.refused


def mid_month_differences(changed: dict[str, int], expected: dict[str, Any]) -> list[str]:
    """Where the months about a rule change in mid-month differ from the expected ones."""
    wanted: dict[str, int] = expected["mid_month_change"]["difference_fen"]
    return [
        f"mid-month change: {month} differs by {changed.get(month)}, expected {fen}"
        for month, fen in wanted.items()
        if changed.get(month) != fen
    ]


def show(output: Output, end: End) -> None:
    """Tables and sentences for people, one document for machines."""
    found, differences, replayed = end.found, end.differences, end.replayed
    output.document(_document(end))
    _people(output, found)
    _disputes(output, found)
    _merged_and_moved(output, found)
    _supervised(output, found)
    _money(output, found)
    _funds(output, found)
    if differences:
        output.table(
            output.text("Not as expected", "与预期不符"),
            [output.text("what", "内容")],
            [(line,) for line in differences[:SHOWN_DIFFERENCES]],
        )
    lives = len(found.lives)
    output.show(
        f"{lives} lives, {len(differences)} not as expected; {replayed.count} decisions replayed,"
        f" {len(replayed.differences)} differences; {end.new_events} new events;"
        f" {end.seconds:.0f} s",
        f"{lives} 人，{len(differences)} 处与预期不符；重算 {replayed.count} 项裁定，"
        f"{len(replayed.differences)} 处差异；新增事件 {end.new_events} 个；"
        f"用时 {end.seconds:.0f} 秒",
    )
    _what_if(output, end)
    months = ", ".join(f"{month} {money(fen)}" for month, fen in sorted(end.changed.items()))
    output.show(
        f"what if the carer's subsidy rose in mid-month: each day by its own rule: {months}",
        f"若护理补贴在月中提高：按服务日各自适用的标准计算：{months}",
    )


def _what_if(output: Output, end: End) -> None:
    total = end.asked.total()
    old, new, more = money(total.old.fund), money(total.new.fund), signed(total.difference)
    output.show(
        f"what if Changzhou's caps had been 10 % higher: the fund pays {new} instead of {old} yuan,"
        f" {more}; {total.gainers} people gain, {total.losers} lose; page: {end.page}",
        f"若常州支付限额提高 10%：基金支付由 {old} 元变为 {new} 元，{more} 元；"
        f"{total.gainers} 人增加，{total.losers} 人减少；页面：{end.page}",
    )
    output.show(*zero_words(end.asked))


def _people(output: Output, found: Outcome) -> None:
    counts = Counter((life.state, life.pool) for life in found.lives.values())
    states = sorted({state for state, _ in counts})
    pools = sorted(POOL_NAMES)
    output.table(
        output.text("People by state", "按状态统计人数"),
        [output.text("state", "状态"), *(output.text(*POOL_NAMES[pool]) for pool in pools)],
        [(state, *(counts[state, pool] or "" for pool in pools)) for state in states],
        right=(1, 2),
    )


def _disputes(output: Output, found: Outcome) -> None:
    disputed = [
        (output.text(*POOL_NAMES[life.pool]), one)
        for life in found.lives.values()
        for one in life.disputes
    ]
    disputes.show(output, disputed)


def _merged_and_moved(output: Output, found: Outcome) -> None:
    """Who was registered twice, and who took the insurance to the other city."""
    words = {
        "GRADE_ACCEPTED": ("grade taken over", "失能等级互认"),
        "GRADE_REOPENED": ("grade to be assessed anew", "失能等级须重新评估"),
        "NO_GRADE": ("no valid grade", "无有效失能等级"),
    }
    rows = []
    for life in found.lives.values():
        pool = output.text(*POOL_NAMES[life.pool])
        if life.merged_from:
            told = output.text("two registrations are one person", "重复登记，合并为一人")
            rows.append((pool, told, life.merged_from))
        if life.moved_to:
            to = output.text(*POOL_NAMES[life.moved_to["pool"]])
            grade = output.text(*words[life.moved_to["grade"]])
            rows.append(
                (
                    pool,
                    output.text(f"to {to}: {grade}", f"转往{to}：{grade}"),
                    life.moved_to["from"],
                )
            )
    output.table(
        output.text("Merged and moved", "合并与转移"),
        output.columns(("city", "城市"), ("what", "事项"), ("from", "自")),
        rows,
    )


def _supervised(output: Output, found: Outcome) -> None:
    """What became of flagged and disputed visits, and whose provider was suspended."""
    lives = found.lives.values()
    rows = [
        (output.text(*words), count)
        for words, count in (
            (("visits flagged and cleared", "风险提示：已排除"), _flags(found, "cleared")),
            (("visits flagged and confirmed", "风险提示：属实"), _flags(found, "confirmed")),
            (("visits flagged, to be looked into", "风险提示：待核查"), _flags(found, "open")),
            (
                ("visits disputed, not paid", "服务异议：不予支付"),
                sum(life.rejected_visits.get("DISPUTED", 0) for life in lives),
            ),
            (
                ("people handed over from a suspended provider", "机构中止后移交的参保人"),
                sum(bool(life.handed_over) for life in lives),
            ),
        )
    ]
    columns = output.columns(("what", "事项"), ("number", "数量"))
    output.table(output.text("Supervision", "监管"), columns, rows, right=(1,))


def _flags(found: Outcome, word: str) -> int:
    return sum(life.flags.get(word, 0) for life in found.lives.values())


def _money(output: Output, found: Outcome) -> None:
    months = sorted({month for by_month in found.by_kind_and_month.values() for month in by_month})
    kinds = sorted(found.by_kind_and_month)
    rows = [
        (month, *(money(found.by_kind_and_month[kind].get(month, 0)) for kind in kinds))
        for month in months
    ]
    totals = [money(sum(found.by_kind_and_month[kind].values())) for kind in kinds]
    output.table(
        output.text("Benefits by month of care, yuan", "按服务月份统计基金支付（元）"),
        [output.text("month", "月份"), *kinds],
        [*rows, (output.text("all", "合计"), *totals)],
        right=tuple(range(1, len(kinds) + 1)),
    )


def _funds(output: Output, found: Outcome) -> None:
    output.table(
        output.text("Funds, yuan", "基金（元）"),
        output.columns(
            ("pool", "统筹区"),
            ("cash", "结余"),
            ("payable", "应付"),
            ("entries", "分录"),
            ("balanced", "借贷平衡"),
        ),
        [
            (
                output.text(*POOL_NAMES[pool]),
                money(fund.cash_fen),
                money(fund.payable_fen),
                fund.entry_count,
                "✓" if fund.balanced else "✗",
            )
            for pool, fund in sorted(found.funds.items())
        ],
        right=(1, 2, 3),
    )


def _document(end: End) -> dict[str, Any]:
    found, total = end.found, end.asked.total()
    return {
        "people": dict(Counter(life.state for life in found.lives.values())),
        "disputes": [
            {"pool": life.pool, **one} for life in found.lives.values() for one in life.disputes
        ],
        "flags": {word: _flags(found, word) for word in ("open", "cleared", "confirmed")},
        "benefits_fen": found.by_kind_and_month,
        "funds": {
            pool: {
                "cash_fen": fund.cash_fen,
                "payable_fen": fund.payable_fen,
                "balanced": fund.balanced,
            }
            for pool, fund in found.funds.items()
        },
        "differences": end.differences,
        "replay": end.replayed.as_json(),
        "whatif": {
            "page": str(end.page),
            "old_fund_fen": total.old.fund,
            "new_fund_fen": total.new.fund,
            "difference_fen": total.difference,
            "gainers": total.gainers,
            "losers": total.losers,
            "refused": len(end.asked.refused),
            "zero_check": end.asked.zero.as_json(),
        },
        "mid_month_change_fen": end.changed,
        "new_events": end.new_events,
        "seconds": round(end.seconds, 1),
    }
