"""A sync of so many documents that they are chunked in a process of their own: what a kill of either process costs."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from pipelines.index.contract import Payload
from pipelines.services import Services
from pipelines.settings import load_settings
from tests.e2e.conftest import Folder, embedding_settings
from tests.emulators.embeddings import EmbeddingsServer
from tests.emulators.github import TOKEN, GitHub, serving
from tests.installed import StartedCommand

DOCUMENTS, PASSAGES = 700, 4
PATIENCE = 120.0


@pytest.fixture(scope="module")
def github() -> Iterator[str]:
    github = GitHub()
    archive = github.repository("acme/archive")
    for number in range(DOCUMENTS):
        parts = (f"## Part {part} of {number}\n\n" + "The wheel turns by water. " * 70 for part in range(PASSAGES))
        github.write(archive, f"docs/{number}.md", "\n\n".join(parts))
    with serving(github) as url:
        yield url


@pytest.fixture(scope="module")
def undisturbed(github: str, module_folder: Callable[[str], Path]) -> dict[str, Payload]:
    with EmbeddingsServer(dimensions=64) as embeddings:
        folder = Folder(module_folder("undisturbed"))
        configure(folder, github, embeddings)
        assert folder.headrace("sync", "--json").code == 0
        return points(folder)


def configure(folder: Folder, url: str, embeddings: EmbeddingsServer) -> None:
    connection = {"id": "acme", "source": "github", "token": TOKEN, "base_url": url}
    folder.settings(connections=[connection], embedding=embedding_settings(embeddings))


def points(folder: Folder) -> dict[str, Payload]:
    with Services(load_settings(folder.path / "headrace.yaml")) as services, services.store() as store:
        return dict(store.scan())


def bulk_processes(command: StartedCommand) -> list[psutil.Process]:
    found = psutil.Process(command.pid).children(recursive=True)
    return [one for one in found if "pipelines.bulk_chunking.child" in one.cmdline()]


def until(so: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not so():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.2, 0.7])
def test_a_kill_of_the_whole_loses_nothing_and_pays_for_what_was_under_way(
    folder: Folder, github: str, embeddings: EmbeddingsServer, undisturbed: dict[str, Payload], share: float
) -> None:
    configure(folder, github, embeddings)
    command = folder.started("sync", "--json")
    until(lambda: embeddings.counters()["inputs"] > share * len(undisturbed))
    (process,) = bulk_processes(command)
    command.kill()
    command.wait()
    process.wait(5)
    until(lambda: embeddings.under_way == 0)
    assert folder.headrace("sync", "--json").code == 0
    assert points(folder) == undisturbed
    # A fiftieth of all is under way at a time, and what is left by the kill is told by what was chunked until then.
    assert embeddings.counters()["repeated"] <= 0.025 * len(undisturbed)


@pytest.mark.slow
def test_a_kill_of_the_process_that_chunks_is_not_felt(
    folder: Folder, github: str, embeddings: EmbeddingsServer, undisturbed: dict[str, Payload]
) -> None:
    configure(folder, github, embeddings)
    command = folder.started("sync", "--json")
    until(lambda: bulk_processes(command))
    bulk_processes(command)[0].kill()
    assert command.wait(PATIENCE) == 0
    assert (points(folder), embeddings.counters()["repeated"]) == (undisturbed, 0)


@pytest.mark.slow
@pytest.mark.parametrize("harm", [signal.SIGCONT, signal.SIGSTOP], ids=["at work", "hanging"])
def test_a_sync_that_is_told_to_end_does_so_with_the_process_that_chunks(
    folder: Folder, github: str, embeddings: EmbeddingsServer, harm: signal.Signals
) -> None:
    configure(folder, github, embeddings)
    command = folder.started("sync", "--json")
    until(lambda: embeddings.counters()["inputs"])
    (process,) = bulk_processes(command)
    process.send_signal(harm)
    command.send_signal(signal.SIGTERM)
    assert command.wait(10) == 143
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
