"""Traces by OpenTelemetry, where an endpoint is set; elsewhere nothing of it is imported, and a span costs nothing.

The SDK reads its own variables (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/):
where to send spans, with which headers, which share of traces, and the name of the service.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from pipelines.errors import SettingsError

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Tracer

    from pipelines.tracing.export import Tracing

Argument = TypeVar("Argument")
Result = TypeVar("Result")

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_MOST_LINKS = 100
"""To other events that one pass takes together; a burst has thousands."""

_tracer: Tracer | None = None
_tracing: Tracing | None = None  # several runs of one process share it


@contextmanager
def trace_process(kind: str) -> Iterator[None]:
    """Send the spans of this process to the endpoint that the environment names, if it does, as the service
    `headrace-<kind>`. Raises SettingsError if the packages that it takes are not installed."""
    endpoint = next((name for name in ENDPOINTS if os.environ.get(name)), None)
    if endpoint is None or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        yield
        return
    try:
        from pipelines.tracing.export import Tracing
    except ModuleNotFoundError as error:
        raise SettingsError(endpoint, f"needs the extra `otel` ({error}): pip install 'headrace[otel]'") from None
    global _tracer, _tracing
    _tracing = _tracing or Tracing(kind)
    _tracer = _tracing.tracer
    try:
        yield
    finally:
        _tracing.flush()


@contextmanager
def span(name: str, **attributes: str | int) -> Iterator[None]:
    """What happens in the context, as part of the span around it. Attributes are ids and counts, and never a text."""
    if _tracer is None:
        yield
        return
    with _tracer.start_as_current_span(name, attributes=attributes):
        yield


@contextmanager
def server_span(name: str, **attributes: str | int) -> Iterator[None]:
    """A request that begins a trace of its own: whoever asks is not let into ours."""
    if _tracer is None:
        yield
        return
    from opentelemetry.context import Context
    from opentelemetry.trace import SpanKind

    with _tracer.start_as_current_span(name, Context(), SpanKind.SERVER, attributes):
        yield


@contextmanager
def continued_span(name: str, traceparents: Iterable[str | None], **attributes: str | int) -> Iterator[None]:
    """Work on what several spans have led to, in the trace of the first of them and linked to the others."""
    if _tracer is None:
        yield
        return
    from opentelemetry.context import Context
    from opentelemetry.trace import Link, get_current_span

    first, *others = [_context(one) for one in dict.fromkeys(traceparents) if one] or [Context()]
    links = [Link(get_current_span(one).get_span_context()) for one in others[:_MOST_LINKS]]
    with _tracer.start_as_current_span(name, first, links=links, attributes=attributes):
        yield


def in_this_span(work: Callable[[Argument], Result]) -> Callable[[Argument], Result]:
    """The same work, whose spans are parts of the span around also where another thread does it."""
    if _tracer is None:
        return work
    from opentelemetry.context import attach, detach, get_current

    around = get_current()

    def run(argument: Argument) -> Result:
        token = attach(around)
        try:
            return work(argument)
        finally:
            detach(token)

    return run


def current_traceparent() -> str | None:
    """The span around, in the form of https://www.w3.org/TR/trace-context/; None where nothing is traced."""
    if _tracer is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent")


def _context(traceparent: str) -> Context:
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({"traceparent": traceparent}, Context())
