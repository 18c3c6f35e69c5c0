"""Recorded events as a decision used them, so that it can be made again (重算).

A service keeps in its `replay.py` a `Redo` for every kind of decision event. It parses the
decision's own ruling, runs the same pure rule over the same facts and the same pack, and gives
the ruling's bytes anew: equal bytes prove the decision.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache

from kernel.eventstore.codec import Codec
from kernel.eventstore.envelope import Recorded
from kernel.rules.pack import Pack
from kernel.rules.ruling import Fact, FactRef, fact_digest


@dataclass(frozen=True)
class RawFact:
    """An event as its service recorded it, without its sealed part."""

    service: str
    position: int
    type: str
    payload: bytes
    recorded_at: datetime

    @cached_property
    def ref(self) -> FactRef:
        """How a ruling names it."""
        return FactRef(self.service, self.position, fact_digest(self.type, self.payload))


Redo = Callable[[bytes, Sequence[RawFact], Pack], bytes]
"""(payload of the decision's event, the facts its ruling names, its pack) -> ruling's bytes."""


def raw_fact(service: str, recorded: Recorded) -> RawFact:
    """An event of the service's own log as a fact."""
    return RawFact(
        service, recorded.position, recorded.type, recorded.payload, recorded.recorded_at
    )


@lru_cache(maxsize=8192)
def fact_of(raw: RawFact, codec: Codec) -> Fact:
    """The fact with its event decoded by the codec of the service that reads it."""
    # A plan, a price list or a register is a fact of very many decisions.
    return Fact(raw.ref, codec.decode_clear(raw.type, raw.payload), raw.recorded_at)
