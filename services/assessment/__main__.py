"""Runs assessment: `python -m services.assessment`."""

from functools import partial

from kernel.rpc.server import together
from kernel.service import Parts, Registration, run_service
from services.assessment.application import Assessment
from services.assessment.assigning import Assigning
from services.assessment.candidates import CandidatesReader, Conclusions
from services.assessment.clock_projection import ClocksReader, ClockTable
from services.assessment.codec import assessment_codec
from services.assessment.disputes_table import Disputes, DisputesReader
from services.assessment.inspections import Inspection
from services.assessment.projections import Applications, ApplicationsReader
from services.assessment.register_lists import RegisterLists, RegisterReader
from services.assessment.registers import Registers
from services.assessment.rpc import AssessmentServicer
from services.assessment.rpc_assignment import AssignmentServicer
from services.assessment.rpc_clocks import ClockServicer
from services.assessment.rpc_disputes import AppealServicer, ObjectionServicer, ReviewServicer
from services.assessment.rpc_inspection import InspectionServicer
from services.assessment.rpc_intake import IntakeServicer, OnSiteServicer
from services.assessment.rpc_reassessment import ReassessmentServicer
from services.assessment.rpc_registers import AssessorServicer
from services.assessment.states import STATES


def build(parts: Parts) -> Registration:
    """The service out of its opened parts."""
    applications = parts.runner(Applications(parts.codec))
    lists = parts.runner(RegisterLists(parts.codec))
    reader = ApplicationsReader(parts.store.pool, applications)
    register = RegisterReader(parts.store, lists)
    assessment, registers = Assessment(parts, reader.find, applications), Registers(parts)
    disputes = parts.runner(Disputes(parts.codec))
    found = DisputesReader(parts.store, disputes, parts.name)
    conclusions = parts.runner(Conclusions(parts.codec))
    candidates = CandidatesReader(parts.store.pool, conclusions, parts.name)
    clock_table = parts.runner(ClockTable(parts.codec, parts.packs))
    clocks = ClocksReader(parts.store.pool, clock_table)
    add = together(
        AssessmentServicer(parts, assessment, reader).add_to,
        IntakeServicer(parts, assessment, registers, register).add_to,
        AssessorServicer(parts, registers, register).add_to,
        AssignmentServicer(parts, Assigning(parts, assessment, register)).add_to,
        OnSiteServicer(parts, assessment).add_to,
        ObjectionServicer(parts, assessment, found).add_to,
        ReviewServicer(parts, assessment, found).add_to,
        AppealServicer(parts, assessment, found).add_to,
        ReassessmentServicer(parts, assessment).add_to,
        InspectionServicer(parts, Inspection(parts, candidates)).add_to,
        ClockServicer(parts, assessment, clocks).add_to,
    )
    return Registration(
        add=add,
        runners=[applications, lists, disputes, conclusions, clock_table],
        states=STATES,
        measures=[partial(clocks.tell, parts.name, parts.clock)],
    )


if __name__ == "__main__":
    run_service("assessment", assessment_codec, build)
