"""What events of supervision ask of workflows (监管): flags, and cases that move. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ltci.provider.v1 import events_pb2 as provider

from workflows.messages import FactNotice, FlagCase, InspectionCase


@dataclass(frozen=True)
class Flagged:
    """A detector flagged something: a process puts it into a case."""

    case: FlagCase

    @property
    def workflow_id(self) -> str:
        return f"flag/{self.case.flag}"


@dataclass(frozen=True)
class CaseMoved:
    """A case was opened or moved. One that has ended is begun again where `begins` says so."""

    case: InspectionCase
    notice: FactNotice
    begins: bool = False

    @property
    def workflow_id(self) -> str:
        return f"inspection/{self.case.inspection}"


Supervised = Flagged | CaseMoved


def _flagged(event: provider.RiskFlagged, _notice: FactNotice) -> Supervised:
    return Flagged(FlagCase(event.flag, event.pool))


def _begun(event: Any, notice: FactNotice) -> Supervised:
    return CaseMoved(InspectionCase(event.inspection, event.pool), notice, begins=True)


def _moved(event: Any, notice: FactNotice) -> Supervised:
    return CaseMoved(InspectionCase(event.inspection, event.pool), notice)


READINGS: tuple[tuple[type[Any], Callable[[Any, FactNotice], Supervised]], ...] = (
    (provider.RiskFlagged, _flagged),
    (provider.InspectionOpened, _begun),
    (provider.InspectionNoticed, _moved),
    (provider.StatementFiled, _moved),
    (provider.InspectionDecided, _moved),
    (provider.InspectionAppealed, _begun),  # also one that comes after the case was closed
    (provider.InspectionClosed, _moved),
)
