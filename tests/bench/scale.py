"""What a sync costs that finds nothing new, by units: CPU of this process, and bytes of Dagster's history.

The source is in memory and answers at once, and each unit is asked for: what is measured is bookkeeping. Runs are
executed in process, as the schedule of the connection would have them.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import dagster as dg
from pydantic import SecretStr

from assets.definitions import build_definitions
from assets.instance import dagster_instance
from assets.orchestrator import QUIET
from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from pipelines.ingestion.sync import sync_connection
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

UNITS = (200, 2_000, 10_000)
RUNS_A_DAY = {"sync_acme": 96, "memberships_acme": 144}
"""By the default schedules."""
_MOST_WITH_TEXT = 20


@dataclass
class ManyUnits(MemorySource):
    """A source whose first units hold a document each, and whose others are empty."""

    with_text: dict[str, int] = field(default_factory=dict)

    def read(self, unit: Unit, *arguments: object) -> Iterator[object]:  # type: ignore[override]
        own = MemorySource()
        if (number := self.with_text.get(unit.id)) is not None:
            own.put(document(number, unit=unit.id))
        self.requests += 1
        yield from own.read(unit, *arguments)  # type: ignore[arg-type]


def main(*counts: int) -> None:
    for units in counts or UNITS:
        with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
            _measure(Path(folder), units)


def _measure(folder: Path, units: int) -> None:
    connection = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
    settings = Settings(directory=folder, connections=(connection,))
    names = [f"unit-{number:05}" for number in range(units)]
    source = ManyUnits(
        listed=[Unit(f"{number:05}", name) for number, name in enumerate(names)],
        with_text={f"{number:05}": number for number in range(min(units, _MOST_WITH_TEXT))},
    )
    with _standing_in(source):
        with _measured(f"{units} units, first sync without Dagster"), Services(settings) as services:
            report = sync_connection(services, connection)
            assert (report.errors, report.documents.new) == ({}, min(units, _MOST_WITH_TEXT))
        with _measured(f"{units} units, nothing new, stages alone"), Services(settings) as services:
            assert sync_connection(services, connection).errors == {}
        _measure_runs(settings, units)


def _measure_runs(settings: Settings, units: int) -> None:
    definitions = build_definitions(settings)
    with dagster_instance(settings) as instance:
        for name in ("sync_acme", "sync_acme", "memberships_acme"):
            before = _history(instance, settings)
            with _measured(f"{units} units, nothing new, {name}"):
                assert _run_as_scheduled(definitions, instance, name).success
            rows, size, files = (now - then for now, then in zip(_history(instance, settings), before, strict=True))
            daily = size * RUNS_A_DAY[name] / 1e6
            print(f"  history: {rows} events, {size} bytes, {daily:.2f} MB a day; files {files} bytes", flush=True)


def _run_as_scheduled(
    definitions: dg.Definitions, instance: dg.DagsterInstance, name: str
) -> dg.ExecuteInProcessResult:
    with dg.build_schedule_context(
        instance, resources=definitions.resources, repository_def=definitions.get_repository_def()
    ) as context:
        (request,) = definitions.resolve_schedule_def(name).evaluate_tick(context).run_requests or ()
    return definitions.resolve_job_def(name).execute_in_process(
        run_config=QUIET | dict(request.run_config), instance=instance, tags=dict(request.tags)
    )


def _history(instance: dg.DagsterInstance, settings: Settings) -> tuple[int, int, int]:
    """Events, their bytes, and bytes of all files of the history. With SQLite a run's events are in a file of its own,
    and those about assets once more in one for all: only the first are counted, as they are with PostgreSQL."""
    home = settings.state_path / "dagster"
    rows = size = 0
    for run in instance.get_run_ids():
        with closing(sqlite3.connect(home / "history" / "runs" / f"{run}.db")) as database:
            found = database.execute("SELECT count(*), coalesce(sum(length(event)), 0) FROM event_logs").fetchone()
            rows, size = rows + found[0], size + found[1]
    with closing(sqlite3.connect(home / "history" / "runs.db")) as database:
        size += database.execute("SELECT coalesce(sum(length(run_body)), 0) FROM runs").fetchone()[0]
    return rows, size, sum(path.stat().st_size for path in home.rglob("*") if path.is_file())


@contextmanager
def _standing_in(source: MemorySource) -> Iterator[None]:
    """The source takes the place of every connection's, and an embedder without a model that of the settings'."""
    embedder = FakeEmbedder()
    with (
        mock.patch("pipelines.ingestion.sync.connect", return_value=source),
        mock.patch.object(Services, "embedder", embedder),
    ):
        yield


@contextmanager
def _measured(what: str) -> Iterator[None]:
    cpu, wall = time.process_time(), time.perf_counter()
    yield
    print(f"{what}: {time.process_time() - cpu:.1f} CPU s, {time.perf_counter() - wall:.1f} s", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
