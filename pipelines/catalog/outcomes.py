"""Outcomes: what the stages write of each object, inside the transaction of the load that they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, bindparam, update

from connectors.contract import DocumentReaders, SameContent
from connectors.model import Document
from pipelines.catalog import tables
from pipelines.catalog.moved_documents import record_moved
from pipelines.catalog.obsolete import mark_obsolete
from pipelines.catalog.statements import in_parts, upsert

Status: TypeAlias = Literal["pending", "indexed", "skipped", "failed", "deleted"]

NO_POINTS = {"indexed_version": None, "chunks": 0, "indexed_readers": ()}
"""What the catalog says of a document of which the index has nothing any more."""

FIRST_RETRY = timedelta(minutes=5)
LONGEST_RETRY = timedelta(days=1)
MOST_READINGS = 3
"""So often a document is read of which reading takes too much or ends its process; then not before it has changed, or
until all of its unit is read anew."""
MOST_LOOKS = 3
"""So often what was not found, and is taken for deleted, is looked for once more. Later a listing tells."""
UNFINISHED = "its reading has begun and not ended"
"""Stands as the reason while a file is read: where it is found later, the process that read it has died."""


@dataclass(frozen=True, slots=True)
class Readers:
    """Who may read a document: reader tokens, and the Unix times at which some of them end."""

    tokens: tuple[str, ...]
    until: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Document | DocumentReaders | SameContent) -> Readers:
        """Those of a document that was read, or whose rights were."""
        tokens = tuple(sorted(set(document.readers)))
        return cls(tokens, {token: end.timestamp() for token, end in document.readers_until})

    def within(self, others: Readers) -> Readers:
        """Those that are among the others too, each until the earlier of both ends."""
        both = tuple(token for token in self.tokens if token in others.tokens)
        ends = {token: [one.until[token] for one in (self, others) if token in one.until] for token in both}
        return Readers(both, {token: min(found) for token, found in ends.items() if found})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of a stage for one object. `version` is None where no version is to be indexed.

    `hidden` is why nobody may see it although it is kept. `load` is that of the version which stays in use where an
    object could not be read. Without `retries` a failed one is not tried again by itself; one that is deleted is looked
    for again where it `may_be_there`.
    """

    id: str
    status: Status
    title: str = ""
    url: str = ""
    version: str | None = None
    landed: bool = False
    reason: str | None = None
    attempts: int = 0
    updated_at: datetime | None = None
    fingerprint: str | None = None
    content_key: str | None = None
    hidden: str | None = None
    load: int | None = None
    retries: bool = True
    may_be_there: bool = False

    def next_attempt(self, now: datetime) -> datetime | None:
        """When it is to be tried again; None: not by itself."""
        is_awaited = self.may_be_there if self.status == "deleted" else self.status == "failed" and self.retries
        return now + time_until_next(self.attempts) if is_awaited else None


def record(
    transaction: Connection,
    connection: str,
    unit: str,
    outcomes: Sequence[Outcome],
    *,
    load: int | None,
    listing: str | None,
) -> None:
    """Write the outcomes of objects; those with `landed` point to `load`, the others to their own."""
    now = datetime.now(UTC)
    origin = {"connection": connection, "unit": unit, "listing": listing, "changed_at": now}
    rows = [origin | _row(outcome, load, now) for outcome in outcomes]
    replaced = ((outcome.id, outcome.status in ("deleted", "skipped")) for outcome in outcomes if outcome.load is None)
    mark_obsolete(transaction, replaced, now)
    record_moved(transaction, unit, (outcome.id for outcome in outcomes))
    # An object keeps its number of points until its new version is indexed, and its listing in a partial read.
    kept = {"id", "chunks"} | (set() if listing else {"listing"})
    upsert(transaction, tables.documents, rows, update=(name for name in rows[0] if name not in kept) if rows else ())


def update_status(transaction: Connection, outcomes: Iterable[Outcome]) -> None:
    """Change the status of documents that a later stage could not process."""
    now = datetime.now(UTC)
    for outcome in outcomes:
        transaction.execute(
            update(tables.documents)
            .where(tables.documents.c.id == outcome.id)
            .values(
                status=outcome.status,
                reason=outcome.reason,
                attempts=outcome.attempts,
                next_attempt=outcome.next_attempt(now),
                changed_at=now,
            )
        )


def forget_index(transaction: Connection) -> None:
    """No document is in the index any more: the next indexing writes all points again.

    Whom the points named as readers is kept, because the version before goes on being searched.
    """
    transaction.execute(update(tables.documents).values(indexed_version=None, chunks=0))


def update_fingerprints(transaction: Connection, fingerprints: Mapping[str, str]) -> None:
    """Store the new fingerprints of documents that have not changed otherwise."""
    for document_id, value in fingerprints.items():
        own = tables.documents.c.id == document_id
        transaction.execute(update(tables.documents).where(own).values(fingerprint=value))


def update_content_keys(transaction: Connection, keys: Mapping[str, str]) -> None:
    """Store what stands now for the contents of documents that have not changed otherwise; empty where nothing does."""
    for document_id, value in keys.items():
        own = tables.documents.c.id == document_id
        transaction.execute(update(tables.documents).where(own).values(content_key=value or None))


def update_readers(transaction: Connection, readers: Mapping[str, Readers]) -> None:
    """Store who may read documents."""
    table = tables.documents
    rows = [
        {"own": document_id, "tokens": one.tokens, "until": dict(one.until) or None}
        for document_id, one in readers.items()
    ]
    if rows:
        values: dict[str, Any] = {"readers": bindparam("tokens"), "readers_until": bindparam("until"), "hidden": None}
        transaction.execute(update(table).where(table.c.id == bindparam("own")).values(values), rows)


def mark_listed(transaction: Connection, ids: Iterable[str], listing: str) -> None:
    """Mark documents as named by a full listing."""
    for part in in_parts(ids):
        transaction.execute(update(tables.documents).where(tables.documents.c.id.in_(part)).values(listing=listing))


def hide(transaction: Connection, ids: Iterable[str], reason: str | None) -> None:
    """Nobody may see these any more, although they are kept; without a reason their readers may again."""
    for part in in_parts(ids):
        transaction.execute(update(tables.documents).where(tables.documents.c.id.in_(part)).values(hidden=reason))


def time_until_next(attempts: int) -> timedelta:
    """How long to wait after that many failures: 5 minutes, doubling up to a day."""
    doublings = min(max(attempts - 1, 0), 20)
    return min(FIRST_RETRY * (1 << doublings), LONGEST_RETRY)


def _row(outcome: Outcome, load: int | None, now: datetime) -> dict[str, Any]:
    return {
        "id": outcome.id,
        "title": outcome.title,
        "url": outcome.url,
        "status": outcome.status,
        "reason": outcome.reason,
        "version": outcome.version,
        "load": load if outcome.landed else outcome.load,
        "chunks": 0,
        "attempts": outcome.attempts,
        "next_attempt": outcome.next_attempt(now),
        "updated_at": outcome.updated_at,
        "fingerprint": outcome.fingerprint,
        "content_key": outcome.content_key,
        "hidden": outcome.hidden,
    }
