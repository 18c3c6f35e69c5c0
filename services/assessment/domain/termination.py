"""An assessment is broken off (终止评估). Pure: no clock, no I/O.

The pool's reasons are data. A new application waits as after a conclusion.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from kernel.refusal import Refused
from kernel.rules.pack import Pack
from kernel.rules.ruling import Fact, Ruling, Trace
from services.assessment.domain import events as e
from services.assessment.domain.applicant import CONCLUDED, Application, State
from services.assessment.domain.order import not_before
from services.assessment.domain.words import TerminationReason

QUESTION = "termination"
TERMINATED, NOT_TERMINATED = "terminated", "not_terminated"


@dataclass(frozen=True, kw_only=True)
class TerminateAssessment:
    """`facts`: the acceptance of the application, where it was accepted."""

    application: UUID
    reason: TerminationReason
    terminated_date: date
    note: str
    facts: tuple[Fact, ...] = ()
    code_version: str = ""


@dataclass(frozen=True, kw_only=True)
class Question:
    """Is this a reason to break the assessment off?"""

    application: UUID
    person: UUID
    pool: str
    reason: TerminationReason
    terminated_date: date


def terminate(command: TerminateAssessment, one: Application, pack: Pack) -> list[e.Event]:
    """Refuses CONCLUDED_ALREADY, NOT_A_REASON_HERE."""
    if one.state is State.TERMINATED:
        return []
    if one.state in CONCLUDED:
        raise Refused("CONCLUDED_ALREADY", state=one.state)
    not_before("terminated_date", command.terminated_date, one.application_date)
    question = Question(
        application=one.application,
        person=one.person,
        pool=one.pool,
        reason=command.reason,
        terminated_date=command.terminated_date,
    )
    ruling = rule_termination(question, command.facts, pack, command.code_version)
    if ruling.outcome != TERMINATED:
        raise Refused("NOT_A_REASON_HERE", termination_reason=command.reason)
    terminated = e.AssessmentTerminated(
        application=one.application,
        person=one.person,
        pool=one.pool,
        termination_reason=command.reason,
        terminated_date=command.terminated_date,
        note=command.note,
        ruling=ruling.to_bytes(),
    )
    return [terminated]


def rule_termination(
    question: Question, facts: Sequence[Fact], pack: Pack, code_version: str
) -> Ruling:
    """Broken off where the reason is one of the pool's; the reason is told in capitals."""
    trace = Trace()
    figure = pack.figure("assessment.termination_reasons", question.terminated_date)
    listed = trace.check(
        holds=question.reason in figure.texts(),
        clause=figure,
        label="a reason to break off (终止评估情形)",
        inputs={"termination_reason": question.reason.value},
    )
    return Ruling(
        question=QUESTION,
        subject=str(question.person),
        pool=question.pool,
        asked={
            "application": str(question.application),
            "termination_reason": question.reason.value,
            "terminated_date": str(question.terminated_date),
        },
        outcome=TERMINATED if listed else NOT_TERMINATED,
        reasons=(question.reason.value.upper(),) if listed else (),
        facts=tuple(fact.ref for fact in facts),
        pack=pack.pin,
        steps=trace.steps,
        code_version=code_version,
    )


def asked_in(ruling: Ruling) -> Question:
    """The question a ruling answered; ValueError for a ruling on something else."""
    if ruling.question != QUESTION:
        raise ValueError(f"a ruling on {ruling.question}, not on {QUESTION}")
    return Question(
        application=UUID(str(ruling.asked["application"])),
        person=UUID(ruling.subject),
        pool=ruling.pool,
        reason=TerminationReason(str(ruling.asked["termination_reason"])),
        terminated_date=date.fromisoformat(str(ruling.asked["terminated_date"])),
    )
