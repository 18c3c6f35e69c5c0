"""A collector in this process: takes spans and metrics over OTLP and keeps them for tests."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition
from typing import Any

import grpc
from google.protobuf.text_format import MessageToString
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


@dataclass(frozen=True)
class SeenSpan:
    """A span as it reached the collector; ids in hex."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, str]
    linked_traces: tuple[str, ...]
    linked_spans: tuple[str, ...]
    events: tuple[str, ...]
    failed: bool
    text: str  # all of it, to search


class Collector:
    """What arrived so far."""

    def __init__(self) -> None:
        self.port = 0
        self._arrived = Condition()
        self._spans: list[SeenSpan] = []
        self._metrics: set[str] = set()
        self._points: set[tuple[str, frozenset[tuple[str, str]]]] = set()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def spans(self) -> list[SeenSpan]:
        with self._arrived:
            return list(self._spans)

    @property
    def metrics(self) -> set[str]:
        with self._arrived:
            return set(self._metrics)

    def points(self, metric: str) -> list[dict[str, str]]:
        """What a metric was told about: the attributes of its points."""
        with self._arrived:
            return [dict(about) for name, about in self._points if name == metric]

    def wait_for(
        self, enough: Callable[[list[SeenSpan]], bool], timeout: float = 10.0
    ) -> list[SeenSpan]:
        """The spans, once there are enough of them; blocks (use a thread in async tests)."""
        deadline = time.monotonic() + timeout
        with self._arrived:
            while not enough(self._spans):
                left = deadline - time.monotonic()
                if left <= 0 or not self._arrived.wait(left):
                    names = sorted({span.name for span in self._spans})
                    raise AssertionError(f"not enough spans after {timeout} s, only: {names}")
            return list(self._spans)

    def take_spans(self, request: trace_service_pb2.ExportTraceServiceRequest) -> None:
        seen = [
            _seen(_text_attributes(resource.resource.attributes).get("service.name", ""), span)
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        with self._arrived:
            self._spans += seen
            self._arrived.notify_all()

    def take_metrics(self, request: metrics_service_pb2.ExportMetricsServiceRequest) -> None:
        metrics = [
            metric
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        ]
        points = {
            (metric.name, frozenset(_text_attributes(point.attributes).items()))
            for metric in metrics
            for point in getattr(metric, str(metric.WhichOneof("data"))).data_points
        }
        with self._arrived:
            self._metrics |= {metric.name for metric in metrics}
            self._points |= points
            self._arrived.notify_all()


@contextmanager
def collector() -> Iterator[Collector]:
    """A running collector on a free port."""
    kept = Collector()
    server = grpc.server(ThreadPoolExecutor(max_workers=2))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(_Traces(kept), server)  # type: ignore[no-untyped-call]
    metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(_Metrics(kept), server)  # type: ignore[no-untyped-call]
    kept.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield kept
    finally:
        server.stop(0).wait()


class _Traces(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self, kept: Collector) -> None:
        self._kept = kept

    def Export(  # noqa: N802 - the name in the proto
        self,
        request: trace_service_pb2.ExportTraceServiceRequest,
        _context: Any,
    ) -> trace_service_pb2.ExportTraceServiceResponse:
        self._kept.take_spans(request)
        return trace_service_pb2.ExportTraceServiceResponse()


class _Metrics(metrics_service_pb2_grpc.MetricsServiceServicer):
    def __init__(self, kept: Collector) -> None:
        self._kept = kept

    def Export(  # noqa: N802 - the name in the proto
        self,
        request: metrics_service_pb2.ExportMetricsServiceRequest,
        _context: Any,
    ) -> metrics_service_pb2.ExportMetricsServiceResponse:
        self._kept.take_metrics(request)
        return metrics_service_pb2.ExportMetricsServiceResponse()


def _seen(service: str, span: Any) -> SeenSpan:
    return SeenSpan(
        service=service,
        name=span.name,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        attributes=_text_attributes(span.attributes),
        linked_traces=tuple(link.trace_id.hex() for link in span.links),
        linked_spans=tuple(link.span_id.hex() for link in span.links),
        events=tuple(event.name for event in span.events),
        failed=span.status.code == 2,
        text=MessageToString(span, as_utf8=True),
    )


def _text_attributes(attributes: Any) -> dict[str, str]:
    told = {}
    for attribute in attributes:
        kind = attribute.value.WhichOneof("value")
        told[attribute.key] = str(getattr(attribute.value, kind)) if kind else ""
    return told
