"""The audit log: one JSON object a line for each query, refusal, change of a key, sign-in and revocation.

Whoever calls `audit` gives facts, never a secret and never a text that somebody wrote: a question is one too.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from io import FileIO, TextIOWrapper
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any
from uuid import uuid4

from pipelines.errors import SettingsError
from pipelines.logs import StandardErrorHandler

logger = logging.getLogger("headrace.audit")
logger.propagate = False  # a line is JSON and nothing else, and stands in one place

_SECONDS_BETWEEN_ERRORS = 60.0
_errors = logging.getLogger(__name__)


def audit(event: str, **fields: Any) -> None:
    """Write one line: when, what happened (`query`, `refusal`, `key_added`), and `fields` as plain JSON values."""
    entry = {"time": datetime.now(UTC).isoformat(), "log": logger.name, "event": event, **fields}
    # Pure ASCII: no line separator and no control code of a name that somebody chose stands in the log as itself.
    logger.info(json.dumps(entry, default=str))


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks in one request, by ids alone. `assistant` is empty where nobody is recognised."""

    request: str
    interface: str
    assistant: str = ""
    person: str | None = None
    proof: str | None = None
    client: str | None = None


def operator(person: str | None) -> Actor:
    """Whoever runs the command line, and for whom they ask; for nobody as an administrator."""
    return Actor(uuid4().hex, "cli", person=person, proof="operator")


def audit_query(actor: Actor, documents: Sequence[str], milliseconds: float, **asked: Any) -> None:
    """`asked` is what was asked for, as plain values, without the question itself."""
    audit("query", **asdict(actor), **asked, documents=list(documents), milliseconds=milliseconds)


def open_audit_log(file: Path | None) -> None:
    """Write the lines to this file, or to standard error. Raises SettingsError if the file cannot be opened.

    Opening it again, as several parts of a process do, changes nothing.
    """
    file = file and file.absolute()
    own = [one for one in logger.handlers if isinstance(one, AuditFile | StandardErrorHandler)]
    if any(_file_of(one) == file for one in own):
        return
    try:
        handler = AuditFile(file) if file else StandardErrorHandler()
    except OSError as error:
        raise SettingsError("audit.file", f"{file} cannot be opened for writing: {error.strerror}") from None
    for former in own:
        logger.removeHandler(former)
        former.close()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


class AuditFile(WatchedFileHandler):
    """Appends to a file that only its owner may read, and follows when it is rotated.

    What cannot be written is an error on standard error, once a minute: a full disk must neither be silent nor stop
    the answers.
    """

    def __init__(self, file: Path) -> None:
        self._lost = 0
        self._reported = -_SECONDS_BETWEEN_ERRORS
        super().__init__(file, encoding="utf-8")

    def _open(self) -> TextIOWrapper:
        # Nothing is kept for later: what a full disk does not take is lost, and not in the way of what comes next.
        return TextIOWrapper(
            _LineFile(self.baseFilename, "a", opener=_open_private), encoding="utf-8", write_through=True
        )

    def reopenIfNeeded(self) -> None:
        try:
            super().reopenIfNeeded()
        except OSError:  # from the end of the former file, or the beginning of the new one
            self.stream = None  # as in FileHandler: the line opens it anew

    def emit(self, record: logging.LogRecord) -> None:
        try:
            super().emit(record)
        except OSError:  # from opening the file anew
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        self._lost += 1
        if time.monotonic() - self._reported >= _SECONDS_BETWEEN_ERRORS:
            self._reported = time.monotonic()
            _errors.exception("%s: audit lines are not written, %d so far", self.baseFilename, self._lost)


class _LineFile(FileIO):
    """Appends each line with one write, since several processes do so; one that was cut short stays apart from the
    next. Raises OSError where a line does not fit."""

    _is_torn = False

    def write(self, line: Any) -> int:
        whole = b"\n" + line if self._is_torn else line
        written = super().write(whole) or 0
        self._is_torn = written < len(whole)
        if self._is_torn:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return len(line)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _file_of(handler: AuditFile | StandardErrorHandler) -> Path | None:
    """None for standard error."""
    return Path(handler.baseFilename) if isinstance(handler, AuditFile) else None
