"""Assessment bodies and their agreements (定点评估机构). Pure: no clock, no I/O.

Source: 长期护理保险失能等级评估机构定点管理办法(试行); independence: 医保发〔2023〕29号.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from kernel.calendar import add_months
from kernel.refusal import NotFound, Refused
from kernel.rules.pack import Pack

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class AssessmentBodyDesignated:
    body: UUID
    pool: str
    body_name: str
    social_credit_code: str
    operating_since_date: date
    agreement_start_date: date
    agreement_end_date: date
    division: str


@dataclass(frozen=True, kw_only=True)
class AssessmentBodySuspended:
    body: UUID
    pool: str
    start_date: date
    cause: str


@dataclass(frozen=True, kw_only=True)
class AssessmentBodyRestored:
    body: UUID
    pool: str
    start_date: date
    cause: str


@dataclass(frozen=True, kw_only=True)
class AssessmentBodyEnded:
    body: UUID
    pool: str
    end_date: date
    cause: str


BodyEvent = (
    AssessmentBodyDesignated
    | AssessmentBodySuspended
    | AssessmentBodyRestored
    | AssessmentBodyEnded
)


@dataclass(frozen=True, kw_only=True)
class DesignateBody:
    """What the agreement says, and what the body declared of its other work in the pool."""

    told: AssessmentBodyDesignated
    delivers_care: bool
    runs_scheme: bool


@dataclass(frozen=True, kw_only=True)
class SuspendBody:
    told: AssessmentBodySuspended


@dataclass(frozen=True, kw_only=True)
class RestoreBody:
    told: AssessmentBodyRestored


@dataclass(frozen=True, kw_only=True)
class EndBody:
    told: AssessmentBodyEnded


BodyCommand = DesignateBody | SuspendBody | RestoreBody | EndBody


@dataclass(frozen=True, kw_only=True)
class Body:
    """The last agreement and its rests, first and last day each; open ends are None."""

    designated: AssessmentBodyDesignated | None = None
    end: date | None = None  # last day of the agreement
    rests: tuple[tuple[date, date | None], ...] = ()
    ended: AssessmentBodyEnded | None = None

    def in_force(self, day: date) -> bool:
        """Whether there is an agreement on the day, and it does not rest."""
        if self.designated is None or self.end is None:
            return False
        if not self.designated.agreement_start_date <= day <= self.end:
            return False
        return not any(_within(day, first, last) for first, last in self.rests)

    @property
    def resting_since(self) -> date | None:
        """First day of a rest without an end."""
        return next((first for first, last in self.rests if last is None), None)


def decide(command: BodyCommand, body: Body, pack: Pack) -> list[BodyEvent]:
    """Refuses NOT_INDEPENDENT, OPERATING_TOO_SHORT, AGREEMENT_RUNNING; NOT_SUSPENDED; NotFound."""
    if isinstance(command, DesignateBody):
        return _designate(command, body, pack)
    told = command.told
    if body.designated is None or body.end is None:
        raise NotFound("assessment_body", told.body)
    if isinstance(told, AssessmentBodyEnded):
        return [] if body.ended == told else [told]
    if told.start_date > body.end:
        raise Refused("AGREEMENT_OVER", agreement_end_date=str(body.end))
    if isinstance(told, AssessmentBodySuspended):
        return [] if (told.start_date, None) in body.rests else [told]
    since = body.resting_since
    if since is None:
        if any(last == told.start_date - _ONE_DAY for _, last in body.rests):
            return []
        raise Refused("NOT_SUSPENDED", body=str(told.body))
    return [told]


def _designate(command: DesignateBody, body: Body, pack: Pack) -> list[BodyEvent]:
    told = command.told
    if body.designated == told:
        return []
    if command.delivers_care or command.runs_scheme:
        also = "delivers_care" if command.delivers_care else "runs_scheme"
        raise Refused("NOT_INDEPENDENT", also=also)
    start = told.agreement_start_date
    months = pack.integer("assessment.body_operating_months", start)
    if add_months(told.operating_since_date, months) > start:
        raise Refused("OPERATING_TOO_SHORT", months_required=str(months))
    if body.end is not None and start <= body.end:
        raise Refused("AGREEMENT_RUNNING", agreement_end_date=str(body.end))
    return [told]


def evolve(body: Body, event: BodyEvent) -> Body:
    """The body after the event."""
    match event:
        case AssessmentBodyDesignated():
            return Body(designated=event, end=event.agreement_end_date)
        case AssessmentBodySuspended():
            return replace(body, rests=(*body.rests, (event.start_date, None)))
        case AssessmentBodyRestored():
            return replace(body, rests=_closed(body.rests, event.start_date - _ONE_DAY))
        case AssessmentBodyEnded():
            last = min(body.end, event.end_date) if body.end else event.end_date
            return replace(body, end=last, ended=event)


def _closed(
    spells: tuple[tuple[date, date | None], ...], last: date
) -> tuple[tuple[date, date | None], ...]:
    return tuple((first, last if end is None else end) for first, end in spells)


def _within(day: date, first: date, last: date | None) -> bool:
    return first <= day and (last is None or day <= last)
