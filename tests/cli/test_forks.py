"""Whoever starts a stack can start its parts while grpc is at work in the same process."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STARTS = 80  # one in fifteen was lost
PROGRAM = f"""
import os, subprocess
from concurrent.futures import ThreadPoolExecutor
import cli.connect
import grpc
server = grpc.server(ThreadPoolExecutor(2))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
with grpc.insecure_channel(f"127.0.0.1:{{port}}") as channel:
    grpc.channel_ready_future(channel).result()
    tied = {{"preexec_fn": lambda: None, "stdin": subprocess.DEVNULL}}
    lost = [n for n in range({STARTS}) if subprocess.run(["true"], **tied).returncode]
server.stop(0).wait()
print(len(lost))
"""


def test_no_start_of_a_part_is_lost() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout.strip()) == (0, "0"), done.stderr[-2000:]
