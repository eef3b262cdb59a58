"""Dagster's instance: made by one process at a time, and named with its cure where its history is broken."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import dagster as dg
from alembic.util import CommandError
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.sql import AlembicVersion
from filelock import FileLock
from sqlalchemy.exc import DatabaseError

from connectors.registry import sources
from pipelines.disk_space import describe_full, is_full
from pipelines.errors import HeadraceError
from pipelines.private_files import keep_private
from pipelines.settings import Settings

logger = logging.getLogger(__name__)

_OVERRIDES = {"telemetry": {"enabled": False}}
"""Of Dagster's settings where no dagster.yaml says anything: nothing is told to its makers."""
_PATIENCE = 60.0
"""Seconds for which a command waits for the database of the history: as long as one takes to start anew."""


class RunHistoryError(HeadraceError):
    """Dagster's list of past runs cannot be opened."""

    def __init__(self, home: Path, reason: str) -> None:
        super().__init__(
            f"Dagster's history of runs cannot be opened ({reason}). If its database answers, it is broken: stop all "
            f"of Headrace, move the folders `history` and `schedules` in {home} away, or empty the database that its "
            "dagster.yaml names, and start again. Only the list of past runs goes with it; documents, index and "
            "catalog are elsewhere"
        )


@contextmanager
def dagster_instance(settings: Settings, patience: float = _PATIENCE) -> Iterator[dg.DagsterInstance]:
    """The instance whose history the UI shows: DAGSTER_HOME's, else the one under the state directory.

    Raises RunHistoryError if it cannot be opened; a PostgreSQL server that is away is waited for, `patience` seconds.
    """
    with _await_server(settings, patience) as instance:
        yield instance


def migrate_instance(settings: Settings) -> None:
    """Make the tables of Dagster's history, or bring them to the version of Dagster that is installed."""
    with dagster_instance(settings) as instance:
        storages = (instance.run_storage, instance.event_log_storage, instance.schedule_storage)
        if any(_is_behind(storage.alembic_version()) for storage in storages if storage):
            with redirect_stdout(sys.stderr):  # it says there what it does
                instance.upgrade()
        _remove_partitions_by_source(instance)


def _remove_partitions_by_source(instance: dg.DagsterInstance) -> None:
    """Before each connection had a set of partitions, each source had one, to which nothing belongs any more."""
    for source in sources():
        for key in instance.get_dynamic_partitions(f"{source}_units"):
            instance.delete_dynamic_partition(f"{source}_units", key)


def _is_behind(versions: AlembicVersion | None) -> bool:
    return versions is not None and versions[0] != versions[1]


def _await_server(settings: Settings, patience: float) -> dg.DagsterInstance:
    deadline = time.monotonic() + patience
    while True:
        try:
            return _open(settings)
        except Exception as error:
            if not _is_away(error):
                raise
            if time.monotonic() > deadline:
                raise RunHistoryError(_home(settings), str(error.__cause__ or error).splitlines()[0]) from None
            # Dagster has tried for some seconds by now.
            logger.warning("waiting: the database of Dagster's history does not answer")


def _is_away(error: Exception) -> bool:
    """What the package raises that Dagster loads where dagster.yaml names PostgreSQL, and only then."""
    loaded = sys.modules.get("dagster_postgres.utils")
    return loaded is not None and isinstance(error, loaded.DagsterPostgresException)


def _home(settings: Settings) -> Path:
    given = os.environ.get("DAGSTER_HOME")
    return Path(given) if given else (settings.state_path / "dagster").absolute()


def _open(settings: Settings) -> dg.DagsterInstance:
    home = _home(settings)
    keep_private(settings.state_path)
    settings.state_path.mkdir(parents=True, exist_ok=True)
    # Two processes that make a history at once leave it with two revisions, and every later command fails at them.
    with FileLock(settings.state_path / "dagster.lock"):
        try:
            if os.environ.get("DAGSTER_HOME"):
                return dg.DagsterInstance.get()
            home.mkdir(parents=True, exist_ok=True)
            return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home), overrides=_OVERRIDES))
        except (CommandError, DatabaseError) as error:
            reason = error.orig if isinstance(error, DatabaseError) else error
            if is_full(settings.state_path):
                raise HeadraceError(describe_full(settings.state_path)) from None
            raise RunHistoryError(home, str(reason).splitlines()[0]) from None
