"""Runs enrollment: `python -m services.enrollment`."""

from kernel.service import Parts, Registration, run_service
from services.enrollment.application.contributions import Contributions
from services.enrollment.application.eligibility import Eligibility
from services.enrollment.application.persons import Persons
from services.enrollment.codec import enrollment_codec
from services.enrollment.eligibility_rpc import EligibilityServicer
from services.enrollment.projections import Insured, InsuredReader
from services.enrollment.rpc import EnrollmentServicer


def build(parts: Parts) -> Registration:
    """The service out of its opened parts."""
    insured = parts.runner(Insured(parts.codec))
    reader = InsuredReader(parts.store.pool, insured, parts.name)
    eligibility = Eligibility(parts)
    servicer = EnrollmentServicer(parts, Persons(parts), Contributions(parts), eligibility, reader)
    questions = EligibilityServicer(parts, eligibility)
    return Registration(
        add=lambda server: [*servicer.add_to(server), *questions.add_to(server)],
        runners=[insured],
    )


if __name__ == "__main__":
    run_service("enrollment", enrollment_codec, build)
