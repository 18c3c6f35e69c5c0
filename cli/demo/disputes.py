"""What people disputed in the demo, how it ended, and what it changed in grade and money.

The money is asked of payment's preview: what the first conclusion, put in the place of the one
that counts now, would take away is what the review or the appeal added.
"""

from collections.abc import Sequence
from typing import Any

from ltci.payment.v1 import preview_service_pb2 as preview_pb
from ltci.payment.v1 import preview_service_pb2_grpc as preview_grpc

from cli.case import Line
from cli.connect import Connection
from cli.imports.patience import patient
from cli.output import Output, money

KINDS = {"objection": "异议", "review": "复评", "appeal": "申诉"}
OUTCOMES = {
    "dismissed": "不成立",
    "upheld": "成立",
    "other": "改变结论",
    "same": "维持结论",
}


async def disputes_of(
    connection: Connection, pool: str, person: str, story: Sequence[Line], last_month: str
) -> list[dict[str, Any]]:
    """A life's disputes in their order, in the words of `expected.json`; money up to a month."""
    delivered = [line.says for line in story if line.event == "ConclusionDelivered"]
    told = [found for line in story if (found := _dispute(line, delivered)) is not None]
    for one in told:
        one["added_fen"] = 0
        if one["grade"] != one["grade_before"]:
            undone = _undone(connection, pool, person, delivered)
            one["added_fen"] = await _added(connection, undone, last_month)
    return told


def _dispute(line: Line, delivered: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """What a decision on a dispute says; None for every other event."""
    says = line.says
    match line.event:
        case "ObjectionDecided":
            # What an upheld one changes is its review's to tell.
            grade = delivered[0].get("grade", 0) if delivered else 0
            return _told("objection", _word(says["outcome"]), grade, grade)
        case "ReviewGraded":
            before, grade = says.get("grade_before", 0), says.get("grade", 0)
            return _told("review", "same" if before == grade else "other", before, grade)
        case "AppealDecided":
            before = says.get("grade_before", 0)
            return _told("appeal", _word(says["outcome"]), before, says.get("grade", before))
        case _:
            return None


def _told(kind: str, outcome: str, before: int, grade: int) -> dict[str, Any]:
    return {"kind": kind, "outcome": outcome, "grade_before": before, "grade": grade}


def _word(outcome: str) -> str:
    return outcome.rpartition("_")[2]


def _undone(
    connection: Connection, pool: str, person: str, delivered: Sequence[dict[str, Any]]
) -> preview_pb.PreviewConclusionRequest:
    """The first conclusion again, as if it were decided today from the newest one's first day."""
    first, newest = delivered[0], delivered[-1]
    return preview_pb.PreviewConclusionRequest(
        person=person,
        pool=pool,
        application=first["application"],
        round=newest["round"] + 1,
        grade=first.get("grade", 0),
        grade_eligible=first.get("grade_eligible", False),
        conclusion_date=str(connection.clock().today()),
        effective_date=newest["effective_date"],
        valid_until_date=newest["valid_until_date"],
    )


async def _added(
    connection: Connection, undone: preview_pb.PreviewConclusionRequest, last_month: str
) -> int:
    effect = await patient(lambda: _ask(connection, undone), "payment")
    months = [month for month in effect.months if month.month <= last_month]
    return -sum(int(month.difference_fen) for month in months)


async def _ask(connection: Connection, asked: preview_pb.PreviewConclusionRequest) -> Any:
    previews: Any = preview_grpc.PreviewServiceStub(connection.channel("payment"))
    return await previews.PreviewConclusion(asked)


def show(output: Output, disputed: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """One line a dispute: where, what, how it ended, the grades, and the money it added."""
    output.table(
        output.text("Disputes", "争议"),
        output.columns(
            ("pool", "统筹区"),
            ("dispute", "争议"),
            ("outcome", "结果"),
            ("grade before", "原等级"),
            ("grade", "现等级"),
            ("added, yuan", "增加基金支付（元）"),
        ),
        [
            (
                pool,
                output.text(one["kind"], KINDS[one["kind"]]),
                output.text(one["outcome"], OUTCOMES[one["outcome"]]),
                one["grade_before"],
                one["grade"],
                money(one["added_fen"]),
            )
            for pool, one in disputed
        ],
        right=(3, 4, 5),
    )
