"""Rows of contributions on the wire (批量缴费): read fast, answered in the order they came.

A row that is plainly right is read here; any other is read by the single path's checks, which
say everything that is wrong with it. So both ways take the same rows and use the same words.
"""

import datetime as dt
import re
from collections.abc import AsyncIterator, Sequence
from functools import lru_cache

from google.rpc import status_pb2
from ltci.enrollment.v1 import enrollment_service_pb2 as pb
from ltci.enrollment.v1 import enrollment_types_pb2 as types
from ltci.type.v1 import bulk_pb2

from kernel.eventstore.handle import Call
from kernel.eventstore.quick import quick
from kernel.identity_numbers import identity_fault
from kernel.ids import derive, parse_id
from kernel.money import Money
from kernel.refusal import Invalid, without_traceback
from kernel.rpc.around import Context
from kernel.rpc.bulk import check_rows
from kernel.rpc.call import actor_of, fingerprint
from kernel.rpc.errors import outcome_of, status_of
from kernel.rpc.pipeline import in_order
from kernel.rpc.private import RESIDENT, keyed
from kernel.rpc.validate import Check
from kernel.service import Parts
from kernel.turns import in_turns
from services.enrollment.application.collection import BulkCollection, Row
from services.enrollment.domain import contribution as co
from services.enrollment.requests import FIRST_YEAR, LAST_YEAR, Requests

MOST_ROWS = 2000  # a message
MESSAGES_AT_ONCE = 3  # read, decided and written side by side; the next is not read before
_UUID = re.compile(r"(?![0-]*$)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SOURCES = {
    types.ContributionSource.Value(f"CONTRIBUTION_SOURCE_{source.upper()}"): source
    for source in co.ContributionSource
}


class ContributionRows:
    """`ImportContributions`, behind its method."""

    def __init__(self, parts: Parts, requests: Requests, collection: BulkCollection) -> None:
        self._keys = parts.keys
        self._clock = parts.clock
        self._pools = frozenset(parts.packs.pools())
        self._domain = f"{parts.name}.ltci"
        self._requests = requests
        self._collection = collection

    async def answers(
        self, messages: AsyncIterator[pb.ImportContributionsRequest], context: Context
    ) -> AsyncIterator[pb.ImportContributionsResponse]:
        """An answer a message, in the order of the messages."""
        actor = actor_of(context)

        async def answer(
            numbered: tuple[int, pb.ImportContributionsRequest],
        ) -> pb.ImportContributionsResponse:
            return await self._answer(*numbered, actor)

        async for response in in_order(_numbered(messages), answer, at_once=MESSAGES_AT_ONCE):
            yield response

    async def _answer(
        self, first_row: int, message: pb.ImportContributionsRequest, actor: str
    ) -> pb.ImportContributionsResponse:
        read = await self._read(message.rows, actor)
        rows = [row for row in read if isinstance(row, Row)]
        work = self._collection.check if message.validate_only else self._collection.collect
        outcomes = iter(await work(rows))
        answered = [(next(outcomes) or row) if isinstance(row, Row) else row for row in read]
        return pb.ImportContributionsResponse(
            results=[self._result(place, row) for place, row in enumerate(answered, first_row)]
        )

    async def _read(
        self, rows: Sequence[pb.CollectContributionRequest], actor: str
    ) -> list[Row | Invalid]:
        today = self._clock.today()
        return [self._row(row, actor, today) async for row in in_turns(rows)]

    def _row(
        self, asked: pb.CollectContributionRequest, actor: str, today: dt.date
    ) -> Row | Invalid:
        told = self._plain(asked, today)
        if told is None:
            check = Check()
            told = self._requests.contribution(check, asked)
            check.uuid("request_id", asked.request_id)
            try:
                check.done()
            except Invalid as invalid:
                return without_traceback(invalid)
        call = Call(parse_id(asked.request_id), fingerprint(asked), actor)
        return Row(keyed(call, self._keys), told)

    def _plain(
        self, asked: pb.CollectContributionRequest, today: dt.date
    ) -> co.ContributionCollected | None:
        """The contribution of a row that is plainly right; None where a closer look is needed."""
        source, paid = _SOURCES.get(asked.source), _day(asked.paid_date)
        number, pool, year, amount_fen = (
            asked.identity_number,
            asked.pool,
            asked.year,
            asked.amount_fen,
        )
        if (
            source is None
            or paid is None
            or paid > today
            or pool not in self._pools
            or not FIRST_YEAR <= year <= LAST_YEAR
            or amount_fen <= 0
            or asked.person
            or identity_fault(number, today=today) is not None
            or not _UUID.fullmatch(asked.request_id)
        ):
            return None
        return co.ContributionCollected(
            contribution=quick(derive("contribution", asked.request_id)),
            person=quick(self._keys.person_id(RESIDENT, number)),
            pool=pool,
            source=source,
            amount=Money(amount_fen),
            year=year,
            paid_date=paid,
        )

    def _result(self, place: int, row: Row | Exception) -> bulk_pb2.RowResult:
        if isinstance(row, Row):
            name = f"contributions/{row.told.contribution}"
            return bulk_pb2.RowResult(row=place, status=_OK, name=name)
        return bulk_pb2.RowResult(row=place, status=status_of(outcome_of(row), self._domain))


_OK = status_pb2.Status()


async def _numbered(
    messages: AsyncIterator[pb.ImportContributionsRequest],
) -> AsyncIterator[tuple[int, pb.ImportContributionsRequest]]:
    """Each message with the place of its first row. Refuses (`Invalid`) one with too many."""
    first_row = 0
    async for message in messages:
        check_rows(message.rows, most=MOST_ROWS)
        yield first_row, message
        first_row += len(message.rows)


@lru_cache(maxsize=4096)
def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None
