"""Traces, metrics and logs of a process, set up by one call.

One trace id goes from the caller through services, events, workflows and back: what crosses a
process carries a W3C traceparent. Traces and metrics leave the process only where a collector
is named; without one spans still have their ids and nothing else happens. Logs are JSON lines
on standard error. Personal data belongs in none of the three; numbers that look like a
person's are masked in logs as a last defence.
"""

import json
import logging
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from datetime import UTC, datetime
from threading import Lock

from opentelemetry import metrics, propagate, trace
from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from kernel.config import Settings

EXPORT_EVERY_MS = 500  # short, so that a program that lives a second is seen whole
METRICS_EVERY_MS = 10_000
_TRACEPARENT = TraceContextTextMapPropagator()
# An identity number, a bank card or account, a mobile number; not parts of longer words.
_PERSONAL = re.compile(
    r"(?<![0-9A-Za-z-])(?:[0-9]{15,19}|[0-9]{17}[Xx]|1[3-9][0-9]{9})(?![0-9A-Za-z-])"
)
_OPAQUE = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_case: ContextVar[str] = ContextVar("case", default="")

meter = metrics.get_meter("ltci")
RPC_SECONDS = meter.create_histogram(
    "ltci.rpc.duration", unit="s", description="From a call's arrival to its answer."
)
APPEND_SECONDS = meter.create_histogram(
    "ltci.append.duration", unit="s", description="From an append's arrival to its commit."
)
FEED_LAG = meter.create_gauge(
    "ltci.feed.lag", unit="{event}", description="How many events a reader is behind the log."
)
STATES = meter.create_gauge(
    "ltci.states", unit="{item}", description="How many cases, months, payments are in each state."
)
WORKFLOWS_RUNNING = meter.create_gauge(
    "ltci.workflows.running", unit="{workflow}", description="Processes under way, by kind."
)
CLOCKS_OVERDUE = meter.create_gauge(
    "ltci.clocks.overdue",
    unit="{workflow}",
    description="Processes whose deadline has passed on the business clock.",
)
CLOCKS_IN_TIME = meter.create_gauge(
    "ltci.clocks.in_time",
    unit="{step}",
    description="Steps with a legal time done within a year: in time or late, by step and pool.",
)


def setup(
    service_name: str, *, otlp_endpoint: str | None = None, level: int = logging.INFO
) -> None:
    """Makes this process log JSON and, where a collector is named, export traces and metrics.

    The collector is `OTEL_EXPORTER_OTLP_ENDPOINT` unless one is given. Safe to call again:
    logging stays one handler, and a collector named later is taken up.
    """
    _log_as_json(service_name, level)
    propagate.set_global_textmap(_TRACEPARENT)
    _exports.start(service_name, otlp_endpoint or Settings.from_environment().otlp_endpoint)


def shutdown() -> None:
    """Sends what is waiting and ends the export. Spans after it keep their ids, unsent."""
    _exports.stop()


def exporting() -> bool:
    """Whether a collector hears of this process: what costs more than a span asks first."""
    return _exports.exporting


def tracer() -> trace.Tracer:
    return trace.get_tracer("ltci")


@contextmanager
def span(
    name: str,
    *,
    parent_traceparent: str | None = None,
    links: Sequence[str] = (),
    kind: trace.SpanKind = trace.SpanKind.INTERNAL,
    **attributes: AttributeValue,
) -> Iterator[trace.Span]:
    """A span around a block; under the given parent, or under the current one.

    `links` are traceparents of other traces this work belongs to. A failure marks the span with
    the error's type alone: its text could hold personal data.
    """
    with tracer().start_as_current_span(
        name,
        context=context_of(parent_traceparent) if parent_traceparent else None,
        kind=kind,
        attributes=attributes,
        links=[trace.Link(linked) for linked in map(span_context_of, links) if linked.is_valid],
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield current
        except Exception as error:
            current.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise


def detail(
    name: str, *, parent_traceparent: str | None = None, links: Sequence[str] = ()
) -> AbstractContextManager[object]:
    """A span for what happens often: made only where somebody collects."""
    if not _exports.exporting:
        return nullcontext()
    return span(name, parent_traceparent=parent_traceparent, links=links)


def unseen() -> AbstractContextManager[object]:
    """Calls inside leave no spans, here or where they go: for what only measures."""
    ids = RandomIdGenerator()
    hidden = trace.SpanContext(
        ids.generate_trace_id(), ids.generate_span_id(), is_remote=False
    )  # without the flag that asks for being kept
    return trace.use_span(trace.NonRecordingSpan(hidden))


def span_from(traceparent: str, name: str = "follow") -> AbstractContextManager[trace.Span]:
    """A span whose parent is the call that left this traceparent (in an event, in metadata)."""
    return span(name, parent_traceparent=traceparent)


def current_traceparent() -> str:
    """The W3C traceparent of the current span; empty outside any."""
    if not trace.get_current_span().get_span_context().is_valid:
        return ""
    carrier: dict[str, str] = {}
    _TRACEPARENT.inject(carrier)
    return carrier.get("traceparent", "")


def current_trace_id() -> str:
    """The trace id people quote when they ask for help; empty outside any span."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else ""


def context_of(traceparent: str) -> Context:
    """The context a traceparent names; an empty one where it is malformed."""
    return _TRACEPARENT.extract({"traceparent": traceparent}, context=Context())


def span_context_of(traceparent: str) -> trace.SpanContext:
    return trace.get_current_span(context_of(traceparent)).get_span_context()


@contextmanager
def case_scope(case: str) -> Iterator[None]:
    """Log lines inside carry the case's id (an opaque id, never a person's number)."""
    token = _case.set(case)
    try:
        yield
    finally:
        _case.reset(token)


def case_in(message: object) -> str:
    """The opaque id of the person a request is about; empty where it names none."""
    person = getattr(message, "person", None)
    return person if isinstance(person, str) and _OPAQUE.fullmatch(person) else ""


def masked(text: str) -> str:
    """The text without numbers that look like a person's."""
    return _PERSONAL.sub("***", text)


