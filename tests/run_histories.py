"""Dagster's history of runs: a process makes its databases once, and each further history, and each further run, begins
with copies. Dagster would write a hundred statements for each, and set up each database anew for each event."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage
from sqlalchemy import Engine

import assets.instance

EventLog = sqlite_event_log.SqliteEventLogStorage


def keep_run_histories() -> None:
    """From here on, new histories and the databases of new runs are copies of the first."""
    for module in (sqlite_event_log, sqlite_run_storage, sqlite_schedule_storage):
        _keep_engines(module)
    _copy_databases_of_runs()
    setattr(assets.instance, "InstanceRef", _CopiedHistory)  # noqa: B010 - a class is not assigned to


def _keep_engines(module: Any) -> None:
    """They hold no connection: Dagster has each opened when it is needed."""
    create, kept = module.create_engine, dict[str, Engine]()

    def create_once(url: str, **options: Any) -> Engine:
        if url not in kept:
            kept[url] = create(url, **options)
        return kept[url]

    module.create_engine = create_once


def _copy_databases_of_runs() -> None:
    initialise, kept = EventLog._initdb, list[bytes]()

    def copy_first(log: EventLog, engine: Engine, for_index_shard: bool = False) -> None:
        path = Path(engine.url.database or "")
        is_new = not for_index_shard and not path.exists()
        if is_new and kept:
            _write_new(path, kept[0])
            return
        initialise(log, engine, for_index_shard)
        if is_new:
            kept.append(_read(path))

    setattr(EventLog, "_initdb", copy_first)  # noqa: B010 - a method is not assigned to


class _CopiedHistory(InstanceRef):
    @staticmethod
    def from_dir(base_dir: str, **options: Any) -> InstanceRef:
        home = Path(base_dir)
        if not any(home.iterdir()):
            for name, content in _databases().items():
                (home / name).parent.mkdir(parents=True, exist_ok=True)
                _write_new(home / name, content)
        return InstanceRef.from_dir(base_dir, **options)


@cache
def _databases() -> Mapping[Path, bytes]:
    """Those of a history without runs, by their path below its folder."""
    with tempfile.TemporaryDirectory() as folder:
        with dg.DagsterInstance.from_ref(InstanceRef.from_dir(folder)):
            pass
        return {path.relative_to(folder): _read(path) for path in Path(folder).rglob("*.db")}


def _read(path: Path) -> bytes:
    """All of a database: what stands in its log beside it, too."""
    with closing(sqlite3.connect(path)) as database:
        return database.serialize()


def _write_new(path: Path, content: bytes) -> None:
    """Whole or not at all; whoever else was first is left alone."""
    with tempfile.NamedTemporaryFile(dir=path.parent) as written:
        written.write(content)
        written.flush()
        with suppress(FileExistsError):
            os.link(written.name, path)
