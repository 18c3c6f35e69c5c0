"""Appends are seen in their callers' traces where somebody collects, and cost nothing else."""

import asyncio
from collections.abc import Iterator

import pytest

from kernel import telemetry
from kernel.eventstore.postgres import EventStore
from tests.support.appends import new_stream
from tests.support.otlp import Collector, SeenSpan, collector


@pytest.fixture
def seen() -> Iterator[Collector]:
    with collector() as running:
        telemetry.setup("assessment", otlp_endpoint=running.endpoint)
        yield running
        telemetry.shutdown()


async def append_as(caller: str, store: EventStore) -> None:
    with telemetry.span(caller):
        await store.append(new_stream())


def by_name(spans: list[SeenSpan], name: str) -> SeenSpan:
    return next(span for span in spans if span.name == name)


async def test_a_commit_hangs_together_with_all_whose_appends_it_holds(
    seen: Collector, store: EventStore
) -> None:
    await store.append(new_stream())  # the writer knows the log now, and takes all at once
    await asyncio.gather(*(append_as(f"caller {n}", store) for n in range(3)))
    spans = await asyncio.to_thread(
        seen.wait_for, lambda s: {x.name for x in s} >= {"commit", "caller 2"}
    )

    commits = [span for span in spans if span.name == "commit" and span.parent_id]
    reached = {c.parent_id for c in commits} | {one for c in commits for one in c.linked_spans}
    assert reached == {by_name(spans, f"caller {n}").span_id for n in range(3)}
    assert len(commits) == 1
    assert len(commits[0].linked_spans) == 2


async def test_what_only_measures_leaves_no_spans(seen: Collector, store: EventStore) -> None:
    with telemetry.unseen():
        await append_as("measuring", store)
    await append_as("caller", store)
    spans = await asyncio.to_thread(seen.wait_for, lambda s: len(s) >= 2)

    assert {span.name for span in spans} == {"caller", "commit"}


async def test_without_a_collector_no_detail_is_made() -> None:
    assert not telemetry.exporting()
    with telemetry.span("caller"):
        outside = telemetry.current_traceparent()
        with telemetry.detail("append"):
            assert telemetry.current_traceparent() == outside
