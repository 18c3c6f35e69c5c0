"""The files that can be imported: their columns, and what a row asks of which service."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cached_property
from typing import Any

from google.protobuf.message import Message
from ltci.assessment.v1 import assessment_service_pb2 as assessment
from ltci.assessment.v1 import assessment_types_pb2 as assessment_types
from ltci.bank.v1 import bank_service_pb2 as bank
from ltci.enrollment.v1 import enrollment_service_pb2 as enrollment
from ltci.enrollment.v1 import enrollment_types_pb2 as enrollment_types
from ltci.payment.v1 import payment_service_pb2 as payment
from ltci.provider.v1 import caregiver_service_pb2 as caregivers
from ltci.provider.v1 import provider_service_pb2 as provider
from ltci.provider.v1 import provider_types_pb2 as provider_types

from cli.imports import cells
from cli.imports.cells import START_OF_TIME, Reader
from kernel.clock import SHANGHAI
from kernel.ids import derive
from kernel.rpc.validate import Check

Values = Mapping[str, Any]  # by column, as the column's reader gives them; empty cells are absent

# Secondary indicators in the order of the form. Source: 医保办发〔2021〕37号.
ITEMS = (
    "adl_feeding",
    "adl_dressing",
    "adl_face_oral",
    "adl_bowel",
    "adl_bladder",
    "adl_toilet",
    "adl_walking",
    "adl_transfer",
    "adl_stairs",
    "adl_bathing",
    "cog_time",
    "cog_person",
    "cog_space",
    "cog_memory",
    "per_vision",
    "per_hearing",
    "per_communication",
)


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column. An optional one may be missing from the header or empty in a row."""

    name: str
    read: Reader
    required: bool = True
    personal: bool = False
    past: bool = False  # a day or moment that must not lie in the future


@dataclass(frozen=True, kw_only=True)
class Step:
    """One call that a row asks for."""

    name: str  # empty where it is the only one
    due: datetime
    service: str
    method: str
    request: Callable[[str, str], Message]  # of the request id and what the first step made
    columns: tuple[str, ...] = ()  # what the call is about: together they name it
    made: str = ""  # field of the answer that later steps need


@dataclass(frozen=True, kw_only=True)
class Bulk:
    """Rows that go many in a message, each with its own answer."""

    service: str
    method: str
    message: Callable[..., Message]
    row: Callable[[Values, str], Message]
    due: Callable[[Values], datetime]


