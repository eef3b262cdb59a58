"""What failed before: which of it is read again, and when."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from connectors.contract import Item, PartState
from connectors.errors import RateLimited, TransientError
from connectors.model import Document
from pipelines.ingestion.document_writing import DocumentWriting
from pipelines.ingestion.fetching import Fetching
from pipelines.ingestion.told_parts import ToldParts
from pipelines.ingestion.unit_task import UnitTask

_LOOKS_OF_SCHEDULES = timedelta(hours=1)
_FIRST_TRIES = 3
"""So many of what failed a command tries before it knows whether the source gives any of it by now."""


@dataclass(frozen=True, slots=True)
class RetriedReads:
    """Reads what had failed once more; `mended` are the ids of documents that were read."""

    task: UnitTask
    fetching: Fetching
    parts: ToldParts
    writing: DocumentWriting
    mended: set[str] = field(default_factory=set)

    def fetch_due(self, missing: Collection[str] = ()) -> Iterator[Item]:
        """But for what a listing lacks: that is looked at before it is removed."""
        due = [one for one in self._due() if one not in missing]
        unfound = self.task.catalog.retries.unfound(*self.task.own)
        for item in self.fetching.fetch([*due, *unfound]):
            if isinstance(item, Document) and item.id in due:
                self.mended.add(item.id)
            yield item

    def catch_up(self) -> None:
        """Read what failed for want of a part that is complete by now, whenever its next attempt would be. Of parts
        that nothing else asked for, what has been read of what had failed tells that they are."""
        untold = self.parts.incomplete - self.parts.told.keys() if self.mended else set()
        self.parts.take([PartState(part, "complete") for part in sorted(untold)])
        if any(self.parts.told[part].status == "complete" for part in self.parts.incomplete & self.parts.told.keys()):
            self.writing.write(self.fetching.fetch(self.task.catalog.retries.failed(*self.task.own)))
        elif not self.task.options.scheduled:
            self._try_unread()

    def _due(self) -> list[str]:
        """Failed documents that are tried again: those whose time has come, and one where a part was not complete,
        which tells whether it is by now. Schedules leave that one alone until none was tried for an hour."""
        retries, own = self.task.catalog.retries, self.task.own
        due = retries.due(*own)
        if due or not self.parts.incomplete:
            return due
        tried = retries.last_attempt(*own) if self.task.options.scheduled else None
        is_left = tried is not None and tried > datetime.now(UTC) - _LOOKS_OF_SCHEDULES
        return [] if is_left else retries.failed(*own)[:1]

    def _try_unread(self) -> None:
        """Read for a command what the source did not give before, whenever its next attempt would be: a few documents,
        and as long as some of them are given, twice as many more. What has failed in this very run is left."""
        unread = self.task.catalog.retries.unread(*self.task.own)
        left, size = [one for one in unread if one not in self.writing.failed], _FIRST_TRIES
        while left:
            asked, left, size = left[:size], left[size:], 2 * size
            try:
                self.writing.write(self.fetching.fetch(asked))
            except RateLimited:
                raise
            except TransientError:
                return  # of these alone, since all else was read just now: they stay in the ledger
            if self.writing.failed.issuperset(asked):
                return
