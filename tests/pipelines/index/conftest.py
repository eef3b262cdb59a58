"""Index stores to test: embedded; over REST with an engine in this process; on a server where QDRANT_URL is set."""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, Protocol
from uuid import uuid4

import httpx
import pytest
from pydantic import BaseModel
from qdrant_client import QdrantClient, models

from pipelines.index import open_reader, open_store
from pipelines.index.contract import DocumentChange, IndexReader, IndexSpec, IndexStore, Point
from pipelines.settings import IndexSettings, Settings


class Backend(Protocol):
    """Opens stores and readers of one place."""

    spec: IndexSpec

    def store(self, spec: IndexSpec | None = None, *, replace: bool = False) -> IndexStore: ...

    def reader(self, spec: IndexSpec | None = None) -> IndexReader: ...


@dataclass
class Configured:
    """Through the public functions: embedded, or on a server."""

    settings: Settings
    spec: IndexSpec

    def store(self, spec: IndexSpec | None = None, *, replace: bool = False) -> IndexStore:
        return open_store(self.settings, spec or self.spec, replace=replace, lock_timeout=0)

    def reader(self, spec: IndexSpec | None = None) -> IndexReader:
        return open_reader(self.settings, spec)


class Rest:
    """Qdrant's REST API over qdrant-client's local mode. Bodies must be what the API's models allow, no more."""

    def __init__(self) -> None:
        self.engine = QdrantClient(":memory:")
        self.one_at_a_time = Lock()
        self.version = "1.19.0"
        self.requests: list[tuple[str, str, Any]] = []
        self.unapplied: list[Callable[[], None]] = []
        """What a server was killed over: it had acknowledged it, and does it again before anything else is written."""
        self.infos: dict[str, models.CollectionInfo] = {}
        """What the engine keeps of no collection: quantization, replication, payload indexes."""
        self.written: dict[str, set[str]] = defaultdict(set)  # the documents of a collection, with those removed since
        collection = "/collections/([^/]+)"
        self.routes: list[tuple[str, str, type[BaseModel] | None, Callable[..., Any]]] = [
            ("GET", "/aliases", None, self.engine.get_aliases),
            ("GET", f"{collection}/exists", None, lambda name: {"exists": self.engine.collection_exists(name)}),
            ("GET", "/collections", None, self.engine.get_collections),
            ("GET", collection, None, self._info),
            ("PUT", collection, models.CreateCollection, self._create),
            ("PATCH", collection, models.UpdateCollection, self._change),
            ("DELETE", collection, None, self._drop),
            ("PUT", f"{collection}/index", models.CreateFieldIndex, self._index),
            ("POST", "/collections/aliases", models.ChangeAliasesOperation, self._change_aliases),
            ("POST", f"{collection}/points", models.PointRequest, self._retrieve),
            ("POST", f"{collection}/points/batch", models.UpdateOperations, self._update),
            ("POST", f"{collection}/points/payload", models.SetPayload, self._set_payload),
            ("POST", f"{collection}/points/delete", models.FilterSelector, self._delete),
            ("POST", f"{collection}/points/scroll", models.ScrollRequest, self._scroll),
            ("POST", f"{collection}/points/query/batch", models.QueryRequestBatch, self._query),
            ("POST", f"{collection}/points/count", models.CountRequest, self._count),
            ("POST", f"{collection}/facet", models.FacetRequest, self._facet),
        ]

    def client(self) -> QdrantClient:
        return QdrantClient(
            url="http://qdrant.test", check_compatibility=False, transport=httpx.MockTransport(self.answer)
        )

    def answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        self.requests.append((request.method, request.url.raw_path.decode(), body))
        if request.url.path == "/":
            return httpx.Response(200, json={"title": "qdrant - vector search engine", "version": self.version})
        if re.search("/points/(batch|payload|delete)$", request.url.path):
            while self.unapplied:
                self.unapplied.pop(0)()
        for method, path, model, handle in self.routes:
            if request.method == method and (found := re.fullmatch(path, request.url.path)):
                arguments = [*found.groups(), *([model.model_validate(body)] if model else [])]
                with self.one_at_a_time:
                    return _answered(partial(handle, *arguments))
        raise AssertionError(f"no such call in this stand-in: {request.method} {request.url.path}")

    def _create(self, name: str, body: models.CreateCollection) -> bool:
        made = self.engine.create_collection(
            name,
            vectors_config=body.vectors,
            sparse_vectors_config=body.sparse_vectors,
            metadata=body.metadata,
        )
        info = self.infos[name] = self.engine.get_collection(name)
        info.config.quantization_config = body.quantization_config
        info.config.params.shard_number = body.shard_number or 1
        info.config.params.replication_factor = body.replication_factor or 1
        info.config.params.write_consistency_factor = body.write_consistency_factor or 1
        return made

    def _info(self, name: str) -> models.CollectionInfo:
        info = self.engine.get_collection(name)
        if known := self.infos.get(name):
            known.config.metadata = info.config.metadata
            return known.model_copy(update={"points_count": info.points_count})
        return info

    def _change(self, name: str, body: models.UpdateCollection) -> bool:
        """A change of quantization or replication; the engine knows metadata alone."""
        self.engine.update_collection(name, metadata=body.metadata)
        config = self.infos[name].config
        if body.quantization_config:
            wanted = body.quantization_config
            config.quantization_config = None if isinstance(wanted, models.Disabled) else wanted
        for one, value in body.params.model_dump(exclude_none=True).items() if body.params else ():
            setattr(config.params, one, value)
        for vector, diff in (body.vectors or {}).items():
            assert isinstance(config.params.vectors, dict)
            config.params.vectors[vector].on_disk = diff.on_disk
        return True

    def _drop(self, name: str) -> bool:
        self.infos.pop(name, None)
        return self.engine.delete_collection(name)

    def _index(self, name: str, body: models.CreateFieldIndex) -> Any:
        schema: Any = body.field_schema
        found = models.PayloadIndexInfo(data_type=schema.type.value, params=schema, points=0)
        self.infos[name].payload_schema[body.field_name] = found
        return _DONE

    def _change_aliases(self, body: models.ChangeAliasesOperation) -> bool:
        return self.engine.update_collection_aliases(body.actions)

    def _retrieve(self, name: str, body: models.PointRequest) -> list[Any]:
        records = self.engine.retrieve(
            name, body.ids, with_payload=body.with_payload or False, with_vectors=body.with_vector or False
        )
        return [record.model_dump(mode="json") for record in records]

    def _update(self, name: str, body: models.UpdateOperations) -> list[Any]:
        results = self.engine.batch_update_points(name, body.operations)
        upserts = (one.upsert for one in body.operations if isinstance(one, models.UpsertOperation))
        points = (point for upsert in upserts if isinstance(upsert, models.PointsList) for point in upsert.points)
        self.written[name].update((point.payload or {})["document_id"] for point in points)
        return [result.model_dump(mode="json") for result in results]

    def _set_payload(self, name: str, body: models.SetPayload) -> Any:
        return self.engine.set_payload(name, body.payload, models.FilterSelector(filter=_given(body.filter)))

    def _delete(self, name: str, body: models.FilterSelector) -> Any:
        return self.engine.delete(name, body)

    def _scroll(self, name: str, body: models.ScrollRequest) -> Any:
        points, offset = self.engine.scroll(
            name,
            scroll_filter=body.filter,
            limit=body.limit or 10,
            offset=body.offset,
            order_by=body.order_by,
            with_payload=body.with_payload or False,
        )
        return models.ScrollResult(points=points, next_page_offset=offset)

    def _query(self, name: str, body: models.QueryRequestBatch) -> list[Any]:
        exact = [
            one.model_copy(update={"params": _exact(one.params), "query": self._query_vector(name, one)})
            for one in body.searches
        ]
        return [found.model_dump(mode="json") for found in self.engine.query_batch_points(name, exact)]

    def _query_vector(self, name: str, body: models.QueryRequest) -> Any:
        """A server takes one vector for a list of one, where points have several."""
        vectors = self.engine.get_collection(name).config.params.vectors
        params = vectors.get(body.using or "") if isinstance(vectors, dict) else None
        if params and params.multivector_config and isinstance(body.query, models.NearestQuery):
            return body.query.model_copy(update={"nearest": [body.query.nearest]})
        return body.query

    def _count(self, name: str, body: models.CountRequest) -> Any:
        return self.engine.count(name, count_filter=body.filter)

    def _facet(self, name: str, body: models.FacetRequest) -> Any:
        """An exact one also names values that no point has any more."""
        found = self.engine.facet(name, body.key, facet_filter=body.filter, limit=body.limit or 10)
        removed = self.written[name] - {str(hit.value) for hit in found.hits} if body.exact else ()
        none_left = [models.FacetValueHit(value=value, count=0) for value in removed]
        return models.FacetResponse(hits=[*found.hits, *none_left])


