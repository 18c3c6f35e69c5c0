"""What became of every life of the demo, as the services tell it, and what should have become.

The expected ends in `examples/expected.json` come from an independent script that knows neither
the services nor the packs.
"""

import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ltci.assessment.v1 import assessment_service_pb2, assessment_types_pb2
from ltci.payment.v1 import payment_service_pb2, payment_types_pb2

from cli.case import Line, timeline
from cli.connect import Connection
from cli.demo.disputes import disputes_of
from cli.imports.patience import patient
from cli.providers import providers
from cli.replay import feeds_of

STATES = assessment_types_pb2.ApplicationState
PAGE = 1_000

# Held as unknown and then found paid is an end as good as paid: where a part is killed between
# the order and its answer, it must come so. Expected and not seen is still a difference.
HELD_OPEN = ("payment_unknown_then_paid", True)


@dataclass
class Life:
    """One person's end, in the words of `expected.json`."""

    pool: str
    person: str
    state: str = "insured"
    benefits_fen: dict[str, int] = field(default_factory=dict)
    rejected_visits: dict[str, int] = field(default_factory=dict)
    paused_from: str = ""
    resumed_from: str = ""
    payment_returned_then_paid: bool = False
    payment_unknown_then_paid: bool = False
    disputes: list[dict[str, Any]] = field(default_factory=list)
    merged_from: str = ""  # the day from which two registrations are one person
    moved_to: dict[str, Any] = field(default_factory=dict)
    handed_over: dict[str, str] = field(default_factory=dict)  # from which day, to which body
    flags: dict[str, int] = field(default_factory=dict)  # of detectors, by the latest word on them

    def told(self) -> dict[str, Any]:
        """As `expected.json` writes it: what is empty is left out."""
        everything = {
            "pool": self.pool,
            "state": self.state,
            "benefits_fen": dict(sorted(self.benefits_fen.items())),
            "rejected_visits": dict(sorted(self.rejected_visits.items())),
            "paused_from": self.paused_from,
            "resumed_from": self.resumed_from,
            "payment_returned_then_paid": self.payment_returned_then_paid,
            "payment_unknown_then_paid": self.payment_unknown_then_paid,
            "disputes": self.disputes,
            "merged_from": self.merged_from,
            "moved_to": self.moved_to,
            "handed_over": self.handed_over,
            "flags": dict(sorted(self.flags.items())),
        }
        return {
            name: value for name, value in everything.items() if value or name == "benefits_fen"
        }


@dataclass
class Outcome:
    """Everything the demo ends with."""

    lives: dict[str, Life]  # by identity number
    funds: dict[str, Any]  # Fund by pool
    by_kind_and_month: dict[str, dict[str, int]]  # component → month → fen

    def differences(self, expected: dict[str, Any]) -> list[str]:
        """Where the ends differ from the expected ones; empty where they do not."""
        found: list[str] = []
        for number, life in expected["people"].items():
            masked = f"{number[:6]}********{number[-4:]}"
            told = self.lives[number].told() if number in self.lives else {}
            found.extend(
                f"{masked}: {name} is {told.get(name)!r}, expected {life.get(name)!r}"
                for name in sorted(told.keys() | life.keys())
                if told.get(name) != life.get(name) and (name, told.get(name)) != HELD_OPEN
            )
        for pool, fund in expected["pools"].items():
            told = _fund_told(self.funds[pool])
            found.extend(
                f"fund {pool}: {name} is {told[name]}, expected {fund[name]}"
                for name in fund
                if told[name] != fund[name]
            )
            if not self.funds[pool].balanced:
                found.append(f"fund {pool}: debits and credits differ")
        return found


