"""PostgreSQL goes away and comes back: nothing that was delivered is lost, and nobody has to start anything again."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest

from tests.e2e.conftest import Folder, embedding_settings
from tests.e2e.test_events import KEY, PATIENCE, Running
from tests.emulators.company import free_port
from tests.emulators.embeddings import EmbeddingsServer
from tests.emulators.github import TOKEN, WEBHOOK_SECRET, GitHub, serving
from tests.emulators.postgres import PostgresServer

ISSUES = 6


@pytest.fixture
def running(folder: Folder, embeddings: EmbeddingsServer, postgres_database: str) -> Iterator[Running]:
    github = GitHub()
    api = github.repository("acme/api")
    for number in range(1, ISSUES + 1):
        github.issue(api, f"Trouble {number}", f"The pump of mill {number} is stuck.")
    with serving(github) as url:
        connection = {"id": "acme", "source": "github", "token": TOKEN, "base_url": url}
        folder.settings(
            catalog={"url": postgres_database},
            connections=[connection | {"webhook_secret": WEBHOOK_SECRET}],
            assistants=[{"id": "all", "api_key": KEY, "identity": "service", "readers": ["public"]}],
            embedding=embedding_settings(embeddings),
        )
        assert folder.headrace("sync").code == 0
        started = Running(folder, github, api, free_port())
        try:
            yield started
        finally:
            started.stop()


def search(running: Running) -> httpx.Response:
    question = {"query": "pump", "mode": "lexical"}
    return httpx.post(f"{running.url}/v1/search", json=question, headers={"Authorization": f"Bearer {KEY}"}, timeout=30)


def is_found(running: Running, word: str, document: str) -> bool:
    return running.found(word) == [document]


@pytest.mark.slow
def test_webhooks_are_kept_and_workers_and_servers_wait(running: Running, postgres_server: PostgresServer) -> None:
    for name in ("serve", "worker"):
        running.start(name)
    running._until(lambda: search(running).is_success)
    postgres_server.stop()
    try:
        deliveries = []
        for number in range(1, ISSUES + 1):
            running.github.edit_issue(running.api, number, body=f"The pump of mill {number} says zanzibar{number}.")
            deliveries.append(running.github.issue_webhook("edited", running.api, number))
        for headers, body in [*deliveries, deliveries[0]]:
            answer = httpx.post(f"{running.url}/webhooks/acme", content=body, headers=headers, timeout=30)
            assert answer.is_success, answer.text
        refused = search(running)
        assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
        assert int(refused.headers["retry-after"]) > 0
        assert httpx.get(f"{running.url}/readyz").status_code == 503
        assert httpx.get(f"{running.url}/healthz").status_code == 200
        running.kill("serve")  # what was answered outlives the process
    finally:
        postgres_server.start()
    running.start("serve")
    for number in range(1, ISSUES + 1):
        document = f"github:acme/{running.api.id}/issues/{number}"
        running._until(partial(is_found, running, f"zanzibar{number}", document))
    assert httpx.get(f"{running.url}/readyz").status_code == 200
    running.settled()
    done = running.events("done")
    assert [event["attempts"] for event in done] == [0] * ISSUES
    told = [event["delivery"] for event in sorted(done, key=lambda event: int(event["id"]))]
    assert told == [headers["x-github-delivery"] for headers, _ in deliveries]
    assert running.processes["worker"].poll() is None


@pytest.mark.slow
def test_what_starts_while_the_database_is_away_waits_for_it(running: Running, postgres_server: PostgresServer) -> None:
    postgres_server.stop()
    try:
        running.start("serve")
        running.start("worker")
        running.start("sync")
        running.github.edit_issue(running.api, 1, body="The pump of mill 1 says zanzibar.")
        headers, body = running.github.issue_webhook("edited", running.api, 1)
        assert deliver(running, headers, body) == (200, True)
        assert (search(running).status_code, httpx.get(f"{running.url}/readyz").status_code) == (503, 503)
        running._until(lambda: running.folder.log.count("waiting: the database at 127.0.0.1") == 2)
    finally:
        postgres_server.start()
    assert running.processes["sync"].wait(PATIENCE) == 0, running.folder.log
    running._until(partial(is_found, running, "zanzibar", f"github:acme/{running.api.id}/issues/1"))
    running.settled()
    assert [event["delivery"] for event in running.events("done")] == [headers["x-github-delivery"]]
    assert httpx.get(f"{running.url}/readyz").status_code == 200
    assert "Traceback" not in running.folder.log


@pytest.mark.slow
def test_a_database_that_hangs_holds_up_no_delivery(running: Running, postgres_server: PostgresServer) -> None:
    running.start("serve")
    running._until(lambda: search(running).is_success)
    deliveries = [running.github.issue_webhook("edited", running.api, number) for number in range(1, ISSUES + 1)]
    with ThreadPoolExecutor(60) as callers:
        list(callers.map(lambda _: search(running), range(60)))  # the pool has connections to wait on
        with postgres_server.frozen():
            searches = [callers.submit(search, running) for _ in range(50)]
            time.sleep(0.2)  # they have all threads of the server by now
            told = [callers.submit(deliver, running, *delivery) for delivery in deliveries]
            assert [one.result() for one in told] == [(200, True)] * ISSUES
            assert {one.result().status_code for one in searches} == {503}
            assert httpx.get(f"{running.url}/readyz", timeout=20).status_code == 503
            callers.submit(search, running)
            running.processes["serve"].send_signal(signal.SIGTERM)
            assert running.processes["serve"].wait(10) == 143
    assert "Traceback" not in running.folder.log
    running.start("serve")
    running._until(lambda: len(running.events("pending")) == ISSUES)


def deliver(running: Running, headers: dict[str, str], body: bytes) -> tuple[int, bool]:
    """The answer, and whether it came before GitHub would have gone."""
    started = time.monotonic()
    answer = httpx.post(f"{running.url}/webhooks/acme", content=body, headers=headers, timeout=30)
    return answer.status_code, time.monotonic() - started < 10
