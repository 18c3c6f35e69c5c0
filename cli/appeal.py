"""What a panel's view would change, before it decides (申诉预览): `ltci appeal`."""

from typing import Annotated, Any

import typer
from ltci.assessment.v1 import appeal_service_pb2 as appeal_pb
from ltci.assessment.v1 import appeal_service_pb2_grpc as appeal_grpc
from ltci.payment.v1 import payment_types_pb2 as types
from ltci.payment.v1 import preview_service_pb2 as pb
from ltci.payment.v1 import preview_service_pb2_grpc as pb_grpc

from cli.connect import DEFAULT_DATA, Connection, DataOption
from cli.output import JsonOption, LangOption, Output, money
from cli.running import with_stack

app = typer.Typer(name="appeal", help="Appeals to a panel. 申诉", no_args_is_help=True)


@app.callback()
def _appeals() -> None:
    """Appeals to a panel. 申诉"""


@app.command()
def preview(
    appeal: Annotated[str, typer.Argument(help="The appeal's id.")],
    grade: Annotated[int, typer.Option(help="Grade that the panel thinks of.", min=0, max=5)],
    effective: Annotated[
        str, typer.Option("--from", metavar="DAY", help="First day of that grade, 2024-04-01.")
    ],
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a view would change in grade, months and money; nothing is recorded. 申诉决定预览"""
    output = Output.of(lang, as_json=as_json)

    async def run(connection: Connection) -> None:
        effect = await ask(connection, appeal, grade, effective)
        output.document(document(effect))
        show(effect, grade, effective, output)

    with_stack("appeal preview", data, output, run)


async def ask(
    connection: Connection, appeal: str, grade: int, effective: str
) -> pb.ConclusionEffect:
    """The conclusion that the view would deliver, and what payment makes of it."""
    appeals: Any = appeal_grpc.AppealServiceStub(connection.channel("assessment"))
    thought = await appeals.PreviewAppeal(
        appeal_pb.PreviewAppealRequest(appeal=appeal, grade=grade, effective_date=effective)
    )
    previews: Any = pb_grpc.PreviewServiceStub(connection.channel("payment"))
    effect: pb.ConclusionEffect = await previews.PreviewConclusion(
        pb.PreviewConclusionRequest(
            person=thought.person,
            pool=thought.pool,
            application=thought.application,
            round=thought.round,
            grade=thought.grade,
            grade_eligible=thought.grade_eligible,
            conclusion_date=thought.conclusion_date,
            effective_date=thought.effective_date,
            valid_until_date=thought.valid_until_date,
        )
    )
    return effect


def document(effect: pb.ConclusionEffect) -> dict[str, object]:
    """The answer for machines; amounts in fen."""
    return {
        "months": [
            {
                "month": one.month,
                "settled": one.settled,
                "determined_fen": one.determined_fen,
                "known_fen": one.known_fen,
                "would_be_fen": one.would_be_fen,
                "difference_fen": one.difference_fen,
                "known_grade": one.known_grade,
                "would_be_grade": one.would_be_grade,
                "refused": one.refused,
            }
            for one in effect.months
        ],
        "as_known": [_turn(one) for one in effect.as_known],
        "as_would_be": [_turn(one) for one in effect.as_would_be],
        "difference_fen": effect.difference_fen,
        "preview_digest": effect.digest,
    }


def show(effect: pb.ConclusionEffect, grade: int, effective: str, output: Output) -> None:
    """The answer for people: the months, the sum, and the digest that the decision names."""
    output.table(
        output.text(f"Grade {grade} from {effective}", f"自{effective}起为{grade}级"),
        output.columns(
            ("month", "月份"),
            ("settled", "已结算"),
            ("grade now", "现等级"),
            ("grade then", "拟等级"),
            ("determined", "已核定"),
            ("as known", "按现有事实"),
            ("as it would be", "按拟决定"),
            ("difference", "差额"),
        ),
        [_row(one, output) for one in effect.months],
        right=(2, 3, 4, 5, 6, 7),
    )
    output.show(
        f"difference {money(effect.difference_fen)} yuan; settled months stay until corrected",
        f"差额合计 {money(effect.difference_fen)} 元；已结算月份在更正前不变",
    )
    output.show(f"preview digest {effect.digest}", f"预览摘要 {effect.digest}")


def _row(one: pb.PreviewedMonth, output: Output) -> tuple[object, ...]:
    if one.refused:
        amounts = (one.refused, "", "")
    else:
        amounts = (money(one.known_fen), money(one.would_be_fen), money(one.difference_fen))
    return (
        one.month,
        output.text("yes", "是") if one.settled else "",
        one.known_grade or "",
        one.would_be_grade or "",
        money(one.determined_fen) if one.settled else "",
        *amounts,
    )


def _turn(one: pb.EntitlementTurn) -> dict[str, object]:
    state = types.EntitlementState.Name(one.state).removeprefix("ENTITLEMENT_STATE_")
    return {
        "effective_date": one.effective_date,
        "state": state.lower(),
        "grade": one.grade,
        "cause": one.cause,
    }
