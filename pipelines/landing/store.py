"""The landing: what was read and its chunks, as Parquet on a local disk or in S3.

<url>/<connection>/documents/<load>.<file>.parquet     by dlt; one file per load, of one unit
<url>/chunks/<connection>/<load>.parquet               one file per load
<url>/scans/<connection>/…                             what an API has read on pages that are pictures

Loads are only added, until retention takes rows out that nothing needs any more, and `purge` all of a unit.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.dlt_source import landing_source
from connectors.tables import DOCUMENTS, Row, parse_document
from pipelines.chunking.windows import WINDOW_TOKENS, embedded_texts
from pipelines.errors import HeadraceError, LandingDamaged
from pipelines.landing.chunk_rows import chunk_table, chunks_schema, is_current, parse_chunks
from pipelines.landing.chunked_document import ChunkedDocument
from pipelines.landing.dlt_settings import own_dlt_settings
from pipelines.landing.files import ROWS_AT_ONCE, LandingFiles
from pipelines.landing.scans import ScanCache
from pipelines.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa


logger = logging.getLogger(__name__)


class Landing:
    def __init__(self, settings: Settings) -> None:
        self._url = settings.landing.url
        self._work = settings.state_path / "work"
        self.files = LandingFiles(settings.directory, settings.landing)
        self.scans = ScanCache(self.files)

    def write_documents(self, source: str, connection: str, unit: str, rows: Iterable[Row]) -> str:
        """Load rows through the unit's dlt pipeline; returns the path of the file they are in."""
        import dlt

        with self._working_directory() as directory, own_dlt_settings():
            pipeline = dlt.pipeline(
                _pipeline_name(connection, unit),
                destination=self._destination(),
                dataset_name=dataset_name(connection),
                pipelines_dir=str(directory),
            )
            # Cursors are kept in the catalog, together with what was read up to them.
            pipeline.config.restore_from_destination = False
            info = pipeline.run(landing_source(source, rows), loader_file_format="parquet")
            info.raise_on_failed_jobs()
            return self._path_of_load(info, pipeline.dataset_name)

    def read_documents(self, path: str) -> Iterator[tuple[Row, str | None]]:
        """Rows of a load, each with its version; None for a tombstone."""
        for row in self.files.rows(path):
            yield parse_document(row), row["version"]

    def document_tables(self, path: str, rows: int) -> Iterator[pa.Table]:
        """The rows of a load as they are, so many at a time."""
        return self.files.tables(path, rows)

    def write_chunks(self, connection: str, load: int, documents: Iterable[ChunkedDocument]) -> tuple[str, int]:
        """Write the chunks of a load; returns the file's path and how many there are. See `chunk_file`."""
        chunks = 0
        with self.chunk_file(connection, load) as write:
            for batch in _batches(documents):
                chunks += sum(len(document.chunks) for document in batch)
                write(chunk_table(batch))
        return self.chunks_path(connection, load), chunks

    @contextmanager
    def chunk_file(self, connection: str, load: int) -> Iterator[Callable[[pa.Table], None]]:
        """Writes the chunks of a load, table by table. The file appears whole, at the end of the context, or not at
        all, under a name that a repetition overwrites."""
        import pyarrow.parquet as pq

        path = self.chunks_path(connection, load)
        with self.files.atomic(path) as file, pq.ParquetWriter(file, chunks_schema()) as writer:
            yield writer.write_table

    def read_chunks(self, path: str) -> Iterator[ChunkedDocument]:
        """What `write_chunks` wrote."""
        for row in self.files.rows(path):
            yield parse_chunks(row)

    @staticmethod
    def chunks_path(connection: str, load: int) -> str:
        """The file with the chunks of a load."""
        return f"chunks/{connection}/{load}.parquet"

    def texts_of(
        self, connection: str, load: int, documents: Collection[str] | None = None
    ) -> Iterator[tuple[str, str]]:
        """Title and each text, whole and in windows, that is embedded of a load's chunks, or of these documents'."""
        for document in self.chunks_of(connection, load, documents):
            title = document.payload.get("title", "")
            for chunk in document.chunks:
                whole, parts = chunk.embedded_text, embedded_texts(chunk, WINDOW_TOKENS)
                yield from ((title, text) for text in dict.fromkeys([whole, *parts]))

    def chunks_of(
        self, connection: str, load: int, documents: Collection[str] | None = None
    ) -> Iterator[ChunkedDocument]:
        """What the documents of a load, or these of them, have become; nothing where they were not chunked yet."""
        yield from map(parse_chunks, self._chunk_rows(connection, load, documents))

    def current_chunks_of(self, connection: str, load: int) -> Iterator[ChunkedDocument]:
        """As `chunks_of`, without documents that would be chunked otherwise today."""
        yield from map(parse_chunks, filter(is_current, self._chunk_rows(connection, load)))

    def remove_chunks(self, connection: str, load: int, documents: Collection[str]) -> None:
        """Remove the chunks of these documents of a load; where the file is damaged, all, which can be made again."""
        path = self.chunks_path(connection, load)
        try:
            self.files.remove_rows(path, "document_id", documents)
        except LandingDamaged:
            logger.warning("%s is damaged, and removed", path)
            self.files.remove(path)

    def data_files(self, connection: str | None = None, older_than: timedelta = timedelta()) -> Iterator[str]:
        """Files with documents and chunks, of one connection or of all, last written that long ago; of one connection
        also those of scans."""
        datasets = f"{dataset_name(connection)}/{DOCUMENTS}" if connection else ""
        chunks = f"chunks/{connection}" if connection else ""
        for path in self.files.list(datasets, older_than):
            if f"/{DOCUMENTS}/" in path or (not connection and path.startswith("chunks/")):
                yield path
        if connection:
            yield from self.files.list(chunks, older_than)
            yield from self.files.list(f"scans/{connection}", older_than)

    def remove_leftovers(self) -> None:
        """Remove what processes that died while they were loading have left in their working folders."""
        import psutil

        self._work.mkdir(parents=True, exist_ok=True)
        for left in self._work.iterdir():
            if not psutil.pid_exists(int(left.name.split("-")[0])):
                shutil.rmtree(left, ignore_errors=True)

    def _chunk_rows(
        self, connection: str, load: int, documents: Collection[str] | None = None
    ) -> Iterator[dict[str, Any]]:
        path = self.chunks_path(connection, load)
        if not self.files.exists(path):
            return
        try:
            yield from self.files.rows(path, documents=documents)
        except LandingDamaged:
            logger.warning("%s is damaged: what it held is made again from its documents when it is needed", path)

    def _destination(self) -> Any:
        from pipelines.landing.destination import LandingDestination

        if self.files.in_s3:
            return LandingDestination(bucket_url=self._url, credentials=self.files.aws())
        return LandingDestination(bucket_url=Path(self.files.root).as_uri())

    @contextmanager
    def _working_directory(self) -> Iterator[Path]:
        """A folder for one run: two runs that share dlt's would lose rows. Removes those of dead processes."""
        self.remove_leftovers()
        directory = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=self._work))
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def _path_of_load(self, info: Any, dataset: str) -> str:
        jobs = [
            (package.load_id, job.job_file_info)
            for package in info.load_packages
            for job in package.jobs["completed_jobs"]
            if job.job_file_info.table_name == DOCUMENTS
        ]
        if len(jobs) != 1:
            raise HeadraceError(
                f"dlt wrote {len(jobs)} files into {self.files.root}/{dataset}/{DOCUMENTS}, expected one"
            )
        load_id, file = jobs[0]
        return f"{dataset}/{DOCUMENTS}/{load_id}.{file.file_id}.{file.file_format}"


def dataset_name(connection: str) -> str:
    """The folder of a connection's loads: dlt takes no hyphens."""
    return connection.replace("-", "_")


def _pipeline_name(connection: str, unit: str) -> str:
    """A name that stays the same for a unit, and that dlt takes: the unit's own may hold any character."""
    readable = re.sub(r"[^a-z0-9]+", "_", f"{connection}_{unit}".lower()).strip("_")
    digest = hashlib.sha256(f"{connection}/{unit}".encode()).hexdigest()
    return f"{readable[:48]}_{digest[:8]}"


def _batches(documents: Iterable[ChunkedDocument]) -> Iterator[list[ChunkedDocument]]:
    remaining = iter(documents)
    while batch := list(islice(remaining, ROWS_AT_ONCE)):
        yield batch
