"""What callers ask about claims, checked field by field."""

from datetime import date
from uuid import UUID

from ltci.provider.v1 import claim_service_pb2 as pb

from kernel.calendar import Month
from kernel.clock import Clock
from kernel.eventstore.keys import KeyRing
from kernel.ids import derive
from kernel.money import Money
from kernel.rpc.private import RESIDENT
from kernel.rpc.validate import Check
from kernel.rules.library import PackLibrary
from services.provider.application.claims import NewLine
from services.provider.application.streams import provider_named
from services.provider.requests import LARGEST_PRICE_FEN, ONE_OF_TWO, items_of


class ClaimRequests:
    """Reads requests. What it returns counts only after `check.done()`."""

    def __init__(self, keys: KeyRing, packs: PackLibrary, clock: Clock) -> None:
        self._keys = keys
        self._pools = packs.pools()
        self._clock = clock

    def line(self, check: Check, row: pb.ClaimLineRow) -> NewLine:
        """A line: a visit, or a person and a day."""
        visit, person, start_date = self._meant(check, row)
        month = check.month("month", row.month)
        if month > Month.of(self._clock.today()):
            check.fail("month", "DATE_IN_FUTURE", "must not be in the future", "不得晚于当前月份")
        return NewLine(
            line=derive("claim_line", str(check.uuid("request_id", row.request_id))),
            provider=self._provider(check, row),
            pool=check.pool("pool", row.pool, self._pools),
            month=month,
            visit=visit,
            person=person,
            start_date=start_date,
            items=items_of(check, row.items),
            amount=Money(check.between("amount_fen", row.amount_fen, 1, LARGEST_PRICE_FEN)),
        )

    def month(
        self,
        check: Check,
        request: pb.ListClaimLinesRequest | pb.GetClaimSumsRequest,
    ) -> tuple[str, Month, UUID | None]:
        """Pool, month and provider that a list is about."""
        return (
            check.pool("pool", request.pool, self._pools),
            check.month("month", request.month),
            check.optional_uuid("provider", request.provider),
        )

    def _meant(
        self, check: Check, row: pb.ClaimLineRow
    ) -> tuple[UUID | None, UUID | None, date | None]:
        visit = check.optional_uuid("visit", row.visit)
        if visit is not None:
            if row.identity_number or row.start_date:
                check.fail("visit", *ONE_OF_TWO)
            return visit, None, None
        if not row.identity_number and not row.start_date:
            check.fail("visit", *ONE_OF_TWO)
            return None, None, None
        number = check.identity_number(
            "identity_number", row.identity_number, today=self._clock.today()
        )
        start_date = check.date("start_date", row.start_date)
        check.not_future("start_date", start_date, self._clock.today())
        return None, self._keys.person_id(RESIDENT, number), start_date

    def _provider(self, check: Check, row: pb.ClaimLineRow) -> UUID:
        if bool(row.provider) == bool(row.social_credit_code):
            check.fail("provider", *ONE_OF_TWO)
        if row.provider:
            return check.uuid("provider", row.provider)
        return provider_named(
            check.social_credit_code("social_credit_code", row.social_credit_code)
        )
