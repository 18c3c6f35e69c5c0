"""Judges one recorded decision: made again from its facts and its pack, are the bytes the same?

Pure: everything it looks at was read before. A difference names the input that differs.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from google.protobuf import symbol_database
from ltci.payment.v1 import events_pb2 as payment_pb

from cli.replay.logs import Entry
from cli.replay.report import Difference
from cli.replay.told import WITNESSES
from kernel.replay import RawFact, Redo
from kernel.rules.pack import Pack
from kernel.rules.ruling import FactRef, Ruling
from services.assessment import replay as assessment
from services.enrollment import replay as enrollment
from services.payment import replay as payment
from services.provider import replay as provider

REDO: dict[str, dict[str, Redo]] = {
    "enrollment": dict(enrollment.DECISIONS),
    "assessment": dict(assessment.DECISIONS),
    "provider": dict(provider.DECISIONS),
    "payment": dict(payment.DECISIONS),
}
FROZEN = "ltci.payment.v1.SettlementFrozen/1"
BENEFIT = "ltci.payment.v1.BenefitDetermined/1"

# Logs of different services have no common order but the clock's, and after a crash the clock
# of a demo goes on from its last note, a quarter of a second before, at 30 days a second.
CLOCKS_DIFFER = timedelta(days=8)

Frozen = Mapping[tuple[str, str], Mapping[str, int]]  # pool, month → service → position


@dataclass(frozen=True)
class WrongPack:
    """The pack that a ruling names is not there as it was."""

    what: str
    found: str


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """All that a decision is judged by."""

    facts: Mapping[tuple[str, int], RawFact]
    pack: Pack | WrongPack
    earlier: Sequence[Entry]  # of its own stream
    frozen: Frozen


def is_decision(service: str, event_type: str) -> bool:
    return event_type in REDO[service]


def carries_ruling(service: str, fact: RawFact) -> bool:
    """Whether there is a ruling to judge: admissions were recorded before they had any."""
    if not is_decision(service, fact.type):
        return False
    return fact.type not in assessment.ONCE_WITHOUT_RULING or bool(ruling_bytes(fact))


@cache
def _message_of(event_type: str) -> Any:
    return symbol_database.Default().GetSymbol(event_type.partition("/")[0])


def ruling_bytes(decision: RawFact) -> bytes:
    """The ruling that a decision's event carries."""
    ruling: bytes = _message_of(decision.type).FromString(decision.payload).ruling
    return ruling


def frozen_in(payload: bytes) -> tuple[tuple[str, str], dict[str, int]]:
    """What a settlement run knew: its pool and month, and the services' last positions."""
    m = payment_pb.SettlementFrozen.FromString(payload)
    return (m.pool, m.month), {known.service: known.position for known in m.known}


def judged(decision: RawFact, inputs: Inputs) -> list[Difference]:
    """What differs; nothing where the decision comes out as recorded."""
    recorded = ruling_bytes(decision)
    try:
        ruling = Ruling.read(recorded)
    except ValueError as error:
        return [difference(decision, "RULING_UNREADABLE", "ruling", "a ruling", str(error))]
    facts, found = _facts(decision, ruling, inputs)
    if isinstance(inputs.pack, WrongPack):
        wrong = inputs.pack
        found.append(
            difference(decision, wrong.what, f"pack {ruling.pack}", ruling.pack, wrong.found)
        )
    found += _told(decision, ruling, inputs.earlier)
    if found or isinstance(inputs.pack, WrongPack):
        return found
    return _made_again(decision, recorded, facts, inputs.pack)


def difference(decision: RawFact, what: str, where: str, recorded: str, found: str) -> Difference:
    return Difference(
        service=decision.service,
        position=decision.position,
        decision=decision.type,
        what=what,
        where=where,
        recorded=recorded,
        found=found,
    )


def _facts(
    decision: RawFact, ruling: Ruling, inputs: Inputs
) -> tuple[list[RawFact], list[Difference]]:
    """The facts that the ruling names, and which of them are not what it names."""
    facts: list[RawFact] = []
    found: list[Difference] = []
    known = _known(decision, ruling, inputs.frozen)
    for ref in ruling.facts:
        fact = inputs.facts.get((ref.service, ref.position))
        where = f"{ref.service}:{ref.position}"
        if fact is None:
            found.append(difference(decision, "FACT_MISSING", where, ref.digest, "nothing"))
        elif fact.ref.digest != ref.digest:
            now = fact.ref.digest
            found.append(difference(decision, "FACT_DIFFERS", where, ref.digest, now))
        elif after := _came_after(decision, fact, ref, known):
            found.append(difference(decision, "FACT_AFTER_DECISION", where, *after))
        else:
            facts.append(fact)
    return facts, found


def _known(decision: RawFact, ruling: Ruling, frozen: Frozen) -> Mapping[str, int]:
    """How far a benefit's settlement run had read the other logs; of other decisions nothing."""
    if decision.type != BENEFIT:
        return {}
    m = payment_pb.BenefitDetermined.FromString(decision.payload)
    return frozen.get((ruling.pool, m.settled_month), {})


def _came_after(
    decision: RawFact, fact: RawFact, ref: FactRef, known: Mapping[str, int]
) -> tuple[str, str] | None:
    """What bounded the facts of the decision, and how this one lies beyond it."""
    if ref.service == decision.service:
        if ref.position < decision.position:
            return None
        return f"before {decision.position}", f"{ref.position}"
    if ref.service in known:
        if ref.position <= known[ref.service]:
            return None
        return f"up to {known[ref.service]}", f"{ref.position}"
    if fact.recorded_at <= decision.recorded_at + CLOCKS_DIFFER:
        return None
    return f"{decision.recorded_at}", f"{fact.recorded_at}"


def _told(decision: RawFact, ruling: Ruling, earlier: Sequence[Entry]) -> list[Difference]:
    witness = WITNESSES.get(decision.type)
    if witness is None:
        return []
    return [
        difference(
            decision,
            "TOLD_DIFFERS" if position else "TOLD_MISSING",
            f"{decision.service}:{position} {name}" if position else name,
            asked,
            recorded or "nothing",
        )
        for position, name, asked, recorded in witness(earlier, ruling.asked)
    ]


def _made_again(
    decision: RawFact, recorded: bytes, facts: Sequence[RawFact], pack: Pack
) -> list[Difference]:
    try:
        again = REDO[decision.service][decision.type](decision.payload, facts, pack)
    except Exception as error:  # noqa: BLE001 - whatever it is, this decision cannot be made again
        told = f"{type(error).__name__}: {error}"
        return [difference(decision, "NOT_REPEATABLE", "rule", "a ruling", told)]
    # Equal bytes also prove that the recorded ones are canonical: rules write no others.
    if again == recorded:
        return []
    where, was, now = first_difference(json.loads(recorded), json.loads(again))
    return [difference(decision, "RULING_DIFFERS", where, was, now)]


def first_difference(was: Any, now: Any, path: str = "") -> tuple[str, str, str]:
    """The first place where two rulings differ: path, recorded, made again."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in sorted(was.keys() | now.keys()):
            if was.get(key) != now.get(key):
                return first_difference(was.get(key), now.get(key), f"{path}.{key}".lstrip("."))
    if isinstance(was, list) and isinstance(now, list):
        for index, (left, right) in enumerate(zip(was, now, strict=False)):
            if left != right:
                return first_difference(left, right, f"{path}[{index}]")
        return f"{path} (length)", str(len(was)), str(len(now))
    return path, str(was), str(now)
