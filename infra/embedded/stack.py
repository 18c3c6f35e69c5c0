"""The whole system on one machine: PostgreSQL, Temporal, the bank, four services, the worker.

One folder holds everything a stack keeps: databases, keys, the business clock, logs. One stack
runs on a folder at a time. A part that dies is started again; whatever ends this process ends
the parts, so nothing is left behind.
"""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Protocol, Self

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from infra.embedded.child import die_with_parent
from infra.embedded.postgres import EmbeddedPostgres, PostgresError
from infra.embedded.temporal import EmbeddedTemporal, TemporalError
from kernel.clock import BusinessClock, Clock, read_clock, write_clock
from kernel.eventstore.keys import read_master_key

SERVICES = ("enrollment", "assessment", "provider", "payment")
PREFERRED_PORTS = {
    "postgres": 7432,
    "temporal": 7233,
    "temporal-ui": 8233,
    "enrollment": 7501,
    "assessment": 7502,
    "provider": 7503,
    "payment": 7504,
    "bank": 7505,
}
PATIENCE = 60.0  # seconds a part may take to answer
RESTART_PAUSE = 0.5  # seconds before a dead part is started again
HEARTBEAT = 0.25  # seconds between two notes of the business time
GRACE = 10.0  # seconds a part has to stop by itself

ROOT = Path(__file__).resolve().parents[2]
Say = Callable[[str], None]


class StackError(RuntimeError):
    """The stack cannot run; the message says why and what would help."""


class Part(Protocol):
    """A process of the stack."""

    def start(self) -> None: ...
    def wait_ready(self) -> None: ...
    def stop(self) -> None: ...
    @property
    def pid(self) -> int | None: ...
    def alive(self) -> bool: ...


@dataclass
class Program:
    """A Python program of ours as a child process, ready when its check passes."""

    name: str
    module: str
    environment: Mapping[str, str]
    log_file: Path
    ready: Callable[[], bool]
    process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self.module],
                cwd=ROOT,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent(os.getpid()),  # noqa: PLW1509 - nothing left behind
            )

    def wait_ready(self) -> None:
        end = time.monotonic() + PATIENCE
        while not self.ready():
            if not self.alive():
                raise StackError(f"{self.name} ended at its start:\n{_tail(self.log_file)}")
            if time.monotonic() > end:
                raise StackError(f"{self.name} does not answer; see {self.log_file}")
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass(frozen=True, kw_only=True)
class ClockSettings:
    """Where a new stack's business clock begins and how fast it runs; None for real time."""

    begins: datetime
    speed: float


