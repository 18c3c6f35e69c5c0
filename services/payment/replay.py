"""Makes the decisions of payment again, from the facts and the pack their rulings name."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from kernel.calendar import Month
from kernel.money import Money
from kernel.replay import RawFact, Redo
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from services.payment.codec import payment_codec
from services.payment.domain import entitlement as e
from services.payment.domain.benefit import BenefitDetermined, rule_benefit
from services.payment.domain.facts import CaseFacts, Merged, PersonFact
from services.payment.domain.merging import case_of
from services.payment.incoming import fact_of, owned_by

_codec = payment_codec(None)


def redo_benefit(payload: bytes, facts: Sequence[RawFact], pack: Pack) -> bytes:
    """The ruling of a `BenefitDetermined`, made anew by the code of today."""
    ruling = _ruling_in(BenefitDetermined, payload)
    found = rule_benefit(
        UUID(ruling.subject),
        ruling.pool,
        Month.parse(str(ruling.asked["month"])),
        facts=_case(UUID(ruling.subject), facts),
        pack=pack,
        code_version=ruling.code_version,
        paid_this_year=Money(int(ruling.asked.get("paid_this_year_fen", 0))),
    )
    return found.ruling.to_bytes()


def _redo_entitlement(event_class: type) -> Redo:
    def redo(payload: bytes, facts: Sequence[RawFact], pack: Pack) -> bytes:
        """The ruling of a change of entitlement, made anew by the code of today."""
        ruling = _ruling_in(event_class, payload)
        review = e.ReviewEntitlement(
            person=UUID(ruling.subject),
            pool=ruling.pool,
            today=date.fromisoformat(str(ruling.asked["today"])),
            facts=_case(UUID(ruling.subject), facts),
            pack=pack,
            code_version=ruling.code_version,
        )
        day = date.fromisoformat(str(ruling.asked["on_date"]))
        return e.rule_entitlement(review, day).to_bytes()

    return redo


def _ruling_in(event_class: type, payload: bytes) -> Ruling:
    event = _codec.decode_clear(_codec.type_name(event_class), payload)
    return Ruling.read(event.ruling)


def _case(person: UUID, facts: Sequence[RawFact]) -> CaseFacts:
    told = [fact_of(raw.type, raw.payload, raw.ref) for raw in facts]
    if not any(isinstance(fact, Merged) for fact in told):
        return CaseFacts.of(told)
    owned: dict[UUID, list[PersonFact]] = {}
    for raw, fact in zip(facts, told, strict=True):
        owned.setdefault(owned_by(raw.type, raw.payload, raw.service), []).append(fact)
    return case_of(person, owned)


DECISIONS: Mapping[str, Redo] = {
    _codec.type_name(BenefitDetermined): redo_benefit,
    **{
        _codec.type_name(event_class): _redo_entitlement(event_class)
        for event_class in (
            e.EntitlementOpened,
            e.EntitlementChanged,
            e.EntitlementPaused,
            e.EntitlementResumed,
            e.EntitlementEnded,
        )
    },
}
