"""A release that keeps texts otherwise takes the place of another, and gives it back: both answer throughout."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.e2e.conftest import Folder, embedding_settings, own_environment
from tests.emulators.company import free_port
from tests.emulators.embeddings import EmbeddingsServer
from tests.emulators.github import TOKEN, GitHub, serving

pytestmark = pytest.mark.slow

KEY = "a-key-for-the-test-of-upgrades"
NEXT = """
import pipelines.chunking, pipelines.index.lexical as lexical
pipelines.chunking.CHUNKING += "-next"
lexical.LEXICAL = max(lexical.READABLE - {lexical.LEXICAL})
from pipelines.cli import main
main()
"""


def command(folder: Folder, release: str, *arguments: str) -> list[str]:
    return folder.command(*arguments) if release == "own" else [sys.executable, "-c", NEXT, *arguments]


def run(folder: Folder, release: str, *arguments: str) -> int:
    return subprocess.run(command(folder, release, *arguments), cwd=folder.path, env=own_environment()).returncode


class Asking(threading.Thread):
    """Asks the servers again and again, and keeps what was no answer."""

    def __init__(self, ports: list[int]) -> None:
        super().__init__(daemon=True)
        self.ports, self.ended = ports, threading.Event()
        self.answers, self.failures = 0, list[str]()

    def run(self) -> None:
        while not self.ended.wait(0.05):
            for port in self.ports:
                self._ask(port)

    def _ask(self, port: int) -> None:
        question = {"query": "pump", "mode": "lexical"}
        headers = {"Authorization": f"Bearer {KEY}"}
        answer = httpx.post(f"http://127.0.0.1:{port}/v1/search", json=question, headers=headers, timeout=60)
        if answer.is_success and answer.json()["results"]:
            self.answers += 1
        else:
            self.failures.append(answer.text)


@contextmanager
def asked(folder: Folder) -> Iterator[Asking]:
    """A server of each release, and somebody who asks both all the time."""
    ports = {"own": free_port(), "next": free_port()}
    servers = [
        subprocess.Popen(command(folder, release, "serve", "--port", str(port)), cwd=folder.path, env=own_environment())
        for release, port in ports.items()
    ]
    try:
        for port in ports.values():
            wait_for(port)
        asking = Asking(list(ports.values()))
        asking.start()
        yield asking
        asking.ended.set()
        asking.join()
    finally:
        for server in servers:
            server.kill()
            server.wait()


def wait_for(port: int) -> None:
    for _ in range(1_000):
        try:
            if httpx.get(f"http://127.0.0.1:{port}/healthz").is_success:
                return
        except httpx.HTTPError:
            threading.Event().wait(0.1)
    raise AssertionError("the server did not start")


def test_a_rolling_upgrade_and_its_rollback_answer_throughout(folder: Folder, embeddings: EmbeddingsServer) -> None:
    github = GitHub()
    api = github.repository("acme/api")
    for number in range(1, 21):
        github.issue(api, f"Trouble {number}", f"The pump of mill {number} is stuck.")
    with serving(github) as url:
        folder.settings(
            connections=[{"id": "acme", "source": "github", "token": TOKEN, "base_url": url}],
            assistants=[{"id": "all", "api_key": KEY, "identity": "service", "readers": ["public"]}],
            embedding=embedding_settings(embeddings),
        )
        assert run(folder, "own", "sync") == 0
        paid = embeddings.inputs
        with asked(folder) as asking:
            assert run(folder, "next", "reindex") == 0
            assert run(folder, "next", "sync") == 0
            assert run(folder, "own", "reindex") == 0
            assert run(folder, "own", "sync") == 0
        assert (asking.failures, asking.answers > 20, embeddings.inputs) == ([], True, paid)
