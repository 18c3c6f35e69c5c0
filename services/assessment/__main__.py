"""Runs assessment: `python -m services.assessment`."""

from functools import partial

from kernel.rpc.server import together
from kernel.service import Parts, Registration, run_service
from services.assessment.application import Assessment
from services.assessment.clock_projection import ClocksReader, ClockTable
from services.assessment.codec import assessment_codec
from services.assessment.projections import Applications, ApplicationsReader
from services.assessment.rpc import AssessmentServicer
from services.assessment.rpc_clocks import ClockServicer
from services.assessment.states import STATES


def build(parts: Parts) -> Registration:
    """The service out of its opened parts."""
    applications = parts.runner(Applications(parts.codec))
    reader = ApplicationsReader(parts.store.pool, applications)
    assessment = Assessment(parts, reader.find, applications)
    clock_table = parts.runner(ClockTable(parts.codec, parts.packs))
    clocks = ClocksReader(parts.store.pool, clock_table)
    return Registration(
        add=together(
            AssessmentServicer(parts, assessment, reader).add_to,
            ClockServicer(parts, assessment, clocks).add_to,
        ),
        runners=[applications, clock_table],
        states=STATES,
        measures=[partial(clocks.tell, parts.name, parts.clock)],
    )


if __name__ == "__main__":
    run_service("assessment", assessment_codec, build)
