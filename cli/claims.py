"""What providers claimed for a pool's month, and how it agreed with plans and visits (费用申报)."""

from typing import Annotated, Any

import typer
from google.protobuf.json_format import MessageToDict
from ltci.provider.v1 import claim_service_pb2 as pb

from cli.connect import DEFAULT_DATA, Connection, DataOption
from cli.output import JsonOption, LangOption, Output, money
from cli.running import with_stack
from kernel.rules.wording import Wording

_OUTCOMES = {
    "MATCHED": ("agree", "相符"),
    "PARTIAL": ("agree in part", "部分相符"),
    "REFUSED": ("refused", "不符"),
}


def claims(
    pool: Annotated[str, typer.Argument(help="Pooling area, GB/T 2260: 320400", metavar="POOL")],
    month: Annotated[str, typer.Argument(help="The month, 2024-03.", metavar="MONTH")],
    provider: Annotated[
        str, typer.Option("--provider", help="Only this provider's lines.", metavar="ID")
    ] = "",
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Claim lines of a month by outcome, with sums and reasons. 费用申报核对"""
    output = Output.of(lang, as_json=as_json)

    async def show_claims(connection: Connection) -> None:
        sums = await ask(connection, pool, month, provider)
        output.document(told(sums))
        show(sums, pool, month, output)

    with_stack("claims", data, output, show_claims)


async def ask(connection: Connection, pool: str, month: str, provider: str) -> pb.ClaimSums:
    """The service's answer."""
    request = pb.GetClaimSumsRequest(pool=pool, month=month, provider=provider)
    answer: pb.ClaimSums = await connection.claims.GetClaimSums(request)
    return answer


def told(sums: pb.ClaimSums) -> dict[str, Any]:
    """The answer for machines."""
    found: dict[str, Any] = MessageToDict(
        sums,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
    )
    for one, message in zip(found["sums"], sums.sums, strict=True):
        one["outcome"] = _name(message).lower()
        one |= {name: int(one[name]) for name in one if name != "outcome"}  # JSON knows no int64
    for one in found["reasons"]:
        one |= {name: int(one[name]) for name in one if name != "reason"}
    return found


def show(sums: pb.ClaimSums, pool: str, month: str, output: Output) -> None:
    """The answer for people: a table by outcome, and one of the reasons."""
    if not sums.sums:
        output.show(f"Nothing is claimed for {month} in {pool}.", f"{pool} {month} 没有费用申报。")
        return
    output.table(
        output.text(f"Claims {pool} {month}", f"费用申报 {pool} {month}"),
        output.columns(
            ("outcome", "核对结果"),
            ("lines", "明细数"),
            ("asked, yuan", "申报（元）"),
            ("adjusted, yuan", "核减后（元）"),
            ("approved, yuan", "核定（元）"),
        ),
        [
            (
                output.text(*_OUTCOMES[_name(one)]),
                one.line_count,
                money(one.asked_fen),
                money(one.adjusted_fen),
                money(one.approved_fen),
            )
            for one in sums.sums
        ],
        right=(1, 2, 3, 4),
    )
    if not sums.reasons:
        return
    wording = Wording(output.lang)
    output.table(
        output.text("Why lines differ", "差异原因"),
        output.columns(
            ("reason", "原因"), ("lines", "明细数"), ("not approved, yuan", "未核定（元）")
        ),
        [
            (wording.reason(one.reason), one.line_count, money(one.withheld_fen))
            for one in sums.reasons
        ],
        right=(1, 2),
    )


def _name(one: pb.ClaimSum) -> str:
    return pb.ClaimOutcome.Name(one.outcome).removeprefix("CLAIM_OUTCOME_")
