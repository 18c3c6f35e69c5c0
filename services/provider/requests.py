"""What callers ask of the service, checked field by field and made into commands."""

import re
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from ltci.provider.v1 import caregiver_service_pb2 as carers
from ltci.provider.v1 import provider_service_pb2 as pb
from ltci.provider.v1 import provider_types_pb2 as types

from kernel.clock import SHANGHAI, Clock
from kernel.eventstore.keys import KeyRing
from kernel.ids import derive
from kernel.money import Money
from kernel.rpc.private import RESIDENT, person_named
from kernel.rpc.validate import Check
from kernel.rules.dimensions import LEVELS, STAFF
from kernel.rules.library import PackLibrary
from services.provider.application.grounds import Meant
from services.provider.application.plans import NewPlan
from services.provider.application.streams import provider_named
from services.provider.application.visits import Begin, Upload
from services.provider.domain import caregiver, plan, provider
from services.provider.domain.place import Place
from services.provider.domain.verdict import ConfirmedBy

MOST_ITEMS = 50
LONGEST_MINUTES = 24 * 60
LARGEST_PRICE_FEN = 10**9
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)", re.ASCII)
ITEM = (
    r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}",
    "a code of letters, digits and _ . -, at most 40",
    "由字母、数字及_.-组成的代码,不超过40个字符",
)
ONE_OF_TWO = (
    "ONE_OF_TWO",
    "give one of the two, not both and not neither",
    "两项中应填且仅填一项",
)


class Requests:
    """Reads requests. What it returns counts only after `check.done()`."""

    def __init__(self, keys: KeyRing, packs: PackLibrary, clock: Clock) -> None:
        self._keys = keys
        self._pools = packs.pools()
        self._clock = clock

    def admission(self, check: Check, request: pb.AdmitProviderRequest) -> provider.AdmitProvider:
        code = check.social_credit_code("social_credit_code", request.social_credit_code)
        command = provider.AdmitProvider(
            provider=provider_named(code),
            pool=self.pool(check, request.pool),
            provider_name=check.text("provider_name", request.provider_name),
            social_credit_code=code,
            agreement_start_date=check.date("agreement_start_date", request.agreement_start_date),
            agreement_end_date=check.date("agreement_end_date", request.agreement_end_date),
        )
        check.in_order(
            "agreement_end_date", command.agreement_start_date, command.agreement_end_date
        )
        return command

    def price(self, check: Check, request: pb.SetPriceRequest) -> provider.SetPrice:
        return provider.SetPrice(
            provider=self._provider(check, request.provider, request.social_credit_code),
            item=check.pattern("item", request.item, *ITEM),
            item_name=check.text("item_name", request.item_name, max=100),
            price=Money(check.between("price_fen", request.price_fen, 0, LARGEST_PRICE_FEN)),
            effective_date=check.date("effective_date", request.effective_date),
            minutes=check.between("minutes", request.minutes, 0, LONGEST_MINUTES),
            medical=request.medical,
        )

    def suspension(
        self, check: Check, request: pb.SuspendAgreementRequest
    ) -> provider.SuspendAgreement:
        return provider.SuspendAgreement(
            provider=check.uuid("provider", request.provider),
            start_date=check.date("start_date", request.start_date),
            cause=check.text("cause", request.cause),
        )

    def registration(
        self, check: Check, request: pb.RegisterCaregiverRequest
    ) -> caregiver.RegisterCaregiver:
        carer = self._identity(check, "identity_number", request.identity_number)
        code = check.social_credit_code("social_credit_code", request.social_credit_code)
        command = caregiver.RegisterCaregiver(
            caregiver=carer,
            provider=provider_named(code),
            full_name=check.text("full_name", request.full_name, max=100),
            certificate=check.text("certificate", request.certificate, max=60, required=False),
            registered_date=check.date("registered_date", request.registered_date),
            staff=check.one_of("staff", request.staff, STAFF) if request.staff else "",
        )
        check.not_future("registered_date", command.registered_date, self._clock.today())
        return command

    def new_plan(self, check: Check, request: pb.ApprovePlanRequest) -> NewPlan:
        code = check.social_credit_code("social_credit_code", request.social_credit_code)
        return NewPlan(
            plan=derive("plan", request.request_id),
            person=person_named(
                check, request.person, request.identity_number, self._keys, self._clock.today()
            ),
            pool=self.pool(check, request.pool),
            provider=provider_named(code),
            form=check.enum("form", request.form, types.CareForm, plan.CareForm),
            start_date=check.date("start_date", request.start_date),
            place=place_of(check, request),
            provider_level=check.one_of("provider_level", request.provider_level, LEVELS)
            if request.provider_level
            else "",
        )

    def plan_end(self, check: Check, request: pb.EndPlanRequest) -> plan.EndPlan:
        return plan.EndPlan(
            plan=check.uuid("plan", request.plan),
            end_date=check.date("end_date", request.end_date),
            cause=check.text("cause", request.cause, required=False) or "ENDED",
        )

    def begin(self, check: Check, request: pb.StartVisitRequest) -> Begin:
        carer = check.uuid("caregiver", request.caregiver)
        return Begin(
            visit=visit_named(request.request_id),
            meant=Meant(
                plan=check.uuid("plan", request.plan), person=None, pool="", caregiver=carer
            ),
            caregiver=carer,
            start_time=self._instant(check, "start_time", request.start_time),
            place=place_of(check, request),
        )

    def ending(
        self, check: Check, request: pb.EndVisitRequest
    ) -> tuple[UUID, datetime, tuple[str, ...]]:
        visit = check.uuid("visit", request.visit)
        end_time = self._instant(check, "end_time", request.end_time)
        items = items_of(check, request.items)
        return visit, end_time, items

    def confirmation(
        self, check: Check, request: pb.ConfirmVisitRequest
    ) -> tuple[UUID, ConfirmedBy | None]:
        visit = check.uuid("visit", request.visit)
        confirmed_by = _confirmed_by(check, request.confirmed_by)
        return visit, confirmed_by

    def upload(self, check: Check, request: pb.SubmitVisitRequest) -> Upload:
        carer = self._identity(
            check, "caregiver_identity_number", request.caregiver_identity_number
        )
        return Upload(
            begin=Begin(
                visit=visit_named(request.request_id),
                meant=self._meant(check, request, carer),
                caregiver=carer,
                start_time=self._instant(check, "start_time", request.start_time),
                place=place_of(check, request),
            ),
            end_time=self._instant(check, "end_time", request.end_time),
            items=items_of(check, request.items),
            confirmed_by=_confirmed_by(check, request.confirmed_by),
        )

    def _meant(self, check: Check, request: pb.SubmitVisitRequest, carer: UUID) -> Meant:
        """The plan, or else the person and the pool."""
        name = check.optional_uuid("plan", request.plan)
        if name is not None:
            if request.identity_number:
                check.fail("plan", *ONE_OF_TWO)
            return Meant(plan=name, person=None, pool="", caregiver=carer)
        return Meant(
            plan=None,
            person=self._identity(check, "identity_number", request.identity_number),
            pool=self.pool(check, request.pool),
            caregiver=carer,
        )

    def pool(self, check: Check, value: str) -> str:
        """A pool whose rules are loaded."""
        return check.pool("pool", value, self._pools)

    def _identity(self, check: Check, field: str, value: str) -> UUID:
        """The id of the person with this identity number."""
        number = check.identity_number(field, value, today=self._clock.today())
        return self._keys.person_id(RESIDENT, number)

    def _provider(self, check: Check, name: str, code: str) -> UUID:
        if bool(name) == bool(code):
            check.fail("provider", *ONE_OF_TWO)
        if name:
            return check.uuid("provider", name)
        return provider_named(check.social_credit_code("social_credit_code", code))

    def _instant(self, check: Check, field: str, value: str) -> datetime:
        """The instant in Asia/Shanghai, to the second; not in the future."""
        now = self._clock.now()
        instant = instant_of(check, field, value, now)
        if instant > now:
            check.fail(field, "TIME_IN_FUTURE", "must not be in the future", "不得晚于当前时间")
        return instant


