"""What workflows are told and what they answer: plain dataclasses of texts and numbers.

Days are ISO texts ("2024-03-01"). Ids are opaque. No message carries personal data, and none is
a record: who needs more asks the service that owns it.
Fields may be added with a default; none is renamed or removed, because sleeping workflows hold
messages of every earlier release.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class FactNotice:
    """A fact that a service recorded, as far as a waiting process must know it.

    `heads` says how far the other feeds had been followed when this notice was sent: facts up to
    there may have passed while nobody waited for them.
    """

    service: str
    position: int
    event: str  # short name of the event's type: "LifeEventReported"
    application: str = ""
    day: str = ""  # the day the fact is about
    heads: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Story:
    """Where a beneficiary stands, for people who ask (query `story`)."""

    pool: str
    person: str
    state: str
    since: str  # business day
    waits_for: str
    next_deadline: str  # business day; empty where nothing is due
    assessments: list[str]  # applications being assessed
    steps: list[str]  # the last steps, oldest first


@dataclass(frozen=True)
class Carried:
    """What one run of a lifecycle hands to the next (continue-as-new)."""

    entitlement: str = ""  # NONE, OPEN, PAUSED, ENDED
    grade: int = 0
    valid_until: str = ""
    shown: str = ""  # the state people saw, and the business day since when
    since: str = ""
    reassessment_ordered_for: str = ""
    seen: dict[str, int] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)
    reassess_on: str = ""  # day to order the periodic reassessment, as payment told it


@dataclass(frozen=True)
class Beneficiary:
    """One person in one pooling area."""

    pool: str
    person: str
    carried: Carried = field(default_factory=Carried)


@dataclass(frozen=True)
class Assessment:
    """An application to be carried to its conclusion."""

    application: str
    pool: str
    person: str
    on_date: str  # day of the application
    reminded: bool = False  # carried over where a long assessment goes on in a new run


@dataclass(frozen=True)
class Outcome:
    """How an assessment ended: `DELIVERED`, `REFUSED`, `WITHDRAWN` or `TERMINATED`."""

    application: str
    state: str
    grade: int = 0
    eligible: bool = False
    conclusion_date: str = ""


@dataclass(frozen=True)
class ReviewCase:
    """The second round of an application, from its first objection or request."""

    application: str
    pool: str
    person: str
    reminded_of: str = ""  # carried over where a long one goes on in a new run


@dataclass(frozen=True)
class Reviewed:
    """How it ended: `NONE` where every objection was dismissed, or `DELIVERED`."""

    application: str
    state: str
    grade: int = 0


@dataclass(frozen=True)
class AppealCase:
    """An appeal to be decided."""

    appeal: str
    pool: str
    person: str
    reminded_of: str = ""
    application: str = ""  # empty in messages of earlier releases: nothing is noted then


@dataclass(frozen=True)
class FlagCase:
    """A flag that is to be put into a case."""

    flag: str
    pool: str


@dataclass(frozen=True)
class InspectionCase:
    """A case to be carried to its end."""

    inspection: str
    pool: str
    reminded_of: str = ""  # carried over where a long one goes on in a new run


@dataclass(frozen=True)
class PoolMonth:
    """A pooling area's month to be settled."""

    pool: str
    month: str


@dataclass(frozen=True)
class EvidenceMonth:
    """A month whose evidence of visits is forgotten; `forgotten` were so in earlier runs."""

    pool: str
    month: str
    forgotten: int = 0


@dataclass(frozen=True)
class Designated:
    """A designated provider; `ended` is how many of its agreements ended in earlier runs."""

    pool: str
    provider: str
    ended: int = 0


@dataclass(frozen=True)
class PoolQueue:
    """A pooling area whose visits are looked through."""

    pool: str


@dataclass(frozen=True)
class Settled:
    """What a settled month came to, in fen."""

    batch: str
    case_count: int
    benefit_count: int
    instruction_count: int
    fund_share_fen: int


@dataclass(frozen=True)
class Batch:
    """A batch of payment instructions; `rounds` is how often the bank was asked before."""

    batch: str
    pool: str
    rounds: int = 0
    interval_days: int = 1


@dataclass(frozen=True)
class Paid:
    """What a batch came to, in fen: all of it is proven paid, or replaced by what is."""

    batch: str
    paid_count: int
    reissued_count: int
    paid_fen: int


@dataclass(frozen=True)
class PoolYear:
    """A pooling area's year whose contributions are collected."""

    pool: str
    year: int


@dataclass(frozen=True)
class Collected:
    """What the collection of a year came to; `due_fen` as determined when it was opened."""

    due_count: int
    not_determined_count: int
    due_fen: int
    reminded_count: int
    suspended_count: int
    resumed_count: int
