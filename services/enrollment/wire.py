"""Answers of enrollment: what a state looks like on the wire. It translates and nothing else."""

from collections.abc import Sequence
from uuid import UUID

from ltci.enrollment.v1 import enrollment_service_pb2 as pb
from ltci.enrollment.v1 import enrollment_types_pb2 as types
from ltci.enrollment.v1 import person_service_pb2 as person_pb
from ltci.enrollment.v1 import transfer_service_pb2 as transfer_pb

from kernel.rules.ruling import Ruling
from services.enrollment.domain.contribution import ContributionCollected
from services.enrollment.domain.coverage import Coverage, Spell
from services.enrollment.domain.identity import IdentityKind
from services.enrollment.domain.life import Life, LifeEventReported
from services.enrollment.domain.person import Person, PersonRegistered, masked
from services.enrollment.domain.transferred import TransferAccepted, TransferRejected


def person(known: PersonRegistered) -> pb.Person:
    """The person for callers: the identity number masked."""
    return pb.Person(
        person=str(known.person),
        identity_kind=identity_kind(known.identity_kind),
        identity_number_masked=masked(known.identity_number),
        full_name=known.full_name,
        birth_date=known.birth_date.isoformat() if known.birth_date else "",
        registered_date=known.registered_date.isoformat(),
    )


def known_person(known: Person) -> pb.Person:
    """The person with address and telephone, unless these are protected, and with merges."""
    told = person(known.registered_as)
    kept = known.kept
    told.address_protected = kept.protected
    if not kept.protected:
        told.phone = known.registered_as.phone
        told.address = known.registered_as.address
    told.merged_into = str(kept.merged_into) if kept.merged_into else ""
    told.duplicates.extend(sorted(str(duplicate) for duplicate in kept.duplicates))
    return told


def identity_kind(kind: IdentityKind) -> "types.IdentityKind.ValueType":
    return types.IdentityKind.Value(f"IDENTITY_KIND_{kind.upper()}")


def identities(known: Person) -> list[person_pb.Identity]:
    """The papers of a person, numbers masked: the one registered with first."""
    first = known.registered_as
    told = [
        person_pb.Identity(
            person=str(first.person),
            paper=str(first.person),
            identity_kind=identity_kind(first.identity_kind),
            identity_number_masked=masked(first.identity_number),
            added_date=first.registered_date.isoformat(),
        )
    ]
    return told + [
        person_pb.Identity(
            person=str(first.person),
            paper=str(paper.added.paper),
            identity_kind=identity_kind(paper.added.identity_kind),
            identity_number_masked=masked(paper.added.identity_number),
            added_date=paper.added.added_date.isoformat(),
            end_date=paper.ended.isoformat() if paper.ended else "",
        )
        for paper in known.kept.papers.values()
    ]


def merged_persons(persons: Sequence[UUID]) -> person_pb.MergedPersons:
    """Those who are one, the survivor first."""
    return person_pb.MergedPersons(
        survivor=str(persons[0]), persons=[str(person) for person in persons]
    )


def reported(report: LifeEventReported, *, withdrawn: bool) -> pb.LifeEvent:
    """A report, taken back or not."""
    return pb.LifeEvent(
        life_event=str(report.life_event),
        person=str(report.person),
        pool=report.pool,
        kind=types.LifeEventKind.Value(f"LIFE_EVENT_KIND_{report.kind.upper()}"),
        event_date=report.event_date.isoformat(),
        source=types.FactSource.Value(f"FACT_SOURCE_{report.source.upper()}"),
        withdrawn=withdrawn,
        denied=report.denied,
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
    return reported(life.reported[life_event_id], withdrawn=life_event_id in life.withdrawn)


def transfer(accepted: TransferAccepted) -> transfer_pb.Transfer:
    return transfer_pb.Transfer(
        transfer=str(accepted.transfer),
        person=str(accepted.person),
        from_pool=accepted.from_pool,
        to_pool=accepted.to_pool,
        accepted=True,
        start_date=accepted.start_date.isoformat(),
        months_counted=accepted.months_counted,
        grade_decision=types.GradeDecision.Value(
            f"GRADE_DECISION_{accepted.grade_decision.upper()}"
        ),
        grade=accepted.grade,
        valid_until_date=accepted.valid_until_date.isoformat() if accepted.valid_until_date else "",
        ruling=accepted.ruling,
    )


def rejected(told: TransferRejected) -> transfer_pb.Transfer:
    return transfer_pb.Transfer(
        transfer=str(told.transfer),
        person=str(told.person),
        from_pool=told.from_pool,
        to_pool=told.to_pool,
    )


def eligibility(
    ruling: Ruling, decision: UUID | None = None, *, whole: bool = True
) -> pb.Eligibility:
    """A ruling as the answer; without a decision's id where it was not recorded.

    Without its own bytes where it is not meant to be `whole`.
    """
    return pb.Eligibility(
        decision=str(decision) if decision else "",
        person=ruling.subject,
        pool=ruling.pool,
        on_date=str(ruling.asked["on_date"]),
        eligible=not ruling.reasons,
        reasons=ruling.reasons,
        ruling=ruling.to_bytes() if whole else b"",
    )
