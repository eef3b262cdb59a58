"""What a company's monitoring sees of Headrace: figures, log lines and traces of the installed command."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client import Metric

from tests.e2e.conftest import Folder, Ran, embedding_settings, own_environment
from tests.emulators.company import free_port
from tests.emulators.embeddings import EmbeddingsServer
from tests.emulators.github import TOKEN, WEBHOOK_SECRET, GitHub, Repository, serving
from tests.emulators.trace_receiver import TraceReceiver, receiving_traces
from tests.exposition import complaints, parse, value

pytestmark = pytest.mark.slow

PATIENCE = 180.0
TITLE = "Nobody but the owners may know of zanzibar"
WRONG_TOKEN = "wrong-token-of-nobody-at-all"
PRICE = 20.0
STEPS = ("receive", "event", "read", "chunk", "embed", "index", "publish")


@dataclass
class Observed:
    """Headrace on a company's GitHub: a sync, then a server and a worker, to which one webhook came."""

    folder: Folder
    ports: dict[str, int]
    embeddings: EmbeddingsServer
    receiver: TraceReceiver
    environment: dict[str, str]
    synced: Ran
    figures: dict[str, str] = field(default_factory=dict)

    def command(self, *arguments: str) -> list[str]:
        return self.folder.command(*arguments)

    def families(self, name: str) -> dict[str, Metric]:
        return parse(self.figures[name])

    def log(self, name: str) -> str:
        return (self.folder.path / f"{name}.log").read_text()

    @property
    def trace(self) -> dict[str, Span]:
        """Spans of the webhook's trace by name; of several that are alike, the last."""
        for spans in self.receiver.traces().values():
            if any(span.name == "receive" for span in spans):
                return {span.name: span for span in spans}
        return {}


def until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(httpx.HTTPError):
            if so():
                return
        time.sleep(0.1)
    raise AssertionError("it took too long")


@contextmanager
def running(observed: Observed, name: str, *arguments: str) -> Iterator[None]:
    with (observed.folder.path / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            observed.command(name, *arguments),
            cwd=observed.folder.path,
            env=observed.environment,
            stdout=log,
            stderr=log,
        )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def settings(url: str, embeddings: EmbeddingsServer, ports: dict[str, int]) -> dict[str, Any]:
    github = {"source": "github", "base_url": url, "webhook_secret": WEBHOOK_SECRET}
    return {
        "connections": [{**github, "id": "acme", "token": TOKEN}, {**github, "id": "refused", "token": WRONG_TOKEN}],
        "embedding": embedding_settings(embeddings) | {"price_per_million_tokens": PRICE},
        "metrics": {"port": ports["figures of serve"], "worker_port": ports["figures of worker"]},
        "logs": {"format": "json"},
    }


@pytest.fixture(scope="module")
def observed(module_folder: Callable[[str], Path]) -> Iterator[Observed]:
    folder, github = Folder(module_folder("observed")), GitHub()
    api = github.repository("acme/api")
    for number in range(1, 4):
        github.issue(api, f"{TITLE} {number}", f"The pump of mill {number} is stuck.")
    ports = {name: free_port() for name in ("serve", "figures of serve", "figures of worker")}
    with ExitStack() as opened:
        url = opened.enter_context(serving(github))
        embeddings = opened.enter_context(EmbeddingsServer(dimensions=64))
        receiver = opened.enter_context(receiving_traces())
        folder.settings(**settings(url, embeddings, ports))
        traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}
        synced = folder.headrace("sync", "--json", **traced)
        found = Observed(folder, ports, embeddings, receiver, own_environment() | traced, synced)
        opened.enter_context(running(found, "serve", "--port", str(ports["serve"])))
        opened.enter_context(running(found, "worker"))
        tell(found, github, api)
        for name in ("serve", "worker"):
            found.figures[name] = httpx.get(f"http://127.0.0.1:{ports[f'figures of {name}']}/metrics").text
        yield found


def tell(observed: Observed, github: GitHub, api: Repository) -> None:
    """A webhook comes, and what it led to is published."""
    url = f"http://127.0.0.1:{observed.ports['serve']}"
    github.edit_issue(api, 2, body="The pump sings.")
    headers, body = github.issue_webhook("edited", api, 2)
    until(lambda: httpx.get(f"{url}/healthz").is_success)
    until(lambda: httpx.post(f"{url}/webhooks/acme", content=body, headers=headers).is_success)
    until(lambda: set(STEPS) <= observed.trace.keys())


@pytest.mark.parametrize("name", ["serve", "worker"])
def test_figures_keep_to_prometheus_rules(observed: Observed, name: str) -> None:
    assert complaints(observed.figures[name]) == []


