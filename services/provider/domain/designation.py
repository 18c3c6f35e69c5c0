"""An application to be designated (定点申请), from the application to its publicity.

Decides on the stream `designation/{application}`; the agreement that follows stands in
`agreement.py`. Pure: no clock, no I/O. Source: 医保办发〔2024〕21号.
"""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from kernel.calendar import Term
from kernel.refusal import NotFound, Refused
from kernel.rules.ruling import Ruling
from services.provider.domain.standing import ServiceLine


class DesignationState(StrEnum):
    """Where an application stands."""

    APPLIED = "applied"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    PUBLISHED = "published"


@dataclass(frozen=True, kw_only=True)
class ApplyForDesignation:
    """People are opaque ids: whether one is barred is looked up by them."""

    application: UUID
    provider: UUID
    pool: str
    provider_name: str
    social_credit_code: str
    body_kind: str  # by the names that packs use
    lines: tuple[ServiceLine, ...]
    operating_since_date: date
    legal_representative: UUID
    head: UUID
    controller: UUID | None
    application_date: date


@dataclass(frozen=True, kw_only=True)
class ReviewDesignation:
    application: UUID
    review_date: date
    ruling: Ruling


@dataclass(frozen=True, kw_only=True)
class PublishDesignation:
    application: UUID
    publicity_start_date: date
    publicity: Term


Command = ApplyForDesignation | ReviewDesignation | PublishDesignation


@dataclass(frozen=True, kw_only=True)
class DesignationApplied:
    application: UUID
    provider: UUID
    pool: str
    provider_name: str
    social_credit_code: str
    body_kind: str
    lines: tuple[ServiceLine, ...]
    operating_since_date: date
    legal_representative: UUID
    head: UUID
    controller: UUID | None = None
    application_date: date

    @property
    def people(self) -> tuple[UUID, ...]:
        """Those who answer for the body, each once: representative, head, controller."""
        named = (self.legal_representative, self.head, self.controller)
        return tuple(dict.fromkeys(person for person in named if person is not None))


@dataclass(frozen=True, kw_only=True)
class DesignationReviewed:
    application: UUID
    provider: UUID
    pool: str
    review_date: date
    accepted: bool
    reasons: tuple[str, ...]
    ruling: bytes


@dataclass(frozen=True, kw_only=True)
class DesignationPublished:
    application: UUID
    provider: UUID
    pool: str
    publicity_start_date: date
    publicity_end_date: date


Event = DesignationApplied | DesignationReviewed | DesignationPublished


@dataclass(frozen=True, kw_only=True)
class Designation:
    """The application as far as it has come."""

    applied: DesignationApplied | None = None
    reviewed: DesignationReviewed | None = None
    published: DesignationPublished | None = None

    @property
    def state(self) -> DesignationState:
        if self.published is not None:
            return DesignationState.PUBLISHED
        if self.reviewed is None:
            return DesignationState.APPLIED
        return DesignationState.ACCEPTED if self.reviewed.accepted else DesignationState.REFUSED


def decide(command: Command, designation: Designation) -> list[Event]:
    """What the command makes happen: nothing, where it was obeyed before.

    Refuses NOT_FOUND; REVIEWED_ALREADY; NOT_ACCEPTED, PUBLISHED_ALREADY.
    """
    match command:
        case ApplyForDesignation():
            return [] if designation.applied else [DesignationApplied(**vars(command))]
        case ReviewDesignation():
            return _review(command, designation)
        case PublishDesignation():
            return _publish(command, designation)
        case _:
            assert_never(command)


def evolve(designation: Designation, event: Event) -> Designation:
    """The application after the event. It never refuses: what happened, happened."""
    match event:
        case DesignationApplied():
            return replace(designation, applied=event)
        case DesignationReviewed():
            return replace(designation, reviewed=event)
        case DesignationPublished():
            return replace(designation, published=event)
        case _:
            assert_never(event)


def known(name: UUID, designation: Designation) -> DesignationApplied:
    """What was applied for. Refuses NOT_FOUND."""
    if designation.applied is None:
        raise NotFound("designation", name)
    return designation.applied


def _review(command: ReviewDesignation, designation: Designation) -> list[Event]:
    applied = known(command.application, designation)
    ruling = command.ruling
    reviewed = DesignationReviewed(
        application=command.application,
        provider=applied.provider,
        pool=applied.pool,
        review_date=command.review_date,
        accepted=not ruling.reasons,
        reasons=ruling.reasons,
        ruling=ruling.to_bytes(),
    )
    if designation.reviewed is None:
        return [reviewed]
    if (designation.reviewed.review_date, designation.reviewed.reasons) == (
        reviewed.review_date,
        reviewed.reasons,
    ):
        return []
    raise Refused("REVIEWED_ALREADY", review_date=designation.reviewed.review_date.isoformat())


def _publish(command: PublishDesignation, designation: Designation) -> list[Event]:
    applied = known(command.application, designation)
    if designation.reviewed is None or not designation.reviewed.accepted:
        raise Refused("NOT_ACCEPTED", state=designation.state)
    first = command.publicity_start_date
    if designation.published is not None:
        if designation.published.publicity_start_date == first:
            return []
        until = designation.published.publicity_end_date.isoformat()
        raise Refused("PUBLISHED_ALREADY", publicity_end_date=until)
    return [
        DesignationPublished(
            application=command.application,
            provider=applied.provider,
            pool=applied.pool,
            publicity_start_date=first,
            publicity_end_date=command.publicity.after(first),
        )
    ]
