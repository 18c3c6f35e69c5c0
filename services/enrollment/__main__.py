"""Runs enrollment: `python -m services.enrollment`."""

from kernel.rpc.server import all_of
from kernel.service import Parts, Registration, run_service
from services.enrollment.application.contributions import Contributions
from services.enrollment.application.eligibility import Eligibility
from services.enrollment.application.persons import Persons
from services.enrollment.application.transfers import Transfers
from services.enrollment.application.upkeep import Upkeep
from services.enrollment.codec import enrollment_codec
from services.enrollment.projections import Insured, InsuredReader
from services.enrollment.rpc import EnrollmentServicer
from services.enrollment.rpc_persons import PersonServicer
from services.enrollment.rpc_transfers import TransferServicer


def build(parts: Parts) -> Registration:
    """The service out of its opened parts."""
    insured = parts.runner(Insured(parts.codec))
    reader = InsuredReader(parts.store.pool, insured, parts.name)
    persons = Persons(parts)
    servicers = (
        EnrollmentServicer(parts, persons, Contributions(parts), Eligibility(parts), reader),
        PersonServicer(parts, Upkeep(parts, persons)),
        TransferServicer(parts, Transfers(parts)),
    )
    return Registration(add=all_of(one.add_to for one in servicers), runners=[insured])


if __name__ == "__main__":
    run_service("enrollment", enrollment_codec, build)
