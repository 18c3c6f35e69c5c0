"""`DetectionService` on the wire: it translates and nothing else."""

from collections.abc import AsyncIterator, Sequence
from datetime import date
from uuid import UUID

import grpc
from ltci.provider.v1 import detection_service_pb2 as pb
from ltci.provider.v1 import detection_service_pb2_grpc as pb_grpc

from kernel.rpc.around import Context
from kernel.rpc.paging import page_of
from kernel.rpc.validate import Check
from kernel.service import Parts
from services.provider.application.flags import flag_of
from services.provider.backtest import Found, backtest
from services.provider.domain.detection.catalogue import DETECTORS
from services.provider.domain.detection.detector import Detector, asked_of, figure_of
from services.provider.flag_table import FlagReader, Wanted
from services.provider.supervision import Others

SERVICE = pb.DESCRIPTOR.services_by_name["DetectionService"].full_name


class DetectionServicer(pb_grpc.DetectionServiceServicer):
    """The methods of `protos/ltci/provider/v1/detection_service.proto`."""

    def __init__(self, parts: Parts, others: Others, flags: FlagReader) -> None:
        self._parts = parts
        self._others = others
        self._flags = flags

    def add_to(self, server: grpc.aio.Server) -> Sequence[str]:
        pb_grpc.add_DetectionServiceServicer_to_server(self, server)
        return [SERVICE]

    async def ListDetectors(  # noqa: N802 - the name in the proto
        self, request: pb.ListDetectorsRequest, _context: Context
    ) -> pb.ListDetectorsResponse:
        check = Check()
        pool = self._pool(check, request.pool)
        check.done()
        page = page_of(request)
        after = str(page.after[0]) if page.after else ""
        names = [name for name in sorted(DETECTORS) if name > after]
        given = names[: page.size]
        return pb.ListDetectorsResponse(
            detectors=[self._told(pool, DETECTORS[name]) for name in given],
            next_page_token=page.next_token((given[-1],)) if len(names) > len(given) else "",
        )

    async def ListFlags(  # noqa: N802 - the name in the proto
        self, request: pb.ListFlagsRequest, _context: Context
    ) -> pb.ListFlagsResponse:
        check = Check()
        wanted = Wanted(
            pool=self._pool(check, request.pool),
            detector=_detector(check, "detector", request.detector),
            state=request.state,
            first=_day(check, "first_date", request.first_date),
            last=_day(check, "last_date", request.last_date),
        )
        check.done()
        page = page_of(request)
        found = await self._flags.page(wanted, page.after, page.size + 1)
        rows, more = found[: page.size], len(found) > page.size
        last = (rows[-1].care_date, rows[-1].flag) if more else ()
        return pb.ListFlagsResponse(
            flags=rows, next_page_token=page.next_token(last) if more else ""
        )

    async def Backtest(  # noqa: N802 - the name in the proto
        self, request: pb.BacktestRequest, _context: Context
    ) -> AsyncIterator[pb.BacktestResponse]:
        check = Check()
        pool = self._pool(check, request.pool)
        first = _day(check, "first_date", request.first_date)
        last = _day(check, "last_date", request.last_date) or "9999-12-31"
        names = [
            _detector(check, f"detectors[{place}]", name)
            for place, name in enumerate(request.detectors)
        ]
        check.done()
        async for progress in backtest(self._parts, self._others, pool, names):
            told = [one for one in progress.found if first <= str(one.suspicion.day) <= last]
            recorded = await self._flags.known([flag_of(one.suspicion) for one in told])
            yield pb.BacktestResponse(
                flags=[_found(one, recorded) for one in told],
                read_count=progress.read,
                event_count=progress.events,
            )

    def _told(self, pool: str, detector: Detector) -> pb.Detector:
        figure = figure_of(self._parts.packs.pack_for(pool), self._parts.clock.today())
        limits = figure.numbers()
        return pb.Detector(
            detector=detector.name,
            version=detector.version,
            title=detector.title,
            title_zh=detector.title_zh,
            source=detector.source,
            figures=[
                pb.DetectorFigure(figure=name, value=limits[name]) for name in detector.figures
            ],
            verified=figure.verified,
        )

    def _pool(self, check: Check, told: str) -> str:
        return check.pool("pool", told, self._parts.packs.pools())


def _found(one: Found, recorded: set[UUID]) -> pb.Flag:
    told, seen, name = one.suspicion, one.suspicion.visit, flag_of(one.suspicion)
    return pb.Flag(
        flag=str(name),
        detector=told.detector,
        version=told.version,
        pool=told.pool,
        visit=str(seen.visit) if seen else "",
        person=str(seen.person) if seen else "",
        provider=str((seen.provider if seen else told.provider) or ""),
        caregiver=str(seen.caregiver) if seen else "",
        care_date=told.day.isoformat(),
        known_date=one.known.isoformat(),
        held_fen=told.held_fen,
        seen={key: str(value) for key, value in asked_of(told).items()},
        recorded=name in recorded,
    )


def _detector(check: Check, field: str, told: str) -> str:
    if told and told not in DETECTORS:
        known = ", ".join(sorted(DETECTORS))
        check.fail(field, "UNKNOWN_VALUE", f"must be one of: {known}", f"应为以下之一：{known}")
    return told


def _day(check: Check, field: str, told: str) -> str:
    if not told:
        return ""
    day: date = check.date(field, told)
    return day.isoformat()
