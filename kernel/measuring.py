"""Measures that nobody's call makes: how far readers are behind, how much is in which state."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from kernel import telemetry
from kernel.projection import ProjectionRunner

EVERY_SECONDS = 5.0  # between two looks; the collector hears every ten
_log = logging.getLogger(__name__)


async def keep_measuring(*looks: Callable[[], Awaitable[None]]) -> None:
    """Takes the measures again and again, for as long as somebody collects them.

    A measure that fails is missing for a while; it never ends what it measures.
    """
    while telemetry.exporting():
        for look in looks:
            try:
                with telemetry.unseen():
                    await look()
            except Exception as error:  # noqa: BLE001 - what is measured matters more
                _log.debug("not measured: %s", type(error).__name__)
        await asyncio.sleep(EVERY_SECONDS)


async def tell_lags(service: str, runners: Sequence[ProjectionRunner]) -> None:
    """How far each read model is behind each of its sources."""
    for runner in runners:
        for source, behind in (await runner.lag()).items():
            tell_lag(service, runner.name, source, behind)


def tell_lag(service: str, reader: str, source: str, behind: int) -> None:
    telemetry.FEED_LAG.set(behind, {"service": service, "reader": reader, "source": source})
