"""What a connector says is compared with what the case knows of the server, and with the types of the contract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, get_args, get_origin, get_type_hints

from connectors.contract import Checkpoint, Deleted, Failed, ListingEntry, Membership, Skipped, UnreadableGroup
from connectors.model import Document, Parent, Unit
from connectors.testing.case import KnownObject
from connectors.testing.observation import Observation
from connectors.testing.promise import Promise, promise

VALUES = (Unit, Document, Skipped, Failed, Deleted, Checkpoint, ListingEntry, Membership, UnreadableGroup)
"""All that a connector yields, beside findings."""


@promise("all that is yielded has the contract's types, and its text can be encoded")
def _types(seen: Observation) -> Iterator[str]:
    entries = (entry for listed in seen.entries.values() for entry in listed)
    items = (item for read in seen.reads for item in read.items)
    for value in (*seen.units, *items, *entries, *seen.memberships):
        if isinstance(value, VALUES):
            yield from _wrong_fields(value)
        else:
            yield f"{value!r} is none of the contract's"


@promise("what the server is known to hold is read, with its unit and times")
def _known(seen: Observation) -> Iterator[str]:
    found = {key: item for read in seen.reads for key, item in read.objects.items()}
    if not seen.case.known:
        yield "the case knows no object: it needs one at least"
    for known in seen.case.known:
        item = found.get(known.document_id)
        if not isinstance(item, Document):
            yield f"{known.document_id} is {item}"
        elif (item.unit, item.created_at, item.updated_at) != (known.unit, known.created_at, known.updated_at):
            yield f"{item.id}: {item.unit}, {item.created_at}, {item.updated_at}; known: {known}"


@promise("what the server is known to hold has its title and content")
def _content(seen: Observation) -> Iterator[str]:
    for known, document in _known_documents(seen):
        if document.title != known.title:
            yield f"{document.id}: the title is {document.title!r}, and should be {known.title!r}"
        if not known.content or known.content.encode() not in document.content_bytes:
            yield f"{document.id}: {known.content!r} is not in {document.content!r}"


@promise("what the server is known to hold is read by those whom the server lets read it")
def _readers(seen: Observation) -> Iterator[str]:
    for known, document in _known_documents(seen):
        if set(document.readers) != set(known.readers):
            yield f"{document.id}: read by {sorted(document.readers)}, and should be by {sorted(known.readers)}"


@promise("people are members of the groups that the server has them in")
def _members(seen: Observation) -> Iterator[str]:
    found = {one for one in seen.memberships if isinstance(one, Membership)}
    for lost in seen.case.memberships - found:
        yield f"{lost} is missing"
    for other in found - seen.case.memberships:
        yield f"{other} is none of the server's"


def _known_documents(seen: Observation) -> Iterator[tuple[KnownObject, Document]]:
    documents = {document.id: document for document in seen.documents}
    for known in seen.case.known:
        if document := documents.get(known.document_id):
            yield known, document


def _wrong_fields(value: Any) -> Iterator[str]:
    hints = get_type_hints(type(value))
    for field in fields(value):
        found, expected = getattr(value, field.name), hints[field.name]
        if not _fits(found, expected):
            yield f"{type(value).__name__}.{field.name} is {found!r}, and should be of type {expected}"
        elif unencodable := [text for text in _texts(found) if not _is_encodable(text)]:
            yield f"{type(value).__name__}.{field.name} cannot be encoded: {unencodable!r}"


def _fits(value: object, expected: Any) -> bool:
    """Of the annotations, what the contract uses: classes, unions of them, tuples of one, and JSON objects."""
    if get_origin(expected) is tuple:
        return isinstance(value, tuple) and all(_fits(one, get_args(expected)[0]) for one in value)
    if expected is Parent:
        return isinstance(value, Parent) and not list(_wrong_fields(value))
    return isinstance(value, get_origin(expected) if get_origin(expected) is dict else expected)


def _texts(value: object) -> list[str]:
    return [one for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, str)]


def _is_encodable(text: str) -> bool:
    return text.encode(errors="replace").decode() == text


PROMISES: tuple[Promise, ...] = (_types, _known, _content, _readers, _members)
