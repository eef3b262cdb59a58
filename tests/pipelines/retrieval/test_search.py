"""From hits to documents: grouping, versions, freshness and budgets, on an index in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipelines.index.contract import Filters, Hit, Mode
from pipelines.retrieval import document, search
from pipelines.retrieval.schema import DocumentResult, SearchRequest
from tests.emulators.fake_embedder import FakeEmbedder
from tests.pipelines.retrieval.memory_index import MemoryIndex, chunk

EVERYBODY = ("public",)


def ask(
    index: MemoryIndex,
    readers: tuple[str, ...] | None = EVERYBODY,
    *,
    scope: Filters | None = None,
    embedder: FakeEmbedder | None = None,
    **fields: Any,
) -> list[DocumentResult]:
    request = SearchRequest.model_validate({"query": "certificate"} | fields)
    return search(request, readers, index=index, embedder=embedder or FakeEmbedder(), scope=scope).results


def ids(results: Sequence[DocumentResult]) -> list[str]:
    return [one.document_id for one in results]


def positions(result: DocumentResult) -> list[int]:
    return [one.position for one in result.chunks]


def ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


def test_a_document_stands_once_with_its_best_chunks_in_reading_order() -> None:
    index = MemoryIndex([chunk("a", position, score) for position, score in enumerate([0.2, 0.9, 0.1, 0.5])])
    (found,) = ask(index)
    assert (found.score, positions(found)) == (0.9, [0, 1, 3])
    assert [one.score for one in found.chunks] == [0.2, 0.9, 0.5]


def test_documents_come_by_their_best_chunk() -> None:
    index = MemoryIndex([chunk("a", 0, 0.5), chunk("b", 0, 0.1), chunk("b", 1, 0.9), chunk("c", 0, 0.7)])
    assert ids(ask(index)) == ["b", "c", "a"]
    assert ids(ask(index, top_k=2)) == ["b", "c"]


def test_a_document_with_many_chunks_does_not_keep_others_out() -> None:
    flood = [chunk("flood", position, 2.0) for position in range(300)]
    index = MemoryIndex([*flood, chunk("a", 0, 1.0), chunk("b", 0, 0.9)])
    assert ids(ask(index, top_k=3)) == ["flood", "a", "b"]
    assert index.limits == [12, 48, 192, 768]


def test_asking_deeper_ends() -> None:
    index = MemoryIndex([chunk("flood", position, 2.0) for position in range(3000)])
    assert ids(ask(index, top_k=100)) == ["flood"]
    assert index.limits == [400, 1600, 2000]


def test_an_answer_holds_one_version_of_a_document() -> None:
    old = [chunk("a", 0, 0.9, version="v1", updated_at=ago(2)), chunk("a", 1, 0.8, version="v1", updated_at=ago(2))]
    new = [chunk("a", 0, 0.3, version="v2", updated_at=ago(1), text="new")]
    (found,) = ask(MemoryIndex([*old, *new]))
    assert [one.text for one in found.chunks] == ["new"]


@pytest.mark.parametrize(("mode", "embeds"), [("hybrid", True), ("dense", True), ("lexical", False)])
def test_only_modes_with_vectors_embed_the_question(mode: str, embeds: bool) -> None:
    index, embedder = MemoryIndex([chunk("a")]), FakeEmbedder()
    assert ids(ask(index, mode=mode, embedder=embedder)) == ["a"]
    assert (embedder.requests, index.modes[0][0], index.modes[0][1] is not None) == (int(embeds), mode, embeds)
    assert not embedder.embedded  # as a query, not as a document


def test_half_life_halves() -> None:
    index = MemoryIndex([chunk("old", 0, 1.0, updated_at=ago(20)), chunk("fresh", 0, 0.6, updated_at=ago(0))])
    assert ids(ask(index)) == ["old", "fresh"]
    fresh, old = ask(index, recency_half_life_days=10)
    assert (fresh.document_id, old.document_id) == ("fresh", "old")
    assert [fresh.score, old.score] == pytest.approx([0.6, 0.25], rel=1e-3)


def test_age_leaves_a_document_without_a_time_and_one_from_the_future_as_they_are() -> None:
    index = MemoryIndex([chunk("timeless", 0, 1.0, updated_at=None), chunk("early", 0, 0.9, updated_at=ago(-30))])
    assert [one.score for one in ask(index, recency_half_life_days=1)] == [1.0, 0.9]


def test_a_fresh_document_overtakes_many_old_ones_that_fit_better() -> None:
    old = [chunk(f"old{number}", 0, 1.0, updated_at=ago(1000)) for number in range(15)]
    index = MemoryIndex([*old, chunk("fresh", 0, 0.5, updated_at=ago(0))])
    assert ids(ask(index, top_k=1, recency_half_life_days=30)) == ["fresh"]


def test_a_budget_is_filled_with_what_stands_around_the_hits() -> None:
    words = "word " * 40
    scores = {5: 0.9}
    pages = [chunk("a", position, scores.get(position, 0.0), text=words) for position in range(10)]
    index = Ranked(pages)
    (found,) = ask(index, target_document_tokens=150)
    assert positions(found) == [4, 5, 6]
    assert [one.score for one in found.chunks] == [0.0, 0.9, 0.0]
    assert positions(ask(index, target_document_tokens=100_000)[0]) == list(range(10))


class Ranked(MemoryIndex):
    """Finds only chunks with a score."""

    def search(self, **question: Any) -> list[Hit]:
        return [hit for hit in super().search(**question) if hit.score > 0]


def test_the_best_chunk_is_shown_however_small_the_budget() -> None:
    index = MemoryIndex([chunk("a", 0, 0.2), chunk("a", 1, 0.9)])
    (found,) = ask(index, target_document_tokens=1)
    assert (positions(found), found.score) == ([1], 0.9)


@pytest.mark.parametrize("published", [[], [chunk("a", 7, 1.0, version="v2")]], ids=["deleted", "changed"])
def test_a_publication_between_finding_and_filling_mixes_no_versions(published: list[Hit]) -> None:
    index = MemoryIndex([chunk("a", 0, 0.9)])
    index.publish_before_document = published
    (found,) = ask(index, target_document_tokens=1000)
    assert (positions(found), found.score) == ([0], 0.9)


@pytest.mark.parametrize(
    ("scope", "filters", "expected"),
    [
        (None, {}, ["a", "b", "c"]),
        (Filters(sources=("slack", "notion")), {}, ["b", "c"]),
        (Filters(sources=("slack", "notion")), {"sources": ["slack", "github"]}, ["b"]),
        (Filters(sources=("slack",)), {"sources": ["github"]}, []),
        (Filters(parents_in=("p:b", "p:c")), {}, ["b", "c"]),
        (Filters(parents_in=("p:b", "p:c")), {"parents_in": ["p:c", "p:a"]}, ["c"]),
        (Filters(parents_in=("p:b",)), {"parents_in": ["p:a"]}, []),
        (Filters(sources=("slack",), parents_in=("p:c",)), {}, []),
    ],
)
def test_a_scope_narrows_and_never_widens(scope: Filters | None, filters: dict[str, Any], expected: list[str]) -> None:
    sources = [("a", "github"), ("b", "slack"), ("c", "notion")]
    index = MemoryIndex(
        [
            chunk(name, 0, 1.0 - place / 10, source=source, parents=[f"p:{name}"])
            for place, (name, source) in enumerate(sources)
        ]
    )
    assert ids(ask(index, scope=scope, filters=filters)) == expected
    visible = [name for name in "abc" if document(name, EVERYBODY, index=index, scope=scope)]
    if not filters:
        assert visible == expected


def test_without_tokens_nothing_is_visible_and_an_administrator_sees_all() -> None:
    index = MemoryIndex([chunk("a"), chunk("hidden", readers=[])])
    assert ids(ask(index, ())) == []
    assert ids(ask(index, EVERYBODY)) == ["a"]
    assert set(ids(ask(index, None))) == {"a", "hidden"}


def test_a_whole_document_is_its_chunks_in_order_of_one_version() -> None:
    old = chunk("a", 0, version="v1", updated_at=ago(2), text="gone")
    new = [chunk("a", place, version="v2", updated_at=ago(1), text=f"part {place}") for place in (2, 0, 1)]
    found = document("a", EVERYBODY, index=MemoryIndex([old, *new]))
    assert found is not None
    assert (found.text, found.tags, found.title) == ("part 0\n\npart 1\n\npart 2", ["bug"], "A")


@pytest.mark.parametrize("readers", [(), ("user:bo@example.com",)])
def test_a_document_that_is_not_visible_is_none(readers: tuple[str, ...] | None) -> None:
    index = MemoryIndex([chunk("a", readers=["user:ada@example.com"])])
    assert document("a", readers, index=index) is None
    assert document("b", readers, index=index) is None


def test_a_document_in_scope_by_one_container_can_be_asked_for_by_another() -> None:
    index = MemoryIndex([chunk("a", parents=["p:team", "p:plans"]), chunk("b", parents=["p:plans"])])
    scope = Filters(parents_in=("p:team",))
    assert ids(ask(index, scope=scope, filters={"parents_in": ["p:plans"]})) == ["a"]


LEGS = {"dense": {"a": 3, "b": 2, "c": 1}, "lexical": {"c": 9, "b": 5}}


class TwoLegs(MemoryIndex):
    """Ranks by dense and lexical scores of its own."""

    def search(self, **question: Any) -> list[Hit]:
        hits = super().search(**question)
        scores = LEGS.get(question["mode"])
        if scores is None:
            return hits
        found = [hit for hit in hits if hit.payload["document_id"] in scores]
        return sorted(found, key=lambda hit: -scores[hit.payload["document_id"]])


@pytest.mark.parametrize(
    ("mode", "ranks"),
    [
        ("hybrid", {"a": (1, None), "b": (2, 2), "c": (3, 1)}),
        ("dense", {"a": (1, None), "b": (2, None), "c": (3, None)}),
        ("lexical", {"b": (None, 2), "c": (None, 1)}),
    ],
)
def test_each_result_can_say_why_it_was_found(mode: Mode, ranks: dict[str, tuple[int | None, int | None]]) -> None:
    index = TwoLegs([chunk("a", 0, 0.9), chunk("a", 1, 0.1), chunk("b", 0, 0.5), chunk("c", 0, 0.4)])
    found = ask(index, explain=True, mode=mode)
    assert {one.document_id: (one.why.dense_rank, one.why.lexical_rank) for one in found if one.why} == ranks
    assert all(one.why is None for one in ask(index, mode=mode))


def test_why_says_what_age_did() -> None:
    index = MemoryIndex([chunk("old", 0, 1.0, updated_at=ago(10))])
    (found,) = ask(index, explain=True, recency_half_life_days=10)
    assert found.why is not None
    assert found.why.recency == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize(
    ("question", "words", "first"),
    [
        ("gates, in the last 3 days", "in the last 3 days", "new"),
        ("the newest on gates", "newest", "new"),
        ("gates", None, "old"),
    ],
)
def test_a_time_in_the_question_changes_the_order_and_says_so(question: str, words: str | None, first: str) -> None:
    index = MemoryIndex([chunk("old", 0, 1.0, updated_at=ago(300), created_at=ago(300)), chunk("new", 0, 0.8)])
    index.chunks[1].payload.update(updated_at=ago(1), created_at=ago(1))
    found = ask(index, query=question, explain=True)
    assert found[0].document_id == first
    assert {one.document_id for one in found} == {"old", "new"}, "none is left out"
    assert all(one.why is not None and one.why.time_words == words for one in found)


TWO = "Who repairs the pump, and when does the valve close?"


def test_a_question_for_two_things_finds_what_answers_either() -> None:
    class Answering(MemoryIndex):
        """Scores a chunk by the words that it shares with the question, as shares of the question's."""

        def search(self, *, text: str, **asked: Any) -> list[Hit]:
            words = set(text.lower().replace("?", "").replace(",", "").split())
            of = {one.id: len(words & set(one.payload["text"].split())) / len(words) for one in self.chunks}
            found = super().search(text=text, **asked)
            return sorted(
                (replace(one, score=of[one.id], lexical=of[one.id]) for one in found), key=lambda one: -one.score
            )

    texts = {
        "repair": "ada repairs the pump",
        "close": "the valve does close when dry",
        "both": "the pump and the valve",
    }
    index, embedder = Answering([chunk(name, text=text) for name, text in texts.items()]), FakeEmbedder()
    assert ids(ask(index, query=TWO, embedder=embedder, top_k=2)) == ["close", "repair"]
    assert (embedder.requests, len(index.limits)) == (1, 3)
    assert "both" in ids(ask(index, query=TWO, mode="lexical", top_k=2)), "scores of words alone do not compare"


@pytest.mark.parametrize("own", [{"recency_half_life_days": 9_999}, {"filters": {"updated_before": ago(0)}}])
def test_a_request_that_says_of_when_is_taken_at_its_word(own: dict[str, Any]) -> None:
    index = MemoryIndex([chunk("old", 0, 1.0, updated_at=ago(300)), chunk("new", 0, 0.8, updated_at=ago(1))])
    found = ask(index, query="gates, in the last 3 days", explain=True, **own)
    assert [one.document_id for one in found] == ["old", "new"]
    assert all(one.why is not None and one.why.time_words is None for one in found)


def test_an_answer_without_reasons_and_warnings_has_no_such_fields() -> None:
    answer = search(SearchRequest(query="x"), None, index=MemoryIndex([chunk("a")]), embedder=FakeEmbedder())
    assert set(answer.model_dump()) == {"results", "took_ms"}
    assert "why" not in answer.model_dump()["results"][0]
