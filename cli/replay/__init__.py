"""Makes recorded decisions again from the facts known then and the pack pinned then (重算).

Every decision event carries its ruling: the facts by position and digest, the pack by hash.
Replay reads those facts and that pack from the services' own logs, runs the same pure rule, and
compares the bytes. A difference names the decision and the input that differs: a fact, the pack,
what was told by value, or the outcome itself. On the way the logs are held against their own
hash chains and order.
"""

from cli.connect import Connection
from cli.replay.judge import REDO
from cli.replay.logs import SERVICES, Entry, Feeds, case_events, logs_of, open_logs, raw_fact
from cli.replay.part import replay_entries
from cli.replay.report import Difference, Report
from cli.replay.run import Effort, Progress, Resumed, replay_everything

__all__ = [
    "REDO",
    "SERVICES",
    "Difference",
    "Effort",
    "Feeds",
    "Progress",
    "Report",
    "Resumed",
    "case_events",
    "feeds_of",
    "open_logs",
    "raw_fact",
    "replay_case",
    "replay_everything",
]


def feeds_of(connection: Connection) -> Feeds:
    """The event feeds of the four services."""
    return {service: connection.feed(service) for service in SERVICES}


async def replay_case(feeds: Feeds, person: str, progress: Progress | None = None) -> Report:
    """Every decision about one person."""
    logs, report = logs_of(feeds), Report()
    for done, service in enumerate(SERVICES, 1):
        positions = [
            event.position
            async for event in case_events(feeds[service], person)
            if event.type in REDO[service]
        ]
        entries: list[Entry] = await logs[service].at(positions)
        await replay_entries(logs, logs[service], entries, report)
        if progress is not None:
            progress(done, len(SERVICES))
    return report
