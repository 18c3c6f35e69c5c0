"""How many claim lines a second are matched, through gRPC, against visits that are on record.

Service and caller are one process on a real PostgreSQL, so the figures are on the safe side. One
stream, 500 lines a message; in the order of persons and in the order of days, as files come.
"Till all is settled" counts on until every line was looked at once more, which is what makes the
order of arrival indifferent. Lines a second of processor are for a machine that does other work.

    python -m benchmarks claims [PEOPLE]
"""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

import uvloop
from ltci.provider.v1 import claim_service_pb2 as pb
from ltci.provider.v1 import claim_service_pb2_grpc as pb_grpc
from rich.console import Console
from rich.table import Table

from benchmarks._cost import machine
from kernel.calendar import Month
from kernel.clock import Clock
from kernel.eventstore.postgres import EventStore
from kernel.ids import derive
from services.provider.__main__ import build
from services.provider.codec import provider_codec
from services.provider.domain import visit as v
from services.provider.domain.plan import CareForm, PlanApproved
from services.provider.domain.verdict import Basis
from tests.support.history import BEGINS, PROVIDER, VERSION, History, New, submitted_visit
from tests.support.packs import CHANGZHOU, pack
from tests.support.service import Running, running, stream_of

PEOPLE = 1_000
VISITS = 15  # each person's, in one month
A_MESSAGE = 500
ORDERS = ("by person", "by day")
MONTHS = dict(zip(ORDERS, (Month(2024, 3), Month(2024, 4)), strict=True))


async def record(store: EventStore, people: int) -> dict[str, list[pb.ClaimLineRow]]:
    """Visits of two months, and the lines that claim them, each month in its order."""
    rules = pack(CHANGZHOU)
    await store.put_pack(rules.hash, rules.pool, rules.content)
    history = History({"provider": store}, rules)
    common = await history.provider()
    lines: dict[str, list[pb.ClaimLineRow]] = {order: [] for order in ORDERS}
    for number in range(people):
        person = derive("person", f"claims {number}")
        plan = PlanApproved(
            plan=derive("plan", str(person)),
            person=person,
            pool=CHANGZHOU,
            provider=PROVIDER,
            form=CareForm.HOME_VISITS,
            start_date=BEGINS,
        )
        key = (CHANGZHOU, str(person))
        [told] = await history.tell(
            "provider", [New(category="plan", key=key, pool=CHANGZHOU, events=[plan])]
        )
        basis = Basis(facts=(*common, *told), pack=rules, code_version=VERSION)
        news = []
        for order, month in MONTHS.items():
            for place in range(VISITS):
                events = v.decide(
                    submitted_visit(plan, month.first + timedelta(days=2 * place), basis), v.Visit()
                )
                visit = str(events[0].visit)
                news.append(New(category="visit", key=(visit,), pool=CHANGZHOU, events=events))
                lines[order].append(_line(month, events))
        await history.tell("provider", news)
    # One person's lines lie as far apart as there are people.
    lines["by day"] = [
        lines["by day"][number * VISITS + place]
        for place in range(VISITS)
        for number in range(people)
    ]
    return lines


def _line(month: Month, events: Sequence[Any]) -> pb.ClaimLineRow:
    ended: v.VisitEnded = next(one for one in events if isinstance(one, v.VisitEnded))
    return pb.ClaimLineRow(
        provider=str(PROVIDER),
        pool=CHANGZHOU,
        month=str(month),
        visit=str(ended.visit),
        items=[done.item for done in ended.items],
        amount_fen=sum(done.price.fen for done in ended.items),
        request_id=str(derive("line", str(ended.visit))),
    )


async def send(service: Running, lines: Sequence[pb.ClaimLineRow]) -> tuple[float, int]:
    """Seconds until the last answer, and how many lines matched."""
    stub: Any = pb_grpc.ClaimServiceStub(service.channel)
    messages = [
        pb.ImportClaimLinesRequest(rows=lines[first : first + A_MESSAGE])
        for first in range(0, len(lines), A_MESSAGE)
    ]
    begun, matched = perf_counter(), 0
    async for answer in stub.ImportClaimLines(stream_of(messages)):
        if any(result.status.code for result in answer.results):
            raise AssertionError("a line was not taken in")
        matched += sum(line.outcome == pb.CLAIM_OUTCOME_MATCHED for line in answer.lines)
    return perf_counter() - begun, matched


async def run(dsn: str, folder: Path, people: int) -> None:
    store = await EventStore.open(dsn, "provider", clock=Clock())
    try:
        lines = await record(store, people)
    finally:
        await store.close()
    table = Table(title="Claim lines matched a second, through gRPC")
    for heading in ("order", "lines", "matched", "lines/s", "till all is settled", "lines/CPU s"):
        table.add_column(heading, justify="left" if heading == "order" else "right")
    async with running("provider", dsn, folder, provider_codec, build) as service:
        service.set_day(date(2024, 7, 1))
        await service.caught_up()
        for order in ORDERS:
            processor = process_time()
            seconds, matched = await send(service, lines[order])
            begun = perf_counter()
            await service.caught_up()
            behind = perf_counter() - begun
            count = len(lines[order])
            table.add_row(
                *(order, f"{count:,}", f"{matched:,}", f"{count / seconds:,.0f}"),
                f"{count / (seconds + behind):,.0f}",
                f"{count / (process_time() - processor):,.0f}",
            )
    Console(width=120).print(table)


def main(arguments: list[str]) -> None:
    people = int(arguments[0]) if arguments else PEOPLE
    with machine() as server, TemporaryDirectory() as folder:
        server.create_database("ltci")
        uvloop.run(run(server.dsn("ltci"), Path(folder), people))
