"""Appeals to a panel (申诉): the branch that outranks what comes by itself. Pure: no clock, no I/O.

The panel sees what its view would change before it decides; its decision names the digest of what
it saw. How a won appeal ranks against other conclusions is payment's to say.
"""

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from kernel.refusal import Invalid, NotFound, Refused, Violation
from kernel.rules.pack import Pack
from services.assessment.domain import appeal_ruling as r
from services.assessment.domain import dispute_events as d
from services.assessment.domain import events as e
from services.assessment.domain import grounds as g
from services.assessment.domain import terms
from services.assessment.domain.applicant import Application
from services.assessment.domain.dispute_events import AppealAgainst as Against
from services.assessment.domain.dispute_events import AppealOutcome as Outcome
from services.assessment.domain.disputed import Appeal, Disputed
from services.assessment.domain.order import not_before


@dataclass(frozen=True, kw_only=True)
class FileAppeal:
    application: UUID
    appeal: UUID
    against: Against
    statement: str
    attacked_clauses: tuple[str, ...]
    attacked_items: tuple[str, ...]
    filed_date: date


@dataclass(frozen=True, kw_only=True)
class DecideAppeal:
    """`grounds` are the facts on record."""

    application: UUID
    appeal: UUID
    outcome: Outcome
    grade: int | None
    effective_date: date | None
    panel: tuple[str, ...]
    decided_date: date
    preview_digest: str
    reasoning: str
    grounds: g.Grounds = field(default_factory=g.Grounds)


def file(
    command: FileAppeal, one: Application, disputed: Disputed, pack: Pack
) -> list[d.DisputeEvent]:
    """Refuses NOTHING_TO_APPEAL, APPEAL_RUNNING, APPEAL_TOO_LATE.

    Where the pool's time limit is not known the appeal is taken, and the event says so.
    """
    if command.appeal in disputed.appeals:
        return []
    g.check_items("attacked_items", command.attacked_items, pack)
    told = told_date(command.against, disputed)
    if told is None:
        raise Refused("NOTHING_TO_APPEAL", against=command.against, state=one.state)
    if disputed.open_appeal is not None:
        raise Refused("APPEAL_RUNNING", appeal=str(disputed.open_appeal.told.appeal))
    day = command.filed_date
    not_before("filed_date", day, told)
    limit = g.known_figure(pack, "assessment.appeal_days", told)
    until = limit.term().after(told) if limit else None
    if until is not None and day > until:
        raise Refused("APPEAL_TOO_LATE", file_by_date=str(until))
    time = g.known_figure(pack, "assessment.appeal_decision_days", day)
    return [
        d.AppealFiled(
            appeal=command.appeal,
            application=one.application,
            person=one.person,
            pool=one.pool,
            against=command.against,
            told_date=told,
            filed_date=day,
            file_by_date=until,
            due_date=time.term().after(day) if time else None,
            statement=command.statement,
            attacked_clauses=command.attacked_clauses,
            attacked_items=command.attacked_items,
        )
    ]


def decide(
    command: DecideAppeal, one: Application, disputed: Disputed, pack: Pack
) -> list[d.DisputeEvent | e.ConclusionDelivered]:
    """Refuses NotFound, DECIDED_ALREADY, PANEL_TOO_SMALL, PANEL_INVOLVED.

    An appeal that establishes a grade delivers the conclusion that says so. One against a refusal
    sets the refusal aside: the person may apply again at once.
    """
    appeal = find(command.appeal, disputed)
    if appeal.decided is not None:
        if _same(command, appeal.decided):
            return []
        raise Refused("DECIDED_ALREADY", outcome=appeal.decided.outcome)
    _check_view(command, appeal, one)
    panel = tuple(dict.fromkeys(command.panel))
    needed = pack.integer("assessment.appeal_panel", command.decided_date)
    if len(panel) < needed:
        raise Refused("PANEL_TOO_SMALL", members=str(len(panel)), required=str(needed))
    involved = sorted(set(panel) & set(disputed.involved))
    if involved:
        raise Refused("PANEL_INVOLVED", people=",".join(involved))
    decided = _decided(command, appeal, one, disputed, panel, pack)
    if command.grade is None or command.outcome is Outcome.DISMISSED:
        return [decided]
    assert command.effective_date is not None  # noqa: S101 - checked with the grade
    return [
        decided,
        conclusion(
            one, disputed, command.grade, command.effective_date, command.decided_date, pack
        ),
    ]


