"""What a connector says is compared with what the case knows of the server, and with the types of the contract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from connectors.admission import Yielded, is_encodable, wrong_fields
from connectors.contract import Membership
from connectors.model import Document
from connectors.testing.case import KnownObject
from connectors.testing.observation import Observation
from connectors.testing.promise import Promise, promise


@promise("all that is yielded has the contract's types, and its text can be encoded")
def _types(seen: Observation) -> Iterator[str]:
    entries = (entry for listed in seen.entries.values() for entry in listed)
    items = (item for read in seen.reads for item in read.items)
    for value in (*seen.units, *items, *entries, *seen.memberships):
        if not isinstance(value, Yielded):
            yield f"{value!r} is not one of the contract's"
            continue
        yield from (f"{type(value).__name__}: {wrong}" for wrong in wrong_fields(value))
        yield from (f"{text!r} cannot be encoded, in {value}" for text in _texts(value) if not is_encodable(text))


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


def _texts(value: Yielded) -> Iterator[str]:
    for field in fields(value):
        found = getattr(value, field.name)
        yield from (one for one in (found if isinstance(found, tuple) else (found,)) if isinstance(one, str))


PROMISES: tuple[Promise, ...] = (_types, _known, _content, _readers, _members)
