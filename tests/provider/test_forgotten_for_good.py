"""What is forgotten cannot be read even from a backup of the events made before.

The events lie in a server of their own, the keys in another, as they are to be run. The backup is
a copy of the stopped server's data folder, its write-ahead log included.
"""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ltci.provider.v1 import events_pb2, evidence_service_pb2_grpc
from ltci.provider.v1 import evidence_service_pb2 as ev
from ltci.provider.v1 import provider_service_pb2_grpc as pb_grpc
from ltci.provider.v1 import provider_types_pb2 as types

from infra.embedded.postgres import EmbeddedPostgres
from kernel.clock import Clock
from kernel.eventstore.codec import Codec
from kernel.eventstore.keys import KeyRing
from kernel.eventstore.postgres import EventStore
from kernel.replay import raw_fact
from kernel.rules.pack import Pack
from kernel.rules.ruling import Ruling
from services.provider.__main__ import without_detectors as build
from services.provider.codec import provider_codec
from services.provider.domain.evidence import EvidenceKept
from services.provider.replay import DECISIONS
from tests.provider.evident import BEACON, CODE, TAG, evidence, shown, signals
from tests.provider.test_service import (
    CHANGZHOU,
    FAR_AWAY,
    NEXT_DOOR,
    admission,
    approval,
    price,
    registration,
    request_id,
)
from tests.support.postgres import free_port
from tests.support.service import running

PLANTED = (
    BEACON.encode(),
    TAG.encode(),
    CODE.encode(),
    NEXT_DOOR.SerializeToString(),
    FAR_AWAY.SerializeToString(),
    f"{NEXT_DOOR.latitude_microdegrees}".encode(),
)


@dataclass
class Place:
    """A server of events, and the folder in which its backups go."""

    server: EmbeddedPostgres
    folder: Path

    def backup(self) -> Path:
        """A copy of the stopped server."""
        self.server.stop()
        copy = self.folder / "backup"
        subprocess.run(["cp", "-a", f"{self.server.data_folder}/", str(copy)], check=True)
        return copy

    def start(self, data: Path | None = None) -> EmbeddedPostgres:
        """The server, or one on a backup."""
        server = self.server
        if data is not None:
            server = EmbeddedPostgres(data, free_port(), self.folder / "backup.log")
        server.start()
        server.wait_ready()
        return server


@pytest.fixture
def events() -> Iterator[Place]:
    # Not pytest's own folder: that is closed to the account the server runs under.
    folder = Path(tempfile.mkdtemp(prefix="ltci-tests-"))
    folder.chmod(0o711)
    place = Place(EmbeddedPostgres(folder / "data", free_port(), folder / "log"), folder)
    try:
        yield place
    finally:
        place.server.stop()
        shutil.rmtree(folder)


@contextmanager
def served(place: Place, data: Path) -> Iterator[str]:
    """The events of a backup, for as long as they are looked at."""
    server = place.start(data)
    try:
        yield server.dsn("events")
    finally:
        server.stop()


@asynccontextmanager
async def opened(dsn: str, keys_dsn: str, folder: Path) -> AsyncIterator[tuple[EventStore, Codec]]:
    """The events of a database with the keys that live now."""
    keys = await KeyRing.open(keys_dsn, folder / "master.key")
    store = await EventStore.open(dsn, "provider", clock=Clock(folder / "clock.json"))
    try:
        yield store, provider_codec(keys)
    finally:
        await store.close()
        await keys.close()


async def kept_in(store: EventStore, codec: Codec) -> list[EvidenceKept]:
    return [
        await codec.decode(event)
        for event in await store.read_all(0)
        if event.type.startswith("ltci.provider.v1.EvidenceKept/")
    ]


