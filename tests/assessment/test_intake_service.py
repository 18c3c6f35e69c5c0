"""From a service point to the changed grade over real gRPC and real PostgreSQL."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ltci.assessment.v1 import assessment_service_pb2 as pb
from ltci.assessment.v1 import (
    assessment_service_pb2_grpc,
    assessor_service_pb2_grpc,
    assignment_service_pb2_grpc,
    intake_service_pb2_grpc,
    on_site_service_pb2_grpc,
)
from ltci.assessment.v1 import assessment_types_pb2 as types
from ltci.assessment.v1 import assessor_service_pb2 as registers
from ltci.assessment.v1 import assignment_service_pb2 as drawing
from ltci.assessment.v1 import intake_service_pb2 as intake
from ltci.assessment.v1 import intake_types_pb2 as words
from ltci.assessment.v1 import on_site_service_pb2 as site
from typer.testing import CliRunner

from cli.__main__ import app
from cli.draw.commands import exported
from cli.draw.recompute import faults
from cli.imports.run import run_import
from kernel.config import ROOT
from kernel.eventstore.codec import Codec
from kernel.identity_numbers import is_social_credit_code
from kernel.ids import derive
from kernel.replay import raw_fact
from kernel.rules.ruling import Ruling
from services.assessment.__main__ import build
from services.assessment.codec import assessment_codec
from services.assessment.replay import DECISIONS
from tests.assessment.forms import bedridden
from tests.assessment.test_service import (
    NOBODY,
    SOMEBODY,
    Office,
    form,
    request_id,
    submission,
)
from tests.support.letters import letters_in
from tests.support.packs import CHANGZHOU, pack
from tests.support.people import person
from tests.support.service import refused, running

TODAY = "2024-07-01"


class Desk(Office):
    """Assessment with all of its services."""

    @property
    def intake(self) -> Any:
        return intake_service_pb2_grpc.IntakeServiceStub(self.service.channel)

    @property
    def assessors(self) -> Any:
        return assessor_service_pb2_grpc.AssessorServiceStub(self.service.channel)

    @property
    def assignment(self) -> Any:
        return assignment_service_pb2_grpc.AssignmentServiceStub(self.service.channel)

    @property
    def site(self) -> Any:
        return on_site_service_pb2_grpc.OnSiteServiceStub(self.service.channel)

    @property
    def codec(self) -> Codec:
        return self.service.service.parts.codec


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with running("assessment", database_url, tmp_path, assessment_codec, build) as service:
        yield Desk(service, assessment_service_pb2_grpc.AssessmentServiceStub(service.channel))


def point(**changes: Any) -> Any:
    told: dict[str, Any] = {
        "pool": CHANGZHOU,
        "code": "V-017",
        "point_name": "村服务点",
        "level": words.SERVICE_POINT_LEVEL_VILLAGE,
        "point_kind": words.SERVICE_POINT_KIND_MOBILE,
        "division": "320402",
        "opened_date": "2024-01-01",
        "request_id": request_id("point"),
    }
    return intake.RegisterServicePointRequest(**(told | changes))


def self_assessment(answer: Any) -> list[Any]:
    items = ("feeding", "continence", "bathing", "dressing", "toilet", "transfer")
    return [words.SelfAssessmentItem(item=item, answer=answer) for item in items]


def assignment(application: str, name: str = "assign", **changes: Any) -> Any:
    told: dict[str, Any] = {
        "application": application,
        "division": "320402",
        "assignment_round": words.ASSIGNMENT_ROUND_FIRST,
        "request_id": request_id(name),
    }
    return drawing.AssignAssessorsRequest(**(told | changes))


def terminate(application: str, **changes: Any) -> Any:
    told: dict[str, Any] = {
        "application": application,
        "reason": words.TERMINATION_REASON_UNREACHABLE,
        "terminated_date": TODAY,
        "request_id": request_id("terminate"),
    }
    return site.TerminateAssessmentRequest(**(told | changes))


def settlement(application: str, **changes: Any) -> Any:
    told: dict[str, Any] = {
        "application": application,
        "item": "adl_bathing",
        "score": 5,
        "reason": "seen together",
        "settled_by": words.SETTLED_BY_AGREEMENT,
        "assessor": "assessor-1",
        "settled_date": "2024-03-19",
        "request_id": request_id("settle"),
    }
    return site.SettleItemRequest(**(told | changes))


def change(application: str, **changes: Any) -> Any:
    told: dict[str, Any] = {
        "application": application,
        "grade": 4,
        "reason": "the film shows more",
        "expert": "expert-9",
        "changed_date": "2024-03-20",
        "request_id": request_id("change"),
    }
    return site.ChangeGradeRequest(**(told | changes))


async def all_again(desk: Desk) -> set[str]:
    """Every decision is made again; the types of those there were."""
    events = await desk.service.events_after(0)
    by_position = {event.position: event for event in events}
    seen = set()
    for event in events:
        if event.type not in DECISIONS:
            continue
        decided: Any = desk.codec.decode_clear(event.type, event.payload)
        ruling = Ruling.parse(decided.ruling)
        facts = [raw_fact("assessment", by_position[ref.position]) for ref in ruling.facts]
        assert all(ref.position < event.position for ref in ruling.facts)
        assert DECISIONS[event.type](event.payload, facts, pack(ruling.pool)) == decided.ruling
        seen.add(event.type.partition("/")[0].rpartition(".")[2])
    return seen


async def test_an_assisted_application_says_where_and_how_it_came_in(desk: Desk) -> None:
    registered = await desk.intake.RegisterServicePoint(point())
    await desk.service.caught_up()
    listed = await desk.intake.ListServicePoints(intake.ListServicePointsRequest(pool=CHANGZHOU))
    assert list(listed.service_points) == [registered]

    told = await desk.stub.SubmitApplication(
        submission(
            applicant_kind=words.APPLICANT_KIND_AGENT,
            agent_relation="child",
            channel=words.APPLICATION_CHANNEL_SERVICE_POINT,
            service_point=registered.service_point,
            self_assessment=self_assessment(words.SELF_CARE_DEPENDENT),
            rechecked=self_assessment(words.SELF_CARE_PARTLY),
            operator="op-1",
        )
    )

    assert told.intake == pb.Intake(
        applicant_kind=words.APPLICANT_KIND_AGENT,
        channel=words.APPLICATION_CHANNEL_SERVICE_POINT,
        service_point=registered.service_point,
        self_grade="G",
        rechecked_self_grade="A",
    )
    problem = await refused(
        desk.stub.SubmitApplication(
            submission(
                "elsewhere",
                person=NOBODY,
                channel=words.APPLICATION_CHANNEL_SERVICE_POINT,
                service_point=NOBODY,
            )
        )
    )
    assert [(v.field, v.reason) for v in problem.violations] == [
        ("service_point", "UNKNOWN_SERVICE_POINT")
    ]


async def test_a_refusal_by_law_is_recorded_with_its_ruling(desk: Desk) -> None:
    early = await desk.stub.SubmitApplication(submission(disabled_since_date="2024-01-01"))
    assert (early.state, list(early.reasons)) == (
        types.APPLICATION_STATE_REFUSED,
        ["DISABLED_TOO_SHORT"],
    )
    broken = (await desk.stub.SubmitApplication(submission("again"))).application
    ended = await desk.site.TerminateAssessment(terminate(broken))
    assert ended.state == types.APPLICATION_STATE_TERMINATED
    assert ended.termination.terminated_date == TODAY
    soon = await desk.stub.SubmitApplication(submission("soon", application_date=TODAY))
    assert list(soon.reasons) == ["TOO_SOON_AFTER_LAST"]
    assert await all_again(desk) == {
        "ApplicationRefused",
        "ApplicationAccepted",
        "AssessmentTerminated",
    }
    told = letters_in(await desk.service.events_after(0))
    assert [letter.event.kind for letter in told] == [
        "refusal",
        "acceptance",
        "termination",
        "refusal",
    ]
    assert all(letter.event.ruling_hash for letter in told)
    assert told[2].document["title"]["zh"] == "失能等级评估终止通知书"


async def test_differing_forms_are_settled_and_the_grade_changed(desk: Desk) -> None:
    application = (await desk.stub.SubmitApplication(submission())).application
    await desk.stub.RecordOnSite(form(application, "assessor-1"))
    await desk.stub.RecordOnSite(form(application, "expert-1", bedridden(adl_bathing=5)))

    graded = await desk.site.SettleItem(settlement(application))
    assert (graded.state, graded.grade) == (types.APPLICATION_STATE_GRADED, 3)
    assert [one.settled_score for one in graded.differences] == [5]
    changed = await desk.site.ChangeGrade(change(application))

    assert (changed.grade, changed.grade_eligible) == (4, True)
    assert (changed.grade_change.computed_grade, changed.grade_change.expert) == (3, "expert-9")
    assert await all_again(desk) == {"ApplicationAccepted", "AssessmentGraded", "GradeChanged"}


BODIES = f"""\
pool,social_credit_code,body_name,operating_since_date,\
agreement_start_date,agreement_end_date,division,delivers_care
{CHANGZHOU},{{code}},评估中心,2020-01-01,2024-01-01,2025-12-31,320402,no
{CHANGZHOU},{{other}},护理院,2020-01-01,2024-01-01,2025-12-31,320402,yes
"""
ASSESSORS = """\
pool,assessor,identity_number,full_name,assessor_kind,social_credit_code,title,\
practice_since_date,trained_date,examined_date,division,registered_date"""


def assessors_csv(code: str) -> str:
    rows = [ASSESSORS]
    for n, name in enumerate(("assessor-1", "assessor-2", "assessor-3", "expert-1", "expert-2")):
        kind = name.partition("-")[0]
        title = "senior" if kind == "expert" else "none"
        rows.append(
            f"{CHANGZHOU},{name},{person(n).identity_number},某某,{kind},{code},{title},"
            "2015-01-01,2023-01-01,2023-02-01,320402,2024-02-01"
        )
    young = f"{CHANGZHOU},assessor-9,{person(9).identity_number},某某,assessor,{code},none,"
    rows.append(young + "2024-01-01,2024-01-01,2024-01-01,320402,2024-02-01")
    return "\n".join(rows) + "\n"


class Wired:
    """What the imports and `ltci draw` need of a connection, on the test's own service."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.assessors, self.assignment = desk.assessors, desk.assignment

    def clock(self) -> Any:
        return self._desk.service.service.parts.clock

    def channel(self, _service: str) -> Any:
        return self._desk.service.channel


