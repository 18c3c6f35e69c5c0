"""What may happen to an application, and when (评估管理). Pure: no clock, no I/O.

Source: 医保发〔2023〕29号 and local rules; the figures stand in the pool's pack. `today` of a
command is the business day; money depends on none of the days that come from it.
Each part of the procedure is a module: `submission`, `on_site`, `grade_change`, `termination`,
`conclusion`; drawing people is `assignment`, which needs the pool's database besides.
"""

from typing import assert_never

from kernel.refusal import NotFound
from kernel.rules.pack import Pack
from services.assessment.domain import conclusion, grade_change, on_site, submission, termination
from services.assessment.domain import events as e
from services.assessment.domain.applicant import Applicant
from services.assessment.domain.conclusion import (
    ConfirmConclusion,
    DeliverConclusion,
    PublishConclusion,
)
from services.assessment.domain.grade_change import ChangeGrade
from services.assessment.domain.on_site import RecordOnSite, SettleItem
from services.assessment.domain.submission import (
    RecheckSelfAssessment,
    RefuseApplication,
    SubmitApplication,
    SupplyPapers,
    WithdrawApplication,
)
from services.assessment.domain.termination import TerminateAssessment

Command = (
    SubmitApplication
    | SupplyPapers
    | WithdrawApplication
    | RefuseApplication
    | RecordOnSite
    | ConfirmConclusion
    | PublishConclusion
    | DeliverConclusion
    | RecheckSelfAssessment
    | SettleItem
    | ChangeGrade
    | TerminateAssessment
)


def decide(  # noqa: C901, PLR0912 - one line a command
    command: Command, applicant: Applicant, pack: Pack
) -> list[e.Event]:
    """What the command makes happen: nothing, where it was obeyed before."""
    if isinstance(command, SubmitApplication):
        return submission.submit(command, applicant, pack)
    one = applicant.applications.get(command.application)
    if one is None:
        raise NotFound("application", command.application)
    match command:
        case SupplyPapers():
            return submission.supply(command, one, applicant, pack)
        case WithdrawApplication():
            return submission.withdraw(command, one)
        case RefuseApplication():
            return submission.refuse(command, one, applicant, pack)
        case RecordOnSite():
            return on_site.record(command, one, pack)
        case ConfirmConclusion():
            return conclusion.confirm(command, one, pack)
        case PublishConclusion():
            return conclusion.publish(command, one, pack)
        case DeliverConclusion():
            return conclusion.deliver(command, one, pack)
        case RecheckSelfAssessment():
            return submission.recheck(command, one, applicant, pack)
        case SettleItem():
            return on_site.settle(command, one, pack)
        case ChangeGrade():
            return grade_change.change(command, one, pack)
        case TerminateAssessment():
            return termination.terminate(command, one, pack)
        case _:
            assert_never(command)
