"""SIGTERM and Ctrl-C end every command within ten seconds, whatever it does, and leave no lease behind."""

from __future__ import annotations

import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from connectors.webhooks import Event, Invalidation
from pipelines.catalog import open_catalog
from pipelines.settings import load_settings
from tests.e2e.conftest import Folder, embedding_settings, own_environment
from tests.emulators.company import free_port
from tests.emulators.embeddings import EmbeddingsServer
from tests.emulators.github import TOKEN, GitHub, serving

KEY = "a-key-for-the-test-of-stops"
PATIENCE = 180.0
PROMISED = 10.0
"""Seconds within which a command ends."""


either_signal = pytest.mark.parametrize(
    "signum", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)], ids=["SIGTERM", "SIGINT"]
)
"""Fast tests stop each command by the first, and a sync by two of the second."""


@contextmanager
def hanging_server() -> Iterator[tuple[str, threading.Event]]:
    """A server that takes requests and never answers; its URL, and whether one has come."""
    asked = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        kept: list[socket.socket] = []

        def take() -> None:
            while True:
                try:
                    kept.append(listener.accept()[0])
                except OSError:
                    return
                kept[-1].recv(1)
                asked.set()

        threading.Thread(target=take, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for one in kept:
                one.close()


def github_settings(url: str) -> dict[str, Any]:
    return {"connections": [{"id": "acme", "source": "github", "token": TOKEN, "base_url": url}]}


@contextmanager
def running(folder: Folder, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        folder.command(*arguments),
        cwd=folder.path,
        env=own_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
        process.communicate()


def until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not so():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


def rows(folder: Folder, statement: str) -> list[Any]:
    with closing(sqlite3.connect(folder.path / ".headrace" / "catalog.db")) as catalog:
        return catalog.execute(statement).fetchall()


def stop(process: subprocess.Popen[str], signum: signal.Signals) -> str:
    """What the command says to a signal; it ends in time."""
    process.send_signal(signum)
    _, said = process.communicate(timeout=PROMISED)
    return said


def ends_in_time(folder: Folder, process: subprocess.Popen[str], signum: signal.Signals) -> None:
    said = stop(process, signum)
    code, line = {signal.SIGTERM: (143, "ended by SIGTERM"), signal.SIGINT: (130, "interrupted")}[signum]
    unexpected = [one for one in said.splitlines() if " INFO " not in one]
    assert (process.returncode, unexpected) == (code, [line])
    assert rows(folder, "SELECT connection, unit, holder FROM leases") == []


@pytest.mark.slow
@either_signal
def test_a_sync_whose_source_hangs(folder: Folder, signum: signal.Signals) -> None:
    with hanging_server() as (url, asked):
        folder.settings(**github_settings(url))
        with running(folder, "sync") as process:
            assert asked.wait(PATIENCE)
            ends_in_time(folder, process, signum)


@pytest.mark.slow
@pytest.mark.parametrize("command", [("sync",), ("backfill", "acme"), ("reindex",)])
def test_embeddings_that_hang(folder: Folder, embeddings: EmbeddingsServer, command: tuple[str, ...]) -> None:
    github = GitHub()
    github.issue(github.repository("acme/api"), "The pump", "It is stuck.")
    with serving(github) as url, hanging_server() as (nowhere, asked):
        if command == ("reindex",):
            folder.settings(**github_settings(url), embedding=embedding_settings(embeddings))
            assert folder.headrace("sync").code == 0
        other = {"model": "other", "base_url": f"{nowhere}/v1"}
        folder.settings(**github_settings(url), embedding=embedding_settings(embeddings) | other)
        with running(folder, *command) as process:
            assert asked.wait(PATIENCE)
            ends_in_time(folder, process, signal.SIGTERM)


@pytest.mark.slow
def test_a_sync_that_chunks_large_files(folder: Folder, embeddings: EmbeddingsServer) -> None:
    github = GitHub()
    api = github.repository("acme/api")
    for number in range(8):
        github.write(api, f"docs/{number}.md", f"# {number}\n\n" + "The pump of the mill is stuck, says Ada. " * 20_000)
    with serving(github) as url:
        folder.settings(**github_settings(url), embedding=embedding_settings(embeddings))
        with running(folder, "sync") as process:
            database = folder.path / ".headrace" / "catalog.db"
            until(
                lambda: database.exists() and rows(folder, "SELECT name FROM sqlite_master WHERE name = 'loads'") != []
            )
            until(lambda: rows(folder, "SELECT id FROM loads WHERE state = 'landed'") != [])
            ends_in_time(folder, process, signal.SIGTERM)
        assert rows(folder, "SELECT id FROM loads WHERE state = 'landed'") != [], "it was chunking"


@pytest.mark.slow
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_worker_whose_source_hangs(folder: Folder, signum: signal.Signals) -> None:
    with hanging_server() as (url, asked):
        folder.settings(**github_settings(url))
        with open_catalog(load_settings(folder.path / "headrace.yaml", environment={})) as catalog:
            changed = Invalidation("document", "1", "github:acme/1/issues/1")
            catalog.events.store("acme", Event("delivery", "issues", (changed,)), b"")
        with running(folder, "worker") as process:
            assert asked.wait(PATIENCE)
            ends_in_time(folder, process, signum)


@pytest.mark.slow
@either_signal
def test_a_server(folder: Folder, signum: signal.Signals) -> None:
    folder.settings()
    port = free_port()
    with running(folder, "serve", "--port", str(port)) as process:
        until(lambda: _answers(f"http://127.0.0.1:{port}/healthz"))
        ends_in_time(folder, process, signum)


def test_a_server_that_is_told_to_drain_ends_each_connection_with_an_answer(folder: Folder) -> None:
    folder.settings()
    port = free_port()
    with running(folder, "serve", "--port", str(port)) as process, httpx.Client() as client:

        def asked() -> httpx.Response:
            return client.get(f"http://127.0.0.1:{port}/healthz")

        until(lambda: _answers(f"http://127.0.0.1:{port}/healthz"))
        assert "connection" not in asked().headers
        process.send_signal(signal.SIGUSR1)
        until(lambda: asked().headers.get("connection") == "close")
        assert asked().text == "ok"
        ends_in_time(folder, process, signal.SIGTERM)


@pytest.mark.slow
def test_a_question_that_a_server_cannot_answer_before_it_ends_is_to_be_asked_again(folder: Folder) -> None:
    port = free_port()
    with hanging_server() as (nowhere, asked), ThreadPoolExecutor(1) as asking:
        embedding = {"provider": "openai", "model": "stub", "dimensions": 64, "base_url": nowhere, "api_key": "unused"}
        assistant = {"id": "all", "api_key": KEY, "identity": "service", "readers": ["public"]}
        folder.settings(embedding=embedding, assistants=[assistant])
        with running(folder, "serve", "--port", str(port)) as process:
            until(lambda: _answers(f"http://127.0.0.1:{port}/healthz"))
            answer = asking.submit(ask, f"http://127.0.0.1:{port}/v1/search")
            assert asked.wait(PATIENCE)
            stop(process, signal.SIGTERM)
            said = answer.result()
    assert (said.status_code, said.headers["content-type"]) == (503, "application/problem+json")
    assert int(said.headers["retry-after"]) > 0


def ask(url: str) -> httpx.Response:
    return httpx.post(url, json={"query": "pump"}, headers={"Authorization": f"Bearer {KEY}"}, timeout=PATIENCE)


@pytest.mark.slow
@pytest.mark.parametrize("pause", [0.0, pytest.param(0.15, marks=pytest.mark.slow)])
def test_a_second_ctrl_c_breaks_nothing_off(folder: Folder, pause: float) -> None:
    with hanging_server() as (url, asked):
        folder.settings(**github_settings(url))
        with running(folder, "sync") as process:
            assert asked.wait(PATIENCE)
            process.send_signal(signal.SIGINT)
            time.sleep(pause)
            ends_in_time(folder, process, signal.SIGINT)


def test_ctrl_c_while_a_command_still_imports(folder: Folder) -> None:
    folder.settings()
    assert any(_was_importing_when_interrupted(folder) for _ in range(5)), "each time it was past importing"


def _was_importing_when_interrupted(folder: Folder) -> bool:
    """On a busy machine it may have gone on, and made its state directory, before it is seen to watch for signals."""
    with running(folder, "status") as process:
        until(lambda: handles_signals(process.pid))
        process.send_signal(signal.SIGINT)
        said = stop(process, signal.SIGINT)
    is_past = (folder.path / ".headrace").exists()
    shutil.rmtree(folder.path / ".headrace", ignore_errors=True)
    assert is_past or (process.returncode, said) == (130, "interrupted\n")
    return not is_past


def handles_signals(process: int) -> bool:
    """Whether its second thread is there, which watches for signals."""
    return len(list(Path(f"/proc/{process}/task").iterdir())) > 1


@pytest.mark.slow
def test_the_demo_takes_its_sources_along(folder: Folder) -> None:
    with running(folder, "demo", "--port", str(free_port())) as process:
        until(lambda: any(folder.path.rglob("catalog.db")))
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
        stop(process, signal.SIGTERM)
        assert process.returncode == 143
        assert psutil.wait_procs(children, timeout=PROMISED)[1] == []


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.HTTPError:
        return False
