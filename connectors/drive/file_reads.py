"""Files on their way to documents: several are read at once, and each fails by itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import TypeVar

from connectors.contract import DocumentReaders, Failed, SameContent, Skipped
from connectors.drive import formats
from connectors.drive.folders import LocatedFile
from connectors.drive.payloads import DriveFile
from connectors.errors import SourceError
from connectors.file_content import SkipFile
from connectors.isolation import Attempt, Isolation
from connectors.model import Document

AT_ONCE = 4
"""Files read at the same time. Each may be as large as `formats.MAX_BYTES`."""
Made = TypeVar("Made", bound=Document | SameContent | DocumentReaders)


@dataclass(slots=True)
class DriveFileRead:
    """A file on its way to a document; `readers` are None until they are known. One that is read `as_a_whole` fails
    where a part of it cannot be had now, and is not read without that."""

    located: LocatedFile
    as_a_whole: bool
    readers: tuple[str, ...] | None = None

    def failed(self, failed: Failed) -> Failed:
        """Nobody sees a file of which nobody told who may read it; else those who may no more do not."""
        return replace(failed, hides=self.readers is None, readers=self.readers)


class FileReads:
    """Reads in threads of its own. `document_id` names the document of a file."""

    def __init__(self, document_id: Callable[[str], str]) -> None:
        self._document_id = document_id
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="drive")

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def unread(self, file: DriveFile, error: SourceError) -> Failed:
        """A file that is not asked for, because the source itself is in trouble: who may read it is not known."""
        return Failed(
            self._document_id(file.id), formats.title(file.name), str(error), file.web_view_link or "", hides=True
        )

    def read(
        self,
        located: Iterable[LocatedFile],
        isolation: Isolation,
        make: Callable[[DriveFileRead], Made],
        *,
        as_a_whole: bool = False,
    ) -> Iterator[Made | Skipped | Failed]:
        """What is made of each file, in order. Raises SourceError where the trouble is not one file's alone."""
        coming = (DriveFileRead(one, as_a_whole) for one in located)
        under_way: deque[tuple[DriveFileRead, Future[Attempt[Made | Skipped]]]] = deque()
        width = AT_ONCE
        try:
            while True:
                # One at a time after a failure, then slowly more: a source that is down gets few requests.
                width = 1 if isolation.is_failing else min(width + 1, AT_ONCE)
                following = islice(coming, max(width - len(under_way), 0))
                under_way.extend(
                    (one, self._pool.submit(copy_context().run, isolation.observe, partial(self._read_file, one, make)))
                    for one in following
                )
                if not under_way:
                    return
                read, future = under_way.popleft()
                yield from self._judge(read, future.result(), isolation)
        finally:
            for _, future in under_way:
                future.cancel()

    def _judge(
        self, read: DriveFileRead, tried: Attempt[Made | Skipped], isolation: Isolation
    ) -> Iterator[Made | Skipped | Failed]:
        file = read.located.file
        try:
            item = isolation.judge(
                self._document_id(file.id), formats.title(file.name), tried, file.web_view_link or ""
            )
        except SourceError as error:
            # The source is left; but of this file it was not told who may read it now.
            if read.readers is None:
                yield self.unread(file, error)
            raise
        yield read.failed(item) if isinstance(item, Failed) else item

    def _read_file(self, read: DriveFileRead, make: Callable[[DriveFileRead], Made]) -> Made | Skipped:
        """Runs in the pool. Raises SourceError: NotFound, too, of a file that was just shown. One that has gone since
        is named by the feed, or missing from the next listing."""
        file = read.located.file
        try:
            return make(read)
        except SkipFile as skipped:
            return Skipped(
                self._document_id(file.id), formats.title(file.name), skipped.reason, file.web_view_link or ""
            )
