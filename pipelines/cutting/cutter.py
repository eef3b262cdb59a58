"""Cutting in a process beside this one, where that pays: while it cuts, this one embeds and indexes."""

from __future__ import annotations

import logging
import os
from concurrent.futures import Future
from typing import TYPE_CHECKING

from pipelines.cutting.process import CutterDied, CutterProcess
from pipelines.cutting.protocol import logs_of
from pipelines.cutting.rows import CutRows, parse_cut

if TYPE_CHECKING:
    import pyarrow as pa

logger = logging.getLogger(__name__)

MOST_DEATHS = 3
"""What ends this many has to do with the machine, or with the documents."""


class Cutter:
    """A process that cuts small texts, started when it is first needed and replaced where it dies."""

    def __init__(self) -> None:
        self._process: CutterProcess | None = None
        self._deaths = 0
        self._owner = os.getpid()

    def start(self) -> CutterProcess | None:
        """The process; None where too many have died."""
        if self._process and self._process.has_ended:
            self._deaths += 1
            self.close()
        if self._process is None and self._deaths < MOST_DEATHS:
            self._process = CutterProcess()
        return self._process

    def submit(self, documents: pa.Table) -> Future[pa.Table] | None:
        """Have small texts cut; None where that is not possible."""
        process = self.start() if documents.num_rows else None
        return process.submit(documents) if process else None

    def wait(self, answer: Future[pa.Table]) -> CutRows | None:
        """What became of documents; None where the process has died of them, or before them."""
        if self._process is None:
            return None
        try:
            table = self._process.wait(answer)
        except CutterDied:
            logger.warning("the process that cuts documents beside this one has ended: they are cut here")
            return None
        for level, name, message in logs_of(table):
            logging.getLogger(name).log(level, "%s", message)
        return parse_cut(table)

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process and self._owner == os.getpid():
            process.end()
