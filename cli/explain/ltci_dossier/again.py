"""Makes one decision again from its facts and its pack, and names the input that differs. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from google.protobuf import symbol_database

from kernel.replay import RawFact, Redo
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from services.assessment import replay as assessment
from services.enrollment import replay as enrollment
from services.payment import replay as payment
from services.provider import replay as provider

DECISIONS: Mapping[str, Mapping[str, Redo]] = {
    "enrollment": enrollment.DECISIONS,
    "assessment": assessment.DECISIONS,
    "provider": provider.DECISIONS,
    "payment": payment.DECISIONS,
}


@dataclass(frozen=True)
class Difference:
    """Why a decision does not come out as recorded."""

    what: str  # FACT_MISSING, FACT_DIFFERS, PACK_MISSING, PACK_DIFFERS, RULING_DIFFERS, …
    where: str  # the input: `provider:17`, `pack 320400@…`, `amounts.fund_share`
    recorded: str
    found: str


def is_decision(fact: RawFact) -> bool:
    """Whether the event carries a ruling that can be made again."""
    if fact.type not in DECISIONS.get(fact.service, {}):
        return False
    return fact.type not in assessment.ONCE_WITHOUT_RULING or bool(recorded_ruling(fact))


def recorded_ruling(decision: RawFact) -> bytes:
    """The ruling's bytes in a decision's event."""
    message: Any = symbol_database.Default().GetSymbol(decision.type.partition("/")[0])
    ruling: bytes = message.FromString(decision.payload).ruling
    return ruling


def differences(
    decision: RawFact, facts: Mapping[tuple[str, int], RawFact], packs: Mapping[str, bytes]
) -> list[Difference]:
    """What keeps the decision from coming out to the same bytes; nothing where it does.

    `packs` are canonical contents by the hash that names them.
    """
    recorded = recorded_ruling(decision)
    try:
        ruling = Ruling.parse(recorded)
    except ValueError as error:
        return [Difference("RULING_UNREADABLE", "ruling", "canonical bytes", str(error))]
    used, found = [], []
    for ref in ruling.facts:
        fact, where = facts.get((ref.service, ref.position)), f"{ref.service}:{ref.position}"
        if fact is None:
            found.append(Difference("FACT_MISSING", where, ref.digest, "nothing"))
        elif fact.ref.digest != ref.digest:
            found.append(Difference("FACT_DIFFERS", where, ref.digest, fact.ref.digest))
        else:
            used.append(fact)
    wanted = ruling.pack.rpartition("@")[2]
    content = packs.get(wanted)
    if content is None:
        found.append(Difference("PACK_MISSING", f"pack {ruling.pack}", wanted, "nothing"))
    elif (hashed := hashlib.sha256(content).hexdigest()) != wanted:
        found.append(Difference("PACK_DIFFERS", f"pack {ruling.pack}", wanted, hashed))
    if found or content is None:
        return found
    try:
        redo = DECISIONS[decision.service][decision.type]
        again = redo(decision.payload, used, _pack(content))
    except Exception as error:  # noqa: BLE001 - whatever it is, it cannot be made again
        told = f"{type(error).__name__}: {error}"
        return [Difference("NOT_REPEATABLE", "rule", "a ruling", told)]
    if again == recorded:
        return []
    return [Difference("RULING_DIFFERS", *_first(json.loads(recorded), json.loads(again)))]


@lru_cache(maxsize=64)
def _pack(content: bytes) -> Pack:
    return Pack.parse(content)


def _first(was: Any, now: Any, path: str = "") -> tuple[str, str, str]:
    """The first place where two rulings differ: path, recorded, made again."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in sorted(was.keys() | now.keys()):
            if was.get(key) != now.get(key):
                return _first(was.get(key), now.get(key), f"{path}.{key}".lstrip("."))
    if isinstance(was, list) and isinstance(now, list):
        for index, (left, right) in enumerate(zip(was, now, strict=False)):
            if left != right:
                return _first(left, right, f"{path}[{index}]")
        return f"{path} (length)", str(len(was)), str(len(now))
    return path, str(was), str(now)
