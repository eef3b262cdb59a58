"""What an event, maintenance and a probe cost does not follow how many documents and events there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import Index, event

from pipelines.catalog.tables import metadata
from pipelines.events.rights_lane import RightsLane
from pipelines.events.worker import Worker
from pipelines.metrics.catalog_collector import watch_catalog
from pipelines.operations.health import read_health
from pipelines.services import Services
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document
from tests.pipelines.events.conftest import CONNECTION, Inbox

GROWING = ("documents", "events", "event_attempts", "embeddings", "memberships", "parents", "loads", "obsolete_rows")
"""Tables that have a row for each document or event, or more."""


@contextmanager
def statements(services: Services) -> Iterator[list[tuple[str, Any]]]:
    found: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        found.append((statement, parameters))

    engine = services.catalog._engine
    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


def scans(services: Services, found: list[tuple[str, Any]]) -> set[str]:
    """Statements that go over a whole table which grows, or over all documents of a unit, with what SQLite says of
    it (https://sqlite.org/eqp.html)."""
    bad = set()
    with services.catalog._engine.connect() as connection:
        for statement, parameters in found:
            if statement.lstrip().startswith(("SELECT", "WITH", "UPDATE", "DELETE")):
                one = parameters[0] if isinstance(parameters, list) else parameters
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", one):
                    if goes_over_all(str(row[-1])):
                        bad.add(f"{row[-1]}: {statement}")
    return bad


def goes_over_all(step: str) -> bool:
    """An index of the few rows that meet a condition may be gone over."""
    partial = {index.name for table in metadata.tables.values() for index in table.indexes if is_partial(index)}
    is_scan = any(step == f"SCAN {table}" or step.startswith(f"SCAN {table} USING") for table in GROWING)
    is_of_few = step.rpartition(" ")[2] in partial
    return (is_scan and not is_of_few) or "INDEX documents_by_unit (connection=? AND unit=?)" in step


def is_partial(index: Index) -> bool:
    return index.dialect_options["sqlite"]["where"] is not None


def test_an_event_looks_only_at_what_it_is_about(
    services: Services, source: MemorySource, worker: Worker, inbox: Inbox
) -> None:
    lane = RightsLane(services, worker._connectors)
    with statements(services) as found:
        source.put(document(1, content="An edited text."))
        source.remove(document(2).id)
        inbox.tell_of(1, 2)
        lane.run_pass()
        worker.run_pass()
    assert inbox.states() == ["done"]
    assert scans(services, found) == set()


def test_maintenance_looks_only_at_what_is_due(services: Services, source: MemorySource, worker: Worker) -> None:
    with statements(services) as found:
        worker.run_maintenance()
    assert len(found) > 5
    assert scans(services, found) == set()


def test_probes_count_nothing(services: Services, worker: Worker) -> None:
    registry = CollectorRegistry()
    watch_catalog(registry, services.catalog, services.settings)
    generate_latest(registry)  # which counts documents, once a minute
    with statements(services) as found:
        read_health(services.catalog, services.settings)
        services.catalog.revocations.load({CONNECTION.id: CONNECTION.unit_patterns})
        assert 'headrace_documents{connection="acme",status="indexed"} 3.0' in generate_latest(registry).decode()
    assert scans(services, found) == set()
