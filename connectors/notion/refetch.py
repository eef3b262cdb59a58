"""Objects that events point at, read again one by one, and all that is below them."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from connectors.contract import Deleted, Item, Skipped
from connectors.model import Document
from connectors.notion.context import NotionContext
from connectors.notion.object_reader import NotionObjectReader, ObjectRead
from connectors.notion.objects import Ref
from connectors.notion.reader import PendingObjects, emit


class NotionRefetch:
    """One round of events about one unit. `files` holds the fingerprints of files that were fetched before, by page
    and key; it is brought up to date."""

    def __init__(self, context: NotionContext, objects: NotionObjectReader, files: dict[str, dict[str, str]]) -> None:
        self._context = context
        self._objects = objects
        self._files = files

    def read(self, ref: Ref) -> Generator[Item, None, ObjectRead]:
        """Yields an object, and its files that are other than they were. Returns what was read."""
        has_known_files = bool(self._files.get(ref.id))
        read = self._objects.read(ref)
        yield from emit(self._objects, read, self._files)
        if isinstance(read.item, Deleted) and not has_known_files:
            # Which files went with it, only the source knows.
            for file in self._objects.remains(ref).files:
                yield Deleted(self._context.file_id(ref.id, file.key), moved_to=read.item.moved_to)
        return read

    def read_below(self, above: ObjectRead) -> Iterator[Item]:
        """All that is below an object; what moved away with it is gone from here. Raises Unavailable where the rows of
        a database could not be listed."""
        pending = PendingObjects(self._objects, self._children(above), set(), elsewhere=True)
        for ref in pending.drain():
            read = yield from self.read(ref)
            pending.add(self._children(read))
        pending.raise_unlisted()

    def _children(self, read: ObjectRead) -> tuple[Ref, ...]:
        """Also those of an object in the trash: they went there with it."""
        if read.children or isinstance(read.item, Document | Skipped):
            return read.children
        return self._objects.remains(read.ref).children
