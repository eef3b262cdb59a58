"""The contract of index stores, on every store."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

import numpy as np
import pytest

from pipelines.errors import IndexMismatch
from pipelines.index.conditions import Alternatives, AnyOf, Conditions
from pipelines.index.contract import (
    DocumentChange,
    Filters,
    Hit,
    IndexReader,
    IndexSpec,
    IndexStore,
    Mode,
    Payload,
    PayloadUpdate,
    Point,
)
from pipelines.index.filters import document_conditions
from pipelines.index.fusion import WEIGHTS
from tests.pipelines.index.conftest import Backend

NAMESPACE = UUID(int=0)
EVERYTHING = Filters(readers=None)
NORTH, EAST, UP, OUT = ([float(axis == one) for axis in range(4)] for one in range(4))


def point_id(name: str) -> str:
    return str(uuid5(NAMESPACE, name))


def payload(document: str, position: int = 0, **fields: Any) -> Payload:
    return {
        "document_id": document,
        "version": "1",
        "source": "github",
        "connection": "acme-github",
        "unit": "acme/api",
        "kind": "issue",
        "title": "Überlauf",
        "url": "https://example.test/1",
        "author": "",
        "parents": [],
        "tags": [],
        "readers": ["public"],
        "created_at": None,
        "updated_at": "2026-01-02T03:04:05+00:00",
        "position": position,
        "headings": ["Setup", "Pumps"],
        "text": f"text {position}",
        **fields,
    }


def point(name: str, text: str = "water", dense: list[float] = NORTH, **fields: Any) -> Point:
    document, _, position = name.partition("#")
    return Point(point_id(name), dense, text, payload(document, int(position or 0), **fields))


def new(*points: Point) -> DocumentChange:
    return DocumentChange(points[0].payload["document_id"], points)


def names(hits: list[Hit]) -> list[str]:
    return [f"{hit.payload['document_id']}#{hit.payload['position']}" for hit in hits]


def found(
    reader: IndexReader, filters: Filters, mode: Mode = "hybrid", text: str = "water", limit: int = 10
) -> list[str]:
    return names(reader.search(mode=mode, text=text, dense=NORTH, filters=filters, limit=limit))


@contextmanager
def both(backend: Backend) -> Iterator[tuple[IndexStore, IndexReader]]:
    with closing(backend.store()) as store, closing(backend.reader(backend.spec)) as reader:
        yield store, reader


def test_before_the_first_publication_nothing_is_found(backend: Backend) -> None:
    with closing(backend.reader()) as reader:
        assert found(reader, EVERYTHING) == []
        assert reader.document("a", EVERYTHING) == []
        assert (reader.info().documents, reader.info().points, reader.info().bytes) == (0, 0, 0)


def test_an_empty_collection_can_be_published(backend: Backend) -> None:
    with both(backend) as (store, reader):
        store.publish()
        assert found(reader, EVERYTHING) == []
        assert reader.info().points == store.info().points == 0


def test_payloads_come_back_as_they_were_written(backend: Backend) -> None:
    written = point("a#0", parents=["slack:acme/C1"], tags=["bug", "ünïcode"], extra={"nested": [1, 2.5, None]})
    with both(backend) as (store, reader):
        store.apply([new(written)])
        store.publish()
        (hit,) = reader.search(mode="hybrid", text="water", dense=NORTH, filters=EVERYTHING, limit=5)
        assert (hit.id, hit.payload) == (written.id, written.payload)
        assert store.points(["a", "missing"]) == dict(store.scan()) == {written.id: written.payload}


@pytest.mark.parametrize(
    ("mode", "expected"), [("dense", ["near#0", "far#0"]), ("lexical", ["far#0"]), ("hybrid", ["far#0", "near#0"])]
)
def test_modes(backend: Backend, mode: Mode, expected: list[str]) -> None:
    with both(backend) as (store, reader):
        store.apply([new(point("near#0", "a turbine", NORTH))])
        store.apply([new(point("far#0", "a sluice gate", [0.6, 0.8, 0.0, 0.0]))])
        store.publish()
        assert found(reader, EVERYTHING, mode, "where is the sluice?") == expected
        assert found(reader, EVERYTHING, mode, "where is the sluice?", limit=1) == expected[:1]


def test_hybrid_scores_are_shares_of_the_best_by_meaning_and_by_words(backend: Backend) -> None:
    with both(backend) as (store, reader):
        store.apply([new(point("a#0", "sluice", [0.6, 0.8, 0.0, 0.0])), new(point("b#0", "turbine", NORTH))])
        store.apply([new(point("c#0", "weir", [0.2, 0.0, 0.8, 0.0])), new(point("d#0", "gate", EAST))])
        store.publish()
        hits = reader.search(mode="hybrid", text="sluice", dense=NORTH, filters=EVERYTHING, limit=5)
    parts = {hit.payload["document_id"]: (hit.dense, hit.lexical) for hit in hits}
    shares = {name: (score + 0.25) / 1.25 for name, score in (("a", 0.6), ("b", 1.0), ("c", 0.2), ("d", 0.0))}
    for name, share in shares.items():
        assert parts[name] == pytest.approx((share * WEIGHTS.dense, WEIGHTS.lexical if name == "a" else 0.0), rel=0.03)
    assert all(hit.score == pytest.approx(hit.dense + hit.lexical) for hit in hits)


def test_an_identifier_comes_first_whatever_is_near_by_meaning(backend: Backend) -> None:
    with both(backend) as (store, reader):
        store.apply([new(point("named#0", "the report of INC-34, and much else beside it", EAST))])
        store.apply([new(point(f"near{n}#0", "INC and 34 and a report", NORTH)) for n in range(3)])
        store.publish()
        for question in ("INC-34", "what is INC-34?"):
            assert found(reader, EVERYTHING, "hybrid", question)[0] == "named#0"
        assert len(found(reader, EVERYTHING, "hybrid", "ERR-99")) == 4, "by meaning, where it stands nowhere"


def test_rare_words_weigh_more(backend: Backend) -> None:
    with both(backend) as (store, reader):
        store.apply(new(point(f"common{n}#0", "pump station")) for n in range(5))
        store.apply([new(point("rare#0", "penstock station"))])
        store.publish()
        assert found(reader, EVERYTHING, "lexical", "pump penstock")[0] == "rare#0"


def test_a_question_of_stop_words_still_finds_by_meaning(backend: Backend) -> None:
    with both(backend) as (store, reader):
        store.apply([new(point("a#0"))])
        store.publish()
        assert found(reader, EVERYTHING, "lexical", "the of and") == []
        assert found(reader, EVERYTHING, "hybrid", "the of and") == ["a#0"]


def test_dense_search_needs_a_vector(backend: Backend) -> None:
    with both(backend) as (store, reader):
        store.publish()
        with pytest.raises(ValueError, match="needs the query's vector"):
            reader.search(mode="hybrid", text="water", dense=None, filters=EVERYTHING, limit=5)


def test_a_change_writes_refreshes_and_removes(backend: Backend) -> None:
    with both(backend) as (store, reader):
        store.apply([new(*(point(f"a#{n}", f"old{n}") for n in range(3)))])
        change = DocumentChange(
            "a",
            points=[point("a#3", "new3", version="2")],
            updates=[
                PayloadUpdate(point_id("a#0"), payload("a", 0, version="2", title="renamed")),
                PayloadUpdate(point_id("a#1"), payload("a", 1, version="2"), lexical_text="renamed"),
            ],
            stale=[point_id("a#2")],
        )
        for _ in range(2):  # repeating does no harm
            store.apply([change])
            store.publish()
            assert names(reader.document("a", EVERYTHING)) == ["a#0", "a#1", "a#3"]
            assert store.points(["a"])[point_id("a#0")] == payload("a", 0, version="2", title="renamed")
            assert found(reader, EVERYTHING, "lexical", "old0") == ["a#0"]
            assert found(reader, EVERYTHING, "lexical", "old1 old2") == []
            assert found(reader, EVERYTHING, "lexical", "renamed") == ["a#1"]
            assert sorted(found(reader, EVERYTHING, "dense")) == ["a#0", "a#1", "a#3"]


def test_a_refresh_of_a_point_that_is_gone_does_nothing(backend: Backend) -> None:
    with both(backend) as (store, _):
        store.apply([DocumentChange("a", updates=[PayloadUpdate(point_id("a#0"), payload("a"), "text")])])
        store.apply([DocumentChange("a", stale=[point_id("a#0")])])
        assert store.points(["a"]) == {}


def test_a_text_that_leaves_and_returns_in_one_call_stays(backend: Backend) -> None:
    with both(backend) as (store, _):
        store.apply([new(point("a#0"))])
        store.apply([DocumentChange("a", stale=[point_id("a#0")]), new(point("a#0", version="3"))])
        assert [one["version"] for one in store.points(["a"]).values()] == ["3"]


def test_a_large_document_is_written_in_batches(backend: Backend) -> None:
    with both(backend) as (store, reader):
        store.apply([new(*(point(f"a#{n}") for n in range(600)))])
        store.apply([DocumentChange("a", stale=[point_id(f"a#{n}") for n in range(599)])])
        store.apply([new(*(point(f"b#{n}") for n in range(300)))])
        store.publish()
        assert len(dict(store.scan())) == 301
        assert (reader.info().documents, reader.info().points) == (2, 301)
        assert names(reader.document("b", EVERYTHING)) == [f"b#{n}" for n in range(300)]


def test_documents_that_are_removed_count_no_more(backend: Backend) -> None:
    with both(backend) as (store, reader):
        store.apply(new(point(f"d{n}#0"), point(f"d{n}#1")) for n in range(20))
        store.apply([DocumentChange("d0", stale=[point_id("d0#0"), point_id("d0#1")])])
        store.remove(document_conditions([f"d{n}" for n in range(1, 8)]))
        store.publish()
        assert (reader.info().documents, reader.info().points) == (12, 24)


def test_vectors_come_back_as_they_were_written(backend: Backend) -> None:
    with both(backend) as (store, _):
        store.apply([new(point("a#0", dense=EAST), point("a#1", dense=UP))])
        found = store.vectors([point_id("a#1"), point_id("a#0"), point_id("nowhere")])
        assert {key: vector.tolist() for key, vector in found.items()} == {
            point_id("a#0"): [EAST],
            point_id("a#1"): [UP],
        }
        assert store.vectors([]) == {}


def test_a_point_of_several_windows_is_as_near_as_the_nearest(backend: Backend) -> None:
    spec = replace(backend.spec, window_tokens=240)
    written = {"a#0": [EAST, [0.8, 0.6, 0.0, 0.0]], "b#0": [UP], "c#0": [[0.6, 0.8, 0.0, 0.0], EAST, UP]}
    with closing(backend.store(spec)) as store, closing(backend.reader(spec)) as reader:
        store.apply([new(replace(point(name), dense=windows)) for name, windows in written.items()])
        store.publish()
        hits = reader.search(mode="dense", text="", dense=NORTH, filters=EVERYTHING, limit=5)
        kept = store.vectors([point_id(name) for name in written])
    assert names(hits) == ["a#0", "c#0", "b#0"]
    assert [hit.score for hit in hits] == pytest.approx([0.8, 0.6, 0.0], abs=0.02)
    for name, windows in written.items():
        assert np.allclose(kept[point_id(name)], windows, atol=0.02)


def test_points_of_many_documents(backend: Backend) -> None:
    with both(backend) as (store, _):
        store.apply(new(point(f"d{n}#0")) for n in range(600))
        asked = [f"d{n}" for n in range(0, 600, 2)]
        assert {one["document_id"] for one in store.points(asked).values()} == set(asked)


FILTERED: dict[str, dict[str, Any]] = {
    "github#0": {"source": "github", "unit": "acme/api", "tags": ["bug"], "parents": ["p1", "p2"]},
    "slack#0": {
        "source": "slack",
        "connection": "acme-slack",
        "kind": "thread",
        "updated_at": "2026-03-01T00:00:00+00:00",
    },
    "drive#0": {"source": "drive", "author": "ines@example.test", "readers": ["group:g:1", "user:ines@example.test"]},
    "nobody#0": {"readers": [], "updated_at": None, "parents": ["p2"]},
}


def one_of(**fields: str) -> Alternatives:
    return Alternatives(tuple(Conditions(must=(AnyOf(field, (value,)),)) for field, value in fields.items()))


NO_THREADS = {"github#0", "drive#0", "nobody#0"}
EXPECTED: list[tuple[Filters, set[str]]] = [
    (Filters(readers=None), {"github#0", "slack#0", "drive#0", "nobody#0"}),
    (Filters(), set()),
    (Filters(readers=()), set()),
    (Filters(readers=("public",)), {"github#0", "slack#0"}),
    (Filters(readers=("user:ines@example.test", "public")), {"github#0", "slack#0", "drive#0"}),
    (Filters(readers=("group:g:1",), sources=("github",)), set()),
    (Filters(readers=None, sources=("github", "slack")), {"github#0", "slack#0", "nobody#0"}),
    (Filters(readers=None, connections=("acme-slack",)), {"slack#0"}),
    (Filters(readers=None, units=("elsewhere",)), set()),
    (Filters(readers=None, kinds=("thread",)), {"slack#0"}),
    (Filters(readers=None, authors=("ines@example.test",)), {"drive#0"}),
    (Filters(readers=None, documents=("github", "drive")), {"github#0", "drive#0"}),
    (Filters(readers=None, parents_in=("p1",)), {"github#0"}),
    (Filters(readers=None, parents_not=("p1",)), {"slack#0", "drive#0", "nobody#0"}),
    (Filters(readers=None, tags_in=("bug", "x")), {"github#0"}),
    (Filters(readers=("public",), tags_not=("bug",)), {"slack#0"}),
    (Filters(readers=None, updated_after=datetime(2026, 3, 1, tzinfo=UTC)), {"slack#0"}),
    (Filters(readers=None, updated_before=datetime(2026, 3, 1, tzinfo=UTC)), {"github#0", "drive#0"}),
    (Filters(readers=None, updated_after=datetime(2026, 3, 1, 0, 0, 1, tzinfo=UTC)), set()),
    (Filters(readers=("public",), also=Conditions(must=(one_of(kind="thread", tags="bug"),))), {"github#0", "slack#0"}),
    (Filters(readers=("group:g:1",), also=Conditions(must=(one_of(kind="thread"),))), set()),
    (Filters(readers=None, also=Conditions(must_not=(Conditions(must=(one_of(kind="thread"),)),))), NO_THREADS),
]


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_filters(backend: Backend, mode: Mode) -> None:
    with both(backend) as (store, reader):
        store.apply(new(point(name, **fields)) for name, fields in FILTERED.items())
        store.publish()
        assert [(filters, set(found(reader, filters, mode))) for filters, _ in EXPECTED] == EXPECTED


def test_documents_are_counted_by_each_value_that_they_have(backend: Backend) -> None:
    with both(backend) as (store, reader):
        store.apply([new(point(name, **fields)) for name, fields in FILTERED.items()])
        store.apply([new(point("long#0"), point("long#1"), point("long#2"))])
        store.publish()
        assert reader.count_documents("source", EVERYTHING) == {"github": 3, "slack": 1, "drive": 1}
        assert reader.count_documents("parents", Filters(readers=("public",))) == {"p1": 1, "p2": 1}
        assert reader.count_documents("kind", Filters(readers=("group:g:1",))) == {"issue": 1}
        assert reader.count_documents("kind", Filters()) == {}


def test_a_document_may_have_more_values_than_there_are_points(backend: Backend) -> None:
    parents = tuple(f"p{number}" for number in range(9))
    with both(backend) as (store, reader):
        store.apply([new(point("deep", parents=parents))])
        store.publish()
        assert reader.count_documents("parents", EVERYTHING) == dict.fromkeys(parents, 1)


def test_documents_begin_with_their_first_points_the_newest_first(backend: Backend) -> None:
    with both(backend) as (store, reader):
        store.apply([new(point(name, **fields)) for name, fields in FILTERED.items()])
        store.apply([new(point("long#0", updated_at="2026-02-01T00:00:00Z"), point("long#1"))])
        store.publish()
        newest = names(reader.newest(EVERYTHING, 10))
        assert newest[:2] == ["slack#0", "long#0"]
        assert set(newest[2:]) == {"github#0", "drive#0"}  # nobody's has no time
        assert names(reader.newest(EVERYTHING, 1)) == ["slack#0"]
        assert set(names(reader.beginnings(EVERYTHING, 10))) == {*FILTERED, "long#0"}
        assert reader.beginnings(Filters(), 10) == reader.newest(Filters(), 10) == []


def test_a_document_is_filtered_alike(backend: Backend) -> None:
    with both(backend) as (store, reader):
        store.apply(new(point(name, **fields)) for name, fields in FILTERED.items())
        store.publish()
        for filters, expected in EXPECTED:
            asked = (reader.document(name.removesuffix("#0"), filters) for name in FILTERED)
            assert {name for hits in asked for name in names(hits)} == expected


def test_a_reader_of_little_gets_as_many_hits(backend: Backend) -> None:
    """The readers filter works inside both legs: what others may see takes no places."""
    with both(backend) as (store, reader):
        store.apply(new(point(f"theirs{n}#0", "water water")) for n in range(300))
        store.apply(new(point(f"mine{n}#0", "water", [0.6, 0.8, 0.0, 0.0], readers=["user:me"])) for n in range(10))
        store.publish()
        assert sorted(found(reader, Filters(readers=("user:me",)))) == sorted(f"mine{n}#0" for n in range(10))


def test_one_answer_holds_one_version_of_a_document(backend: Backend) -> None:
    """As a writer leaves it that was killed between writing new points and removing stale ones."""
    with both(backend) as (store, reader):
        store.apply([new(point("a#0", updated_at="2026-01-01T00:00:00+00:00"))])
        store.apply([new(replace(point("a#1"), payload=payload("a", 1, version="2")))])
        store.publish()
        assert found(reader, EVERYTHING) == ["a#1"]
        assert names(reader.document("a", EVERYTHING)) == ["a#1"]


def test_what_was_written_is_there_when_opened_again(backend: Backend) -> None:
    with closing(backend.store()) as store:
        store.apply([new(point("a#0"), point("a#1"))])
        before = dict(store.scan())
    with closing(backend.store()) as store:
        assert dict(store.scan()) == before
        info = store.info()
    assert (info.collection, info.model, info.documents, info.points) == (backend.spec.collection, "tiny", 1, 2)


@pytest.mark.each_value
@pytest.mark.parametrize("other", [{"model": "large"}, {"dimensions": 8}, {"chunking": "v2"}, {"window_tokens": 240}])
def test_another_spec_is_refused_until_it_replaces_the_live_one(backend: Backend, other: dict[str, Any]) -> None:
    spec: IndexSpec = replace(backend.spec, **other)
    (name, value), *_ = other.items()
    with closing(backend.store()) as store:
        store.apply([new(point("a#0"))])
        store.publish()
    with pytest.raises(IndexMismatch, match=f"{name} .*headrace reindex"):
        backend.store(spec)
    if name in ("chunking", "window_tokens"):  # two releases answer side by side, whichever has made the live version
        with closing(backend.reader(spec)) as reader:
            assert names(reader.document("a", EVERYTHING)) == ["a#0"]
    else:
        with pytest.raises(IndexMismatch, match=str(value)), closing(backend.reader(spec)) as reader:
            reader.info()
    with closing(backend.reader()) as reader, closing(backend.store(spec, replace=True)) as store:
        dense = [1.0] + [0.0] * (spec.dimensions - 1)
        written = replace(point("b#0"), dense=[dense] if spec.window_tokens else dense)
        store.apply([new(written)])
        assert [payload["document_id"] for _, payload in store.scan()] == ["b"]
        assert names(reader.document("a", EVERYTHING)) == ["a#0"], "live until the other is published"
        store.publish()
    with closing(backend.reader(spec)) as reader:
        assert reader.info().model == spec.model
        hits = reader.search(mode="dense", text="", dense=dense, filters=EVERYTHING, limit=5)
        assert names(hits) == ["b#0"]
        assert math.isclose(hits[0].score, 1.0, rel_tol=1e-5)


def test_a_preview_shows_what_is_not_published(backend: Backend) -> None:
    with both(backend) as (store, _):
        store.publish()
        store.apply([new(point("a#0", readers=["user:me"]))])
        preview = store.preview()
        assert found(preview, EVERYTHING) == ["a#0"]
        assert found(preview, Filters(readers=("public",))) == []
        assert names(preview.document("a", Filters(readers=("user:me",)))) == ["a#0"]
        assert (preview.info().documents, preview.info().points) == (1, 1)
        preview.close()
        assert list(store.points(["a"])) == [point_id("a#0")], "the store stays open"
