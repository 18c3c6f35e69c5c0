"""What may happen to an application, and when (评估管理). Pure: no clock, no I/O.

Source: 医保发〔2023〕29号 and local rules; the figures stand in the pool's pack. `today` of a
command is the business day; money depends on none of the days that come from it.
Each part of the procedure is a module: `submission`, `on_site`, `grade_change`, `termination`,
`conclusion`; what may follow a grade: `objection`, `review`, `appeal`, `reassessment_outcome`; the
clocks of it all: `timekeeping`. Drawing people is `assignment`, which needs the pool's database.
"""

from collections.abc import Sequence
from typing import assert_never

from kernel.refusal import NotFound
from kernel.rules.pack import Pack
from services.assessment.domain import (
    appeal,
    conclusion,
    grade_change,
    objection,
    on_site,
    reassessment_outcome,
    review,
    submission,
    termination,
    timekeeping,
)
from services.assessment.domain.appeal import DecideAppeal, FileAppeal
from services.assessment.domain.applicant import Applicant, Application, Recorded
from services.assessment.domain.conclusion import (
    ConfirmConclusion,
    DeliverConclusion,
    PublishConclusion,
)
from services.assessment.domain.grade_change import ChangeGrade
from services.assessment.domain.objection import DecideObjection, FileObjection
from services.assessment.domain.on_site import RecordOnSite, SettleItem
from services.assessment.domain.reassessment_outcome import RefuseReassessment
from services.assessment.domain.review import (
    ConfirmReview,
    DeliverReview,
    PublishReview,
    RecordReviewForm,
    RequestReview,
)
from services.assessment.domain.submission import (
    RecheckSelfAssessment,
    RefuseApplication,
    SubmitApplication,
    SupplyPapers,
    WithdrawApplication,
)
from services.assessment.domain.termination import TerminateAssessment
from services.assessment.domain.timekeeping import NoteClock, PauseClock, ResumeClock, Timekeeping

DisputeCommand = (
    FileObjection
    | DecideObjection
    | RequestReview
    | RecordReviewForm
    | ConfirmReview
    | PublishReview
    | DeliverReview
    | FileAppeal
    | DecideAppeal
    | RefuseReassessment
)
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
    | DisputeCommand
    | Timekeeping
)


def decide(  # noqa: C901, PLR0912 - one line a command
    command: Command, applicant: Applicant, pack: Pack
) -> Sequence[Recorded]:
    """What the command makes happen: nothing, where it was obeyed before."""
    if isinstance(command, SubmitApplication):
        return submission.submit(command, applicant, pack)
    one = applicant.applications.get(command.application)
    if one is None:
        raise NotFound("application", command.application)
    if isinstance(command, DisputeCommand):
        return _dispute(command, one, applicant, pack)
    match command:
        case SupplyPapers():
            return submission.supply(command, one, applicant, pack)
        case WithdrawApplication():
            return submission.withdraw(command, applicant.as_on(one, pack, command.today))
        case RefuseApplication():
            return submission.refuse(command, one, applicant, pack)
        case RecordOnSite():
            return on_site.record(command, one, pack)
        case ConfirmConclusion():
            return conclusion.confirm(command, one, pack)
        case PublishConclusion():
            return conclusion.publish(command, one, pack)
        case DeliverConclusion():
            return conclusion.deliver(command, one, applicant, pack)
        case RecheckSelfAssessment():
            return submission.recheck(command, one, applicant, pack)
        case SettleItem():
            return on_site.settle(command, one, pack)
        case ChangeGrade():
            return grade_change.change(command, one, pack)
        case TerminateAssessment():
            return termination.terminate(command, one, pack)
        case PauseClock() | ResumeClock() | NoteClock():
            return timekeeping.decide(command, one.person, applicant.clocks, pack)
        case _:
            assert_never(command)


def _dispute(  # noqa: C901 - one line a command
    command: DisputeCommand, one: Application, applicant: Applicant, pack: Pack
) -> Sequence[Recorded]:
    disputed = applicant.disputed(one.application)
    match command:
        case FileObjection():
            return objection.file(command, one, disputed, pack)
        case DecideObjection():
            return objection.decide(command, one, disputed, pack)
        case RequestReview():
            return review.request(command, one, disputed, pack)
        case RecordReviewForm():
            return review.record(command, one, disputed, pack)
        case ConfirmReview():
            return review.confirm(command, one, disputed, pack)
        case PublishReview():
            return review.publish(command, one, disputed, pack)
        case DeliverReview():
            return review.deliver(command, one, disputed, pack)
        case FileAppeal():
            return appeal.file(command, one, disputed, pack)
        case DecideAppeal():
            return appeal.decide(command, one, disputed, pack)
        case RefuseReassessment():
            return reassessment_outcome.refuse(command, one, applicant, pack)
        case _:
            assert_never(command)
