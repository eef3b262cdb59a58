"""Whether what a connector yields fits the contract. Pure.

Connectors are plugins, and a wrong one must harm nobody but itself: what it says of another connection's objects never
reaches their rows, and what no table or index can hold reaches neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import cache
from types import UnionType
from typing import Any, Literal, TypeAlias, get_args, get_origin, get_type_hints

from connectors.contract import (
    ID_PATH,
    Checkpoint,
    Deleted,
    DocumentReaders,
    Failed,
    ListingEntry,
    MembershipItem,
    ObjectItem,
    PartState,
    RightsItem,
    SameContent,
    Skipped,
    id_prefix,
)
from connectors.model import Document, Parent, Unit
from connectors.settings import Connection

Yielded: TypeAlias = (
    Unit
    | Document
    | DocumentReaders
    | SameContent
    | Skipped
    | Failed
    | Deleted
    | PartState
    | Checkpoint
    | ListingEntry
    | MembershipItem
)
"""All that a connector yields, beside findings."""

_TEXTS = ("kind", "title", "url", "content_type", "author", "fingerprint", "content_key")
_OTHER_TEXTS = ("title", "reason", "error", "url")
_LONGEST_ID_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Refused:
    """An item that names no object of its connection: the source cannot be asked for it again.

    `named` is what it has in place of an id, as text.
    """

    named: str
    title: str
    reason: str


def admit(item: object, connection: Connection, unit: Unit) -> ObjectItem | Refused:
    """The item itself where it fits, the failure of its object where it does not, and Refused where it names none.

    In what only people read, half a character becomes `?`: JSON can spell one, and no encoding can hold it.
    """
    if not isinstance(item, Document | Skipped | Failed | Deleted):
        return _refused(item, repr(item), f"an item of type {type(item).__name__} is not one of the contract's")
    document_id = item.id if isinstance(item, Document) else item.document_id
    if reason := wrong_id(document_id, connection):
        return _refused(item, str(document_id), reason)
    if reason := _wrong_item(item, connection, unit):
        return Failed(document_id, _text(item, "title"), f"not admitted: {reason}", _text(item, "url"))
    return _with_whole_characters(item)


def admit_rights(item: object, connection: Connection, unit: Unit) -> RightsItem | Refused:
    """As `admit`, of what is told of rights alone. Readers that do not fit are nobody."""
    if not isinstance(item, DocumentReaders):
        admitted = admit(item, connection, unit)
        return (
            _refused(item, admitted.id, "its content was not asked for") if isinstance(admitted, Document) else admitted
        )
    return _failure_of_told(item, connection) or item


def admit_change(item: object, connection: Connection, unit: Unit) -> ObjectItem | SameContent | Refused:
    """As `admit`, of what may be told without its content. Readers that do not fit are nobody."""
    if not isinstance(item, SameContent):
        return admit(item, connection, unit)
    return _failure_of_told(item, connection) or item


def _failure_of_told(item: DocumentReaders | SameContent, connection: Connection) -> Failed | Refused | None:
    if reason := wrong_id(item.document_id, connection):
        return _refused(item, str(item.document_id), reason)
    if reason := next(wrong_fields(item), "") or _wrong_readers(item) or _wrong_keys(item):
        return Failed(item.document_id, "", f"not admitted: {reason}", hides=True)
    return None


def wrong_id(document_id: object, connection: Connection) -> str:
    """Why this cannot be the id of a document of a connection; empty where it can."""
    prefix = id_prefix(connection.source, connection.id)
    if not isinstance(document_id, str):
        return f"the id is of type {type(document_id).__name__}, and must be of type str"
    if not document_id.startswith(prefix):
        return f"the id {_shortened(document_id)} must begin with {prefix!r}"
    if not ID_PATH.fullmatch(document_id, len(prefix)):
        return f"the id {_shortened(document_id)} must have a path without control characters or half ones"
    return ""


def wrong_origin(document: Document, connection: Connection, unit: Unit) -> str:
    """Where a document says that it is from elsewhere than it was read; empty where it does not."""
    expected = {"source": connection.source, "connection": connection.id, "unit": unit.id}
    return "; ".join(
        f"{name} is {found!r}, and must be {value!r}"
        for name, value in expected.items()
        if (found := getattr(document, name)) != value
    )


def wrong_fields(value: Yielded | Parent) -> Iterator[str]:
    """Which fields are not of their declared types; those of parents are looked at too."""
    model: type = type(value)  # of the union itself, mypy holds that it cannot be hashed
    for declared in _declared(model):
        found = getattr(value, declared.name)
        if not _fits(found, declared.hint):
            yield f"{declared.name} is of type {_type_of(found)}, and must be of type {declared.spelled}"
        elif declared.hint == tuple[Parent, ...]:
            yield from (f"in {declared.name}, {wrong}" for parent in found for wrong in wrong_fields(parent))


def is_encodable(text: str) -> bool:
    """Whether UTF-8 can hold a text: not where it has half of a surrogate pair."""
    return text.isascii() or _encodable(text) == text


def _wrong_item(item: ObjectItem, connection: Connection, unit: Unit) -> str:
    if not isinstance(item, Document):
        return next(wrong_fields(item), "")
    return wrong_origin(item, connection, unit) or next(wrong_fields(item), "") or _wrong_values(item)


def _wrong_values(document: Document) -> str:
    """What the types do not say."""
    for name in ("created_at", "updated_at"):
        moment: datetime | None = getattr(document, name)
        if moment is not None and moment.utcoffset() is None:
            return f"{name} is {moment.isoformat()}, and must have a time zone"
    return _wrong_readers(document)


def _wrong_readers(item: Document | DocumentReaders | SameContent) -> str:
    # Not mended as other texts are: a token that is changed may be another's.
    return "" if all(map(is_encodable, item.readers)) else "readers must be texts that UTF-8 can hold"


def _wrong_keys(item: DocumentReaders | SameContent) -> str:
    keys = (item.content_key, item.fingerprint) if isinstance(item, SameContent) else ()
    return "" if all(map(is_encodable, keys)) else "content_key and fingerprint must be texts that UTF-8 can hold"


@dataclass(frozen=True, slots=True)
class _DeclaredField:
    """`spelled` is its type as written, and `hint` as resolved."""

    name: str
    spelled: str
    hint: Any


@cache  # resolving annotations takes longer than all that is done with them
def _declared(model: type) -> tuple[_DeclaredField, ...]:
    hints = get_type_hints(model)
    return tuple(_DeclaredField(field.name, str(field.type), hints[field.name]) for field in fields(model))


def _fits(value: object, hint: Any) -> bool:
    """Of the annotations it knows what the contract uses: classes, unions, literals, tuples, JSON objects."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is UnionType:
        return any(_fits(value, one) for one in arguments)
    if origin is Literal:
        return value in arguments
    if origin is not tuple:
        return isinstance(value, origin or hint)
    if not isinstance(value, tuple):
        return False
    if arguments[-1] is Ellipsis:
        return all(_fits(one, arguments[0]) for one in value)
    return len(value) == len(arguments) and all(map(_fits, value, arguments))


