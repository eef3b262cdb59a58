"""The index plan: which chunks are embedded, which points only get another payload, and which go."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipelines.chunking.model import Chunk
from pipelines.chunking.windows import embedded_texts
from pipelines.index.contract import DocumentChange, Payload, PayloadUpdate, Point
from pipelines.ingestion.index_plan import (
    DocumentPlan,
    document_change,
    new_texts,
    plan_document,
    point_payload,
    refusal,
)
from pipelines.landing import ChunkedDocument

KEY = "github:acme/acme/api/issues/1"
SHARED = {"document_id": KEY, "version": "v1", "title": "Sluice", "readers": ["public"]}
FIRST = Chunk(KEY, 0, ("Intake",), "The sluice sticks.", "Sluice · github")
SECOND = Chunk(KEY, 1, ("Intake", "Gate"), "The gate is rusty.", "Sluice · github")
AGAIN = replace(FIRST, position=2, occurrence=1)


def chunked(*chunks: Chunk, **payload: object) -> ChunkedDocument:
    return ChunkedDocument(KEY, "v1", SHARED | payload, chunks)


def by_id(*chunks: Chunk) -> dict[str, Chunk]:
    return {chunk.id: chunk for chunk in chunks}


def indexed(document: ChunkedDocument) -> dict[str, Payload]:
    """The points of a document as the index holds them once it is written."""
    return {chunk.id: point_payload(document, chunk) for chunk in document.chunks}


BEFORE = indexed(chunked(FIRST, SECOND))


def test_a_point_carries_what_its_document_shares_and_what_its_chunk_has_of_its_own() -> None:
    assert point_payload(chunked(SECOND), SECOND) == SHARED | {
        "position": 1,
        "headings": ["Intake", "Gate"],
        "header": "Sluice · github",
        "text": "The gate is rusty.",
    }


@pytest.mark.parametrize(
    ("chunks", "existing", "new", "stale"),
    [
        pytest.param((), {}, (), (), id="nothing"),
        pytest.param((FIRST, SECOND), {}, (FIRST, SECOND), (), id="a new document"),
        pytest.param((FIRST, SECOND), BEFORE, (), (), id="unchanged"),
        pytest.param((FIRST, SECOND), indexed(chunked(FIRST)), (SECOND,), (), id="a new chunk"),
        pytest.param((SECOND,), indexed(chunked(SECOND, FIRST)), (), (FIRST.id,), id="a removed chunk"),
        pytest.param((SECOND,), indexed(chunked(FIRST)), (SECOND,), (FIRST.id,), id="another text"),
        pytest.param((), BEFORE, (), (FIRST.id, SECOND.id), id="a removed document"),
        pytest.param((FIRST, AGAIN), indexed(chunked(FIRST)), (AGAIN,), (), id="the same text twice"),
    ],
)
def test_only_new_texts_are_embedded_and_only_points_without_a_chunk_are_removed(
    chunks: tuple[Chunk, ...], existing: dict[str, Payload], new: tuple[Chunk, ...], stale: tuple[str, ...]
) -> None:
    document = chunked(*chunks)
    assert plan_document(document, existing) == DocumentPlan(document, by_id(*new), (), stale)


@pytest.mark.parametrize(
    ("chunk", "payload", "lexical"),
    [
        pytest.param(FIRST, {"title": "Weir"}, False, id="title"),
        pytest.param(FIRST, {"readers": []}, False, id="readers"),
        pytest.param(FIRST, {"version": "v2"}, False, id="version"),
        pytest.param(replace(FIRST, position=7), {}, False, id="position"),
        pytest.param(replace(FIRST, header="Weir · github"), {}, True, id="header"),
        pytest.param(replace(FIRST, headings=("Outlet",)), {}, True, id="headings"),
        pytest.param(replace(FIRST, headings=()), {}, True, id="no headings"),
        pytest.param(replace(FIRST, headings=("Intake", "Gate"), header=""), {}, True, id="header and headings"),
    ],
)
def test_a_known_text_keeps_its_vector_and_takes_the_new_payload(
    chunk: Chunk, payload: dict[str, object], lexical: bool
) -> None:
    document = chunked(chunk, SECOND, **payload)
    plan = plan_document(document, indexed(chunked(FIRST, SECOND, **payload)) | {chunk.id: BEFORE[FIRST.id]})
    lexical_text = chunk.embedded_text if lexical else None
    assert plan == DocumentPlan(
        document, {}, (PayloadUpdate(FIRST.id, point_payload(document, chunk), lexical_text),), ()
    )


NUMBERED = "https://github.com/acme/sluices/issues/71"


@pytest.mark.parametrize(
    ("url", "found_by"),
    [
        (NUMBERED, "sluices#71"),
        ("https://github.com/acme/sluices/pull/7", "sluices#7"),
        ("https://gitlab.example.com/acme/water/sluices/-/merge_requests/7", "sluices#7"),
        ("https://github.com/acme/sluices/blob/main/issues.md", ""),
        ("https://acme.slack.com/archives/C1/p1700000000000000", ""),
        ("", ""),
    ],
)
def test_a_document_is_found_by_what_it_is_called_itself(url: str, found_by: str) -> None:
    document = chunked(FIRST, url=url)
    (point,) = document_change(plan_document(document, {}), {FIRST.embedded_text: [1.0]}).points
    assert point.lexical == FIRST.embedded_text + (f"\n{found_by} {found_by}" if found_by else "")


def test_a_place_that_is_renamed_renames_what_it_counts() -> None:
    before, after = chunked(FIRST, url=NUMBERED), chunked(FIRST, url=NUMBERED.replace("sluices", "weirs"))
    (update,) = plan_document(after, indexed(before)).updates
    assert update.lexical_text == f"{FIRST.embedded_text}\nweirs#71 weirs#71"


@pytest.mark.parametrize("lost", ["header", "headings"])
def test_a_point_of_a_version_that_wrote_less_gets_its_lexical_vector_again(lost: str) -> None:
    existing = {FIRST.id: {name: value for name, value in BEFORE[FIRST.id].items() if name != lost}}
    (update,) = plan_document(chunked(FIRST), existing).updates
    assert (update.payload, update.lexical_text) == (BEFORE[FIRST.id], FIRST.embedded_text)


def test_texts_that_occur_twice_are_embedded_once_in_their_order() -> None:
    plans = [
        DocumentPlan(chunked(SECOND, FIRST), by_id(SECOND, FIRST), (), ()),
        DocumentPlan(chunked(FIRST), {}, (), ()),
        DocumentPlan(chunked(AGAIN), by_id(AGAIN), (), ()),
    ]
    assert new_texts(plans) == [SECOND.embedded_text, FIRST.embedded_text]


def test_a_long_chunk_has_a_vector_for_each_window() -> None:
    long = replace(FIRST, text=" ".join(f"Gate {number} closes before turbine {number} stops." for number in range(50)))
    plan = DocumentPlan(chunked(long, SECOND), by_id(long, SECOND), (), ())
    texts = new_texts([plan], 240)
    assert texts == [*embedded_texts(long, 240), SECOND.embedded_text]
    assert len(texts) == 4
    vectors = {text: [float(number), 0.0] for number, text in enumerate(texts)}
    points = document_change(plan, vectors, 240).points
    assert [point.dense for point in points] == [[[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]], [[3.0, 0.0]]]
    assert [point.lexical for point in points] == [long.embedded_text, SECOND.embedded_text]
    assert "too long" in (refusal(plan, {texts[1]: "too long"}, 240) or "")


def test_a_plan_becomes_points_with_the_vectors_of_their_texts() -> None:
    document = chunked(FIRST, SECOND, AGAIN)
    updates = (PayloadUpdate(AGAIN.id, point_payload(document, AGAIN)),)
    vectors = {FIRST.embedded_text: [1.0, 0.0], SECOND.embedded_text: [0.0, 1.0]}
    assert document_change(DocumentPlan(document, by_id(FIRST, SECOND), updates, ("gone",)), vectors) == DocumentChange(
        KEY,
        [
            Point(FIRST.id, [1.0, 0.0], FIRST.embedded_text, point_payload(document, FIRST)),
            Point(SECOND.id, [0.0, 1.0], SECOND.embedded_text, point_payload(document, SECOND)),
        ],
        updates,
        ("gone",),
    )
