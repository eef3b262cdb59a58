"""The pure parts: filters to conditions, changes to batches, versions of documents, names of collections."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import IndexMismatch
from pipelines.index.batches import batches
from pipelines.index.conditions import AnyOf, Conditions, TimeRange
from pipelines.index.contract import DocumentChange, Filters, Hit, IndexSpec, PayloadUpdate, Point, spec_metadata
from pipelines.index.filters import best_first, by_position, conditions, matches_nothing, one_version, visible
from pipelines.index.lexical import document_vector, query_vector
from pipelines.index.versions import check_readable, check_stored, version_name

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(readers=None), Conditions()),
        (Filters(), Conditions(must=(AnyOf("readers", ()),))),
        (Filters(readers=("a", "b")), Conditions(must=(AnyOf("readers", ("a", "b")),))),
        (
            Filters(readers=None, sources=("slack",), parents_not=("p",), tags_not=("t", "u")),
            Conditions(
                must=(AnyOf("source", ("slack",)),), must_not=(AnyOf("parents", ("p",)), AnyOf("tags", ("t", "u")))
            ),
        ),
        (Filters(readers=None, scope_sources=("slack",)), Conditions(must=(AnyOf("source", ("slack",)),))),
        (
            Filters(readers=None, sources=("slack", "drive"), scope_sources=("slack", "github")),
            Conditions(must=(AnyOf("source", ("slack",)),)),
        ),
        (
            Filters(readers=None, updated_after=NOON),
            Conditions(must=(TimeRange("updated_at", "2026-03-01T12:00:00+00:00", None),)),
        ),
        (
            Filters(readers=None, updated_before=NOON.astimezone(timezone(timedelta(hours=2)))),
            Conditions(must=(TimeRange("updated_at", None, "2026-03-01T12:00:00+00:00"),)),
        ),
        (
            Filters(readers=None, updated_after=NOON.replace(tzinfo=None)),
            Conditions(must=(TimeRange("updated_at", "2026-03-01T12:00:00+00:00", None),)),
        ),
    ],
)
def test_conditions(filters: Filters, expected: Conditions) -> None:
    assert conditions(filters) == expected


@pytest.mark.parametrize(
    ("filters", "nothing"),
    [
        (Filters(readers=None), False),
        (Filters(readers=()), True),
        (Filters(readers=("public",)), False),
        (Filters(readers=("public",), sources=("slack",), scope_sources=("drive",)), True),
        (Filters(readers=("public",), sources=("slack",), scope_sources=("drive", "slack")), False),
    ],
)
def test_without_a_reader_or_a_source_nothing_matches(filters: Filters, nothing: bool) -> None:
    assert matches_nothing(filters) is nothing


def test_what_is_visible_depends_on_readers_and_scope_alone() -> None:
    scope = Filters(readers=("public",), scope_sources=("slack",), scope_parents=("p",))
    asked = replace(scope, sources=("slack",), units=("u",), parents_in=("q",), tags_not=("t",), updated_after=NOON)
    assert visible(asked) == conditions(scope)
    assert visible(Filters(readers=None, kinds=("page",))) == Conditions()


IDS = st.sampled_from([f"p{n}" for n in range(6)])
CHANGES = st.lists(
    st.builds(
        DocumentChange,
        document_id=st.sampled_from(["a", "b"]),
        points=st.lists(st.builds(Point, IDS, st.just([1.0]), st.text(max_size=2), st.just({})), max_size=4),
        updates=st.lists(st.builds(PayloadUpdate, IDS, st.fixed_dictionaries({"v": st.integers(0, 9)})), max_size=4),
        stale=st.lists(IDS, max_size=4),
    ),
    max_size=6,
)


@given(changes=CHANGES, size=st.integers(1, 7))
def test_batches_do_what_the_changes_do_one_by_one(changes: list[DocumentChange], size: int) -> None:
    # ids belong to one document
    changes = [
        DocumentChange(
            one.document_id,
            [replace(point, id=one.document_id + point.id) for point in one.points],
            [replace(update, id=one.document_id + update.id) for update in one.updates],
            [one.document_id + stale for stale in one.stale],
        )
        for one in changes
    ]
    expected: dict[str, object] = {}
    for change in changes:
        _done(expected, change.points, change.updates, change.stale)
    found: dict[str, object] = {}
    for batch in batches(changes, size):
        assert 0 <= len(batch) <= size
        _done(found, batch.points, batch.updates, batch.stale)
    assert found == expected


def _done(state: dict[str, object], points: object, updates: object, stale: object) -> None:
    state.update((point.id, point.lexical) for point in points)  # type: ignore[attr-defined]
    state.update((one.id, one.payload) for one in updates if one.id in state)  # type: ignore[attr-defined]
    for gone in stale:  # type: ignore[attr-defined]
        state.pop(gone, None)


def hit(document: str, version: str, updated_at: str | None = None, position: int = 0) -> Hit:
    return Hit(
        f"{document}{version}{position}",
        1.0,
        {"document_id": document, "version": version, "updated_at": updated_at, "position": position},
    )


def test_one_version_keeps_the_one_updated_last_and_the_order() -> None:
    old, new = hit("a", "z", "2026-01-01"), hit("a", "b", "2026-01-02")
    other, undated = hit("b", "1"), hit("a", "zz")
    assert one_version([old, other, new, undated]) == [other, new]
    assert one_version([hit("a", "2"), hit("a", "1")]) == [hit("a", "2")]
    assert one_version([]) == []


def test_equal_scores_are_in_the_order_of_ids() -> None:
    hits = [Hit(id, score, {}) for id, score in (("c", 1.0), ("a", 0.5), ("b", 1.0), ("d", 2.0))]
    assert [one.id for one in best_first(hits)] == ["d", "b", "c", "a"]


def test_by_position() -> None:
    assert [one.payload["position"] for one in by_position([hit("a", "1", position=n) for n in (2, 10, 0)])] == [
        0,
        2,
        10,
    ]


SPEC = IndexSpec("knowledge", "tiny", 4, "v1")


def test_version_names_differ_by_what_the_collection_was_made_for() -> None:
    specs = [SPEC, replace(SPEC, model="big"), replace(SPEC, dimensions=8), replace(SPEC, chunking="v2")]
    specs.append(replace(SPEC, lexical="v2"))
    names = {version_name(spec) for spec in specs}
    assert len(names) == len(specs)
    assert version_name(replace(SPEC)) in names
    assert all(name.startswith("knowledge-") for name in names)


def test_a_mismatch_says_what_was_found_and_what_to_do() -> None:
    check_stored(SPEC, spec_metadata(SPEC), "here")
    with pytest.raises(IndexMismatch) as error:
        check_stored(SPEC, {**spec_metadata(SPEC), "dimensions": 8}, "here")
    assert str(error.value) == (
        "here: the index was made with dimensions 8, and this release and its settings say dimensions 4; "
        "run `headrace reindex` to rebuild it, or go back to what it was made with"
    )


def test_questions_need_another_cut_of_documents_no_less_but_the_same_vectors_and_words() -> None:
    check_readable(SPEC, {**spec_metadata(SPEC), "chunking": "v2", "lexical": "bm25-identifiers-v1"}, "here")
    for name in ("model", "dimensions", "lexical"):
        with pytest.raises(IndexMismatch, match=name):
            check_readable(SPEC, {**spec_metadata(SPEC), name: "other"}, "here")


def test_lexical_vectors_meet_in_the_words_of_question_and_text() -> None:
    text, question = document_vector("The pumps were flooded"), query_vector("flooding pump")
    assert set(question.indices) == set(text.indices)
    assert query_vector("the of").indices == []
