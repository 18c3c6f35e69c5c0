"""What an event asks of workflows, and which workflow that is. Pure: no I/O.

Ids of workflows are made from business keys; the table `_READINGS` has one line for each event
that matters to a process.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, assert_never

from ltci.assessment.v1 import events_pb2 as assessment
from ltci.enrollment.v1 import enrollment_types_pb2
from ltci.enrollment.v1 import events_pb2 as enrollment
from ltci.payment.v1 import events_pb2 as payment
from ltci.provider.v1 import events_pb2 as provider

from kernel.eventstore.feed import FeedEvent
from workflows import wakes_supervision
from workflows.messages import (
    AppealCase,
    Batch,
    EvidenceMonth,
    FactNotice,
    PoolMonth,
    PoolQueue,
    PoolYear,
    ReviewCase,
)
from workflows.wakes_supervision import CaseMoved, Flagged


@dataclass(frozen=True)
class Applied:
    """Somebody applied: the lifecycle starts, or hears of one more application."""

    pool: str
    person: str
    notice: FactNotice


@dataclass(frozen=True)
class Concerned:
    """A fact about a person; without a pool, it concerns every pool where the person applied."""

    pool: str
    person: str
    notice: FactNotice


@dataclass(frozen=True)
class Moved:
    """An application moved: its assessment looks at it."""

    application: str
    notice: FactNotice


@dataclass(frozen=True)
class MonthOpened:
    month: PoolMonth


@dataclass(frozen=True)
class MonthOver:
    """A month's visits are told: the evidence of them is kept until nobody can object."""

    month: EvidenceMonth


@dataclass(frozen=True)
class BatchMade:
    batch: Batch


@dataclass(frozen=True)
class One:
    """Two are one person, or not any more: what is told of either concerns both from here on."""

    person: str
    other: str
    notice: FactNotice


@dataclass(frozen=True)
class YearOpened:
    year: PoolYear


@dataclass(frozen=True)
class Disputed:
    """An objection or a review: its process starts where `case` is told, or hears of it."""

    application: str
    notice: FactNotice
    case: ReviewCase | None = None

    @property
    def workflow_id(self) -> str:
        return f"review/{self.application}/{SECOND_ROUND}"


@dataclass(frozen=True)
class Appealed:
    """An appeal: its process starts where `case` is told, or hears of it."""

    appeal: str
    notice: FactNotice
    case: AppealCase | None = None

    @property
    def workflow_id(self) -> str:
        return f"appeal/{self.appeal}"


@dataclass(frozen=True)
class AgreementMoved:
    """Something happened to a provider's agreement: its process starts, or looks at it."""

    pool: str
    provider: str
    notice: FactNotice


@dataclass(frozen=True)
class PoolServed:
    """A pool has a provider: its visits are looked through from here on."""

    queue: PoolQueue


SECOND_ROUND = 2  # an application has one review; its result is final
Wake = (
    Applied
    | Concerned
    | One
    | Moved
    | MonthOpened
    | MonthOver
    | BatchMade
    | YearOpened
    | Disputed
    | Appealed
    | AgreementMoved
    | PoolServed
    | Flagged
    | CaseMoved
)
_Reading = Callable[[Any, FactNotice], Wake | None]


def _applied(event: assessment.ApplicationSubmitted, notice: FactNotice) -> Wake:
    notice = replace(notice, application=event.application, day=event.application_date)
    return Applied(event.pool, event.person, notice)


def _moved(event: Any, notice: FactNotice) -> Wake:
    return Moved(event.application, replace(notice, application=event.application))


def _confirmed(event: assessment.ConclusionConfirmed, notice: FactNotice) -> Wake | None:
    return _moved(event, notice) if event.complete else None


def _delivered(event: assessment.ConclusionDelivered, notice: FactNotice) -> Wake:
    notice = replace(notice, application=event.application, day=event.effective_date)
    return Concerned(event.pool, event.person, notice)


