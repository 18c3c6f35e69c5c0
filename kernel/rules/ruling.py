"""Why a decision came out as it did, in bytes that can be compared. Pure: no clock, no I/O.

A ruling (裁定依据) names its question, the facts it stood on as positions in the event logs, the
rule pack by its hash, and each clause applied with inputs, output and verdict. The same facts,
pack and code give the same bytes: `to_bytes` is canonical, and `parse` refuses other spellings.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, Literal, Protocol, TypeVar, get_args

Scalar = str | int | bool
Verdict = Literal["met", "not_met", "computed"]

_VERDICTS = frozenset(get_args(Verdict))
_DIGEST_CHARACTERS = 32
_PLAIN = frozenset({str, int, bool})
_TEXT = frozenset({str})
_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False
)
_IN_ORDER = attrgetter("service", "position", "digest")  # as FactRef compares, and faster


class Cited(Protocol):
    """What a step can rest on: a dated figure of a pack, or a clause."""

    @property
    def key(self) -> str: ...

    @property
    def citation(self) -> str: ...

    @property
    def verified(self) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class Clause:
    """A rule that has no figure: its key, the text that states it, and whether that was read."""

    key: str
    citation: str
    verified: bool


def fact_digest(type: str, payload: bytes) -> str:  # noqa: A002 - the interface's own word
    """Names an event's content: the first 32 hex digits of sha256(type, NUL, payload)."""
    return hashlib.sha256(type.encode() + b"\0" + payload).hexdigest()[:_DIGEST_CHARACTERS]


@dataclass(frozen=True, order=True)
class FactRef:
    """An event that a decision stood on: its service, its position there, its content."""

    service: str
    position: int
    digest: str


@dataclass(frozen=True)
class Fact:
    """An event as a decision sees it: what it says, and since when that was known."""

    ref: FactRef
    event: object
    known_at: datetime