def instant_of(check: Check, field: str, value: str, otherwise: datetime) -> datetime:
    """The instant in Asia/Shanghai, to the second; `otherwise` where none is told."""
    if not check.require(field, value):
        return otherwise
    try:
        if not _INSTANT.fullmatch(value):
            raise ValueError(value)
        return datetime.fromisoformat(value).astimezone(SHANGHAI).replace(microsecond=0)
    except (ValueError, OverflowError):
        check.fail(field, "NOT_AN_INSTANT", *_NOT_AN_INSTANT)
        return otherwise


def visit_named(request_id: str) -> UUID:
    """The id of the visit that a request begins: the same however often it comes."""
    return derive("visit", request_id)


def place_of(
    check: Check,
    request: pb.ApprovePlanRequest
    | pb.StartVisitRequest
    | pb.SubmitVisitRequest
    | carers.SetProfileRequest,
) -> Place:
    """The place a request must name."""
    told = request.place
    if not request.HasField("place"):
        check.fail("place", "REQUIRED", "must be given", "必填")
    for name, value, most in (
        ("latitude", told.latitude_microdegrees, 90_000_000),
        ("longitude", told.longitude_microdegrees, 180_000_000),
    ):
        check.between(f"place.{name}_microdegrees", value, -most, most)
    return Place(
        latitude_microdegrees=told.latitude_microdegrees,
        longitude_microdegrees=told.longitude_microdegrees,
    )


def items_of(check: Check, items: Sequence[str]) -> tuple[str, ...]:
    """Codes, each once: repeated charging is forbidden (医保办发〔2024〕21号 Art. 21)."""
    if check.require("items", list(items)):
        check.between("items", len(items), 1, MOST_ITEMS)
    seen: set[str] = set()
    for place, item in enumerate(items):
        check.pattern(f"items[{place}]", item, *ITEM)
        if item in seen:
            check.fail(
                f"items[{place}]", "ITEM_REPEATED", "must not be given twice", "不得重复填报"
            )
        seen.add(item)
    return tuple(items)


def _confirmed_by(check: Check, number: int) -> ConfirmedBy | None:
    if number == types.CONFIRMED_BY_UNSPECIFIED:
        return None
    return check.enum("confirmed_by", number, types.ConfirmedBy, ConfirmedBy)


_NOT_AN_INSTANT = (
    "must be a date and time with offset, written like 2024-03-01T09:30:00+08:00",
    "应为带时区的日期时间,格式如2024-03-01T09:30:00+08:00",
)
