"""The bank's books: orders, bookings and how accounts are treated, in one SQLite file.

What was answered is on the disk: every change is one transaction, synced before it returns.
Each function here blocks for some milliseconds; `rpc.py` calls them from one thread.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

ENQUIRIES_UNTIL_BOOKED = 2  # of a late payment: the second enquiry finds it booked

_TABLES = """
CREATE TABLE IF NOT EXISTS accounts (
  account_number TEXT PRIMARY KEY,
  behaviour INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS settings (
  request_id TEXT PRIMARY KEY,
  account_number TEXT NOT NULL,
  behaviour INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS payments (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  instruction TEXT NOT NULL UNIQUE,
  pool TEXT NOT NULL,
  account_number TEXT NOT NULL,
  holder_name TEXT NOT NULL,
  amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
  state INTEGER NOT NULL,
  cause TEXT NOT NULL,
  booked_time TEXT NOT NULL,
  enquiries_left INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS lines (
  pool TEXT NOT NULL,
  line INTEGER NOT NULL,
  number INTEGER NOT NULL UNIQUE REFERENCES payments,
  state INTEGER NOT NULL,
  time TEXT NOT NULL,
  PRIMARY KEY (pool, line)
) STRICT;
"""


class Behaviour(IntEnum):
    """How an account is treated; the numbers of the proto."""

    NORMAL = 1
    CLOSED = 2
    SILENT_ONCE = 3
    LATE = 4


class State(IntEnum):
    """What the bank says of an order; the numbers of the proto."""

    PENDING = 1
    BOOKED = 2
    RETURNED = 3


class InstructionDiffers(Exception):  # noqa: N818 - named as the answer it is
    """The instruction came before with another payee, amount or fund."""


class SettingDiffers(Exception):  # noqa: N818 - named as the answer it is
    """The request id set another account, or another behaviour, before."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the payer asks for."""

    instruction: str
    pool: str
    account_number: str
    holder_name: str
    amount_fen: int


@dataclass(frozen=True, kw_only=True)
class Payment:
    """An order as the bank has it. `silent`: the answer to this order gets lost."""

    instruction: str
    number: int
    amount_fen: int
    state: State
    cause: str
    booked_time: str
    silent: bool = False

    @property
    def bank_reference(self) -> str:
        return f"B{self.number:012d}"


@dataclass(frozen=True, kw_only=True)
class Line:
    """A booking in a fund's statement."""

    line: int
    payment: Payment
    state: State
    time: str


class Books:
    """Opens the file, or makes it."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        # One connection for all calls; the caller sees to it that they come one by one.
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        self._connection.close()

    def take(self, order: Order, now: str) -> Payment:
        """The order's payment: made when it first comes, the same one ever after."""
        with self._transaction():
            known = self._find(order.instruction)
            if known is not None:
                return _the_same(order, known)
            return self._make(order, now)

    def enquire(self, instruction: str, now: str) -> Payment | None:
        """What became of the order, None where it never came. A late one moves with enquiries."""
        with self._transaction():
            row = self._find(instruction)
            if row is None or row["state"] != State.PENDING:
                return row and _payment(row)
            left = row["enquiries_left"] - 1
            self._connection.execute(
                "UPDATE payments SET enquiries_left = ? WHERE number = ?", (left, row["number"])
            )
            if left <= 0:
                self._book(row["number"], State.BOOKED, now)
            return _payment(self._found(instruction))

    def statement(self, pool: str, after: int, limit: int) -> list[Line]:
        """At most `limit` lines of the fund's statement, in order, after the line `after`."""
        rows = self._connection.execute(
            "SELECT lines.line, lines.state AS line_state, lines.time, payments.*"
            " FROM lines JOIN payments USING (number)"
            " WHERE lines.pool = ? AND lines.line > ? ORDER BY lines.line LIMIT ?",
            (pool, after, limit),
        )
        return [
            Line(
                line=row["line"],
                payment=_payment(row),
                state=State(row["line_state"]),
                time=row["time"],
            )
            for row in rows
        ]

    def treat(self, request_id: str, account_number: str, behaviour: Behaviour) -> None:
        """Sets how the account is treated from now on; a repeated request changes nothing."""
        asked = (account_number, int(behaviour))
        with self._transaction():
            known = self._connection.execute(
                "SELECT account_number, behaviour FROM settings WHERE request_id = ?",
                (request_id,),
            ).fetchone()
            if known is not None:
                if tuple(known) != asked:
                    raise SettingDiffers
                return
            self._connection.execute("INSERT INTO settings VALUES (?, ?, ?)", (request_id, *asked))
            self._set_behaviour(*asked)

    def _make(self, order: Order, now: str) -> Payment:
        behaviour = self._behaviour(order.account_number)
        late = behaviour is Behaviour.LATE
        closed = behaviour is Behaviour.CLOSED
        number = self._connection.execute(
            "INSERT INTO payments (instruction, pool, account_number, holder_name, amount_fen,"
            " state, cause, booked_time, enquiries_left) VALUES (?, ?, ?, ?, ?, ?, ?, '', ?)",
            (
                order.instruction,
                order.pool,
                order.account_number,
                order.holder_name,
                order.amount_fen,
                State.PENDING,
                "ACCOUNT_CLOSED" if closed else "",
                ENQUIRIES_UNTIL_BOOKED if late else 0,
            ),
        ).lastrowid
        if not late:
            self._book(number, State.RETURNED if closed else State.BOOKED, now)
        silent = behaviour is Behaviour.SILENT_ONCE
        if silent:
            self._set_behaviour(order.account_number, Behaviour.NORMAL)
        return _payment(self._found(order.instruction), silent=silent)

    def _book(self, number: int | None, state: State, now: str) -> None:
        """Gives the payment its end, and the fund's statement its next line."""
        booked_time = now if state is State.BOOKED else ""
        self._connection.execute(
            "UPDATE payments SET state = ?, booked_time = ? WHERE number = ?",
            (state, booked_time, number),
        )
        self._connection.execute(
            "INSERT INTO lines (pool, line, number, state, time)"
            " SELECT pool, 1 + coalesce((SELECT max(line) FROM lines"
            " WHERE lines.pool = payments.pool), 0), number, ?, ?"
            " FROM payments WHERE number = ?",
            (state, now, number),
        )

    def _behaviour(self, account_number: str) -> Behaviour:
        row = self._connection.execute(
            "SELECT behaviour FROM accounts WHERE account_number = ?", (account_number,)
        ).fetchone()
        return Behaviour(row[0]) if row else Behaviour.NORMAL

    def _set_behaviour(self, account_number: str, behaviour: int) -> None:
        self._connection.execute(
            "INSERT INTO accounts VALUES (?, ?)"
            " ON CONFLICT (account_number) DO UPDATE SET behaviour = excluded.behaviour",
            (account_number, int(behaviour)),
        )

    def _find(self, instruction: str) -> Any:
        return self._connection.execute(
            "SELECT * FROM payments WHERE instruction = ?", (instruction,)
        ).fetchone()

    def _found(self, instruction: str) -> sqlite3.Row:
        row: sqlite3.Row = self._find(instruction)
        return row

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def _the_same(order: Order, row: sqlite3.Row) -> Payment:
    fields = ("instruction", "pool", "account_number", "holder_name", "amount_fen")
    if any(row[field] != getattr(order, field) for field in fields):
        raise InstructionDiffers
    return _payment(row)


def _payment(row: sqlite3.Row, *, silent: bool = False) -> Payment:
    return Payment(
        instruction=row["instruction"],
        number=row["number"],
        amount_fen=row["amount_fen"],
        state=State(row["state"]),
        cause=row["cause"],
        booked_time=row["booked_time"],
        silent=silent,
    )
