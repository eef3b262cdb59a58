"""What is read of a unit goes to the landing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from connectors.contract import ChangeItem, Deleted, Failed, PartState
from pipelines.ingestion.fetching import Fetching
from pipelines.ingestion.load_writer import LoadWriter
from pipelines.ingestion.told_parts import ToldParts
from pipelines.ingestion.unit_task import UnitTask
from pipelines.turns import each_awaited


@dataclass(frozen=True, slots=True)
class DocumentWriting:
    """Writes items of a unit to the landing; `failed` are the ids of documents that were not read."""

    task: UnitTask
    fetching: Fetching
    parts: ToldParts
    failed: set[str] = field(default_factory=set)

    def write(self, items: Iterable[ChangeItem], listing: str | None = None) -> None:
        """Land all items, and what follows from them."""
        with self.open(listing) as writer:
            self.drain(items, writer)
        self.follow_up(writer)

    @contextmanager
    def open(self, listing: str | None = None, *, keeps_cursor: bool = False) -> Iterator[LoadWriter]:
        """A writer for items that make up the `listing`, if they do."""
        writer = LoadWriter(
            self.task.services,
            self.task.connection,
            self.task.unit,
            self.task.report.documents,
            listing=listing,
            keeps_cursor=keeps_cursor,
            is_chunked_next="chunks" in self.task.options.stages,
        )
        try:
            yield writer
        finally:
            self.failed.update(writer.failed)
            writer.flush()  # an error later in the read does not spoil what came before it

    def drain(self, items: Iterable[ChangeItem], writer: LoadWriter) -> None:
        """Let the writer take all items, and what they say of parts be known."""
        for done, item in enumerate(each_awaited(items), start=1):
            if isinstance(item, PartState):
                self.parts.take([item])
                continue
            if isinstance(item, Failed) and item.is_transient:
                self.task.report.unanswered[item.document_id] = item.error
            writer.take(item)
            self.task.progress("documents", done, None)

    def follow_up(self, writer: LoadWriter) -> None:
        """Read what was overtaken while `writer` took items, and what is in those that came from another unit."""
        self._look_again(writer.overtaken)
        self._bring_along(writer.left_behind)

    def _look_again(self, overtaken: Collection[str]) -> None:
        """Read documents that have lost something while they were read. What is overtaken once more stays hidden until
        the events that tell of it are processed."""
        if overtaken:
            with self.open() as writer:
                self.drain(self.fetching.fetch(sorted(overtaken)), writer)

    def _bring_along(self, left_behind: Collection[str]) -> None:
        """Read what is in documents that have come from another unit: it has come with them, and nothing of it has
        changed by that. What is not here is of where it was."""
        seen: set[str] = set()
        while left := sorted(set(left_behind) - seen):
            seen.update(left)
            with self.open() as writer:
                self.drain((item for item in self.fetching.fetch(left) if not isinstance(item, Deleted)), writer)
            left_behind = writer.left_behind
