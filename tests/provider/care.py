"""The people, places and facts that the stories of designated care are told with."""

from datetime import date, datetime
from pathlib import Path

from kernel.clock import SHANGHAI
from kernel.ids import derive
from kernel.money import yuan
from kernel.rules.pack import Pack
from kernel.rules.ruling import Fact, FactRef
from services.provider.domain.caregiver import CaregiverRegistered
from services.provider.domain.place import Place
from services.provider.domain.plan import CareForm, PlanApproved
from services.provider.domain.provider import PriceListed, ProviderAdmitted

RULES = Path(__file__).parents[2] / "rules"
CHANGZHOU = Pack.load(RULES / "320400_changzhou")
POOL = CHANGZHOU.pool
PROVIDER = derive("provider", "91350100M000100Y43")
CAREGIVER = derive("test", "caregiver")
PERSON = derive("test", "person")
PLAN = derive("test", "plan")
VISIT = derive("test", "visit")
HOME = Place(latitude_microdegrees=31_779_000, longitude_microdegrees=119_974_000)
NEXT_DOOR = Place(latitude_microdegrees=31_780_000, longitude_microdegrees=119_974_000)

ADMITTED = ProviderAdmitted(
    provider=PROVIDER,
    pool=POOL,
    provider_name="常州安心护理站",
    social_credit_code="91350100M000100Y43",
    agreement_start_date=date(2024, 1, 1),
    agreement_end_date=date(2024, 12, 31),
)
REGISTERED = CaregiverRegistered(
    caregiver=CAREGIVER,
    provider=PROVIDER,
    full_name="",
    certificate="",
    registered_date=date(2024, 1, 1),
)
APPROVED = PlanApproved(
    plan=PLAN,
    person=PERSON,
    pool=POOL,
    provider=PROVIDER,
    form=CareForm.HOME_VISITS,
    start_date=date(2024, 2, 1),
    place=HOME,
)


def price(
    item: str = "bath", amount: str = "60", since: date = date(2024, 1, 1), minutes: int = 50
) -> PriceListed:
    return PriceListed(
        provider=PROVIDER,
        item=item,
        item_name="沐浴",
        price=yuan(amount),
        effective_date=since,
        minutes=minutes,
    )


def at(clock: str, day: date = date(2024, 3, 4)) -> datetime:
    """That time of the day in Shanghai, on a Monday in March unless told."""
    return datetime.fromisoformat(f"{day}T{clock}:00").replace(tzinfo=SHANGHAI)


def as_facts(*events: object) -> tuple[Fact, ...]:
    """The events as facts of the log, from position 1 on."""
    return tuple(
        Fact(FactRef("provider", position, f"{position:032x}"), event, at("08:00"))
        for position, event in enumerate(events, start=1)
    )
