"""Applications, people and draws for tests of what happens before the grade."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from kernel.ids import derive
from kernel.rules.ruling import Fact, FactRef
from services.assessment.domain import admission, assessor, body, grade_change, termination
from services.assessment.domain import assignment as a
from services.assessment.domain import events as e
from services.assessment.domain import words as w
from services.assessment.domain.team import Team
from tests.support.packs import CHANGZHOU

PERSON, APPLICATION = derive("test", "somebody"), derive("test", "application")
ON = date(2024, 3, 4)  # a Monday
SEED = bytes(32)


def question(**changed: Any) -> admission.Question:
    told: dict[str, Any] = {
        "application": APPLICATION,
        "person": PERSON,
        "pool": CHANGZHOU,
        "kind": e.ApplicationKind.FIRST,
        "application_date": ON,
        "disabled_since_date": date(2023, 1, 1),
        "last_ended_date": None,
        "self_grade": "",
    }
    return admission.Question(**(told | changed))


def form(*dependent: str) -> tuple[w.SelfAssessmentItem, ...]:
    """The self-assessment form on which these items depend on others."""
    items = ("feeding", "continence", "bathing", "dressing", "toilet", "transfer")
    unknown = set(dependent) - set(items)
    assert not unknown
    answers = w.SelfCare
    return tuple(
        w.SelfAssessmentItem(
            item=item, answer=answers.DEPENDENT if item in dependent else answers.INDEPENDENT
        )
        for item in items
    )


def facts(*events: object) -> tuple[Fact, ...]:
    known_at = datetime(2024, 3, 4, tzinfo=UTC)
    return tuple(
        Fact(FactRef("assessment", place, "0" * 32), event, known_at)
        for place, event in enumerate(events, start=1)
    )


def registered(name: str, **changed: Any) -> assessor.AssessorRegistered:
    """One of the database; an expert where the name says so."""
    expert = name.startswith("expert")
    told: dict[str, Any] = {
        "assessor": name,
        "person": derive("test", name),
        "pool": CHANGZHOU,
        "assessor_kind": w.AssessorKind.EXPERT if expert else w.AssessorKind.ASSESSOR,
        "body": derive("test", "body"),
        "full_name": "",
        "title": w.ProfessionalTitle.SENIOR if expert else w.ProfessionalTitle.NONE,
        "practice_since_date": date(2015, 1, 1),
        "trained_date": date(2023, 1, 1),
        "examined_date": date(2023, 2, 1),
        "division": "320402",
        "registered_date": date(2023, 3, 1),
    }
    return assessor.AssessorRegistered(**(told | changed))


def designated(**changed: Any) -> body.AssessmentBodyDesignated:
    told: dict[str, Any] = {
        "body": derive("test", "body"),
        "pool": CHANGZHOU,
        "body_name": "评估中心",
        "social_credit_code": "",
        "operating_since_date": date(2020, 1, 1),
        "agreement_start_date": date(2023, 1, 1),
        "agreement_end_date": date(2024, 12, 31),
        "division": "320402",
    }
    return body.AssessmentBodyDesignated(**(told | changed))


def listed(name: str, *more: assessor.AssessorEvent, **changed: Any) -> a.Registered:
    """One of the database with what else is known of the assessor, and a body in force."""
    known = assessor.evolve(assessor.Assessor(), registered(name, **changed))
    for event in more:
        known = assessor.evolve(known, event)
    return a.Registered(assessor=known, body=body.evolve(body.Body(), designated()))


def circumstances(register: Sequence[str] | dict[str, a.Registered], **changed: Any) -> Any:
    if not isinstance(register, dict):
        register = {name: listed(name) for name in register}
    told: dict[str, Any] = {
        "today": date(2024, 3, 5),
        "division": "320402",
        "providers": frozenset(),
        "recused": frozenset(),
        "register": register,
        "recent": {},
        "seed": SEED,
        "code_version": "test",
    }
    return a.Circumstances(**(told | changed))


def wish(names: Sequence[str], **changed: Any) -> a.Question:
    """A question on an order drawn; who is an expert stands in the name."""
    experts = frozenset(name for name in names if name.startswith("expert"))
    team: dict[str, Any] = {"drawn": tuple(names), "experts": experts, "near": frozenset()}
    team |= {key: changed.pop(key) for key in ("near", "kept", "last") if key in changed}
    told: dict[str, Any] = {
        "application": APPLICATION,
        "person": PERSON,
        "pool": CHANGZHOU,
        "assignment_round": w.AssignmentRound.FIRST,
        "on_date": date(2024, 3, 5),
        "division": "320402",
        "purpose": f"assign/{APPLICATION}/1",
        "commitment": "0" * 64,
        "excluded": 0,
        "team": Team(**team),
    }
    return a.Question(**(told | changed))


def changed_grade(computed: int, grade: int, pool: str = CHANGZHOU) -> grade_change.Question:
    return grade_change.Question(
        application=APPLICATION,
        person=PERSON,
        pool=pool,
        computed_grade=computed,
        grade=grade,
        expert="expert-9",
        assessed_date=date(2024, 3, 18),
        changed_date=date(2024, 3, 20),
    )


def broken_off(reason: w.TerminationReason) -> termination.Question:
    return termination.Question(
        application=APPLICATION,
        person=PERSON,
        pool=CHANGZHOU,
        reason=reason,
        terminated_date=date(2024, 3, 20),
    )
