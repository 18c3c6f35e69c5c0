"""Whether a body meets the conditions of designation (定点条件), and why. Pure: no clock, no I/O.

What a record tells (how long it runs, who is barred) is read from facts; what a review must see
for itself is asked, and kept by value in the ruling.
Source: 医保办发〔2024〕21号; figures from the pool's rule pack on the day of the review.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from uuid import UUID

from kernel.calendar import add_months
from kernel.refusal import NotFound
from kernel.rules.ruling import Clause, Fact, Ruling, Trace
from services.provider.domain.carer_record import PersonBarred, PersonRestored, bars_of
from services.provider.domain.designation import DesignationApplied
from services.provider.domain.verdict import Basis

QUESTION = "designation"
ACCEPTED, REFUSED = "accepted", "refused"
_DOCUMENT = "医保办发〔2024〕21号, conditions of designation"

REGISTERED = Clause(key="provider.designation.registered", citation=_DOCUMENT, verified=False)
STAFF = Clause(key="provider.designation.staff", citation=_DOCUMENT, verified=False)
PREMISES = Clause(key="provider.designation.premises", citation=_DOCUMENT, verified=False)
SYSTEMS = Clause(key="provider.designation.systems", citation=_DOCUMENT, verified=False)
CONNECTS = Clause(
    key="provider.designation.can_connect", citation="医保办发〔2024〕21号, Art. 18", verified=True
)
VIOLATION = Clause(key="provider.designation.no_violation", citation=_DOCUMENT, verified=False)
MANAGERS = Clause(
    key="provider.designation.managers", citation="医保办发〔2024〕21号, Art. 45-46", verified=True
)
MONTHS_MIN = "provider.designation_months_min"
BODY_KINDS = "provider.designation_body_kinds"


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a review found (审核意见)."""

    registered: bool
    staff_qualified: bool
    premises: bool
    systems: bool
    can_connect: bool
    no_recent_violation: bool


@dataclass(frozen=True, kw_only=True)
class Review:
    """What is asked: an application, on a day, with what was found."""

    application: UUID
    review_date: date
    findings: Findings

    def asked(self) -> dict[str, str | int]:
        """The question as its ruling keeps it."""
        found = {name: int(value) for name, value in vars(self.findings).items()}
        return {"review_date": self.review_date.isoformat(), **found}


def review_of(ruling: Ruling) -> Review:
    """The question that a ruling answers: the inverse of `asked`."""
    found = {one.name: bool(int(ruling.asked[one.name])) for one in fields(Findings)}
    return Review(
        application=UUID(ruling.subject),
        review_date=date.fromisoformat(str(ruling.asked["review_date"])),
        findings=Findings(**found),
    )


def rule_designation(review: Review, basis: Basis) -> Ruling:
    """The ruling on an application: every condition, met or not; reasons in the order of steps.

    Refuses NOT_FOUND for an application that is not among the facts, FIGURE_UNKNOWN.
    """
    applied = next(
        (
            fact.event
            for fact in basis.facts
            if isinstance(fact.event, DesignationApplied)
            and fact.event.application == review.application
        ),
        None,
    )
    if applied is None:
        raise NotFound("designation", review.application)
    trace = Trace()
    held = _of_the_body(trace, review, applied, basis)
    held |= _of_the_findings(trace, review.findings)
    held["MANAGER_BARRED"] = _managers(trace, review, applied, basis.facts)
    reasons = tuple(reason for reason, holds in held.items() if not holds)
    return Ruling(
        question=QUESTION,
        subject=str(review.application),
        pool=applied.pool,
        asked=review.asked(),
        outcome=REFUSED if reasons else ACCEPTED,
        reasons=reasons,
        facts=tuple(fact.ref for fact in basis.facts if _matters(fact.event, applied)),
        pack=basis.pack.pin,
        steps=trace.steps,
        code_version=basis.code_version,
    )


def _matters(event: object, applied: DesignationApplied) -> bool:
    match event:
        case DesignationApplied():
            return event == applied
        case PersonBarred() | PersonRestored():
            return event.person in applied.people
        case _:
            return False


def _of_the_body(
    trace: Trace, review: Review, applied: DesignationApplied, basis: Basis
) -> dict[str, bool]:
    kinds = basis.pack.figure(BODY_KINDS, review.review_date)
    months = basis.pack.figure(MONTHS_MIN, review.review_date)
    ripe = add_months(applied.operating_since_date, months.integer())
    return {
        "KIND_NOT_ADMITTED": trace.check(
            holds=applied.body_kind in kinds.texts(),
            clause=kinds,
            label="bodies of this kind may be designated",
            inputs={"body_kind": applied.body_kind, "body_kinds": ",".join(kinds.texts())},
        ),
        "NOT_REGISTERED": trace.check(
            holds=review.findings.registered,
            clause=REGISTERED,
            label="lawfully registered, with care in its scope",
            inputs={},
        ),
        "RUNNING_TOO_SHORT": trace.check(
            holds=ripe <= applied.application_date,
            clause=months,
            label="running for long enough",
            inputs={
                "operating_since_date": applied.operating_since_date.isoformat(),
                "application_date": applied.application_date.isoformat(),
                "months_min": months.integer(),
            },
        ),
    }


def _of_the_findings(trace: Trace, found: Findings) -> dict[str, bool]:
    return {
        "STAFF_NOT_QUALIFIED": trace.check(
            holds=found.staff_qualified,
            clause=STAFF,
            label="staff qualified for its service lines",
            inputs={},
        ),
        "PREMISES_MISSING": trace.check(
            holds=found.premises, clause=PREMISES, label="premises and equipment", inputs={}
        ),
        "SYSTEMS_MISSING": trace.check(
            holds=found.systems,
            clause=SYSTEMS,
            label="rules for finance, staff, quality and safety",
            inputs={},
        ),
        "CANNOT_CONNECT": trace.check(
            holds=found.can_connect,
            clause=CONNECTS,
            label="able to connect to the national platform",
            inputs={},
        ),
        "RECENT_VIOLATION": trace.check(
            holds=found.no_recent_violation,
            clause=VIOLATION,
            label="no serious violation lately",
            inputs={},
        ),
    }


def _managers(
    trace: Trace, review: Review, applied: DesignationApplied, facts: Iterable[Fact]
) -> bool:
    events = [fact.event for fact in facts]
    barred = [
        bar
        for person in applied.people
        for bar in bars_of(person, events)
        if bar.holds_on(review.review_date)
    ]
    return trace.check(
        holds=not barred,
        clause=MANAGERS,
        label="nobody who answers for the body is barred",
        inputs={
            "review_date": review.review_date.isoformat(),
            "barred_count": len(barred),
            "barred_until_date": max((b.barred.end_date.isoformat() for b in barred), default=""),
        },
    )
