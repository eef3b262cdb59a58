"""Where log lines go: standard error, so that standard output is the command's own."""

from __future__ import annotations

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal, TypeAlias

from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from pipelines.printable import printable, printable_json, printable_lines

logger = logging.getLogger(__name__)

LONG_WAIT = 5.0
"""Seconds. A shorter pause before another attempt is nothing that a person needs to know."""

LogFormat: TypeAlias = Literal["text", "json"]
ExceptionInfo: TypeAlias = "tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]"
_OWN = ("assets", "connectors", "headrace", "pipelines")


class _TextLines(logging.Formatter):
    """One line for each record, and those of a traceback. What a source or client has named does nothing in them."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return printable(super().formatMessage(record), keep="\t")

    def formatException(self, ei: ExceptionInfo) -> str:
        return printable_lines(super().formatException(ei))


class JsonLines(logging.Formatter):
    """One JSON object a line for each record, its traceback inside: fields as in the audit log."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "log": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return printable_json(json.dumps(entry, ensure_ascii=False))


class StandardErrorHandler(logging.Handler):
    """Writes to what is standard error when a line is written, each with one call."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(f"{self.format(record)}\n")
            sys.stderr.flush()
        except (OSError, ValueError):  # closed at the other end, or here
            self.handleError(record)


def to_standard_error(level: int = logging.WARNING, log_format: LogFormat = "text") -> logging.Handler:
    """Log to standard error, retries included: warnings of all, and from `level` on what Headrace itself says. Returns
    what writes the lines.

    May be called again, with another level or format. As JSON, what ends the process or a thread is a line, too.
    """
    root = logging.getLogger()
    handler = next((one for one in root.handlers if isinstance(one, StandardErrorHandler)), None)
    if handler is None:
        handler = StandardErrorHandler()
        root.addHandler(handler)
    handler.setFormatter(_formatter(log_format))
    for name in _OWN:
        logging.getLogger(name).setLevel(level)
    log_retries()
    if log_format == "json":
        logging.captureWarnings(True)
        sys.excepthook = _log_uncaught
        threading.excepthook = lambda args: _log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)
    return handler


def as_line(text: str, level: int = logging.ERROR) -> str:
    """What a command says on standard error beside its log: as it is, or as JSON where all other lines are."""
    if not any(isinstance(one.formatter, JsonLines) for one in logging.getLogger().handlers):
        return text
    return JsonLines().format(logging.LogRecord("headrace", level, "", 0, text, (), None))


def log_retries() -> None:
    """Log each retry; stamina alone would print it through structlog, to standard output."""
    set_on_retry_hooks([_log_retry])


def _formatter(log_format: LogFormat) -> logging.Formatter:
    return JsonLines() if log_format == "json" else _TextLines("%(asctime)s %(levelname)s %(name)s: %(message)s")


def _log_uncaught(kind: type[BaseException], error: BaseException | None, traceback: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt | SystemExit):
        logger.critical("ended by %s", kind.__name__, exc_info=error and (kind, error, traceback))


def _log_retry(details: RetryDetails) -> None:
    level = logging.WARNING if details.wait_for >= LONG_WAIT else logging.INFO
    logger.log(level, "%s; attempt %d in %.1f s", details.caused_by, details.retry_num + 1, details.wait_for)