@dataclass(frozen=True, kw_only=True)
class Single:
    """Rows that go one by one; those of one lane in the order of the file."""

    lane: tuple[str, ...]
    steps: Callable[[Values], tuple[Step, ...]]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of file."""

    name: str
    title: str
    title_zh: str
    columns: tuple[Column, ...]
    delivery: Bulk | Single
    renamed: Mapping[str, str] = field(default_factory=dict)  # field of a request → column
    also: Callable[[Check, Values], None] | None = None  # what only several cells together tell
    identity: tuple[str, ...] = ()  # columns that name the row; all where none are given

    @property
    def required(self) -> list[str]:
        return [column.name for column in self.columns if column.required]

    @property
    def optional(self) -> list[str]:
        return [column.name for column in self.columns if not column.required]

    @cached_property
    def personal(self) -> frozenset[str]:
        return frozenset(column.name for column in self.columns if column.personal)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


def at_day(day: date) -> datetime:
    """The first moment of a business day."""
    return datetime.combine(day, time.min, SHANGHAI)


def _column(name: str, read: Reader, **more: bool) -> Column:
    return Column(name=name, read=read, **more)


_IDENTITY = _column("identity_number", cells.identity_number, personal=True)
_CREDIT_CODE = _column("social_credit_code", cells.credit_code)
_POOL = _column("pool", cells.pool)


def _at_once(service: str, method: str, request: Callable[[Values, str], Message]) -> Any:
    """The steps of a row that is one call and due at once."""
    return _on_day(service, method, request, "")


def _on_day(
    service: str, method: str, request: Callable[[Values, str], Message], column: str
) -> Callable[[Values], tuple[Step, ...]]:
    """The steps of a row that is one call and due on the day in a column."""

    def steps(values: Values) -> tuple[Step, ...]:
        due = at_day(values[column]) if column else START_OF_TIME
        return (
            Step(
                name="",
                due=due,
                service=service,
                method=method,
                request=lambda request_id, _made: request(values, request_id),
            ),
        )

    return steps


# -- persons, contributions, life events ----------------------------------------------------


def _person_row(values: Values, request_id: str) -> Message:
    return enrollment.PersonRow(
        person=enrollment.RegisterPersonRequest(
            identity_kind=values.get("identity_kind", enrollment_types.IDENTITY_KIND_RESIDENT),
            identity_number=values["identity_number"],
            full_name=values["full_name"],
            birth_date=str(values.get("birth_date", "")),
            phone=values.get("phone", ""),
            address=values.get("address", ""),
            registered_date=str(values["registered_date"]),
            request_id=request_id,
        ),
        coverage=enrollment.StartCoverageRequest(
            pool=values["pool"],
            group=values["group"],
            start_date=str(values["coverage_start_date"]),
            tier=values.get("tier", ""),
            statuses=values.get("statuses", ()),
            request_id=str(derive("coverage", request_id)),
        ),
    )


def _resident_number(check: Check, values: Values) -> None:
    resident = enrollment_types.IDENTITY_KIND_RESIDENT
    if values.get("identity_kind", resident) == resident:
        check.identity_number("identity_number", values["identity_number"])


PERSONS = Kind(
    name="persons",
    title="people with the coverage they start",
    title_zh="参保人及参保登记",
    columns=(
        _column("identity_number", cells.any_identity_number, personal=True),
        _column("full_name", cells.text(100), personal=True),
        _column("phone", cells.text(40), required=False, personal=True),
        _column("address", cells.text(300), required=False, personal=True),
        _POOL,
        _column("group", cells.word(enrollment_types.InsuredGroup, "INSURED_GROUP_")),
        _column("coverage_start_date", cells.day, past=True),
        _column("registered_date", cells.day, past=True),
        _column(
            "identity_kind",
            cells.word(enrollment_types.IdentityKind, "IDENTITY_KIND_"),
            required=False,
        ),
        _column("birth_date", cells.day, required=False, personal=True),
        _column("tier", cells.text(40), required=False),
        _column("statuses", cells.several, required=False),
    ),
    delivery=Bulk(
        service="enrollment",
        method="ImportPersons",
        message=enrollment.ImportPersonsRequest,
        row=_person_row,
        due=lambda v: at_day(max(v["registered_date"], v["coverage_start_date"])),
    ),
    renamed={"coverage.start_date": "coverage_start_date"},
    also=_resident_number,
)

CONTRIBUTIONS = Kind(
    name="contributions",
    title="contributions that came in",
    title_zh="缴费记录",
    columns=(
        _IDENTITY,
        _POOL,
        _column("source", cells.word(enrollment_types.ContributionSource, "CONTRIBUTION_SOURCE_")),
        _column("amount_yuan", cells.yuan(1)),
        _column("year", cells.whole(2000, 2100)),
        _column("paid_date", cells.day, past=True),
    ),
    delivery=Bulk(
        service="enrollment",
        method="ImportContributions",
        message=enrollment.ImportContributionsRequest,
        row=lambda v, request_id: enrollment.CollectContributionRequest(
            identity_number=v["identity_number"],
            pool=v["pool"],
            source=v["source"],
            amount_fen=v["amount_yuan"],
            year=v["year"],
            paid_date=str(v["paid_date"]),
            request_id=request_id,
        ),
        due=lambda v: at_day(v["paid_date"]),
    ),
    renamed={"amount_fen": "amount_yuan", "person": "identity_number"},
)

LIFE_EVENTS = Kind(
    name="life-events",
    title="deaths, admissions, discharges, moves",
    title_zh="死亡、住院、迁出等事件",
    columns=(
        _IDENTITY,
        _POOL,
        _column("kind", cells.word(enrollment_types.LifeEventKind, "LIFE_EVENT_KIND_")),
        _column("event_date", cells.day, past=True),
        _column("source", cells.word(enrollment_types.FactSource, "FACT_SOURCE_")),
    ),
    delivery=Single(
        lane=("identity_number",),
        steps=_on_day(
            "enrollment",
            "ReportLifeEvent",
            lambda v, request_id: enrollment.ReportLifeEventRequest(
                identity_number=v["identity_number"],
                pool=v["pool"],
                kind=v["kind"],
                event_date=str(v["event_date"]),
                source=v["source"],
                request_id=request_id,
            ),
            "event_date",
        ),
    ),
    renamed={"person": "identity_number"},
)


# -- applications ---------------------------------------------------------------------------

_APPLICATION = (
    "identity_number",
    "pool",
    "kind",
    "application_date",
    "disabled_since_date",
    "missing_papers",
    "agent_name",
)
_ON_SITE = ("assessed_date", "assessor", "expert", *ITEMS)
_CONFIRMATION = ("confirming_expert_1", "confirming_expert_2", "confirmed_date")


def _application_steps(values: Values) -> tuple[Step, ...]:
    """The submission first, then the other steps that the row has, by their days."""
    later = [
        *_papers_supplied(values),
        *_withdrawal(values),
        *_on_site(values),
        *_confirmations(values),
    ]
    return (_submission(values), *sorted(later, key=lambda step: step.due))


def _submission(values: Values) -> Step:
    return Step(
        name="submit",
        due=at_day(values["application_date"]),
        service="assessment",
        method="SubmitApplication",
        columns=_APPLICATION,
        made="application",
        request=lambda request_id, _: assessment.SubmitApplicationRequest(
            identity_number=values["identity_number"],
            pool=values["pool"],
            kind=values["kind"],
            application_date=str(values["application_date"]),
            disabled_since_date=str(values["disabled_since_date"]),
            missing_papers=values.get("missing_papers", ()),
            agent_name=values.get("agent_name", ""),
            request_id=request_id,
        ),
    )


def _papers_supplied(values: Values) -> Sequence[Step]:
    if "papers_supplied_date" not in values:
        return ()
    step = Step(
        name="supply papers",
        due=at_day(values["papers_supplied_date"]),
        service="assessment",
        method="SupplyPapers",
        columns=("papers_supplied_date",),
        request=lambda request_id, application: assessment.SupplyPapersRequest(
            application=application,
            received_date=str(values["papers_supplied_date"]),
            request_id=request_id,
        ),
    )
    return (step,)


def _withdrawal(values: Values) -> Sequence[Step]:
    if "withdrawn_date" not in values:
        return ()
    step = Step(
        name="withdraw",
        due=at_day(values["withdrawn_date"]),
        service="assessment",
        method="WithdrawApplication",
        columns=("withdrawn_date",),
        request=lambda request_id, application: assessment.WithdrawApplicationRequest(
            application=application,
            withdrawn_date=str(values["withdrawn_date"]),
            deemed=False,
            request_id=request_id,
        ),
    )
    return (step,)


def _on_site(values: Values) -> Sequence[Step]:
    """The two forms, the assessor's and the expert's, with the same scores."""
    if "assessed_date" not in values:
        return ()
    return tuple(
        Step(
            name=f"on-site form, {column}",
            due=at_day(values["assessed_date"]),
            service="assessment",
            method="RecordOnSite",
            columns=("assessed_date", column, *ITEMS),
            request=_form(values, column, kind),
        )
        for column, kind in (
            ("assessor", assessment_types.ASSESSOR_KIND_ASSESSOR),
            ("expert", assessment_types.ASSESSOR_KIND_EXPERT),
        )
    )


def _form(values: Values, column: str, kind: Any) -> Callable[[str, str], Message]:
    return lambda request_id, application: assessment.RecordOnSiteRequest(
        application=application,
        assessor=values[column],
        assessor_kind=kind,
        assessed_date=str(values["assessed_date"]),
        scores=[assessment_types.ItemScore(item=item, score=values[item]) for item in ITEMS],
        request_id=request_id,
    )


def _confirmations(values: Values) -> Sequence[Step]:
    if "confirmed_date" not in values:
        return ()
    return tuple(
        Step(
            name=f"confirmation, {column}",
            due=at_day(values["confirmed_date"]),
            service="assessment",
            method="ConfirmConclusion",
            columns=("confirmed_date", column),
            request=_confirmation(values, column),
        )
        for column in ("confirming_expert_1", "confirming_expert_2")
    )


def _confirmation(values: Values, column: str) -> Callable[[str, str], Message]:
    return lambda request_id, application: assessment.ConfirmConclusionRequest(
        application=application,
        expert=values[column],
        confirmed_date=str(values["confirmed_date"]),
        request_id=request_id,
    )


def _whole_steps(check: Check, values: Values) -> None:
    """A step is there with all of its columns or not at all."""
    for group in (_ON_SITE, _CONFIRMATION):
        given = [column for column in group if column in values]
        if given:
            for column in group:
                check.require(column, values.get(column))


APPLICATIONS = Kind(
    name="applications",
    title="applications with the steps of their assessment",
    title_zh="失能评估申请及评估各环节",
    columns=(
        _IDENTITY,
        _POOL,
        _column("kind", cells.word(assessment_types.ApplicationKind, "APPLICATION_KIND_")),
        _column("application_date", cells.day, past=True),
        _column("disabled_since_date", cells.day, past=True),
        _column("missing_papers", cells.several, required=False),
        _column("papers_supplied_date", cells.day, required=False, past=True),
        _column("withdrawn_date", cells.day, required=False, past=True),
        _column("assessed_date", cells.day, required=False, past=True),
        _column("assessor", cells.text(), required=False),
        _column("expert", cells.text(), required=False),
        *(_column(item, cells.whole(0, 100), required=False) for item in ITEMS),
        _column("confirming_expert_1", cells.text(), required=False),
        _column("confirming_expert_2", cells.text(), required=False),
        _column("confirmed_date", cells.day, required=False, past=True),
        _column("agent_name", cells.text(100), required=False, personal=True),
    ),
    delivery=Single(lane=("identity_number",), steps=_application_steps),
    renamed={"person": "identity_number", "received_date": "papers_supplied_date"},
    also=_whole_steps,
    identity=_APPLICATION,
)


# -- providers, prices, caregivers, plans, visits -------------------------------------------


def _agreement_in_order(check: Check, values: Values) -> None:
    check.in_order(
        "agreement_end_date", values["agreement_start_date"], values["agreement_end_date"]
    )


PROVIDERS = Kind(
    name="providers",
    title="designated care providers",
    title_zh="定点护理服务机构",
    columns=(
        _POOL,
        _column("provider_name", cells.text()),
        _CREDIT_CODE,
        _column("agreement_start_date", cells.day),
        _column("agreement_end_date", cells.day),
    ),
    delivery=Single(
        lane=("social_credit_code",),
        steps=_at_once(
            "provider",
            "AdmitProvider",
            lambda v, request_id: provider.AdmitProviderRequest(
                pool=v["pool"],
                provider_name=v["provider_name"],
                social_credit_code=v["social_credit_code"],
                agreement_start_date=str(v["agreement_start_date"]),
                agreement_end_date=str(v["agreement_end_date"]),
                request_id=request_id,
            ),
        ),
    ),
    also=_agreement_in_order,
)

PRICES = Kind(
    name="prices",
    title="prices of service items",
    title_zh="服务项目价格",
    columns=(
        _CREDIT_CODE,
        _column("item", cells.text(40)),
        _column("item_name", cells.text(100)),
        _column("price_yuan", cells.yuan()),
        _column("effective_date", cells.day),
        _column("minutes", cells.whole(0, 100_000), required=False),
        _column("care", cells.one_of("life", "medical"), required=False),
    ),
    delivery=Single(
        lane=("social_credit_code",),
        steps=_at_once(
            "provider",
            "SetPrice",
            lambda v, request_id: provider.SetPriceRequest(
                social_credit_code=v["social_credit_code"],
                item=v["item"],
                item_name=v["item_name"],
                price_fen=v["price_yuan"],
                effective_date=str(v["effective_date"]),
                minutes=v.get("minutes", 0),
                medical=v.get("care") == "medical",
                request_id=request_id,
            ),
        ),
    ),
    renamed={"price_fen": "price_yuan", "provider": "social_credit_code"},
)

CAREGIVERS = Kind(
    name="caregivers",
    title="caregivers on the register",
    title_zh="护理人员",
    columns=(
        _IDENTITY,
        _column("full_name", cells.text(100), personal=True),
        _CREDIT_CODE,
        _column("certificate", cells.text(60), required=False, personal=True),
        _column("registered_date", cells.day, past=True),
        _column("staff", cells.text(40), required=False),
    ),
    delivery=Single(
        lane=("identity_number",),
        steps=_on_day(
            "provider",
            "RegisterCaregiver",
            lambda v, request_id: provider.RegisterCaregiverRequest(
                identity_number=v["identity_number"],
                full_name=v["full_name"],
                social_credit_code=v["social_credit_code"],
                certificate=v.get("certificate", ""),
                registered_date=str(v["registered_date"]),
                staff=v.get("staff", ""),
                request_id=request_id,
            ),
            "registered_date",
        ),
    ),
    renamed={"provider": "social_credit_code", "caregiver": "identity_number"},
)


def _certified(check: Check, values: Values) -> None:
    if values["passed"] == "yes":
        check.require("certificate", values.get("certificate"))


EXAMINATION_RESULTS = Kind(
    name="examination-results",
    title="results of caregivers' examinations",
    title_zh="长期照护师技能等级考核结果",
    columns=(
        _IDENTITY,
        _column("level", cells.word(provider_types.CaregiverLevel, "CAREGIVER_LEVEL_")),
        _column("passed", cells.one_of("yes", "no")),
        _column("certificate", cells.text(60), required=False, personal=True),
        _column("exam_date", cells.day, past=True),
    ),
    delivery=Single(
        lane=("identity_number",),
        steps=_on_day(
            "caregivers",
            "RecordExamination",
            lambda v, request_id: caregivers.RecordExaminationRequest(
                identity_number=v["identity_number"],
                level=v["level"],
                passed=v["passed"] == "yes",
                certificate=v.get("certificate", ""),
                exam_date=str(v["exam_date"]),
                request_id=request_id,
            ),
            "exam_date",
        ),
    ),
    renamed={"caregiver": "identity_number"},
    also=_certified,
)


def _place(values: Values) -> provider_types.Place:
    return provider_types.Place(
        latitude_microdegrees=values["latitude"], longitude_microdegrees=values["longitude"]
    )


_PLACE = (_column("latitude", cells.degrees(90)), _column("longitude", cells.degrees(180)))
_PLACE_FIELDS = {"latitude_microdegrees": "latitude", "longitude_microdegrees": "longitude"}

PLANS = Kind(
    name="plans",
    title="care plans",
    title_zh="护理服务计划",
    columns=(
        _IDENTITY,
        _POOL,
        _CREDIT_CODE,
        _column("form", cells.word(provider_types.CareForm, "CARE_FORM_")),
        _column("start_date", cells.day),
        *_PLACE,
        _column("provider_level", cells.text(40), required=False),
    ),
    delivery=Single(
        lane=("identity_number",),
        steps=_on_day(
            "provider",
            "ApprovePlan",
            lambda v, request_id: provider.ApprovePlanRequest(
                identity_number=v["identity_number"],
                pool=v["pool"],
                social_credit_code=v["social_credit_code"],
                form=v["form"],
                start_date=str(v["start_date"]),
                place=_place(v),
                provider_level=v.get("provider_level", ""),
                request_id=request_id,
            ),
            "start_date",
        ),
    ),
    renamed={**_PLACE_FIELDS, "person": "identity_number", "provider": "social_credit_code"},
)


def _ends_after_start(check: Check, values: Values) -> None:
    if values["end_time"] <= values["start_time"]:
        check.fail("end_time", "ENDS_BEFORE_START", "must be after the start", "应晚于开始时间")


VISITS = Kind(
    name="visits",
    title="care visits and days in an institution",
    title_zh="护理服务记录",
    columns=(
        _IDENTITY,
        _POOL,
        _column("caregiver_identity_number", cells.identity_number, personal=True),
        _column("start_time", cells.instant, past=True),
        _column("end_time", cells.instant, past=True),
        *_PLACE,
        _column("items", cells.several),
        _column(
            "confirmed_by", cells.word(provider_types.ConfirmedBy, "CONFIRMED_BY_"), required=False
        ),
    ),
    delivery=Bulk(
        service="provider",
        method="ImportVisits",
        message=provider.ImportVisitsRequest,
        row=lambda v, request_id: provider.SubmitVisitRequest(
            identity_number=v["identity_number"],
            pool=v["pool"],
            caregiver_identity_number=v["caregiver_identity_number"],
            start_time=v["start_time"].isoformat(),
            end_time=v["end_time"].isoformat(),
            place=_place(v),
            items=v["items"],
            confirmed_by=v.get("confirmed_by", 0),
            request_id=request_id,
        ),
        due=lambda v: v["end_time"],
    ),
    renamed={
        **_PLACE_FIELDS,
        "person": "identity_number",
        "plan": "identity_number",
        "caregiver": "caregiver_identity_number",
    },
    also=_ends_after_start,
)


# -- payees, transfers, the bank's accounts -------------------------------------------------


def _one_payee(check: Check, values: Values) -> None:
    if ("identity_number" in values) == ("social_credit_code" in values):
        check.fail(
            "identity_number",
            "ONE_OF_TWO",
            "either the identity number or the social credit code must be given",
            "身份证号与统一社会信用代码应填且仅填一项",
        )


PAYEES = Kind(
    name="payees",
    title="accounts of those who are paid",
    title_zh="收款账户",
    columns=(
        _column("identity_number", cells.identity_number, required=False, personal=True),
        _column("social_credit_code", cells.credit_code, required=False),
        _column("holder_name", cells.text(), personal=True),
        _column("account_number", cells.text(40), personal=True),
        _column("registered_date", cells.day, past=True),
    ),
    delivery=Single(
        lane=("identity_number", "social_credit_code"),
        steps=_on_day(
            "payment",
            "RegisterPayee",
            lambda v, request_id: payment.RegisterPayeeRequest(
                identity_number=v.get("identity_number", ""),
                social_credit_code=v.get("social_credit_code", ""),
                holder_name=v["holder_name"],
                account_number=v["account_number"],
                registered_date=str(v["registered_date"]),
                request_id=request_id,
            ),
            "registered_date",
        ),
    ),
    renamed={"payee": "identity_number"},
    also=_one_payee,
)

TRANSFERS = Kind(
    name="transfers",
    title="money the treasury puts into a fund",
    title_zh="财政专户拨入",
    columns=(
        _POOL,
        _column("amount_yuan", cells.yuan(1)),
        _column("date", cells.day, past=True),
        _column("cause", cells.text()),
    ),
    delivery=Single(
        lane=("pool",),
        steps=_on_day(
            "payment",
            "RecordTransfer",
            lambda v, request_id: payment.RecordTransferRequest(
                pool=v["pool"],
                amount_fen=v["amount_yuan"],
                transfer_date=str(v["date"]),
                cause=v["cause"],
                request_id=request_id,
            ),
            "date",
        ),
    ),
    renamed={"amount_fen": "amount_yuan", "transfer_date": "date"},
)

BANK_ACCOUNTS = Kind(
    name="bank-accounts",
    title="how the bank of demo and tests treats accounts",
    title_zh="演示银行的账户行为",
    columns=(
        _column("account_number", cells.text(64), personal=True),
        _column("behaviour", cells.word(bank.Behaviour, "BEHAVIOUR_")),
    ),
    delivery=Single(
        lane=("account_number",),
        steps=_at_once(
            "bank",
            "SetAccountBehaviour",
            lambda v, request_id: bank.SetAccountBehaviourRequest(
                account_number=v["account_number"],
                behaviour=v["behaviour"],
                request_id=request_id,
            ),
        ),
    ),
)

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        PERSONS,
        CONTRIBUTIONS,
        APPLICATIONS,
        VISITS,
        PROVIDERS,
        PRICES,
        CAREGIVERS,
        EXAMINATION_RESULTS,
        PLANS,
        PAYEES,
        LIFE_EVENTS,
        TRANSFERS,
        BANK_ACCOUNTS,
    )
}