def _disputed(event: Any, notice: FactNotice) -> Wake:
    notice = replace(notice, application=event.application)
    case = ReviewCase(event.application, event.pool, event.person)
    return Disputed(event.application, notice, case)


def _reviewed(event: Any, notice: FactNotice) -> Wake:
    return Disputed(event.application, replace(notice, application=event.application))


def _review_confirmed(event: assessment.ReviewConfirmed, notice: FactNotice) -> Wake | None:
    return _reviewed(event, notice) if event.complete else None


def _appealed(event: assessment.AppealFiled, notice: FactNotice) -> Wake:
    case = AppealCase(event.appeal, event.pool, event.person, application=event.application)
    return Appealed(event.appeal, notice, case)


def _appeal_decided(event: assessment.AppealDecided, notice: FactNotice) -> Wake:
    return Appealed(event.appeal, notice)


def _concluded(event: assessment.ReassessmentConcluded, notice: FactNotice) -> Wake:
    return Concerned(event.pool, event.person, replace(notice, day=event.effective_date))


def _lived(event: enrollment.LifeEventReported, notice: FactNotice) -> Wake:
    # The pool that was told need not be the one that pays.
    kind = enrollment_types_pb2.LifeEventKind.Name(event.kind)
    event_name = f"{notice.event} {kind.removeprefix('LIFE_EVENT_KIND_')}"
    return Concerned("", event.person, replace(notice, event=event_name, day=event.event_date))


def _unlived(event: enrollment.LifeEventWithdrawn, notice: FactNotice) -> Wake:
    return Concerned("", event.person, notice)


def _one(event: Any, notice: FactNotice) -> Wake:
    other = event.survivor if event.person == event.duplicate else event.duplicate
    return One(event.person, other, notice)


def _ended(event: Any, notice: FactNotice) -> Wake:
    return Concerned(event.pool, event.person, replace(notice, day=event.end_date))


def _planned(event: provider.PlanApproved, notice: FactNotice) -> Wake:
    return Concerned(event.pool, event.person, replace(notice, day=event.start_date))


def _stands(event: Any, notice: FactNotice) -> Wake:
    return AgreementMoved(event.pool, event.provider, notice)


def _admitted(event: provider.ProviderAdmitted, _notice: FactNotice) -> Wake:
    return PoolServed(PoolQueue(event.pool))


def _opened(event: payment.SettlementOpened, _notice: FactNotice) -> Wake:
    return MonthOpened(PoolMonth(event.pool, event.month))


def _year_opened(event: enrollment.ContributionYearOpened, _notice: FactNotice) -> Wake:
    return YearOpened(PoolYear(event.pool, event.year))


def _changed(event: enrollment.CoverageChanged, notice: FactNotice) -> Wake:
    return Concerned(event.pool, event.person, replace(notice, day=event.change_date))


def _suspended(event: enrollment.CoverageSuspended, notice: FactNotice) -> Wake:
    return Concerned(event.pool, event.person, replace(notice, day=event.from_date))


def _resumed(event: enrollment.CoverageResumed, notice: FactNotice) -> Wake:
    return Concerned(event.pool, event.person, replace(notice, day=event.resume_date))


def _closed(event: payment.SettlementClosed, _notice: FactNotice) -> Wake | None:
    return BatchMade(Batch(event.batch, event.pool)) if event.batch else None


