"""Where log lines go: standard error, so that standard output is the command's own."""

from __future__ import annotations

import logging
import sys
from types import TracebackType
from typing import TypeAlias

from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from pipelines.printable import printable, printable_lines

logger = logging.getLogger(__name__)

LONG_WAIT = 5.0
"""Seconds. A shorter pause before another attempt is nothing that a person needs to know."""

ExceptionInfo: TypeAlias = "tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]"
_OWN = ("assets", "connectors", "headrace", "pipelines")


class _Lines(logging.Formatter):
    """One line for each record, and those of a traceback. What a source or client has named does nothing in them."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return printable(super().formatMessage(record), keep="\t")

    def formatException(self, ei: ExceptionInfo) -> str:
        return printable_lines(super().formatException(ei))


class StandardErrorHandler(logging.Handler):
    """Writes to what is standard error when a line is written, each with one call."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(f"{self.format(record)}\n")
            sys.stderr.flush()
        except (OSError, ValueError):  # closed at the other end, or here
            self.handleError(record)


def to_standard_error(level: int = logging.WARNING) -> None:
    """Log to standard error, retries included: warnings of all, and from `level` on what Headrace itself says.

    May be called again, with another level.
    """
    root = logging.getLogger()
    if not any(isinstance(one, StandardErrorHandler) for one in root.handlers):
        handler = StandardErrorHandler()
        handler.setFormatter(_Lines("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        root.addHandler(handler)
    for name in _OWN:
        logging.getLogger(name).setLevel(level)
    log_retries()


def log_retries() -> None:
    """Log each retry; stamina alone would print it through structlog, to standard output."""
    set_on_retry_hooks([_log_retry])


def _log_retry(details: RetryDetails) -> None:
    level = logging.WARNING if details.wait_for >= LONG_WAIT else logging.INFO
    logger.log(level, "%s; attempt %d in %.1f s", details.caused_by, details.retry_num + 1, details.wait_for)
