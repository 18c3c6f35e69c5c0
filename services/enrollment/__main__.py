"""Runs enrollment: `python -m services.enrollment`."""

from collections.abc import Sequence

import grpc

from kernel.service import Parts, Registration, run_service
from services.enrollment.account_tables import AccountReader, AccountTables
from services.enrollment.application.accounts import Accounts
from services.enrollment.application.contribution_years import ContributionYears
from services.enrollment.application.contributions import Contributions
from services.enrollment.application.coverage import Coverages
from services.enrollment.application.dues import Dues
from services.enrollment.application.eligibility import Eligibility
from services.enrollment.application.employers import Employers
from services.enrollment.application.persons import Persons
from services.enrollment.codec import enrollment_codec
from services.enrollment.projections import Insured, InsuredReader
from services.enrollment.rpc import EnrollmentServicer
from services.enrollment.rpc_contributions import ContributionCases, ContributionServicer


def build(parts: Parts) -> Registration:
    """The service out of its opened parts."""
    insured = parts.runner(Insured(parts.codec))
    accounts = parts.runner(AccountTables(parts.codec))
    reader = InsuredReader(parts.store.pool, insured, parts.name)
    owing = AccountReader(parts.store.pool, accounts, insured, parts.name)
    coverages = Coverages(parts)
    enrollment = EnrollmentServicer(
        parts, Persons(parts), coverages, Contributions(parts), Eligibility(parts), reader
    )
    cases = ContributionCases(
        dues=Dues(parts),
        accounts=Accounts(parts),
        employers=Employers(parts),
        years=ContributionYears(parts, coverages, owing),
    )
    contributions = ContributionServicer(parts, cases, owing)

    def add(server: grpc.aio.Server) -> Sequence[str]:
        return [*enrollment.add_to(server), *contributions.add_to(server)]

    return Registration(add=add, runners=[insured, accounts])


if __name__ == "__main__":
    run_service("enrollment", enrollment_codec, build)
