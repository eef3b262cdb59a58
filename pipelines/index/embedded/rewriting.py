"""A shard written anew, because the engine keeps bytes of removed points: in its log and in pages of payloads."""

from __future__ import annotations

import shutil
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.index.contract import BM25, DENSE, IndexSpec
from pipelines.index.embedded.layout import POINTS_PER_LOOK, create_shard, is_large, open_shard, seal
from pipelines.index.embedded.shard import count_points

if TYPE_CHECKING:
    import qdrant_edge

POINTS_AT_ONCE = 128


def rewrite_shard(shard: qdrant_edge.EdgeShard, folder: Path, spec: IndexSpec) -> None:
    """Write all points of a shard, vectors included, to a new one, which takes its place by `take_over`."""
    unfinished = folder / "shard.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    create_shard(unfinished, spec)
    fresh = open_shard(unfinished, spec, in_small_segments=is_large(count_points(shard)))
    _copy_points(shard, fresh)
    seal(fresh)
    fresh.flush()
    fresh.close()
    unfinished.rename(_rewritten(folder))


def take_over(folder: Path, shard: Path) -> None:
    """Let a shard that was written anew take the place of the one before, also where a process ended in between."""
    rewritten = _rewritten(folder)
    if rewritten.exists():
        shutil.rmtree(shard, ignore_errors=True)
        rewritten.rename(shard)


def _rewritten(folder: Path) -> Path:
    """There only while a shard that is complete waits to take over."""
    return folder / "shard.rewritten"


def _copy_points(shard: qdrant_edge.EdgeShard, fresh: qdrant_edge.EdgeShard) -> None:
    from qdrant_edge import Point, ScrollRequest, UpdateOperation

    offset = None
    for page in count(1):
        request = ScrollRequest(offset, POINTS_AT_ONCE, with_payload=True, with_vector=[DENSE, BM25])
        records, offset = shard.scroll(request)
        if records:
            points = [Point(record.id, record.vector, record.payload) for record in records]  # type: ignore[arg-type]
            fresh.update(UpdateOperation.upsert_points(points))
        if page * POINTS_AT_ONCE % POINTS_PER_LOOK == 0:
            seal(fresh)
        if offset is None:
            return
