"""The streams of enrollment, and how each is folded."""

from uuid import UUID

from kernel.eventstore.handle import StreamKind
from kernel.ids import derive, stream_id
from services.enrollment.domain import account as a
from services.enrollment.domain import contribution as co
from services.enrollment.domain import contribution_year as cy
from services.enrollment.domain import coverage as c
from services.enrollment.domain import employer as em
from services.enrollment.domain import life as lf
from services.enrollment.domain import person as p

PERSON = StreamKind("person", p.Person(), p.evolve)
COVERAGE = StreamKind("coverage", c.Coverage(), c.evolve)
CONTRIBUTIONS = StreamKind("contributions", co.Contributions(), co.evolve)
LIFE = StreamKind("life", lf.Life(), lf.evolve)
ACCOUNT = StreamKind("account", a.Account(), a.evolve)
# The contributions of a year as the account sees them: the same stream, folded in another way.
PAYMENTS = StreamKind("contributions", a.Account(), a.evolve)
CONTRIBUTION_YEAR = StreamKind("contribution_year", cy.Collection(), cy.evolve)
EMPLOYER = StreamKind("employer", em.Employer(), em.evolve)
STAFF = StreamKind("staff", em.Staff(), em.evolve_staff)
NO_POOL = ""  # a person belongs to no pool until covered


def person_stream(person: UUID) -> UUID:
    return stream_id(PERSON.category, str(person))


def coverage_stream(pool: str, person: UUID) -> UUID:
    return stream_id(COVERAGE.category, pool, str(person))


def contributions_stream(pool: str, person: UUID, year: int) -> UUID:
    return stream_id(CONTRIBUTIONS.category, pool, str(person), str(year))


def life_stream(person: UUID) -> UUID:
    return stream_id(LIFE.category, str(person))


def account_stream(pool: str, person: UUID, year: int) -> UUID:
    return stream_id(ACCOUNT.category, pool, str(person), str(year))


def contribution_year_stream(pool: str, year: int) -> UUID:
    return stream_id(CONTRIBUTION_YEAR.category, pool, str(year))


def employer_named(social_credit_code: str) -> UUID:
    """The id of the employer with this code: always the same."""
    return derive("employer", social_credit_code)


def employer_stream(employer: UUID) -> UUID:
    return stream_id(EMPLOYER.category, str(employer))


def staff_stream(pool: str, person: UUID, year: int) -> UUID:
    return stream_id(STAFF.category, pool, str(person), str(year))
