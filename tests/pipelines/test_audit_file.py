"""The file of the audit log where the disk is full."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from logging import ERROR, makeLogRecord
from pathlib import Path

import pytest

from pipelines.audit import AuditFile


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file of this process grows beyond that many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_line_that_is_cut_short_is_told_and_spoils_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(ERROR, "pipelines.audit")
    opened = AuditFile(tmp_path / "audit.jsonl")
    opened.emit(makeLogRecord({"msg": "first"}))
    with room_for(10):
        opened.emit(makeLogRecord({"msg": "second"}))
        opened.emit(makeLogRecord({"msg": "third"}))
    opened.emit(makeLogRecord({"msg": "fourth"}))
    opened.close()
    assert (tmp_path / "audit.jsonl").read_text().splitlines() == ["first", "seco", "fourth"]
    assert "audit lines are not written, 1 so far" in caplog.text
