"""The embedded index's writer. See `snapshots` for the files."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pipelines.index.batches import batches
from pipelines.index.conditions import EVERY_POINT, Conditions
from pipelines.index.contract import DocumentChange, IndexInfo, IndexSpec, Payload
from pipelines.index.embedded.layout import POINTS_PER_LOOK, create_shard, is_large, open_shard, seal
from pipelines.index.embedded.lock import WriterLock
from pipelines.index.embedded.rewriting import rewrite_shard, take_over
from pipelines.index.embedded.sealed_files import SealedFiles
from pipelines.index.embedded.shard import count_by, dense_vectors, remove, scroll, set_readers, write
from pipelines.index.embedded.shard_reader import ShardReader, engine_errors
from pipelines.index.embedded.snapshots import Snapshots, remove_other_versions
from pipelines.index.embedded.specs import check_live, claim_folder
from pipelines.index.filters import document_conditions
from pipelines.index.versions import check_stored, version_name
from pipelines.machine import forget_mapped, give_back_memory, this_boot

if TYPE_CHECKING:
    import numpy as np
    import qdrant_edge
    from numpy.typing import NDArray

POINTS_PER_UPDATE = 128
"""The engine holds the interpreter's lock during an update: 128 points take about 10 ms."""
DOCUMENTS_PER_QUERY = 256


class EdgeStore:
    """The writer of one version of a collection. Waits `lock_timeout` seconds for another writer to finish.

    Raises IndexBusy after that, and IndexMismatch if the version, or the live one, was made for another spec
    (`replace` opens another version than the live one, which `publish` then makes live).
    """

    def __init__(self, root: Path, spec: IndexSpec, *, lock_timeout: float, replace: bool = False) -> None:
        self._spec = spec
        self._snapshots = Snapshots(root, spec.collection)
        self._version = version_name(spec)
        self._folder = root / self._version
        self._unpublished = self._folder / "unpublished"
        self._replaces = replace
        self._since_look, self._has_grown = 0, False
        self._is_to_be_large = False
        if not replace:
            check_live(self._snapshots, spec, check_stored)
        with ExitStack() as opening:
            self._lock = WriterLock(self._folder)
            opening.enter_context(self._lock.hold(lock_timeout))
            claim_folder(self._folder, spec)
            self._shard = self._load_shard()
            opening.callback(lambda: self._shard.close())  # the one of then: it may have been written anew
            self._open = opening.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def apply(self, changes: Iterable[DocumentChange]) -> None:
        # The engine's write-ahead log outlives the process; only `publish` also waits for the disk.
        for batch in batches(changes, POINTS_PER_UPDATE):
            self._unpublished.touch()
            with engine_errors(self._folder):
                write(self._shard, batch)
                self._seal_after(len(batch.points))

    def expect(self, points: int) -> None:
        if is_large(points) and not self._in_small_segments:
            self._is_to_be_large = True
            with engine_errors(self._folder):
                self._reload()

    def set_readers(self, where: Conditions, source: str, readers: Sequence[str]) -> None:
        self._unpublished.touch()
        with engine_errors(self._folder):
            set_readers(self._shard, where, source, readers)

    def remove(self, where: Conditions) -> None:
        self._unpublished.touch()
        with engine_errors(self._folder):
            remove(self._shard, where)

    def erase_removed(self) -> None:
        self._unpublished.touch()
        with engine_errors(self._folder):
            rewrite_shard(self._shard, self._folder, self._spec)
            self._reload()
        remove_other_versions(self._snapshots, self._version)

    def points(self, document_ids: Sequence[str]) -> Mapping[str, Payload]:
        found: dict[str, Payload] = {}
        for start in range(0, len(document_ids), DOCUMENTS_PER_QUERY):
            part = document_ids[start : start + DOCUMENTS_PER_QUERY]
            found.update(scroll(self._shard, document_conditions(part)))
        return found

    def vectors(self, point_ids: Sequence[str]) -> Mapping[str, NDArray[np.float32]]:
        with engine_errors(self._folder):
            return dict(dense_vectors(self._shard, point_ids))

    def scan(self, where: Conditions = EVERY_POINT) -> Iterator[tuple[str, Payload]]:
        return scroll(self._shard, where)

    def count_by_unit(self) -> Mapping[str, int]:
        with engine_errors(self._folder):
            return count_by(self._shard, "unit")

    def publish(self) -> None:
        if self._is_published():
            return
        with engine_errors(self._folder):
            seal(self._shard)
            self._shard.flush()
        self._snapshots.publish(self._version, self._shard_folder)
        self._unpublished.unlink(missing_ok=True)

    def preview(self) -> ShardReader:
        return ShardReader(self._shard, self._shard_folder, self._spec.collection, self._spec.model)

    def info(self, documents: int | None = None) -> IndexInfo:
        return self.preview().info(documents)

    def is_contended(self) -> bool:
        live = self._snapshots.live()
        overtaken = not self._replaces and live is not None and live.version != self._version
        return overtaken or self._lock.is_contended()

    def close(self) -> None:
        self._open.close()
        if self._has_grown:  # what was open is most of what this process holds
            give_back_memory(collect=True)

    @property
    def _shard_folder(self) -> Path:
        return self._folder / "shard"

    def _seal_after(self, points: int) -> None:
        self._since_look += points
        if self._since_look >= POINTS_PER_LOOK:
            self._since_look, self._has_grown = 0, True
            forget_mapped(self._folder)  # to seal a segment takes as much as it holds once more
            if seal(self._shard) and not self._in_small_segments:
                self._reload()  # the segments after the first one are smaller

    def _reload(self) -> None:
        """Go on with the shard as it is opened now."""
        self._shard.close()
        self._shard = self._load_shard()

    def _is_published(self) -> bool:
        live = self._snapshots.live()
        return (
            live is not None
            and (live.version, live.boot) == (self._version, this_boot())
            and self._snapshots.folder(live).exists()
            and not self._unpublished.exists()
        )

    def _load_shard(self) -> qdrant_edge.EdgeShard:
        """Open the shard; a new one is made under another name, so that a half-made one is never opened."""
        with engine_errors(self._folder):
            take_over(self._folder, self._shard_folder)
            if not self._shard_folder.exists():
                unfinished = self._folder / "shard.new"
                shutil.rmtree(unfinished, ignore_errors=True)
                create_shard(unfinished, self._spec)
                unfinished.rename(self._shard_folder)
            has_sealed = bool(SealedFiles.of(self._shard_folder).segments)
            self._in_small_segments = has_sealed or self._is_to_be_large
            shard = open_shard(self._shard_folder, self._spec, in_small_segments=self._in_small_segments)
            forget_mapped(self._folder)  # a new one maps in 62 MB of reserved pages
            return shard
