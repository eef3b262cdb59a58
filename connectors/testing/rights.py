"""What is promised of reading rights alone, by a connector that can."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.contract import Checkpoint, DocumentReaders, RightsFeed
from connectors.model import Document
from connectors.testing.observation import Observation, UnitRead, through_json
from connectors.testing.promise import Promise, promise


@promise("rights that are read alone are those of the documents, all of them where there is no cursor")
def _same_readers(seen: Observation) -> Iterator[str]:
    for read, feed in _feeds(seen):
        *items, last = feed.read_rights(read.unit)
        if not isinstance(last, Checkpoint) or not last.complete:
            yield f"{read.unit.id}: it ends with {last}, and not with a complete checkpoint"
        told = {item.document_id: item for item in items if isinstance(item, DocumentReaders)}
        of_documents = {
            one.id: DocumentReaders(one.id, one.readers, one.readers_until)
            for one in read.objects.values()
            if isinstance(one, Document)
        }
        for key in sorted(told.keys() | of_documents.keys()):
            if told.get(key) != of_documents.get(key):
                yield f"{key}: {told.get(key)}, and of the document {of_documents.get(key)}"


@promise(
    "rights alone are read on from the cursor of a read, and from their own, at less than their first reading costs"
)
def _going_on(seen: Observation) -> Iterator[str]:
    for read, feed in _feeds(seen):
        before = seen.connector.requests
        list(feed.read_rights(read.unit))
        first = seen.connector.requests - before
        cursor = read.checkpoints[-1][1].cursor
        for whose in ("a read", "its own"):
            before = seen.connector.requests
            items = list(feed.read_rights(read.unit, through_json(cursor)))
            if not items or not isinstance(items[-1], Checkpoint):
                yield f"{read.unit.id}, from the cursor of {whose}: it does not end with a checkpoint"
                return
            if len(read.objects) > 1 and seen.connector.requests - before >= first:
                yield f"{read.unit.id}, from the cursor of {whose}: as many requests as without"
            cursor = items[-1].cursor


def _feeds(seen: Observation) -> Iterator[tuple[UnitRead, RightsFeed]]:
    if isinstance(connector := seen.connector, RightsFeed):
        yield from ((read, connector) for read in seen.reads)


PROMISES: tuple[Promise, ...] = (_same_readers, _going_on)
