"""Events end to end: the server and the worker as processes, webhooks over HTTP, answers over HTTP, and kills."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Folder, embedding_settings
from tests.emulators.company import free_port
from tests.emulators.embeddings import EmbeddingsServer
from tests.emulators.github import TOKEN, WEBHOOK_SECRET, GitHub, Repository, serving
from tests.installed import StartedCommand

KEY = "a-key-for-the-test-of-events"
ISSUES = 20
PATIENCE = 120.0


@dataclass
class Running:
    """A company's GitHub, and Headrace on it. A killed process can be started again."""

    folder: Folder
    github: GitHub
    api: Repository
    port: int
    processes: dict[str, StartedCommand] = field(default_factory=dict)

    def start(self, name: str) -> None:
        command = ("serve", "--port", str(self.port)) if name == "serve" else (name,)
        self.processes[name] = self.folder.started(*command)
        if name == "serve":
            self._until(lambda: httpx.get(f"{self.url}/healthz").status_code == 200)

    def kill(self, name: str) -> None:
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait()

    def stop(self) -> None:
        for process in self.processes.values():
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            process.wait()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def tell(self, number: int, action: str = "edited") -> None:
        """Deliver an event as GitHub does, which tries again where it gets no answer."""
        headers, body = self.github.issue_webhook(action, self.api, number)
        answered = lambda: httpx.post(f"{self.url}/webhooks/acme", content=body, headers=headers).is_success  # noqa: E731
        self._until(answered)

    def found(self, word: str) -> list[str]:
        question = {"query": word, "mode": "lexical", "top_k": 5}
        answer = httpx.post(f"{self.url}/v1/search", json=question, headers={"Authorization": f"Bearer {KEY}"})
        results = answer.raise_for_status().json()["results"]
        return [one["document_id"] for one in results if any(word in chunk["text"] for chunk in one["chunks"])]

    def settled(self) -> None:
        """Return when no event waits."""
        self._until(lambda: not self.events("pending"))

    def events(self, state: str) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.folder.headrace("events", "list", "--state", state, "--json").json["events"]
        return listed

    @staticmethod
    def _until(so: Callable[[], bool]) -> None:
        started = time.monotonic()
        while time.monotonic() - started < PATIENCE:
            with suppress(httpx.HTTPError):
                if so():
                    return
            time.sleep(0.1)
        raise AssertionError("it took too long")


@pytest.fixture
def running(folder: Folder, embeddings: EmbeddingsServer) -> Iterator[Running]:
    github = GitHub()
    api = github.repository("acme/api")
    for number in range(1, ISSUES + 1):
        github.issue(api, f"Trouble {number}", f"The pump of mill {number} is stuck.")
    with serving(github) as url:
        connection = {
            "id": "acme",
            "source": "github",
            "token": TOKEN,
            "base_url": url,
            "webhook_secret": WEBHOOK_SECRET,
        }
        assistant = {"id": "all", "api_key": KEY, "identity": "service", "readers": ["public"]}
        embedding = embedding_settings(embeddings)
        folder.settings(connections=[connection], assistants=[assistant], embedding=embedding)
        assert folder.headrace("sync").code == 0
        started = Running(folder, github, api, free_port())
        try:
            yield started
        finally:
            started.stop()


def test_a_change_is_found_and_a_deletion_gone_and_both_can_be_followed(running: Running) -> None:
    for name in ("serve", "worker"):
        running.start(name)
    running.github.edit_issue(running.api, 7, body="The pump sings zanzibar.")
    running.tell(7)
    running._until(lambda: running.found("zanzibar") == [f"github:acme/{running.api.id}/issues/7"])
    running.github.delete_issue(running.api, 7)
    running.tell(7, "deleted")
    running._until(lambda: running.found("zanzibar") == [])
    running.settled()
    done = running.events("done")
    assert [event["kind"] for event in done] == ["issues", "issues"]
    led_to = {(one["asset"], one["partition"]) for event in done for one in event["materializations"]}
    assert led_to == {(f"acme/{stage}", f"acme/api ({running.api.id})") for stage in ("documents", "chunks", "vectors")}


@pytest.mark.slow
def test_events_wait_for_an_embedding_api_that_refuses(running: Running, embeddings: EmbeddingsServer) -> None:
    def troubles() -> list[tuple[str, int]]:
        health = running.folder.headrace("status", "--json").json["health"]
        return [(one["kind"], one["events"]) for one in health["incidents"]]

    for name in ("serve", "worker"):
        running.start(name)
    embeddings.api_key = "another"
    running.github.edit_issue(running.api, 7, body="The pump sings zanzibar.")
    running.tell(7)
    running._until(lambda: troubles() == [("embedding", 1)])
    (event,) = running.events("pending")
    assert (event["attempts"], event["waiting_for"]) == (0, "embedding")
    assert "does not accept the key" in event["reason"]
    embeddings.api_key = None
    running._until(lambda: running.found("zanzibar") == [f"github:acme/{running.api.id}/issues/7"])
    running.settled()
    (done,) = running.events("done")
    assert (done["attempts"], done["waiting_for"], done["reason"]) == (0, None, "documents: 1 unchanged")
    assert troubles() == []


@pytest.mark.slow
def test_kills_at_random_moments_lose_nothing_and_double_nothing(running: Running) -> None:
    chance = random.Random(11)
    for name in ("serve", "worker"):
        running.start(name)
    last: dict[int, str] = {}
    for count in range(500):
        number = chance.randint(1, ISSUES)
        last[number] = f"zk{count}x"
        running.github.edit_issue(running.api, number, body=f"The pump of mill {number} says {last[number]}.")
        running.tell(number)
        if count % 50 == 25:
            name = chance.choice(["serve", "worker", "sync"])
            if name == "sync":
                killed = running.folder.started("sync")
                time.sleep(chance.uniform(1, 6))
                killed.send_signal(signal.SIGKILL)
                killed.wait()
            else:
                running.kill(name)
                running.start(name)
    running.settled()
    for number, word in last.items():
        assert running.found(word) == [f"github:acme/{running.api.id}/issues/{number}"]
    running.stop()
    after = running.folder.headrace("sync", "--full", "--json").json
    assert (after["errors"], after["chunks"]["new"], after["chunks"]["removed"]) == ({}, 0, 0)
    assert (after["documents"]["new"], after["documents"]["changed"]) == (0, 0)
    status = running.folder.headrace("status", "--json").json
    assert (status["index"]["documents"], status["connections"][0]["waiting_events"]) == (ISSUES, 0)
    assert json.dumps(running.events("dead")) == "[]"
