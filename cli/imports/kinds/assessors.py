"""The files of assessment bodies (定点评估机构) and of the database of assessors (评估人员库)."""

from ltci.assessment.v1 import assessment_types_pb2 as types
from ltci.assessment.v1 import assessor_service_pb2 as assessors
from ltci.assessment.v1 import intake_types_pb2 as words

from cli.imports import cells
from cli.imports.kinds.kind import Column, Kind, Single, Step, Values, at_day

_POOL = Column(name="pool", read=cells.pool)
_DIVISION = Column(name="division", read=cells.text(6))


def _designation(values: Values) -> tuple[Step, ...]:
    step = Step(
        name="",
        due=cells.START_OF_TIME,
        service="assessors",
        method="DesignateBody",
        request=lambda request_id, _made: assessors.DesignateBodyRequest(
            pool=values["pool"],
            body_name=values["body_name"],
            social_credit_code=values["social_credit_code"],
            operating_since_date=str(values["operating_since_date"]),
            agreement_start_date=str(values["agreement_start_date"]),
            agreement_end_date=str(values["agreement_end_date"]),
            division=values["division"],
            delivers_care=values.get("delivers_care") == "yes",
            runs_scheme=values.get("runs_scheme") == "yes",
            request_id=request_id,
        ),
    )
    return (step,)


def _registration(values: Values) -> tuple[Step, ...]:
    step = Step(
        name="",
        due=at_day(values["registered_date"]),
        service="assessors",
        method="RegisterAssessor",
        request=lambda request_id, _made: assessors.RegisterAssessorRequest(
            pool=values["pool"],
            assessor=values["assessor"],
            identity_number=values["identity_number"],
            full_name=values["full_name"],
            assessor_kind=values["assessor_kind"],
            social_credit_code=values.get("social_credit_code", ""),
            title=values["title"],
            practice_since_date=str(values["practice_since_date"]),
            trained_date=str(values.get("trained_date", "")),
            examined_date=str(values.get("examined_date", "")),
            division=values["division"],
            registered_date=str(values["registered_date"]),
            request_id=request_id,
        ),
    )
    return (step,)


BODIES = Kind(
    name="assessment-bodies",
    title="assessment bodies and their agreements",
    title_zh="定点评估机构及协议",
    columns=(
        _POOL,
        Column(name="social_credit_code", read=cells.credit_code),
        Column(name="body_name", read=cells.text(100)),
        Column(name="operating_since_date", read=cells.day, past=True),
        Column(name="agreement_start_date", read=cells.day),
        Column(name="agreement_end_date", read=cells.day),
        _DIVISION,
        Column(name="delivers_care", read=cells.one_of("yes", "no"), required=False),
        Column(name="runs_scheme", read=cells.one_of("yes", "no"), required=False),
    ),
    delivery=Single(lane=("social_credit_code",), steps=_designation),
)

ASSESSORS = Kind(
    name="assessors",
    title="assessors and experts of a pool's database",
    title_zh="评估员和评估专家",
    columns=(
        _POOL,
        Column(name="assessor", read=cells.text(64)),
        Column(name="identity_number", read=cells.identity_number, personal=True),
        Column(name="full_name", read=cells.text(100), personal=True),
        Column(name="assessor_kind", read=cells.word(types.AssessorKind, "ASSESSOR_KIND_")),
        Column(name="social_credit_code", read=cells.credit_code, required=False),
        Column(name="title", read=cells.word(words.ProfessionalTitle, "PROFESSIONAL_TITLE_")),
        Column(name="practice_since_date", read=cells.day, past=True),
        Column(name="trained_date", read=cells.day, required=False),
        Column(name="examined_date", read=cells.day, required=False),
        _DIVISION,
        Column(name="registered_date", read=cells.day, past=True),
    ),
    delivery=Single(lane=("pool", "assessor"), steps=_registration),
)
