"""A benchmark's other process, and the read models that catch up behind it."""

import asyncio
import json
import subprocess
import sys
import time
from typing import Any

import asyncpg

from kernel.config import ROOT


def told_by(benchmark: str, *arguments: str) -> dict[str, Any]:
    """What a process of the benchmark tells at its end, one JSON document."""
    command = [sys.executable, "-m", "benchmarks", benchmark, *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


async def catching_up(dsn: str, service: str) -> tuple[int, float]:
    """How far a service's read models are behind its log, and the seconds until they are not."""
    connection = await asyncpg.connect(dsn)
    question = (
        f"select (select last_position from {service}.log) - min(position)"
        f" from {service}.projection_checkpoints where source = '{service}'"
    )
    try:
        began = time.perf_counter()
        behind: int = await connection.fetchval(question)
        while await connection.fetchval(question):  # noqa: ASYNC110 - another process moves it
            await asyncio.sleep(0.05)
        return behind, time.perf_counter() - began
    finally:
        await connection.close()
