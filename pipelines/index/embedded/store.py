"""The embedded index: one writer on disk, and readers of what it published. See `publishing` for the files."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from filelock import FileLock, Timeout

from pipelines.errors import IndexBusy
from pipelines.index.batches import batches
from pipelines.index.contract import (
    DocumentChange,
    Filters,
    Hit,
    IndexInfo,
    IndexReader,
    IndexSpec,
    Mode,
    Payload,
    Vector,
    described,
)
from pipelines.index.embedded.shard import create_shard, scroll, write
from pipelines.index.embedded.shard_reader import ShardReader, engine_errors
from pipelines.index.embedded.snapshots import Publications, Stamp, this_boot, write_json
from pipelines.index.filters import Conditions, of_documents
from pipelines.index.versions import check_stored, version_name

if TYPE_CHECKING:
    import qdrant_edge

POINTS_PER_UPDATE = 128
"""The engine holds the interpreter's lock during an update: 128 points take about 10 ms."""

DOCUMENTS_PER_QUESTION = 256


class EdgeStore:
    """The writer of one version of a collection. Waits `lock_timeout` seconds for another one to finish.

    Raises IndexBusy after that, and IndexMismatch if the version, or the live one, was made for another spec
    (`replace` opens another version than the live one, which `publish` then makes live).
    """

    def __init__(self, root: Path, spec: IndexSpec, *, lock_timeout: float, replace: bool = False) -> None:
        self._spec = spec
        self._publications = Publications(root, spec.collection)
        self._version = version_name(spec)
        self._folder = root / self._version
        self._unpublished = self._folder / "unpublished"
        self._replaces = replace
        if not replace:
            check_live(self._publications, spec)
        with ExitStack() as opening:
            self._lock = _WriterLock(self._folder)
            opening.enter_context(self._lock.held(lock_timeout))
            self._keep_spec()
            self._shard = self._load()
            opening.callback(self._shard.close)
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

    def points(self, document_ids: Sequence[str]) -> Mapping[str, Payload]:
        found: dict[str, Payload] = {}
        for start in range(0, len(document_ids), DOCUMENTS_PER_QUESTION):
            asked = document_ids[start : start + DOCUMENTS_PER_QUESTION]
            found.update(scroll(self._shard, of_documents(asked)))
        return found

    def scan(self) -> Iterator[tuple[str, Payload]]:
        return scroll(self._shard, Conditions())

    def publish(self) -> None:
        if self._is_published():
            return
        with engine_errors(self._folder):
            self._shard.flush()
        self._publications.publish(self._version, self._shard_folder)
        self._unpublished.unlink(missing_ok=True)

    def preview(self) -> IndexReader:
        return ShardReader(self._shard, self._shard_folder, self._spec.collection, self._spec.model)

    def info(self) -> IndexInfo:
        return self.preview().info()

    def wanted(self) -> bool:
        live = self._publications.live()
        overtaken = not self._replaces and live is not None and live.version != self._version
        return overtaken or self._lock.wanted()

    def close(self) -> None:
        self._open.close()

    @property
    def _shard_folder(self) -> Path:
        return self._folder / "shard"

    def _is_published(self) -> bool:
        live = self._publications.live()
        return (
            live is not None
            and (live.version, live.boot) == (self._version, this_boot())
            and self._publications.folder(live).exists()
            and not self._unpublished.exists()
        )

    def _keep_spec(self) -> None:
        stored = read_spec(self._folder)
        if stored is None:
            write_json(self._folder / "spec.json", dict(described(self._spec)))
        else:
            check_stored(self._spec, stored, str(self._folder))

    def _load(self) -> qdrant_edge.EdgeShard:
        """Open the shard; a new one is made beside its place, so that a half-made one is never opened."""
        from qdrant_edge import EdgeShard

        with engine_errors(self._folder):
            if not self._shard_folder.exists():
                beginning = self._folder / "shard.new"
                shutil.rmtree(beginning, ignore_errors=True)
                create_shard(beginning, self._spec)
                beginning.rename(self._shard_folder)
            return EdgeShard.load(str(self._shard_folder))


