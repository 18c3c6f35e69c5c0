"""Our own PostgreSQL server: it starts anywhere, survives crashes, and leaves nobody behind."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from infra.embedded.postgres import EmbeddedPostgres
from tests.support.postgres import free_port


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ltci-tests-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(folder / "data", free_port(), folder / "postgres.log")
    server.start()
    server.wait_ready()
    yield server
    server.stop()


def ask(server: EmbeddedPostgres, question: str, database: str = "postgres") -> object:
    async def asking() -> object:
        connection = await asyncpg.connect(server.dsn(database))
        try:
            return await connection.fetchval(question)
        finally:
            await connection.close()

    return asyncio.run(asking())


def test_it_is_durable_and_listens_on_the_loopback_address_alone(server: EmbeddedPostgres) -> None:
    shown = {name: ask(server, f"SHOW {name}") for name in ("fsync", "synchronous_commit")}
    assert shown == {"fsync": "on", "synchronous_commit": "on"}
    assert ask(server, "SHOW listen_addresses") == "127.0.0.1"
    assert ask(server, "SHOW unix_socket_directories") == ""
    assert server.data_folder.stat().st_mode & 0o777 == 0o700
    if os.geteuid() == 0:
        assert server.data_folder.stat().st_uid != 0


def test_a_database_is_made_once_and_outlives_a_stop(server: EmbeddedPostgres) -> None:
    server.create_database("ltci")
    server.create_database("ltci")
    ask(server, "CREATE TABLE kept (n int)", "ltci")

    server.stop()
    assert server.pid is None
    server.start()
    server.wait_ready()

    assert ask(server, "SELECT to_regclass('kept')::text", "ltci") == "kept"


def test_it_comes_back_over_the_lock_of_a_killed_server(server: EmbeddedPostgres) -> None:
    ask(server, "CREATE TABLE kept (n int)")
    killed = server.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    _wait_for_end(killed)
    # The dead server's number now belongs to someone else, as it happens after a reboot.
    lock = server.data_folder / "postmaster.pid"
    lock.write_text(lock.read_text().replace(str(killed), str(os.getpid()), 1))

    server.start()
    server.wait_ready()

    assert server.pid not in {None, killed}
    assert ask(server, "SELECT to_regclass('kept')::text") == "kept"


def test_it_dies_with_the_process_that_started_it(folder: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from infra.embedded.postgres import EmbeddedPostgres\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "server = EmbeddedPostgres(folder / 'data', int(sys.argv[2]), folder / 'log')\n"
        "server.start()\n"
        "server.wait_ready()\n"
        "print(server.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(folder), str(free_port())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    _wait_for_end(child)


def test_a_second_start_leaves_the_running_server_alone(server: EmbeddedPostgres) -> None:
    before = server.pid
    server.start()
    assert server.pid == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has places that others cannot enter")
def test_a_place_of_root_alone_gets_a_linked_stand_in(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    server = EmbeddedPostgres(closed / "data", free_port(), folder / "log")
    try:
        server.start()
        server.wait_ready()
        assert (closed / "data" / "PG_VERSION").exists()
        again = EmbeddedPostgres(closed / "data", server.port, folder / "log")
        assert again.data_folder == server.data_folder
    finally:
        server.stop()
        shutil.rmtree(server.data_folder.parent)


def _wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return
        if state == "Z":
            return
        time.sleep(0.02)
    pytest.fail(f"process {pid} lives on")


def test_a_folder_put_back_from_a_backup_is_served(folder: Path) -> None:
    first = EmbeddedPostgres(folder / "first", free_port(), folder / "first.log")
    first.start()
    first.wait_ready()
    first.create_database("kept")
    first.stop()
    # Copied by whoever restores it: the files are theirs, not the server's.
    shutil.copytree(first.data_folder, folder / "restored")

    again = EmbeddedPostgres(folder / "restored", free_port(), folder / "again.log")
    again.start()
    try:
        again.wait_ready()
        assert ask(again, "select count(*) from pg_database where datname = 'kept'") == 1
    finally:
        again.stop()