async def test_people_are_drawn_and_anybody_can_draw_again(desk: Desk, tmp_path: Path) -> None:
    wired: Any = Wired(desk)
    code, other = credit_codes()
    bodies, people = tmp_path / "bodies.csv", tmp_path / "people.csv"
    bodies.write_text(BODIES.format(code=code, other=other), encoding="utf-8")
    people.write_text(assessors_csv(code), encoding="utf-8")
    report = await run_import(wired, "assessment-bodies", bodies)
    assert (report.recorded, [fault.reason for fault in report.bad]) == (1, ["NOT_INDEPENDENT"])
    report = await run_import(wired, "assessors", people)
    assert [(fault.line, fault.reason) for fault in report.bad] == [(7, "EXPERIENCE_TOO_SHORT")]
    again = await run_import(wired, "assessors", people)
    assert (again.recorded, again.bad_rows) == (5, 1)
    await desk.service.caught_up()
    listed = await desk.assessors.ListAssessors(
        registers.ListAssessorsRequest(pool=CHANGZHOU, page_size=4)
    )
    rest = await desk.assessors.ListAssessors(
        registers.ListAssessorsRequest(
            pool=CHANGZHOU, page_size=4, page_token=listed.next_page_token
        )
    )
    assert [one.assessor for one in (*listed.assessors, *rest.assessors)][-1] == "expert-2"

    application = (await desk.stub.SubmitApplication(submission())).application
    assigned = await desk.assignment.AssignAssessors(assignment(application))
    same = await desk.assignment.AssignAssessors(assignment(application, "once more"))
    assert same == assigned
    expert, lay = (one.assessor for one in assigned.assigned)
    stranger = next(n for n in ("assessor-1", "assessor-2", "assessor-3") if n != lay)
    problem = await refused(desk.stub.RecordOnSite(form(application, stranger)))
    assert problem.reason == "NOT_ASSIGNED"
    replaced = await desk.assignment.ReplaceAssessor(
        drawing.ReplaceAssessorRequest(
            application=application,
            assessor=lay,
            replacement_cause=words.REPLACEMENT_CAUSE_REFUSED,
            division="320402",
            request_id=request_id("replace"),
        )
    )
    assert replaced.assigned[0].assessor == expert
    for one in replaced.assigned:
        await desk.stub.RecordOnSite(form(application, one.assessor))
    assert await all_again(desk) >= {"AssessorsAssigned", "AssessorReplaced", "AssessmentGraded"}
    kinds = [one.type.partition("/")[0].rpartition(".")[2] for one in
             await desk.service.events_after(0)]  # fmt: skip
    assert kinds.index("DrawSeedCommitted") < kinds.index("AssessorsAssigned")

    early = drawing.RevealDrawSeedRequest(
        pool=CHANGZHOU, drawn_date=TODAY, request_id=request_id("reveal")
    )
    assert (await refused(desk.assignment.RevealDrawSeed(early))).reason == "DAY_NOT_OVER"
    desk.service.set_day(date(2024, 7, 2))
    told = await exported(wired, CHANGZHOU, date(2024, 7, 1), reveal=True)
    assert [one["draw"]["number"] for one in told["draws"]] == [1, 2]
    check_outside(told, tmp_path)