@dataclass
class Stack:
    """Everything, in the order it is started. Use as a context manager."""

    folder: Path
    clock: ClockSettings | None = None
    say: Say = print
    environment: Mapping[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    restarts: int = 0

    def __post_init__(self) -> None:
        self.folder = self.folder.resolve()
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        self._restarting = threading.Lock()
        self._lock: IO[str] | None = None
        self._watchers: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def variables(self) -> dict[str, str]:
        """What the programs, and the `ltci` command, need to find everything."""
        return {
            "LTCI_DATABASE_URL": self._postgres().dsn("ltci"),
            "LTCI_KEYS_DATABASE_URL": self._postgres().dsn("ltci_keys"),
            "LTCI_MASTER_KEY_FILE": str(self.folder / "master.key"),
            "LTCI_BANK_FOLDER": str(self.folder / "bank"),
            "LTCI_TEMPORAL_ADDRESS": f"127.0.0.1:{self.ports['temporal']}",
            **{
                f"LTCI_{name.upper()}_ADDRESS": f"127.0.0.1:{self.ports[name]}"
                for name in (*SERVICES, "bank")
            },
            **({"LTCI_CLOCK_FILE": str(self._clock_file)} if self._clock_file.exists() else {}),
        }

    def start(self) -> None:
        """Starts every part in order; on any failure stops what runs and says why."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "logs").mkdir(exist_ok=True)
        self._take_lock()
        try:
            self._choose_ports()
            self._set_clock()
            self._start_servers()
            self._start_programs()
        except BaseException:
            self.stop()
            raise
        self._write_addresses()
        self._write_pids()
        self._watch()

    def stop(self) -> None:
        """Stops every part, last started first; the business clock stands still from here."""
        self._stopping.set()
        with self._restarting:
            for name in reversed(list(self.parts)):
                self.parts[name].stop()
            self.parts.clear()
        self._stopped.set()
        for watcher in self._watchers:
            watcher.join()
        if self._lock is not None:
            self._addresses_file.unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def addresses(self) -> dict[str, str]:
        """What listens where, for people."""
        shown = {name: f"127.0.0.1:{self.ports[name]}" for name in (*SERVICES, "bank", "temporal")}
        shown["temporal-ui"] = f"http://127.0.0.1:{self.ports['temporal-ui']}"
        shown["postgres"] = self._postgres().dsn("ltci")
        return shown

    # -- starting -----------------------------------------------------------------------------

    def _take_lock(self) -> None:
        lock = (self.folder / "lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise StackError(
                f"a stack runs on {self.folder} already; stop it, or name another with --data"
            ) from None
        self._lock = lock

    def _choose_ports(self) -> None:
        """The same ports as last time where they are free, so that addresses stay."""
        kept_file = self.folder / "ports.json"
        kept = json.loads(kept_file.read_text()) if kept_file.exists() else {}
        taken: set[int] = set()
        for name, preferred in {**PREFERRED_PORTS, **kept, **self.ports}.items():
            self.ports[name] = _free_port(preferred, taken)
            taken.add(self.ports[name])
        kept_file.write_text(json.dumps(self.ports))

    def _set_clock(self) -> None:
        """Goes on where the business clock stood when the stack last ran."""
        now = Clock().real_now()
        if self._clock_file.exists():
            mapping = read_clock(self._clock_file)
            stood = self._heartbeat_file
            begins = (
                datetime.fromisoformat(stood.read_text())
                if stood.exists()
                else mapping.business_origin
            )
            write_clock(
                self._clock_file,
                BusinessClock(real_origin=now, business_origin=begins, speed=mapping.speed),
            )
        elif self.clock is not None:
            write_clock(
                self._clock_file,
                BusinessClock(
                    real_origin=now, business_origin=self.clock.begins, speed=self.clock.speed
                ),
            )

    def set_speed(self, speed: float) -> None:
        """From now on the business clock runs so fast; it never jumps."""
        clock = Clock(self._clock_file)
        mapping = BusinessClock(
            real_origin=clock.real_now(), business_origin=clock.now(), speed=speed
        )
        write_clock(self._clock_file, mapping)

    def _start_servers(self) -> None:
        logs = self.folder / "logs"
        postgres = EmbeddedPostgres(
            self.folder / "postgres", self.ports["postgres"], logs / "postgres.log"
        )
        temporal = EmbeddedTemporal(
            self.folder / "temporal",
            self.ports["temporal"],
            self.ports["temporal-ui"],
            logs / "temporal.log",
        )
        self.say("PostgreSQL and Temporal are starting")
        try:
            for name, server in (("postgres", postgres), ("temporal", temporal)):
                self.parts[name] = server
                server.start()
            for server in (postgres, temporal):
                server.wait_ready()
        except (PostgresError, TemporalError) as error:
            raise StackError(str(error)) from None
        for database in ("ltci", "ltci_keys"):
            postgres.create_database(database)

    def _start_programs(self) -> None:
        self.say("bank, services and worker are starting")
        # The folder's first start makes the key; a service never makes one by itself.
        read_master_key(self.folder / "master.key", create=True)
        names = ("bank", *SERVICES, "worker")
        modules = {"bank": "infra.bank", "worker": "workflows"}
        for name in names:
            self._program(name, modules.get(name, f"services.{name}"))
        for name in names:
            self.parts[name].wait_ready()

    def _program(self, name: str, module: str) -> Program:
        log_file = self.folder / "logs" / f"{name}.log"
        if name == "worker":
            check: Callable[[], bool] = _says(log_file, "worker ready")
        else:
            check = _serving(f"127.0.0.1:{self.ports[name]}")
        environment = {**self.variables, **self.environment}
        program = Program(name, module, environment, log_file, check)
        self.parts[name] = program
        program.start()
        return program

    # -- while it runs ------------------------------------------------------------------------

    def _watch(self) -> None:
        for work in (self._keep_alive, self._note_time):
            thread = threading.Thread(target=work, name=work.__name__, daemon=True)
            thread.start()
            self._watchers.append(thread)

    def _keep_alive(self) -> None:
        """Starts a dead part again."""
        while not self._stopping.wait(RESTART_PAUSE):
            for name, part in list(self.parts.items()):
                with self._restarting:
                    if not self._stopping.is_set() and not part.alive():
                        self._restart(name, part)
        # A part dies with the thread that started it: this one stays until all are stopped.
        self._stopped.wait()

    def _restart(self, name: str, part: Part) -> None:
        self.restarts += 1
        self.say(f"{name} ended unexpectedly; it is started again")
        try:
            part.start()
            part.wait_ready()
            self._write_pids()
        except Exception as error:  # noqa: BLE001 - the watcher must go on watching
            self.say(f"{name} did not start: {error}")

    def _note_time(self) -> None:
        """Notes the business time, so that a stack that was killed goes on from about there."""
        clock = Clock(self._clock_file)
        while not self._stopping.is_set():
            if self._clock_file.exists():
                draft = self._heartbeat_file.with_suffix(".draft")
                draft.write_text(clock.now().isoformat())
                draft.replace(self._heartbeat_file)
            self._stopping.wait(HEARTBEAT)

    # -- files --------------------------------------------------------------------------------

    @property
    def _clock_file(self) -> Path:
        return self.folder / "clock.json"

    @property
    def _heartbeat_file(self) -> Path:
        return self.folder / "clock.stood"

    @property
    def _addresses_file(self) -> Path:
        return self.folder / "stack.json"

    def _write_addresses(self) -> None:
        draft = self._addresses_file.with_suffix(".draft")
        draft.write_text(json.dumps(self.variables, indent=1))
        draft.replace(self._addresses_file)

    def _write_pids(self) -> None:
        """For operators, and for tests that kill a part: which process is which."""
        pids = {"ltci": os.getpid(), **{name: part.pid for name, part in self.parts.items()}}
        draft = self.folder / "pids.draft"
        draft.write_text(json.dumps(pids))
        draft.replace(self.folder / "pids.json")

    def _postgres(self) -> EmbeddedPostgres:
        part = self.parts["postgres"]
        assert isinstance(part, EmbeddedPostgres)  # noqa: S101 - tells the type checker
        return part


def running_stack(folder: Path) -> dict[str, str]:
    """The variables of the stack that runs on a folder; empty where none does."""
    try:
        told: dict[str, str] = json.loads((folder / "stack.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return told


def _free_port(preferred: int, taken: set[int]) -> int:
    for candidate in (preferred, 0):
        if candidate in taken:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise StackError("no free port on this machine")


def _serving(address: str) -> Callable[[], bool]:
    """Whether the gRPC server at the address says that it serves."""

    def check() -> bool:
        with grpc.insecure_channel(address) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            try:
                answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=1)  # type: ignore[attr-defined]
            except grpc.RpcError:
                return False
            return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    return check


def _says(log_file: Path, words: str) -> Callable[[], bool]:
    """Whether the log has said something since now."""
    begin = log_file.stat().st_size if log_file.exists() else 0

    def check() -> bool:
        if not log_file.exists():
            return False
        with log_file.open("rb") as log:
            log.seek(begin)
            return words.encode() in log.read()

    return check


def _tail(log_file: Path, lines: int = 15) -> str:
    if not log_file.exists():
        return ""
    return "\n".join(log_file.read_text(errors="replace").splitlines()[-lines:])


@contextlib.contextmanager
def interrupted_by_signals() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set, instead of ending the process in mid-step."""
    event = threading.Event()
    previous = {
        number: signal.signal(number, lambda *_: event.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield event
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
