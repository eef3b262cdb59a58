"""How large a segment grows until it is sealed, whatever a vector's length."""

from __future__ import annotations

import random
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from pipelines.index.batches import batches
from pipelines.index.contract import DocumentChange, IndexSpec, Point
from pipelines.index.embedded.layout import create_shard, open_shard, seal
from pipelines.index.embedded.sealed_files import SealedFiles
from pipelines.index.embedded.shard import write

SEALED = 300


@pytest.mark.parametrize("dimensions", [384, 1536])
def test_a_segment_is_sealed_when_it_holds_about_as_many_points_as_are_meant(
    dimensions: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.index.embedded.layout.SEALED_POINTS", SEALED)
    spec, chance = IndexSpec("knowledge", "model", dimensions, "1"), random.Random(1)
    create_shard(tmp_path / "shard", spec)
    with closing(open_shard(tmp_path / "shard", spec)) as shard:
        for written in count(20, 20):
            documents = [_document(number, dimensions, chance) for number in range(written, written + 20)]
            write(shard, next(batches(documents, len(documents))))
            seal(shard)
            if SealedFiles.of(tmp_path / "shard").segments:
                break
    assert 0.8 * SEALED <= written <= 1.25 * SEALED


def _document(number: int, dimensions: int, chance: random.Random) -> DocumentChange:
    """Of one chunk as they are at 1,300 characters, with 80 different words."""
    text = " ".join(f"word{chance.randrange(5_000)}" for _ in range(80))
    vector = [chance.random() for _ in range(dimensions)]
    point = Point(f"{number:032x}", vector, text, {"document_id": f"d{number}", "text": text, "readers": ["public"]})
    return DocumentChange(f"d{number}", [point])
