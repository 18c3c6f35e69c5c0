"""A provider's quality score of a month (服务质量评分), from counts alone. Pure: no clock, no I/O.

Each part of the score has its weight in points from the pool's pack, 1000 together. A part keeps
the share that was good, rounded down to whole points. Design reading: no text gives the formula.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from uuid import UUID

from kernel.calendar import Month
from kernel.refusal import Refused
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling, Trace
from services.provider.domain.counting import Key

QUESTION = "quality"
WEIGHTS = "provider.quality_weights"
LOSSES = "provider.quality_losses"
MARK = "provider.quality_pass_points"
ENOUGH, BELOW = "passed", "below_pass_points"
_THOUSAND = 1000


@dataclass(frozen=True, kw_only=True)
class MonthCounts:
    """What the score stands on."""

    delivered_count: int = 0
    rejected_count: int = 0
    corrected_count: int = 0
    complaint_count: int = 0  # substantiated
    flag_count: int = 0  # confirmed

    @property
    def visit_count(self) -> int:
        return self.delivered_count + self.rejected_count


@dataclass(frozen=True, kw_only=True)
class ScoreProvider:
    """What is asked: the month of a provider, and how it came out."""

    provider: UUID
    pool: str
    month: Month
    counts: MonthCounts
    known_position: int
    today: date
    pack: Pack
    code_version: str


@dataclass(frozen=True, kw_only=True)
class QualityScored:
    provider: UUID
    pool: str
    month: Month
    points: int  # 0 to 1000
    visit_count: int
    known_position: int
    ruling: bytes


def counts_in(sums: Mapping[Key, int]) -> MonthCounts:
    """The counts of a score among the sums of a month."""
    return MonthCounts(
        delivered_count=sums.get(("visit", "delivered"), 0),
        rejected_count=sums.get(("visit", "rejected"), 0),
        corrected_count=sums.get(("visit", "corrected"), 0),
        complaint_count=sums.get(("complaint", "substantiated"), 0),
        flag_count=sum(
            total
            for (name, key), total in sums.items()
            if name == "flag" and key.endswith("/confirmed")
        ),
    )


def decide(command: ScoreProvider, last: QualityScored | None) -> list[QualityScored]:
    """The score; nothing where the same counts were scored under the same pack before.

    Refuses MONTH_NOT_OVER, NO_VISITS, FIGURE_UNKNOWN.
    """
    if command.today <= command.month.last:
        raise Refused("MONTH_NOT_OVER", month=str(command.month))
    if command.counts.visit_count == 0:
        raise Refused("NO_VISITS", month=str(command.month))
    ruling = rule_quality(command)
    if last is not None:
        told = Ruling.read(last.ruling)
        if ({**told.asked, "known_position": 0}, told.pack) == (
            {**ruling.asked, "known_position": 0},
            ruling.pack,
        ):
            return []
    return [
        QualityScored(
            provider=command.provider,
            pool=command.pool,
            month=command.month,
            points=int(ruling.amounts["points"]),
            visit_count=command.counts.visit_count,
            known_position=command.known_position,
            ruling=ruling.to_bytes(),
        )
    ]


def evolve(_last: QualityScored | None, event: QualityScored) -> QualityScored | None:
    """The newest score counts."""
    return event


def rule_quality(asked: ScoreProvider) -> Ruling:
    """The ruling: every part with its counts, its weight and its points."""
    on, counts = asked.month.last, asked.counts
    weights, losses = asked.pack.figure(WEIGHTS, on), asked.pack.figure(LOSSES, on)
    weight, loss = weights.numbers(), losses.numbers()
    visits, trace, points = counts.visit_count, Trace(), {}
    points["clean"] = weight["clean"] * counts.delivered_count // visits
    trace.computed(
        weights,
        "points for visits that count",
        {
            "delivered_count": counts.delivered_count,
            "visit_count": visits,
            "weight": weight["clean"],
        },
        points["clean"],
    )
    points["corrections"] = weight["corrections"] * (visits - counts.corrected_count) // visits
    trace.computed(
        weights,
        "points for visits without correction",
        {
            "corrected_count": counts.corrected_count,
            "visit_count": visits,
            "weight": weight["corrections"],
        },
        points["corrections"],
    )
    for name, label, count in (
        ("complaints", "points after substantiated complaints", counts.complaint_count),
        ("flags", "points after confirmed flags", counts.flag_count),
    ):
        # Up to a thousand visits each costs its points whole; more visits dilute it.
        lost = min(weight[name], count * loss[name] * _THOUSAND // max(visits, _THOUSAND))
        points[name] = weight[name] - lost
        trace.computed(
            losses,
            label,
            {
                "count": count,
                "points_each": loss[name],
                "visit_count": visits,
                "weight": weight[name],
            },
            points[name],
        )
    total = sum(points.values())
    trace.computed(
        weights,
        "the score",
        points | {"weight": sum(weight.values())},
        total,
    )
    mark = asked.pack.figure(MARK, on)
    passed = trace.check(
        holds=total >= mark.integer(),
        clause=mark,
        label="as many points as are asked for",
        inputs={"points": total, "points_min": mark.integer()},
    )
    return Ruling(
        question=QUESTION,
        subject=str(asked.provider),
        pool=asked.pool,
        asked={
            "month": str(asked.month),
            "known_position": asked.known_position,
            **vars(counts),
        },
        outcome=ENOUGH if passed else BELOW,
        amounts={"points": total},
        pack=asked.pack.pin,
        steps=trace.steps,
        code_version=asked.code_version,
    )


def asked_in(told: Ruling, pack: Pack) -> ScoreProvider:
    """The question that a ruling answers, to make it again."""
    month = Month.parse(str(told.asked["month"]))
    return ScoreProvider(
        provider=UUID(told.subject),
        pool=told.pool,
        month=month,
        counts=MonthCounts(**{f.name: int(told.asked[f.name]) for f in fields(MonthCounts)}),
        known_position=int(told.asked["known_position"]),
        today=month.next().first,
        pack=pack,
        code_version=told.code_version,
    )
