"""What an object read from a source changes, given what the catalog knows of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from connectors.contract import Deleted, Failed, ObjectItem, SameContent, Skipped
from connectors.model import Document
from connectors.tables import Row
from pipelines.catalog.documents import DocumentState
from pipelines.catalog.outcomes import MOST_LOOKS, Outcome, Readers
from pipelines.catalog.revocations import EVERYBODY

UNFOUND = "not found where it was asked for, and no listing says that it is gone"

ChangeKind: TypeAlias = Literal["new", "changed", "unchanged", "skipped", "failed", "deleted", "absent"]
"""`absent`: gone at the source, and not known here either."""


@dataclass(frozen=True, slots=True)
class DocumentDiff:
    """What to write of one object: `outcome` to the catalog, `row` to the landing; None where there is nothing.

    `fingerprint` and `content_key` are the new ones of a document that is otherwise unchanged. `readers` are who may
    read a document that was read, and `revoked` the reader tokens that it has lost by this.
    """

    kind: ChangeKind
    outcome: Outcome | None = None
    row: Row | None = None
    fingerprint: str | None = None
    content_key: str | None = None
    readers: Readers | None = None
    revoked: tuple[str, ...] = ()


def diff_item(item: ObjectItem | SameContent, state: DocumentState | None, now: datetime) -> DocumentDiff:
    """What `item` changes. `state` is None for an object that the catalog does not know."""
    match item:
        case SameContent():
            return _diff_same(item, state)
        case Document():
            return _diff_document(item, state, now)
        case Skipped():
            return _diff_skipped(item, state)
        case Failed():
            return _diff_failed(item, state)
        case Deleted():
            return _diff_deleted(item, state)


def _diff_document(document: Document, state: DocumentState | None, now: datetime) -> DocumentDiff:
    known = state if state and state.status != "deleted" else None
    if known and document.version == known.version and not _is_due(known, now):
        return _diff_same(document, known)
    outcome = Outcome(
        id=document.id,
        status="pending",
        title=document.title,
        url=document.url,
        version=document.version,
        landed=True,
        attempts=known.attempts if known else 0,
        updated_at=document.updated_at,
        fingerprint=document.fingerprint or None,
        content_key=document.content_key or None,
    )
    revoked = lost_tokens(state, document.readers)
    kind: ChangeKind = "changed" if known else "new"
    return DocumentDiff(kind, outcome, document, readers=Readers.of(document), revoked=revoked)


def _diff_same(item: Document | SameContent, state: DocumentState | None) -> DocumentDiff:
    """Of content that stays. Where it was not read, the transaction looks whether it is what is landed."""
    readers = Readers.of(item)
    known = state.known_readers if state else None
    return DocumentDiff(
        "unchanged" if known in (None, readers) else "changed",
        fingerprint=_if_new(item.fingerprint, state.fingerprint if state else None),
        content_key=_if_new(item.content_key, state.content_key if state else None),
        readers=readers,
        revoked=lost_tokens(state, item.readers),
    )


def _if_new(value: str, known: str | None) -> str | None:
    return value if value != (known or "") else None


def _diff_skipped(item: Skipped, state: DocumentState | None) -> DocumentDiff:
    row = _removal(item.document_id, state)
    outcome = Outcome(
        id=item.document_id,
        status="skipped",
        title=item.title,
        url=item.url,
        reason=item.reason,
        landed=row is not None,
    )
    return DocumentDiff("skipped", outcome, row, revoked=(EVERYBODY,) if row else ())


def _diff_failed(item: Failed, state: DocumentState | None) -> DocumentDiff:
    """A failed read leaves in the index what is there: the object may be as it was. Its readers may not."""
    outcome = Outcome(
        id=item.document_id,
        status="failed",
        title=item.title or (state.title if state else ""),
        url=item.url or (state.url if state else ""),
        reason=item.error,
        attempts=(state.attempts if state else 0) + 1,
        hidden=item.error if item.hides else (state.hidden if state else None),
        load=state.load if state else None,
    )
    lost = () if item.readers is None else lost_tokens(state, item.readers)
    return DocumentDiff("failed", outcome, revoked=(EVERYBODY,) if item.hides else lost)


def _diff_deleted(item: Deleted, state: DocumentState | None) -> DocumentDiff:
    """What could not be read before, and is not found now, is kept until a listing lacks it. All else is removed, and
    looked for a few times more where nobody has said that it is gone."""
    if state is None:
        return DocumentDiff("absent")
    if state.status == "deleted":
        return DocumentDiff("absent", _looked_for(item, state) if state.next_attempt else None)
    if item.is_unfound and state.status == "failed":
        return _diff_failed(Failed(item.document_id, "", UNFOUND, hides=True), state)
    row = _removal(item.document_id, state)
    outcome = Outcome(
        id=item.document_id,
        status="deleted",
        title=state.title,
        url=state.url,
        landed=row is not None,
        attempts=1 if item.is_unfound else 0,
        may_be_there=item.is_unfound,
    )
    return DocumentDiff("deleted", outcome, row, revoked=(EVERYBODY,) if row else ())


def _looked_for(item: Deleted, state: DocumentState) -> Outcome:
    """Of what was not found before, and is not there now."""
    return Outcome(
        id=state.id,
        status="deleted",
        title=state.title,
        url=state.url,
        load=state.load,
        attempts=state.attempts + 1,
        may_be_there=item.is_unfound and state.attempts < MOST_LOOKS,
    )


def lost_tokens(state: DocumentState | None, readers: Iterable[str]) -> tuple[str, ...]:
    """The reader tokens that a document had, and has no more; also one that was gone and is back, whose points may
    still be published."""
    return tuple(sorted({*(state.readers or ()), *(state.indexed_readers or ())} - set(readers))) if state else ()


def _removal(document_id: str, state: DocumentState | None) -> Deleted | None:
    """A tombstone for what may have points: indexed, or landed and perhaps being indexed when a run was killed."""
    # A reindex forgets which version was indexed, and not whom its points name.
    if state and (state.indexed_version is not None or state.load is not None or state.indexed_readers):
        return Deleted(document_id)
    return None


def _is_due(state: DocumentState, now: datetime) -> bool:
    return state.status == "failed" and (state.next_attempt is None or state.next_attempt <= now)
