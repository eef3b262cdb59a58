"""What the catalog's statements take with a million documents, on SQLite and on a PostgreSQL server of the bench's own.

The documents are rows that nothing was read for. Each scenario is what a worker, a sync or a server does: each of its
statements is timed, and the slow ones are named, with the plan that the database has for them.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from prometheus_client import CollectorRegistry, generate_latest
from pydantic import SecretStr
from sqlalchemy import Connection, Engine, Table, event, insert, text

from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from connectors.webhooks import Event, Invalidation
from pipelines.catalog import tables
from pipelines.catalog.database import open_database
from pipelines.events.connector_pool import ConnectorPool
from pipelines.events.rights_lane import RightsLane
from pipelines.events.worker import Worker
from pipelines.ingestion.publish import publish
from pipelines.ingestion.sync import sync_connection
from pipelines.metrics.catalog_collector import watch_catalog
from pipelines.operations.health import read_health
from pipelines.services import Services
from pipelines.settings import Settings, load_settings
from tests.bench.sharing import Silent
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.emulators.postgres import make_database, serve_postgres
from tests.emulators.qdrant_server import serve_qdrant
from tests.pipelines.documents import document

DOCUMENTS, UNITS, EVENTS, LOADS, PEOPLE = 1_000_000, 2_000, 200_000, 20_000, 10_000
ROUNDS = 20
TOLD_FROM_MS = 5.0
CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("t"))


def main() -> None:
    with serve_postgres() as server:
        for url in (None, server.url):
            _measure(url)


def _measure(url: str | None) -> None:
    with _filled(url) as settings, Services(settings, FakeEmbedder(), keep_store=True) as services:
        statements = Statements()
        statements.watch(services.catalog._engine)
        source = _source()
        connectors = ConnectorPool(lambda connection: source)
        worker, lane = Worker(services, connectors, Silent()), RightsLane(services, connectors)
        with statements.of("the worker starts"):
            worker.run_pass()
            worker.run_maintenance()
        for scenario, act in _scenarios(services, source, worker, lane):
            with statements.of(scenario):
                for number in range(ROUNDS):
                    act(number)
                    time.sleep(0.05)


def _scenarios(
    services: Services, source: MemorySource, worker: Worker, lane: RightsLane
) -> Iterator[tuple[str, Callable[[int], object]]]:
    catalog, settings = services.catalog, services.settings
    registry = CollectorRegistry()
    watch_catalog(registry, catalog, settings)

    def edit(number: int) -> None:
        one = document(number, unit=_unit(number).id, content=f"Edited, round {number}.")
        source.put(one)
        told = Invalidation("document", one.unit, one.id)
        catalog.events.store("acme", Event(f"e{number}", "edited", (told,)), b"{}")
        lane.run_pass()
        while catalog.events.backlog():
            worker.run_pass()
            time.sleep(0.05)

    def delete(number: int) -> None:
        one = document(UNITS + number)
        told = Invalidation("document", _unit(number).id, one.id)
        catalog.events.store("acme", Event(f"d{number}", "deleted", (told,)), b"{}")
        lane.run_pass()
        while catalog.events.backlog():
            worker.run_pass()
            time.sleep(0.05)

    def sync_one(number: int) -> None:
        with mock.patch("pipelines.ingestion.sync.connect", return_value=source):
            sync_connection(services, CONNECTION, [_unit(number).id])

    yield "an event for an edited document", edit
    yield "an event for a deleted document", delete
    yield "maintenance", lambda number: worker.run_maintenance()
    yield "a sync of one unit", sync_one
    yield "publish", lambda number: publish(services)
    yield "readiness", lambda number: read_health(catalog, settings)
    yield "revocations loaded by a reader", lambda number: services.reader.count_points()
    yield "metrics", lambda number: generate_latest(registry)


@dataclass
class Statements:
    """The time of each, from its sending to the last of its rows."""

    _taken: dict[str, list[float]] = field(default_factory=dict)
    _examples: dict[str, Any] = field(default_factory=dict)
    _engine: Engine | None = None

    def watch(self, engine: Engine) -> None:
        self._engine = engine

        @event.listens_for(engine, "before_cursor_execute")
        def begin(connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
            connection.info["begun"] = time.perf_counter()

        @event.listens_for(engine, "after_cursor_execute")
        def end(connection: Connection, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            if engine.dialect.name == "sqlite" and _reads(statement):
                # It has looked for the first row only.
                connection.info["begun"] = time.perf_counter()
                connection.connection.cursor().execute(statement, parameters).fetchall()
            taken = 1_000 * (time.perf_counter() - connection.info["begun"])
            self._taken.setdefault(statement, []).append(taken)
            if taken >= max(self._taken[statement]):
                self._examples[statement] = parameters

    @contextmanager
    def of(self, scenario: str) -> Iterator[None]:
        self._taken.clear()
        started = time.perf_counter()
        yield
        took = time.perf_counter() - started
        count = sum(map(len, self._taken.values()))
        print(f"  {scenario}: {count} statements, {sum(map(sum, self._taken.values())):.0f} ms in {took:.1f} s")
        slow = {one: taken for one, taken in self._taken.items() if max(taken) >= TOLD_FROM_MS}
        for one, taken in sorted(slow.items(), key=lambda item: -max(item[1])):
            median = sorted(taken)[len(taken) // 2]
            print(f"    {len(taken)}x p50 {median:.1f} max {max(taken):.1f} ms: {' '.join(one.split())[:300]}")
            for line in self._plan(one):
                print(f"      | {line}")
        sys.stdout.flush()

    def _plan(self, statement: str) -> list[str]:
        if self._engine is None or not _reads(statement):
            return []
        explain = "EXPLAIN QUERY PLAN " if self._engine.dialect.name == "sqlite" else "EXPLAIN "
        with self._engine.connect() as connection:
            rows = connection.exec_driver_sql(explain + statement, self._examples[statement]).all()
        return [str(row[-1])[:160] for row in rows[:6]]


def _reads(statement: str) -> bool:
    return statement.lstrip().startswith(("SELECT", "WITH"))


def _source() -> MemorySource:
    return MemorySource(listed=_units())


def _unit(number: int) -> Unit:
    """Of a document: every tenth is in the first one."""
    own = number // 10 % UNITS if number % 10 else 0
    return Unit(f"{own:05}", f"unit-{own:05}", "", ("public",))


def _units() -> list[Unit]:
    return [_unit(10 * number + 1) for number in range(UNITS)]


@contextmanager
def _filled(url: str | None) -> Iterator[Settings]:
    with tempfile.TemporaryDirectory() as name, serve_qdrant() as index:
        folder = Path(name)
        found: dict[str, Any] = {"connections": [{"id": "acme", "source": "github", "token": "t"}]}
        found["index"] = {"url": index}
        found |= {"catalog": {"url": make_database(url)}} if url else {}
        (folder / "headrace.yaml").write_text(json.dumps(found))
        settings = load_settings(folder / "headrace.yaml", environment={})
        started = time.perf_counter()
        engine = open_database(settings.catalog.url.get_secret_value(), settings.directory)
        for table, rows in _rows():
            _fill(engine, table, rows)
        if url:  # SQLite is never told to
            with engine.begin() as connection:
                connection.execute(text("ANALYZE"))
        engine.dispose()
        took, database = time.perf_counter() - started, "PostgreSQL" if url else "SQLite"
        print(
            f"{database}: {DOCUMENTS} documents, {UNITS} units, {EVENTS} old events; filled in {took:.0f} s", flush=True
        )
        yield settings


def _fill(engine: Engine, table: Table, rows: Iterator[dict[str, Any]]) -> None:
    part: list[dict[str, Any]] = []
    with engine.begin() as transaction:
        for row in rows:
            part.append(row)
            if len(part) == 10_000:
                transaction.execute(insert(table), part)
                part = []
        if part:
            transaction.execute(insert(table), part)


def _rows() -> Iterator[tuple[Table, Iterator[dict[str, Any]]]]:
    now = datetime.now(UTC)
    old = now - timedelta(days=3)

    cursor = {"clock": 0, "seen": {str(one): "0" * 40 for one in range(500)}}

    def units() -> Iterator[dict[str, Any]]:
        for unit in _units():
            yield {
                "connection": "acme",
                "unit": unit.id,
                "source": "github",
                "name": unit.name,
                "url": unit.url,
                "readers": list(unit.readers),
                "listed_since": old,
                "cursor": cursor,
                "paused": False,
                "gone": False,
                "last_sync": old,
            }

    def documents() -> Iterator[dict[str, Any]]:
        for number in range(DOCUMENTS):
            one = document(number)
            yield {
                "id": one.id,
                "connection": "acme",
                "unit": _unit(number).id,
                "title": one.title,
                "url": f"https://example.com/{number}",
                "status": "indexed",
                "version": f"v{number}",
                "load": number % LOADS + 1,
                "listing": "l0",
                "indexed_version": f"v{number}",
                "chunks": 3,
                "attempts": 0,
                "updated_at": old,
                "fingerprint": f"f{number}",
                "readers": ("public",),
                "indexed_readers": ("public",),
                "changed_at": old,
            }

    def loads() -> Iterator[dict[str, Any]]:
        for number in range(LOADS):
            yield {
                "connection": "acme",
                "unit": _unit(number).id,
                "documents_path": f"documents/{number}",
                "chunks_path": f"chunks/{number}",
                "documents": DOCUMENTS // LOADS,
                "chunks": 3,
                "state": "indexed",
                "landed_at": old,
            }

    def events() -> Iterator[dict[str, Any]]:
        for number in range(EVENTS):
            yield {
                "connection": "acme",
                "delivery": f"old{number}",
                "kind": "edited",
                "body": b"{}" * 200,
                "invalidations": [],
                "state": "done",
                "attempts": 1,
                "received_at": old,
                "finished_at": old,
            }

    def parents() -> Iterator[dict[str, Any]]:
        for number in range(DOCUMENTS):
            yield {
                "connection": "acme",
                "id": document(number).id,
                "unit": _unit(number).id,
                "parent": f"github:acme/{number % UNITS}",
            }

    def groups() -> Iterator[dict[str, Any]]:
        for number in range(UNITS):
            yield {"connection": "acme", "group": f"github:acme/{number}", "read_at": now}

    def memberships() -> Iterator[dict[str, Any]]:
        for number in range(UNITS):
            for person in range(20):
                yield {
                    "connection": "acme",
                    "group": f"github:acme/{number}",
                    "email": f"p{(number * 7 + person) % PEOPLE}@acme.example",
                }

    def connections() -> Iterator[dict[str, Any]]:
        yield {"connection": "acme", "paused": False, "memberships_at": now}

    yield tables.units, units()
    yield tables.documents, documents()
    yield tables.loads, loads()
    yield tables.events, events()
    yield tables.parents, parents()
    yield tables.groups, groups()
    yield tables.memberships, memberships()
    yield tables.connections, connections()


if __name__ == "__main__":
    main()
