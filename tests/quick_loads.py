"""Loads of documents without dlt, which takes 50 ms of CPU for each, however small. `tests/pipelines/test_landing.py`
has both write the same, and commands that tests start load through dlt."""

from __future__ import annotations

import time
from collections.abc import Iterable
from uuid import uuid4

import pyarrow.parquet as pq

from connectors.tables import DOCUMENTS, Row, document_batches, documents_schema
from pipelines.landing import Landing
from pipelines.landing.store import dataset_name


def write_documents(landing: Landing, source: str, connection: str, unit: str, rows: Iterable[Row]) -> str:
    """As `Landing.write_documents`."""
    landing.remove_leftovers()
    path = f"{dataset_name(connection)}/{DOCUMENTS}/{time.time()}.{uuid4().hex[:10]}.parquet"
    with landing.files.atomic(path) as file, pq.ParquetWriter(file, documents_schema()) as writer:
        for table in document_batches(rows):
            writer.write_table(table)
    return path
