"""Whether an application is taken (受理 / 不予受理). Pure: no clock, no I/O.

Source: 医保发〔2023〕29号 and its draft's list of refusals; each pool's own reasons and figures
stand in its pack. What the applicant told is part of what was asked, since it is recorded in the
same breath; earlier conclusions and terminations of the person are the facts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from kernel.refusal import Invalid, Violation
from kernel.rules.pack import Pack
from kernel.rules.ruling import Clause, Fact, Ruling, Trace
from services.assessment.domain import terms
from services.assessment.domain.events import ApplicationKind

QUESTION = "admission"
ACCEPTED, REFUSED = "accepted", "refused"
_LIST = "assessment.refusal_reasons"
_GATE = "assessment.self_assessment_gate"
# What the agency orders waits for no time to pass, and needs no form of the applicant.
ORDERED = frozenset({ApplicationKind.PERIODIC, ApplicationKind.SPOT_CHECK})

# What enrollment's decision on a day may say; where that decision is named, its words are its own.
ELIGIBILITY_REASONS = frozenset(
    {
        "NOT_COVERED",
        "GROUP_NOT_INSURED",
        "WAITING",
        "NOT_BEGUN",
        "COVERAGE_TOO_SHORT",
        "SUSPENDED",
        "NOT_PAID_UP",
        "DEAD",
        "PERSON_UNKNOWN",
    }
)
ELIGIBILITY = Clause(
    key="assessment.insured_and_paid_up",
    citation="医保发〔2023〕29号, draft of 2023-09: not insured, or entitlement conditions not met",
    verified=False,
)


@dataclass(frozen=True, kw_only=True)
class Question:
    """Is this application taken? Reasons `stated` were found by an officer, or by enrollment."""

    application: UUID
    person: UUID
    pool: str
    kind: ApplicationKind
    application_date: date
    disabled_since_date: date
    last_ended_date: date | None  # of the last conclusion or termination
    self_grade: str  # after the operator's check, where there was one
    stated: tuple[str, ...] = ()
    eligibility_decision: UUID | None = None


def rule_admission(
    question: Question, facts: Sequence[Fact], pack: Pack, code_version: str
) -> Ruling:
    """Taken, or refused with all that stands against it.

    DISABLED_TOO_SHORT, TOO_SOON_AFTER_LAST, SELF_ASSESSMENT_BELOW_GATE, and what was stated.
    Refuses FIGURE_UNKNOWN for a day before the rules begin.
    """
    trace = Trace()
    conditions = {
        "DISABLED_TOO_SHORT": _disabled_long_enough(question, pack, trace),
        "TOO_SOON_AFTER_LAST": _long_enough_since(question, pack, trace),
        "SELF_ASSESSMENT_BELOW_GATE": _through_the_gate(question, pack, trace),
    }
    reasons = [reason for reason, holds in conditions.items() if not holds]
    for reason in question.stated:
        _stated(question, reason, pack, trace)
        if reason not in reasons:
            reasons.append(reason)
    return Ruling(
        question=QUESTION,
        subject=str(question.person),
        pool=question.pool,
        asked={
            "application": str(question.application),
            "kind": question.kind.value,
            "application_date": str(question.application_date),
            "disabled_since_date": str(question.disabled_since_date),
            "last_ended_date": _text(question.last_ended_date),
            "self_grade": question.self_grade,
            "stated": ",".join(question.stated),
            "eligibility_decision": _text(question.eligibility_decision),
        },
        outcome=REFUSED if reasons else ACCEPTED,
        reasons=tuple(reasons),
        facts=tuple(fact.ref for fact in facts),
        pack=pack.pin,
        steps=trace.steps,
        code_version=code_version,
    )


def asked_in(ruling: Ruling) -> Question:
    """The question a ruling answered; ValueError for a ruling on something else."""
    if ruling.question != QUESTION:
        raise ValueError(f"a ruling on {ruling.question}, not on {QUESTION}")
    asked = {name: str(value) for name, value in ruling.asked.items()}
    ended, decision = asked["last_ended_date"], asked["eligibility_decision"]
    return Question(
        application=UUID(asked["application"]),
        person=UUID(ruling.subject),
        pool=ruling.pool,
        kind=ApplicationKind(asked["kind"]),
        application_date=date.fromisoformat(asked["application_date"]),
        disabled_since_date=date.fromisoformat(asked["disabled_since_date"]),
        last_ended_date=date.fromisoformat(ended) if ended else None,
        self_grade=asked["self_grade"],
        stated=tuple(filter(None, asked["stated"].split(","))),
        eligibility_decision=UUID(decision) if decision else None,
    )


def check_reasons(question: Question, pack: Pack) -> None:
    """Refuses (`Invalid`) reasons that neither the pool's list nor enrollment knows."""
    figure = pack.figure(_LIST, question.application_date)
    listed = figure.texts()
    found = [
        Violation(
            f"reasons[{place}]",
            "NOT_A_REASON_HERE",
            f"must be one of the pool's list: {', '.join(listed)}; or of an eligibility decision",
            f"应为本地不予受理情形之一:{', '.join(listed)};或待遇享受条件审核的理由",
        )
        for place, reason in enumerate(question.stated)
        if reason not in listed and not _of_enrollment(question, reason)
    ]
    if found:
        raise Invalid(found)


