"""How large segments grow until they are sealed, whatever the length of vectors: the first one, and those after it."""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.index.contract import DocumentChange, IndexSpec, Point
from pipelines.index.embedded.sealed_files import SealedFiles
from pipelines.index.embedded.store import EdgeStore

FIRST, OTHERS, STEP = 300, 120, 20


@pytest.fixture(scope="module")
def whole_layout() -> bool:
    """Payload indexes add nothing to what a segment is measured by."""
    return False


@pytest.mark.parametrize("dimensions", [384, 1536])
def test_segments_are_sealed_when_they_hold_about_as_many_points_as_are_meant(
    dimensions: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.index.embedded.layout.FIRST_SEALED_POINTS", FIRST)
    monkeypatch.setattr("pipelines.index.embedded.layout.SEALED_POINTS", OTHERS)
    monkeypatch.setattr("pipelines.index.embedded.store.POINTS_PER_LOOK", STEP)
    spec, chance = IndexSpec("knowledge", "model", dimensions, "1"), random.Random(1)
    sealed_at: list[int] = []
    with closing(EdgeStore(tmp_path, spec, lock_timeout=1)) as store:
        for written in range(STEP, FIRST + 4 * OTHERS, STEP):
            store.apply(_document(number, dimensions, chance) for number in range(written - STEP, written))
            sealed_at += [written] * (_sealed_segments(tmp_path) - len(sealed_at))
        assert store.info().points == written
    first, *others = sealed_at
    assert 0.8 * FIRST <= first <= 1.25 * FIRST
    grown = [now - before for before, now in zip(sealed_at, others, strict=False)]
    assert len(grown) >= 2
    assert all(0.8 * OTHERS <= points <= 1.25 * OTHERS for points in grown)


def test_of_what_is_to_be_large_even_the_first_segment_is_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.index.embedded.layout.FIRST_SEALED_POINTS", FIRST)
    monkeypatch.setattr("pipelines.index.embedded.layout.SEALED_POINTS", OTHERS)
    monkeypatch.setattr("pipelines.index.embedded.store.POINTS_PER_LOOK", STEP)
    chance = random.Random(1)
    with closing(EdgeStore(tmp_path, IndexSpec("knowledge", "model", 8, "1"), lock_timeout=1)) as store:
        store.expect(FIRST)
        store.apply([_document(0, 8, chance)])
        store.expect(4 * FIRST)
        store.apply(_document(number, 8, chance) for number in range(1, int(1.5 * OTHERS)))
        assert _sealed_segments(tmp_path) == 1
        assert store.info().points == int(1.5 * OTHERS)


def test_a_large_index_is_written_anew_in_small_segments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.index.embedded.layout.FIRST_SEALED_POINTS", 2_000)
    monkeypatch.setattr("pipelines.index.embedded.layout.SEALED_POINTS", 1_000)
    chance, points = random.Random(1), 4_000
    with closing(EdgeStore(tmp_path, IndexSpec("knowledge", "model", 8, "1"), lock_timeout=1)) as store:
        store.apply(_document(number, 8, chance) for number in range(points))
        assert store.info().points == points
        store.publish()
        store.erase_removed()
        assert store.info().points == points
        assert _sealed_segments(tmp_path) > 1


def _sealed_segments(root: Path) -> int:
    (shard,) = root.glob("knowledge-*/shard")
    return len(SealedFiles.of(shard).segments)


def _document(number: int, dimensions: int, chance: random.Random) -> DocumentChange:
    """Of one chunk as they are at 1,300 characters, with 80 different words."""
    text = " ".join(f"word{chance.randrange(5_000)}" for _ in range(80))
    vector = [chance.random() for _ in range(dimensions)]
    payload = {"document_id": f"d{number}", "text": text, "readers": ["public"]}
    return DocumentChange(f"d{number}", [Point(f"{number:032x}", vector, text, payload)])