async def redone(store: EventStore) -> list[tuple[bytes, bytes]]:
    """The verdicts as recorded, and made again from what the store holds."""
    found = []
    for decision in await store.read_all(0):
        if decision.type not in DECISIONS:
            continue
        kind = events_pb2.ServiceDelivered
        message = kind() if "Delivered" in decision.type else events_pb2.ServiceRejected()
        message.ParseFromString(decision.payload)
        ruling = Ruling.parse(message.ruling)
        recorded = await store.read_positions([fact.position for fact in ruling.facts])
        pack = await store.get_pack(ruling.pack.partition("@")[2])
        assert pack is not None
        facts = [raw_fact("provider", event) for event in recorded]
        again = DECISIONS[decision.type](decision.payload, facts, Pack.parse(pack[1]))
        found.append((message.ruling, again))
    return found


def files_with(folder: Path, told: bytes) -> list[str]:
    return [
        str(file.relative_to(folder))
        for file in sorted(folder.rglob("*"))
        if file.is_file() and told in file.read_bytes()
    ]


async def taken_in(channel: Any) -> dict[str, ev.EvidencePart]:
    """Two visits, one of which leaves early; their evidence as exported while it is there."""
    stub: Any = pb_grpc.ProviderServiceStub(channel)
    await stub.AdmitProvider(admission())
    await stub.SetPrice(price("bath", 6000, 50))
    await stub.SetPrice(price("hair", 2000, 20))
    await stub.RegisterCaregiver(registration())
    await stub.ApprovePlan(approval())
    away = evidence(end=signals(place=FAR_AWAY))
    visits = [
        await stub.SubmitVisit(request) for request in (shown("good"), shown("bad", evidence=away))
    ]
    assert [visit.state for visit in visits] == [
        types.VISIT_STATE_DELIVERED,
        types.VISIT_STATE_REJECTED,
    ]
    evidences: Any = evidence_service_pb2_grpc.EvidenceServiceStub(channel)
    exported = {}
    for visit in visits:
        asked = ev.GetEvidenceRequest(visit=visit.visit, with_content=True)
        [exported[visit.visit]] = (await evidences.GetEvidence(asked)).parts
    return exported


async def test_a_backup_made_before_tells_nothing_and_proves_every_verdict_after(
    database_url: str, events: Place, tmp_path: Path
) -> None:
    dsn = events.start().dsn("events")
    events.server.create_database("events")
    service: Any = ("provider", dsn, tmp_path, provider_codec, build)
    async with running(*service, keys_dsn=database_url) as provider:
        exported = await taken_in(provider.channel)
    backup = events.backup()
    # Neither the log nor the tables hold it in the clear, even before anything is forgotten.
    for told in PLANTED:
        assert files_with(backup, told) == []
    assert files_with(backup, next(iter(exported)).encode()) != []  # what is looked for is found
    with served(events, backup) as copy:
        async with opened(copy, database_url, tmp_path) as (store, codec):
            before = await kept_in(store, codec)
    assert [one.evidence.start.beacon for one in before if one.evidence and one.evidence.start] == [
        BEACON
    ] * 2  # as long as the keys live

    events.start()
    async with running(*service, keys_dsn=database_url) as provider:
        provider.set_day(date(2024, 8, 31))
        evidences: Any = evidence_service_pb2_grpc.EvidenceServiceStub(provider.channel)
        asked = ev.ForgetEvidenceRequest(
            pool=CHANGZHOU, up_to_date="2024-07-01", request_id=request_id("forget")
        )
        assert (await evidences.ForgetEvidence(asked)).forgotten_count == 2

    with served(events, backup) as copy:
        async with opened(copy, database_url, tmp_path) as (store, codec):
            after = await kept_in(store, codec)
            verdicts = await redone(store)
    assert [(one.evidence, one.salt) for one in after] == [(None, b"")] * 2
    assert [one.findings for one in after] == [one.findings for one in before]
    for one in after:
        part = exported[str(one.visit)]
        assert one.digest == hashlib.sha256(part.salt + part.content).digest()
    assert len(verdicts) == 2
    for recorded, again in verdicts:
        assert recorded == again
