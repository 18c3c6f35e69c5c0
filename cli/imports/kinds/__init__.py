"""The files that can be imported, by the service that takes them."""

from collections.abc import Mapping

from cli.imports.kinds.assessment import APPLICATIONS
from cli.imports.kinds.assessors import ASSESSORS, BODIES
from cli.imports.kinds.claims import CLAIMS
from cli.imports.kinds.disputes import APPEALS, OBJECTIONS, REVIEWS
from cli.imports.kinds.employers import EMPLOYERS, STAFF
from cli.imports.kinds.enrollment import CONTRIBUTIONS, LIFE_EVENTS, PERSONS
from cli.imports.kinds.inspections import INSPECTIONS
from cli.imports.kinds.kind import Bulk, Column, Kind, NothingThere, Step, Values, at_day
from cli.imports.kinds.moves import MERGES, MOVES
from cli.imports.kinds.payment import BANK_ACCOUNTS, PAYEES, TRANSFERS
from cli.imports.kinds.provider import (
    CAREGIVERS,
    EXAMINATION_RESULTS,
    PLANS,
    PRICES,
    PROVIDERS,
    VISITS,
)
from cli.imports.kinds.sanctions import SANCTIONS
from cli.imports.kinds.visits import DISPUTED_VISITS, VISIT_CORRECTIONS

__all__ = [
    "CONTRIBUTIONS",
    "KINDS",
    "PERSONS",
    "VISITS",
    "Bulk",
    "Column",
    "Kind",
    "NothingThere",
    "Step",
    "Values",
    "at_day",
]


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        PERSONS,
        CONTRIBUTIONS,
        APPLICATIONS,
        VISITS,
        CLAIMS,
        PROVIDERS,
        PRICES,
        CAREGIVERS,
        EXAMINATION_RESULTS,
        PLANS,
        PAYEES,
        LIFE_EVENTS,
        TRANSFERS,
        BANK_ACCOUNTS,
        EMPLOYERS,
        STAFF,
        OBJECTIONS,
        REVIEWS,
        APPEALS,
        MERGES,
        MOVES,
        BODIES,
        ASSESSORS,
        DISPUTED_VISITS,
        VISIT_CORRECTIONS,
        SANCTIONS,
        INSPECTIONS,
    )
}