class JsonLines(logging.Formatter):
    """A log record as one line of JSON. Facts go in `extra={"facts": {...}}`."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self.service = service

    def format(self, record: logging.LogRecord) -> str:
        context = trace.get_current_span().get_span_context()
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self.service,
            "message": masked(record.getMessage()),
        }
        if context.is_valid:
            line["trace_id"] = trace.format_trace_id(context.trace_id)
            line["span_id"] = trace.format_span_id(context.span_id)
        if case := _case.get():
            line["case"] = case
        if record.name != "root":
            line["logger"] = record.name
        facts: dict[str, object] = getattr(record, "facts", {})
        line |= {k: masked(v) if isinstance(v, str) else v for k, v in facts.items()}
        if record.exc_info:
            line["exception"] = masked(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


class _StandardError(logging.Handler):
    """Writes to what standard error is at that moment: some programs exchange it."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:  # noqa: BLE001 - a log that fails must not fail its caller
            self.handleError(record)


def _log_as_json(service_name: str, level: int) -> None:
    root = logging.getLogger()
    root.setLevel(level)
    for handler in root.handlers:
        if isinstance(handler.formatter, JsonLines):
            handler.setFormatter(JsonLines(service_name))
            return
    handler = _StandardError()
    handler.setFormatter(JsonLines(service_name))
    root.addHandler(handler)


class _Relay(SpanProcessor):
    """Hands spans to the exporter of the moment: the SDK can add a processor, not take it away."""

    target: SpanProcessor | None = None

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        if self.target is not None:
            self.target.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        if self.target is not None:
            self.target.on_end(_without_texts(span))


def _without_texts(span: ReadableSpan) -> ReadableSpan:
    """The span as it may leave. Libraries add the texts of errors, which could name a person."""
    if not span.events:
        return span
    kinds = [str((event.attributes or {}).get("exception.type", "")) for event in span.events]
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=span.attributes,
        links=span.links,
        kind=span.kind,
        status=trace.Status(
            span.status.status_code, kinds[-1] if span.status.description else None
        ),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


class _Exports:
    """What this process sends to a collector. OpenTelemetry allows one provider a process.

    After `stop` spans can be exported again, metrics cannot: their reader ends for good.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._relay = _Relay()
        self._tracing = False
        self._metering = False
        self._meters: MeterProvider | None = None

    @property
    def exporting(self) -> bool:
        return self._relay.target is not None

    def start(self, service_name: str, endpoint: str | None) -> None:
        with self._lock:
            resource = Resource.create({"service.name": service_name})
            if not self._tracing:
                provider = TracerProvider(resource=resource, shutdown_on_exit=False)
                provider.add_span_processor(self._relay)
                trace.set_tracer_provider(provider)
                self._tracing = True
            if endpoint and self._relay.target is None:
                self._relay.target = _span_exports(endpoint)
            if endpoint and not self._metering:
                self._meters = _meter_exports(endpoint, resource)
                metrics.set_meter_provider(self._meters)
                self._metering = True

    def stop(self) -> None:
        with self._lock:
            target, self._relay.target = self._relay.target, None
            meters, self._meters = self._meters, None
            if target is not None:
                target.shutdown()
            if meters is not None:
                meters.shutdown(timeout_millis=2_000)


def _span_exports(endpoint: str) -> SpanProcessor:
    # Imported where needed: a process without a collector need not load the exporter.
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    exporter = OTLPSpanExporter(endpoint=endpoint, insecure=_is_plain(endpoint), timeout=2)
    return BatchSpanProcessor(exporter, schedule_delay_millis=EXPORT_EVERY_MS)


def _meter_exports(endpoint: str, resource: Resource) -> MeterProvider:
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter

    exporter = OTLPMetricExporter(endpoint=endpoint, insecure=_is_plain(endpoint), timeout=2)
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=METRICS_EVERY_MS)
    return MeterProvider(metric_readers=[reader], resource=resource, shutdown_on_exit=False)


def _is_plain(endpoint: str) -> bool:
    return not endpoint.startswith("https://")


_exports = _Exports()
