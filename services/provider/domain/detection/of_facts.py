"""Detectors that hold visits against what other services know (数据比对). Pure.

Patterns 6, 7, 8 and 10 of the field reports: the dead, those in hospital, days before the
entitlement's effect, people who may not care. A fact that comes late is held against the visits
that are known by then: whichever of the two comes second sets the detector off.
"""

from collections.abc import Iterable, Iterator

from services.provider.domain.detection.detector import Detector, Limits
from services.provider.domain.detection.known import Known, Span
from services.provider.domain.detection.seen import Seen, Suspicion, Values

_AUDIT = "审计与医保部门数据比对：死亡、住院、待遇起始日"
_STAFF = "医保办发〔2024〕21号 第40条、第45条；伪造或借用资质"


def _after_death(new: Seen, known: Known, _limits: Limits) -> Iterator[Suspicion]:
    death = known.deaths.get(new.person)
    if death is not None and new.care_date > death.first:
        yield _with(AFTER_DEATH, new, {"death_date": death.first.isoformat()}, death)


def _in_hospital(new: Seen, known: Known, _limits: Limits) -> Iterator[Suspicion]:
    """Between the days of admission and discharge; on those two, care at home may be so."""
    for stay in known.stays.get(new.person, ()):
        if stay.first < new.care_date and (stay.last is None or new.care_date < stay.last):
            values = {
                "admission_date": stay.first.isoformat(),
                "discharge_date": stay.last.isoformat() if stay.last else "",
            }
            yield _with(IN_HOSPITAL, new, values, stay)
            return


def _before_effect(new: Seen, known: Known, _limits: Limits) -> Iterator[Suspicion]:
    """Before the first day of the first entitlement; who has none is a matter of the verdict."""
    spans = known.entitled.get(new.person, ())
    first = min(spans, key=lambda span: span.first, default=None)
    if first is not None and new.care_date < first.first:
        yield _with(BEFORE_EFFECT, new, {"effective_date": first.first.isoformat()}, first)


def _barred_carer(new: Seen, known: Known, _limits: Limits) -> Iterator[Suspicion]:
    bar = _on(known.barred.get(new.caregiver, ()), new)
    if bar is not None:
        yield _with(BARRED_CARER, new, {"start_date": bar.first.isoformat()}, bar)


def _uncertified_carer(new: Seen, known: Known, _limits: Limits) -> Iterator[Suspicion]:
    """A certificate that was revoked, or a caregiver that no provider registered."""
    revoked = known.revoked.get(new.caregiver)
    if revoked is not None and new.care_date >= revoked.first:
        values = {"revoked_date": revoked.first.isoformat()}
        yield _with(UNCERTIFIED_CARER, new, values, revoked)
    elif _UNREGISTERED in new.reasons:
        yield UNCERTIFIED_CARER.seen_in(new, {"verdict": _UNREGISTERED})


def _on(spans: Iterable[Span], seen: Seen) -> Span | None:
    for span in spans:
        if span.first <= seen.care_date and (span.last is None or seen.care_date < span.last):
            return span
    return None


def _with(detector: Detector, seen: Seen, values: Values, fact: Span) -> Suspicion:
    told = detector.seen_in(seen, values)
    return Suspicion(
        detector=told.detector,
        version=told.version,
        pool=told.pool,
        day=told.day,
        values=told.values,
        visit=seen,
        positions=(*told.positions, fact.source),
    )


_UNREGISTERED = "CAREGIVER_NOT_REGISTERED"
AFTER_DEATH = Detector(
    name="after_death",
    version=1,
    title="Care after the person's death",
    title_zh="参保人死亡后仍有服务",
    source=_AUDIT,
    figures=(),
    label="the person lived on the day of care",
    find=_after_death,
)
IN_HOSPITAL = Detector(
    name="in_hospital",
    version=1,
    title="Care at home while the person was in hospital",
    title_zh="住院期间居家服务",
    source=_AUDIT,
    figures=(),
    label="the person was not in hospital",
    find=_in_hospital,
)
BEFORE_EFFECT = Detector(
    name="before_effect",
    version=1,
    title="Care before the entitlement took effect",
    title_zh="待遇生效前服务",
    source=_AUDIT,
    figures=(),
    label="the entitlement had taken effect",
    find=_before_effect,
)
BARRED_CARER = Detector(
    name="barred_carer",
    version=1,
    title="Care by somebody who is barred",
    title_zh="被禁入人员提供服务",
    source=_STAFF,
    figures=(),
    label="the caregiver is not barred",
    find=_barred_carer,
)
UNCERTIFIED_CARER = Detector(
    name="uncertified_carer",
    version=1,
    title="Care by somebody without a certificate, or on no register",
    title_zh="无证或未登记人员提供服务",
    source=_STAFF,
    figures=(),
    label="the caregiver has a certificate and is on the register",
    find=_uncertified_carer,
)
OF_PERSONS = (AFTER_DEATH, IN_HOSPITAL, BEFORE_EFFECT)
OF_STANDING = (BARRED_CARER, UNCERTIFIED_CARER)
OF_FACTS = (*OF_PERSONS, *OF_STANDING)
