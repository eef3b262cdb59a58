"""Child processes that read documents: started when first needed, kept warm, replaced when they grow or die."""

from __future__ import annotations

import logging
import os
from threading import Lock, Semaphore

from connectors.model import Document
from pipelines.chunking.chunker import chunk_content
from pipelines.chunking.isolated.limits import MOST_PROCESSES, is_isolated
from pipelines.chunking.isolated.process import ChunkerDied, ChunkerProcess
from pipelines.chunking.isolated.protocol import Answer
from pipelines.chunking.model import ChunkedContent
from pipelines.errors import DocumentError, ReadingAborted
from pipelines.turns import turn_given_up

_TRIES = 2
"""A child that dies may have been ended by somebody, or by what a document before has left behind."""


class ChunkerPool:
    """Cuts documents, those of which a reader may take long in processes of their own. Threads may share it."""

    def __init__(self) -> None:
        self._idle: list[ChunkerProcess] = []
        self._changing = Lock()
        self._slots = Semaphore(MOST_PROCESSES)
        self._owner = os.getpid()

    def chunk(self, document: Document) -> ChunkedContent:
        """Raises DocumentError, as `chunk_content`, and ReadingAborted."""
        if not is_isolated(document):
            return chunk_content(document)
        with turn_given_up(), self._slots:
            answer = self._read(document)
        for level, name, message in answer.logs:
            logging.getLogger(name).log(level, "%s: %s", document.id, message)
        if answer.content is None:
            raise DocumentError(answer.error or "", skip=answer.skip)
        return answer.content

    def close(self) -> None:
        """End all that are idle."""
        with self._changing:
            idle, self._idle = self._idle, []
        for process in idle if self._owner == os.getpid() else ():
            process.end()

    def _read(self, document: Document) -> Answer:
        for _ in range(_TRIES):
            process = self._take()
            try:
                answer = process.read(document)
            except ChunkerDied as error:
                process.end()
                how = error.how
            except BaseException:
                process.end()
                raise
            else:
                self._give_back(process)
                return answer
        raise ReadingAborted(f"reading it ends the process that does ({how})")

    def _take(self) -> ChunkerProcess:
        with self._changing:
            if self._owner != os.getpid():  # after a fork the children are the other process's
                self._idle, self._owner = [], os.getpid()
            process = self._idle.pop() if self._idle else None
        return process or ChunkerProcess()

    def _give_back(self, process: ChunkerProcess) -> None:
        if not process.is_fit:
            process.end()
            return
        with self._changing:
            self._idle.append(process)
