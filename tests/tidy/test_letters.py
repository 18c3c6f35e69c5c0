"""Nothing negative is decided in silence: it is told in a letter, or the reason stands here."""

import importlib
from collections.abc import Mapping
from typing import Any

from cli.explain.ltci_dossier.again import DECISIONS
from cli.letters.found import SERVICES
from kernel.letters.phrases import phrases
from services.assessment import letters as assessment
from services.payment import letters as payment
from services.provider import inspection_letters as cases
from services.provider import visit_letters

LETTERS: Mapping[str, Mapping[type, Any]] = {
    "assessment": assessment.LETTERS,
    "payment": payment.LETTERS,
    "provider": {**visit_letters.LETTERS, **cases.LETTERS},
}
# Events with a ruling, or with a negative outcome, that no letter accompanies.
WITHOUT = {
    "EligibilityDecided": "answers a service; what rests on it, such as a refusal, tells its steps",
    "AssessmentGraded": "has no effect until experts confirm it; the conclusion's letter tells it",
    "GradeChanged": "has no effect until experts confirm it; the conclusion's letter tells it",
    "AssessorsAssigned": "who comes is told when the visit is arranged; `ltci draw` shows the draw",
    "AssessorReplaced": "who comes is told when the visit is arranged; `ltci draw` shows the draw",
    "ReviewGraded": "has no effect until confirmed; the letter of the review's conclusion tells it",
    "RiskFlagged": "accuses nobody; the notice of the case that it leads to tells it",
    "DesignationReviewed": "the body that applied is answered with it; letters are to the insured",
    "VisitBooked": "who books is told in the answer, with what the month has left",
    "ServiceDelivered": "the provider is told in the answer to its upload; see `ltci explain`",
    "ServiceRejected": "the provider is told in the answer to its upload, the person once a dispute"
    " is settled (ExceptionSettled); see `ltci explain`",
    "ClaimLineMatched": "the provider is told in the answer to its claim; see `ltci claims`",
    "ClaimLineRefused": "the provider is told in the answer to its claim; see `ltci claims`",
    "ContributionDue": "a demand is sent by who collects; `ltci explain` tells it to the fen",
    "QualityScored": "of a provider's month; letters are to the insured",
    "TransferAccepted": "pools settle it between them; `ltci explain` tells what counts here",
    "BenefitDetermined": "a sum of a month, not a right; `ltci explain` tells it to the fen",
}
# Words that a negative outcome's event is named with, whether it carries a ruling or not.
NEGATIVE = ("Refused", "Rejected", "Paused", "Ended", "Withdrawn", "Supplement", "Stopped")
NO_DECISION = {
    "AgreementEnded": "of a provider's agreement; letters are to the insured",
    "AssessmentBodyEnded": "of a body under agreement; the body is a party to it",
    "ClockPaused": "moves a last day, shown with its reason on the application",
    "CoverageEnded": "a fact told from outside",
    "LifeEventWithdrawn": "a fact told from outside",
    "IdentityEnded": "a fact told from outside",
    "ProtectionEnded": "a fact told from outside: no right to care or money depends on it",
    "TransferRejected": "goes back to the pool that offered it; the old insurance stays as it was",
    "PlanEnded": "a fact told from outside",
    "VisitEnded": "a fact told from outside",
    "SupplementReceived": "good news: the acceptance follows in the same append",
}


def told() -> set[str]:
    return {event.__name__ for table in LETTERS.values() for event in table}


def deciding() -> set[str]:
    """The events that carry a ruling which can be made again."""
    return {
        stored_as.partition("/")[0].rpartition(".")[2]
        for known in DECISIONS.values()
        for stored_as in known
    }


def test_every_decision_is_told_in_a_letter_or_says_why_not() -> None:
    assert sorted(deciding() - told() - set(WITHOUT)) == []


def test_every_negative_event_is_told_in_a_letter_or_says_why_not() -> None:
    negative = {name for name in written() if any(word in name for word in NEGATIVE)}
    assert sorted(negative - told() - set(WITHOUT) - set(NO_DECISION)) == []


def test_no_excuse_outlives_its_event() -> None:
    assert set(WITHOUT) | set(NO_DECISION) <= written() - told()


def written() -> set[str]:
    return {name for service in DECISIONS for name in events_of(service)}


def events_of(service: str) -> set[str]:
    """The names of the events that a service's codec writes."""
    module = importlib.import_module(f"services.{service}.codec")
    codec = getattr(module, f"{service}_codec")(None)
    return {stored_as.partition("/")[0].rpartition(".")[2] for stored_as in codec.types}


def test_every_letter_is_of_a_known_kind_and_its_service_is_looked_in() -> None:
    kinds = {*payment.LETTERS.values(), *visit_letters.LETTERS.values()} | {
        kind for kind, _ in assessment.LETTERS.values()
    }
    kinds |= {kind for several in cases.LETTERS.values() for kind in several}

    assert kinds <= set(phrases().kinds)
    assert set(SERVICES) == set(LETTERS)
    for service in LETTERS:
        assert "LetterIssued" in events_of(service)
