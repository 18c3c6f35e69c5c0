"""The streams of enrollment, and how each is folded."""

from uuid import UUID

from kernel.eventstore.handle import StreamKind
from kernel.ids import stream_id
from services.enrollment.domain import contribution as co
from services.enrollment.domain import coverage as c
from services.enrollment.domain import identity as i
from services.enrollment.domain import life as lf
from services.enrollment.domain import person as p
from services.enrollment.domain import transferred as t

PERSON = StreamKind("person", p.Person(), p.evolve)
IDENTITY = StreamKind("identity", i.Paper(), i.evolve)
COVERAGE = StreamKind("coverage", c.Coverage(), c.evolve)
CONTRIBUTIONS = StreamKind("contributions", co.Contributions(), co.evolve)
LIFE = StreamKind("life", lf.Life(), lf.evolve)
TRANSFERS = StreamKind("transfer", t.Transfers(), t.evolve)
NO_POOL = ""  # a person belongs to no pool until covered


def person_stream(person: UUID) -> UUID:
    return stream_id(PERSON.category, str(person))


def identity_stream(paper: UUID) -> UUID:
    return stream_id(IDENTITY.category, str(paper))


def coverage_stream(pool: str, person: UUID) -> UUID:
    return stream_id(COVERAGE.category, pool, str(person))


def contributions_stream(pool: str, person: UUID, year: int) -> UUID:
    return stream_id(CONTRIBUTIONS.category, pool, str(person), str(year))


def life_stream(person: UUID) -> UUID:
    return stream_id(LIFE.category, str(person))


def transfer_stream(pool: str, person: UUID) -> UUID:
    return stream_id(TRANSFERS.category, pool, str(person))