def _type_of(value: object) -> str:
    if not isinstance(value, tuple):
        return type(value).__name__
    return f"tuple[{', '.join(dict.fromkeys(type(one).__name__ for one in value))}]"


def _refused(item: object, named: str, reason: str) -> Refused:
    return Refused(named, _text(item, "title"), _encodable(f"not admitted: {reason}"))


def _text(item: object, name: str) -> str:
    value = getattr(item, name, "")
    return _encodable(value) if isinstance(value, str) else ""


def _with_whole_characters(item: ObjectItem) -> ObjectItem:
    names = _TEXTS if isinstance(item, Document) else _OTHER_TEXTS
    mended: dict[str, Any] = {
        name: _encodable(text) for name in names if not is_encodable(text := getattr(item, name, ""))
    }
    if isinstance(item, Document):
        if not all(map(is_encodable, item.tags)):
            mended["tags"] = tuple(map(_encodable, item.tags))
        if not all(is_encodable(one.id) and is_encodable(one.title) for one in item.parents):
            mended["parents"] = tuple(Parent(_encodable(one.id), _encodable(one.title)) for one in item.parents)
    return replace(item, **mended) if mended else item


def _encodable(text: str) -> str:
    return text.encode(errors="replace").decode()


def _shortened(document_id: str) -> str:
    is_short = len(document_id) <= _LONGEST_ID_SHOWN
    return repr(document_id if is_short else f"{document_id[:_LONGEST_ID_SHOWN]}…")
