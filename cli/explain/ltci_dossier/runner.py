"""Reads the folder or archive that it stands in, and makes its decisions again (重算)."""

import base64
import json
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import kernel
from kernel.replay import RawFact

from .again import Difference, differences, is_decision

FACTS, DECISIONS, PACKS = "facts.jsonl", "decisions.jsonl", "packs/"


class Writer(Protocol):
    """Where the report goes."""

    def write(self, text: str, /) -> object: ...


class Files:
    """The dossier's files, unpacked or not."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._archive = zipfile.ZipFile(root) if root.is_file() else None

    def read(self, name: str) -> bytes:
        if self._archive is not None:
            return self._archive.read(name)
        return (self._root / name).read_bytes()

    def names(self, folder: str) -> list[str]:
        """The files directly in a folder."""
        if self._archive is not None:
            return [n for n in self._archive.namelist() if n.startswith(folder) and n != folder]
        return [f"{folder}{path.name}" for path in sorted((self._root / folder).iterdir())]


def run(own_file: str, out: Writer) -> bool:
    """Makes all decisions again and tells of each; whether every one came out the same."""
    root = Path(own_file).resolve().parents[1]
    files = Files(root)
    facts = {(fact.service, fact.position): fact for fact in _events(files.read(FACTS))}
    decisions = list(_events(files.read(DECISIONS)))
    packs = {Path(name).stem.rpartition("-")[2]: files.read(name) for name in files.names(PACKS)}
    out.write(f"卷宗 Dossier: {root}\n规则代码 Rules run: {Path(kernel.__file__).parents[1]}\n\n")
    # A decision is a fact of later ones: the copy among the facts must be the same.
    facts = {(one.service, one.position): one for one in decisions} | facts
    wrong = 0
    for decision in decisions:
        found = differences(decision, facts, packs) if is_decision(decision) else [_UNKNOWN]
        wrong += bool(found)
        name = decision.type.partition("/")[0].rpartition(".")[2]
        head = f"{decision.service}:{decision.position} {name}"
        out.write(f"{head}: {'不一致 DIFFERS' if found else '一致 same'}\n")
        for one in found:
            out.write(f"  {one.what} {one.where}\n")
            out.write(f"    原值 recorded {one.recorded}\n    现值 found    {one.found}\n")
    out.write(
        f"\n重算 {len(decisions)} 项裁定，{wrong} 项不一致\n"
        f"{len(decisions)} decisions made again, {wrong} with differences\n"
    )
    return not wrong


_UNKNOWN = Difference("UNKNOWN_DECISION", "type", "a decision", "no rule makes this event")


def _events(lines: bytes) -> Iterator[RawFact]:
    for line in lines.decode().splitlines():
        told: dict[str, Any] = json.loads(line)
        yield RawFact(
            told["service"],
            told["position"],
            told["type"],
            base64.b64decode(told["payload_base64"], validate=True),
            datetime.fromisoformat(told["recorded_time"]),
        )
