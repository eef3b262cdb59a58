"""Spans on their way out of the process, without what nobody outside may read."""

from __future__ import annotations

import os
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.propagate import set_global_textmap
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status, Tracer
from opentelemetry.util.types import AttributeValue

_FLUSH_MS = 2_000
"""A process that is told to end is to be gone within ten seconds, also where the collector does not answer."""
_URLS = ("http.url", "url.full")


class Tracing:
    """The tracer of this process, which is one of that kind: `worker`, `serve` or `run`.

    It is not OpenTelemetry's global one: frameworks would begin spans of their own, with whole URLs and errors.
    """

    def __init__(self, kind: str) -> None:
        named = "OTEL_SERVICE_NAME" in os.environ
        resource = Resource.create({} if named else {SERVICE_NAME: f"headrace-{kind}"})
        self._provider = TracerProvider(resource=resource)
        self._provider.add_span_processor(BatchSpanProcessor(TextlessExporter(OTLPSpanExporter())))
        set_global_textmap(CompositePropagator([]))  # sources and providers are not told which trace they are part of
        HTTPXClientInstrumentor().instrument(tracer_provider=self._provider)
        self.tracer: Tracer = self._provider.get_tracer("headrace")

    def flush(self) -> None:
        """Send what is still here: a process that is told to end may not get as far as its exit handlers."""
        self._provider.force_flush(_FLUSH_MS)


class TextlessExporter(SpanExporter):
    """Hands spans on without messages of errors and queries of URLs: those can quote a secret or somebody's text."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([_without_texts(one) for one in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _without_texts(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes={name: _without_query(name, value) for name, value in (span.attributes or {}).items()},
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _without_query(name: str, value: AttributeValue) -> AttributeValue:
    return value.split("?", 1)[0] if name in _URLS and isinstance(value, str) else value
