"""What a ruling keeps by value, held against the events that say the same (按值记录的输入).

A visit's verdict and a grade are decided in the same breath as the visit or the last form is
recorded, so those have no position to name yet and stand in the ruling's `asked`. The events
themselves stand just before the decision in its own stream.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from ltci.assessment.v1 import assessment_types_pb2, intake_types_pb2
from ltci.assessment.v1 import events_pb2 as assessment_pb
from ltci.provider.v1 import events_pb2 as provider_pb
from ltci.provider.v1 import exception_types_pb2 as exception_types
from ltci.provider.v1 import provider_types_pb2 as provider_types

from cli.replay.logs import Entry
from services.assessment.codec import assessment_codec
from services.assessment.domain.applicant import Applicant, evolve

Asked = Mapping[str, str | int]
_codec = assessment_codec(None)
Told = tuple[int, str, str, str]  # position, name of the input, as asked, as recorded
Witness = Callable[[Sequence[Entry], Asked], list[Told]]

_STARTED = "ltci.provider.v1.VisitStarted/1"
_ENDED = "ltci.provider.v1.VisitEnded/1"
_CONFIRMED = "ltci.provider.v1.VisitConfirmed/1"
_CORRECTED = "ltci.provider.v1.VisitCorrected/1"
_DISPUTED = "ltci.provider.v1.VisitDisputed/1"
_EXCEPTION = "ltci.provider.v1.ExceptionSettled/1"
_SUBMITTED = "ltci.assessment.v1.ApplicationSubmitted/1"
_SETTLED = "ltci.assessment.v1.ItemSettled/1"
_FORM = "ltci.assessment.v1.OnSiteAssessed/1"


def _visit(earlier: Sequence[Entry], asked: Asked) -> list[Told]:
    """The visit as its events tell it: start, end and confirmation, corrections, dispute."""
    types = {entry.type for entry in earlier}
    found: list[Told] = []
    if _STARTED not in types:
        found.append((0, _STARTED, "recorded before", ""))
    if not types & {_ENDED, _CORRECTED}:
        found.append((0, _ENDED, "recorded before", ""))
    recorded: dict[str, str | int] = {}
    # What was corrected last counts, also where the end was told after it.
    for entry in sorted(earlier, key=lambda entry: entry.type == _CORRECTED):
        read = _OF_A_VISIT.get(entry.type)
        if read is not None:
            recorded |= read(entry.fact.payload, recorded)
    place = {entry.type: entry.position for entry in earlier}
    corrected = place.get(_CORRECTED, 0)
    found += [
        (place.get(_SAYS[name], corrected), name, str(asked.get(name, "")), str(value))
        for name, value in recorded.items()
        if asked.get(name) != value
    ]
    found += [
        (0, event_type, str(asked[name]), "")
        for name, event_type in _SAYS.items()
        if asked.get(name) and name not in recorded and event_type not in {_STARTED, _ENDED}
    ]
    return found


Known = Mapping[str, str | int]


def _started(payload: bytes, _known: Known) -> dict[str, str | int]:
    m = provider_pb.VisitStarted.FromString(payload)
    return {
        "plan": m.plan,
        "caregiver": m.caregiver,
        "start_time": m.start_time,
        "distance_m": m.distance_m,
    }


def _ended(payload: bytes, _known: Known) -> dict[str, str | int]:
    m = provider_pb.VisitEnded.FromString(payload)
    return {"end_time": m.end_time, "items": _items(m.items)}


def _confirmed(payload: bytes, _known: Known) -> dict[str, str | int]:
    m = provider_pb.VisitConfirmed.FromString(payload)
    name = provider_types.ConfirmedBy.Name(m.confirmed_by)
    return {"confirmed_by": name.removeprefix("CONFIRMED_BY_").lower()}


def _corrected(payload: bytes, known: Known) -> dict[str, str | int]:
    m = provider_pb.VisitCorrected.FromString(payload)
    return {
        "caregiver": m.caregiver,
        "start_time": m.start_time,
        "end_time": m.end_time,
        "items": _items(m.items),
        "correction_reason": m.reason,
        "corrected_count": int(known.get("corrected_count", 0)) + 1,
    }


def _disputed(payload: bytes, _known: Known) -> dict[str, str | int]:
    m = provider_pb.VisitDisputed.FromString(payload)
    return {
        "dispute_reason": m.reason,
        "disputed_date": m.disputed_date,
        "dispute_outcome": "pending",
    }


def _exception(payload: bytes, _known: Known) -> dict[str, str | int]:
    m = provider_pb.ExceptionSettled.FromString(payload)
    if m.kind != exception_types.EXCEPTION_KIND_DISPUTED:
        return {}
    name = exception_types.ExceptionOutcome.Name(m.outcome)
    return {"dispute_outcome": name.removeprefix("EXCEPTION_OUTCOME_").lower()}


def _items(items: Iterable[provider_types.ItemDone]) -> str:
    return ",".join(f"{item.item}={item.price_fen}" for item in items)


_OF_A_VISIT: Mapping[str, Callable[[bytes, Known], dict[str, str | int]]] = {
    _STARTED: _started,
    _ENDED: _ended,
    _CONFIRMED: _confirmed,
    _CORRECTED: _corrected,
    _DISPUTED: _disputed,
    _EXCEPTION: _exception,
}
# Which event says what of a visit; of what may come from two, the one that says it first.
_SAYS: Mapping[str, str] = {
    **dict.fromkeys(("plan", "caregiver", "start_time", "distance_m"), _STARTED),
    **dict.fromkeys(("end_time", "items"), _ENDED),
    "confirmed_by": _CONFIRMED,
    "corrected_count": _CORRECTED,
    "correction_reason": _CORRECTED,
    "dispute_reason": _DISPUTED,
    "disputed_date": _DISPUTED,
    "dispute_outcome": _DISPUTED,
}


def _grade(earlier: Sequence[Entry], asked: Asked) -> list[Told]:
    """The form, or the settlement, that completed the set: just before, in the same append."""
    if earlier and earlier[-1].type == _SETTLED:
        settled = assessment_pb.ItemSettled.FromString(earlier[-1].fact.payload)
        by = intake_types_pb2.SettledBy.Name(settled.settled_by)
        told: dict[str, str | int] = {
            "application": settled.application,
            "settled_item": settled.item,
            "settled_score": settled.score,
            "settled_by": by.removeprefix("SETTLED_BY_").lower(),
            "assessor": settled.assessor,
            "settled_date": settled.settled_date,
        }
        return _differing(earlier[-1], told, asked)
    if not earlier or earlier[-1].type != _FORM:
        return [(0, _FORM, "recorded before", "")]
    m = assessment_pb.OnSiteAssessed.FromString(earlier[-1].fact.payload)
    kind = assessment_types_pb2.AssessorKind.Name(m.assessor_kind)
    recorded: dict[str, str | int] = {
        "application": m.application,
        "assessor": m.assessor,
        "assessor_kind": kind.removeprefix("ASSESSOR_KIND_").lower(),
        "assessed_date": m.assessed_date,
        **{one.item: one.score for one in m.scores},
    }
    return _differing(earlier[-1], recorded, asked)


def _admission(earlier: Sequence[Entry], asked: Asked) -> list[Told]:
    """The application itself, the last check of its form, and what ended before it."""
    applicant, place = Applicant(), 0
    for entry in earlier:
        event: Any = _codec.decode_clear(entry.type, entry.fact.payload)
        applicant = evolve(applicant, event)
        if entry.type == _SUBMITTED and str(event.application) == asked.get("application"):
            place = entry.position
    one = applicant.applications.get(UUID(str(asked["application"])))
    if one is None:
        return [(0, _SUBMITTED, "recorded before", "")]
    recorded: dict[str, str | int] = {
        "kind": one.kind.value,
        "application_date": str(one.application_date),
        "disabled_since_date": str(one.disabled_since),
        "last_ended_date": str(applicant.last_ended or ""),
        "self_grade": one.rechecked.self_grade if one.rechecked else one.self_grade,
    }
    return [
        (place, name, str(asked.get(name)), str(value))
        for name, value in recorded.items()
        if asked.get(name) != value
    ]


WITNESSES: Mapping[str, Witness] = {
    "ltci.assessment.v1.ApplicationAccepted/1": _admission,
    "ltci.assessment.v1.ApplicationRefused/1": _admission,
    "ltci.provider.v1.ServiceDelivered/1": _visit,
    "ltci.provider.v1.ServiceRejected/1": _visit,
    "ltci.assessment.v1.AssessmentGraded/1": _grade,
}


def _differing(entry: Entry, recorded: Mapping[str, Any], asked: Asked) -> list[Told]:
    return [
        (entry.position, name, str(asked.get(name)), str(value))
        for name, value in recorded.items()
        if asked.get(name) != value
    ]
