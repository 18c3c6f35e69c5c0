"""Whether a provider may serve and a caregiver may care on a day of care. Pure: no clock, no I/O.

These conditions are asked only where a sanction, an exit, a bar or a revocation is on record: a
ruling made before there were such events is made again to the same bytes.
Source: 医保办发〔2024〕21号.
"""

from datetime import date

from kernel.rules.ruling import Clause, Trace
from services.provider.domain.carer_record import CarerRecord
from services.provider.domain.standing import ENDED, SUSPENDED, SanctionMeasure, Standing

SUSPENSION = Clause(
    key="provider.agreement_suspension",
    citation="医保办发〔2024〕21号, sanction ladder",
    verified=False,
)
AGREEMENT_END = Clause(
    key="provider.agreement_end", citation="医保办发〔2024〕21号, Art. 40-41", verified=True
)
BAR = Clause(
    key="provider.caregiver_bar", citation="医保办发〔2024〕21号, Art. 45-46", verified=True
)
CERTIFICATE = Clause(
    key="provider.certificate", citation="医保办发〔2024〕21号, Art. 19", verified=True
)


def may_serve(trace: Trace, day: date, stands: Standing) -> dict[str, bool]:
    """By reason, whether it holds; asked only of a provider that was sanctioned or left."""
    held: dict[str, bool] = {}
    suspensions = [
        one for one in stands.sanctions if one.imposed.measure is SanctionMeasure.SUSPEND
    ]
    if suspensions:
        resting = stands.suspension_on(day)
        shown = resting or suspensions[-1].imposed
        held[SUSPENDED] = trace.check(
            holds=resting is None,
            clause=SUSPENSION,
            label="the agreement is not suspended on the day of care",
            inputs={
                "care_date": day.isoformat(),
                "suspended_from_date": shown.start_date.isoformat(),
                "suspended_until_date": day_text(shown.end_date),
                "article": shown.article,
            },
        )
    ended = [term for term in stands.terms if term.over_from is not None]
    if ended:
        term = stands.term_on(day)
        over = ended[-1] if term is None or term.over_from is None else term
        held[ENDED] = trace.check(
            holds=term is None or term.serves(day),
            clause=AGREEMENT_END,
            label="the agreement has not ended by the day of care",
            inputs={"care_date": day.isoformat(), "over_from_date": day_text(over.over_from)},
        )
    return held


def may_care(trace: Trace, day: date, record: CarerRecord) -> dict[str, bool]:
    """By reason, whether it holds; asked only of who was barred or lost a certificate."""
    held: dict[str, bool] = {}
    if record.bars:
        standing_bars = [bar for bar in record.bars if bar.holds_on(day)]
        shown = (standing_bars or record.bars)[-1]
        held["CAREGIVER_BARRED"] = trace.check(
            holds=not standing_bars,
            clause=BAR,
            label="the caregiver is not barred on the day of care",
            inputs={
                "care_date": day.isoformat(),
                "barred_from_date": shown.barred.start_date.isoformat(),
                "barred_until_date": shown.barred.end_date.isoformat(),
                "restored_date": day_text(shown.restored),
            },
        )
    if any(one.revoked is not None for one in record.certificates):
        held["CERTIFICATE_REVOKED"] = trace.check(
            holds=not record.lost_on(day),
            clause=CERTIFICATE,
            label="a certificate of the caregiver counts on the day of care",
            inputs={
                "care_date": day.isoformat(),
                "revoked_date": max(
                    one.revoked.isoformat() for one in record.certificates if one.revoked
                ),
                "level": record.level_on(day) or "",
            },
        )
    return held


def day_text(day: date | None) -> str:
    return "" if day is None else day.isoformat()
