"""The collection of a pool's year: opened once, reminded before each last day (年度征缴). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import assert_never

from kernel.calendar import DayKind, Month, is_working_day
from kernel.money import Money
from kernel.refusal import Refused
from kernel.rules.dimensions import GROUPS
from kernel.rules.pack import Pack
from services.enrollment.domain.spells import InsuredGroup

_ONE_DAY = timedelta(days=1)
WITH_MEDICAL = "with_medical_status"  # a rule of `enrollment.arrears_resume`


@dataclass(frozen=True, kw_only=True)
class OpenContributionYear:
    pool: str
    year: int
    today: date


@dataclass(frozen=True, kw_only=True)
class RemindContributions:
    """Remind those of whom something is owed, as it was counted."""

    pool: str
    year: int
    due_date: date
    today: date
    person_count: int
    owed: Money


Command = OpenContributionYear | RemindContributions


@dataclass(frozen=True, kw_only=True)
class ContributionYearOpened:
    pool: str
    year: int
    opened_date: date


@dataclass(frozen=True, kw_only=True)
class ContributionsReminded:
    pool: str
    year: int
    due_date: date
    reminded_date: date
    person_count: int
    owed: Money


Event = ContributionYearOpened | ContributionsReminded


@dataclass(frozen=True, kw_only=True)
class Collection:
    """When it was opened, and the reminders by the last day they were about."""

    opened: date | None = None
    reminders: Mapping[date, ContributionsReminded] = field(default_factory=dict)


def decide(command: Command, collection: Collection) -> list[Event]:
    """Opens a year once, reminds once for each last day. Refuses YEAR_NOT_OPEN."""
    match command:
        case OpenContributionYear():
            if collection.opened is not None:
                return []
            opened = ContributionYearOpened(
                pool=command.pool, year=command.year, opened_date=command.today
            )
            return [opened]
        case RemindContributions():
            if collection.opened is None:
                raise Refused("YEAR_NOT_OPEN", pool=command.pool, year=str(command.year))
            if command.due_date in collection.reminders:
                return []
            reminded = ContributionsReminded(
                pool=command.pool,
                year=command.year,
                due_date=command.due_date,
                reminded_date=command.today,
                person_count=command.person_count,
                owed=command.owed,
            )
            return [reminded]
        case _:
            assert_never(command)


def evolve(collection: Collection, event: Event) -> Collection:
    """The collection after the event."""
    match event:
        case ContributionYearOpened():
            return replace(collection, opened=event.opened_date)
        case ContributionsReminded():
            return replace(collection, reminders={**collection.reminders, event.due_date: event})
        case _:
            assert_never(event)


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """A last day to pay, the day of its reminder where there is one, and for whom it is."""

    due_date: date
    reminder_date: date | None
    groups: tuple[InsuredGroup, ...]


def deadlines(pack: Pack, year: int) -> tuple[Deadline, ...]:
    """The last days to pay that the pack knows for a year, the earliest first."""
    by_day: dict[date, list[InsuredGroup]] = {}
    for group in GROUPS:
        told = pack.collection(group, year)
        if told is not None:
            by_day.setdefault(told[1].due, []).append(InsuredGroup(group))
    return tuple(
        Deadline(due_date=day, reminder_date=_reminder(pack, year, day), groups=tuple(groups))
        for day, groups in sorted(by_day.items())
    )


def arrears_suspend(pack: Pack, year: int) -> bool:
    """Whether the pack lets arrears of the year suspend; False also where it does not say."""
    first = Month(year, 1).first
    figures = pack.history("enrollment.arrears_suspend")
    return any(figure.holds_on(first) and figure.flag() for figure in figures)


def _reminder(pack: Pack, year: int, due: date) -> date | None:
    first = Month(year, 1).first
    for figure in pack.history("enrollment.collection_reminder"):
        if figure.holds_on(first):
            term = figure.term()
            return days_before(due, term.days, term.kind)
    return None


def days_before(day: date, n: int, kind: DayKind) -> date:
    """The day from which n days of that kind are left until the day, which counts as the last."""
    if kind is DayKind.CALENDAR:
        return day - timedelta(days=n)
    left = n
    while left:
        left -= is_working_day(day)
        day -= _ONE_DAY
    return day


def resumes_on(rule: str, *, paid: date | None, first: date, pool: str) -> date:
    """First day that counts again after back payment (补缴后恢复).

    What was paid before the suspension began, or turned out not to be owed, never rested: then
    the first day of the suspension. Refuses RESUME_RULE_UNKNOWN; RESUME_DATE_MISSING where it
    resumes with the medical entitlement, whose day somebody must tell.
    """
    if paid is None or paid < first:
        return first
    match rule:
        case "month_after_payment":
            return Month.of(paid).next().first
        case "day_after_payment":
            return paid + _ONE_DAY
        case rule if rule == WITH_MEDICAL:
            raise Refused("RESUME_DATE_MISSING", pool=pool, rule=rule)
        case _:
            raise Refused("RESUME_RULE_UNKNOWN", pool=pool, rule=rule)
