"""What a pool's year owes and has paid, and one person's account (应缴与欠费)."""

from collections.abc import Callable, Sequence
from typing import Any

from ltci.enrollment.v1 import contribution_service_pb2 as pb
from ltci.enrollment.v1 import contribution_types_pb2 as contribution_types
from ltci.enrollment.v1 import enrollment_types_pb2 as types

from cli.connect import ACTOR, Connection
from cli.output import Output, money
from kernel.ids import derive, new_id
from kernel.rpc.channel import call
from kernel.rules.wording import Wording

SHOWN = 20  # people whose due could not be determined
_STATES = {
    "NOTHING_DUE": ("nothing due", "无应缴"),
    "UNPAID": ("unpaid", "未缴"),
    "PARTIAL": ("paid in part", "部分缴费"),
    "PAID": ("paid", "已缴清"),
    "OVERPAID": ("overpaid", "多缴"),
    "PAID_TWICE": ("paid twice", "重复缴费"),
}


async def open_year(connection: Connection, pool: str, year: int) -> None:
    """Opens the collection of the year: its process starts. Safe to repeat."""
    request = pb.OpenContributionYearRequest(
        pool=pool, year=year, request_id=str(derive("contributions", pool, str(year)))
    )
    await call(connection.contributions.OpenContributionYear, request, actor=ACTOR)


async def determine(
    connection: Connection, pool: str, year: int, went_on: Callable[[int], None]
) -> pb.DuesChunk:
    """Determines the dues of all people of the pool; `went_on` hears how many so far."""
    all_of_it, after, run = pb.DuesChunk(), "", str(new_id())
    while True:
        request = pb.DeterminePoolDuesRequest(
            pool=pool, year=year, after_person=after, request_id=str(derive(run, after))
        )
        chunk = await call(
            connection.contributions.DeterminePoolDues, request, timeout=110, actor=ACTOR
        )
        all_of_it.person_count += chunk.person_count
        all_of_it.due_count += chunk.due_count
        all_of_it.due_fen += chunk.due_fen
        all_of_it.not_determined.extend(chunk.not_determined)
        went_on(all_of_it.person_count)
        after = chunk.next_after_person
        if not after:
            return all_of_it


async def pool_account(connection: Connection, pool: str, year: int) -> pb.PoolAccount:
    """Due, paid and owed by group and source."""
    request = pb.GetPoolAccountRequest(pool=pool, year=year)
    answer: pb.PoolAccount = await connection.contributions.GetPoolAccount(request)
    return answer


async def account(connection: Connection, person: str, pool: str, year: int) -> pb.Account:
    """One person's account."""
    request = pb.GetAccountRequest(person=person, pool=pool, year=year)
    answer: pb.Account = await connection.contributions.GetAccount(request)
    return answer


def told_pool(pool: str, year: int, account: pb.PoolAccount) -> dict[str, Any]:
    """The pool's account for machines."""
    return {
        "pool": pool,
        "year": year,
        "lines": [
            {
                "group": _group(line.group),
                "source": _source(line.source),
                "person_count": line.person_count,
                "due_fen": line.due_fen,
                "paid_fen": line.paid_fen,
                "owed_fen": line.owed_fen,
                "surplus_fen": line.surplus_fen,
            }
            for line in account.lines
        ],
    }


def told_person(account: pb.Account) -> dict[str, Any]:
    """A person's account for machines."""
    return {
        "person": account.person,
        "pool": account.pool,
        "year": account.year,
        "due_date": account.due_date,
        "arrears_fen": account.arrears_fen,
        "lines": [
            {
                "source": _source(line.source),
                "due_fen": line.due_fen,
                "paid_fen": line.paid_fen,
                "refunded_fen": line.refunded_fen,
                "balance_fen": line.balance_fen,
                "state": _state(line.state).lower(),
            }
            for line in account.lines
        ],
    }


def show_pool(pool: str, year: int, account: pb.PoolAccount, output: Output) -> None:
    """The pool's account for people."""
    wording = Wording(output.lang)
    output.table(
        output.text(f"Contributions of {year} in {pool}, yuan", f"{pool} {year}年度筹资（元）"),
        output.columns(
            ("group", "参保人群"),
            ("source", "来源"),
            ("people", "人数"),
            ("due", "应缴"),
            ("paid", "已缴"),
            ("owed", "欠缴"),
            ("too much", "多缴"),
        ),
        [
            (
                wording.value("group", _group(line.group)),
                wording.value("source", _source(line.source)),
                line.person_count,
                money(line.due_fen),
                money(line.paid_fen),
                money(line.owed_fen),
                money(line.surplus_fen),
            )
            for line in account.lines
        ],
        right=(2, 3, 4, 5, 6),
    )
    if not account.lines:
        output.show(
            "no due was determined yet: --determine does it",
            "尚未核定应缴：可用 --determine 核定",
        )


def show_person(account: pb.Account, output: Output) -> None:
    """A person's account for people."""
    wording = Wording(output.lang)
    output.table(
        output.text(
            f"Account of {account.person} for {account.year} in {account.pool}, yuan",
            f"{account.person} 在 {account.pool} 的{account.year}年度缴费账户（元）",
        ),
        output.columns(
            ("source", "来源"),
            ("due", "应缴"),
            ("paid", "已缴"),
            ("given back", "已退"),
            ("balance", "余额"),
            ("state", "状态"),
        ),
        [
            (
                wording.value("source", _source(line.source)),
                money(line.due_fen),
                money(line.paid_fen),
                money(line.refunded_fen),
                money(line.balance_fen),
                output.text(*_STATES[_state(line.state)]),
            )
            for line in account.lines
        ],
        right=(1, 2, 3, 4),
    )
    until = account.due_date or output.text("not known", "规则未载明")
    output.show(
        f"last day to pay: {until}; in arrears: {money(account.arrears_fen)}",
        f"最后缴费日：{until}；欠费：{money(account.arrears_fen)}",
    )


def show_determined(done: pb.DuesChunk, output: Output) -> None:
    """What was determined, and why some could not be."""
    output.say(
        f"{done.person_count} people, {done.due_count} dues of {money(done.due_fen)} yuan,"
        f" {len(done.not_determined)} not determined",
        f"共{done.person_count}人，核定{done.due_count}笔、{money(done.due_fen)}元，"
        f"{len(done.not_determined)}人未能核定",
    )
    for person, reason in _why_not(done.not_determined[:SHOWN]):
        output.say(f"  {person}: {reason}", f"  {person}：{reason}")


def _why_not(found: Sequence[pb.NotDetermined]) -> list[tuple[str, str]]:
    return [(one.person, f"{one.reason} {one.about}".strip()) for one in found]


def _group(number: "types.InsuredGroup.ValueType") -> str:
    return types.InsuredGroup.Name(number).removeprefix("INSURED_GROUP_").lower()


def _source(number: "types.ContributionSource.ValueType") -> str:
    return types.ContributionSource.Name(number).removeprefix("CONTRIBUTION_SOURCE_").lower()


def _state(number: "contribution_types.AccountState.ValueType") -> str:
    return contribution_types.AccountState.Name(number).removeprefix("ACCOUNT_STATE_")
