"""What became of an application's conclusion: objections, review, appeals. Pure: no clock, no I/O.

Held beside the application itself, folded from the same stream.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID

from kernel.rules.ruling import Ruling
from services.assessment.domain import dispute_events as d
from services.assessment.domain import events as e
from services.assessment.domain.grading import Form


@dataclass(frozen=True, kw_only=True)
class Conclusion:
    """A delivered conclusion of the application."""

    round: int
    authority: e.Authority
    grade: int
    eligible: bool
    effective_date: date
    valid_until_date: date
    delivered_date: date


@dataclass(frozen=True, kw_only=True)
class Objection:
    """An objection in the publicity."""

    told: d.ObjectionFiled
    decided: d.ObjectionDecided | None = None


@dataclass(frozen=True, kw_only=True)
class Review:
    """The second round."""

    told: d.ReviewRequested | d.ReviewOrdered
    forms: Mapping[str, Form] = field(default_factory=dict)  # by assessor
    graded: d.ReviewGraded | None = None
    eligible: bool = False
    confirmed: Mapping[str, date] = field(default_factory=dict)  # by expert
    conclusion: date | None = None
    publicity_end: date | None = None

    @property
    def began(self) -> date:
        """Day of the request or the order."""
        told = self.told
        return told.requested_date if isinstance(told, d.ReviewRequested) else told.ordered_date


@dataclass(frozen=True, kw_only=True)
class Appeal:
    """An appeal (申诉)."""

    told: d.AppealFiled
    decided: d.AppealDecided | None = None


@dataclass(frozen=True, kw_only=True)
class Disputed:
    """What happened to one application after its grade."""

    published: date | None = None
    refused: date | None = None
    objections: Mapping[UUID, Objection] = field(default_factory=dict)
    review: Review | None = None
    conclusions: tuple[Conclusion, ...] = ()  # oldest first
    stop: d.ReassessmentConcluded | None = None
    appeals: Mapping[UUID, Appeal] = field(default_factory=dict)
    assessors: tuple[str, ...] = ()  # on site in the first round
    experts: tuple[str, ...] = ()  # who confirmed the first round, or changed its grade
    others: tuple[str, ...] = ()  # review, objections, panels

    @property
    def open_objections(self) -> tuple[Objection, ...]:
        return tuple(one for one in self.objections.values() if one.decided is None)

    @property
    def open_appeal(self) -> Appeal | None:
        return next((one for one in self.appeals.values() if one.decided is None), None)

    @property
    def reviewed(self) -> bool:
        """Whether a review or a panel has spoken: nothing but an appeal comes after."""
        return any(one.authority is not e.Authority.ORDINARY for one in self.conclusions)

    @property
    def newest(self) -> Conclusion | None:
        return self.conclusions[-1] if self.conclusions else None

    @property
    def first_round(self) -> tuple[str, ...]:
        """Who had a part in the first round, sorted."""
        return tuple(sorted({*self.assessors, *self.experts}))

    @property
    def involved(self) -> tuple[str, ...]:
        """Who had a part in anything so far, sorted."""
        return tuple(sorted({*self.assessors, *self.experts, *self.others}))


# What is looked at here: every dispute event, and these of the application's course.
Watched = (
    e.OnSiteAssessed
    | e.GradeChanged
    | e.ConclusionConfirmed
    | e.ConclusionPublished
    | e.ApplicationRefused
    | e.ConclusionDelivered
    | d.DisputeEvent
)


def evolve(one: Disputed, event: Watched) -> Disputed:
    """What is known of the application after the event."""
    match event:
        case e.OnSiteAssessed():
            return replace(one, assessors=_with(one.assessors, event.assessor))
        case e.GradeChanged() | e.ConclusionConfirmed():
            return replace(one, experts=_with(one.experts, event.expert))
        case e.ConclusionPublished():
            return replace(one, published=event.published_date)
        case e.ApplicationRefused():
            return replace(one, refused=event.refused_date)
        case e.ConclusionDelivered():
            return replace(one, conclusions=(*one.conclusions, _conclusion(event)))
        case d.ObjectionFiled() | d.ObjectionDecided():
            return _objected(one, event)
        case d.AppealFiled() | d.AppealDecided():
            return _appealed(one, event)
        case d.ReassessmentConcluded():
            return replace(one, stop=event) if event.refused else one
        case _:
            return _reviewed(one, event)


def _conclusion(event: e.ConclusionDelivered) -> Conclusion:
    return Conclusion(
        round=event.round or 1,
        authority=event.authority,
        grade=event.grade,
        eligible=event.grade_eligible,
        effective_date=event.effective_date,
        valid_until_date=event.valid_until_date,
        delivered_date=event.delivered_date,
    )


def _objected(one: Disputed, event: d.ObjectionFiled | d.ObjectionDecided) -> Disputed:
    if isinstance(event, d.ObjectionFiled):
        return replace(one, objections={**one.objections, event.objection: Objection(told=event)})
    decided = replace(one.objections[event.objection], decided=event)
    return replace(
        one,
        objections={**one.objections, event.objection: decided},
        others=_with(one.others, *event.decided_by),
    )


def _appealed(one: Disputed, event: d.AppealFiled | d.AppealDecided) -> Disputed:
    if isinstance(event, d.AppealFiled):
        return replace(one, appeals={**one.appeals, event.appeal: Appeal(told=event)})
    decided = replace(one.appeals[event.appeal], decided=event)
    return replace(
        one,
        appeals={**one.appeals, event.appeal: decided},
        others=_with(one.others, *event.panel),
    )


_ReviewEvent = (
    d.ReviewRequested
    | d.ReviewOrdered
    | d.ReviewAssessed
    | d.ReviewGraded
    | d.ReviewConfirmed
    | d.ReviewFeeDecided
    | d.ReviewPublished
)


def _reviewed(one: Disputed, event: _ReviewEvent) -> Disputed:
    if isinstance(event, d.ReviewRequested | d.ReviewOrdered):
        return replace(one, review=Review(told=event))
    review = one.review
    if review is None:
        raise ValueError("a step of a review that was never asked for")
    match event:
        case d.ReviewAssessed():
            forms = {**review.forms, event.assessor: Form.of(event)}
            review = replace(review, forms=forms)
            return replace(one, review=review, others=_with(one.others, event.assessor))
        case d.ReviewGraded():
            eligible = "GRADE_NOT_ELIGIBLE" not in Ruling.read(event.ruling).reasons
            return replace(one, review=replace(review, graded=event, eligible=eligible))
        case d.ReviewConfirmed():
            confirmed = {**review.confirmed, event.expert: event.confirmed_date}
            conclusion = max(confirmed.values()) if event.complete else None
            review = replace(review, confirmed=confirmed, conclusion=conclusion)
            return replace(one, review=review, others=_with(one.others, event.expert))
        case d.ReviewPublished():
            return replace(one, review=replace(review, publicity_end=event.publicity_end_date))
        case _:
            return one  # the fee changes nothing here


def _with(names: tuple[str, ...], *more: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*names, *more)))