@dataclass(frozen=True, kw_only=True)
class Step:
    """One clause applied: what went in, what came out, and the text it rests on."""

    clause: str
    label: str
    inputs: Mapping[str, str | int]
    output: str | int
    verdict: Verdict
    citation: str
    verified: bool

    def __post_init__(self) -> None:
        if self.verdict not in _VERDICTS:
            raise ValueError(f"no such verdict: {self.verdict!r}")


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """A decision with everything needed to make it again.

    `amounts` are in fen. Facts are kept sorted by service and position, each once.
    """

    question: str
    subject: str
    pool: str
    asked: Mapping[str, str | int]
    outcome: str
    reasons: tuple[str, ...] = ()
    amounts: Mapping[str, int] = field(default_factory=dict)
    facts: tuple[FactRef, ...] = ()
    pack: str  # `pool@hash`
    steps: tuple[Step, ...] = ()
    code_version: str

    def __post_init__(self) -> None:
        # The order in which facts were gathered is an accident and must not show in the bytes.
        object.__setattr__(self, "facts", tuple(sorted(set(self.facts), key=_IN_ORDER)))

    @property
    def verified(self) -> bool:
        """Whether every step rests on a text that was read."""
        return all(step.verified for step in self.steps)

    def to_bytes(self) -> bytes:
        """Canonical JSON; TypeError for anything but strings, integers and flags."""
        # Laid out by hand: `asdict` copies deeply, and decisions come by the thousand a second.
        return canonical(
            vars(self)
            | {
                "asked": dict(self.asked),
                "amounts": dict(self.amounts),
                "facts": [vars(ref) for ref in self.facts],
                "steps": [vars(step) | {"inputs": dict(step.inputs)} for step in self.steps],
            }
        )

    def digest(self) -> str:
        """SHA-256 of the canonical bytes, in hex."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @classmethod
    def parse(cls, raw: bytes) -> "Ruling":
        """The ruling written by `to_bytes`; ValueError for bytes that it would not write."""
        ruling = cls.read(raw)
        try:
            again = ruling.to_bytes()
        except TypeError as error:
            raise ValueError(f"not a ruling: {error}") from error
        if again != raw:
            raise ValueError("not the canonical bytes of a ruling")
        return ruling

    @staticmethod
    def read(raw: bytes) -> "Ruling":
        """The ruling without the proof that its bytes are canonical.

        For whoever makes the decision again: equal bytes prove that. ValueError for what is
        no ruling at all.
        """
        return _read(raw)


_Part = TypeVar("_Part", FactRef, Step)


@lru_cache(maxsize=256)
def _read(raw: bytes) -> Ruling:
    # A replay reads a decision's ruling, and so does the rule that makes it again.
    try:
        told: dict[str, Any] = _DECODER.decode(raw.decode())
        parts = {
            "reasons": tuple(told["reasons"]),
            "facts": tuple([_filled(FactRef, ref) for ref in told["facts"]]),
            "steps": tuple([_filled(Step, step) for step in told["steps"]]),
        }
        if not all(step.verdict in _VERDICTS for step in parts["steps"]):
            raise ValueError("no such verdict")
        return Ruling(**(told | parts))
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a ruling: {error}") from error


def _filled(kind: type[_Part], told: dict[str, Any]) -> _Part:
    """A frozen part without its slow constructor; TypeError for other fields than its own."""
    if told.keys() != kind.__dataclass_fields__.keys():
        raise TypeError(f"not the fields of a {kind.__name__}: {sorted(told)}")
    part = object.__new__(kind)
    part.__dict__.update(told)
    return part


class Trace:
    """Collects the steps of one decision while it is being made."""

    def __init__(self) -> None:
        self._steps: list[Step] = []

    @property
    def steps(self) -> tuple[Step, ...]:
        return tuple(self._steps)

    @property
    def verified(self) -> bool:
        """Whether every step so far rests on a text that was read."""
        return all(step.verified for step in self._steps)

    def met(
        self, clause: Cited, label: str, inputs: Mapping[str, Scalar], output: Scalar = True
    ) -> None:
        """A condition that holds."""
        self._add("met", clause, label, inputs, output)

    def not_met(
        self, clause: Cited, label: str, inputs: Mapping[str, Scalar], output: Scalar = False
    ) -> None:
        """A condition that does not hold."""
        self._add("not_met", clause, label, inputs, output)

    def computed(
        self, clause: Cited, label: str, inputs: Mapping[str, Scalar], output: Scalar
    ) -> None:
        """A value that a rule gives."""
        self._add("computed", clause, label, inputs, output)

    def check(
        self, *, holds: bool, clause: Cited, label: str, inputs: Mapping[str, Scalar]
    ) -> bool:
        """Writes the condition down as met or not met, and returns whether it holds."""
        (self.met if holds else self.not_met)(clause, label, inputs)
        return holds

    def _add(
        self,
        verdict: Verdict,
        clause: Cited,
        label: str,
        inputs: Mapping[str, Scalar],
        output: Scalar,
    ) -> None:
        # Past the slow constructor of a frozen class: a verdict has a dozen steps.
        step = object.__new__(Step)
        step.__dict__.update(
            clause=clause.key,
            label=label,
            inputs=dict(inputs),
            output=output,
            verdict=verdict,
            citation=clause.citation,
            verified=clause.verified,
        )
        self._steps.append(step)


def canonical(value: object) -> bytes:
    """The one spelling of a value: JSON with sorted keys, no spaces, UTF-8.

    Only strings, integers, flags, lists and tables with string keys; TypeError otherwise.
    """
    if not _is_plain(value):
        _only_plain(value, "")
    return _ENCODER.encode(value).encode()


def _is_plain(value: object) -> bool:
    """Whether there is nothing but plain types; False where a closer look is needed."""
    kind = type(value)
    if kind is dict:
        items = value.values()  # type: ignore[attr-defined]
        if not _TEXT.issuperset(map(type, value)):  # type: ignore[call-overload]
            return False
    elif kind is list or kind is tuple:
        items = value
    else:
        return isinstance(value, str | int)  # such as a StrEnum, which is spelled as its text
    # Most tables and lists are flat: told in one sweep.
    return _PLAIN.issuperset(map(type, items)) or all(
        type(item) in _PLAIN or _is_plain(item) for item in items
    )


def _only_plain(value: object, path: str) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"{path}: a key must be a string, got {key!r}")
            _only_plain(item, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            _only_plain(item, f"{path}[{place}]")
    elif not isinstance(value, str | int):  # a flag is an int to Python
        raise TypeError(f"{path}: strings, integers and flags only, got {value!r}")


def _refuse(text: str) -> None:
    raise ValueError(f"no fractions in canonical bytes: {text}")


_DECODER = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse)
