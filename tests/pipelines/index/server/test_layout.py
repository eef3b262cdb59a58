"""A collection that exists follows the settings, the size and the release; what a server cannot change is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from qdrant_client import QdrantClient, models

from pipelines.errors import IndexMismatch
from pipelines.index import open_store
from pipelines.index.contract import DocumentChange, Filters, IndexSpec, IndexStore, Point
from pipelines.index.server import layout
from pipelines.index.server.store import QdrantStore
from pipelines.index.versions import version_name
from pipelines.settings import IndexSettings, Settings
from tests.pipelines.index.conftest import Configured, OverRest

SCALAR = models.ScalarQuantization(scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, always_ram=True))
BINARY = models.BinaryQuantization(binary=models.BinaryQuantizationConfig(always_ram=True))
PAYLOAD = {"document_id": "a", "version": "1", "updated_at": None, "position": 0, "readers": ["public"], "unit": "u"}
CHANGES = [
    DocumentChange(f"d{n}", [Point(f"00000000-0000-0000-0000-{n:012}", [1, 0, 0, 0], "water", PAYLOAD)])
    for n in range(8)
]


@dataclass
class Place:
    """A server, and a client beside it that looks at what is there."""

    client: QdrantClient
    spec: IndexSpec
    open: Callable[[IndexSettings], IndexStore]

    def info(self) -> models.CollectionInfo:
        return self.client.get_collection(version_name(self.spec))

    def is_on_disk(self) -> bool:
        vectors: Any = self.info().config.params.vectors
        return bool(vectors["dense"].on_disk)


@pytest.fixture(params=["rest", "server"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "rest":
        rest: OverRest = request.getfixturevalue("rest")
        yield Place(rest.server.client(), rest.spec, lambda given: QdrantStore(rest.server.client(), rest.spec, given))
        return
    server: Configured = request.getfixturevalue("server")

    def opened(given: IndexSettings) -> IndexStore:
        own = {"url": server.settings.index.url, "collection": server.spec.collection}
        return open_store(Settings(index=given.model_copy(update=own)), server.spec)

    with closing(QdrantClient(url=server.settings.index.url, check_compatibility=False)) as client:
        yield Place(client, server.spec, opened)


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("none", "scalar", SCALAR),
        ("scalar", "binary", BINARY),
        ("binary", "none", None),
        ("binary", "auto", BINARY),
        ("none", "auto", None),
    ],
)
def test_another_quantization_is_applied(place: Place, before: Any, after: Any, found: Any) -> None:
    place.open(IndexSettings(quantization=before)).close()
    for _ in range(2):
        place.open(IndexSettings(quantization=after)).close()
        assert place.info().config.quantization_config == found
        assert place.is_on_disk() is (found is not None)


def test_a_collection_that_has_grown_is_quantized_and_stays_so(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(place.open(IndexSettings())) as store:
        store.apply(CHANGES)
    place.open(IndexSettings()).close()
    assert place.info().config.quantization_config is None
    monkeypatch.setattr(layout, "QUANTIZED_BYTES", 8 * 4 * 4)
    place.open(IndexSettings()).close()
    assert (place.info().config.quantization_config, place.is_on_disk()) == (SCALAR, True)
    monkeypatch.undo()
    with closing(place.open(IndexSettings())) as store:
        assert (place.info().config.quantization_config, place.is_on_disk()) == (SCALAR, True)
        found = store.preview().search(
            mode="dense", text="", dense=[0.6, 0.8, 0, 0], filters=Filters(readers=("public",)), limit=9
        )
    assert [round(hit.score, 5) for hit in found] == [0.6] * 8


def test_another_number_of_replicas_is_applied(place: Place) -> None:
    place.open(IndexSettings()).close()
    place.open(IndexSettings(replication_factor=3)).close()
    params = place.info().config.params
    assert (params.replication_factor, params.write_consistency_factor) == (3, 2)


def test_another_number_of_shards_is_refused_with_what_to_do(place: Place) -> None:
    place.open(IndexSettings(shard_number=2)).close()
    with pytest.raises(IndexMismatch, match=r"has 2 shards.*`index\.shard_number`.* 3.*`index\.collection`.*reindex"):
        place.open(IndexSettings(shard_number=3))
    place.open(IndexSettings(shard_number=2)).close()


def test_units_become_tenants_of_a_collection_of_before(place: Place) -> None:
    with closing(place.open(IndexSettings())) as store:
        store.apply(CHANGES)
    name = version_name(place.spec)
    place.client.create_payload_index(name, "unit", models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD))
    with closing(place.open(IndexSettings())) as store:
        assert getattr(place.info().payload_schema["unit"].params, "is_tenant", None) is True
        assert store.count_by_unit() == {"u": 8}
