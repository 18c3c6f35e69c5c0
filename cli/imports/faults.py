"""What is wrong with a row, told so that a clerk can mend it and nobody's data leaks."""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from cli.output import BAD_INPUT, Failure, Language
from kernel.refusal import Violation
from kernel.rpc.errors import Problem
from kernel.telemetry import masked

LONGEST_VALUE = 60
_LONG_NUMBER = re.compile(r"[0-9]{8,}[0-9Xx]")
_INDEX = re.compile(r"\[[0-9]*\]")
# What a service did not find → the column that named it.
_COLUMN_OF_KIND: Mapping[str, str] = {
    "person": "identity_number",
    "caregiver": "caregiver_identity_number",
    "provider": "social_credit_code",
    "rule_pack_of_pool": "pool",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong with one row; `message` says what would be right."""

    line: int
    column: str
    reason: str
    message: str
    message_zh: str
    value: str = ""  # as it may be shown: personal data is masked

    def text(self, lang: Language) -> str:
        return self.message_zh if lang is Language.ZH else self.message

    def as_json(self) -> dict[str, object]:
        return {
            "line": self.line,
            "column": self.column,
            "value": self.value,
            "reason": self.reason,
            "message": self.message,
            "message_zh": self.message_zh,
        }


def of_violation(line: int, violation: Violation, column: str, value: str) -> Fault:
    """The fault that a check found; `value` as it may be shown."""
    return Fault(
        line=line,
        column=column,
        value=value,
        reason=violation.reason,
        message=masked(violation.message),
        message_zh=masked(violation.message_zh or violation.message),
    )


def of_refusal(line: int, problem: Problem, column: str, step: str) -> Fault:
    """The fault of a row that a service refused for no single field."""
    at = f"{step}: " if step else ""
    return Fault(
        line=line,
        column=column,
        reason=problem.reason or problem.code,
        message=at + masked(problem.text("en") or problem.code),
        message_zh=at + masked(problem.text("zh") or problem.code),
    )


def column_of_unknown(problem: Problem, columns: Iterable[str], renamed: Mapping[str, str]) -> str:
    """The column that named what a service did not find; empty where no column did."""
    kind = problem.metadata.get("kind", "")
    return column_of(kind, columns, {**_COLUMN_OF_KIND, **renamed})


def column_of(field: str, columns: Iterable[str], renamed: Mapping[str, str]) -> str:
    """The column behind a field of a request; empty where no column is."""
    path = _INDEX.sub("", field)
    last = path.rpartition(".")[2]
    column = renamed.get(path) or renamed.get(last) or last
    return column if column in columns else ""


def shown(value: str, *, personal: bool) -> str:
    """The cell as a report may show it: of personal data only the end of a long number."""
    if personal:
        kept = value[-4:] if _LONG_NUMBER.fullmatch(value) else ""
        return "*" * min(len(value) - len(kept), LONGEST_VALUE) + kept
    # A shifted row may hold a person's number in any column.
    told = masked(value.replace("\n", " "))
    return told if len(told) <= LONGEST_VALUE else told[: LONGEST_VALUE - 1] + "…"


class FaultFile:
    """The CSV report of bad rows, written as they are found. Use as a context manager."""

    def __init__(self, path: Path, lang: Language, *, source: Path) -> None:
        self._path = path
        self._lang = lang
        self._source = source
        self._file: TextIO

    def __enter__(self) -> Self:
        try:
            if self._path.exists() and self._path.samefile(self._source):
                raise Failure(
                    "the report must not replace the file it is about",
                    "报告文件不得覆盖导入文件",
                    where=str(self._path),
                    reason="REPORT_IS_SOURCE",
                    code=BAD_INPUT,
                )
            # With a byte order mark: spreadsheets take the Chinese for what it is.
            self._file = self._path.open("w", encoding="utf-8-sig", newline="")
        except OSError as error:
            why = error.strerror or str(error)
            raise Failure(
                f"cannot be written: {why}",
                f"无法写入：{why}",
                where=str(self._path),
                reason="REPORT_UNWRITABLE",
                code=BAD_INPUT,
            ) from None
        self._rows = csv.writer(self._file)
        self._rows.writerow(["line", "column", "value", "reason", "right"])
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        self._file.close()

    def __call__(self, fault: Fault) -> None:
        told = [fault.column, fault.value, fault.reason, fault.text(self._lang)]
        self._rows.writerow([fault.line, *map(_no_formula, told)])


def _no_formula(cell: str) -> str:
    """The cell so that a spreadsheet shows it and does not compute it."""
    risky = cell.startswith(("=", "+", "@", "\t", "\r")) or re.match(r"-(?![0-9.]+$)", cell)
    return f"'{cell}" if risky else cell