def conclusion(
    one: Application,
    disputed: Disputed,
    grade: int,
    effective: date,
    decided: date,
    pack: Pack,
) -> e.ConclusionDelivered:
    """What a panel's view would deliver; told before the decision too, for its preview."""
    before = disputed.newest
    return e.ConclusionDelivered(
        application=one.application,
        person=one.person,
        pool=one.pool,
        kind=one.kind,
        grade=grade,
        grade_eligible=grade in pack.integers("assessment.eligible_grades", decided),
        conclusion_date=decided,
        effective_date=effective,
        valid_until_date=terms.valid_until(pack, decided),
        delivered_date=decided,
        authority=e.Authority.APPEAL,
        round=before.round + 1 if before else 1,
        replaces_round=before.round if before else 0,
    )


def find(appeal: UUID, disputed: Disputed) -> Appeal:
    """The appeal. Refuses NotFound."""
    found = disputed.appeals.get(appeal)
    if found is None:
        raise NotFound("appeal", appeal)
    return found


def told_date(against: Against, disputed: Disputed) -> date | None:
    """The day what is appealed against was told; None where there is no such thing."""
    match against:
        case Against.CONCLUSION:
            return disputed.newest.delivered_date if disputed.newest else None
        case Against.REFUSAL:
            return disputed.refused
        case Against.REASSESSMENT_STOP:
            return disputed.stop.concluded_date if disputed.stop else None


def _check_view(command: DecideAppeal, appeal: Appeal, one: Application) -> None:
    """What the panel says fits what was appealed against. Refuses Invalid."""
    not_before("decided_date", command.decided_date, appeal.told.filed_date)
    found: list[Violation] = []

    def wrong(field: str, reason: str, words: str, words_zh: str) -> None:
        found.append(Violation(field, reason, words, words_zh))

    establishes = command.outcome is Outcome.UPHELD and appeal.told.against is not Against.REFUSAL
    given = {"grade": command.grade, "effective_date": command.effective_date}
    for name, value in given.items():
        if establishes and value is None:
            wrong(name, "REQUIRED", "must be given where the panel establishes a grade", "必填")
        if not establishes and value is not None:
            wrong(name, "NOT_WANTED", "must be empty: no grade is established here", "此处应为空")
    if establishes and not command.preview_digest:
        wrong(
            "preview_digest",
            "PREVIEW_MISSING",
            "must name the preview that the panel saw",
            "应填写合议组查看过的预览摘要",
        )
    if command.effective_date and command.effective_date < one.application_date:
        wrong("effective_date", "TOO_EARLY", "must not be before the application", "不得早于申请日")
    if found:
        raise Invalid(found)


def _decided(
    command: DecideAppeal,
    appeal: Appeal,
    one: Application,
    disputed: Disputed,
    panel: tuple[str, ...],
    pack: Pack,
) -> d.AppealDecided:
    told, before = appeal.told, disputed.newest
    question = r.Question(
        appeal=told.appeal,
        application=one.application,
        person=one.person,
        pool=one.pool,
        outcome=command.outcome,
        grade=command.grade,
        effective_date=command.effective_date,
        panel=panel,
        decided_date=command.decided_date,
        preview_digest=command.preview_digest,
    )
    facts = r.facts_for(told.appeal, command.grounds)
    ruling = r.rule(question, facts, pack, command.grounds.code_version)
    return d.AppealDecided(
        appeal=told.appeal,
        application=one.application,
        person=one.person,
        pool=one.pool,
        against=told.against,
        outcome=command.outcome,
        grade=command.grade,
        grade_before=before.grade if before else None,
        effective_date=command.effective_date,
        panel=panel,
        decided_date=command.decided_date,
        preview_digest=command.preview_digest,
        reasoning=command.reasoning,
        attacked_clauses=told.attacked_clauses,
        attacked_items=told.attacked_items,
        original_assessors=disputed.involved,
        ruling=ruling.to_bytes(),
    )


def _same(command: DecideAppeal, decided: d.AppealDecided) -> bool:
    return (command.outcome, command.grade, command.effective_date) == (
        decided.outcome,
        decided.grade,
        decided.effective_date,
    )
