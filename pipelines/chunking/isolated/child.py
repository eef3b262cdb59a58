"""The child process that reads documents: one after the other, until the pipe from its parent is closed.

It keeps itself within limits that hold also where its parent is gone, and where a library below Python never comes
back.
"""

from __future__ import annotations

import signal
from base64 import b64encode
from contextlib import suppress

from pipelines.child_process import LogCollector, offer_to_be_ended_first, take_pipes
from pipelines.chunking.chunker import chunk_content
from pipelines.chunking.isolated.limits import ADDRESS_MEGABYTES, ELAPSED_SECONDS
from pipelines.chunking.isolated.protocol import READY, Answer, Task, encode_answer, read_request
from pipelines.errors import DocumentError

_SECONDS_AFTER_PARENT = 2.0
"""The parent ends a child that is too slow; later than that, the operating system does."""


def main() -> None:
    requests, answers = take_pipes()
    _limit_memory()
    offer_to_be_ended_first()
    logs = LogCollector()
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


def _limit_memory() -> None:
    import resource

    limit = ADDRESS_MEGABYTES * 1_000_000
    with suppress(ValueError, OSError):  # macOS knows no such limit
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