class EdgeReader:
    """Reads the live copy, and takes over the next one at the first question after its publication."""

    def __init__(self, root: Path, collection: str, spec: IndexSpec | None) -> None:
        self._publications = Publications(root, collection)
        self._collection = collection
        self._spec = spec
        self._lock = threading.Lock()
        self._stamp: Stamp | None = None
        self._view: _View | None = None
        if spec:
            check_live(self._publications, spec)

    def search(self, *, mode: Mode, text: str, dense: Vector | None, filters: Filters, limit: int) -> list[Hit]:
        with self._current() as view:
            if view is None:
                return []
            return view.reader.search(mode=mode, text=text, dense=dense, filters=filters, limit=limit)

    def document(self, document_id: str, filters: Filters) -> list[Hit]:
        with self._current() as view:
            return view.reader.document(document_id, filters) if view else []

    def info(self) -> IndexInfo:
        with self._current() as view:
            if view is None:
                return IndexInfo(self._collection, self._spec.model if self._spec else "", 0, 0, 0)
            return view.reader.info()

    def close(self) -> None:
        """Questions under way still get their answers; a later one opens the index again."""
        with self._lock:
            self._switch(None, None)

    @contextmanager
    def _current(self) -> Iterator[_View | None]:
        """The view of the live copy, kept open until the question is answered."""
        with self._lock:
            stamp = self._publications.stamp()
            if stamp != self._stamp:
                self._switch(self._opened(), stamp)
            view = self._view
            if view:
                view.users += 1
        try:
            with engine_errors(self._publications.root):
                yield view
        finally:
            if view:
                with self._lock:
                    view.users -= 1
                    view.close_if_unused(self._view)

    def _opened(self) -> _View | None:
        from qdrant_edge import EdgeShard

        if self._spec:
            check_live(self._publications, self._spec)
        with ExitStack() as opening, engine_errors(self._publications.root):
            taken = opening.enter_context(self._publications.taken())
            if taken is None:
                return None
            pointer, folder = taken
            shard = EdgeShard.load(str(folder))
            opening.callback(shard.close)
            stored = read_spec(self._publications.root / pointer.version) or {}
            reader = ShardReader(shard, folder, self._collection, str(stored.get("model", "")))
            return _View(reader, opening.pop_all())

    def _switch(self, view: _View | None, stamp: Stamp | None) -> None:
        left, self._view, self._stamp = self._view, view, stamp
        if left:
            left.close_if_unused(view)


@dataclass(slots=True)
class _View:
    """A copy that a reader has loaded, and how many questions are using it."""

    reader: ShardReader
    kept: ExitStack
    users: int = 0

    def close_if_unused(self, current: _View | None) -> None:
        if self is not current and not self.users:
            self.kept.close()


def check_live(publications: Publications, spec: IndexSpec) -> None:
    """Raise IndexMismatch if the live version was made for another spec."""
    live = publications.live()
    if live and live.version != version_name(spec):
        check_stored(spec, read_spec(publications.root / live.version) or {}, str(publications.file))


def read_spec(folder: Path) -> dict[str, Any] | None:
    """What a version was made for, as it stands beside it."""
    try:
        stored: dict[str, Any] = json.loads((folder / "spec.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return stored


class _WriterLock:
    """Taken before the shard is touched: even a refused second opener would spoil the first one's next flush.

    Whoever waits holds the file `next`, so that the holder sees it and a holder that comes again waits behind.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "writer.lock"
        self._lock = FileLock(self._file, thread_local=False)
        self._next = folder / "writer.next"

    @contextmanager
    def held(self, timeout: float) -> Iterator[None]:
        """Raises IndexBusy if another process keeps it for `timeout` seconds."""
        until = time.monotonic() + timeout
        try:
            with FileLock(self._next, timeout=timeout, thread_local=False):
                self._lock.acquire(timeout=max(until - time.monotonic(), 0))
        except Timeout:
            raise IndexBusy(
                f"{self._file}: another process has been writing the index for more than {timeout:.0f} s; "
                "try again when it has finished"
            ) from None
        try:
            yield
        finally:
            self._lock.release()

    def wanted(self) -> bool:
        """Whether somebody waits."""
        try:
            with FileLock(self._next, blocking=False, thread_local=False):
                return False
        except Timeout:
            return True