def needs_form(pack: Pack, on: date, kind: ApplicationKind) -> bool:
    """Whether the pool asks for the self-assessment form (自评表)."""
    asked = pack.figure(_GATE, on).table()["required"]
    return bool(asked) and kind not in ORDERED


def _of_enrollment(question: Question, reason: str) -> bool:
    return question.eligibility_decision is not None or reason in ELIGIBILITY_REASONS


def _disabled_long_enough(question: Question, pack: Pack, trace: Trace) -> bool:
    on, since = question.application_date, question.disabled_since_date
    figure = pack.figure("assessment.disability_months", on)
    return trace.check(
        holds=terms.long_enough_disabled(pack, since, on),
        clause=figure,
        label="disabled for long enough (失能持续时间)",
        inputs={
            "disabled_since_date": str(since),
            "application_date": str(on),
            "months_required": figure.integer(),
        },
    )


def _long_enough_since(question: Question, pack: Pack, trace: Trace) -> bool:
    """A periodic reassessment, or one after a spot check, waits for no time to pass."""
    on, last = question.application_date, question.last_ended_date
    figure = pack.figure("assessment.months_between", on)
    waits = question.kind not in ORDERED and last is not None
    return trace.check(
        holds=not waits or last is None or terms.may_apply_again(pack, last, on),
        clause=figure,
        label="long enough after the last assessment (再次申请间隔)",
        inputs={
            "kind": question.kind.value,
            "last_ended_date": _text(last),
            "application_date": str(on),
            "months_required": figure.integer(),
        },
    )


def _through_the_gate(question: Question, pack: Pack, trace: Trace) -> bool:
    figure = pack.figure(_GATE, question.application_date)
    grades = list(map(str, figure.table()["grades"]))
    required = needs_form(pack, question.application_date, question.kind)
    return trace.check(
        holds=not required or question.self_grade in grades,
        clause=figure,
        label="self-assessment of a grade that may apply (自评等级)",
        inputs={
            "required": "yes" if required else "",
            "self_grade": question.self_grade,
            "self_grades": ",".join(grades),
        },
    )


def _stated(question: Question, reason: str, pack: Pack, trace: Trace) -> None:
    """What an officer or enrollment found; it was checked when it was stated."""
    figure = pack.figure(_LIST, question.application_date)
    if reason in figure.texts():
        trace.not_met(
            figure, "a reason of the pool's list (不予受理情形)", {"refusal_reason": reason}
        )
    else:
        trace.not_met(
            ELIGIBILITY,
            "insured and paid up (参保缴费)",
            {
                "refusal_reason": reason,
                "eligibility_decision": _text(question.eligibility_decision),
            },
        )


def _text(value: object) -> str:
    return "" if value is None else str(value)
