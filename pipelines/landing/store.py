"""The landing: what was read and what it was cut into, as Parquet on a local disk or in S3.

<url>/<connection>/documents/<load>.<file>.parquet     by dlt, append-only
<url>/chunks/<connection>/<load>.parquet               one file per load
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.dlt_source import landing_source
from connectors.tables import DOCUMENTS, Row, parse_document
from pipelines.errors import HeadraceError
from pipelines.landing.chunk_rows import ChunkedDocument, chunk_table, chunks_schema, parse_chunks
from pipelines.settings import Settings

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_ROWS_AT_ONCE = 200


class Landing:
    def __init__(self, settings: Settings) -> None:
        self._directory = settings.directory
        self._settings = settings.landing
        self._work = settings.state_path / "work"
        self._filesystem: AbstractFileSystem | None = None

    def write_documents(self, source: str, connection: str, unit: str, rows: Iterable[Row]) -> str:
        """Load rows through the unit's dlt pipeline; returns the path of the file they are in."""
        import dlt

        dlt.config["runtime.dlthub_telemetry"] = False
        dlt.config["data_writer.disable_compression"] = True
        with self._working_directory() as directory:
            pipeline = dlt.pipeline(
                _pipeline_name(connection, unit),
                destination=self._destination(),
                dataset_name=connection.replace("-", "_"),
                pipelines_dir=str(directory),
            )
            # Cursors are kept in the catalog, together with what was read up to them.
            pipeline.config.restore_from_destination = False
            info = pipeline.run(landing_source(source, rows), loader_file_format="parquet")
            info.raise_on_failed_jobs()
            return self._path_of_load(info, pipeline.dataset_name)

    def read_documents(self, path: str) -> Iterator[tuple[Row, str | None]]:
        """Rows of a load, each with its version; None for a tombstone."""
        for row in self._rows(path):
            yield parse_document(row), row["version"]

    def write_chunks(self, connection: str, load: int, documents: Iterable[ChunkedDocument]) -> tuple[str, int]:
        """Write the chunks of a load; returns the file's path and how many there are.

        The file appears whole or not at all, under a name that a repetition overwrites.
        """
        import pyarrow.parquet as pq

        path = f"chunks/{connection}/{load}.parquet"
        chunks = 0
        with self._atomic_file(path) as file, pq.ParquetWriter(file, chunks_schema()) as writer:
            for batch in _batches(documents):
                chunks += sum(len(document.chunks) for document in batch)
                writer.write_table(chunk_table(batch))
        return path, chunks

    def read_chunks(self, path: str) -> Iterator[ChunkedDocument]:
        """What `write_chunks` wrote."""
        for row in self._rows(path):
            yield parse_chunks(row)

    @property
    def _root(self) -> str:
        url = self._settings.url
        if url.startswith("s3://"):
            return url.removeprefix("s3://").rstrip("/")
        return str((self._directory / url.removeprefix("file://")).absolute())

    @property
    def _files(self) -> AbstractFileSystem:
        if self._filesystem is None:
            import fsspec

            if self._settings.url.startswith("s3://"):
                self._filesystem = fsspec.filesystem("s3", **self._aws().to_s3fs_credentials())
            else:
                self._filesystem = fsspec.filesystem("file", auto_mkdir=True)
        return self._filesystem

    def _destination(self) -> Any:
        from dlt.destinations import filesystem

        if self._settings.url.startswith("s3://"):
            return filesystem(bucket_url=self._settings.url, credentials=self._aws())
        return filesystem(bucket_url=Path(self._root).as_uri())

    def _aws(self) -> Any:
        """Credentials as boto3 finds them: environment, profile, instance role."""
        import boto3
        from dlt.common.configuration.specs import AwsCredentials

        credentials = AwsCredentials.from_session(boto3.Session())
        credentials.endpoint_url = self._settings.endpoint_url
        return credentials

    @contextmanager
    def _working_directory(self) -> Iterator[Path]:
        """A folder for one run: two runs that share dlt's would lose rows. Removes those of dead processes."""
        import psutil

        self._work.mkdir(parents=True, exist_ok=True)
        for left in self._work.iterdir():
            if not psutil.pid_exists(int(left.name.split("-")[0])):
                shutil.rmtree(left, ignore_errors=True)
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
            raise HeadraceError(f"dlt wrote {len(jobs)} files into {self._root}/{dataset}/{DOCUMENTS}, expected one")
        load_id, file = jobs[0]
        return f"{dataset}/{DOCUMENTS}/{load_id}.{file.file_id}.{file.file_format}"

    @contextmanager
    def _atomic_file(self, path: str) -> Iterator[Any]:
        if self._settings.url.startswith("s3://"):  # S3 shows an object only once it is complete
            with self._files.open(f"{self._root}/{path}", "wb") as file:
                yield file
            return
        target = Path(self._root) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(f".{os.getpid()}.part")
        with part.open("wb") as file:
            yield file
        part.replace(target)

    def _rows(self, path: str) -> Iterator[dict[str, Any]]:
        import pyarrow.parquet as pq

        with self._files.open(f"{self._root}/{path}", "rb") as file, pq.ParquetFile(file) as parquet:
            for batch in parquet.iter_batches(batch_size=_ROWS_AT_ONCE):
                yield from batch.to_pylist()


def _pipeline_name(connection: str, unit: str) -> str:
    """A name that stays the same for a unit, and that dlt takes: the unit's own may hold any character."""
    readable = re.sub(r"[^a-z0-9]+", "_", f"{connection}_{unit}".lower()).strip("_")
    digest = hashlib.sha256(f"{connection}/{unit}".encode()).hexdigest()
    return f"{readable[:48]}_{digest[:8]}"


def _batches(documents: Iterable[ChunkedDocument]) -> Iterator[list[ChunkedDocument]]:
    remaining = iter(documents)
    while batch := list(islice(remaining, _ROWS_AT_ONCE)):
        yield batch
