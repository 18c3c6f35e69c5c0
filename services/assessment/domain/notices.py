"""What the letters of the procedure rest on (程序性文书的依据). Pure: no clock, no I/O.

Acceptance, missing papers, refusal, withdrawal and the days of a conclusion follow from an event
and the pack alone. They are told as rulings, so that a letter says them through the same sentences
as any decision; nothing new is decided here, and the letter keeps every step.
Source: 医保发〔2023〕29号 and local rules; the figures stand in the pool's pack.
"""

from collections.abc import Mapping
from uuid import UUID

from kernel.rules.pack import Pack
from kernel.rules.ruling import Clause, Ruling, Trace
from services.assessment.domain import events as e
from services.assessment.domain.applicant import Application

QUESTION = "procedure"
_MEASURE = "医保发〔2023〕29号, 长期护理保险失能等级评估管理办法(试行)"

PAPERS = Clause(key="assessment.papers_complete", citation=_MEASURE, verified=False)
CONDITIONS = Clause(key="assessment.application_conditions", citation=_MEASURE, verified=False)
WITHDRAWN = Clause(key="assessment.withdrawn_by_applicant", citation=_MEASURE, verified=False)
EFFECTIVE = Clause(key="assessment.effective_next_month", citation=_MEASURE, verified=False)


def of_acceptance(
    event: e.ApplicationAccepted, one: Application, pack: Pack, code_version: str
) -> Ruling:
    """The papers are complete, and the day by which there must be a conclusion."""
    trace, day = Trace(), event.accepted_date
    trace.met(PAPERS, "the papers are complete (材料齐全)", {"accepted_date": str(day)})
    trace.computed(
        pack.figure("assessment.conclusion_days", day),
        "day of the conclusion at the latest (结论期限)",
        {"accepted_date": str(day)},
        str(event.conclusion_due_date),
    )
    asked = {"conclusion_due_date": str(event.conclusion_due_date)}
    return _ruling("accepted", one, pack, code_version, trace, asked)


def of_supplement(
    event: e.SupplementRequested, one: Application, pack: Pack, code_version: str
) -> Ruling:
    """All that is missing, at once (一次性告知), and until when it can be brought."""
    trace, due = Trace(), str(event.due_date)
    missing = {"missing_papers": "; ".join(event.missing_papers), "due_date": due}
    trace.not_met(PAPERS, "the papers are complete (材料齐全)", missing)
    trace.computed(
        pack.figure("assessment.supplement_days", one.application_date),
        "last day to bring what is missing (补正期限)",
        {"application_date": str(one.application_date)},
        due,
    )
    return _ruling("supplement_requested", one, pack, code_version, trace, {"due_date": due})


def of_refusal(
    event: e.ApplicationRefused, one: Application, pack: Pack, code_version: str
) -> Ruling:
    """The reasons one by one. Where a decision on eligibility says more, its steps say why."""
    trace = Trace()
    for reason in event.reasons:
        trace.not_met(CONDITIONS, "may be taken (受理条件)", {"reason": reason})
    asked = {"refused_date": str(event.refused_date)}
    return _ruling("refused", one, pack, code_version, trace, asked, event.reasons)


def of_withdrawal(
    event: e.ApplicationWithdrawn, one: Application, pack: Pack, code_version: str
) -> Ruling:
    """Taken back by the applicant, or taken to be since papers never came (视为撤回)."""
    trace, day = Trace(), str(event.withdrawn_date)
    if event.deemed:
        trace.not_met(
            pack.figure("assessment.supplement_days", one.application_date),
            "the missing papers came in time (按期补正)",
            {"due_date": str(one.supplement_due or ""), "withdrawn_date": day},
        )
    else:
        trace.computed(WITHDRAWN, "taken back by the applicant (本人撤回)", {}, day)
    outcome = "deemed_withdrawn" if event.deemed else "withdrawn"
    return _ruling(outcome, one, pack, code_version, trace, {"withdrawn_date": day})


def of_conclusion(
    event: e.ConclusionDelivered, one: Application, pack: Pack, code_version: str
) -> Ruling:
    """Who confirmed the grade, from when it has effect, and until when it is valid."""
    trace, day = Trace(), event.conclusion_date
    needed = pack.figure("assessment.confirming_experts", day)
    trace.computed(
        needed,
        "confirmed by experts (专家确认)",
        {"experts": len(one.confirmed), "experts_required": needed.integer()},
        str(day),
    )
    trace.computed(
        EFFECTIVE,
        "has effect from the month after the conclusion (结论次月)",
        {"conclusion_date": str(day)},
        str(event.effective_date),
    )
    trace.computed(
        pack.figure("assessment.validity_months", day),
        "valid until (有效期)",
        {"conclusion_date": str(day)},
        str(event.valid_until_date),
    )
    asked = {
        "effective_date": str(event.effective_date),
        "valid_until_date": str(event.valid_until_date),
    }
    return _ruling("concluded", one, pack, code_version, trace, asked)


def of_review(
    event: e.ConclusionDelivered, one: Application, pack: Pack, code_version: str
) -> Ruling:
    """From when a review's conclusion has effect, and until when it is valid (复评结论)."""
    trace, day = Trace(), event.conclusion_date
    trace.computed(
        pack.figure("assessment.review_effective", day),
        "a review's conclusion has effect from (复评结论生效)",
        {"conclusion_date": str(day)},
        str(event.effective_date),
    )
    trace.computed(
        pack.figure("assessment.validity_months", day),
        "valid until (有效期)",
        {"conclusion_date": str(day)},
        str(event.valid_until_date),
    )
    asked = {
        "effective_date": str(event.effective_date),
        "valid_until_date": str(event.valid_until_date),
    }
    return _ruling("concluded", one, pack, code_version, trace, asked)


def _ruling(
    outcome: str,
    one: Application,
    pack: Pack,
    code_version: str,
    trace: Trace,
    asked: Mapping[str, str],
    reasons: tuple[str, ...] = (),
) -> Ruling:
    application: UUID = one.application
    return Ruling(
        question=QUESTION,
        subject=str(one.person),
        pool=one.pool,
        asked={"application": str(application), **asked},
        outcome=outcome,
        reasons=reasons,
        pack=pack.pin,
        steps=trace.steps,
        code_version=code_version,
    )
