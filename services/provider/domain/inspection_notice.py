"""What the notice of a case rests on (告知书的依据). Pure: no clock, no I/O.

It follows from the case and the pack alone and decides nothing: it is told as a ruling, so that
the letter says it through the same sentences as any decision.
"""

from collections.abc import Sequence

from kernel.rules.pack import Pack
from kernel.rules.ruling import Clause, FactRef, Ruling, Trace
from services.provider.domain.inspection import Inspection, known
from services.provider.domain.inspection_events import InspectionNoticed
from services.provider.domain.inspection_ruling import OFFICERS, RESPOND
from services.provider.domain.risk import RiskFlagged

QUESTION = "inspection_notice"
_READING = "design reading: whoever is accused is told of what, and can answer"
ALLEGED = Clause(key="provider.inspection.alleged", citation=_READING, verified=False)
LOOKED_INTO = Clause(key="provider.inspection.looked_into", citation=_READING, verified=False)


def of_notice(
    event: InspectionNoticed,
    inspection: Inspection,
    flags: Sequence[tuple[FactRef, RiskFlagged]],
    pack: Pack,
    code_version: str,
) -> Ruling:
    """Each flag, the last day to answer, and by how many others it is decided."""
    opened, trace, day = known(event.inspection, inspection), Trace(), event.noticed_date
    for _, told in flags:
        trace.computed(
            ALLEGED,
            "what was flagged (风险提示)",
            {
                "detector": told.detector,
                "detector_version": told.detector_version,
                "cost_fen": told.cost.fen,
            },
            str(told.care_date),
        )
    if not flags:
        cause = {"opened_date": str(opened.opened_date)}
        trace.computed(LOOKED_INTO, "what led to the case (立案来源)", cause, opened.cause)
    trace.computed(
        pack.figure(RESPOND, day),
        "last day to answer (陈述申辩期限)",
        {"noticed_date": str(day)},
        str(event.respond_by_date),
    )
    needed = pack.figure(OFFICERS, day)
    trace.computed(needed, "how many other people decide (决定人数)", {}, needed.integer())
    return Ruling(
        question=QUESTION,
        subject=str(event.inspection),
        pool=event.pool,
        asked={"respond_by_date": str(event.respond_by_date)},
        outcome="flags_noticed" if flags else "matter_noticed",
        facts=tuple(ref for ref, _ in flags),
        pack=pack.pin,
        steps=trace.steps,
        code_version=code_version,
    )
