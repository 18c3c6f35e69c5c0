"""Small cases in plain words: one person, her facts, and the two pools' real packs."""

from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from itertools import count
from uuid import UUID

from kernel.calendar import Month, add_months
from kernel.config import ROOT
from kernel.ids import derive
from kernel.money import yuan
from kernel.rules.library import PackLibrary
from kernel.rules.pack import Pack
from kernel.rules.ruling import FactRef
from services.payment.domain.benefit import Found, rule_benefit
from services.payment.domain.facts import (
    Authority,
    CareForm,
    CaseFacts,
    Conclusion,
    CoverageEnded,
    CoverageResumed,
    CoverageStarted,
    CoverageSuspended,
    Delivered,
    LifeEvent,
    LifeEventKind,
    LifeEventWithdrawn,
    PersonFact,
    Plan,
    PlanEnd,
)

CHANGZHOU, CHENGDU = "320400", "510100"
PERSON = derive("person", "case")
HOME, OTHER = derive("provider", "home"), derive("provider", "other")
PLAN = derive("plan", "first")
VERSION = "test"
_positions = count(1)


@cache
def packs() -> PackLibrary:
    return PackLibrary(ROOT / "rules")


def pack(pool: str) -> Pack:
    return packs().pack_for(pool)


def day(text: str) -> date:
    """`03-15` is a day of 2024, which starts on a Monday."""
    return date.fromisoformat(text if len(text) > 5 else f"2024-{text}")


def ref(service: str) -> FactRef:
    position = next(_positions)
    return FactRef(service, position, f"{position:032x}")


def conclusion(
    effective: str,
    grade: int = 3,
    *,
    eligible: bool = True,
    valid_until: str = "",
    concluded: str = "",
) -> Conclusion:
    """Concluded in the month before it takes effect, valid for 24 months."""
    effective_date = day(effective)
    conclusion_date = day(concluded) if concluded else Month.of(effective_date).previous().first
    valid = add_months(conclusion_date, 24) - timedelta(days=1)
    return Conclusion(
        ref=ref("assessment"),
        application=derive("application", effective, str(grade), concluded),
        grade=grade,
        eligible=eligible,
        conclusion_date=conclusion_date,
        effective_date=effective_date,
        valid_until_date=day(valid_until) if valid_until else valid,
    )


def again(
    first: Conclusion,
    authority: Authority,
    effective: str,
    grade: int,
    *,
    decided: str,
    eligible: bool = True,
    round: int = 2,  # noqa: A002 - the field's name
) -> Conclusion:
    """A later round of the same application: a review or a won appeal."""
    decided_on = day(decided)
    return replace(
        first,
        ref=ref("assessment"),
        authority=authority,
        round=round,
        grade=grade,
        eligible=eligible,
        conclusion_date=decided_on,
        effective_date=day(effective),
        valid_until_date=add_months(decided_on, 24) - timedelta(days=1),
    )


def stopped(of: Conclusion, effective: str, *, refused: str) -> Conclusion:
    """A rule's consequence: a reassessment was refused without cause."""
    return replace(
        of,
        ref=ref("assessment"),
        authority=Authority.AUTOMATIC,
        round=0,
        eligible=False,
        conclusion_date=day(refused),
        effective_date=day(effective),
        valid_until_date=day(effective),
    )


def life(kind: LifeEventKind, on: str, *, pool: str = CHANGZHOU) -> LifeEvent:
    return LifeEvent(
        ref=ref("enrollment"),
        life_event=derive("life", kind, on),
        pool=pool,
        kind=kind,
        event_date=day(on),
    )


def death(on: str) -> LifeEvent:
    return life(LifeEventKind.DEATH, on)


def admission(on: str) -> LifeEvent:
    return life(LifeEventKind.ADMISSION, on)


def discharge(on: str) -> LifeEvent:
    return life(LifeEventKind.DISCHARGE, on)


def moved(on: str, pool: str = CHANGZHOU) -> LifeEvent:
    return life(LifeEventKind.MOVED_AWAY, on, pool=pool)


def withdrawn(event: LifeEvent) -> LifeEventWithdrawn:
    return LifeEventWithdrawn(ref=ref("enrollment"), life_event=event.life_event)


def uninsured_after(on: str) -> CoverageEnded:
    return CoverageEnded(ref=ref("enrollment"), end_date=day(on))


def insured_again(on: str) -> CoverageStarted:
    return CoverageStarted(ref=ref("enrollment"), start_date=day(on))


def suspended(on: str, until: str = "", number: int = 1) -> list[PersonFact]:
    """The coverage rests from a day on, and counts again on another where one is given."""
    name = derive("suspension", str(number))
    facts: list[PersonFact] = [
        CoverageSuspended(ref=ref("enrollment"), suspension=name, from_date=day(on))
    ]
    if until:
        facts.append(
            CoverageResumed(ref=ref("enrollment"), suspension=name, resume_date=day(until))
        )
    return facts


def plan(
    form: CareForm, start: str = "01-01", *, provider: UUID = HOME, plan_id: UUID = PLAN
) -> Plan:
    return Plan(
        ref=ref("provider"), plan=plan_id, provider=provider, form=form, start_date=day(start)
    )


def plan_end(on: str, plan_id: UUID = PLAN) -> PlanEnd:
    return PlanEnd(ref=ref("provider"), plan=plan_id, end_date=day(on))


def visit(
    on: str, cost: str, *, provider: UUID = HOME, plan_id: UUID = PLAN, number: int = 1
) -> Delivered:
    return Delivered(
        ref=ref("provider"),
        visit=derive("visit", on, str(plan_id), str(number)),
        plan=plan_id,
        provider=provider,
        care_date=day(on),
        cost=yuan(cost),
    )


def benefit(pool: str, month: str, *facts: PersonFact) -> Found:
    """The month's benefit from these facts."""
    return rule_benefit(
        PERSON,
        pool,
        Month.parse(f"2024-{month}" if len(month) == 2 else month),
        facts=CaseFacts.of(facts),
        pack=pack(pool),
        code_version=VERSION,
    )


def rearranged(facts: list[PersonFact]) -> list[PersonFact]:
    """The same facts as they would be recorded in this order."""
    return [
        replace(fact, ref=FactRef(fact.ref.service, place, fact.ref.digest))
        for place, fact in enumerate(facts, start=1)
    ]
