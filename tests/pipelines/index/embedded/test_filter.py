"""The engine's filters: what they admit is what the conditions say, in whatever form they are put."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.index import open_reader, open_store
from pipelines.index.contract import (
    DocumentChange,
    Filters,
    IndexReader,
    IndexSpec,
    Mode,
    Payload,
    PayloadUpdate,
    Point,
)
from pipelines.index.embedded.filter import SOURCE_READERS, from_stored, to_stored
from pipelines.settings import Settings

SPEC = IndexSpec("knowledge", "tiny", 4, "v1")
POINTS = (
    ("slack", ("public",)),
    ("slack", ("user:ada", "group:a b")),
    ("github", ("user:ada",)),
    ("github", ()),
    ("notion", ("public", "user:ada")),
)

MANY = (*(f"group:acme:{number}" for number in range(60)), "user:ada")
"""Groups of somebody who is in more than are put as alternatives."""


@pytest.fixture(scope="module")
def reader(module_folder: Callable[[str], Path]) -> Iterator[IndexReader]:
    settings = Settings(directory=module_folder("index"))
    points = [
        Point(f"00000000-0000-0000-0000-{number:012}", [1.0, 0, 0, 0], "wheel", payload(number, source, readers))
        for number, (source, readers) in enumerate(POINTS)
    ]
    with closing(open_store(settings, SPEC)) as store:
        store.apply(DocumentChange(point.payload["document_id"], [point]) for point in points)
        store.publish()
    with closing(open_reader(settings, SPEC)) as opened:
        yield opened


def payload(number: int, source: str, readers: Sequence[str]) -> Payload:
    kind = "even" if number % 2 == 0 else "odd"
    said = {"document_id": str(number), "version": "1", "position": 0, "updated_at": None, "text": "wheel"}
    return {**said, "source": source, "readers": list(readers), "kind": kind}


@pytest.mark.parametrize("mode", ["dense", "lexical", "hybrid"])
@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(readers=None), {0, 1, 2, 3, 4}),
        (Filters(readers=("public",)), {0, 4}),
        (Filters(readers=("public", "user:ada")), {0, 1, 2, 4}),
        (Filters(readers=("group:a", "b")), set()),
        (Filters(readers=("public", "user:ada"), sources=("github",)), {2}),
        (Filters(readers=("public", "user:ada"), sources=("github", "slack")), {0, 1, 2}),
        (Filters(readers=("group:a b",), sources=("slack", "notion")), {1}),
        (Filters(readers=None, sources=("github", "notion")), {2, 3, 4}),
        (Filters(readers=("public", "user:ada"), sources=("slack", "notion"), kinds=("even",)), {0, 4}),
        (Filters(readers=(), sources=("slack",)), set()),
        (Filters(readers=MANY), {1, 2, 4}),
        (Filters(readers=MANY, sources=("slack", "notion")), {1, 4}),
    ],
)
def test_what_the_filters_admit(reader: IndexReader, mode: Mode, filters: Filters, found: set[int]) -> None:
    hits = reader.search(mode=mode, text="wheel", dense=[1.0, 0, 0, 0], filters=filters, limit=10)
    assert {int(hit.payload["document_id"]) for hit in hits} == found
    assert all(SOURCE_READERS not in hit.payload for hit in hits)


def test_readers_that_change_take_effect_with_the_source(settings: Settings) -> None:
    before, after = payload(1, "slack", ["public"]), payload(1, "slack", ["user:ada"])
    assert from_stored(to_stored(before)) == before
    point = Point("00000000-0000-0000-0000-000000000001", [1.0, 0, 0, 0], "wheel", before)
    with closing(open_store(settings, SPEC)) as store:
        store.apply([DocumentChange("1", [point])])
        store.apply([DocumentChange("1", updates=[PayloadUpdate(point.id, after)])])
        store.publish()
    with closing(open_reader(settings, SPEC)) as opened:
        for readers, count in ((("public",), 0), (("user:ada",), 1)):
            asked = Filters(readers=readers, sources=("slack", "notion"))
            assert len(opened.search(mode="lexical", text="wheel", dense=None, filters=asked, limit=5)) == count
