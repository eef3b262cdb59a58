"""The order of documents: by best chunk, by a reranker's scores, and by age."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from pipelines.index.contract import Filters, Hit, Mode, Vector
from pipelines.retrieval.ranking import (
    IndexQuery,
    Ranked,
    by_document,
    by_score,
    newest_version,
    reasons,
    rerank,
    with_recency,
)
from pipelines.retrieval.reranking import Reranker
from pipelines.retrieval.schema import Why
from pipelines.retrieval.time_words import AskedTime
from tests.pipelines.retrieval.memory_index import MemoryIndex, chunk

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def days_ago(days: float) -> str:
    return (NOW - timedelta(days=days)).isoformat()


def scores(ranked: Sequence[Ranked]) -> list[tuple[str, float]]:
    return [(one.id, round(one.score, 6)) for one in ranked]


class Judge:
    """Gives scores in the order of the texts, and remembers them."""

    def __init__(self, *scores: float) -> None:
        self._scores = list(scores)
        self.asked: tuple[str, list[str]] = "", []

    def scores(self, query: str, texts: Sequence[str]) -> list[float] | None:
        self.asked = query, list(texts)
        return self._scores or None


def test_hits_are_grouped_in_the_order_of_their_documents() -> None:
    hits = [chunk("b", 0, 0.9), chunk("a", 0, 0.8), chunk("b", 1, 0.7)]
    assert by_document(hits) == [[hits[0], hits[2]], [hits[1]]]


@pytest.mark.parametrize(
    ("hits", "version"),
    [
        ([chunk("a", 0, 0.9, version="v1"), chunk("a", 1, 0.1, version="v2", updated_at=days_ago(0))], "v2"),
        ([chunk("a", 0, 0.1, version="v1"), chunk("a", 1, 0.9, version="v2")], "v2"),
        ([chunk("a", 0, 0.9, version="v1", updated_at=None), chunk("a", 1, 0.1, version="v2")], "v2"),
        ([chunk("a", 0, 0.1, version="v1"), chunk("a", 1, 0.9, version="v2", updated_at=None)], "v1"),
        (
            [
                chunk("a", 0, 0.9, version="v1", updated_at=None),
                chunk("a", 1, 0.1, version="v2", updated_at=None),
            ],
            "v1",
        ),
    ],
)
def test_a_document_has_one_version_the_latest(hits: list[Hit], version: str) -> None:
    assert [hit.payload["version"] for hit in newest_version(hits)] == [version]


def test_a_document_has_the_best_of_its_chunks_by_meaning_and_by_words() -> None:
    says, names = (
        Hit(name, dense + lexical, chunk("a").payload, dense, lexical)
        for name, dense, lexical in (("a0", 0.4, 0.1), ("a1", 0.0, 0.5))
    )
    ranked = by_score([[Hit("b0", 0.8, chunk("b").payload, 0.3, 0.5)], [says, names]])
    assert scores(ranked) == [("a", 0.9), ("b", 0.8)]


def test_documents_are_ranked_by_their_best_chunk_and_equal_ones_by_id() -> None:
    documents = [[chunk("c", 0, 0.1), chunk("c", 1, 0.9)], [chunk("b", 0, 0.5)], [chunk("a", 0, 0.5)]]
    ranked = by_score(documents)
    assert scores(ranked) == [("c", 0.9), ("a", 0.5), ("b", 0.5)]
    assert [(one.rerank_score, one.recency) for one in ranked] == [(None, None)] * 3


def test_a_reranker_judges_the_best_chunk_below_its_title_and_headings() -> None:
    best = chunk("a", 1, 0.9, title="Valves", headings=["Plant", "Penstock"], text="It leaks.")
    bare = chunk("b", 0, 0.3, title="", text="It hums.")
    judge = Judge(0.2, 0.7)
    ranked = rerank(by_score([[chunk("a", 0, 0.1), best], [bare]]), "leak", cast(Reranker, judge))
    assert judge.asked == ("leak", ["Valves\nPlant > Penstock\n\nIt leaks.", "\n\nIt hums."])
    assert ranked is not None
    assert [(one.id, one.score, one.rerank_score) for one in ranked] == [("b", 0.7, 0.7), ("a", 0.2, 0.2)]


def test_a_reranker_that_fails_gives_no_order() -> None:
    assert rerank(by_score([[chunk("a")]]), "leak", cast(Reranker, Judge())) is None


@pytest.mark.parametrize(
    ("score", "updated_at", "aged", "recency"),
    [
        (0.8, days_ago(10), 0.4, 0.5),
        (0.8, days_ago(20), 0.2, 0.25),
        (0.8, days_ago(0), 0.8, 1.0),
        (0.8, days_ago(-5), 0.8, 1.0),
        (0.8, None, 0.8, 1.0),
        (-0.8, days_ago(10), -1.2, 0.5),
        (0.0, days_ago(10), 0.0, 0.5),
    ],
)
def test_a_half_life_takes_half_of_the_size_of_a_score(
    score: float, updated_at: str | None, aged: float, recency: float
) -> None:
    (one,) = with_recency([Ranked([chunk("a", updated_at=updated_at)], score)], 10, NOW)
    assert [one.score, one.recency] == pytest.approx([aged, recency])


def test_a_fresh_document_overtakes_an_old_one() -> None:
    ranked = [
        Ranked([chunk("old", updated_at=days_ago(10))], 0.9),
        Ranked([chunk("new", updated_at=days_ago(0))], 0.8),
        Ranked([chunk("newer", updated_at=days_ago(0))], 0.8),
    ]
    assert scores(with_recency(ranked, 10, NOW)) == [("new", 0.8), ("newer", 0.8), ("old", 0.45)]


class Legs(MemoryIndex):
    """Finds other chunks by meaning than by words, and remembers each question."""

    def __init__(self, dense: Sequence[Hit], lexical: Sequence[Hit]) -> None:
        super().__init__([])
        self._legs = {"dense": list(dense), "lexical": list(lexical)}
        self.asked: list[tuple[Mode, str, Vector | None, Filters, int]] = []

    def search(
        self, *, mode: Mode, text: str, dense: Vector | None, filters: Filters, limit: int, depth: int | None = None
    ) -> list[Hit]:
        self.asked.append((mode, text, dense, filters, limit))
        return self._legs[mode]


@pytest.mark.parametrize(
    ("mode", "asked", "places"),
    [
        ("hybrid", ["dense", "lexical"], [(1, 2), (2, None)]),
        ("dense", ["dense"], [(1, None), (2, None)]),
        ("lexical", ["lexical"], [(None, 2), (None, None)]),
    ],
)
def test_reasons_are_the_places_of_documents_in_each_leg(
    mode: Mode, asked: list[Mode], places: list[tuple[int | None, int | None]]
) -> None:
    index = Legs([chunk("a", 0), chunk("a", 1), chunk("b")], [chunk("x"), chunk("a")])
    vector = cast(Vector, [1.0, 0.0])
    filters = Filters(readers=("public",))
    ranked = [Ranked([chunk("a")], 0.9, rerank_score=0.7, recency=0.5), Ranked([chunk("b")], 0.8)]
    found = reasons(ranked, mode, IndexQuery("valve", vector), filters, index, 7, AskedTime("latest"))
    assert [(one.dense_rank, one.lexical_rank) for one in found] == places
    assert found[0] == Why(
        dense_rank=places[0][0], lexical_rank=places[0][1], rerank_score=0.7, recency=0.5, time_words="latest"
    )
    vectors = {"dense": vector, "lexical": None}
    assert index.asked == [(leg, "valve", vectors[leg], filters, 7) for leg in asked]
