"""A unit whose documents are chunked in a process beside this one, while what is chunked is embedded and indexed."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
from pydantic import SecretStr

from connectors.contract import Failed
from connectors.github.settings import GitHubConnection
from connectors.model import Document, Unit
from pipelines.chunking.isolated import ChunkerPool
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.report import SyncReport
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
UNIT = Unit("unit", "Unit")
LONG = "\n\n".join(f"## Part {part}\n\n" + "The wheel of the mill turns by water. " * 60 for part in range(4))
TOO_LARGE_TO_BE_SMALL = "It is read in a process of its own. " * 3_000
MANY = 450


@pytest.fixture(autouse=True)
def always_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.bulk_chunking.FEWEST_DOCUMENTS", 1)
    monkeypatch.setattr("pipelines.bulk_chunking._processors", lambda: 2)


@pytest.fixture
def source() -> MemorySource:
    return many()


def many() -> MemorySource:
    source = MemorySource()
    for number in range(MANY):
        source.put(document(number, content=f"Mill {number}.\n\n{LONG if number % 9 == 0 else 'It stands.'}"))
    source.put(document(17, content="", title=""))
    source.put(document(18, content=TOO_LARGE_TO_BE_SMALL))
    source.put(Failed("github:acme/acme/api/issues/19", "Issue 19", "It cannot be read."))
    return source


def opened(folder: Path, embedder: FakeEmbedder | None = None) -> Services:
    services = Services(Settings(directory=folder), embedder or FakeEmbedder())
    services.catalog.units.replace_listing(CONNECTION.id, CONNECTION.source, [UNIT])
    return services


def sync(services: Services, source: MemorySource) -> SyncReport:
    return sync_unit(services, CONNECTION, source, UNIT, SyncOptions(mode="full"))


def bulk_processes() -> list[psutil.Process]:
    """Those of this process."""
    children = psutil.Process().children()
    return [one for one in children if any("pipelines.bulk_chunking.child" in word for word in one.cmdline())]


def contents(services: Services) -> dict[str, Any]:
    """What the catalog, the landing and the index hold."""
    with services.store() as store:
        points = dict(store.scan())
        vectors = {one: vector.tolist() for one, vector in store.vectors(sorted(points)).items()}
    loads = sorted(services.landing.files.list("chunks"))
    chunks = [one for path in loads for one in services.landing.read_chunks(path)]
    ledger = {one.id: (one.status, one.reason, one.version, one.attempts) for one in all_states(services)}
    return {"points": points, "vectors": vectors, "chunks": chunks, "ledger": ledger}


def all_states(services: Services) -> Iterator[Any]:
    keys = [document(number).id for number in range(MANY)]
    yield from services.catalog.documents.states(keys).values()


@pytest.fixture(scope="module")
def expected(module_folder: Callable[[str], Path]) -> dict[str, Any]:
    """What a sync without a process beside makes of the source."""
    with pytest.MonkeyPatch.context() as patched, opened(module_folder("alone")) as services:
        patched.setattr("pipelines.bulk_chunking._processors", lambda: 1)
        report = sync(services, many())
        assert not bulk_processes()
        return contents(services) | {"report": figures(report)}


def figures(report: SyncReport) -> dict[str, Any]:
    told = report.as_json()
    told["embedding"].pop("requests")  # how texts are spread over requests is no part of the result
    return {name: value for name, value in told.items() if name != "seconds"}


def test_a_unit_is_the_same_whether_it_is_chunked_beside_or_not(
    tmp_path: Path, source: MemorySource, expected: dict[str, Any]
) -> None:
    with opened(tmp_path / "beside") as services:
        report = sync(services, source)
        assert len(bulk_processes()) == 1
        assert contents(services) | {"report": figures(report)} == expected
        again = sync(services, source)
        assert (again.chunks.new, again.chunks.removed, again.embedding.requests) == (0, 0, 0)
    assert bulk_processes() == []


def kill(process: psutil.Process) -> None:
    process.kill()


def stop(process: psutil.Process) -> None:
    os.kill(process.pid, signal.SIGSTOP)


@pytest.mark.one_case
@pytest.mark.parametrize("harm", [kill, stop])
def test_a_process_that_dies_or_hangs_costs_nothing_but_time(
    tmp_path: Path,
    source: MemorySource,
    expected: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    harm: Callable[[psutil.Process], None],
) -> None:
    monkeypatch.setattr("pipelines.bulk_chunking.process.IDLE_SECONDS", 0.5)
    monkeypatch.setattr("pipelines.ingestion.load_writer.ITEMS_PER_LOAD", 100)
    harmed: list[int] = []

    def harm_once(page: int) -> None:
        for process in bulk_processes() if not harmed else ():
            harmed.append(process.pid)
            harm(process)

    source.before_page = harm_once
    with opened(tmp_path / "harmed") as services:
        report = sync(services, source)
        found = contents(services) | {"report": figures(report)}
        assert [process.pid for process in bulk_processes()] not in ([], harmed)
    assert harmed
    for name in ("points", "vectors", "ledger", "report"):
        assert found[name] == expected[name], name


def test_what_stops_the_indexing_stops_no_chunking(
    tmp_path: Path, source: MemorySource, expected: dict[str, Any]
) -> None:
    failing = FakeEmbedder(fail_after=2)
    with opened(tmp_path / "failing", failing) as services:
        report = sync(services, source)
        assert "out of order" in report.errors["acme/unit"]
        assert report.chunks.total == expected["report"]["chunks"]["total"]
        assert services.catalog.loads.pending("acme", "unit", "landed") == []
        paid = failing.embedded.copy()
        failing.fail_after = None
        assert sync(services, source).errors == {}
        assert contents(services)["points"].keys() == expected["points"].keys()
    assert paid
    assert max(failing.embedded.values()) == 1


@pytest.mark.slow
def test_another_writer_gets_its_turn_while_files_are_chunked(
    tmp_path: Path, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(200, 300):
        source.put(document(number, content=b"?", content_type="application/x-unknown"))
    chunk, wrote = ChunkerPool.chunk, threading.Event()
    chunked_afterwards: list[bool] = []

    def write() -> None:
        with Services(Settings(directory=tmp_path / "shared"), FakeEmbedder()) as other, other.store():
            wrote.set()

    def slowly(pool: ChunkerPool, asked: Document, *more: Any) -> Any:
        if asked.content == b"?":
            if not other.ident:
                other.start()
            wrote.wait(0.1)
            chunked_afterwards.append(wrote.is_set())
        return chunk(pool, asked, *more)

    other = threading.Thread(target=write)
    monkeypatch.setattr(ChunkerPool, "chunk", slowly)
    monkeypatch.setattr("pipelines.ingestion.vectors.CHUNKS_PER_STEP", 300)
    with opened(tmp_path / "shared") as services:
        assert sync(services, source).errors == {}
        other.join()
    assert chunked_afterwards[-1]
    assert chunked_afterwards.index(True) < 40


def test_each_step_fills_its_requests(tmp_path: Path, source: MemorySource, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    embed = FakeEmbedder.embed

    def counted(embedder: FakeEmbedder, texts: Sequence[str], **options: Any) -> Any:
        asked.append((len(texts), options["inputs_per_request"]))
        return embed(embedder, texts, **options)

    monkeypatch.setattr(FakeEmbedder, "embed", counted)
    monkeypatch.setattr("pipelines.ingestion.vectors.CHUNKS_PER_STEP", 120)
    with opened(tmp_path / "full") as services:
        assert sync(services, source).errors == {}
    assert len(asked) > 4
    assert {limit for _, limit in asked} == {64}
    assert all(120 < inputs <= 2 * 64 for inputs, _ in asked[:-1])


def test_what_stops_the_chunking_is_told_and_the_rest_is_indexed(
    tmp_path: Path, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.ingestion.load_writer.ITEMS_PER_LOAD", 100)
    with opened(tmp_path / "torn") as services:
        files, writing = services.landing.files, services.landing.files.atomic

        def full(path: str) -> Any:
            if path.startswith("chunks/") and path.endswith("/3.parquet"):
                raise OSError("no space left")
            return writing(path)

        monkeypatch.setattr(files, "atomic", full)
        report = sync(services, source)
        assert "no space left" in report.errors["acme/unit"]
        assert {load.id for load in services.catalog.loads.pending("acme", "unit", "chunked")} == set()
        assert len(contents(services)["points"]) >= 200
        monkeypatch.setattr(files, "atomic", writing)
        assert sync(services, source).errors == {}
        assert services.catalog.documents.totals()["acme", "unit"] == {"indexed": MANY - 2, "skipped": 1, "failed": 1}
