"""Documents, memberships and units as rows of tables: the one definition of their columns.

documents    one row for each document, or one for each version where rows are only appended
memberships  one row for each person in a group
units        one row for each unit that the connection reads
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from connectors.contract import Deleted, Membership
from connectors.model import Document, Parent, Unit, group_token
from connectors.settings import Connection

if TYPE_CHECKING:
    import pyarrow as pa

DOCUMENTS = "documents"
MEMBERSHIPS = "memberships"
UNITS = "units"
ROWS_PER_BATCH = 200
BYTES_PER_BATCH = 8_000_000
"""A batch ends at the first row past one of these: files may have many megabytes each."""

Row: TypeAlias = Document | Deleted
"""A document version, or a tombstone."""

_SAME_TEXTS = ("id", "source", "connection", "unit", "kind", "title", "url", "content_type", "author")
_SAME_TIMES = ("created_at", "updated_at")
"""Columns that hold a document's attribute of the same name as it is."""


def documents_schema() -> pa.Schema:
    """Columns of `documents`. A tombstone has `id`, `removed` and `sequence` only.

    `text` holds a content that is `str`, and `content` one that is the bytes of a file. `sequence` counts the rows of
    one read: of two with the same id, the later one is right. `version` is `Document.version`.
    """
    import pyarrow as pa

    time = pa.timestamp("us", tz="UTC")
    parent = pa.struct([("id", pa.string()), ("title", pa.string())])
    return pa.schema(
        [
            *((name, pa.string()) for name in (*_SAME_TEXTS, "version", "text")),
            ("content", pa.binary()),
            *((name, time) for name in _SAME_TIMES),
            ("parents", pa.list_(parent)),
            *((name, pa.list_(pa.string())) for name in ("tags", "readers")),
            ("removed", pa.bool_()),
            ("sequence", pa.int64()),
        ]
    )


def memberships_schema() -> pa.Schema:
    """Columns of `memberships`. `reader` is the group's token, as in the `readers` of documents."""
    import pyarrow as pa

    return pa.schema([(name, pa.string()) for name in ("connection", "group_id", "email", "reader")])


def units_schema() -> pa.Schema:
    """Columns of `units`."""
    import pyarrow as pa

    names = ("id", "source", "connection", "name", "url")
    return pa.schema([*((name, pa.string()) for name in names), ("readers", pa.list_(pa.string()))])


def document_batches(rows: Iterable[Row]) -> Iterator[pa.Table]:
    """Rows of `documents` in batches that bound memory."""
    import pyarrow as pa

    schema = documents_schema()
    batch: list[dict[str, Any]] = []
    size = 0
    for sequence, row in enumerate(rows):
        batch.append({**_as_dict(row), "sequence": sequence})
        size += len(row.content) if isinstance(row, Document) else 0
        if len(batch) >= ROWS_PER_BATCH or size >= BYTES_PER_BATCH:
            yield pa.Table.from_pylist(batch, schema=schema)
            batch, size = [], 0
    if batch:
        yield pa.Table.from_pylist(batch, schema=schema)


def membership_table(connection: Connection, memberships: Iterable[Membership]) -> pa.Table:
    """All rows of `memberships`."""
    import pyarrow as pa

    rows = [
        {"connection": connection.id, "group_id": one.group, "email": one.email}
        | {"reader": group_token(connection.id, one.group)}
        for one in memberships
    ]
    return pa.Table.from_pylist(rows, schema=memberships_schema())


def unit_table(connection: Connection, units: Iterable[Unit]) -> pa.Table:
    """All rows of `units`."""
    import pyarrow as pa

    rows = [
        {"id": unit.id, "source": connection.source, "connection": connection.id, "name": unit.name, "url": unit.url}
        | {"readers": list(unit.readers)}
        for unit in units
    ]
    return pa.Table.from_pylist(rows, schema=units_schema())


def parse_document(row: dict[str, Any]) -> Row:
    """The inverse of what `document_batches` makes of one row."""
    if row["removed"]:
        return Deleted(row["id"])
    return Document(
        **{name: row[name] for name in (*_SAME_TEXTS, *_SAME_TIMES)},
        content=_content(row),
        parents=tuple(Parent(**parent) for parent in row["parents"]),
        tags=tuple(row["tags"]),
        readers=tuple(row["readers"]),
    )


def as_landed(document: Document) -> Document:
    """A document as `parse_document` gives it back: with times in UTC, and without half characters in its text."""
    is_text = isinstance(document.content, str)
    return replace(
        document,
        content=document.content_bytes.decode() if is_text else document.content,
        created_at=_in_utc(document.created_at),
        updated_at=_in_utc(document.updated_at),
    )


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None


def _content(row: dict[str, Any]) -> str | bytes:
    if row.get("is_text"):  # loads written before there was `text` hold everything as bytes
        return bytes(row["content"]).decode()
    content: str | bytes = row["content"] if row.get("text") is None else row["text"]
    return content


def _as_dict(row: Row) -> dict[str, Any]:
    if isinstance(row, Deleted):
        return {"id": row.document_id, "removed": True}
    return {
        **{name: getattr(row, name) for name in (*_SAME_TEXTS, *_SAME_TIMES)},
        # Arrow takes the bytes of a text for the text: half a surrogate pair, which it refuses, is replaced in them.
        "text" if isinstance(row.content, str) else "content": row.content_bytes,
        "version": row.version,
        "removed": False,
        "parents": [{"id": parent.id, "title": parent.title} for parent in row.parents],
        "tags": list(row.tags),
        "readers": list(row.readers),
    }
