"""Chunks the documents of one load: in parts, of which the process beside may have several before they are needed."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, cast

from connectors.contract import Deleted
from connectors.tables import parse_document
from pipelines.bulk_chunking.rows import BulkAnswer, VectorizedDocument
from pipelines.catalog import Load, Outcome
from pipelines.catalog.documents import DocumentState
from pipelines.catalog.outcomes import MOST_READINGS
from pipelines.chunking.isolated.limits import is_small_text
from pipelines.errors import DocumentError, LandingDamaged, ReadingAborted
from pipelines.ingestion.version_chunking import chunk_version
from pipelines.landing import ChunkedDocument
from pipelines.landing.chunk_rows import chunk_table
from pipelines.services import Services

if TYPE_CHECKING:
    import pyarrow as pa

logger = logging.getLogger(__name__)

ROWS_PER_PART = 100


@dataclass(frozen=True, slots=True)
class LoadPart:
    """Some documents of a load, in their order; `small` says which of them the process beside has, which gives the
    `answer`."""

    chunker: LoadChunker
    rows: pa.Table | None = None
    small: tuple[bool, ...] = ()
    answer: Future[pa.Table] | None = None


class LoadChunker:
    """Chunks the documents of one load; `problems` fills up with those that could not be chunked, and `chunks` counts
    what came of the `documents` so far. Where it `records`, the catalog is told at once of those that take too much: a
    load may hold many of them. Small texts are chunked `beside` this process, where that is asked for."""

    def __init__(self, services: Services, load: Load, *, records: bool = True, beside: bool = False) -> None:
        self.load = load
        self.problems: list[Outcome] = []
        self.documents = self.chunks = 0
        self._services = services
        self._records = records
        self._beside = beside
        self._states = services.catalog.documents.in_load(load.id)
        # Those that were chunked while they were read, to be compared with the versions before, are not chunked again.
        self._kept = frozenset(one.document_id for one in self._chunked_before()) if records else frozenset[str]()

    @property
    def path(self) -> str:
        """Of the load's chunks, relative to the landing."""
        return self._services.landing.chunks_path(self.load.connection, self.load.id)

    def parts(self) -> Iterator[LoadPart]:
        """The documents that are to be chunked; the first part has none, as a load may have."""
        yield LoadPart(self)
        if not self._is_chunked:
            yield from map(self._part, self._services.landing.document_tables(self.load.documents_path, ROWS_PER_PART))

    def write(self, parts: Iterator[LoadPart]) -> Iterator[ChunkedDocument]:
        """The documents in chunks, those that are gone among them. The load's chunks are in the landing once the last
        has been taken."""
        if self._is_chunked:
            yield from self._counted(self._chunked_before())
            return
        with self._services.landing.chunk_file(self.load.connection, self.load.id) as write:
            for documents, table in self._tables(parts):
                taken: list[ChunkedDocument] = []
                for one in self._counted(documents):
                    taken.append(one)
                    yield one
                if taken:
                    write(chunk_table(taken) if table is None else table)

    def chunk(self) -> Iterator[ChunkedDocument]:
        """As `write`, without writing."""
        for documents, _ in self._tables(self.parts()):
            yield from documents

    def _tables(self, parts: Iterator[LoadPart]) -> Iterator[tuple[Iterable[ChunkedDocument], pa.Table | None]]:
        """Documents in chunks, and the rows that they become where those are made already."""
        yield self._chunked_before() if self._kept else (), None
        yield from map(self._chunk_part, parts)

    def _part(self, table: pa.Table) -> LoadPart:
        keys = table.column("id").to_pylist()
        # Without a state: a later load holds a newer version.
        rows = table.filter([key in self._states and key not in self._kept for key in keys])
        if not self._beside:
            return LoadPart(self, rows)
        small = tuple(_are_small(rows))
        return LoadPart(self, rows, small, self._services.bulk_chunker.submit(rows.filter(list(small))))

    def _chunk_part(self, part: LoadPart) -> tuple[Iterable[ChunkedDocument], pa.Table | None]:
        found = self._services.bulk_chunker.wait(part.answer) if part.answer else None
        if found and found.table is not None and all(part.small):
            return cast(list[VectorizedDocument], found.documents), found.table
        return self._one_by_one(part, found), None

    def _one_by_one(self, part: LoadPart, found: BulkAnswer | None) -> Iterator[ChunkedDocument]:
        """Those of a part, of which the process beside has `found` some: a file may take long to be read."""
        beside = iter(found.documents if found else ())
        for place, row in enumerate(part.rows.to_pylist() if part.rows is not None else ()):
            was_chunked = found is not None and part.small[place]
            if one := self._document(row, next(beside) if was_chunked else None):
                yield one

    def _document(
        self, row: dict[str, Any], found: VectorizedDocument | DocumentError | None
    ) -> ChunkedDocument | None:
        if isinstance(found, VectorizedDocument):
            return found
        parsed = parse_document(row)
        if isinstance(parsed, Deleted):
            return _removal(parsed.document_id)
        try:
            if found:
                raise found
            return chunk_version(self._services, parsed, row["version"], self._states[parsed.id])
        except DocumentError as error:
            self.problems.append(_problem(self._states[parsed.id], error))
            if self._records and isinstance(error, ReadingAborted):
                self._services.catalog.record_problems(self.problems[-1:])
            return _removal(parsed.id) if error.skip else None

    @property
    def _is_chunked(self) -> bool:
        return bool(self._kept) and self._kept == self._states.keys()

    def _counted(self, documents: Iterable[ChunkedDocument]) -> Iterator[ChunkedDocument]:
        for one in documents:
            self.documents += 1
            self.chunks += len(one.chunks)
            yield one

    def _chunked_before(self) -> Iterator[ChunkedDocument]:
        for one in self._services.landing.current_chunks_of(self.load.connection, self.load.id):
            if (state := self._states.get(one.document_id)) and state.version == one.version:
                yield one


