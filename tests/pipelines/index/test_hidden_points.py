"""An answer tells nothing of points that the asker may not see: without them it is the same, scores and all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.index.contract import DocumentChange, Exclusion, Filters, IndexReader, IndexStore, Mode, Point

WORDS = ("sluice", "penstock", "turbine", "weir", "gate", "pump")
READERS = ("public", "user:ada", "user:ines", "group:g:1")
SOURCES = ("slack", "drive")
SCOPED = (
    Filters(readers=("public",)),
    Filters(readers=("public", "user:ada")),
    Filters(readers=("user:ines", "group:g:1"), kinds=("odd",)),
    Filters(readers=("public", "user:ada"), scope_sources=("slack",), tags_not=("t",)),
    Filters(readers=None, sources=("drive", "slack"), scope_sources=("drive",), scope_parents=("p",)),
)
QUESTIONS = ("penstock", "sluice gate pump", "turbine weir turbine")

POINTS = st.lists(
    st.fixed_dictionaries(
        {
            "words": st.lists(st.sampled_from(WORDS), min_size=1, max_size=5),
            "dense": st.tuples(*[st.sampled_from((-0.5, 0.25, 0.5))] * 4),
            "readers": st.sets(st.sampled_from(READERS)),
            "source": st.sampled_from(SOURCES),
            "parents": st.sampled_from(([], ["p"])),
            "tags": st.sampled_from(([], ["t"])),
        }
    ),
    max_size=16,
)


@pytest.fixture
def store(backend: Any) -> Iterator[IndexStore]:
    with closing(backend.store()) as opened:
        if opened.info().idf_leaks:
            pytest.skip("this server counts the rarity of words over all points")
        yield opened


@given(drawn=POINTS, filters=st.sampled_from(SCOPED))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_same_answers_with_and_without_hidden_points(store: IndexStore, drawn: Any, filters: Filters) -> None:
    points = [_point(number, **fields) for number, fields in enumerate(drawn)]
    seen = [point for point in points if _may_see(filters, point)]
    write(store, points)
    with_hidden = answers(store.preview(), filters)
    write(store, seen)
    assert answers(store.preview(), filters) == with_hidden


def test_words_weigh_by_the_points_that_the_asker_sees(store: IndexStore) -> None:
    write(store, [_point(0, ["penstock"], readers=["public"]), _point(1, ["weir"], readers=["public"])])
    rare = _score(store, "public")
    store.apply(DocumentChange(f"d{n}", [_point(n, ["penstock"], readers=["user:ada"])]) for n in range(2, 9))
    assert _score(store, "public") == rare
    assert _score(store, "public", "user:ada") < rare


def test_words_of_points_that_do_not_count_weigh_nothing(store: IndexStore) -> None:
    write(store, [_point(0, ["penstock"], readers=["public"]), _point(1, ["weir"], readers=["public"])])
    rare = _score(store, "public")
    store.apply(DocumentChange(f"d{n}", [_point(n, ["penstock"], readers=["public"])]) for n in range(2, 9))
    assert _score(store, "public") < rare
    revoked = Exclusion(documents=tuple(f"d{n}" for n in range(2, 9)))
    assert _score(store, "public", uncounted=(revoked,)) == rare


def _score(store: IndexStore, *readers: str, uncounted: tuple[Exclusion, ...] = ()) -> float:
    filters = Filters(readers=readers, exclusions=uncounted, uncounted=uncounted)
    return store.preview().search(mode="lexical", text="penstock", dense=None, filters=filters, limit=9)[0].score


def write(store: IndexStore, points: Sequence[Point]) -> None:
    """Replace all points by these."""
    store.apply([DocumentChange("gone", stale=[id for id, _ in store.scan()])])
    store.apply(DocumentChange(point.payload["document_id"], [point]) for point in points)


def answers(reader: IndexReader, filters: Filters) -> list[list[tuple[str, float]]]:
    """Ids and scores in their order. The engine adds up words in an order of its own, so the last bit may differ."""
    modes: tuple[Mode, ...] = ("hybrid", "dense", "lexical")
    asked = [(mode, text) for mode in modes for text in QUESTIONS]
    found = (
        reader.search(mode=mode, text=text, dense=[0.5, 0.5, 0.5, 0.5], filters=filters, limit=20)
        for mode, text in asked
    )
    return [[(hit.id, round(hit.score, 5)) for hit in hits] for hits in found]


def _point(number: int, words: Sequence[str], dense: Sequence[float] = (0.5,) * 4, **fields: Any) -> Point:
    payload = {
        "document_id": f"d{number}",
        "version": "1",
        "position": 0,
        "updated_at": None,
        "kind": "odd" if number % 2 else "even",
        "source": "slack",
        "parents": [],
        "tags": [],
        **fields,
        "readers": sorted(fields["readers"]),
    }
    # Of points with equal scores in a leg, the engine puts first which it finds first. The number keeps scores apart.
    vector = [value + number / 1000 for value in dense]
    text = " ".join([*words, *["water"] * number])
    return Point(f"00000000-0000-0000-0000-{number:012}", vector, text, payload)


def _may_see(filters: Filters, point: Point) -> bool:
    payload = point.payload
    return (
        (filters.readers is None or not set(payload["readers"]).isdisjoint(filters.readers))
        and (not filters.scope_sources or payload["source"] in filters.scope_sources)
        and (not filters.scope_parents or not set(payload["parents"]).isdisjoint(filters.scope_parents))
    )