def _answered(ask: Callable[[], Any]) -> httpx.Response:
    """What came of a request, as a server of version 1.18 says it: what the local engine raises is there a status."""
    try:
        result = ask()
    except (KeyError, ValueError) as error:
        status, reason = _refusal(error)
        return httpx.Response(status, json={"status": {"error": reason}, "time": 0.0})
    shown = result.model_dump(mode="json") if isinstance(result, BaseModel) else result
    return httpx.Response(200, json={"result": shown, "status": "ok", "time": 0.0})


def _refusal(error: KeyError | ValueError) -> tuple[int, str]:
    if isinstance(error, KeyError):
        return 404, f"Not found: No point with id {error.args[0]} found"
    if "not found" in str(error):
        return 404, f"Not found: {error}"
    return 409 if "already exists" in str(error) else 400, f"Wrong input: {error}"


def _exact(params: models.SearchParams | None) -> models.SearchParams | None:
    """The engine quantizes nothing, and warns of parameters that have no effect on it."""
    return models.SearchParams(idf=params.idf) if params and params.idf else None


def _given(filter: models.Filter | None) -> models.Filter:
    assert filter is not None, "without a filter every point would be changed"
    return filter


_DONE = {"operation_id": 0, "status": "completed"}


@dataclass
class OverRest:
    """QdrantStore and QdrantReader, each with a client of its own."""

    spec: IndexSpec
    settings: IndexSettings = field(default_factory=IndexSettings)
    server: Rest = field(default_factory=Rest)

    def store(self, spec: IndexSpec | None = None, *, replace: bool = False) -> IndexStore:
        from pipelines.index.server.store import QdrantStore

        return QdrantStore(self.server.client(), spec or self.spec, self.settings, replace=replace)

    def reader(self, spec: IndexSpec | None = None) -> IndexReader:
        from pipelines.index.server.reader import QdrantReader

        return QdrantReader(self.server.client(), self.spec.collection, spec)


