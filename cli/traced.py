"""A command is where a caller's trace begins."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from kernel import telemetry


@contextmanager
def traced(command: str) -> Iterator[None]:
    """The root span of a command; sent at its end where a collector is named.

    It carries the command's name and none of its arguments: those could name a person.
    """
    telemetry.setup("cli", level=logging.WARNING)
    try:
        with telemetry.span(f"ltci {command}"):
            yield
    finally:
        telemetry.shutdown()
