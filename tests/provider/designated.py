"""What the stories of designation, sanctions and people's records are told with."""

from datetime import date

from kernel.calendar import DayKind, Term
from kernel.ids import derive
from kernel.rules.ruling import Ruling
from services.provider.domain import carer_record as r
from services.provider.domain import standing as s
from services.provider.domain.admission import Findings, Review, rule_designation
from services.provider.domain.designation import DesignationApplied
from services.provider.domain.verdict import Basis
from tests.provider.care import CAREGIVER, CHANGZHOU, POOL, PROVIDER, as_facts

APPLICATION = derive("test", "application")
AGREEMENT = derive("test", "agreement")
SANCTION = derive("test", "sanction")
HEAD = derive("test", "head")
BOSS = derive("test", "boss")
FIVE_WORKING_DAYS = Term(days=5, kind=DayKind.WORKING)

APPLIED = DesignationApplied(
    application=APPLICATION,
    provider=PROVIDER,
    pool=POOL,
    provider_name="常州安心护理站",
    social_credit_code="91350100M000100Y43",
    body_kind="medical_institution",
    lines=(s.ServiceLine.HOME_VISITS, s.ServiceLine.ASSISTIVE_DEVICES),
    operating_since_date=date(2020, 1, 1),
    legal_representative=BOSS,
    head=HEAD,
    application_date=date(2024, 1, 8),
)
ALL_WELL = Findings(
    registered=True,
    staff_qualified=True,
    premises=True,
    systems=True,
    can_connect=True,
    no_recent_violation=True,
)
REVIEW = Review(application=APPLICATION, review_date=date(2024, 1, 15), findings=ALL_WELL)
HEAD_BARRED = r.PersonBarred(
    bar=derive("test", "bar of the head"),
    person=HEAD,
    provider=derive("test", "another provider"),
    pool=POOL,
    role=r.BarredRole.HEAD,
    serious=True,
    start_date=date(2022, 1, 1),
    end_date=date(2026, 12, 31),
    cause="骗取基金",
    article="Art. 45",
)
SIGNED = s.AgreementSigned(
    agreement=AGREEMENT,
    application=APPLICATION,
    provider=PROVIDER,
    pool=POOL,
    operator_name="某保险公司常州分公司",
    operator_code="91350100M000100Y43",
    lines=(s.ServiceLine.HOME_VISITS,),
    start_date=date(2024, 2, 1),
    end_date=date(2025, 1, 31),
    signed_date=date(2024, 1, 29),
)
SUSPENDED = s.SanctionImposed(
    sanction=SANCTION,
    provider=PROVIDER,
    pool=POOL,
    measure=s.SanctionMeasure.SUSPEND,
    start_date=date(2024, 3, 1),
    cause="虚假服务",
    article="Art. 39",
)
SUSPENDED_A_WEEK = s.SanctionImposed(
    sanction=derive("test", "a week"),
    provider=PROVIDER,
    pool=POOL,
    measure=s.SanctionMeasure.SUSPEND,
    start_date=date(2024, 2, 10),
    end_date=date(2024, 2, 16),
    cause="未按期整改",
    article="Art. 39",
)
TERMINATED = s.SanctionImposed(
    sanction=derive("test", "termination"),
    provider=PROVIDER,
    pool=POOL,
    measure=s.SanctionMeasure.TERMINATE,
    start_date=date(2024, 3, 4),
    cause="骗取基金",
    article="Art. 40",
)
BARRED = r.PersonBarred(
    bar=derive("test", "bar"),
    person=CAREGIVER,
    provider=PROVIDER,
    pool=POOL,
    role=r.BarredRole.STAFF,
    serious=False,
    start_date=date(2023, 11, 1),
    end_date=date(2024, 1, 31),
    cause="伪造记录",
    article="Art. 45",
)
RESTORED = r.PersonRestored(bar=BARRED.bar, person=CAREGIVER, restored_date=date(2024, 2, 20))
EXAMINED = (
    r.ExaminationRecorded(
        caregiver=CAREGIVER,
        level=r.CaregiverLevel.FIVE,
        passed=True,
        certificate="",
        exam_date=date(2023, 5, 1),
    ),
    r.ExaminationRecorded(
        caregiver=CAREGIVER,
        level=r.CaregiverLevel.FOUR,
        passed=True,
        certificate="",
        exam_date=date(2024, 3, 2),
    ),
)
REVOKED = r.CertificateRevoked(
    caregiver=CAREGIVER,
    level=r.CaregiverLevel.FIVE,
    revoked_date=date(2024, 2, 25),
    cause="违规取得",
)


def ruled(review: Review, *events: object) -> Ruling:
    """The ruling on a review under Changzhou's rules."""
    basis = Basis(facts=as_facts(*events), pack=CHANGZHOU, code_version="test")
    return rule_designation(review, basis)
