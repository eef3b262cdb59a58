"""Index stores to test: the embedded one, qdrant-client's local mode, and a server where QDRANT_URL is set."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import pytest

from pipelines.index import open_reader, open_store
from pipelines.index.base import IndexReader, IndexSpec, IndexStore
from pipelines.settings import Index, Settings


class Backend(Protocol):
    """Opens stores and readers of one place."""

    spec: IndexSpec

    def store(self, spec: IndexSpec | None = None, *, replace: bool = False) -> IndexStore: ...

    def reader(self, spec: IndexSpec | None = None) -> IndexReader: ...


@dataclass
class Opened:
    """Through the public functions: embedded, or on a server."""

    settings: Settings
    spec: IndexSpec

    def store(self, spec: IndexSpec | None = None, *, replace: bool = False) -> IndexStore:
        return open_store(self.settings, spec or self.spec, replace=replace, lock_timeout=0)

    def reader(self, spec: IndexSpec | None = None) -> IndexReader:
        return open_reader(self.settings, spec)


@dataclass
class LocalMode:
    """QdrantStore and QdrantReader on one in-memory client."""

    client: Any
    spec: IndexSpec

    def store(self, spec: IndexSpec | None = None, *, replace: bool = False) -> IndexStore:
        from pipelines.index.qdrant import QdrantStore

        return QdrantStore(self.client, spec or self.spec, Index(), replace=replace)

    def reader(self, spec: IndexSpec | None = None) -> IndexReader:
        from pipelines.index.qdrant import QdrantReader

        return QdrantReader(self.client, self.spec.collection, spec)


@pytest.fixture
def spec() -> IndexSpec:
    return IndexSpec(collection="knowledge", model="tiny", dimensions=4, chunking="v1")


@pytest.fixture
def embedded(tmp_path: Path, spec: IndexSpec) -> Opened:
    return Opened(Settings(directory=tmp_path), spec)


@pytest.fixture(params=["edge", "local mode", "server"])
def backend(request: pytest.FixtureRequest) -> Backend:
    backend: Backend = request.getfixturevalue(request.param.replace(" ", "_"))
    return backend


@pytest.fixture
def edge(embedded: Opened) -> Opened:
    return embedded


@pytest.fixture
def local_mode(spec: IndexSpec, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalMode]:
    from qdrant_client import QdrantClient

    client = QdrantClient(":memory:")
    close = client.close
    monkeypatch.setattr(client, "close", lambda: None)  # the store's and the reader's, which share it
    yield LocalMode(client, spec)
    close()


@pytest.fixture
def server() -> Iterator[Opened]:
    if not (url := os.environ.get("QDRANT_URL")):
        pytest.skip("QDRANT_URL is not set")
    from qdrant_client import QdrantClient

    collection = f"test-{uuid4().hex}"
    yield Opened(
        Settings(index=Index(url=url, collection=collection)),
        IndexSpec(collection=collection, model="tiny", dimensions=4, chunking="v1"),
    )
    client = QdrantClient(url=url)
    for one in client.get_collections().collections:
        if one.name.startswith(collection):
            client.delete_collection(one.name)
    client.close()
