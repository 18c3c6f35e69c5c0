"""The demo's words: a line a settled month, and the table at the end."""

from collections import Counter
from datetime import date
from typing import Any

from cli.demo.outcome import Outcome
from cli.output import Output, money
from cli.replay import Report
from cli.settle import told

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


def show(
    output: Output,
    found: Outcome,
    differences: list[str],
    replayed: Report,
    new_events: int,
    seconds: float,
) -> None:
    """Everything the demo ends with."""
    output.document(_document(found, differences, replayed, new_events, seconds))
    _people(output, found)
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
        f" {len(replayed.differences)} differences; {new_events} new events; {seconds:.0f} s",
        f"{lives} 人，{len(differences)} 处与预期不符；重算 {replayed.count} 项裁定，"
        f"{len(replayed.differences)} 处差异；新增事件 {new_events} 个；用时 {seconds:.0f} 秒",
    )


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


def _document(
    found: Outcome, differences: list[str], replayed: Report, new_events: int, seconds: float
) -> dict[str, Any]:
    return {
        "people": dict(Counter(life.state for life in found.lives.values())),
        "benefits_fen": found.by_kind_and_month,
        "funds": {
            pool: {
                "cash_fen": fund.cash_fen,
                "payable_fen": fund.payable_fen,
                "balanced": fund.balanced,
            }
            for pool, fund in found.funds.items()
        },
        "differences": differences,
        "replay": replayed.as_json(),
        "new_events": new_events,
        "seconds": round(seconds, 1),
    }