def check_outside(told: dict[str, Any], folder: Path) -> None:
    """The command and the script that shares no code find the same, and what was altered."""
    assert faults(told) == []
    other = json.loads(json.dumps(told))
    first = other["draws"][0]["draw"]
    first["candidates"][0]["weight"] += 500
    first["drawn"].reverse()
    for name, day, code in (("good", told, 0), ("bad", other, 1)):
        file = folder / f"{name}.json"
        file.write_text(json.dumps(day), encoding="utf-8")
        assert CliRunner().invoke(app, ["draw", "check", str(file), "--json"]).exit_code == code
        script = [sys.executable, str(ROOT / "docs" / "check_draw.py"), str(file)]
        assert subprocess.run(script, capture_output=True, check=False).returncode == code
    unread = CliRunner().invoke(app, ["draw", "check", str(folder / "none.json")])
    assert unread.exit_code == 2


def credit_codes() -> tuple[str, str]:
    """Two sound codes of organisations that do not exist."""
    signs = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    found = [
        f"91320400MA1TEXT{n}A{last}"
        for n in "01"
        for last in signs
        if is_social_credit_code(f"91320400MA1TEXT{n}A{last}")
    ]
    return found[0], found[-1]


BAD_INPUT: list[tuple[str, str, Any, str, str]] = [
    ("intake", "RegisterServicePoint", point(code="南 1"), "code", "WRONG_FORM"),
    ("intake", "RegisterServicePoint", point(level=0), "level", "REQUIRED"),
    ("intake", "RegisterServicePoint", point(division="3204"), "division", "WRONG_FORM"),
    (
        "intake",
        "RecheckSelfAssessment",
        intake.RecheckSelfAssessmentRequest(
            application=NOBODY, operator="op", rechecked_date=TODAY, request_id=NOBODY
        ),
        "items",
        "REQUIRED",
    ),
    ("site", "SettleItem", settlement(NOBODY, settled_by=0), "settled_by", "REQUIRED"),
    ("site", "SettleItem", settlement(NOBODY, reason=" "), "reason", "REQUIRED"),
    ("site", "ChangeGrade", change(NOBODY, grade=6), "grade", "OUT_OF_RANGE"),
    ("site", "ChangeGrade", change(NOBODY, expert=person(1).identity_number), "expert", "PERSONAL"),
    ("site", "TerminateAssessment", terminate(NOBODY, reason=0), "reason", "REQUIRED"),
    (
        "site",
        "TerminateAssessment",
        terminate(NOBODY, terminated_date="2024-07-02"),
        "terminated_date",
        "DATE_IN_FUTURE",
    ),
    ("assignment", "AssignAssessors", assignment(NOBODY, division=""), "division", "REQUIRED"),
    (
        "assignment",
        "AssignAssessors",
        assignment(NOBODY, providers=["x"]),
        "providers[0]",
        "NOT_A_UUID",
    ),
    (
        "assignment",
        "CommitDrawSeed",
        drawing.CommitDrawSeedRequest(
            pool=CHANGZHOU, drawn_date="2024-06-30", request_id=request_id("late")
        ),
        "drawn_date",
        "DATE_IN_PAST",
    ),
    (
        "assessors",
        "DeclareTie",
        registers.DeclareTieRequest(
            pool=CHANGZHOU,
            assessor="a",
            tie_kind=words.TIE_KIND_RELATIVE,
            provider=NOBODY,
            tied_person=SOMEBODY,
            declared_date=TODAY,
            request_id=NOBODY,
        ),
        "provider",
        "NOT_WITH_THIS_TIE",
    ),
    (
        "assessors",
        "BarAssessor",
        registers.BarAssessorRequest(
            pool=CHANGZHOU,
            assessor="a",
            start_date="2024-07-02",
            end_date="2024-07-01",
            cause="x",
            request_id=NOBODY,
        ),
        "end_date",
        "ENDS_BEFORE_START",
    ),
    ("assessors", "ListBodies", registers.ListBodiesRequest(pool="1"), "pool", "UNKNOWN_POOL"),
    (
        "stub",
        "SubmitApplication",
        submission(service_point=NOBODY),
        "service_point",
        "NOT_WITH_THIS_CHANNEL",
    ),
    (
        "stub",
        "SubmitApplication",
        submission(rechecked=self_assessment(words.SELF_CARE_PARTLY)),
        "operator",
        "REQUIRED",
    ),
    (
        "stub",
        "SubmitApplication",
        submission(self_assessment=self_assessment(words.SELF_CARE_PARTLY)[:5]),
        "self_assessment",
        "ITEMS_MISSING",
    ),
]


