"""Visits with evidence taken in while the service is killed: all of each, once, or nothing."""

import asyncio
import os
import signal
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import grpc
from ltci.provider.v1 import provider_service_pb2 as pb
from ltci.provider.v1 import provider_service_pb2_grpc as pb_grpc

from kernel.eventstore.keys import read_master_key
from kernel.rpc.channel import connect
from tests.provider.evident import shown
from tests.provider.test_service import admission, approval, price, registration
from tests.support.insured import office, settings_of
from tests.support.service import rows, stream_of

VISITS, A_MESSAGE = 1_500, 50
BY_VISIT = """
select convert_from(substring(payload from 3 for 36), 'UTF8') as visit,
    array_agg(type order by position) as types
from provider.events join provider.kinds on kinds.id = kind_id
where category = 'visit' group by visit
"""


def messages() -> list[pb.ImportVisitsRequest]:
    begins = date(2022, 1, 1)
    visits = [
        shown(
            f"visit {n}",
            start_time=f"{begins + timedelta(days=n // 10)}T{8 + n % 10:02d}:00:00+08:00",
            end_time=f"{begins + timedelta(days=n // 10)}T{8 + n % 10:02d}:55:00+08:00",
            items=["bath"],
        )
        for n in range(VISITS)
    ]
    return [
        pb.ImportVisitsRequest(rows=visits[first : first + A_MESSAGE])
        for first in range(0, VISITS, A_MESSAGE)
    ]


async def prepared(stub: Any) -> None:
    old = {"agreement_start_date": "2022-01-01"}
    await stub.AdmitProvider(admission(**old))
    await stub.SetPrice(price("bath", 6000, 50, effective_date="2022-01-01"))
    await stub.RegisterCaregiver(registration(registered_date="2022-01-01"))
    await stub.ApprovePlan(approval(start_date="2022-01-01"))


async def recorded(dsn: str) -> dict[str, list[str]]:
    """The kinds of events of each visit, in their order."""
    connection = await asyncpg.connect(dsn)
    try:
        found = await connection.fetch(BY_VISIT)
    finally:
        await connection.close()
    return {
        row["visit"]: [name.rpartition(".")[2].partition("/")[0] for name in row["types"]]
        for row in found
    }


async def test_a_service_that_is_killed_during_intake_has_every_acknowledged_visit_once(
    database_url: str, tmp_path: Path
) -> None:
    settings = settings_of(database_url, tmp_path)
    read_master_key(tmp_path / "master.key", create=True)
    acknowledged: set[str] = set()
    with office(settings, service="provider") as first:
        async with connect(first.address) as channel:
            stub: Any = pb_grpc.ProviderServiceStub(channel)
            await prepared(stub)
            call = stub.ImportVisits(stream_of(messages()))
            try:
                async for answer in call:
                    acknowledged |= {row.name for row in answer.results if not row.status.code}
                    if len(acknowledged) >= VISITS // 3:
                        os.kill(first.process.pid, signal.SIGKILL)
            except grpc.aio.AioRpcError as error:
                assert error.code() is grpc.StatusCode.UNAVAILABLE  # noqa: PT017 - the way it ends
        await asyncio.to_thread(first.process.wait)
    found = await recorded(database_url)
    assert VISITS // 3 <= len(acknowledged) < VISITS
    assert acknowledged <= set(found)
    whole = ["VisitStarted", "EvidenceKept", "VisitEnded", "VisitConfirmed", "ServiceDelivered"]
    assert [told for told in found.values() if told != whole] == []

    with office(settings, first.address, service="provider") as second:
        async with connect(second.address) as channel:
            stub = pb_grpc.ProviderServiceStub(channel)
            again = await rows(stub.ImportVisits(stream_of(messages())))
    assert {row.status.code for row in again} == {0}
    found = await recorded(database_url)
    assert len(found) == VISITS
    assert {row.name for row in again} == set(found) >= acknowledged
    assert [told for told in found.values() if told != whole] == []
