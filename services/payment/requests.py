"""What callers ask of payment, checked field by field and made into commands."""

from collections.abc import Iterable
from uuid import UUID

from ltci.payment.v1 import payment_service_pb2 as pb
from ltci.payment.v1 import payment_types_pb2 as types

from kernel.calendar import Month
from kernel.clock import Clock
from kernel.eventstore.keys import KeyRing
from kernel.ids import derive
from kernel.money import Money
from kernel.rpc.private import RESIDENT
from kernel.rpc.validate import Check
from kernel.rules.library import PackLibrary
from services.payment.domain.ledger import PostEntry, transfer
from services.payment.domain.payee import RegisterPayee
from services.payment.incoming import SOURCES

LARGEST_CHUNK = 500
LARGEST_AMOUNT_FEN = 10**15  # ten trillion yuan: a slip of the pen, not a transfer
_LAST_POSITION = 2**63 - 1
_ONE_OF_THREE = (
    "ONE_OF_THREE",
    "give the payee, an identity number or a social credit code: exactly one of them",
    "收款方、身份号码、统一社会信用代码必须且只能填写一项",
)


class Requests:
    """Reads requests. What it returns counts only after `check.done()`."""

    def __init__(self, keys: KeyRing, packs: PackLibrary, clock: Clock) -> None:
        self._keys = keys
        self._pools = packs.pools()
        self._clock = clock

    def pool(self, check: Check, value: str) -> str:
        return check.pool("pool", value, self._pools)

    def run(self, check: Check, pool: str, month: str) -> tuple[str, Month]:
        """The pool and month of a settlement."""
        return self.pool(check, pool), check.month("month", month)

    def chunk_size(self, check: Check, value: int) -> int:
        return check.between("chunk_size", value, 0, LARGEST_CHUNK) or LARGEST_CHUNK

    def known(self, check: Check, told: Iterable[types.KnownUpTo]) -> dict[str, int]:
        """How far which feed must have been read; the farthest where one is named twice."""
        known: dict[str, int] = {}
        for place, one in enumerate(told):
            check.one_of(f"known[{place}].service", one.service, SOURCES)
            check.between(f"known[{place}].position", one.position, 0, _LAST_POSITION)
            known[one.service] = max(known.get(one.service, 0), one.position)
        return known

    def register_payee(self, check: Check, asked: pb.RegisterPayeeRequest) -> RegisterPayee:
        payee, owner = self._payee(check, asked)
        holder_name = check.text("holder_name", asked.holder_name, max=100)
        account_number = check.pattern(
            "account_number",
            asked.account_number,
            "[0-9]{10,30}",
            "10 to 30 digits",
            "10至30位数字",
        )
        registered_date = check.date("registered_date", asked.registered_date)
        check.not_future("registered_date", registered_date, self._clock.today())
        return RegisterPayee(
            payee=payee,
            owner=owner,
            holder_name=holder_name,
            account_number=account_number,
            registered_date=registered_date,
        )

    def transfer(self, check: Check, asked: pb.RecordTransferRequest) -> PostEntry:
        """The entry of a transfer; its name is made from the request's."""
        pool = self.pool(check, asked.pool)
        amount = Money(check.between("amount_fen", asked.amount_fen, 1, LARGEST_AMOUNT_FEN))
        day = check.date("transfer_date", asked.transfer_date)
        check.not_future("transfer_date", day, self._clock.today())
        cause = check.text("cause", asked.cause, max=200)
        entry = derive("transfer", asked.request_id)
        return transfer(entry, pool, transfer_date=day, amount=amount, cause=cause)

    def _payee(self, check: Check, asked: pb.RegisterPayeeRequest) -> tuple[str, UUID]:
        """The payee and the id whose key seals the account."""
        given = [asked.payee, asked.identity_number, asked.social_credit_code]
        if sum(map(bool, given)) != 1:
            check.fail("payee", *_ONE_OF_THREE)
            return "", UUID(int=0)
        if asked.identity_number:
            today = self._clock.today()
            number = check.identity_number("identity_number", asked.identity_number, today=today)
            person = self._keys.person_id(RESIDENT, number)
            return f"persons/{person}", person
        if asked.social_credit_code:
            code = check.social_credit_code("social_credit_code", asked.social_credit_code)
            provider = derive("provider", code)
            return f"providers/{provider}", provider
        kind, _, name = asked.payee.partition("/")
        check.one_of("payee", kind, ("persons", "providers"))
        return asked.payee, check.uuid("payee", name)
