"""Documents as rows: the dlt source that every connector's documents go through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from connectors.contract import Deleted
from connectors.model import Document, Parent

if TYPE_CHECKING:
    import pyarrow as pa
    from dlt.sources import DltSource

TABLE = "documents"
_ROWS_PER_BATCH = 200

Row: TypeAlias = Document | Deleted
"""A document version, or a tombstone."""


def documents_source(source: str, rows: Iterable[Row]) -> DltSource:
    """dlt source named after the connector's source, with one resource: `documents`, append-only.

    Rows become Arrow batches, which dlt writes as Parquet without looking at each value.
    """
    import dlt

    @dlt.resource(name=TABLE, write_disposition="append")
    def documents() -> Iterator[pa.Table]:
        remaining = iter(rows)
        while batch := list(islice(remaining, _ROWS_PER_BATCH)):
            yield as_table(batch)

    @dlt.source(name=source, max_table_nesting=0)
    def connector_source() -> Any:
        return documents

    return connector_source()


def as_table(rows: list[Row]) -> pa.Table:
    """Rows in the landing's schema."""
    import pyarrow as pa

    return pa.Table.from_pylist([_as_dict(row) for row in rows], schema=schema())


def from_dict(row: dict[str, Any]) -> Row:
    """The inverse of what `as_table` makes of one row."""
    if row["removed"]:
        return Deleted(row["id"])
    fields = {name: row[name] for name in _COPIED}
    return Document(
        **fields,
        content=row["content"].decode() if row["is_text"] else row["content"],
        parents=tuple(Parent(**parent) for parent in row["parents"]),
        tags=tuple(row["tags"]),
        readers=tuple(row["readers"]),
    )


def schema() -> pa.Schema:
    """Columns of the landing's `documents` table."""
    import pyarrow as pa

    time = pa.timestamp("us", tz="UTC")
    parent = pa.struct([("id", pa.string()), ("title", pa.string())])
    return pa.schema(
        [
            ("id", pa.string()),
            ("version", pa.string()),
            ("removed", pa.bool_()),
            ("source", pa.string()),
            ("connection", pa.string()),
            ("unit", pa.string()),
            ("kind", pa.string()),
            ("title", pa.string()),
            ("url", pa.string()),
            ("content", pa.binary()),
            ("is_text", pa.bool_()),
            ("content_type", pa.string()),
            ("author", pa.string()),
            ("created_at", time),
            ("updated_at", time),
            ("parents", pa.list_(parent)),
            ("tags", pa.list_(pa.string())),
            ("readers", pa.list_(pa.string())),
        ]
    )


_COPIED = (
    "id",
    "source",
    "connection",
    "unit",
    "kind",
    "title",
    "url",
    "content_type",
    "author",
    "created_at",
    "updated_at",
)


def _as_dict(row: Row) -> dict[str, Any]:
    if isinstance(row, Deleted):
        return {"id": row.document_id, "removed": True}
    return {
        **{name: getattr(row, name) for name in _COPIED},
        "version": row.version,
        "removed": False,
        "content": row.content_bytes,
        "is_text": isinstance(row.content, str),
        "parents": [{"id": parent.id, "title": parent.title} for parent in row.parents],
        "tags": list(row.tags),
        "readers": list(row.readers),
    }
