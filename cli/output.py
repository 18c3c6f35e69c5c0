"""What the command line says: results on standard output, everything else on standard error.

People read tables and sentences in Chinese or English; machines read one JSON document with
`--json`, and then nothing else is written to standard output. An expected failure is a
`Failure`: what is wrong, where, and what would be right; never a traceback.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, NoReturn

import grpc
import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from kernel.rpc.errors import Problem, explain
from kernel.telemetry import masked

BAD_INPUT = 2
FAILED = 1
WIDTH_OF_FILES = 140
INTERRUPTED = 130  # as shells say of a program that Ctrl-C ended
LANGUAGE_VARIABLES = ("LTCI_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


class Language(StrEnum):
    """The two languages of every message."""

    ZH = "zh"
    EN = "en"


LangOption = Annotated[
    Language | None,
    typer.Option("--lang", help="zh or en; else as LTCI_LANG or LANG says.", show_default=False),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="One JSON document on standard output, for machines.")
]


class Failure(Exception):  # noqa: N818 - named as what it is: an answer for people
    """Something expected went wrong: what, where, and what would be right, in both languages."""

    def __init__(
        self,
        en: str,
        zh: str = "",
        *,
        where: str = "",
        right: str = "",
        right_zh: str = "",
        reason: str = "",
        code: int = FAILED,
    ) -> None:
        super().__init__(en)
        self.en = en
        self.zh = zh or en
        self.where = where
        self.right = right
        self.right_zh = right_zh or right
        self.reason = reason
        self.code = code

    @classmethod
    def of_call(cls, problem: Problem, *, where: str = "") -> "Failure":
        """The failure of a call: bad input and refusals are told apart from faults."""
        code = BAD_INPUT if problem.code == "INVALID_ARGUMENT" else FAILED
        return cls(
            masked(problem.text("en")) or problem.code,
            masked(problem.text("zh")),
            where=where or problem.domain,
            reason=problem.reason or problem.code,
            code=code,
        )


@dataclass(frozen=True)
class Output:
    """Where a command's words go, in which language, and whether a machine reads them."""

    lang: Language
    as_json: bool
    out: Console
    err: Console

    @classmethod
    def of(cls, lang: Language | None = None, *, as_json: bool = False) -> "Output":
        """The output of this process, as its options and environment ask for."""
        return cls(
            lang or language(),
            as_json,
            _console(),
            _console(stderr=True),
        )

    @property
    def interactive(self) -> bool:
        """Whether somebody watches: bars and colours make sense."""
        return self.err.is_terminal

    def text(self, en: str, zh: str) -> str:
        """The sentence in the language of this output."""
        return zh if self.lang is Language.ZH else en

    def columns(self, *names: tuple[str, str]) -> list[str]:
        """Names of a table's columns, each given in English and Chinese."""
        return [self.text(en, zh) for en, zh in names]

    def say(self, en: str, zh: str) -> None:
        """Progress, on standard error. Plain text: square brackets are no markup."""
        self.err.print(self.text(en, zh), markup=False)

    def show(self, en: str, zh: str) -> None:
        """A result for people, on standard output; nothing where a machine reads."""
        if not self.as_json:
            self.out.print(self.text(en, zh), markup=False)

    def table(
        self,
        title: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[object]],
        *,
        right: Sequence[int] = (),
    ) -> None:
        """A table for people; `right` names the columns that are numbers, a `Text` has a colour."""
        if self.as_json:
            return
        drawn = Table(title=escape(title) or None, box=box.SIMPLE_HEAD, title_justify="left")
        for place, column in enumerate(columns):
            drawn.add_column(escape(column), justify="right" if place in right else "left")
        for row in rows:
            drawn.add_row(*(cell if isinstance(cell, Text) else escape(str(cell)) for cell in row))
        self.out.print(drawn, soft_wrap=False)

    def document(self, value: Mapping[str, object] | Sequence[object]) -> None:
        """The answer for machines, on standard output; nothing where people read."""
        if self.as_json:
            sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n")
            sys.stdout.flush()

    def fail(self, failure: Failure) -> NoReturn:
        """Tells the failure and ends the program with its code: 2 for bad input, 1 otherwise."""
        self.document({"error": _told(failure, self.lang)})
        where = f"{failure.where}: " if failure.where else ""
        reason = f" [{failure.reason}]" if failure.reason else ""
        head = self.text("error: ", "错误：") + where
        sentence = self.text(failure.en, failure.zh) + reason
        self.err.print(escape(head + sentence), style="red")
        if failure.right:
            self.err.print(self.text(failure.right, failure.right_zh), markup=False)
        raise typer.Exit(failure.code)

    @contextmanager
    def expected_errors(self) -> Iterator[None]:
        """Ends the program with a clear sentence for whatever can be expected to go wrong."""
        try:
            yield
        except Failure as failure:
            self.fail(failure)
        except grpc.RpcError as error:
            self.fail(Failure.of_call(explain(error)))
        except BrokenPipeError:
            # The reader of our output has gone (`| head`): nothing is left to say to it.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(FAILED) from None
        except KeyboardInterrupt:
            self.err.print(self.text("interrupted", "已中断"), markup=False)
            raise typer.Exit(INTERRUPTED) from None


def _console(*, stderr: bool = False) -> Console:
    """A terminal has its own width; a file or pipe is wide enough for any table of ours."""
    console = Console(stderr=stderr, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = max(console.width, WIDTH_OF_FILES)
    return console


def fail(problem: Failure | Problem | str, output: Output | None = None) -> NoReturn:
    """Prints what, where and what would be right, and ends with 2 for bad input, 1 otherwise."""
    if isinstance(problem, str):
        problem = Failure(problem)
    if isinstance(problem, Problem):
        problem = Failure.of_call(problem)
    (output or Output.of()).fail(problem)


def language(environment: Mapping[str, str] | None = None) -> Language:
    """The language that the environment asks for: Chinese where it begins with zh."""
    given = os.environ if environment is None else environment
    for name in LANGUAGE_VARIABLES:
        if wanted := given.get(name, "").strip():
            return Language.ZH if wanted.lower().startswith("zh") else Language.EN
    return Language.EN


def money(fen: int) -> str:
    """An amount in fen as people read it in yuan: 123450 → "1,234.50"."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def _told(failure: Failure, lang: Language) -> dict[str, object]:
    chinese = lang is Language.ZH
    return {
        "reason": failure.reason,
        "message": failure.zh if chinese else failure.en,
        "where": failure.where,
        "right": failure.right_zh if chinese else failure.right,
    }
