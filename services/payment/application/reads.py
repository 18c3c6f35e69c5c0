"""What the use cases ask of the read models. `services/payment/projections` answers."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from kernel.calendar import Month
from kernel.replay import RawFact
from kernel.rules.ruling import FactRef
from services.payment.domain.benefit import DeterminedMonth
from services.payment.domain.facts import CaseFacts
from services.payment.domain.instruction import BatchState, Instruction, InstructionState
from services.payment.domain.merging import Owned
from services.payment.domain.settlement import RunSums

Known = Mapping[str, int]


class Facts(Protocol):
    """Facts of the other services."""

    async def wait_for(self, known: Known, timeout: float) -> None: ...
    async def standing_facts(
        self, pool: str, persons: Sequence[UUID], known_at: datetime | None = None
    ) -> Mapping[UUID, CaseFacts]: ...
    async def recorded(self, refs: Sequence[FactRef]) -> Sequence[RawFact]: ...
    async def person_facts(self, pool: str, person: UUID) -> Owned: ...
    async def undetermined_facts(
        self, pool: str, persons: Sequence[UUID], known: Known, *, claims: bool
    ) -> Mapping[UUID, CaseFacts]: ...
    async def people(
        self, pool: str, month: Month, known: Known, *, after: UUID | None, limit: int
    ) -> Sequence[UUID]: ...
    async def people_count(self, pool: str, month: Month, known: Known) -> int: ...


class Benefits(Protocol):
    """Benefits that were determined."""

    async def wait_for(self, position: int, timeout: float) -> None: ...
    async def determined(self, pool: str, persons: Sequence[UUID]) -> Sequence[DeterminedMonth]: ...
    async def sums(self, pool: str, month: Month) -> RunSums: ...


class Instructions(Protocol):
    """Payment instructions as they stand."""

    async def wait_for(self, position: int, timeout: float) -> None: ...
    async def in_states(
        self, batch: UUID, states: Collection[InstructionState]
    ) -> Sequence[Instruction]: ...
    async def counts(self, batch: UUID) -> Sequence[BatchState]: ...
    async def account_versions(self, payees: Sequence[str]) -> Mapping[str, int]: ...


class Source(Protocol):
    """Another service's log."""

    @property
    def source(self) -> str: ...
    async def head(self) -> int: ...
