"""Runs a command's work on the running stack."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from cli.connect import Connection
from cli.output import Output
from cli.traced import traced


def with_stack(
    name: str, data: Path, output: Output, work: Callable[[Connection], Awaitable[None]]
) -> None:
    """On a connection to the running stack; expected errors become words."""

    async def run() -> None:
        async with Connection.to_stack(data) as connection:
            await work(connection)

    with output.expected_errors(), traced(name):
        asyncio.run(run())
