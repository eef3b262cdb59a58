"""Writes what a connector reads of one unit: items are gathered, and committed load by load."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from connectors.contract import Checkpoint, Cursor, Deleted, Failed, ObjectItem, SameContent
from connectors.model import Document, Unit
from connectors.settings import Connection
from connectors.tables import Row
from pipelines.bulk_chunking import bulk_chunking_pays
from pipelines.catalog import Outcome, RightsRead
from pipelines.catalog.documents import DocumentState
from pipelines.ingestion.admission import Admission
from pipelines.ingestion.diff import diff_item, lost_tokens
from pipelines.ingestion.report import DocumentCounts
from pipelines.ingestion.unit_listing import documents_follow
from pipelines.ingestion.withdrawn_text import compare_texts
from pipelines.landing import ChunkedDocument
from pipelines.services import Services

ITEMS_PER_LOAD = 1_000
BYTES_PER_LOAD = 8_000_000
SECONDS_PER_LOAD = 20.0
"""A load ends at the first checkpoint past one of these, so that a killed read loses little."""

SECONDS_UNTIL_REVOKED = 0.1
"""What was read this long ago is looked at for rights that were lost: those wait for no load to be full. Sooner at a
checkpoint, after which a source may be asked for long."""

BYTES_WITHOUT_CHECKPOINT = 4 * BYTES_PER_LOAD
"""Past this, a load ends wherever the read is: memory stays bounded, and repeating it does no harm."""


@dataclass(slots=True)
class _LoadBuffer:
    """Items since the last commit, by document id: of two items of one object the later one counts."""

    items: dict[str, ObjectItem | SameContent] = field(default_factory=dict)
    size: int = 0
    checkpoint: Cursor | None = None
    started: float = field(default_factory=time.monotonic)
    unseen: list[str] = field(default_factory=list)
    seen_at: float = field(default_factory=time.monotonic)
    """Items that were not yet looked at for lost rights, and when others were last."""

    def add(self, item: ObjectItem | SameContent) -> None:
        key = item.id if isinstance(item, Document) else item.document_id
        self.items[key] = item
        self.unseen.append(key)
        self.size += len(item.content) if isinstance(item, Document) else 0
        # What came before this item is covered by the checkpoint, the item itself is not.
        self.checkpoint = None

    def is_load(self) -> bool:
        return (
            len(self.items) >= ITEMS_PER_LOAD
            or self.size >= BYTES_PER_LOAD
            or time.monotonic() - self.started >= SECONDS_PER_LOAD
        )


@dataclass(slots=True)
class _Differences:
    """What a load writes: `outcomes`, new `fingerprints` and `content_keys` to the catalog, `rows` to the landing, and
    beside them the documents that had to be `chunked` for that."""

    outcomes: list[Outcome] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    fingerprints: dict[str, str] = field(default_factory=dict)
    content_keys: dict[str, str] = field(default_factory=dict)
    rights: RightsRead = field(default_factory=RightsRead)
    chunked: list[ChunkedDocument] = field(default_factory=list)


class LoadWriter:
    """Takes what a connector yields of a unit, lands what differs from the catalog, and adds to `counts`.

    Make it before the source is asked: what was taken away since then, no item gives back, because nobody knows when
    that was asked for. `overtaken` are the documents that are to be looked at again for this, `left_behind` those of
    other units that are in documents which have come from there, `failed` those that could not be read or were not
    found, and `common_readers` the reader tokens that all have which were read, if any was.

    `listing` names the full listing that the items belong to. With `keeps_cursor`, checkpoints move the place
    where the next read continues. Where what is landed `is_chunked_next`, the process that chunks many documents is
    started as soon as there are so many.
    """

    def __init__(
        self,
        services: Services,
        connection: Connection,
        unit: Unit,
        counts: DocumentCounts,
        *,
        listing: str | None = None,
        keeps_cursor: bool = False,
        is_chunked_next: bool = False,
    ) -> None:
        self.complete = False
        self.overtaken: set[str] = set()
        self.left_behind: set[str] = set()
        self.failed: set[str] = set()
        self.common_readers: frozenset[str] | None = None
        self._read_since = datetime.now(UTC)
        self._services = services
        self._catalog = services.catalog
        self._landing = services.landing
        self._connection = connection
        self._unit = unit
        self._counts = counts
        self._admission = Admission(connection, unit)
        self._listing = listing
        self._keeps_cursor = keeps_cursor
        self._is_chunked_next = is_chunked_next
        self._landed = 0
        self._buffer = _LoadBuffer()
        self._final_cursor: Cursor | None = None

    def take(self, item: ObjectItem | SameContent | Checkpoint) -> None:
        """Gather an item; commit at a checkpoint once enough has come."""
        if isinstance(item, Checkpoint):
            self._revoke_lost()
            self.complete = item.complete
            if item.complete and self._listing:
                # The end of a listing is no place to go on from before what it lacks was dealt with.
                self._final_cursor, self._buffer.checkpoint = item.cursor, None
                return
            self._buffer.checkpoint = item.cursor
            if self._buffer.is_load():
                self.flush()
            return
        if isinstance(item, Document | SameContent):
            told = frozenset(item.readers)
            self.common_readers = told if self.common_readers is None else self.common_readers & told
        admitted = self._admission.admit_change(item)
        if isinstance(admitted, Failed) or (isinstance(admitted, Deleted) and admitted.is_unfound):
            self.failed.add(admitted.document_id)
        self._buffer.add(admitted)
        if time.monotonic() - self._buffer.seen_at >= SECONDS_UNTIL_REVOKED:
            self._revoke_lost()
        if self._buffer.size >= BYTES_WITHOUT_CHECKPOINT:
            self.flush()

    def move_cursor(self) -> None:
        """Let the next read go on from the end of a complete listing."""
        if self._keeps_cursor and self._final_cursor is not None:
            self._catalog.units.set_cursor(self._connection.id, self._unit.id, self._final_cursor)

    def flush(self) -> None:
        """Land and record what was gathered, in one commit with the cursor that it leads to."""
        self._revoke_lost()
        buffer, self._buffer = self._buffer, _LoadBuffer()
        found = self._compare(buffer)
        self._landed += len(found.rows)
        if self._is_chunked_next and bulk_chunking_pays(self._landed):
            self._services.bulk_chunker.start()  # it has its imports done when these rows are landed
        load = self._catalog.commit_read(
            self._connection.id,
            self._unit.id,
            found.outcomes,
            documents_path=self._land(found.rows),
            unchanged=found.unchanged,
            fingerprints=found.fingerprints,
            content_keys=found.content_keys,
            rights=found.rights,
            listing=self._listing,
            cursor=buffer.checkpoint if self._keeps_cursor else None,
        )
        self.overtaken |= found.rights.overtaken
        changed = [outcome.id for outcome in found.outcomes if outcome.landed]
        self.left_behind |= {*self._catalog.parents.left_behind(self._connection.id, self._unit.id, changed)}
        if load is not None and found.chunked:
            self._landing.write_chunks(self._connection.id, load, found.chunked)

    def _revoke_lost(self) -> None:
        """What the items that came last show to be lost counts now, and not with the load that they are in."""
        buffer = self._buffer
        if not buffer.unseen:
            return
        fresh = {key: buffer.items[key] for key in buffer.unseen}
        buffer.unseen, buffer.seen_at = [], time.monotonic()
        states, now = self._catalog.documents.states(fresh), datetime.now(UTC)
        for key in [key for key, state in states.items() if self._has_left(fresh[key], state)]:
            del buffer.items[key], states[key]
        lost = {
            key: lost_tokens(state, item.readers) if isinstance(item, Document) else diff_item(item, state, now).revoked
            for key, item in fresh.items()
            if (state := states.get(key))
        }
        if revoked := {key: tokens for key, tokens in lost.items() if tokens}:
            self._catalog.rights.revoke(self._connection.id, self._unit.id, revoked)
        self._revoke_below(fresh, revoked)

    def _has_left(self, item: ObjectItem | SameContent, state: DocumentState) -> bool:
        """Whether an object is gone from this unit and is in another one, which tells what becomes of it."""
        return isinstance(item, Deleted) and state.unit != self._unit.id and state.status != "deleted"

    def _revoke_below(
        self, fresh: Mapping[str, ObjectItem | SameContent], revoked: Mapping[str, tuple[str, ...]]
    ) -> None:
        """What these have lost, all that is below them has lost, but for what was read itself."""
        read = {key for key, item in self._buffer.items.items() if isinstance(item, Document | SameContent)}
        parents = self._catalog.parents
        if gone := [key for key, item in fresh.items() if isinstance(item, Deleted)]:
            parents.hide_below(self._connection.id, self._unit.id, gone, read)
        if narrowed := {key: tokens for key, tokens in revoked.items() if key in read}:
            parents.revoke_below(self._connection.id, self._unit.id, narrowed, read)

    def _compare(self, buffer: _LoadBuffer) -> _Differences:
        states = self._catalog.documents.states(buffer.items)
        now = datetime.now(UTC)
        rights = RightsRead(self._read_since, documents_follow(self._connection))
        found = _Differences(rights=rights)
        for key, item in buffer.items.items():
            known = states.get(key)
            diff = diff_item(item, known, now)
            self._counts.count(diff.kind)
            if diff.outcome is None:
                found.unchanged.append(key)
                found.fingerprints |= {key: diff.fingerprint} if diff.fingerprint is not None else {}
                if isinstance(item, Document) and diff.content_key is not None:
                    found.content_keys[key] = diff.content_key
            else:
                found.outcomes.append(diff.outcome)
            if diff.row is not None:
                found.rows.append(diff.row)
            found.rights.add(key, known.known_readers if known else None, diff.readers, diff.revoked)
            version = diff.outcome.version if diff.outcome else known.version if known else None
            found.rights.versions |= {key: version} if version else {}
            match item:
                case Document():
                    found.rights.parents[key] = tuple(parent.id for parent in item.parents)
                case SameContent():
                    found.rights.parents[key] = item.parents
                    found.rights.content_keys[key] = item.content_key
        changed = [row for row in found.rows if isinstance(row, Document)]
        compared = compare_texts(self._services, states, changed)
        found.rights.withdrawals, found.chunked = compared.withdrawals, compared.chunked
        return found

    def _land(self, rows: list[Row]) -> str | None:
        """Write the rows to the landing and return their path; None if there are none."""
        if not rows:
            return None
        return self._landing.write_documents(self._connection.source, self._connection.id, self._unit.id, rows)