# One line for each event that matters to a process; all others pass.
_READINGS: tuple[tuple[type[Any], _Reading], ...] = (
    (assessment.ApplicationSubmitted, _applied),
    (assessment.SupplementReceived, _moved),
    (assessment.OnSiteAssessed, _moved),
    (assessment.AssessmentGraded, _moved),
    (assessment.ConclusionConfirmed, _confirmed),
    (assessment.ApplicationWithdrawn, _moved),
    (assessment.ApplicationRefused, _moved),
    (assessment.AssessmentTerminated, _moved),
    (assessment.ConclusionDelivered, _delivered),
    (assessment.ObjectionFiled, _disputed),
    (assessment.ObjectionDecided, _reviewed),
    (assessment.ReviewRequested, _disputed),
    (assessment.ReviewOrdered, _disputed),
    (assessment.ReviewGraded, _reviewed),
    (assessment.ReviewConfirmed, _review_confirmed),
    (assessment.ReviewPublished, _reviewed),
    (assessment.AppealFiled, _appealed),
    (assessment.AppealDecided, _appeal_decided),
    (assessment.ReassessmentConcluded, _concluded),
    (assessment.ClockPaused, _moved),
    (assessment.ClockResumed, _moved),
    (enrollment.LifeEventReported, _lived),
    (enrollment.LifeEventWithdrawn, _unlived),
    (enrollment.CoverageEnded, _ended),
    (enrollment.PersonsMerged, _one),
    (enrollment.PersonsSplit, _one),
    (enrollment.CoverageChanged, _changed),
    (enrollment.CoverageSuspended, _suspended),
    (enrollment.CoverageResumed, _resumed),
    (enrollment.ContributionYearOpened, _year_opened),
    (provider.PlanApproved, _planned),
    (provider.PlanEnded, _ended),
    (provider.ProviderAdmitted, _admitted),
    (provider.AgreementSigned, _stands),
    (provider.SanctionImposed, _stands),
    (provider.ExitRequested, _stands),
    (payment.SettlementOpened, _opened),
    (payment.SettlementClosed, _closed),
    *wakes_supervision.READINGS,
)
_BY_TYPE = {f"{kind.DESCRIPTOR.full_name}/1": (kind, reading) for kind, reading in _READINGS}


def types_of(service: str) -> list[str]:
    """The types of a service's events that matter, as its feed names them."""
    return [name for name in _BY_TYPE if name.startswith(f"ltci.{service}.")]


def wake_of(event: FeedEvent, heads: Mapping[str, int]) -> Wake | None:
    """What an event asks for; None where no process waits for such a thing."""
    known = _BY_TYPE.get(event.type)
    if known is None:
        return None
    kind, reading = known
    others = {service: head for service, head in heads.items() if service != event.source and head}
    notice = FactNotice(event.source, event.position, kind.DESCRIPTOR.name, heads=others)
    return reading(kind.FromString(event.payload), notice)


def addressed(
    wake: Wake, cases: Mapping[str, Sequence[tuple[str, str]]]
) -> Iterable[tuple[str, Wake]]:
    """The workflows a wake goes to, by id."""
    match wake:
        case Applied():
            yield f"beneficiary/{wake.pool}/{wake.person}", wake
        case Concerned():
            for person, pool in cases.get(wake.person, ()):
                if wake.pool in {"", pool}:
                    told = Concerned(pool, person, wake.notice)
                    yield f"beneficiary/{pool}/{person}", told
        case One():
            for person, pool in cases.get(wake.person, ()):
                yield f"beneficiary/{pool}/{person}", Concerned(pool, person, wake.notice)
        case MonthOpened(month=month):
            yield _at_once(wake), wake
            over = MonthOver(EvidenceMonth(month.pool, month.month))
            yield _at_once(over), over
        case Disputed() | Appealed() | Flagged() | CaseMoved():
            yield wake.workflow_id, wake
        case Moved():
            yield f"assessment/{wake.application}", wake
        case _:
            yield _at_once(wake), wake


def _at_once(
    wake: MonthOpened | MonthOver | YearOpened | BatchMade | AgreementMoved | PoolServed,
) -> str:
    """The workflow that what was opened or made is for."""
    match wake:
        case MonthOpened(month=month):
            return f"settlement/{month.pool}/{month.month}"
        case MonthOver(month=month):
            return f"evidence/{month.pool}/{month.month}"
        case YearOpened(year=year):
            return f"contributions/{year.pool}/{year.year}"
        case BatchMade(batch=batch):
            return f"payment/{batch.batch}"
        case AgreementMoved():
            return f"agreement/{wake.provider}"
        case PoolServed(queue=queue):
            return f"visit-exceptions/{queue.pool}"
        case _:
            assert_never(wake)
