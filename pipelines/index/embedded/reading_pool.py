"""Several processes that read the published index for one that serves.

The engine holds the interpreter's lock for a whole question, so one process answers one at a time, on one core, and
whatever else it does stands still meanwhile. Questions go to the processes in the order in which they came: threads
that fight for a lock without a queue let some wait five times as long as others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

from pipelines.errors import IndexUnavailable
from pipelines.index.contract import Filters, Hit, IndexInfo, IndexSpec, Mode, Vector
from pipelines.index.dense import packed
from pipelines.index.embedded.reading_process import ReaderDied, ReadingProcess
from pipelines.index.embedded.reading_protocol import Method, Opening, ReaderCall
from pipelines.index.embedded.snapshots import Snapshots
from pipelines.index.embedded.specs import check_live
from pipelines.index.versions import check_readable

_TRIES = 2
"""A process that dies may have been ended by somebody; what ends two has to do with the question, or with the index."""
_SECONDS_IN_LINE = 30.0
"""How long a question waits for others to be answered."""


class PooledReader:
    """An IndexReader whose questions are answered by at most `processes` of their own: one at first, the others when a
    question would have to wait. One that hangs is replaced. Raises IndexMismatch as `EdgeReader`, and IndexUnavailable
    where processes die of a question, hang, or have no time for it."""

    def __init__(self, root: Path, collection: str, spec: IndexSpec | None, processes: int) -> None:
        if spec:
            check_live(Snapshots(root, collection), spec, check_readable)
        self._opening = Opening(root.absolute(), collection, spec)
        self._changing = Lock()
        self._idle = [ReadingProcess(self._opening)]
        self._unstarted = processes - 1
        self._waiting: deque[Future[ReadingProcess]] = deque()
        self._closed = False

    def search(
        self, *, mode: Mode, text: str, dense: Vector | None, filters: Filters, limit: int, depth: int | None = None
    ) -> list[Hit]:
        dense = None if dense is None else packed(dense)  # whoever reads it needs no NumPy
        found: list[Hit] = self._ask(
            "search", mode=mode, text=text, dense=dense, filters=filters, limit=limit, depth=depth
        )
        return found

    def document(self, document_id: str, filters: Filters) -> list[Hit]:
        found: list[Hit] = self._ask("document", document_id=document_id, filters=filters)
        return found

    def count_documents(self, field: str, filters: Filters) -> Mapping[str, int]:
        counted: Mapping[str, int] = self._ask("count_documents", field=field, filters=filters)
        return counted

    def newest(self, filters: Filters, limit: int) -> list[Hit]:
        found: list[Hit] = self._ask("newest", filters=filters, limit=limit)
        return found

    def beginnings(self, filters: Filters, limit: int) -> list[Hit]:
        found: list[Hit] = self._ask("beginnings", filters=filters, limit=limit)
        return found

    def count_points(self) -> int:
        count: int = self._ask("count_points")
        return count

    def info(self) -> IndexInfo:
        info: IndexInfo = self._ask("info")
        return info

    def close(self) -> None:
        """End the processes, those at work once they have answered."""
        with self._changing:
            idle, self._idle, self._closed = self._idle, [], True
        for process in idle:
            process.hang_up()
        for process in idle:
            process.end()

    def _ask(self, method: Method, **arguments: Any) -> Any:
        process, how = self._take(), ""
        try:
            for _ in range(_TRIES):
                if process.has_ended:
                    process = ReadingProcess(self._opening)
                try:
                    return process.ask(ReaderCall(method, arguments))
                except ReaderDied as error:
                    how = error.how
        finally:
            self._give_back(process)
        raise IndexUnavailable(f"the process that reads the index has ended ({how}); try again later")

    def _take(self) -> ReadingProcess:
        """An idle process, a new one, or the next that will be idle, in turn. Raises IndexUnavailable."""
        with self._changing:
            if self._idle:
                return self._idle.pop()
            if self._unstarted:
                process = ReadingProcess(self._opening)
                self._unstarted -= 1
                return process
            mine: Future[ReadingProcess] = Future()
            self._waiting.append(mine)
        with suppress(TimeoutError):
            return mine.result(_SECONDS_IN_LINE)
        if mine.cancel():
            raise IndexUnavailable(f"all processes that read the index were at work for {_SECONDS_IN_LINE:.0f} s")
        return mine.result()

    def _give_back(self, process: ReadingProcess) -> None:
        with self._changing:
            while self._waiting:
                first = self._waiting.popleft()
                if first.set_running_or_notify_cancel():  # else it waited too long
                    first.set_result(process)
                    return
            if not self._closed:
                self._idle.append(process)
                return
        process.end()
