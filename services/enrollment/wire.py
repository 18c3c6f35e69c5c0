"""Answers of enrollment: what a state looks like on the wire. It translates and nothing else."""

from uuid import UUID

from ltci.enrollment.v1 import enrollment_service_pb2 as pb
from ltci.enrollment.v1 import enrollment_types_pb2 as types

from kernel.rules.ruling import Ruling
from services.enrollment.domain.contribution import ContributionCollected
from services.enrollment.domain.coverage import Coverage, Spell
from services.enrollment.domain.life import Life
from services.enrollment.domain.person import PersonRegistered, masked


def person(known: PersonRegistered) -> pb.Person:
    """The person for callers: the identity number masked."""
    return pb.Person(
        person=str(known.person),
        identity_kind=types.IdentityKind.Value(f"IDENTITY_KIND_{known.identity_kind.upper()}"),
        identity_number_masked=masked(known.identity_number),
        full_name=known.full_name,
        birth_date=known.birth_date.isoformat() if known.birth_date else "",
        registered_date=known.registered_date.isoformat(),
    )


def coverage(person_id: UUID, pool: str, spell: Spell) -> pb.Coverage:
    """A spell as it stands by the newest change."""
    newest = spell.newest
    return pb.Coverage(
        person=str(person_id),
        pool=pool,
        group=types.InsuredGroup.Value(f"INSURED_GROUP_{newest.group.upper()}"),
        start_date=spell.first.isoformat(),
        end_date=spell.last.isoformat() if spell.last else "",
        tier=newest.tier,
        statuses=newest.statuses,
    )


def whole_coverage(person_id: UUID, pool: str, told: Coverage) -> pb.Coverage:
    """The latest spell, and since when it rests."""
    if told.latest is None:
        raise AssertionError("a coverage that was changed has a spell")
    answer = coverage(person_id, pool, told.latest)
    answer.suspended_from_date = str(told.resting_since or "")
    return answer


def contribution(event: ContributionCollected) -> pb.Contribution:
    return pb.Contribution(
        contribution=str(event.contribution),
        person=str(event.person),
        pool=event.pool,
        source=types.ContributionSource.Value(f"CONTRIBUTION_SOURCE_{event.source.upper()}"),
        amount_fen=event.amount.fen,
        year=event.year,
        paid_date=event.paid_date.isoformat(),
    )


def life_event(life: Life, life_event_id: UUID) -> pb.LifeEvent:
    """The report with that id, taken back or not."""
    reported = life.reported[life_event_id]
    return pb.LifeEvent(
        life_event=str(reported.life_event),
        person=str(reported.person),
        pool=reported.pool,
        kind=types.LifeEventKind.Value(f"LIFE_EVENT_KIND_{reported.kind.upper()}"),
        event_date=reported.event_date.isoformat(),
        source=types.FactSource.Value(f"FACT_SOURCE_{reported.source.upper()}"),
        withdrawn=life_event_id in life.withdrawn,
    )


def eligibility(ruling: Ruling, decision: UUID | None = None) -> pb.Eligibility:
    """A ruling as the answer; without a decision's id where it was not recorded."""
    return pb.Eligibility(
        decision=str(decision) if decision else "",
        person=ruling.subject,
        pool=ruling.pool,
        on_date=str(ruling.asked["on_date"]),
        eligible=not ruling.reasons,
        reasons=ruling.reasons,
        ruling=ruling.to_bytes(),
    )
