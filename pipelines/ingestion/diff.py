"""What an object read from a source changes, given what the catalog knows of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from connectors.contract import Deleted, Failed, Skipped
from connectors.model import Document
from connectors.tables import Row
from pipelines.catalog.documents import DocumentState, Outcome

Kind: TypeAlias = Literal["new", "changed", "unchanged", "skipped", "failed", "deleted", "absent"]
"""`absent`: gone at the source, and not known here either."""


@dataclass(frozen=True, slots=True)
class Change:
    """`outcome` goes to the catalog and `row` to the landing; None where there is nothing to write.

    `fingerprint` is the new one of a document that is otherwise unchanged.
    """

    kind: Kind
    outcome: Outcome | None = None
    row: Row | None = None
    fingerprint: str | None = None


def change(item: Document | Skipped | Failed | Deleted, state: DocumentState | None, now: datetime) -> Change:
    """What `item` changes. `state` is None for an object that the catalog does not know."""
    match item:
        case Document():
            return _document(item, state, now)
        case Skipped():
            return _skipped(item, state)
        case Failed():
            return _failed(item, state)
        case Deleted():
            return _deleted(item, state)


def _document(document: Document, state: DocumentState | None, now: datetime) -> Change:
    known = state is not None and state.status != "deleted"
    if state and known and document.version == state.version and not _due(state, now):
        is_new = document.fingerprint != (state.fingerprint or "")
        return Change("unchanged", fingerprint=document.fingerprint if is_new else None)
    outcome = Outcome(
        id=document.id,
        status="pending",
        title=document.title,
        url=document.url,
        version=document.version,
        landed=True,
        attempts=state.attempts if state else 0,
        updated_at=document.updated_at,
        fingerprint=document.fingerprint or None,
    )
    return Change("changed" if known else "new", outcome, document)


def _skipped(item: Skipped, state: DocumentState | None) -> Change:
    row = _removal(item.document_id, state)
    outcome = Outcome(
        id=item.document_id,
        status="skipped",
        title=item.title,
        url=item.url,
        reason=item.reason,
        landed=row is not None,
    )
    return Change("skipped", outcome, row)


def _failed(item: Failed, state: DocumentState | None) -> Change:
    """A failed read leaves in the index what is there: the object may be as it was."""
    outcome = Outcome(
        id=item.document_id,
        status="failed",
        title=item.title or (state.title if state else ""),
        url=item.url or (state.url if state else ""),
        reason=item.error,
        attempts=(state.attempts if state else 0) + 1,
    )
    return Change("failed", outcome)


def _deleted(item: Deleted, state: DocumentState | None) -> Change:
    if state is None or state.status == "deleted":
        return Change("absent")
    row = _removal(item.document_id, state)
    outcome = Outcome(id=item.document_id, status="deleted", title=state.title, url=state.url, landed=row is not None)
    return Change("deleted", outcome, row)


def _removal(document_id: str, state: DocumentState | None) -> Deleted | None:
    """A tombstone for whatever may have points: indexed, or landed and perhaps being indexed when killed."""
    may_have_points = state is not None and (state.indexed_version is not None or state.load is not None)
    return Deleted(document_id) if may_have_points else None


def _due(state: DocumentState, now: datetime) -> bool:
    return state.status == "failed" and (state.next_attempt is None or state.next_attempt <= now)