@pytest.fixture(scope="module")
def whole_layout() -> bool:
    return True


@pytest.fixture
def spec() -> IndexSpec:
    return IndexSpec(collection="knowledge", model="tiny", dimensions=4, chunking="v1")


def changes_of(texts: Mapping[str, str]) -> Iterator[DocumentChange]:
    """A document of one passage for each text, by its id; as near to one meaning as all others."""
    for number, (name, text) in enumerate(texts.items()):
        payload = {"document_id": name, "version": "1", "position": 0, "readers": ["public"], "updated_at": None}
        point = Point(f"00000000-0000-0000-0000-{number:012}", [0.0, 0.0, 0.0, 1.0], text, payload)
        yield DocumentChange(name, [point])


@pytest.fixture
def edge(tmp_path: Path, spec: IndexSpec) -> Configured:
    return Configured(Settings(directory=tmp_path), spec)


@pytest.fixture
def rest(spec: IndexSpec) -> OverRest:
    return OverRest(spec)


@pytest.fixture
def server() -> Iterator[Configured]:
    if not (url := os.environ.get("QDRANT_URL")):
        pytest.skip("QDRANT_URL is not set")
    collection = f"test-{uuid4().hex}"
    yield Configured(
        Settings(index=IndexSettings(url=url, collection=collection)),
        IndexSpec(collection=collection, model="tiny", dimensions=4, chunking="v1"),
    )
    client = QdrantClient(url=url, check_compatibility=False)
    for one in client.get_collections().collections:
        if one.name.startswith(collection):
            client.delete_collection(one.name)
    client.close()


@pytest.fixture(params=["edge", "rest", "server"])
def backend(request: pytest.FixtureRequest) -> Backend:
    backend: Backend = request.getfixturevalue(request.param)
    return backend
