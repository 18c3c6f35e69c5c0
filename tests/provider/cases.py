"""The flags and the case that the stories of inspections are told with."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import reduce
from typing import Any

from kernel.ids import derive
from kernel.money import yuan
from kernel.rules.ruling import FactRef, Ruling, fact_digest
from services.provider.codec import provider_codec
from services.provider.domain import inspection as i
from services.provider.domain import inspection_appeal, inspection_ruling
from services.provider.domain import inspection_decision as d
from services.provider.domain import inspection_events as e
from services.provider.domain import inspection_steps as steps
from services.provider.domain.risk import RiskFlagged
from services.provider.domain.verdict import Basis
from tests.provider import care

CASE = derive("test", "inspection")
OPENED, NOTICED, RESPOND_BY = date(2024, 3, 11), date(2024, 3, 14), date(2024, 3, 28)
DECIDED, APPEAL_BY = date(2024, 4, 1), date(2024, 4, 23)
APPEALED, APPEAL_DECIDED = date(2024, 4, 15), date(2024, 5, 10)
PANEL, OTHERS = ("chief-1", "chief-2"), ("board-1", "board-2")
CLEARED, CONFIRMED = e.InspectionVerdict.CLEARED, e.InspectionVerdict.CONFIRMED
CODEC = provider_codec(None)


def flag(number: int, **changes: Any) -> RiskFlagged:
    """A flag on a visit of March, by a detector that looks for short visits."""
    visit = derive("test", "visit", str(number))
    told = RiskFlagged(
        flag=derive("flag", "too_short", "1", str(visit)),
        detector="too_short",
        detector_version=1,
        visit=visit,
        person=care.PERSON,
        pool=care.POOL,
        provider=care.PROVIDER,
        caregiver=care.CAREGIVER,
        care_date=date(2024, 3, number),
        cost=yuan("60"),
        ruling=b"",
    )
    return replace(told, **changes)


ONE, TWO = flag(4), flag(5)


def fact(position: int, event: object) -> Any:
    """The event at a place of the log, under its own digest."""
    told = care.as_facts(event)[0]
    return replace(told, ref=FactRef("provider", position, fact_digest(*CODEC.clear(event))))


def frozen(*flags: RiskFlagged) -> tuple[e.FrozenFact, ...]:
    return tuple(e.FrozenFact.of(fact(10 + n, one).ref) for n, one in enumerate(flags))


def opening(*flags: RiskFlagged, **changes: Any) -> steps.OpenInspection:
    told: dict[str, Any] = {
        "inspection": CASE,
        "pool": care.POOL,
        "cause": e.InspectionCause.FLAG,
        "source": None,
        "flags": tuple(one.flag for one in flags),
        "provider": care.PROVIDER,
        "caregiver": care.CAREGIVER,
        "assessor": None,
        "frozen": frozen(*flags),
        "opened_by": "detectors",
        "opened_date": OPENED,
        "notice_due_date": date(2024, 3, 18),
        "decision_due_date": date(2024, 4, 24),
    }
    return steps.OpenInspection(**(told | changes))


def noticing(**changes: Any) -> steps.SendNotice:
    told: dict[str, Any] = {
        "inspection": CASE,
        "officer": "inspector-1",
        "noticed_date": NOTICED,
        "respond_by_date": RESPOND_BY,
    }
    return steps.SendNotice(**(told | changes))


def answering(**changes: Any) -> steps.FileStatement:
    told: dict[str, Any] = {
        "inspection": CASE,
        "statement": "the visit was cut short by the family",
        "hearing_wanted": False,
        "evidence_hashes": (),
        "filed_date": date(2024, 3, 20),
    }
    return steps.FileStatement(**(told | changes))


def hearing(**changes: Any) -> steps.HoldHearing:
    told: dict[str, Any] = {
        "inspection": CASE,
        "officers": ("chair-1",),
        "attended": True,
        "statement": "both sides were heard",
        "held_date": date(2024, 3, 29),
    }
    return steps.HoldHearing(**(told | changes))


def after(*commands: Any) -> tuple[i.Inspection, list[e.Event]]:
    """The case after these commands, and its events."""
    case, events = i.Inspection(), list[e.Event]()
    for command in commands:
        deciding = d.decide if isinstance(command, d.Command) else steps.decide
        new = deciding(command, case)
        case, events = reduce(i.evolve, new, case), [*events, *new]
    return case, events


def basis(events: Sequence[e.Event], *flags: RiskFlagged) -> Basis:
    """What a decision stands on: the frozen flags, and the case's events behind them."""
    facts = [fact(10 + n, one) for n, one in enumerate(flags)]
    facts += [fact(100 + n, event) for n, event in enumerate(events)]
    return Basis(facts=tuple(facts), pack=care.CHANGZHOU, code_version="test")


def question(
    *found: tuple[RiskFlagged, e.InspectionVerdict], **changes: Any
) -> inspection_ruling.Question:
    told = [e.FlagFinding(flag=one.flag, verdict=word, cause="seen on site") for one, word in found]
    words = {word for _, word in found}
    asked = inspection_ruling.Question(
        inspection=CASE,
        outcome=CONFIRMED if CONFIRMED in words else CLEARED,
        findings=tuple(told),
        decided_by=PANEL,
        decided_date=DECIDED,
        told_date=DECIDED,
    )
    return replace(asked, **changes)


def deciding(
    asked: inspection_ruling.Question, events: Sequence[e.Event], *flags: RiskFlagged
) -> d.DecideInspection:
    return d.DecideInspection(
        **{name: value for name, value in vars(asked).items() if name != "told_date"},
        appeal_by_date=APPEAL_BY,
        proposed_measure=None,
        proposed_article="",
        reasoning="see the record",
        ruling=inspection_ruling.rule_inspection(asked, basis(events, *flags)),
    )


def decided(
    *found: tuple[RiskFlagged, e.InspectionVerdict], steps: Sequence[Any] = (), **changes: Any
) -> tuple[i.Inspection, list[e.Event]]:
    """A case over these flags, told and answered unless other steps are given, and decided."""
    flags = [one for one, _ in found]
    before = [opening(*flags), *(steps or (noticing(), answering()))]
    _, events = after(*before)
    return after(*before, deciding(question(*found, **changes), events, *flags))


def appealing(**changes: Any) -> d.AppealInspection:
    told: dict[str, Any] = {
        "inspection": CASE,
        "statement": "the family says otherwise now",
        "filed_date": APPEALED,
        "due_date": date(2024, 5, 29),
    }
    return d.AppealInspection(**(told | changes))


def judging(
    outcome: e.InspectionAppealOutcome,
    events: Sequence[e.Event],
    *flags: RiskFlagged,
    cleared: Sequence[RiskFlagged] = (),
    **changes: Any,
) -> d.DecideAppeal:
    told: dict[str, Any] = {
        "inspection": CASE,
        "outcome": outcome,
        "flags": tuple(one.flag for one in cleared),
        "decided_by": OTHERS,
        "decided_date": APPEAL_DECIDED,
    } | changes
    ruling = inspection_appeal.rule_appeal(
        inspection_appeal.Question(**told), basis(events, *flags)
    )
    return d.DecideAppeal(**told, reasoning="see the appeal", ruling=ruling)


def ruling_with(*refs: FactRef) -> bytes:
    """A detector's ruling that names these facts."""
    return Ruling(
        question="risk",
        subject="",
        pool=care.POOL,
        asked={},
        outcome="flagged",
        facts=refs,
        pack=care.CHANGZHOU.pin,
        code_version="test",
    ).to_bytes()
