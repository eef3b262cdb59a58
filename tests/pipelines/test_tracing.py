"""Traces cost nothing where no endpoint is set, and hold no texts where one is."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext

from pipelines import tracing
from pipelines.tracing import continued_span, current_traceparent, server_span, span
from pipelines.tracing.export import TextlessExporter

PACKAGES = ("opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.instrumentation")
WORK = """
import sys
{before}
import pipelines.events.run, pipelines.service.run
from pipelines.tracing import current_traceparent, span, trace_process
with trace_process("worker"), span("read", unit="a"):
    print(current_traceparent())
print(*(name for name in {packages} if name in sys.modules))
"""


def work(before: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    code = WORK.format(before=before, packages=PACKAGES)
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **environment}
    )


@pytest.mark.one_case
@pytest.mark.parametrize("endpoint", [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": ""}], ids=["unset", "empty"])
def test_without_an_endpoint_nothing_is_imported(endpoint: dict[str, str]) -> None:
    ran = work(**endpoint)
    assert (ran.stdout, ran.returncode) == ("None\n\n", 0), ran.stderr


def test_packages_that_are_missing_are_named() -> None:
    ran = work("sys.modules['opentelemetry.sdk'] = None", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")
    assert "OTEL_EXPORTER_OTLP_ENDPOINT: needs the extra `otel`" in ran.stderr


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What would leave the process."""
    memory, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(TextlessExporter(memory)))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    return memory


def span_id(context: SpanContext | None) -> int:
    assert context is not None
    return context.span_id


def test_several_events_are_gone_on_with_in_the_trace_of_the_first(exported: InMemorySpanExporter) -> None:
    carried = []
    for _ in range(3):
        with server_span("receive"):
            carried.append(current_traceparent())
    with continued_span("event", [None, *carried]), span("read"):
        pass
    first, second, third, read, event = exported.get_finished_spans()
    assert (span_id(event.parent), span_id(read.parent)) == (span_id(first.context), span_id(event.context))
    assert [span_id(link.context) for link in event.links] == [span_id(second.context), span_id(third.context)]


def test_work_on_what_was_not_traced_begins_a_trace(exported: InMemorySpanExporter) -> None:
    with continued_span("event", [None]):
        pass
    (event,) = exported.get_finished_spans()
    assert (event.parent, event.links) == (None, ())


def test_messages_of_errors_and_queries_stay_here(exported: InMemorySpanExporter) -> None:
    attributes = {"http.url": "https://api.test/issues?token=secret"}
    with pytest.raises(ValueError, match="secret"), span("read", **attributes):
        raise ValueError("secret")
    (read,) = exported.get_finished_spans()
    assert not read.status.is_ok
    assert "secret" not in read.to_json()
    assert read.attributes == {"http.url": "https://api.test/issues"}
