"""Runs enrollment: `python -m services.enrollment`."""

from kernel.rpc.server import together
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
from services.enrollment.application.transfers import Transfers
from services.enrollment.application.upkeep import Upkeep
from services.enrollment.codec import enrollment_codec
from services.enrollment.eligibility_rpc import EligibilityServicer
from services.enrollment.projections import Insured, InsuredReader
from services.enrollment.rpc import EnrollmentServicer
from services.enrollment.rpc_contributions import ContributionCases, ContributionServicer
from services.enrollment.rpc_persons import PersonServicer
from services.enrollment.rpc_transfers import TransferServicer


def build(parts: Parts) -> Registration:
    """The service out of its opened parts."""
    insured = parts.runner(Insured(parts.codec))
    accounts = parts.runner(AccountTables(parts.codec))
    reader = InsuredReader(parts.store.pool, insured, parts.name)
    owing = AccountReader(parts.store.pool, accounts, insured, parts.name)
    persons, coverages = Persons(parts), Coverages(parts)
    contributions, eligibility = Contributions(parts), Eligibility(parts)
    cases = ContributionCases(
        dues=Dues(parts),
        accounts=Accounts(parts),
        employers=Employers(parts),
        years=ContributionYears(parts, coverages, owing),
    )
    servicers = (
        EnrollmentServicer(parts, persons, coverages, contributions, eligibility, reader),
        EligibilityServicer(parts, eligibility),
        ContributionServicer(parts, cases, owing),
        PersonServicer(parts, Upkeep(parts, persons)),
        TransferServicer(parts, Transfers(parts)),
    )
    return Registration(
        add=together(*(one.add_to for one in servicers)), runners=[insured, accounts]
    )


if __name__ == "__main__":
    run_service("enrollment", enrollment_codec, build)