@pytest.mark.parametrize("name", ["serve", "worker"])
def test_what_a_sync_has_counted_outlives_it(observed: Observed, name: str) -> None:
    families, report = observed.families(name), observed.synced.json
    tokens = value(families, "headrace_embedding_tokens_total", connection="acme")
    assert tokens == observed.embeddings.tokens > report["embedding"]["tokens"] > 0
    cost = value(families, "headrace_embedding_cost_usd_total", connection="acme")
    assert cost == pytest.approx(tokens * PRICE / 1e6)
    new = value(families, "headrace_documents_processed_total", connection="acme", outcome="new")
    assert new == report["documents"]["new"] > 0
    requests = value(families, "headrace_source_requests_total", connection="acme")
    assert requests > report["requests"]["acme"] > 0
    assert value(families, "headrace_errors_total", connection="refused", cause="source_credentials") >= 1


@pytest.mark.parametrize("name", ["serve", "worker"])
def test_figures_tell_how_it_stands(observed: Observed, name: str) -> None:
    families = observed.families(name)
    assert value(families, "headrace_catalog_up") == 1
    assert value(families, "headrace_inbox_events", connection="acme") == 0
    assert value(families, "headrace_inbox_oldest_age_seconds", connection="acme") < 1
    assert value(families, "headrace_gate_open") == 1
    assert value(families, "headrace_gate_check_passed", check="index_agrees_with_catalog") == 1
    indexed = value(families, "headrace_documents", connection="acme", status="indexed")
    assert value(families, "headrace_index_documents") == indexed > 0
    assert value(families, "headrace_index_points") >= indexed
    assert 0 < value(families, "headrace_connection_success_age_seconds", connection="acme") < 2 * PATIENCE
    assert 0 < value(families, "headrace_unit_success_age_seconds", connection="acme") < 2 * PATIENCE
    assert value(families, "headrace_units", connection="acme", state="in_time") == 1
    assert value(families, "headrace_incident_age_seconds", connection="refused") > 0
    assert value(families, "headrace_leases", state="expired") == 0
    assert value(families, "process_resident_memory_bytes") > 1e7


def test_the_worker_tells_how_long_events_take(observed: Observed) -> None:
    families = observed.families("worker")
    assert value(families, "headrace_event_seconds_count", connection="acme") == 1
    assert value(families, "headrace_events_total", connection="acme", outcome="done") == 1


def test_figures_hold_no_secret_and_no_title(observed: Observed) -> None:
    together = "".join(observed.figures.values())
    assert not any(word in together for word in ("zanzibar", TOKEN, WRONG_TOKEN, WEBHOOK_SECRET, "acme/api"))


def test_a_port_for_the_workers_figures_that_is_taken_is_named(observed: Observed) -> None:
    ran = observed.folder.headrace("worker")
    assert ran.code == 2
    assert "metrics.worker_port: nothing can listen there" in json.loads(ran.errors.splitlines()[-1])["message"]


@pytest.mark.parametrize("name", ["sync", "serve", "worker"])
def test_log_lines_are_json_where_the_settings_say_so(observed: Observed, name: str) -> None:
    text = observed.synced.errors if name == "sync" else observed.log(name)
    lines = [json.loads(line) for line in text.splitlines()]
    assert {"time", "level", "log", "message"} <= lines[0].keys()
    assert WRONG_TOKEN not in text
    if name == "sync":
        errors = [line["message"] for line in lines if line["level"] == "ERROR"]
        assert errors
        assert all("the credentials were refused" in message for message in errors)


def test_a_webhook_and_what_it_leads_to_are_one_trace(observed: Observed) -> None:
    trace = observed.trace
    assert trace["event"].parent_span_id == trace["receive"].span_id
    for name in ("read", "chunk", "embed", "index", "publish"):
        assert trace[name].parent_span_id == trace["event"].span_id, name
    starts = [trace[name].start_time_unix_nano for name in STEPS]
    assert starts == sorted(starts)


def test_requests_are_spans_of_what_they_are_sent_for(observed: Observed) -> None:
    (spans,) = [spans for spans in observed.receiver.traces().values() if any(span.name == "receive" for span in spans)]
    ids = {span.span_id: span.name for span in spans}
    parents = {(span.name, ids.get(span.parent_span_id)) for span in spans if span.kind == Span.SPAN_KIND_CLIENT}
    assert {("GET", "read"), ("POST", "embed")} <= parents


def test_traces_hold_no_secret_no_query_and_no_text(observed: Observed) -> None:
    sent = b"".join(observed.receiver.received)
    assert not any(word.encode() in sent for word in ("zanzibar", TOKEN, WRONG_TOKEN, WEBHOOK_SECRET))
    spans = [span for spans in observed.receiver.traces().values() for span in spans]
    told = [attribute.value.string_value for span in spans for attribute in span.attributes]
    assert any(text.startswith("http://127.0.0.1") for text in told)
    assert not any("?" in text for text in told)
