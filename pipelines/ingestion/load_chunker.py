"""Cuts the documents of one load: in parts, of which the process beside may have several before they are needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, cast

from connectors.contract import Deleted
from connectors.tables import parse_document
from pipelines.catalog import Load, Outcome
from pipelines.catalog.documents import DocumentState
from pipelines.catalog.outcomes import MOST_READINGS
from pipelines.chunking.isolated.limits import is_small_text
from pipelines.cutting.cut import CutDocument
from pipelines.cutting.rows import CutRows
from pipelines.errors import DocumentError, ReadingAborted
from pipelines.ingestion.cutting import cut_document
from pipelines.landing import ChunkedDocument
from pipelines.landing.chunk_rows import chunk_table
from pipelines.services import Services

if TYPE_CHECKING:
    import pyarrow as pa

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
    """Cuts the documents of one load; `problems` fills up with those that could not be cut, and `chunks` counts what
    came of the `documents` so far. Where it `records`, the catalog is told at once of those that take too much: a load
    may hold many of them. Small texts are cut `beside` this process, where that is asked for."""

    def __init__(self, services: Services, load: Load, *, records: bool = True, beside: bool = False) -> None:
        self.load = load
        self.problems: list[Outcome] = []
        self.documents = self.chunks = 0
        self._services = services
        self._records = records
        self._beside = beside
        self._states = services.catalog.documents.in_load(load.id)
        # Those that were cut while they were read, to be compared with the versions before, are not cut again.
        self._kept = frozenset(one.document_id for one in self._cut_before()) if records else frozenset[str]()

    @property
    def path(self) -> str:
        """Of the load's chunks, relative to the landing."""
        return self._services.landing.chunks_path(self.load.connection, self.load.id)

    def parts(self) -> Iterator[LoadPart]:
        """The documents that are to be cut; the first part has none, as a load may have."""
        yield LoadPart(self)
        if not self._is_cut:
            yield from map(self._part, self._services.landing.document_tables(self.load.documents_path, ROWS_PER_PART))

    def write(self, parts: Iterator[LoadPart]) -> Iterator[ChunkedDocument]:
        """The documents in chunks, those that are gone among them. The load's chunks are in the landing once the last
        has been taken."""
        if self._is_cut:
            yield from self._counted(self._cut_before())
            return
        with self._services.landing.chunk_file(self.load.connection, self.load.id) as write:
            for documents, table in self._tables(parts):
                taken: list[ChunkedDocument] = []
                for one in self._counted(documents):
                    taken.append(one)
                    yield one
                if taken:
                    write(chunk_table(taken) if table is None else table)

    def cut(self) -> Iterator[ChunkedDocument]:
        """As `write`, without writing."""
        for documents, _ in self._tables(self.parts()):
            yield from documents

    def _tables(self, parts: Iterator[LoadPart]) -> Iterator[tuple[Iterable[ChunkedDocument], pa.Table | None]]:
        """Documents in chunks, and the rows that they become where those are made already."""
        yield self._cut_before() if self._kept else (), None
        yield from map(self._cut_part, parts)

    def _part(self, table: pa.Table) -> LoadPart:
        keys = table.column("id").to_pylist()
        # Without a state: a later load holds a newer version.
        rows = table.filter([key in self._states and key not in self._kept for key in keys])
        if not self._beside:
            return LoadPart(self, rows)
        small = tuple(_are_small(rows))
        return LoadPart(self, rows, small, self._services.cutter.submit(rows.filter(list(small))))

    def _cut_part(self, part: LoadPart) -> tuple[Iterable[ChunkedDocument], pa.Table | None]:
        found = self._services.cutter.wait(part.answer) if part.answer else None
        if found and found.table is not None and all(part.small):
            return cast(list[CutDocument], found.documents), found.table
        return self._cut_one_by_one(part, found), None

    def _cut_one_by_one(self, part: LoadPart, found: CutRows | None) -> Iterator[ChunkedDocument]:
        """Those of a part, of which the process beside has `found` some: a file may take long to be read."""
        beside = iter(found.documents if found else ())
        for place, row in enumerate(part.rows.to_pylist() if part.rows is not None else ()):
            was_cut = found is not None and part.small[place]
            if one := self._document(row, next(beside) if was_cut else None):
                yield one

    def _document(self, row: dict[str, Any], found: CutDocument | DocumentError | None) -> ChunkedDocument | None:
        if isinstance(found, CutDocument):
            return found
        parsed = parse_document(row)
        if isinstance(parsed, Deleted):
            return _removal(parsed.document_id)
        try:
            if found:
                raise found
            return cut_document(self._services, parsed, row["version"], self._states[parsed.id])
        except DocumentError as error:
            self.problems.append(_problem(self._states[parsed.id], error))
            if self._records and isinstance(error, ReadingAborted):
                self._services.catalog.record_problems(self.problems[-1:])
            return _removal(parsed.id) if error.skip else None

    @property
    def _is_cut(self) -> bool:
        return bool(self._kept) and self._kept == self._states.keys()

    def _counted(self, documents: Iterable[ChunkedDocument]) -> Iterator[ChunkedDocument]:
        for one in documents:
            self.documents += 1
            self.chunks += len(one.chunks)
            yield one

    def _cut_before(self) -> Iterator[ChunkedDocument]:
        for one in self._services.landing.current_chunks_of(self.load.connection, self.load.id):
            if (state := self._states.get(one.document_id)) and state.version == one.version:
                yield one


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
