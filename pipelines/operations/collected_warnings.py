"""What a connector would log while it is tried, for the answer of whoever tries it, and not between its lines."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from connectors.contract import Finding

_OF_CONNECTORS, _OF_RETRIES = "connectors", "pipelines.logs"


class CollectedWarnings(logging.Handler):
    """Keeps warnings by the thread that has logged them. Errors, which are faults in a program, are logged as ever."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._said: dict[int, dict[str, None]] = defaultdict(dict)

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR:
            logging.getLogger().handle(record)
        elif record.name != _OF_RETRIES:  # what is tried again comes to an answer
            self._said[record.thread or 0][record.getMessage()] = None

    def take(self, subject: str, beside: Sequence[Finding]) -> list[Finding]:
        """What this thread has logged since it asked last, without what the findings `beside` say already."""
        told = {text for one in beside for text in (one.detail, f"{one.lost}: {one.detail}")}
        said = self._said.pop(threading.get_ident(), {})
        return [Finding(subject, True, f"warning: {text}") for text in said if text not in told]


@contextmanager
def collecting_warnings() -> Iterator[CollectedWarnings]:
    """While the context lasts, warnings of connectors go to no log."""
    collected = CollectedWarnings()
    loggers = [logging.getLogger(name) for name in (_OF_CONNECTORS, _OF_RETRIES)]
    for one in loggers:
        one.addHandler(collected)
        one.propagate = False
    try:
        yield collected
    finally:
        for one in loggers:
            one.removeHandler(collected)
            one.propagate = True
