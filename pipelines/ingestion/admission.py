"""The gate of the landing: an item that does not fit the contract is its object's failure, with the reason. Pure.

Connectors are plugins, and a wrong one must harm nobody but itself: what it says of another connection's objects
never reaches their rows in the ledger, and what the later stages cannot take never reaches the landing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias

from connectors.contract import ID_PATH, Deleted, Failed, Skipped, id_prefix
from connectors.fingerprints import fingerprint
from connectors.model import Document, Parent, Unit
from connectors.settings import Connection
from pipelines.catalog.documents import NOT_ADMITTED

ObjectItem: TypeAlias = Document | Skipped | Failed | Deleted

_TEXTS = ("kind", "title", "url", "content_type", "author", "fingerprint")
_OTHER_TEXTS = ("title", "reason", "error", "url")


@dataclass(frozen=True, slots=True)
class Admission:
    """Looks at the items of one unit as they come."""

    connection: Connection
    unit: Unit

    def admit(self, item: ObjectItem) -> ObjectItem:
        """The item itself where it fits, else the failure of its object."""
        if not isinstance(item, Document | Skipped | Failed | Deleted):
            return self._refused(repr(item), item, f"an item of type {type(item).__name__} is none of the contract's")
        document_id = item.id if isinstance(item, Document) else item.document_id
        if reason := self._wrong_id(document_id):
            return self._refused(document_id, item, reason)
        reason = self._wrong_document(item) if isinstance(item, Document) else _wrong_outcome(item)
        if reason:
            return Failed(document_id, _text(item, "title"), f"not admitted: {reason}", _text(item, "url"))
        return _with_whole_characters(item)

    @property
    def _prefix(self) -> str:
        return id_prefix(self.connection.source, self.connection.id)

    def _refused(self, document_id: object, item: object, reason: str) -> Failed:
        """A failure under an id of this connection and unit, the same each time, for what has none of its own."""
        own = f"{self._prefix}{NOT_ADMITTED}{fingerprint([self.unit.id, str(document_id)])}"
        return Failed(own, _text(item, "title"), _encodable(f"not admitted: {reason}"))

    def _wrong_id(self, document_id: object) -> str:
        if not isinstance(document_id, str):
            return f"the id is of type {type(document_id).__name__}, and must be a str"
        if not document_id.startswith(self._prefix):
            return f"the id {_shortened(document_id)} must begin with {self._prefix!r}"
        if not ID_PATH.fullmatch(document_id, len(self._prefix)):
            return f"the id {_shortened(document_id)} must have a path without control characters or half ones"
        return ""

    def _wrong_document(self, document: Document) -> str:
        expected = (self.connection.source, self.connection.id, self.unit.id)
        if (document.source, document.connection, document.unit) != expected:
            names = zip(("source", "connection", "unit"), expected, strict=True)
            wrong = [(name, value) for name, value in names if getattr(document, name) != value]
            return "; ".join(f"{name} is {getattr(document, name)!r}, and must be {value!r}" for name, value in wrong)
        return _wrong_time(document) or _wrong_type(document)


def _wrong_time(document: Document) -> str:
    for name in ("created_at", "updated_at"):
        moment = getattr(document, name)
        if moment is None:
            continue
        if not isinstance(moment, datetime):
            return f"{name} is of type {type(moment).__name__}, and must be a datetime"
        if moment.utcoffset() is None:
            return f"{name} is {moment.isoformat()}, and must have a time zone"
    return ""


def _wrong_type(document: Document) -> str:
    if not isinstance(document.content, str | bytes):
        return f"content is of type {type(document.content).__name__}, and must be str or bytes"
    if not (_are(str, document.tags) and _are(str, document.readers)):
        return "tags and readers must be tuples of str"
    if not _are(Parent, document.parents):
        return "parents must be a tuple of Parent"
    if not _are(str, tuple(text for one in document.parents for text in (one.id, one.title))):
        return "ids and titles of parents must be str"
    if not all(map(_is_encodable, document.readers)):
        return "readers must be texts that UTF-8 can hold"
    return _wrong_texts(document, _TEXTS)


def _wrong_outcome(item: Skipped | Failed | Deleted) -> str:
    if isinstance(item, Failed) and item.readers is not None and not _are(str, item.readers):
        return "readers must be a tuple of str"
    return _wrong_texts(item, _OTHER_TEXTS)


def _wrong_texts(item: object, names: tuple[str, ...]) -> str:
    for name in names:
        if not isinstance(value := getattr(item, name, ""), str):
            return f"{name} is of type {type(value).__name__}, and must be a str"
    return ""


def _are(kind: type, values: object) -> bool:
    return isinstance(values, tuple) and all(isinstance(value, kind) for value in values)


def _text(item: object, name: str) -> str:
    value = getattr(item, name, "")
    return _encodable(value) if isinstance(value, str) else ""


def _with_whole_characters(item: ObjectItem) -> ObjectItem:
    """The item with `?` for each half of a character: JSON can spell one, and no encoding can hold it."""
    names = _TEXTS if isinstance(item, Document) else _OTHER_TEXTS
    mended: dict[str, Any] = {
        name: _encodable(text) for name in names if not _is_encodable(text := getattr(item, name, ""))
    }
    if isinstance(item, Document):
        if not all(map(_is_encodable, item.tags)):
            mended["tags"] = tuple(map(_encodable, item.tags))
        if not all(_is_encodable(one.id) and _is_encodable(one.title) for one in item.parents):
            mended["parents"] = tuple(Parent(_encodable(one.id), _encodable(one.title)) for one in item.parents)
    return replace(item, **mended) if mended else item


def _is_encodable(text: str) -> bool:
    return text.isascii() or _encodable(text) == text


def _encodable(text: str) -> str:
    return text.encode(errors="replace").decode()


def _shortened(document_id: str) -> str:
    return repr(document_id if len(document_id) <= 200 else f"{document_id[:200]}…")
