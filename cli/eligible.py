"""Whether a person is insured and paid up on a day; the question is not recorded (资格查询)."""

from typing import Any

from ltci.enrollment.v1 import enrollment_service_pb2 as pb

from cli.connect import Connection
from cli.output import Output
from cli.two_times import TwoTimes
from kernel.rules.ruling import Ruling, Step

_VERDICTS = {"met": ("met", "满足"), "not_met": ("NOT met", "不满足"), "computed": ("", "")}


async def ask(connection: Connection, person: str, pool: str, times: TwoTimes) -> Ruling:
    """The ruling on the day, by what was known at the moment."""
    answer = await connection.enrollment.CheckEligibility(
        pb.CheckEligibilityRequest(
            person=person,
            pool=pool,
            on_date=times.as_of_date,
            known_at_time=times.known_at_time,
        )
    )
    return Ruling.parse(answer.ruling)


def told(ruling: Ruling, times: TwoTimes) -> dict[str, Any]:
    """The answer for machines; the whole ruling is in it."""
    return {
        "person": ruling.subject,
        "pool": ruling.pool,
        **times.as_json(),
        "outcome": ruling.outcome,
        "reasons": list(ruling.reasons),
        "pack": ruling.pack,
        "facts": [f"{fact.service}:{fact.position}" for fact in ruling.facts],
        "steps": [
            {
                "clause": step.clause,
                "label": step.label,
                "inputs": dict(step.inputs),
                "output": step.output,
                "verdict": step.verdict,
                "citation": step.citation,
                "verified": step.verified,
            }
            for step in ruling.steps
        ],
    }


def show(ruling: Ruling, times: TwoTimes, output: Output) -> None:
    """The answer for people: each condition in a line, then the outcome with its reasons."""
    output.table(
        output.text(
            f"Eligibility of {ruling.subject} in {ruling.pool}: {times.words(output)}",
            f"{ruling.subject} 在 {ruling.pool} 的待遇享受条件：{times.words(output)}",
        ),
        output.columns(("condition", "条件"), ("", ""), ("from", "依据")),
        [_row(step, output) for step in ruling.steps],
    )
    reasons = f": {', '.join(ruling.reasons)}" if ruling.reasons else ""
    verdict = ("not eligible", "不符合") if ruling.reasons else ("eligible", "符合")
    output.show(
        f"{verdict[0]}{reasons}; on {len(ruling.facts)} facts, pack {_short(ruling.pack)}",
        f"{verdict[1]}{reasons}；依据 {len(ruling.facts)} 条事实，规则包 {_short(ruling.pack)}",
    )


def _row(step: Step, output: Output) -> tuple[str, str, str]:
    inputs = ", ".join(f"{name} {value}" for name, value in step.inputs.items() if value != "")
    return step.label, output.text(*_VERDICTS[step.verdict]), inputs


def _short(pack: str) -> str:
    pool, _, digest = pack.partition("@")
    return f"{pool}@{digest[:12]}"
