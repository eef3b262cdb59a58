"""A worker on a source in memory, the real catalog, landing and embedded index."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Signal
from threading import Thread

import pytest
from pydantic import SecretStr

from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from connectors.webhooks import Event, Invalidation
from pipelines.catalog import Catalog
from pipelines.events.connector_pool import ConnectorPool
from pipelines.events.worker import Worker
from pipelines.index.contract import IndexInfo
from pipelines.index.embedded.sparse_files import copy_data
from pipelines.ingestion.observer import StageDone
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
UNIT = Unit("unit", "Unit")


@dataclass
class Reports:
    """What the orchestrator would be told."""

    stages: list[str] = field(default_factory=list)
    published_points: list[int] = field(default_factory=list)
    checks: int = 0

    def stage_done(self, done: StageDone) -> None:
        self.stages.append(f"{done.connection.id}/{done.unit.id} {done.stage}")

    def published(self, info: IndexInfo) -> None:
        self.published_points.append(info.points)

    def checked(self, services: Services) -> None:
        self.checks += 1


class Inbox:
    """Puts events into the inbox of a services, each under a delivery id of its own."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.count = 0

    def tell(self, *changes: Invalidation, delivery: str | None = None, connection: str = "acme") -> bool:
        self.count += 1
        event = Event(delivery or f"d{self.count}", "issues.edited", changes)
        return self.catalog.events.store(connection, event, b"{}")

    def tell_of(self, *numbers: int) -> bool:
        return self.tell(*(Invalidation("document", "unit", document(number).id) for number in numbers))

    def states(self) -> list[str]:
        return [event["state"] for event in reversed(self.catalog.events.list_recent())]


@pytest.fixture
def source() -> MemorySource:
    return new_source()


def new_source() -> MemorySource:
    memory = MemorySource()
    for number in range(3):
        memory.put(document(number))
    return memory


@contextmanager
def open_services(directory: Path) -> Iterator[Services]:
    with Services(Settings(directory=directory, connections=(CONNECTION,)), FakeEmbedder()) as opened:
        yield opened


@pytest.fixture(scope="module")
def synced(module_folder: Callable[[str], Path]) -> Path:
    """A folder in which the source's documents are indexed, and not published."""
    folder = module_folder("synced")
    with open_services(folder) as opened:
        opened.catalog.units.replace_listing(CONNECTION.id, CONNECTION.source, [UNIT])
        sync_unit(opened, CONNECTION, new_source(), UNIT)
    return folder


@pytest.fixture
def services(synced: Path, tmp_path: Path) -> Iterator[Services]:
    shutil.copytree(synced, tmp_path, dirs_exist_ok=True, copy_function=copy_data)
    with open_services(tmp_path) as opened:
        yield opened


@contextmanager
def running(services: Services, work: Callable[[Signal, Signal], None]) -> Iterator[Signal]:
    """Runs a worker or a lane, as the command does; yields what stops it."""
    stop, arrived = Signal(), Signal()
    thread = Thread(target=work, args=(stop, arrived))
    with services.catalog.arrivals.listen(arrived):
        thread.start()
        try:
            yield stop
        finally:
            stop.set()
            thread.join()


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture
def inbox(services: Services) -> Inbox:
    return Inbox(services.catalog)


@pytest.fixture
def worker(services: Services, source: MemorySource, reports: Reports) -> Worker:
    return Worker(services, ConnectorPool(lambda connection: source), reports)
