"""Runs assessment: `python -m services.assessment`."""

from kernel.service import Parts, Registration, run_service
from services.assessment.application import Assessment
from services.assessment.codec import assessment_codec
from services.assessment.projections import Applications, ApplicationsReader
from services.assessment.rpc import AssessmentServicer
from services.assessment.states import STATES


def build(parts: Parts) -> Registration:
    """The service out of its opened parts."""
    applications = parts.runner(Applications(parts.codec))
    reader = ApplicationsReader(parts.store.pool, applications)
    servicer = AssessmentServicer(parts, Assessment(parts, reader.find, applications), reader)
    return Registration(add=servicer.add_to, runners=[applications], states=STATES)


if __name__ == "__main__":
    run_service("assessment", assessment_codec, build)
