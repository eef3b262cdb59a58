"""What a child process of ours does about itself: its pipes, its end, and what it logs."""

from __future__ import annotations

import logging
import os
import select
import signal
import threading
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, TypeAlias

LogLine: TypeAlias = tuple[int, str, str]
"""Level, name of the logger, message."""
_MOST_LINES = 100
_LONGEST_LINE = 1_000


def take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output, under other numbers: what a library prints must not get between the answers. The
    process ends at once when the other end is closed, whatever it is doing."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the parent decides
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    threading.Thread(target=_end_with_parent, args=(requests.fileno(),), daemon=True).start()
    return requests, answers


def offer_to_be_ended_first() -> None:
    """Where memory is short, Linux is to end this process rather than the one that it works for."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _end_with_parent(requests: int) -> None:
    poll = select.poll()
    poll.register(requests, 0)  # hanging up is told without being asked for
    poll.poll()
    os._exit(0)


class LogCollector(logging.Handler):
    """Keeps what is logged for the next answer: the parent knows where log lines go."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._lines: list[LogLine] = []
        logging.getLogger().addHandler(self)
        logging.captureWarnings(True)

    def emit(self, record: logging.LogRecord) -> None:
        if len(self._lines) < _MOST_LINES:
            self._lines.append((record.levelno, record.name, record.getMessage()[:_LONGEST_LINE]))

    def take(self) -> tuple[LogLine, ...]:
        taken, self._lines = tuple(self._lines), []
        return taken