def landed_chunks(services: Services, load: Load) -> Iterator[ChunkedDocument]:
    """The documents of a chunked load. Where the file with their chunks is gone or damaged, what it does not give is
    chunked once more from the load's documents, and the file is written anew.

    Raises LandingDamaged and FileNotFoundError, which are about the documents then.
    """
    taken: set[str] = set()
    try:
        for one in services.landing.read_chunks(load.chunks_path or ""):
            taken.add(one.document_id)
            yield one
    except (LandingDamaged, FileNotFoundError) as error:
        logger.warning("%s: its documents are chunked once more: %s", load.chunks_path, error)
        yield from (one for one in _chunk_again(services, load) if one.document_id not in taken)


def _chunk_again(services: Services, load: Load) -> Iterator[ChunkedDocument]:
    chunker = LoadChunker(services, load)
    yield from chunker.write(chunker.parts())
    services.catalog.commit_chunks(load, chunker.path, chunker.chunks, chunker.problems)


def _are_small(rows: pa.Table) -> Iterator[bool]:
    """Which rows hold small texts. Loads of earlier releases hold texts as bytes: none there."""
    import pyarrow.compute as pc

    if "text" not in rows.column_names:
        yield from repeat(False, rows.num_rows)
        return
    lengths = pc.binary_length(rows.column("text")).to_pylist()
    for length, content_type in zip(lengths, rows.column("content_type").to_pylist(), strict=True):
        yield length is not None and is_small_text(content_type, length)


def _removal(document_id: str) -> ChunkedDocument:
    return ChunkedDocument(document_id, None, {}, ())


def _problem(state: DocumentState, error: DocumentError) -> Outcome:
    return Outcome(
        id=state.id,
        status="skipped" if error.skip else "failed",
        reason=error.reason,
        attempts=0 if error.skip else state.attempts + 1,
        retries=not isinstance(error, ReadingAborted) or state.attempts + 1 < MOST_READINGS,
    )
