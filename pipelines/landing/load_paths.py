"""Names of the files that loads are in, which tell what is newer: `<load>.<file>.parquet`, and dlt makes a load's id of
the time in seconds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from uuid import uuid4


def landed_at(path: str) -> float:
    """When a load was read, in seconds."""
    return float(_load_id(path))


def united_path(paths: Iterable[str]) -> str:
    """A path for what is united from loads. It is as old as the newest of them: where nothing else tells which version
    of a document is the newest, one that was read since is newer."""
    newest = max(paths, key=landed_at)
    return str(PurePosixPath(newest).with_name(f"{_load_id(newest)}.{uuid4().hex[:10]}.parquet"))


def _load_id(path: str) -> str:
    seconds, fraction, *_ = PurePosixPath(path).name.split(".")
    return f"{seconds}.{fraction}"
