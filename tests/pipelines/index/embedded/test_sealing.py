"""Segments that are sealed as they grow: all is found and changed as before, and what is shared stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipelines.index.contract import BM25, DENSE, DocumentChange, Filters, IndexStore, PayloadUpdate
from pipelines.index.embedded.sealed_files import SealedFiles
from pipelines.index.filters import document_conditions
from tests.pipelines.index.conftest import Configured
from tests.pipelines.index.embedded.test_store import EVERYTHING, NORTH, content, index_folder, point

DOCUMENTS = 60
ADA = Filters(readers=("user:ada",))


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that some documents fill one."""
    for setting in ("FIRST_SEALED_POINTS", "SEALED_POINTS"):
        monkeypatch.setattr(f"pipelines.index.embedded.layout.{setting}", 5)
    monkeypatch.setattr("pipelines.index.embedded.store.POINTS_PER_LOOK", 10)


def text(number: int) -> str:
    return " ".join(["zebra", *(f"word{number}x{n}" for n in range(20))])


def document(number: int) -> DocumentChange:
    return DocumentChange(f"d{number}", [point(f"d{number}", text(number), 1)])


def update(number: int, lexical_text: str | None = None) -> DocumentChange:
    """Another version of the payload, and perhaps of the words."""
    before = point(f"d{number}", text(number), 2)
    return DocumentChange(
        before.payload["document_id"], updates=[PayloadUpdate(before.id, before.payload, lexical_text)]
    )


def sealed_segments(edge: Configured) -> list[Path]:
    (shard,) = index_folder(edge).glob("knowledge-*/shard")
    return [Path(segment) for segment in SealedFiles.of(shard).segments]


def shared_files(edge: Configured) -> dict[str, str]:
    """What the writer's sealed segments have in common with the published copy, by file."""
    return {
        f"{segment.name}/{name}": digest
        for segment in sealed_segments(edge)
        for name, digest in content(segment).items()
        if (segment / name).stat().st_nlink > 1
    }


def test_what_is_sealed_is_found_changed_and_removed(edge: Configured) -> None:
    with closing(edge.store()) as store, closing(edge.reader()) as reader:
        store.apply(map(document, range(DOCUMENTS)))
        store.publish()
        assert sealed_segments(edge)
        assert (reader.info().documents, reader.info().points) == (DOCUMENTS, DOCUMENTS)
        [found] = reader.search(mode="lexical", text="word7x3", dense=None, filters=EVERYTHING, limit=5)
        assert found.payload["document_id"] == "d7"
        store.remove(document_conditions(["d7"]))
        store.set_readers(document_conditions(["d8"]), "", ["user:ada"])
        store.apply([update(9), update(10, "walrus")])
        store.publish()
        assert reader.document("d7", EVERYTHING) == []
        assert [bool(reader.document("d8", asker)) for asker in (Filters(readers=("public",)), ADA)] == [False, True]
        assert [hit.payload["version"] for hit in reader.document("d9", EVERYTHING)] == ["000002"]
        [found] = reader.search(mode="lexical", text="walrus", dense=None, filters=EVERYTHING, limit=5)
        assert found.payload["document_id"] == "d10"
        found_all = reader.search(mode="hybrid", text="zebra", dense=NORTH, filters=EVERYTHING, limit=100)
        assert len(found_all) == DOCUMENTS - 1


CHANGES: dict[str, Callable[[IndexStore], None]] = {
    "removed": lambda store: store.remove(document_conditions(["d1", "d2"])),
    "readers": lambda store: store.set_readers(document_conditions(["d3", "d4"]), "", ["user:ada"]),
    "payload": lambda store: store.apply([update(5), update(6, "walrus")]),
    "written again": lambda store: store.apply([document(7)]),
    "more": lambda store: store.apply(map(document, range(DOCUMENTS, 2 * DOCUMENTS))),
}


@pytest.mark.one_case
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_the_published_copy_shares_with_the_writer_is_never_rewritten(
    edge: Configured, change: Callable[[IndexStore], None]
) -> None:
    """Fails where an update of the engine begins to: its file is then to be copied."""
    with closing(edge.store()) as store, closing(edge.reader()) as reader:
        store.apply(map(document, range(DOCUMENTS)))
        store.publish()
        before = shared_files(edge)
        assert {Path(name).suffix for name in before} == {".bin", ".dat", ".e2i", ".i2e", ".json"}
        change(store)
        assert reader.search(mode="hybrid", text="zebra", dense=NORTH, filters=EVERYTHING, limit=5)
        store.publish()
        assert reader.search(mode="hybrid", text="zebra", dense=NORTH, filters=EVERYTHING, limit=5)
        after = shared_files(edge)
        assert before.items() & after.items()
        assert {name: after[name] for name in before if name in after} == {
            name: digest for name, digest in before.items() if name in after
        }


def test_a_copy_is_whole_where_files_cannot_be_linked(edge: Configured, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError

    monkeypatch.setattr("os.link", refused)
    with closing(edge.store()) as store, closing(edge.reader()) as reader:
        store.apply(map(document, range(DOCUMENTS)))
        store.publish()
        assert reader.info().points == DOCUMENTS


def test_an_index_of_an_earlier_release_is_sealed_from_now_on(
    edge: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr("pipelines.index.embedded.store.create_shard", create_as_before)
        earlier.setattr("pipelines.index.embedded.layout.FIRST_SEALED_POINTS", 8_000)
        with closing(edge.store()) as store:
            store.apply(map(document, range(DOCUMENTS)))
            store.publish()
    assert sealed_segments(edge) == []
    with closing(edge.store()) as store, closing(edge.reader()) as reader:
        store.apply([document(DOCUMENTS)])
        store.publish()
        assert sealed_segments(edge)
        assert reader.info().points == DOCUMENTS + 1


def create_as_before(path: Path, spec: Any) -> None:
    """Without a word of segments, as releases up to 0.1 did."""
    import qdrant_edge as edge

    path.mkdir(parents=True)
    dense = edge.EdgeVectorParams(
        size=spec.dimensions, distance=edge.Distance.Dot, datatype=edge.VectorStorageDatatype.Turbo8
    )
    sparse = edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)
    shard = edge.EdgeShard.create(str(path), edge.EdgeConfig(vectors={DENSE: dense}, sparse_vectors={BM25: sparse}))
    shard.update(edge.UpdateOperation.create_field_index("document_id", edge.PayloadSchemaType.Keyword))
    shard.flush()
    shard.close()


def test_payload_indexes_take_no_memory_where_they_are_sealed(edge: Configured) -> None:
    from qdrant_edge import EdgeShard, Memory

    with closing(edge.store()) as store:
        store.apply(document(number) for number in range(DOCUMENTS))
    (folder,) = index_folder(edge).glob("knowledge-*/shard")
    shard = EdgeShard.load(str(folder))
    placed = {field: index.params.memory for field, index in shard.info().payload_schema.items() if index.params}
    shard.close()
    assert {"readers", "source_readers", "updated_at", "position"} <= placed.keys()
    assert all(place == Memory.Cold for place in placed.values())
