"""Child processes that read documents: started when first needed, kept warm, replaced when they grow or die."""

from __future__ import annotations

import logging
import os
import time
from base64 import b64decode
from collections.abc import Sequence
from threading import Lock, Semaphore

from connectors.model import Document
from pipelines.chunking.chunker import chunk_content
from pipelines.chunking.isolated.limits import MOST_PROCESSES, is_isolated
from pipelines.chunking.isolated.process import ChunkerDied, ChunkerProcess
from pipelines.chunking.isolated.protocol import Answer, Task
from pipelines.chunking.model import NO_SCANS, ChunkedContent, Scans
from pipelines.errors import DocumentError, HeadraceError, ReadingAborted
from pipelines.turns import turn_given_up

_TRIES = 2
"""A child that dies may have been ended by somebody, or by what a document before has left behind."""


_SECONDS_REMEMBERED = 60.0
"""Less than the shortest time until a document is tried again."""


class ChunkerPool:
    """Chunks documents, those of which a reader may take long in processes of their own. Threads may share it."""

    def __init__(self) -> None:
        self._idle: list[ChunkerProcess] = []
        self._changing = Lock()
        self._slots = Semaphore(MOST_PROCESSES)
        self._owner = os.getpid()
        # By document and hash of its content: when reading it was aborted, and why.
        self._aborted: dict[tuple[str, int], tuple[float, str]] = {}

    def chunk(self, document: Document, scans: Scans = NO_SCANS) -> ChunkedContent:
        """Raises DocumentError, as `chunk_content`, and ReadingAborted."""
        if not is_isolated(document):
            return chunk_content(document)
        content = self._work(Task(document, scans)).content
        if content is None:
            raise DocumentError("what came of it is no answer")
        return content

    def extract(self, document: Document, pages: Sequence[int]) -> list[bytes]:
        """Pages of a PDF, from 1, each as a PDF of its own. Raises DocumentError."""
        return [b64decode(page) for page in self._work(Task(document, extract=tuple(pages))).pages]

    def close(self) -> None:
        """End all that are idle."""
        with self._changing:
            idle, self._idle = self._idle, []
        for process in idle if self._owner == os.getpid() else ():
            process.end()

    def _work(self, task: Task) -> Answer:
        with turn_given_up(), self._slots:
            self._refuse_aborted(task.document)
            try:
                answer = self._ask(task)
            except ReadingAborted as error:
                self._aborted[_key(task.document)] = time.monotonic(), error.reason
                raise
        for level, name, message in answer.logs:
            logging.getLogger(name).log(level, "%s: %s", task.document.id, message)
        if answer.error is not None:
            raise DocumentError(answer.error, skip=answer.skip)
        return answer

    def _refuse_aborted(self, document: Document) -> None:
        """A changed document is chunked twice within a moment: to be compared with the version before, and to be
        indexed. What takes too much takes it once."""
        recent = time.monotonic() - _SECONDS_REMEMBERED
        self._aborted = {key: found for key, found in self._aborted.items() if found[0] > recent}
        if self._aborted and (found := self._aborted.get(_key(document))):
            raise ReadingAborted(found[1])

    def _ask(self, task: Task) -> Answer:
        for _ in range(_TRIES):
            process = self._take()
            try:
                answer = process.work(task)
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
        return process or _start_process()

    def _give_back(self, process: ChunkerProcess) -> None:
        if not process.is_fit:
            process.end()
            return
        with self._changing:
            self._idle.append(process)


def _start_process() -> ChunkerProcess:
    """A new one. That one is killed while it starts is no document's fault: then another is started. Raises
    HeadraceError."""
    for _ in range(_TRIES):
        try:
            return ChunkerProcess()
        except ChunkerDied as error:
            how = error.how
    raise HeadraceError(f"the process that reads files does not start ({how})")


def _key(document: Document) -> tuple[str, int]:
    return document.id, hash(document.content)
