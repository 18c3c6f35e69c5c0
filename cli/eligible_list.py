"""Eligibility of everybody in a file, asked by the thousand; nothing is recorded (批量资格查询)."""

import csv
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ltci.enrollment.v1 import eligibility_service_pb2 as pb

from cli.connect import ACTOR, Connection
from cli.imports.faults import shown
from cli.imports.patience import patient, problem_of
from cli.imports.table import CsvTable, Row
from cli.output import BAD_INPUT, FAILED, Failure, Output
from cli.two_times import TwoTimes
from kernel.rpc.channel import call

COLUMNS = ("identity_number", "person")  # a file has one of them, or both for different rows
QUESTIONS_A_CALL = 1000
SECONDS_A_CALL = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is said of one row; `problem` says why there is no answer."""

    line: int
    whom: str  # as it may be shown
    person: str = ""
    eligible: bool | None = None
    reasons: tuple[str, ...] = ()
    problem: str = ""
    problem_zh: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "line": self.line,
            "whom": self.whom,
            "person": self.person or None,
            "eligible": self.eligible,
            "reasons": list(self.reasons),
            "problem": self.problem or None,
            "problem_zh": self.problem_zh or None,
        }


class Counts:
    """How many answers of which kind there were."""

    def __init__(self) -> None:
        self.eligible = self.not_eligible = self.unanswered = 0

    def add(self, answer: Answer) -> None:
        if answer.eligible is None:
            self.unanswered += 1
        elif answer.eligible:
            self.eligible += 1
        else:
            self.not_eligible += 1

    def as_json(self) -> dict[str, int]:
        return {
            "eligible": self.eligible,
            "not_eligible": self.not_eligible,
            "unanswered": self.unanswered,
        }


async def ask_all(
    connection: Connection, file: Path, pool: str, times: TwoTimes
) -> AsyncIterator[Answer]:
    """An answer for each row, in the order of the file.

    Each thousand is answered from the facts of one moment. Raises `Failure` for a file that
    cannot be read.
    """
    with CsvTable(file, (), COLUMNS) as table:
        rows = table.rows()
        while batch := list(islice(rows, QUESTIONS_A_CALL)):
            for answer in await _ask(connection, batch, pool, times):
                yield answer


async def _ask(
    connection: Connection, batch: list[Row | list[Any]], pool: str, times: TwoTimes
) -> list[Answer]:
    asked = [row for row in batch if isinstance(row, Row)]
    request = pb.BatchCheckEligibilityRequest(
        pool=pool,
        on_date=times.as_of_date,
        known_at_time=times.known_at_time,
        questions=[
            pb.EligibilityQuestion(
                person=row.cells.get("person", ""),
                identity_number=row.cells.get("identity_number", ""),
            )
            for row in asked
        ],
    )
    method = connection.eligibility.BatchCheckEligibility
    response = await patient(
        lambda: call(method, request, timeout=SECONDS_A_CALL, actor=ACTOR), "enrollment"
    )
    answers = iter(response.answers)
    return [
        _answer(row, next(answers)) if isinstance(row, Row) else _unreadable(row) for row in batch
    ]


def _answer(row: Row, told: pb.EligibilityAnswer) -> Answer:
    whom = row.cells.get("person") or shown(row.cells.get("identity_number", ""), personal=True)
    if told.status.code == 0:
        found = told.eligibility
        return Answer(
            line=row.line,
            whom=whom,
            person=found.person,
            eligible=found.eligible,
            reasons=tuple(found.reasons),
        )
    problem = problem_of(told.status)
    reasons = [violation.reason for violation in problem.violations] or [problem.reason]
    return Answer(
        line=row.line,
        whom=whom,
        reasons=tuple(reasons),
        problem=problem.text("en"),
        problem_zh=problem.text("zh"),
    )


def _unreadable(faults: list[Any]) -> Answer:
    first = faults[0]
    return Answer(
        line=first.line,
        whom="",
        reasons=(first.reason,),
        problem=first.message,
        problem_zh=first.message_zh,
    )


# -- telling -------------------------------------------------------------------------------------


async def tell(
    answers: AsyncIterator[Answer], pool: str, times: TwoTimes, output: Output, *, as_csv: bool
) -> Counts:
    """Prints every answer: as CSV while they come, else as a table or a document at the end."""
    counts = Counts()
    kept: list[Answer] = []
    writer = csv.writer(sys.stdout) if as_csv else None
    if writer:
        writer.writerow(["line", "whom", "person", "eligible", "reasons"])
    async for answer in answers:
        counts.add(answer)
        if writer:
            writer.writerow(_cells(answer))
        else:
            kept.append(answer)
    if not writer:
        output.document(
            {
                "pool": pool,
                **times.as_json(),
                **counts.as_json(),
                "answers": [answer.as_json() for answer in kept],
            }
        )
        _table(kept, pool, times, output)
        output.show(
            f"{counts.eligible} eligible, {counts.not_eligible} not eligible,"
            f" {counts.unanswered} without an answer",
            f"符合{counts.eligible}人,不符合{counts.not_eligible}人,无法判断{counts.unanswered}人",
        )
    return counts


def exit_code(counts: Counts) -> int:
    """0 where everybody has an answer, 2 where nobody has, 1 in between."""
    if not counts.unanswered:
        return 0
    return FAILED if counts.eligible + counts.not_eligible else BAD_INPUT


def _cells(answer: Answer) -> tuple[object, ...]:
    eligible = {None: "", True: "yes", False: "no"}[answer.eligible]
    return answer.line, answer.whom, answer.person, eligible, ";".join(answer.reasons)


def _table(answers: list[Answer], pool: str, times: TwoTimes, output: Output) -> None:
    words = {
        None: ("no answer", "无法判断"),
        True: ("eligible", "符合"),
        False: ("not eligible", "不符合"),
    }
    output.table(
        output.text(
            f"Eligibility in {pool}: {times.words(output)}",
            f"{pool} 的待遇享受条件：{times.words(output)}",
        ),
        output.columns(
            ("line", "行"),
            ("whom", "人员"),
            ("answer", "结论"),
            ("reasons", "原因"),
            ("what would be right", "正确写法"),
        ),
        [
            (
                answer.line,
                answer.whom,
                output.text(*words[answer.eligible]),
                ", ".join(answer.reasons),
                output.text(answer.problem, answer.problem_zh),
            )
            for answer in answers
        ],
        right=(0,),
    )


def one_of_two(person: str | None, pool: str | None, file: Path | None) -> tuple[str, str]:
    """Person and pool as typed: a file takes the place of the person. Refuses (`Failure`)."""
    if file is None and person and pool:
        return person, pool
    if file is not None and person and pool is None:
        return "", person
    raise Failure(
        "name a person and a pool, or a file and a pool",
        "请指定人员与统筹地区,或文件与统筹地区",
        right="ltci eligible PERSON POOL, or ltci eligible --file LIST.csv POOL",
        right_zh="ltci eligible PERSON POOL 或 ltci eligible --file LIST.csv POOL",
        code=BAD_INPUT,
    )