async def test_bad_input_is_told_by_field_and_stores_nothing(desk: Desk) -> None:
    for service, method, request, field, reason in BAD_INPUT:
        problem = await refused(getattr(getattr(desk, service), method)(request))
        told = [(v.field, v.reason) for v in problem.violations]
        assert (problem.code, told) == ("INVALID_ARGUMENT", [(field, reason)]), method
        assert all(v.message and v.message_zh for v in problem.violations)
    assert await desk.service.head() == 0


async def test_names_of_assessors_are_sealed_and_never_told(desk: Desk) -> None:
    await desk.assessors.RegisterAssessor(
        registers.RegisterAssessorRequest(
            pool=CHANGZHOU,
            assessor="expert-1",
            identity_number=person(1).identity_number,
            full_name="某专家",
            assessor_kind=types.ASSESSOR_KIND_EXPERT,
            title=words.PROFESSIONAL_TITLE_SENIOR,
            practice_since_date="2015-01-01",
            trained_date="2023-01-01",
            examined_date="2023-02-01",
            division="320402",
            registered_date="2024-02-01",
            request_id=request_id("register"),
        )
    )
    [event] = await desk.service.events_after(0)
    assert "某专家".encode() not in event.payload
    assert (await desk.codec.decode(event)).full_name == "某专家"
    unknown = registers.BarAssessorRequest(
        pool=CHANGZHOU,
        assessor="nobody",
        start_date=TODAY,
        cause="x",
        request_id=str(derive("test", "bar")),
    )
    problem = await refused(desk.assessors.BarAssessor(unknown))
    assert (problem.code, problem.reason) == ("NOT_FOUND", "ASSESSOR_UNKNOWN")
