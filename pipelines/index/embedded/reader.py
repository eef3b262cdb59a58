"""The embedded index's reader: queries to the copy that was published last."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelines.index.contract import Filters, Hit, IndexInfo, IndexSpec, Mode, Vector
from pipelines.index.embedded.shard_reader import ShardReader, engine_errors
from pipelines.index.embedded.snapshots import Snapshots, Stamp
from pipelines.index.embedded.specs import check_live, read_spec
from pipelines.index.versions import check_readable


class EdgeReader:
    """Reads the live copy, and switches to the next one at the first query after its publication."""

    def __init__(self, root: Path, collection: str, spec: IndexSpec | None) -> None:
        self._snapshots = Snapshots(root, collection)
        self._collection = collection
        self._spec = spec
        self._lock = threading.Lock()
        self._stamp: Stamp | None = None
        self._view: _View | None = None
        if spec:
            check_live(self._snapshots, spec, check_readable)

    def search(
        self, *, mode: Mode, text: str, dense: Vector | None, filters: Filters, limit: int, depth: int | None = None
    ) -> list[Hit]:
        with self._live_view() as view:
            if view is None:
                return []
            return view.reader.search(mode=mode, text=text, dense=dense, filters=filters, limit=limit, depth=depth)

    def document(self, document_id: str, filters: Filters) -> list[Hit]:
        with self._live_view() as view:
            return view.reader.document(document_id, filters) if view else []

    def count_documents(self, field: str, filters: Filters) -> Mapping[str, int]:
        with self._live_view() as view:
            return view.reader.count_documents(field, filters) if view else {}

    def newest(self, filters: Filters, limit: int) -> list[Hit]:
        with self._live_view() as view:
            return view.reader.newest(filters, limit) if view else []

    def beginnings(self, filters: Filters, limit: int) -> list[Hit]:
        with self._live_view() as view:
            return view.reader.beginnings(filters, limit) if view else []

    def count_points(self) -> int:
        with self._live_view() as view:
            return view.reader.count_points() if view else 0

    def info(self) -> IndexInfo:
        with self._live_view() as view:
            if view is None:
                return IndexInfo(self._collection, self._spec.model if self._spec else "", 0, 0, 0)
            return view.reader.info()

    def close(self) -> None:
        """Queries under way still get their answers; a later one opens the index again."""
        with self._lock:
            self._switch(None, None)

    @contextmanager
    def _live_view(self) -> Iterator[_View | None]:
        """The view of the live copy, kept open until the query is answered; None before the first publication."""
        with self._lock:
            stamp = self._snapshots.stamp()  # a stat of one file: cheap enough for each query
            if stamp != self._stamp:
                self._switch(self._open_view(), stamp)
            view = self._view
            if view:
                view.users += 1
        try:
            with engine_errors(self._snapshots.root):
                yield view
        finally:
            if view:
                with self._lock:
                    view.users -= 1
                    view.close_if_unused(self._view)

    def _open_view(self) -> _View | None:
        from qdrant_edge import EdgeShard

        if self._spec:
            check_live(self._snapshots, self._spec, check_readable)
        with ExitStack() as opening, engine_errors(self._snapshots.root):
            copy = opening.enter_context(self._snapshots.open_copy())
            if copy is None:
                return None
            pointer, folder = copy
            shard = EdgeShard.load(str(folder))
            opening.callback(shard.close)
            stored = read_spec(self._snapshots.root / pointer.version) or {}
            reader = ShardReader(shard, folder, self._collection, str(stored.get("model", "")))
            return _View(reader, opening.pop_all())

    def _switch(self, view: _View | None, stamp: Stamp | None) -> None:
        previous, self._view, self._stamp = self._view, view, stamp
        if previous:
            previous.close_if_unused(view)


@dataclass(slots=True)
class _View:
    """A copy that a reader has loaded, and how many queries are using it."""

    reader: ShardReader
    resources: ExitStack
    users: int = 0

    def close_if_unused(self, current: _View | None) -> None:
        if self is not current and not self.users:
            self.resources.close()
