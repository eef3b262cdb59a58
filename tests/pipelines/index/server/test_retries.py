"""A Qdrant server that cannot answer for a moment is asked again, for as long as the caller can wait."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import httpx
import pytest
from qdrant_client import QdrantClient
from stamina.instrumentation import set_on_retry_hooks

from pipelines.errors import IndexStoreError
from pipelines.index.contract import DocumentChange, Filters, IndexSpec, Point
from pipelines.index.server.reader import QdrantReader
from pipelines.index.server.store import QdrantStore
from pipelines.logs import log_retries
from pipelines.settings import IndexSettings
from tests.pipelines.index.conftest import Rest

SPEC = IndexSpec("knowledge", "m", 4, "v1")
PAYLOAD = {"document_id": "a", "version": "1", "updated_at": None, "position": 0, "readers": ["public"]}
CHANGE = DocumentChange("a", [Point("00000000-0000-0000-0000-000000000001", [1, 0, 0, 0], "water", PAYLOAD)])

Fault = Callable[[], httpx.Response]


def reset() -> httpx.Response:
    raise httpx.ReadError("connection reset by peer")


class Faulty:
    """A server that meets the next requests to a path with faults."""

    def __init__(self) -> None:
        self.rest = Rest()
        self.faults: list[tuple[str, Fault]] = []
        self.refused = 0

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.faults and self.faults[0][0] in request.url.path:
            self.refused += 1
            return self.faults.pop(0)[1]()
        return self.rest.answer(request)

    def client(self) -> QdrantClient:
        transport = httpx.MockTransport(self.answer)
        return QdrantClient(url="http://qdrant.test", check_compatibility=False, transport=transport)

    def store(self) -> QdrantStore:
        return QdrantStore(self.client(), SPEC, IndexSettings(url="http://qdrant.test"))

    def search(self) -> int:
        reader = QdrantReader(self.client(), "knowledge", SPEC)
        return len(reader.search(mode="lexical", text="water", dense=None, filters=Filters(readers=None), limit=5))


@pytest.fixture
def server() -> Faulty:
    faulty = Faulty()
    with faulty.store() as store:
        store.apply([CHANGE])
        store.publish()
    return faulty


FAULTS: list[Fault] = [
    lambda: httpx.Response(503, text="overloaded"),
    lambda: httpx.Response(502, text="bad gateway"),
    lambda: httpx.Response(500, json={"status": {"error": "Failed to apply update to a replica. Please retry."}}),
    lambda: httpx.Response(429, headers={"Retry-After": "0"}, json={"status": {"error": "busy"}}),
    lambda: httpx.Response(429, headers={"Retry-After": "1"}, json={"status": {"error": "busy"}}),
    reset,
]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_passing_fault_fails_neither_a_write_nor_a_search(server: Faulty, fault: Fault) -> None:
    server.faults = [("/aliases", fault), ("/points/query", fault)]
    assert server.search() == 1
    server.faults = [("/exists", fault), ("/points/batch", fault), ("/points/batch", fault)]
    with server.store() as store:
        store.apply([CHANGE])
    assert server.faults == []


def test_what_is_logged_of_an_attempt_names_the_server(server: Faulty, caplog: pytest.LogCaptureFixture) -> None:
    log_retries()
    server.faults = [("/points/query", reset)]
    with caplog.at_level("INFO"):
        assert server.search() == 1
    set_on_retry_hooks(None)
    assert "the Qdrant server cannot be reached (connection reset by peer); attempt 2" in caplog.text


def test_what_lasts_is_an_error(server: Faulty) -> None:
    server.faults = [("/points/query", lambda: httpx.Response(503, text="down"))] * 9
    with pytest.raises(IndexStoreError, match="answered 503: down"):
        server.search()
    assert server.refused == 3  # as many attempts as tests make, without their pauses


def test_a_refusal_is_not_asked_again(server: Faulty) -> None:
    server.faults = [("/points/query", lambda: httpx.Response(400, text="wrong"))] * 9
    with pytest.raises(IndexStoreError, match="answered 400: wrong"):
        server.search()
    assert server.refused == 1


def test_a_search_does_not_wait_for_as_long_as_a_server_asks(server: Faulty) -> None:
    busy = httpx.Response(429, headers={"Retry-After": "60"}, json={"status": {"error": "busy"}})
    server.faults = [("/points/query", lambda: busy)] * 9
    with pytest.raises(IndexStoreError, match="busy"):
        server.search()
    assert server.refused == 1


def test_a_node_that_hangs_costs_a_search_its_own_time_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.index.server.reader.SEARCH_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listener:  # connections wait in its queue
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        client = QdrantClient(url=url, timeout=60, check_compatibility=False)
        started = time.monotonic()
        with pytest.raises(IndexStoreError, match="cannot be reached"):
            QdrantReader(client, "knowledge", SPEC).info()
        assert time.monotonic() - started < 10
