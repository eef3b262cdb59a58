"""A server whose reading processes hang, as they do when a disk does: questions are answered all the same."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest

from tests.e2e.conftest import Folder, embedding_settings
from tests.emulators.company import free_port
from tests.emulators.embeddings import EmbeddingsServer
from tests.installed import StartedCommand

KEY = "a-key-for-the-test-of-readers"
BOUND = 60.0


@pytest.fixture
def server(folder: Folder, embeddings: EmbeddingsServer) -> Iterator[tuple[str, StartedCommand]]:
    assistant = {"id": "all", "api_key": KEY, "identity": "service", "readers": ["public"]}
    folder.settings(embedding=embedding_settings(embeddings), assistants=[assistant])
    port = free_port()
    with folder.started("serve", "--port", str(port)) as command:
        try:
            yield f"http://127.0.0.1:{port}", command
        finally:
            if command.poll() is None:
                for child in readers(command):
                    child.kill()
                command.kill()


def ask(url: str, number: int = 0) -> int:
    asked = {"query": f"pump {number} {time.monotonic()}"}
    return httpx.post(
        f"{url}/v1/search", json=asked, headers={"Authorization": f"Bearer {KEY}"}, timeout=BOUND
    ).status_code


def readers(command: StartedCommand) -> list[psutil.Process]:
    return [one for one in psutil.Process(command.pid).children() if "reading_child" in " ".join(one.cmdline())]


def await_answer(url: str) -> None:
    deadline = time.monotonic() + BOUND
    while time.monotonic() < deadline:
        try:
            assert ask(url) == 200
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the server does not answer")


@pytest.mark.slow
def test_questions_are_answered_though_all_that_read_hang_and_the_server_still_ends(
    server: tuple[str, StartedCommand],
) -> None:
    url, command = server
    await_answer(url)
    hanging = readers(command)
    for child in hanging:
        child.suspend()
    with ThreadPoolExecutor(4) as askers:
        assert list(askers.map(ask, [url] * 4, range(4))) == [200] * 4
    now = readers(command)
    assert not {one.pid for one in hanging} & {one.pid for one in now}
    for child in now:
        child.suspend()
    command.send_signal(signal.SIGTERM)
    assert command.wait(10) == 143
    assert not any(one.is_running() for one in now)