def expected_outcome(examples: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((examples / "expected.json").read_text(encoding="utf-8"))
    return told


async def observe(
    connection: Connection, people: dict[str, tuple[str, str]], last_month: str
) -> Outcome:
    """Asks the services what became of the people (identity number → pool, person)."""
    lives: dict[str, Life] = {}
    pools = sorted({pool for pool, _ in people.values()})
    codes = {
        name: code for pool in pools for code, name in (await providers(connection, pool)).items()
    }
    for number, (pool, person) in people.items():
        story = await timeline(feeds_of(connection), person)
        life = lives[number] = _life(pool, person, story)
        if life.handed_over:
            life.handed_over["to"] = codes[life.handed_over["to"]]
        life.disputes = await disputes_of(connection, pool, person, story, last_month)
    by_person = {life.person: life for life in lives.values()}
    kinds: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for pool in pools:
        async for benefit in _benefits(connection, pool):
            life = by_person[benefit.person]
            if benefit.fund_share_fen:
                life.benefits_fen[benefit.month] = benefit.fund_share_fen
            for part in benefit.components:
                kinds[part.component][benefit.month] += part.amount_fen
        await _payments(connection, pool, by_person)
    funds = {
        pool: await connection.payment.GetFund(payment_service_pb2.GetFundRequest(pool=pool))
        for pool in pools
    }
    return Outcome(lives, funds, {kind: dict(months) for kind, months in kinds.items()})


_WORDS = {"RiskFlagged": "open", "RiskCleared": "cleared", "RiskConfirmed": "confirmed"}
_VERDICTS = frozenset({"ServiceDelivered", "ServiceRejected"})


def _life(pool: str, person: str, story: list[Line]) -> Life:
    """Reads a life off its events: the last word on each question counts."""
    life = Life(pool, person)
    opened = False
    for line in story:
        says = line.says
        match line.event:
            case "ApplicationWithdrawn":
                life.state = "withdrawn"
            case "ApplicationRefused":
                life.state = f"refused:{says['reasons'][0]}"
            case "ConclusionDelivered" if not says.get("grade_eligible") and not opened:
                life.state = f"not_eligible:{says.get('grade', 0)}"
            case "EntitlementOpened" | "EntitlementChanged":
                opened = True
                life.state = f"entitled:{says['grade']}"
            case "EntitlementEnded":
                life.state = f"ended:{says['cause']}"
            case "EntitlementPaused":
                life.paused_from = says["effective_date"]
            case "EntitlementResumed":
                life.resumed_from = says["effective_date"]
            case _:
                _also(life, line)
    life.rejected_visits = _rejected(story)
    life.flags = _flags(story)
    return life


def _rejected(story: list[Line]) -> dict[str, int]:
    """How many visits do not count, by reason: of several verdicts on a visit the last one."""
    last = {line.says["visit"]: line for line in story if line.event in _VERDICTS}
    return dict(Counter(one.says["reasons"][0] for one in last.values() if "reasons" in one.says))


def _flags(story: list[Line]) -> dict[str, int]:
    """How many flags stand open, were cleared, were confirmed: of several words the last one."""
    last = {line.says["flag"]: _WORDS[line.event] for line in story if line.event in _WORDS}
    return dict(Counter(last.values()))


def _also(life: Life, line: Line) -> None:
    """What changes who somebody is, or where."""
    says = line.says
    match line.event:
        case "PersonsMerged":
            life.merged_from = says["merged_date"]
        case "PlanApproved" if says.get("handed_over_from"):
            life.handed_over = {"from": says["start_date"], "to": says["provider"]}
        case "TransferAccepted":
            life.moved_to = {
                "pool": says["to_pool"],
                "from": says["start_date"],
                "grade": says["grade_decision"].upper().removeprefix("GRADE_DECISION_"),
            }
        case _:
            pass


async def _payments(connection: Connection, pool: str, lives: dict[str, Life]) -> None:
    """Marks the people whose payments came back, or were unknown, and were paid in the end."""
    instructions = [one async for one in _instructions(connection, pool)]
    states = payment_types_pb2.InstructionState
    unpaid = {
        one.payee
        for one in instructions
        if one.state not in (states.INSTRUCTION_STATE_PAID, states.INSTRUCTION_STATE_REISSUED)
    }
    for one in instructions:
        life = lives.get(one.payee.removeprefix("persons/"))
        if life is None or one.payee in unpaid:
            continue
        if one.state == states.INSTRUCTION_STATE_REISSUED:
            life.payment_returned_then_paid = True
        if one.was_unknown:
            life.payment_unknown_then_paid = True


async def unpaid_count(connection: Connection, pool: str) -> int:
    """Instructions of a pool that are not proven paid and not replaced by another."""
    states = payment_types_pb2.InstructionState
    done = (states.INSTRUCTION_STATE_PAID, states.INSTRUCTION_STATE_REISSUED)
    return sum([one.state not in done async for one in _instructions(connection, pool)])


async def undelivered_count(connection: Connection, pool: str, up_to: str) -> int:
    """Conclusions of days up to this one whose delivery is still under way."""
    ends = (
        STATES.APPLICATION_STATE_DELIVERED,
        STATES.APPLICATION_STATE_REFUSED,
        STATES.APPLICATION_STATE_WITHDRAWN,
    )

    def request(token: str) -> Any:
        return assessment_service_pb2.ListApplicationsRequest(
            pool=pool, page_size=PAGE, page_token=token
        )

    pages = _pages(connection.assessment.ListApplications, request, "applications")
    return sum(
        [
            bool(one.conclusion_date) and one.conclusion_date <= up_to and one.state not in ends
            async for one in pages
        ]
    )


def _benefits(connection: Connection, pool: str) -> AsyncIterator[Any]:
    def request(token: str) -> Any:
        return payment_service_pb2.ListBenefitsRequest(pool=pool, page_size=PAGE, page_token=token)

    return _pages(connection.payment.ListBenefits, request, "benefits")


def _instructions(connection: Connection, pool: str) -> AsyncIterator[Any]:
    def request(token: str) -> Any:
        return payment_service_pb2.ListInstructionsRequest(
            pool=pool, page_size=PAGE, page_token=token
        )

    return _pages(connection.payment.ListInstructions, request, "instructions")


async def _pages(
    method: Callable[[Any], Any], request: Callable[[str], Any], field_name: str
) -> AsyncIterator[Any]:
    token = ""
    while True:
        asked = request(token)
        answer = await patient(lambda asked=asked: method(asked), asked.DESCRIPTOR.name)  # type: ignore[misc]
        for one in getattr(answer, field_name):
            yield one
        token = answer.next_page_token
        if not token:
            return


def _fund_told(fund: Any) -> dict[str, int]:
    """A fund in the words of `expected.json`."""
    credit = {balance.account: balance.credit_fen - balance.debit_fen for balance in fund.balances}
    return {
        "contributions_fen": sum(
            amount for account, amount in credit.items() if account.startswith("contributions/")
        ),
        "transfers_fen": credit.get("transfers/treasury", 0),
        "benefits_fen": -sum(
            amount for account, amount in credit.items() if account.startswith("benefits/")
        ),
        "cash_fen": fund.cash_fen,
        "payable_fen": fund.payable_fen,
    }
