"""The files of the landing: read, written whole or not at all, relieved of rows, removed."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pipelines.errors import LandingDamaged, SettingsError
from pipelines.settings import LandingSettings

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from fsspec import AbstractFileSystem

logger = logging.getLogger(__name__)

ROWS_AT_ONCE = 200


def _is_damage(error: Exception) -> bool:
    """Whether pyarrow cannot make sense of what it was given. What a disk or store says has a number, and what is said
    by pyarrow has none, though it may be an OSError as well."""
    import pyarrow as pa

    if isinstance(error, FileNotFoundError | MemoryError):
        return False
    return isinstance(error, pa.ArrowException) or (type(error) is OSError and error.errno is None)


class LandingFiles:
    """Paths are relative to the landing's root."""

    def __init__(self, directory: Path, settings: LandingSettings) -> None:
        self._directory = directory
        self._settings = settings

    @property
    def root(self) -> str:
        if self.in_s3:
            return self._settings.url.removeprefix("s3://").rstrip("/")
        return str((self._directory / self._settings.url.removeprefix("file://")).absolute())

    @property
    def in_s3(self) -> bool:
        return self._settings.url.startswith("s3://")

    def aws(self) -> Any:
        """Credentials as boto3 finds them: environment, profile, instance role."""
        import boto3
        from dlt.common.configuration.specs import AwsCredentials

        credentials = AwsCredentials.from_session(boto3.Session())
        credentials.endpoint_url = self._settings.endpoint_url
        return credentials

    def create_bucket(self) -> None:
        """Make the bucket where it is missing; on a disk, folders come with the first file.

        Raises SettingsError if it can be neither found nor made.
        """
        if not self.in_s3:
            return
        bucket = self.root.partition("/")[0]
        try:
            if not self._filesystem.exists(bucket):
                self._make(bucket)
        except Exception as error:  # noqa: BLE001 - stores have errors of many kinds
            raise SettingsError("landing.url", f"the bucket {bucket} can be neither found nor made: {error}") from None

    def _make(self, bucket: str) -> None:
        """Where the environment says. S3 takes the name of every region but that of its first one."""
        import boto3

        client = boto3.client("s3", endpoint_url=self._settings.endpoint_url)
        region = client.meta.region_name
        elsewhere = region not in (None, "aws-global", "us-east-1")
        client.create_bucket(
            Bucket=bucket, **({"CreateBucketConfiguration": {"LocationConstraint": region}} if elsewhere else {})
        )

    def try_out(self) -> None:
        """Write a file and remove it. Raises what the disk or store says: stores have errors of many kinds."""
        path = f".tried-{uuid4().hex}"
        with self.atomic(path) as file:
            file.write(b"")
        self.remove(path)

    @contextmanager
    def atomic(self, path: str) -> Iterator[Any]:
        """A file to write into, which appears under its name once the context has ended well."""
        if self.in_s3:  # an object that is written bit by bit would be completed by an error, too
            whole = io.BytesIO()
            yield whole
            self._filesystem.pipe_file(self._full(path), whole.getvalue())
            return
        target = Path(self.root) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(f".{os.getpid()}.part")
        try:
            with part.open("wb") as file:
                yield file
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)

    def rows(
        self, path: str, columns: Iterable[str] | None = None, documents: Collection[str] | None = None
    ) -> Iterator[dict[str, Any]]:
        """The rows of a Parquet file, of all columns or these; of a file with chunks also those of some `documents`."""
        import pyarrow as pa
        import pyarrow.compute as pc

        chosen = None if columns is None else list(columns)
        wanted = None if documents is None else pa.array(sorted(documents), pa.string())
        with self._parquet(path) as parquet:
            for batch in parquet.iter_batches(batch_size=ROWS_AT_ONCE, columns=chosen):
                found = batch if wanted is None else batch.filter(pc.is_in(batch.column("document_id"), wanted))
                yield from found.to_pylist()

    def tables(self, path: str, rows: int) -> Iterator[pa.Table]:
        """A Parquet file as it is, so many rows at a time."""
        import pyarrow as pa

        with self._parquet(path) as parquet:
            yield from (pa.Table.from_batches([batch]) for batch in parquet.iter_batches(batch_size=rows))

    def count_rows(self, path: str) -> int:
        """How many rows a file has, by what stands at its end; 0 where there is no file."""
        if not self.exists(path):
            return 0
        with self._parquet(path) as parquet:
            return int(parquet.metadata.num_rows)

    def is_damaged(self, path: str) -> bool:
        """Whether a Parquet file cannot be read to its end. Raises FileNotFoundError."""
        try:
            for _ in self.tables(path, ROWS_AT_ONCE):
                pass
        except LandingDamaged as error:
            logger.warning("%s", error)
            return True
        return False

    def read(self, path: str) -> bytes:
        """A whole file."""
        content: bytes = self._filesystem.cat_file(self._full(path))
        return content

    def exists(self, path: str) -> bool:
        return bool(self._filesystem.exists(self._full(path)))

    def size(self, path: str) -> int | None:
        """How large a file is; None where there is none."""
        try:
            return int(self._filesystem.size(self._full(path)))
        except FileNotFoundError:
            return None

    def remove(self, path: str) -> bool:
        """Remove a file; False where there is none."""
        if not self.exists(path):
            return False
        self._filesystem.rm_file(self._full(path))
        return True

    def remove_rows(self, path: str, column: str, values: Collection[str]) -> int:
        """Write a file anew without the rows with one of these values, or remove it where no other is left; returns
        how many rows went. A repetition, or a file that is gone, does no harm."""
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        before = self.count_rows(path)
        if not before:
            return 0
        unwanted, kept = pa.array(sorted(values), pa.string()), 0
        with (
            self._parquet(path) as parquet,
            self.atomic(path) as file,
            pq.ParquetWriter(file, parquet.schema_arrow) as writer,
        ):
            for batch in parquet.iter_batches(batch_size=ROWS_AT_ONCE):
                left = batch.filter(pc.invert(pc.is_in(batch.column(column), unwanted)))
                kept += left.num_rows
                writer.write_batch(left)
        if not kept:
            self.remove(path)
        return before - kept

    def list(self, folder: str, older_than: timedelta = timedelta()) -> Iterator[str]:
        """Files somewhere below a folder that were last written that long ago."""
        limit = datetime.now(UTC) - older_than
        for path in self._filesystem.find(self._full(folder)):
            if self._filesystem.modified(path) <= limit:
                yield str(path).removeprefix(f"{self.root}/")

    @contextmanager
    def _parquet(self, path: str) -> Iterator[pq.ParquetFile]:
        """Raises FileNotFoundError and LandingDamaged."""
        import pyarrow.parquet as pq

        try:
            with self._filesystem.open(self._full(path), "rb") as file, pq.ParquetFile(file) as parquet:
                yield parquet
        except Exception as error:
            if _is_damage(error):
                raise LandingDamaged(path, error) from error
            raise

    @cached_property
    def _filesystem(self) -> AbstractFileSystem:
        import fsspec

        if not self.in_s3:
            return fsspec.filesystem("file", auto_mkdir=True)
        # Listings are not kept: other processes write, too.
        return fsspec.filesystem("s3", use_listings_cache=False, **self.aws().to_s3fs_credentials())

    def _full(self, path: str) -> str:
        return f"{self.root}/{path}"
