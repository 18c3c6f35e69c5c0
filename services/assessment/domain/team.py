"""Who is taken from the order in which a draw put the candidates. Pure: no clock, no I/O.

`docs/check_draw.py` does the same with nothing but the standard library: change both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.assessment.domain.words import AssessorKind, AssignedAssessor, DrawCandidate


@dataclass(frozen=True, kw_only=True)
class Team:
    """The order drawn; who of them, or of those kept, is an expert; and who is near."""

    drawn: tuple[str, ...]
    experts: frozenset[str]
    near: frozenset[str]
    kept: tuple[str, ...] = ()
    last: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        drawn: Sequence[str],
        candidates: Sequence[DrawCandidate],
        kept: Sequence[AssignedAssessor],
        last: frozenset[str],
    ) -> "Team":
        expert = AssessorKind.EXPERT
        experts = {one.assessor for one in candidates if one.assessor_kind is expert}
        experts |= {one.assessor for one in kept if one.assessor_kind is expert}
        return cls(
            drawn=tuple(drawn),
            experts=frozenset(experts),
            near=frozenset(one.assessor for one in candidates if one.near),
            kept=tuple(one.assessor for one in kept),
            last=last,
        )

    def asked(self) -> dict[str, str | int]:
        """As a ruling keeps it."""
        return {
            "drawn": ",".join(self.drawn),
            "experts_drawn": ",".join(sorted(self.experts)),
            "near": ",".join(sorted(self.near)),
            "kept": ",".join(self.kept),
            "last_team": ",".join(sorted(self.last)),
        }

    @classmethod
    def asked_in(cls, asked: Mapping[str, str | int]) -> "Team":
        """From what a ruling kept."""

        def names(key: str) -> tuple[str, ...]:
            return tuple(filter(None, str(asked[key]).split(",")))

        return cls(
            drawn=names("drawn"),
            experts=frozenset(names("experts_drawn")),
            near=frozenset(names("near")),
            kept=names("kept"),
            last=frozenset(names("last_team")),
        )


def choose(team: Team, needed: int, experts_needed: int) -> tuple[str, ...] | None:
    """Those kept and the next of the order, so many people and so many experts; None if too few.

    Experts are taken first, then assessors, then further experts; people who are near before
    others. Where that gives the people of the last time, the next one takes the place of the
    one drawn last, or else of one drawn before.
    """
    order = [*(n for n in team.drawn if n in team.near), *_far(team)]
    chosen = _pick(order, team, needed, experts_needed)
    if chosen is None or frozenset(chosen) != team.last:
        return chosen
    for name in reversed([one for one in chosen if one not in team.kept]):
        others = _pick([one for one in order if one != name], team, needed, experts_needed)
        if others is not None:
            return others
    return None


def _far(team: Team) -> list[str]:
    return [name for name in team.drawn if name not in team.near]


def _pick(
    order: Sequence[str], team: Team, needed: int, experts_needed: int
) -> tuple[str, ...] | None:
    chosen = list(team.kept)
    experts = [name for name in order if name in team.experts]
    while sum(name in team.experts for name in chosen) < experts_needed:
        if not experts:
            return None
        chosen.append(experts.pop(0))
    rest = [*(name for name in order if name not in team.experts), *experts]
    chosen += rest[: max(0, needed - len(chosen))]
    return tuple(chosen) if len(chosen) >= needed else None
