"""Chunking in a process beside this one, where that pays: while it chunks, this one embeds and indexes."""

from __future__ import annotations

import logging
import os
from concurrent.futures import Future
from typing import TYPE_CHECKING

from pipelines.bulk_chunking.process import BulkProcess, BulkProcessDied
from pipelines.bulk_chunking.protocol import logs_of
from pipelines.bulk_chunking.rows import BulkAnswer, parse_answer

if TYPE_CHECKING:
    import pyarrow as pa

logger = logging.getLogger(__name__)

MOST_DEATHS = 3
"""What ends this many has to do with the machine, or with the documents."""


class BulkChunker:
    """A process that chunks small texts, started when it is first needed and replaced where it dies."""

    def __init__(self) -> None:
        self._process: BulkProcess | None = None
        self._deaths = 0
        self._owner = os.getpid()

    def start(self) -> BulkProcess | None:
        """The process; None where too many have died."""
        if self._process and self._process.has_ended:
            self._deaths += 1
            self.close()
        if self._process is None and self._deaths < MOST_DEATHS:
            self._process = BulkProcess()
        return self._process

    def submit(self, documents: pa.Table) -> Future[pa.Table] | None:
        """Have small texts chunked; None where that is not possible."""
        process = self.start() if documents.num_rows else None
        return process.submit(documents) if process else None

    def wait(self, answer: Future[pa.Table]) -> BulkAnswer | None:
        """What became of documents; None where the process has died of them, or before them."""
        if self._process is None:
            return None
        try:
            table = self._process.wait(answer)
        except BulkProcessDied:
            logger.warning("the process that chunks documents in bulk has ended: they are chunked here")
            return None
        for level, name, message in logs_of(table):
            logging.getLogger(name).log(level, "%s", message)
        return parse_answer(table)

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process and self._owner == os.getpid():
            process.end()
