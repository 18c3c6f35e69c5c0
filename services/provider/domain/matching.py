"""Who can take a plan, best first: by skill, certificate, distance and load. Pure: no I/O.

Whole numbers only, so that the same facts give the same order everywhere; ties go by id. It
proposes and decides nothing. Source: S3 江门 (caregiver database with matching); the order of
the four is a design reading.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.provider.domain.caregiver import Caregiver
from services.provider.domain.carer_record import CaregiverLevel
from services.provider.domain.place import Place, distance_m

NO_PROFILE, NO_TIME_LEFT = "NO_PROFILE", "NO_TIME_LEFT"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a plan needs; `items` are codes of the catalogue."""

    plan: UUID
    place: Place | None
    items: tuple[str, ...]
    minutes_a_week: int
    day: date


@dataclass(frozen=True, kw_only=True)
class Known:
    """A caregiver as on record, with the minutes a week that running plans take already."""

    caregiver: UUID
    state: Caregiver
    taken_minutes: int


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Someone who can take the plan, and what puts them in their place."""

    caregiver: UUID
    skills_missing: int
    level: CaregiverLevel | None
    distance_m: int
    load_permille: int

    @property
    def rank(self) -> tuple[int, int, int, int, str]:
        level = self.level.rank if self.level else 0
        return self.skills_missing, -level, self.distance_m, self.load_permille, str(self.caregiver)


@dataclass(frozen=True, kw_only=True)
class Match:
    """Candidates best first; those left out by id, each with the reason."""

    plan: UUID
    candidates: tuple[Candidate, ...]
    left_out: tuple[tuple[UUID, str], ...]


def match(wanted: Wanted, known: Iterable[Known]) -> Match:
    """Who can take the plan.

    First who lacks fewest of its skills, then the higher certificate, then who is nearer, then
    who has more of the week left.
    """
    candidates: list[Candidate] = []
    left_out: list[tuple[UUID, str]] = []
    for one in sorted(known, key=lambda each: str(each.caregiver)):
        reason = _left_out(wanted, one)
        if reason:
            left_out.append((one.caregiver, reason))
        else:
            candidates.append(_candidate(wanted, one))
    candidates.sort(key=lambda each: each.rank)
    return Match(plan=wanted.plan, candidates=tuple(candidates), left_out=tuple(left_out))


def match_all(plans: Sequence[Wanted], known: Sequence[Known]) -> list[Match]:
    """A match for each plan in the order given; who is first for one has less time afterwards."""
    taken = {one.caregiver: one.taken_minutes for one in known}
    found: list[Match] = []
    for wanted in plans:
        now = [
            Known(caregiver=k.caregiver, state=k.state, taken_minutes=taken[k.caregiver])
            for k in known
        ]
        found.append(match(wanted, now))
        if found[-1].candidates:
            taken[found[-1].candidates[0].caregiver] += wanted.minutes_a_week
    return found


def _left_out(wanted: Wanted, one: Known) -> str:
    problem = one.state.problem_on(wanted.day)
    if problem:
        return problem
    profile = one.state.record.profile
    if profile is None or profile.place is None or profile.start_date > wanted.day:
        return NO_PROFILE
    if one.taken_minutes + wanted.minutes_a_week > profile.minutes_a_week:
        return NO_TIME_LEFT
    return ""


def _candidate(wanted: Wanted, one: Known) -> Candidate:
    profile = one.state.record.profile
    if profile is None or profile.place is None:
        raise AssertionError("who has no profile was left out")
    away = distance_m(profile.place, wanted.place) if wanted.place else 0
    return Candidate(
        caregiver=one.caregiver,
        skills_missing=len(set(wanted.items) - set(profile.skills)),
        level=one.state.record.level_on(wanted.day),
        distance_m=away,
        load_permille=1000
        * (one.taken_minutes + wanted.minutes_a_week)
        // max(profile.minutes_a_week, 1),
    )
