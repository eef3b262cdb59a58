"""What a worker costs that waits for events, and what a second one is worth: whether they do the same work twice.

A source in memory takes 100 ms a request, and each document that it gives is a line of a file. Workers are processes of
their own on one catalog, with SQLite and with a PostgreSQL server of the bench's own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from pydantic import SecretStr
from sqlalchemy import event

from connectors.contract import Item
from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from connectors.webhooks import Event, Invalidation
from pipelines.events.connector_pool import ConnectorPool
from pipelines.events.rights_lane import RightsLane
from pipelines.events.worker import Worker
from pipelines.index.contract import IndexInfo
from pipelines.ingestion.observer import StageDone
from pipelines.ingestion.sync import sync_connection
from pipelines.services import Services
from pipelines.settings import load_settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.emulators.postgres import make_database, serve_postgres
from tests.emulators.qdrant_server import serve_qdrant
from tests.pipelines.documents import document

UNITS, DOCUMENTS = 20, 5
SECONDS_PER_REQUEST = 0.1
SECONDS_IDLE = 20.0
CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("t"))


class Silent:
    """An orchestrator that is told nothing."""

    def stage_done(self, done: StageDone) -> None: ...

    def published(self, info: IndexInfo) -> None: ...

    def checked(self, services: Services) -> None: ...


@dataclass
class SlowSource(MemorySource):
    log: Path | None = None
    listed: list[Unit] = field(default_factory=lambda: [Unit(f"{one:03}", f"unit-{one:03}") for one in range(UNITS)])

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        for key in document_ids:
            time.sleep(SECONDS_PER_REQUEST)
            if self.log:
                with self.log.open("a") as file:
                    file.write(f"{os.getpid()} {key}\n")
            yield document(_number(key), content=f"Edited, as process {os.getpid()} has read it.", unit=unit.id)

    def read(self, unit: Unit, *arguments: object) -> Iterator[Item]:
        own = MemorySource()
        for number in _numbers(unit):
            own.put(document(number, unit=unit.id))
        yield from own.read(unit, *arguments)  # type: ignore[arg-type]

    def unit_of(self, document_id: str) -> str | None:
        return f"{_number(document_id) // DOCUMENTS:03}"


def main() -> None:
    with serve_postgres() as server:
        for url in (None, server.url):
            _measure_waiting(url)
            alone = _measure_draining(url, workers=1)
            both = _measure_draining(url, workers=2)
            print(f"  a second worker is {alone / both:.2f} times as fast", flush=True)


def work(folder: Path) -> None:
    """A worker, until it is killed."""
    with _opened(folder) as services:
        stop, source = threading.Event(), SlowSource(log=folder / "fetched")
        _run(services, stop, ConnectorPool(lambda connection: source))


def _run(services: Services, stop: threading.Event, connectors: ConnectorPool) -> None:
    signals = (threading.Event(), threading.Event())
    with services.catalog.arrivals.listen(*signals):
        lane = threading.Thread(target=RightsLane(services, connectors).run, args=(stop, signals[0]), daemon=True)
        lane.start()
        Worker(services, connectors, Silent()).run(stop, signals[1])
        lane.join()


def _measure_waiting(url: str | None) -> None:
    with _synced(url) as folder, _opened(folder) as services:
        transactions, stop = Counter[str](), threading.Event()
        event.listen(services.catalog._engine, "begin", lambda _: transactions.update(["begun"]))
        worker = threading.Thread(target=_run, args=(services, stop, ConnectorPool(lambda connection: SlowSource())))
        worker.start()
        time.sleep(5)  # what it does once, as it starts
        transactions.clear()
        cpu = time.process_time()
        time.sleep(SECONDS_IDLE)
        cpu, begun = time.process_time() - cpu, transactions["begun"]
        stop.set()
        worker.join()
    print(
        f"{_name(url)}: a worker that waits: {begun / SECONDS_IDLE:.1f} transactions/s, "
        f"{1_000 * cpu / SECONDS_IDLE:.1f} CPU ms/s",
        flush=True,
    )


def _measure_draining(url: str | None, workers: int) -> float:
    """Seconds until nothing waits any more of an event for each document."""
    with _synced(url) as folder, ExitStack() as stack:
        for _ in range(workers):
            stack.enter_context(_worker(folder))
        with _opened(folder) as services:
            while len(services.catalog.claims.workers()) < workers:
                time.sleep(0.2)
            inbox = services.catalog.events
            for unit in SlowSource().listed:
                for number in _numbers(unit):
                    edited = Invalidation("document", unit.id, document(number).id)
                    inbox.store("acme", Event(f"d{number}", "edited", (edited,)), b"{}")
            started = time.monotonic()
            while inbox.backlog():
                time.sleep(0.2)
            seconds = time.monotonic() - started
        fetched = [line.split()[0] for line in (folder / "fetched").read_text().splitlines()]
    print(
        f"{_name(url)}: {UNITS * DOCUMENTS} events, {workers} workers: {seconds:.1f} s, documents fetched "
        f"{len(fetched)} times ({', '.join(map(str, Counter(fetched).values()))} by process)",
        flush=True,
    )
    return seconds


def _numbers(unit: Unit) -> range:
    return range(int(unit.id) * DOCUMENTS, (int(unit.id) + 1) * DOCUMENTS)


def _number(document_id: str) -> int:
    return int(document_id.rpartition("/")[2])


def _name(url: str | None) -> str:
    return "PostgreSQL" if url else "SQLite"


@contextmanager
def _synced(url: str | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name, serve_qdrant() as index:
        folder = Path(name)
        settings: dict[str, Any] = {"connections": [{"id": "acme", "source": "github", "token": "t"}]}
        settings["index"] = {"url": index}
        settings |= {"catalog": {"url": make_database(url)}} if url else {}
        (folder / "headrace.yaml").write_text(json.dumps(settings))
        with _opened(folder) as services, mock.patch("pipelines.ingestion.sync.connect", return_value=SlowSource()):
            assert sync_connection(services, CONNECTION).documents.new == UNITS * DOCUMENTS
        yield folder


@contextmanager
def _opened(folder: Path) -> Iterator[Services]:
    settings = load_settings(folder / "headrace.yaml", environment={})
    with Services(settings, FakeEmbedder(), keep_store=True) as services:
        yield services


@contextmanager
def _worker(folder: Path) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.sharing", str(folder)])
    try:
        yield
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    work(Path(sys.argv[1])) if sys.argv[1:] else main()
