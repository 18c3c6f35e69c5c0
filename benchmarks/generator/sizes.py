"""How large a pool is, and how people there live and care.

The sizes of Chengdu are public (139 300 beneficiaries and 393 bodies in 2024, more than 90 % at
home); 300 000 carers for 1.46 million beneficiaries are the nation's at the end of 2024. What is
marked `assumed` is a design assumption: no source was found.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

CHENGDU_PEOPLE = 140_000
CHENGDU_PROVIDERS = 393
AT_HOME = 0.9
PEOPLE_A_CARER = 5  # 1.46 m / 300 000
INSTITUTIONS = 0.25  # of the providers; assumed
WEEKLY_VISITS = (3, 4, 4, 4, 4)  # at home; 16 to 17 a month, within 10 to 30; assumed
ASSESSED_EACH = 14  # one beneficiary in so many is assessed in a month; a half of the stock a year
COUPLES = 0.06  # of people at home live with one cared for by the same carer; assumed
PEOPLE_AN_ASSESSOR = 25  # assessed in a month; assumed

# Of all people in a month; assumed.
DIES, IN_HOSPITAL, BEGINS, LEAVES = 0.010, 0.035, 0.015, 0.006
# Of all carers in a month; assumed.
BARRED, REVOKED = 0.001, 0.002
OFFLINE = 0.08  # of visits; assumed
LATE = 0.05
NO_CHECK_OUT = 0.015  # forgotten, and corrected
SKEWED_CLOCK = 0.01  # of devices

SPEED_M_A_MINUTE = 200  # 12 km/h on an electric bicycle
LEAST_PROVIDERS = 8
LEAST_ASSESSORS = 10


class Fraud(StrEnum):
    """What is planted. A detector of the same name should find it."""

    IMPOSSIBLE_TRAVEL = "impossible_travel"
    TWO_PLACES = "two_places"
    SHARED_DEVICE = "shared_device"
    REPEATED_PHOTO = "repeated_photo"
    MOCK_LOCATION = "mock_location"
    TOO_SHORT = "too_short"
    ITEMS_SWAPPED = "items_swapped"
    HOURS_ABOVE_LIMIT = "hours_above_limit"
    OUTSIDE_PLAN = "outside_plan"
    AFTER_DEATH = "after_death"
    IN_HOSPITAL = "in_hospital"
    BEFORE_EFFECT = "before_effect"
    BARRED_CARER = "barred_carer"
    UNCERTIFIED_CARER = "uncertified_carer"
    PRICE_ABOVE_LIST = "price_above_list"
    PROVIDER_DRIFT = "provider_drift"
    ASSESSOR_DRIFT = "assessor_drift"
    ASSESSOR_TIED = "assessor_tied"


OF_A_DAY = (
    Fraud.IMPOSSIBLE_TRAVEL,
    Fraud.TWO_PLACES,
    Fraud.SHARED_DEVICE,
    Fraud.REPEATED_PHOTO,
    Fraud.MOCK_LOCATION,
    Fraud.TOO_SHORT,
    Fraud.ITEMS_SWAPPED,
    Fraud.PRICE_ABOVE_LIST,
    Fraud.HOURS_ABOVE_LIMIT,
)
OF_A_PERSON = (
    Fraud.OUTSIDE_PLAN,
    Fraud.AFTER_DEATH,
    Fraud.IN_HOSPITAL,
    Fraud.BEFORE_EFFECT,
)
OF_A_CARER = (Fraud.BARRED_CARER, Fraud.UNCERTIFIED_CARER)


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """One month of one pool, and how much of it is fraud."""

    pool: str
    first: date
    people: int
    fraud: float  # planted visits as a share of all
    seed: int

    @property
    def days(self) -> int:
        return monthrange(self.first.year, self.first.month)[1]

    def day(self, number: int) -> date:
        """The day of the month, from 0 on."""
        return self.first + timedelta(days=number)

    @property
    def at_home(self) -> int:
        return round(self.people * AT_HOME)

    @property
    def providers(self) -> int:
        return max(LEAST_PROVIDERS, round(CHENGDU_PROVIDERS * self.people / CHENGDU_PEOPLE))

    @property
    def institutions(self) -> int:
        return max(1, round(self.providers * INSTITUTIONS))

    @property
    def home_providers(self) -> int:
        return self.providers - self.institutions

    @property
    def home_carers(self) -> int:
        return -(-self.at_home // PEOPLE_A_CARER)

    @property
    def carers(self) -> int:
        return self.home_carers + -(-(self.people - self.at_home) // PEOPLE_A_CARER)

    @property
    def assessors(self) -> int:
        return max(LEAST_ASSESSORS, self.people // ASSESSED_EACH // PEOPLE_AN_ASSESSOR)

    @property
    def visits(self) -> int:
        """About how many there will be."""
        weeks = self.days / 7
        weekly = sum(WEEKLY_VISITS) / len(WEEKLY_VISITS)
        return round(self.at_home * weekly * weeks + (self.people - self.at_home) * self.days)

    @property
    def cases(self) -> int:
        """How often each kind is planted, counted in visits."""
        if not self.fraud:
            return 0
        kinds = len(OF_A_DAY) + len(OF_A_PERSON) + len(OF_A_CARER)
        return max(3, round(self.visits * self.fraud / kinds))

    @property
    def planted_bodies(self) -> int:
        """How many providers, and how many assessors, drift or are tied, of each kind."""
        return max(1, self.providers // 100) if self.fraud else 0
