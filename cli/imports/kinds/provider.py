"""Files for provider: providers, prices, caregivers, plans, visits (定点服务)."""

from ltci.provider.v1 import caregiver_service_pb2 as caregivers
from ltci.provider.v1 import provider_service_pb2 as provider
from ltci.provider.v1 import provider_types_pb2 as provider_types

from cli.imports import cells
from cli.imports.kinds import evidence
from cli.imports.kinds.kind import (
    CREDIT_CODE,
    IDENTITY,
    POOL,
    Bulk,
    Kind,
    Single,
    Values,
    at_once,
    column,
    on_day,
)
from kernel.rpc.validate import Check


def _agreement_in_order(check: Check, values: Values) -> None:
    check.in_order(
        "agreement_end_date", values["agreement_start_date"], values["agreement_end_date"]
    )


PROVIDERS = Kind(
    name="providers",
    title="designated care providers",
    title_zh="定点护理服务机构",
    columns=(
        POOL,
        column("provider_name", cells.text()),
        CREDIT_CODE,
        column("agreement_start_date", cells.day),
        column("agreement_end_date", cells.day),
    ),
    delivery=Single(
        lane=("social_credit_code",),
        steps=at_once(
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
        CREDIT_CODE,
        column("item", cells.text(40)),
        column("item_name", cells.text(100)),
        column("price_yuan", cells.yuan()),
        column("effective_date", cells.day),
        column("minutes", cells.whole(0, 100_000), required=False),
        column("care", cells.one_of("life", "medical"), required=False),
    ),
    delivery=Single(
        lane=("social_credit_code",),
        steps=at_once(
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
        IDENTITY,
        column("full_name", cells.text(100), personal=True),
        CREDIT_CODE,
        column("certificate", cells.text(60), required=False, personal=True),
        column("registered_date", cells.day, past=True),
        column("staff", cells.text(40), required=False),
    ),
    delivery=Single(
        lane=("identity_number",),
        steps=on_day(
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


def _place(values: Values) -> provider_types.Place:
    return provider_types.Place(
        latitude_microdegrees=values["latitude"], longitude_microdegrees=values["longitude"]
    )


_PLACE = (column("latitude", cells.degrees(90)), column("longitude", cells.degrees(180)))
_PLACE_FIELDS = {"latitude_microdegrees": "latitude", "longitude_microdegrees": "longitude"}

PLANS = Kind(
    name="plans",
    title="care plans",
    title_zh="护理服务计划",
    columns=(
        IDENTITY,
        POOL,
        CREDIT_CODE,
        column("form", cells.word(provider_types.CareForm, "CARE_FORM_")),
        column("start_date", cells.day),
        *_PLACE,
        column("provider_level", cells.text(40), required=False),
    ),
    delivery=Single(
        lane=("identity_number",),
        steps=on_day(
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


def _visit_in_order(check: Check, values: Values) -> None:
    evidence.both_ends(check, values)
    if values["end_time"] <= values["start_time"]:
        check.fail("end_time", "ENDS_BEFORE_START", "must be after the start", "应晚于开始时间")


VISITS = Kind(
    name="visits",
    title="care visits and days in an institution",
    title_zh="护理服务记录",
    columns=(
        IDENTITY,
        POOL,
        column("caregiver_identity_number", cells.identity_number, personal=True),
        column("start_time", cells.instant, past=True),
        column("end_time", cells.instant, past=True),
        *_PLACE,
        column("items", cells.several),
        column(
            "confirmed_by", cells.word(provider_types.ConfirmedBy, "CONFIRMED_BY_"), required=False
        ),
        *evidence.COLUMNS,
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
            evidence=evidence.evidence_of(v, _place(v)),
            request_id=request_id,
        ),
        due=lambda v: v["end_time"],
    ),
    renamed={
        **_PLACE_FIELDS,
        **evidence.RENAMED,
        "person": "identity_number",
        "plan": "identity_number",
        "caregiver": "caregiver_identity_number",
    },
    also=_visit_in_order,
)


def _certified(check: Check, values: Values) -> None:
    if values["passed"] == "yes":
        check.require("certificate", values.get("certificate"))


EXAMINATION_RESULTS = Kind(
    name="examination-results",
    title="results of caregivers' examinations",
    title_zh="长期照护师技能等级考核结果",
    columns=(
        IDENTITY,
        column("level", cells.word(provider_types.CaregiverLevel, "CAREGIVER_LEVEL_")),
        column("passed", cells.one_of("yes", "no")),
        column("certificate", cells.text(60), required=False, personal=True),
        column("exam_date", cells.day, past=True),
    ),
    delivery=Single(
        lane=("identity_number",),
        steps=on_day(
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
