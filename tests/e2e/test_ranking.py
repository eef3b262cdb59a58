"""What a question's words do to the order, as people see it who ask the installed command and a running server."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Folder
from tests.emulators.company import free_port
from tests.emulators.github import TOKEN, GitHub, serving
from tests.emulators.reranker import RerankServer, reranking

pytestmark = pytest.mark.slow

KEY = "a-key-for-questions-of-time"
NOW = datetime.now(UTC)
MONDAY = NOW - timedelta(days=NOW.weekday())
LONG_AGO = (NOW - timedelta(days=150)).replace(day=1, hour=9)
TIMES = {
    "Pump alarm": NOW - timedelta(days=1_200),
    "Pump alarm at the mill": LONG_AGO,
    "Pump alarm in the evening": MONDAY - timedelta(days=4),
    "Pump alarm after the storm": NOW - timedelta(minutes=5),
}
"""Titles and when they were written: the first fits a question for pump alarms best."""
PLAIN = " ".join(f"Gauge {number} was read by the keeper, who noted level and weather." for number in range(40))
LONG = f"{PLAIN} The ferry to the island leaves the jetty at noon. {PLAIN[:600]}"
OTHERS = {
    "Log of the gauges": LONG,
    "Who repairs what": "Ada repairs the turbine.",
    "Hours": "The workshop opens at seven.",
}
BUDGET_MS = 300


@contextmanager
def server(folder: Folder) -> Iterator[str]:
    """`headrace serve` until the context ends."""
    port = free_port()
    process = folder.started("serve", "--port", str(port))
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                httpx.get(f"{url}/readyz").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.05)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


@pytest.fixture(scope="module")
def reranker() -> Iterator[RerankServer]:
    """Prefers turbines, with scores as models give them that know no bounds."""
    with reranking(lambda text: 3.0 if "turbine" in text else -len(text) / 100) as opened:
        yield opened


@pytest.fixture(scope="module")
def folder(module_folder: Callable[[str], Path]) -> Iterator[Folder]:
    """Issues of one repository, in the index with vectors of the local model."""
    folder, github = Folder(module_folder("ranking")), GitHub()
    repository = github.repository("acme/pumps")
    for title, written in TIMES.items():
        at = written.strftime("%Y-%m-%dT%H:%M:%SZ")
        body = "The pump alarm rang." if title == "Pump alarm" else "It rang."
        github.issue(repository, title, body, created_at=at, updated_at=at)
    for title, text in OTHERS.items():
        github.issue(repository, title, text)
    with serving(github) as url:
        folder.settings(**settings(url))
        assert folder.headrace("sync").code == 0
        yield folder


def settings(url: str, **more: Any) -> dict[str, Any]:
    connection = {"id": "gh", "source": "github", "token": TOKEN, "base_url": url}
    assistant = {"id": "robot", "api_key": KEY, "identity": "service", "readers": ["public"]}
    return {"connections": [connection], "assistants": [assistant], **more}


@pytest.fixture(scope="module")
def url(folder: Folder) -> Iterator[str]:
    with server(folder) as opened:
        yield opened


@pytest.fixture(scope="module")
def reranked(folder: Folder, url: str, reranker: RerankServer) -> Iterator[str]:
    """Another server over the same index, with a reranker."""
    used = {"base_url": reranker.url, "model": "judge", "timeout_ms": BUDGET_MS}
    folder.settings(**settings("http://127.0.0.1:9", reranker=used))
    with server(folder) as opened:
        yield opened


def ask(url: str, query: str, **fields: Any) -> dict[str, Any]:
    body = {"query": query, "explain": True, **fields}
    answer = httpx.post(f"{url}/v1/search", json=body, headers={"Authorization": f"Bearer {KEY}"}, timeout=60)
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


def titles(answer: dict[str, Any]) -> list[str]:
    return [one["title"] for one in answer["results"]]


@pytest.mark.parametrize(
    ("question", "words", "first"),
    [
        ("pump alarm", None, "Pump alarm"),
        ("pump alarm last week", "last week", "Pump alarm in the evening"),
        (f"pump alarm in {LONG_AGO:%B}", f"in {LONG_AGO:%B}", "Pump alarm at the mill"),
        ("pump alarm since Monday", "since Monday", "Pump alarm after the storm"),
        ("the latest pump alarm", "latest", "Pump alarm after the storm"),
    ],
)
def test_words_of_time_count_over_http(url: str, question: str, words: str | None, first: str) -> None:
    results = ask(url, question)["results"]
    assert results[0]["title"] == first
    assert {one["title"] for one in results} >= set(TIMES), "none is left out"
    why = [one["why"] for one in results]
    assert {one["time_words"] for one in why} == {words}
    assert [one["recency"] for one in why] == [None] * len(why) if words is None else 0.9 < why[0]["recency"] <= 1


def test_words_of_time_count_at_the_prompt(folder: Folder) -> None:
    found = folder.headrace("search", "pump alarm last week", "--json").json
    assert found["results"][0]["title"] == "Pump alarm in the evening"


def test_a_sentence_deep_in_a_long_text_is_found_by_its_meaning(url: str) -> None:
    first = ask(url, "when does the boat to the isle depart", mode="dense")["results"][0]
    assert first["title"] == "Log of the gauges"


def test_both_answers_to_a_question_for_two_things_come_first(url: str) -> None:
    found = ask(url, "Who repairs the turbine, and when does the workshop open?")
    assert set(titles(found)[:2]) == {"Who repairs what", "Hours"}


def test_a_reference_finds_its_own_object_first(url: str) -> None:
    for number, title in enumerate(TIMES, start=1):
        assert titles(ask(url, f"pumps#{number}"))[0] == title


def test_a_reranker_orders_and_a_threshold_is_a_share_of_certainty(reranked: str, reranker: RerankServer) -> None:
    found = ask(reranked, "pump alarm")
    assert found["results"][0]["title"] == "Who repairs what"
    scores = [one["score"] for one in vector_store(reranked, 0)]
    assert scores == sorted(scores, reverse=True)
    assert 0 < scores[-1] < 0.5 < scores[0] < 1
    left = vector_store(reranked, 0.5)
    assert [one["score"] for one in left] == [one for one in scores if one >= 0.5]


def vector_store(url: str, threshold: float) -> list[dict[str, Any]]:
    body = {"query": "pump alarm", "ranking_options": {"score_threshold": threshold}}
    headers = {"Authorization": f"Bearer {KEY}"}
    answer = httpx.post(f"{url}/v1/vector_stores/robot/search", json=body, headers=headers, timeout=60)
    found: list[dict[str, Any]] = answer.raise_for_status().json()["data"]
    return found


@pytest.mark.slow
def test_a_slow_reranker_holds_nobody_up(url: str, reranked: str, reranker: RerankServer) -> None:
    plain = ask(url, "pump alarm")
    reranker.latency_ms = 5_000
    try:
        started = time.monotonic()
        found = ask(reranked, "pump alarm")
        took = time.monotonic() - started
    finally:
        reranker.latency_ms = 0
    assert titles(found) == titles(plain)
    assert found["warnings"] == ["the reranker does not answer; results are in the order of the index"]
    assert took < 5, f"{took} s"
    assert found["took_ms"] < BUDGET_MS + 2_000
