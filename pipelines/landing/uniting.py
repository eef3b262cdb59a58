"""Rows of several loads copied into one: of their documents, and of their chunks.

One load is read at a time. The copy has the columns of today: files of earlier releases lack some, and have others.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.tables import documents_schema
from pipelines.errors import LandingDamaged
from pipelines.landing.chunk_rows import chunks_schema
from pipelines.landing.files import ROWS_AT_ONCE, LandingFiles

if TYPE_CHECKING:
    import pyarrow as pa

logger = logging.getLogger(__name__)

_BYTES_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True)
class NeededRows:
    """Of which documents the rows in a file are needed."""

    path: str
    documents: Collection[str]


def copy_documents(files: LandingFiles, sources: Mapping[int, NeededRows], path: str) -> set[int]:
    """Copy what is needed of loads into a new file; returns those of which all that is needed was found."""
    copied: set[int] = set()

    def tables() -> Iterator[pa.Table]:
        for load, rows in sources.items():
            if (table := _read_documents(files, rows)) is not None:
                copied.add(load)
                yield table

    _write(files, path, documents_schema(), tables())
    return copied


def copy_chunks(files: LandingFiles, sources: Iterable[NeededRows], path: str) -> int:
    """Copy the chunks of documents into a new file; returns how many there are. Some have none."""
    import pyarrow.compute as pc

    chunks = 0

    def tables() -> Iterator[pa.Table]:
        nonlocal chunks
        for rows in sources:
            if (table := _read_chunks(files, rows)) is not None:
                chunks += pc.sum(pc.list_value_length(table.column("chunks"))).as_py() or 0
                yield table

    _write(files, path, chunks_schema(), tables())
    return chunks


def _read_chunks(files: LandingFiles, rows: NeededRows) -> pa.Table | None:
    try:
        return _read(files, rows, "document_id", chunks_schema()) if files.exists(rows.path) else None
    except LandingDamaged:
        logger.warning("%s is damaged: its chunks are made again when they are needed", rows.path)
        return None


def _read_documents(files: LandingFiles, rows: NeededRows) -> pa.Table | None:
    try:
        table = _read(files, rows, "id", documents_schema())
    except (FileNotFoundError, LandingDamaged) as error:
        logger.warning("%s is left as it is, and not united with other loads: %s", rows.path, error)
        return None
    if set(table.column("id").to_pylist()) != set(rows.documents):
        logger.warning("%s lacks documents, and is not united with other loads", rows.path)
        return None
    return table


def _read(files: LandingFiles, rows: NeededRows, column: str, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = pa.array(sorted(rows.documents), pa.string())
    tables = files.tables(rows.path, ROWS_AT_ONCE)
    needed = (table.filter(pc.is_in(table.column(column), wanted)) for table in tables)
    return pa.concat_tables([schema.empty_table(), *(_in_columns(table, schema) for table in needed)])


def _in_columns(table: pa.Table, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    known, rows = _with_texts(table), table.num_rows
    columns = (
        known.column(one.name).cast(one.type) if one.name in known.column_names else pa.nulls(rows, one.type)
        for one in schema
    )
    return pa.Table.from_arrays(list(columns), schema=schema)


def _with_texts(table: pa.Table) -> pa.Table:
    """Loads that were written before there was `text` hold everything as bytes."""
    import pyarrow.compute as pc

    if "is_text" not in table.column_names:
        return table
    is_text, content = table.column("is_text"), table.column("content")
    texts, of_files = (pc.if_else(one, content, None) for one in (is_text, pc.invert(is_text)))
    place = table.column_names.index("content")
    return table.set_column(place, "content", of_files).append_column("text", texts.cast("string"))


def _write(files: LandingFiles, path: str, schema: pa.Schema, tables: Iterable[pa.Table]) -> None:
    import pyarrow.parquet as pq

    with files.atomic(path) as file, pq.ParquetWriter(file, schema) as writer:
        for table in _gathered(tables):
            writer.write_table(table)


def _gathered(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in larger tables: each becomes a group of its own, with what is said about its columns."""
    import pyarrow as pa

    some: list[pa.Table] = []
    rows = size = 0
    for table in tables:
        some.append(table)
        rows, size = rows + table.num_rows, size + table.nbytes
        if rows >= ROWS_AT_ONCE or size >= _BYTES_AT_ONCE:
            yield pa.concat_tables(some)
            some, rows, size = [], 0, 0
    if some:
        yield pa.concat_tables(some)
