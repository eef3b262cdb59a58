"""What is sent to a Qdrant server. The bodies are checked against its models by the REST stand-in."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from itertools import chain
from typing import Any, Literal, TypeAlias

import httpx
import pytest
from pydantic import SecretStr
from qdrant_client import QdrantClient, models

from pipelines.errors import IndexMismatch, IndexStoreError
from pipelines.index.contract import (
    KEYWORD_FIELDS,
    TIME_FIELDS,
    DocumentChange,
    Filters,
    IndexSpec,
    PayloadUpdate,
    Point,
    spec_metadata,
)
from pipelines.index.server.connection import connect
from pipelines.index.server.layout import collection_arguments
from pipelines.index.server.reader import QdrantReader
from pipelines.index.server.store import QdrantStore
from pipelines.index.versions import version_name
from pipelines.settings import IndexSettings
from tests.pipelines.index.conftest import OverRest

Quantization: TypeAlias = Literal["auto", "none", "scalar", "binary"]

ID = "00000000-0000-0000-0000-00000000000"
PAYLOAD = {"document_id": "a", "version": "1", "updated_at": None, "position": 0, "readers": ["public"]}


def sent(rest: OverRest, method: str, ending: str) -> list[Any]:
    return [body for one, path, body in rest.server.requests if one == method and path.split("?")[0].endswith(ending)]


def test_a_collection_is_made_once_with_its_indexes(rest: OverRest, spec: IndexSpec) -> None:
    rest.store().close()
    name = version_name(spec)
    (created,) = sent(rest, "PUT", f"/collections/{name}")
    assert created["vectors"]["dense"]["size"] == 4
    assert created["sparse_vectors"]["bm25"]["modifier"] == "idf"
    assert created["metadata"] == spec_metadata(rest.spec)
    indexed = {body["field_name"]: body["field_schema"] for body in sent(rest, "PUT", "/index")}
    assert {field: schema["type"] for field, schema in indexed.items()} == {
        **dict.fromkeys(KEYWORD_FIELDS, "keyword"),
        **dict.fromkeys(TIME_FIELDS, "datetime"),
        "position": "integer",
    }
    assert [field for field, schema in indexed.items() if schema.get("is_tenant")] == ["unit"]
    rest.store().close()
    assert len(sent(rest, "PUT", f"/collections/{name}")) == 1
    assert len(sent(rest, "PUT", "/index")) == len(indexed)
    assert sent(rest, "PATCH", name) == []


@pytest.mark.parametrize(
    ("quantization", "expected"),
    [
        ("auto", None),
        ("none", None),
        ("scalar", {"scalar": {"type": "int8", "always_ram": True}}),
        ("binary", {"binary": {"always_ram": True}}),
    ],
)
@pytest.mark.parametrize(("replicas", "written"), [(1, 1), (2, 1), (3, 2), (4, 3), (5, 3)])
def test_a_cluster_gets_its_settings(
    quantization: Quantization, expected: dict[str, Any] | None, replicas: int, written: int, spec: IndexSpec
) -> None:
    settings = IndexSettings(url="http://q", shard_number=3, replication_factor=replicas, quantization=quantization)
    arguments = collection_arguments(spec, settings)
    assert (arguments["shard_number"], arguments["replication_factor"]) == (3, replicas)
    assert arguments["write_consistency_factor"] == written
    made = arguments["quantization_config"]
    assert (made and made.model_dump(exclude_none=True, mode="json")) == expected
    assert arguments["vectors_config"]["dense"].on_disk is (expected is not None)
    assert arguments["on_disk_payload"]


def test_a_change_is_one_ordered_request_that_waits(rest: OverRest) -> None:
    with closing(rest.store()) as store:
        points = [Point(f"{ID}{n}", [1.0, 0.0, 0.0, 0.0], "water", PAYLOAD) for n in range(2)]
        store.apply([DocumentChange("a", points)])
        update = PayloadUpdate(f"{ID}0", PAYLOAD, "water gate")
        store.apply([DocumentChange("a", [points[0]], [update], [f"{ID}1"])])
    (path,) = {path for _, path, _ in rest.server.requests if "/points/batch" in path}
    assert "wait=true" in path
    assert "ordering=medium" in path
    _, change = sent(rest, "POST", "/points/batch")
    assert [next(iter(one)) for one in change["operations"]] == [
        "upsert",
        "overwrite_payload",
        "update_vectors",
        "delete",
    ]
    assert list(change["operations"][2]["update_vectors"]["points"][0]["vector"]) == ["bm25"], "dense stays"
    assert change["operations"][3]["delete"]["points"] == [f"{ID}1"]


@pytest.mark.parametrize("read", [lambda store: store.points(["a"]), lambda store: dict(store.scan())])
def test_what_a_killed_server_has_yet_to_do_again_is_waited_for(
    rest: OverRest, read: Callable[[Any], dict[str, Any]]
) -> None:
    with closing(rest.store()) as store:
        first, second = (Point(f"{ID}{n}", [1.0, 0.0, 0.0, 0.0], "water", PAYLOAD) for n in range(2))
        store.apply([DocumentChange("a", [first])])
        rest.server.unapplied.append(lambda: store.apply([DocumentChange("a", [second], stale=[first.id])]))
        assert list(read(store)) == [second.id]


def test_the_filter_is_inside_every_leg(rest: OverRest) -> None:
    with closing(rest.store()) as store:
        store.publish()
    with closing(rest.reader()) as reader:
        filters = Filters(readers=("user:a", "public"), tags_not=("draft",))
        reader.search(mode="hybrid", text="water", dense=[1, 0, 0, 0], filters=filters, limit=30)
        reader.search(mode="lexical", text="water", dense=None, filters=filters, limit=30)
        assert reader.search(mode="dense", text="", dense=[1, 0, 0, 0], filters=Filters(), limit=30) == []
    hybrid, lexical = (one["searches"] for one in sent(rest, "POST", "/points/query/batch"))
    asked = [(leg["using"], leg["limit"], leg["with_payload"]) for leg in (*hybrid, *lexical)]
    assert asked == [("dense", 100, False), ("bm25", 100, False), ("bm25", 30, True)]
    assert hybrid[0]["params"]["quantization"]["rescore"] is True
    for leg in (*hybrid, *lexical):
        assert leg["filter"]["must"][0] == {"key": "readers", "match": {"any": ["user:a", "public"]}}
        assert leg["filter"]["must_not"][0] == {"key": "tags", "match": {"any": ["draft"]}}


def test_a_document_that_is_written_while_it_is_searched_is_found(rest: OverRest) -> None:
    old, new = (Point(f"{ID}{n}", [1.0, 0.0, 0.0, 0.0], "water", PAYLOAD) for n in range(2))
    with closing(rest.store()) as store:
        store.apply([DocumentChange("a", [old])])
        store.publish()

        def answer(request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith("/points"):
                store.apply([DocumentChange("a", [new], stale=[old.id])])
            return rest.server.answer(request)

        client = QdrantClient(
            url="http://qdrant.test", check_compatibility=False, transport=httpx.MockTransport(answer)
        )
        with closing(QdrantReader(client, rest.spec.collection, None)) as reader:
            asked = Filters(readers=None)
            hits = reader.search(mode="hybrid", text="water", dense=[1, 0, 0, 0], filters=asked, limit=5)
    assert [(hit.id, hit.payload) for hit in hits] == [(new.id, PAYLOAD)]


@pytest.mark.parametrize(
    ("version", "scoped"), [("1.18.9", False), ("1.19.0", True), ("1.20.0-dev", True), ("2.0.0", True), ("", False)]
)
def test_rarity_is_counted_over_what_the_asker_may_see(rest: OverRest, version: str, scoped: bool) -> None:
    rest.server.version = version
    with closing(rest.store()) as store:
        store.publish()
    asked = Filters(readers=("user:a",), kinds=("page",), scope_parents=("p",))
    with closing(rest.reader()) as reader:
        for filters in (asked, Filters(readers=None, kinds=("page",))):
            for mode in ("hybrid", "lexical", "dense"):
                reader.search(mode=mode, text="water", dense=[1, 0, 0, 0], filters=filters, limit=30)
        assert len(sent(rest, "GET", "/")) == 2  # once by the store, once by the reader
        assert reader.info().idf_leaks is not scoped
    legs = [one["searches"] for one in sent(rest, "POST", "/points/query/batch")]
    hybrid, lexical, dense, *administrator = legs
    corpus = {"must": [{"key": "readers", "match": {"any": ["user:a"]}}, {"key": "parents", "match": {"any": ["p"]}}]}
    for leg in (hybrid[1], *lexical):
        assert _idf(leg) == ({"corpus": {**corpus, "must_not": []}} if scoped else None)
    for leg in (hybrid[0], *dense, *chain(*administrator)):
        assert _idf(leg) is None


def test_what_a_server_is_too_old_for_is_told_before_anything_is_on_it(rest: OverRest) -> None:
    rest.server.version = "1.18.3"
    with closing(rest.reader()) as reader:
        assert reader.info().idf_leaks
    rest.server.version = "1.16.3"
    with closing(rest.reader()) as reader, pytest.raises(IndexStoreError, match=r"1\.16\.3.*needs 1\.17"):
        reader.info()


def _idf(leg: Any) -> Any:
    return (leg.get("params") or {}).get("idf")


def test_the_alias_moves_in_one_step(rest: OverRest, spec: IndexSpec) -> None:
    other = IndexSpec(spec.collection, "large", 4, "v1")
    with closing(rest.store()) as store:
        store.publish()
        store.publish()
    with closing(rest.store(other, replace=True)) as store:
        store.publish()
    first, second = sent(rest, "POST", "/collections/aliases")
    assert first == {"actions": [_alias(version_name(spec))]}
    assert second == {"actions": [{"delete_alias": {"alias_name": "knowledge"}}, _alias(version_name(other))]}


def _alias(collection: str) -> dict[str, Any]:
    return {"create_alias": {"collection_name": collection, "alias_name": "knowledge"}}


def test_a_collection_of_somebody_else_is_refused(rest: OverRest, spec: IndexSpec) -> None:
    rest.server.engine.create_collection(
        version_name(spec), vectors_config={"dense": models.VectorParams(size=4, distance=models.Distance.DOT)}
    )
    with pytest.raises(IndexMismatch, match="was not made by Headrace"):
        rest.store()


def test_a_name_that_is_taken_is_told_before_anything_is_written(rest: OverRest, spec: IndexSpec) -> None:
    theirs = {"dense": models.VectorParams(size=4, distance=models.Distance.DOT)}
    rest.server.engine.create_collection(spec.collection, vectors_config=theirs)
    with pytest.raises(IndexMismatch, match=r"knowledge: .*not made by Headrace; give `index\.collection`"):
        rest.store()
    with closing(rest.reader()) as reader, pytest.raises(IndexMismatch, match="another name"):
        reader.info()
    assert sent(rest, "PUT", f"/collections/{version_name(spec)}") == []


def _refused(request: httpx.Request) -> httpx.Response:
    return httpx.Response(403, json={"status": {"error": "Forbidden"}})


def _unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("connection refused")


def _overloaded(request: httpx.Request) -> httpx.Response:
    return httpx.Response(429, headers={"Retry-After": "3"}, json={"status": {"error": "too many"}})


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(_refused, "answered 403.*Forbidden"), (_unreachable, "cannot be reached"), (_overloaded, "too many")],
)
def test_trouble_is_named(answer: Callable[[httpx.Request], httpx.Response], reason: str, spec: IndexSpec) -> None:
    def client() -> QdrantClient:
        return QdrantClient(url="http://q.test", check_compatibility=False, transport=httpx.MockTransport(answer))

    with pytest.raises(IndexStoreError, match=f"knowledge.*{reason}"):
        QdrantStore(client(), spec, IndexSettings())
    with (
        pytest.raises(IndexStoreError, match=f"knowledge.*{reason}"),
        closing(QdrantReader(client(), "knowledge", spec)) as reader,
    ):
        reader.info()


def test_the_key_is_sent_and_never_shown(capsys: pytest.CaptureFixture[str]) -> None:
    settings = IndexSettings(url="https://qdrant.test:6333", api_key=SecretStr("hush"))
    with closing(connect(settings)) as client:
        assert "hush" not in repr(client)
        assert client._client._rest_headers["api-key"] == "hush"  # type: ignore[attr-defined]
    assert "hush" not in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://qdrant.test", "https://qdrant.test:443"),
        ("https://proxy.test/qdrant", "https://proxy.test:443/qdrant"),
        ("https://qdrant.test:6333", "https://qdrant.test:6333"),
        ("http://proxy.test:8080/qdrant", "http://proxy.test:8080/qdrant"),
        ("http://qdrant.test", "http://qdrant.test:6333"),
    ],
)
def test_https_without_a_port_is_443(url: str, asked: str) -> None:
    with closing(connect(IndexSettings(url=url))) as client:
        assert client._client.rest_uri == asked  # type: ignore[attr-defined]


@pytest.mark.parametrize(("version", "refused"), [("1.16.3", True), ("0.11.0", True), ("1.17.0", False), ("", False)])
def test_a_server_that_is_too_old_is_refused_with_both_versions(rest: OverRest, version: str, refused: bool) -> None:
    rest.store().publish()
    rest.server.version = version
    reader = rest.reader()
    for ask in (rest.store, reader.info):
        if refused:
            with pytest.raises(IndexStoreError, match=rf"{re.escape(version)}.*1\.17"):
                ask()
        else:
            ask()
