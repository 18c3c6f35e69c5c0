"""Runs assessment: `python -m services.assessment`."""

from collections.abc import Sequence

import grpc

from kernel.service import Parts, Registration, run_service
from services.assessment.application import Assessment
from services.assessment.assigning import Assigning
from services.assessment.codec import assessment_codec
from services.assessment.projections import Applications, ApplicationsReader
from services.assessment.register_lists import RegisterLists, RegisterReader
from services.assessment.registers import Registers
from services.assessment.rpc import AssessmentServicer
from services.assessment.rpc_assignment import AssignmentServicer
from services.assessment.rpc_intake import IntakeServicer, OnSiteServicer
from services.assessment.rpc_registers import AssessorServicer
from services.assessment.states import STATES


def build(parts: Parts) -> Registration:
    """The service out of its opened parts."""
    applications = parts.runner(Applications(parts.codec))
    lists = parts.runner(RegisterLists(parts.codec))
    reader = ApplicationsReader(parts.store.pool, applications)
    register = RegisterReader(parts.store, lists)
    assessment, registers = Assessment(parts, reader.find, applications), Registers(parts)
    servicers = (
        AssessmentServicer(parts, assessment, reader),
        IntakeServicer(parts, assessment, registers, register),
        AssessorServicer(parts, registers, register),
        AssignmentServicer(parts, Assigning(parts, assessment, register)),
        OnSiteServicer(parts, assessment),
    )

    def add(server: grpc.aio.Server) -> Sequence[str]:
        return [name for servicer in servicers for name in servicer.add_to(server)]

    return Registration(add=add, runners=[applications, lists], states=STATES)


if __name__ == "__main__":
    run_service("assessment", assessment_codec, build)
