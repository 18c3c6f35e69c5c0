"""A generated pool in a database, and the provider service on it as a process of its own."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.append import free_port
from benchmarks.generator.files import World
from benchmarks.generator.ground import Stream, ground
from kernel.clock import Clock
from kernel.config import ROOT
from kernel.eventstore.codec import Codec
from kernel.eventstore.envelope import Append, Meta, StreamAppend
from kernel.eventstore.keys import KeyRing
from kernel.eventstore.postgres import EventStore
from kernel.ids import new_id
from services.provider.codec import provider_codec
from services.provider.domain.plan import PlanApproved

_AT_ONCE = 2_000


def settings_of(dsn: str, folder: Path) -> dict[str, str]:
    """The environment of a service on this database; its master key lies in the folder."""
    return {
        "LTCI_DATABASE_URL": dsn,
        "LTCI_KEYS_DATABASE_URL": dsn,
        "LTCI_MASTER_KEY_FILE": str(folder / "master.key"),
    }


async def lay_ground(settings: Mapping[str, str], world: World) -> int:
    """Records providers, caregivers and plans of the pool; returns how many streams."""
    key_file = Path(settings["LTCI_MASTER_KEY_FILE"])
    keys = await KeyRing.open(settings["LTCI_KEYS_DATABASE_URL"], key_file, create=True)
    store = await EventStore.open(settings["LTCI_DATABASE_URL"], "provider", clock=Clock())
    codec, count = provider_codec(keys), 0
    try:
        waiting: list[Stream] = []
        for stream in ground(world, lambda number: keys.person_id("resident", number)):
            waiting.append(stream)
            count += 1
            if len(waiting) == _AT_ONCE:
                await _record(store, codec, keys, waiting)
                waiting = []
        await _record(store, codec, keys, waiting)
    finally:
        await store.close()
        await keys.close()
    return count


async def _record(store: EventStore, codec: Codec, keys: KeyRing, streams: list[Stream]) -> None:
    events = [event for stream in streams for event in stream.events]
    await keys.prepare({e.person for e in events if isinstance(e, PlanApproved)})
    await store.bulk_append([await _append(codec, stream) for stream in streams])


async def _append(codec: Codec, stream: Stream) -> Append:
    request_id = new_id()
    events = [
        await codec.encode(stream.name, version, event)
        for version, event in enumerate(stream.events, start=1)
    ]
    part = StreamAppend(stream.name, stream.kind.category, stream.pool, 0, tuple(events))
    meta = Meta(request_id, "generator", "", "generator")
    return Append(request_id, b"generator", b"", (part,), meta)


@dataclass(frozen=True, kw_only=True)
class Service:
    """The provider service, running."""

    address: str
    process: "subprocess.Popen[bytes]"


@contextmanager
def service(settings: Mapping[str, str], *before: str) -> Iterator[Service]:
    """The service, ready; ended on the way out. `before` goes before the module: a profiler."""
    address = f"127.0.0.1:{free_port()}"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LTCI_")}
    process = subprocess.Popen(
        [sys.executable, *before, "-m", "services.provider"],
        cwd=ROOT,
        env=clean | dict(settings) | {"LTCI_PROVIDER_ADDRESS": address},
        stderr=subprocess.PIPE,
    )
    # A full pipe would stop the service at its next word.
    draining = threading.Thread(target=_drain, args=(process,), daemon=True)
    try:
        _wait_until_ready(process)
        draining.start()
        yield Service(address=address, process=process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        if draining.is_alive():
            draining.join()


def _wait_until_ready(process: "subprocess.Popen[bytes]") -> None:
    if process.stderr is None:
        raise AssertionError("the process was started with a pipe")
    for line in process.stderr:
        try:
            if json.loads(line)["message"] == "ready":
                return
        except ValueError:
            print(line.decode(errors="replace"), end="", file=sys.stderr)
    raise AssertionError("the service did not start")


def _drain(process: "subprocess.Popen[bytes]") -> None:
    if process.stderr is not None:
        with process.stderr:
            process.stderr.read()
