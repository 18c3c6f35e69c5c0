"""`ClaimService` on the wire: it translates and nothing else."""

from collections.abc import AsyncIterator, Sequence

import grpc
from ltci.provider.v1 import claim_service_pb2 as pb
from ltci.provider.v1 import claim_service_pb2_grpc
from ltci.type.v1 import bulk_pb2

from kernel.refusal import Invalid
from kernel.rpc.around import Context
from kernel.rpc.bulk import check_rows
from kernel.rpc.call import actor_of
from kernel.rpc.errors import outcome_of, status_of
from kernel.rpc.paging import page_of
from kernel.rpc.validate import Check
from kernel.service import Parts
from services.provider.application.claims import Claims, NewLine
from services.provider.claims import ClaimReader, page_key
from services.provider.domain.claim import Line
from services.provider.domain.claim_match import Asked
from services.provider.requests_claims import ClaimRequests
from services.provider.wire import day_text

SERVICE = pb.DESCRIPTOR.services_by_name["ClaimService"].full_name
_DOMAIN = "provider.ltci"


class ClaimServicer(claim_service_pb2_grpc.ClaimServiceServicer):
    """The methods of `protos/ltci/provider/v1/claim_service.proto`."""

    def __init__(self, parts: Parts, claims: Claims, reader: ClaimReader) -> None:
        self._read = ClaimRequests(parts.keys, parts.packs, parts.clock)
        self._claims = claims
        self._reader = reader

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        claim_service_pb2_grpc.add_ClaimServiceServicer_to_server(self, server)
        return [SERVICE]

    async def ImportClaimLines(  # noqa: N802 - the name in the proto
        self, request_iterator: AsyncIterator[pb.ImportClaimLinesRequest], context: Context
    ) -> AsyncIterator[pb.ImportClaimLinesResponse]:
        actor, first_row = actor_of(context), 0
        async for request in request_iterator:
            check_rows(request.rows)
            yield await self._taken(actor, request, first_row)
            first_row += len(request.rows)

    async def ListClaimLines(  # noqa: N802 - the name in the proto
        self, request: pb.ListClaimLinesRequest, _context: Context
    ) -> pb.ListClaimLinesResponse:
        check = Check()
        pool, month, provider = self._read.month(check, request)
        check.done()
        page = page_of(request)
        found = await self._reader.page(
            pool, month, provider, request.outcome, page.after, page.size + 1
        )
        lines, more = found[: page.size], len(found) > page.size
        return pb.ListClaimLinesResponse(
            lines=lines, next_page_token=page.next_token(page_key(lines[-1])) if more else ""
        )

    async def GetClaimSums(  # noqa: N802 - the name in the proto
        self, request: pb.GetClaimSumsRequest, _context: Context
    ) -> pb.ClaimSums:
        check = Check()
        asked = self._read.month(check, request)
        check.done()
        return pb.ClaimSums(
            sums=await self._reader.sums(*asked), reasons=await self._reader.reasons(*asked)
        )

    async def _taken(
        self, actor: str, request: pb.ImportClaimLinesRequest, first_row: int
    ) -> pb.ImportClaimLinesResponse:
        """Each row for itself; what they stand on is read once for all of them."""
        told = [self._row(row) for row in request.rows]
        lines = [one for one in told if isinstance(one, NewLine)]
        taken = iter(
            await self._claims.take(actor, lines, record=not request.validate_only) if lines else ()
        )
        outcomes = [next(taken) if isinstance(one, NewLine) else one for one in told]
        return pb.ImportClaimLinesResponse(
            results=[_result(first_row + n, outcome) for n, outcome in enumerate(outcomes)],
            lines=[line_answer(*one) for one in outcomes if not isinstance(one, Exception)],
        )

    def _row(self, row: pb.ClaimLineRow) -> NewLine | Invalid:
        try:
            check = Check()
            line = self._read.line(check, row)
            check.done()
        except Invalid as invalid:
            return invalid
        return line


def line_answer(asked: Asked, line: Line) -> pb.ClaimLine:
    """The line as it stands."""
    return pb.ClaimLine(
        line=str(asked.line),
        claim=str(asked.claim),
        provider=str(asked.provider),
        pool=asked.pool,
        month=str(asked.month),
        person=str(asked.person or ""),
        visit=str(line.visit or ""),
        care_date=day_text(line.care_date),
        outcome=pb.ClaimOutcome.Value(f"CLAIM_OUTCOME_{line.result.outcome.upper()}"),
        reasons=line.result.reasons,
        asked_fen=asked.amount.fen,
        adjusted_fen=line.result.adjusted.fen,
        approved_fen=line.result.approved.fen,
        due_date=day_text(line.due_date),
    )


def _result(row: int, outcome: tuple[Asked, Line] | Exception) -> bulk_pb2.RowResult:
    if isinstance(outcome, Exception):
        return bulk_pb2.RowResult(row=row, status=status_of(outcome_of(outcome), _DOMAIN))
    result = bulk_pb2.RowResult(row=row, name=str(outcome[0].line))
    result.status.SetInParent()
    return result
