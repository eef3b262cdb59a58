"""The child process that reads documents: one after the other, until the pipe from its parent is closed.

It keeps itself within limits that hold also where its parent is gone, and where a library below Python never comes
back.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import threading
from base64 import b64encode
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from pipelines.chunking.chunker import chunk_content
from pipelines.chunking.isolated.limits import ADDRESS_MEGABYTES, ELAPSED_SECONDS
from pipelines.chunking.isolated.protocol import READY, Answer, LogLine, Task, encode_answer, read_request
from pipelines.errors import DocumentError

_SECONDS_AFTER_PARENT = 2.0
"""The parent ends a child that is too slow; later than that, the operating system does."""


def main() -> None:
    requests, answers = _take_pipes()
    _limit_memory()
    _offer_to_be_ended_first()
    threading.Thread(target=_end_with_parent, args=(requests.fileno(),), daemon=True).start()
    logs = _LogCollector()
    answers.write(READY)
    answers.flush()
    while task := read_request(requests):
        # Its default is to end the process, which needs no turn of the interpreter.
        signal.setitimer(signal.ITIMER_REAL, ELAPSED_SECONDS + _SECONDS_AFTER_PARENT)
        answer = _answer(task)._replace(logs=logs.take())
        signal.setitimer(signal.ITIMER_REAL, 0)
        answers.write(encode_answer(answer))
        answers.flush()
        if answer.out_of_memory:
            return


def _answer(task: Task) -> Answer:
    try:
        if task.extract:
            return Answer(pages=tuple(b64encode(page).decode() for page in _extract(task)))
        return Answer(chunk_content(task.document, scans=task.scans))
    except DocumentError as error:
        return Answer(error=error.reason, skip=error.skip)
    except MemoryError:
        return Answer(error="", out_of_memory=True)


def _extract(task: Task) -> list[bytes]:
    from pipelines.chunking.formats.pdf import single_pages

    return single_pages(task.document.content_bytes, task.extract)


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output, under other numbers: what a library prints must not get between the answers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the parent decides
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return requests, answers


def _limit_memory() -> None:
    import resource

    limit = ADDRESS_MEGABYTES * 1_000_000
    with suppress(ValueError, OSError):  # macOS knows no such limit
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _offer_to_be_ended_first() -> None:
    """Where memory is short, Linux is to end this process rather than the one that it works for."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _end_with_parent(requests: int) -> None:
    """End at once when the other end of the pipe is closed, whatever is being read."""
    poll = select.poll()
    poll.register(requests, 0)  # hanging up is told without being asked for
    poll.poll()
    os._exit(0)


class _LogCollector(logging.Handler):
    """Keeps what is logged for the next answer: the parent knows where log lines go."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._lines: list[LogLine] = []
        logging.getLogger().addHandler(self)
        logging.captureWarnings(True)

    def emit(self, record: logging.LogRecord) -> None:
        if len(self._lines) < 100:
            self._lines.append((record.levelno, record.name, record.getMessage()[:1_000]))

    def take(self) -> tuple[LogLine, ...]:
        taken, self._lines = tuple(self._lines), []
        return taken


if __name__ == "__main__":
    main()
