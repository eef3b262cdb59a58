"""The reranker: what it is asked, what its answers do, and that nothing it does breaks a search."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import respx
from fastapi.testclient import TestClient
from pydantic import SecretStr

from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from pipelines.ingestion.publish import publish
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.retrieval import reranking, search
from pipelines.retrieval.reranking import MOST_LATE, Reranker
from pipelines.retrieval.schema import SearchRequest, SearchResponse
from pipelines.retrieval.search import NOT_RERANKED
from pipelines.services import Services
from pipelines.settings import AssistantSettings, RerankerSettings, Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document
from tests.pipelines.retrieval.memory_index import MemoryIndex, chunk
from tests.pipelines.service.serving import app_of

SETTINGS = RerankerSettings(base_url="https://rerank.test/v1/", model="judge", api_key=SecretStr("hidden-key"), top_n=3)
Handler = Callable[[httpx.Request], httpx.Response]


def by_length(request: httpx.Request) -> httpx.Response:
    """Judges the longest text the best, in an order of its own."""
    texts = json.loads(request.content)["documents"]
    results = [{"index": place, "relevance_score": len(text) / 1000} for place, text in enumerate(texts)]
    return httpx.Response(200, json={"results": results[::-1]})


def index() -> MemoryIndex:
    rows = (("a", 0.9, 10), ("b", 0.8, 30), ("c", 0.7, 20), ("d", 0.6, 99))
    return MemoryIndex([chunk(name, 0, score, text="x" * length) for name, score, length in rows])


def ask(reranker: Reranker | None, **fields: object) -> SearchResponse:
    request = SearchRequest.model_validate({"query": "certificate"} | fields)
    return search(request, None, index=index(), embedder=FakeEmbedder(), reranker=reranker)


def reranker(handler: Handler) -> Reranker:
    return Reranker(SETTINGS, httpx.MockTransport(handler))


def test_what_is_sent() -> None:
    sent = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return by_length(request)

    ask(reranker(answer), top_k=1)
    (request,) = sent
    assert str(request.url) == "https://rerank.test/v1/rerank"
    assert request.headers["authorization"] == "Bearer hidden-key"
    body = json.loads(request.content)
    assert (body["model"], body["query"], body["top_n"]) == ("judge", "certificate", 3)
    assert [text.partition("\n")[0] for text in body["documents"]] == ["A", "B", "C"]


def test_the_first_documents_stand_in_its_order() -> None:
    found = ask(reranker(by_length), top_k=2, explain=True)
    assert [one.document_id for one in found.results] == ["b", "c"]
    assert [one.score for one in found.results] == [one.why.rerank_score for one in found.results if one.why]
    assert found.warnings == []


def test_all_documents_asked_for_are_judged() -> None:
    assert [one.document_id for one in ask(reranker(by_length), top_k=10).results] == ["d", "b", "c", "a"]


@pytest.mark.parametrize("score", [0.5, -0.5])
def test_age_counts_after_it(score: float) -> None:
    def alike(request: httpx.Request) -> httpx.Response:
        results = [{"index": place, "relevance_score": score} for place in range(2)]
        return httpx.Response(200, json={"results": results})

    old, new = (datetime.now(UTC) - timedelta(days=days) for days in (100, 0))
    chunks = [chunk("old", 0, 0.9, updated_at=old.isoformat()), chunk("new", 0, 0.8, updated_at=new.isoformat())]
    request = SearchRequest(query="certificate", recency_half_life_days=10)
    found = search(request, None, index=MemoryIndex(chunks), embedder=FakeEmbedder(), reranker=reranker(alike))
    assert [one.document_id for one in found.results] == ["new", "old"]


def broken(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        (broken, "cannot be reached (ConnectError)"),
        (lambda _: httpx.Response(401, text="bad key hidden-key"), "status 401"),
        (lambda _: httpx.Response(302, headers={"location": "https://elsewhere.test"}), "status 302"),
        (lambda _: httpx.Response(200, text="<html>"), "no ranking"),
        (lambda _: httpx.Response(200, json={"results": []}), "0 scores for 3 texts"),
        (lambda _: httpx.Response(200, json={"results": [{"index": 7, "relevance_score": 1}] * 3}), "1 scores"),
        (lambda _: httpx.Response(200, json={"results": [{"index": 0, "relevance_score": "x"}]}), "no ranking"),
        (lambda _: httpx.Response(200, content=b'{"results": [{"index": 0, "relevance_score": NaN}]}'), "no ranking"),
    ],
)
def test_its_failure_leaves_the_order_of_the_index(
    handler: Handler, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        found = ask(reranker(handler), top_k=3)
    assert [one.document_id for one in found.results] == ["a", "b", "c"]
    assert found.warnings == [NOT_RERANKED]
    (record,) = caplog.records
    assert said in record.getMessage()
    assert "hidden-key" not in record.getMessage()


def test_a_late_answer_leaves_the_order_of_the_index_within_the_budget() -> None:
    """It trickles in: no single wait is longer than the budget."""
    asked = []

    def trickle() -> Iterator[bytes]:
        for _ in range(100):
            time.sleep(0.03)
            yield b" "

    def late(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, content=trickle())

    with closing(Reranker(SETTINGS.model_copy(update={"timeout_ms": 100}), httpx.MockTransport(late))) as one:
        for _ in range(MOST_LATE + 1):
            started = time.monotonic()
            found = ask(one, top_k=3)
            assert time.monotonic() - started < 2
            assert [one.document_id for one in found.results] == ["a", "b", "c"]
            assert found.warnings == [NOT_RERANKED]
    assert len(asked) == MOST_LATE, "then it is left alone"


def test_after_a_failure_it_is_left_alone_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def failing(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(503)

    one = reranker(failing)
    for _ in range(3):
        ask(one)
    assert len(asked) == 1
    monkeypatch.setattr(reranking, "PAUSE_SECONDS", 0.0)
    again = reranker(failing)
    for _ in range(3):
        ask(again)
    assert len(asked) == 4


@pytest.fixture
def judging(settings: Settings) -> Iterator[tuple[Services, respx.Route]]:
    """Two documents of equal words, and a reranker in the settings that prefers the second."""
    connection = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
    source = MemorySource()
    for number in (1, 2):
        text = f"The certificate has expired{' for good' * (number == 2)}."
        source.put(document(number, content=text, title=f"Note {number}", readers=("public",)))
    assistant = AssistantSettings(id="robot", api_key=SecretStr("robot-key"), identity="service")
    used = {"reranker": SETTINGS, "assistants": (assistant,), "connections": (connection,)}
    with Services(settings.model_copy(update=used), FakeEmbedder()) as services, respx.mock() as endpoint:
        services.catalog.units.replace_listing(connection.id, connection.source, [Unit("unit", "Unit")])
        sync_unit(services, connection, source, Unit("unit", "Unit"))
        publish(services)
        asked = endpoint.post("https://rerank.test/v1/rerank").mock(side_effect=by_length)
        yield services, asked


def test_the_service_asks_the_reranker_of_the_settings(judging: tuple[Services, respx.Route]) -> None:
    services, asked = judging
    headers = {"Authorization": "Bearer robot-key"}
    answer = TestClient(app_of(services)).post("/v1/search", json={"query": "certificate"}, headers=headers)
    assert [one["title"] for one in answer.json()["results"]] == ["Note 2", "Note 1"]
    assert asked.call_count == 1


def test_without_settings_there_is_none(settings: Settings) -> None:
    with Services(settings) as services:
        assert services.reranker is None
