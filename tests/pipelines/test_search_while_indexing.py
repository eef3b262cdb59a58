"""Searches beside a loop of syncs: each document is always there, in one version."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from pipelines.ingestion.publish import publish
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.retrieval import document as whole_document
from pipelines.retrieval import search
from pipelines.retrieval.schema import SearchRequest
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
UNIT = Unit("unit", "Unit")
DOCUMENTS = 24
ROUNDS = 3
SHELVES = 4
VERSION = re.compile(r"edition (\d+)")


def put_all(source: MemorySource, version: int) -> None:
    """Every document anew, with two chunks that both change."""
    part = f"The certificate of edition {version} applies. " * 40
    for number in range(DOCUMENTS):
        content = f"# One\n\n{part}\n\n# Two\n\n{part}"
        source.put(document(number, content=content, tags=(f"shelf{number % SHELVES}",)))


class Asking:
    """Asks until told to stop, and keeps what was wrong."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._stop = threading.Event()
        self.answers = 0
        self.wrong: list[object] = []
        self._threads = [threading.Thread(target=self._run, args=(shelf,)) for shelf in range(2)]

    def __enter__(self) -> Asking:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, shelf: int) -> None:
        while not self._stop.is_set():
            self._look(shelf % SHELVES)
            shelf += 1

    def _look(self, shelf: int) -> None:
        index, embedder = self._services.reader, FakeEmbedder()
        filters = {"tags_in": [f"shelf{shelf}"]}
        request = SearchRequest(query="certificate", top_k=100, filters=filters)
        results = search(request, ("public",), index=index, embedder=embedder).results
        if len({one.document_id for one in results}) != DOCUMENTS // SHELVES:
            self.wrong.append(("missing", len(results)))
        for one in results:
            versions = {version for chunk in one.chunks for version in VERSION.findall(chunk.text)}
            if len(versions) != 1:
                self.wrong.append((one.document_id, versions))
        whole = whole_document(results[0].document_id, ("public",), index=index) if results else None
        if whole is None or len(set(VERSION.findall(whole.text))) != 1 or whole.text.count("# ") != 2:
            self.wrong.append(("whole", whole and Counter(VERSION.findall(whole.text))))
        self.answers += 1


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    with Services(settings.model_copy(update={"connections": (CONNECTION,)}), FakeEmbedder()) as opened:
        opened.catalog.units.replace_listing(CONNECTION.id, CONNECTION.source, [UNIT])
        yield opened


def test_no_search_misses_a_document_or_sees_it_twice(services: Services) -> None:
    source = MemorySource()
    put_all(source, 0)
    sync_unit(services, CONNECTION, source, UNIT)
    publish(services)
    _ = services.reader  # opened before the threads share it
    with Asking(services) as asking:
        for version in range(1, ROUNDS):
            before = asking.answers
            put_all(source, version)
            sync_unit(services, CONNECTION, source, UNIT)
            publish(services)
            while asking.answers < before + 2:  # every state is searched
                pass
    assert asking.wrong == []
    assert asking.answers >= 2 * (ROUNDS - 1)
