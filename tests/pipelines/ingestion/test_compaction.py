"""Compaction: many small loads become few, what was read stays as it was, and nothing goes before its days."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer
from pydantic import SecretStr
from sqlalchemy import select, update

from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from connectors.tables import documents_schema
from pipelines.catalog import tables
from pipelines.catalog.conditions import FULL_ROWS
from pipelines.catalog.obsolete import mark_unseen
from pipelines.index.contract import Payload
from pipelines.ingestion import compaction
from pipelines.ingestion.compaction import LEAST_LOADS, Compacted, compact, plan_compaction
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.reindex import reindex
from pipelines.ingestion.retention import Pruned, plan_prune, prune
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.landing import Landing
from pipelines.landing.files import LandingFiles
from pipelines.operations.purge import find_scope, purge
from pipelines.operations.restore import find_losses, restore
from pipelines.services import Services
from pipelines.settings import LandingSettings, RetentionSettings, Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

ACME = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
UNIT, OTHER = Unit("unit", "Unit"), Unit("other", "Other")


FEW = 4
"""So many loads are united in all tests but that of how many there must be."""


class ProcessKilled(BaseException):
    """Stands for the end of the process."""


@dataclass
class Lab:
    """A unit whose documents are landed one by one, as events land them."""

    services: Services
    source: MemorySource

    def read(self, *numbers: int, unit: Unit = UNIT, **changes: Any) -> None:
        for number in numbers:
            told = {"content": f"About the zebra, number {number}.", "unit": unit.id} | changes
            self.source.put(document(number, **told))
        self.sync(unit)

    def sync(self, unit: Unit = UNIT, mode: Any = "changes") -> None:
        options = SyncOptions(mode=mode, allow_mass_delete=True)
        assert sync_unit(self.services, ACME, self.source, unit, options).errors == {}

    def keep(self, **days: int) -> None:
        retention = RetentionSettings(**days)
        self.services.settings = self.services.settings.model_copy(update={"retention": retention})

    def pass_time(self, days: float) -> None:
        past = datetime.now(UTC) - timedelta(days=days)
        with self.services.catalog._engine.begin() as transaction:
            for column in (tables.obsolete_rows.c.since, tables.documents.c.changed_at):
                transaction.execute(update(column.table).values({column: past}))

    def files(self) -> set[str]:
        return set(self.services.landing.data_files())

    def holds(self, word: str) -> bool:
        """Whether a word stands in a file of documents or chunks."""
        files = self.services.landing.files
        return any(word in str(row) for path in self.files() for row in files.rows(path))

    def loads(self) -> list[int]:
        """How many documents need each load that any needs."""
        table = tables.documents
        with self.services.catalog._engine.connect() as transaction:
            found = [row.load for row in transaction.execute(select(table.c.load).where(table.c.load.is_not(None)))]
        return [found.count(load) for load in sorted(set(found))]

    def landed(self, services: Services | None = None) -> dict[str, Any]:
        """What the landing has of each document, by the catalog's word: its row, and what became of it."""
        found: dict[str, Any] = {}
        landing, catalog = self.services.landing, (services or self.services).catalog
        paths = {load.id: load.documents_path for load in catalog.restoring.loads()}
        for one in catalog.documents.states([document(number).id for number in range(200)]).values():
            if one.load is not None:
                rows = {row["id"]: row for row in landing.files.rows(paths[one.load])}
                (chunks,) = landing.chunks_of("acme", one.load, [one.id])
                assert rows[one.id]["version"] == one.version == chunks.version
                found[one.id] = rows[one.id], chunks
        return found

    def put_back(self, backup: Path) -> Services:
        """The catalog is that of a backup again, opened by another process."""
        self.services.catalog._engine.dispose()
        for file in self.services.settings.state_path.glob("catalog.db*"):
            file.unlink()
        if backup.exists():
            shutil.copy(backup, self.services.settings.state_path / "catalog.db")
        return Services(self.services.settings, FakeEmbedder())

    def rebuilt(self) -> dict[str, Payload]:
        """The points of an index that is made anew; no text is paid again, and nothing read."""
        shutil.rmtree(self.services.settings.state_path / "index")
        with Services(self.services.settings, FakeEmbedder(), replace_index=True) as anew:
            report = reindex(anew)
            assert (report.errors, report.embedding.inputs) == ({}, 0)
            with anew.store() as store:
                return dict(store.scan())


@pytest.fixture
def in_s3(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings with a bucket for the landing."""
    for name, value in {"ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "s", "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    placed = settings.model_copy(update={"landing": LandingSettings(url="s3://landing/prefix", endpoint_url=address)})
    Landing(placed).files.create_bucket()
    yield placed
    server.stop()


@pytest.fixture
def full_lab(request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """Where as many loads are united as anywhere."""
    monkeypatch.setattr("pipelines.ingestion.load_writer.BYTES_WITHOUT_CHECKPOINT", 0)
    settings = request.getfixturevalue(getattr(request, "param", "settings"))
    placed = settings.model_copy(update={"connections": (ACME,)})
    with Services(placed, FakeEmbedder()) as services:
        services.catalog.units.replace_listing("acme", "github", [UNIT, OTHER])
        yield Lab(services, MemorySource(listed=[UNIT, OTHER]))


@pytest.fixture
def lab(full_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """Where few loads are united already."""
    monkeypatch.setattr(compaction, "LEAST_LOADS", FEW)
    monkeypatch.setattr(compaction, "MOST_LOADS", 2 * FEW)
    monkeypatch.setattr(compaction, "TIERS", (range(1, FEW), range(FEW, FULL_ROWS)))
    return full_lab


def test_so_many_small_loads_become_one(full_lab: Lab) -> None:
    full_lab.read(*range(LEAST_LOADS - 1))
    assert compact(full_lab.services, None) == plan_compaction(full_lab.services) == Compacted()
    full_lab.read(LEAST_LOADS)
    before, points = full_lab.landed(), full_lab.rebuilt()
    assert plan_compaction(full_lab.services) == compact(full_lab.services, None) == Compacted(LEAST_LOADS, 1)
    assert full_lab.loads() == [LEAST_LOADS]
    assert (full_lab.landed(), full_lab.rebuilt()) == (before, points)
    assert compact(full_lab.services, None) == plan_compaction(full_lab.services) == Compacted(), (
        "what is left counts no more"
    )


@pytest.mark.parametrize("full_lab", ["settings", "in_s3"], indirect=True)
def test_what_was_united_leaves_after_its_days_and_nothing_is_forgotten(lab: Lab) -> None:
    lab.read(*range(FEW))
    points, files = lab.rebuilt(), lab.files()
    assert prune(lab.services) == Pruned(united=FEW, united_into=1)
    assert files < lab.files()
    assert prune(lab.services) == Pruned()
    lab.pass_time(8)
    gone = Pruned(landed_files=FEW, landed_rows=FEW)
    assert plan_prune(lab.services) == prune(lab.services, seconds=None) == gone
    assert (len(lab.files()), len(lab.services.catalog.restoring.loads())) == (2, 1)
    assert lab.rebuilt() == points


def test_a_pass_without_any_time_unites_a_group(lab: Lab) -> None:
    """As where it takes all of the time to find out how large the files are."""
    lab.read(*range(4 * FEW))
    assert compact(lab.services, 0) == Compacted(2 * FEW, 1)
    assert compact(lab.services, 0) == Compacted(2 * FEW, 1)


def test_only_what_is_needed_is_copied(lab: Lab) -> None:
    lab.read(*range(FEW))
    lab.read(0, content="About the okapi.")
    lab.source.remove(document(1).id)
    lab.sync(mode="full")
    assert compact(lab.services, None) == Compacted(FEW, 1), "the tombstone is one, and needed"
    assert lab.loads() == [FEW]
    lab.keep(deleted_text_days=0, superseded_loads_days=0)
    prune(lab.services, seconds=None)
    assert (lab.holds("number 0"), lab.holds("number 1."), lab.holds("number 2.")) == (False, False, True)
    assert len(lab.files()) == 2
    assert len(lab.rebuilt()) == FEW - 1


def test_text_that_is_deleted_after_it_was_copied_leaves_both_loads(lab: Lab) -> None:
    lab.read(*range(FEW))
    compact(lab.services, None)
    lab.source.remove(document(1).id)
    lab.sync(mode="full")
    lab.keep(deleted_text_days=0)
    assert prune(lab.services).landed_rows == 2
    assert not lab.holds("number 1.")
    assert lab.holds("number 2.")


def test_united_loads_are_united_again_and_each_row_but_twice(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "LEAST_LOADS": 3,
        "MOST_LOADS": 4,
        "TIERS": (range(1, 3), range(3, 12)),
        "FULL_ROWS": 12,
    }.items():
        monkeypatch.setattr(f"pipelines.ingestion.compaction.{name}", value)
    lab.read(*range(42))
    before = lab.landed()
    # Ten groups of four, of which each three become one that is full; two are left, and the tenth.
    assert plan_compaction(lab.services) == compact(lab.services, None) == Compacted(40 + 9, 10 + 3)
    assert sorted(lab.loads()) == [1, 1, 4, 12, 12, 12]
    assert lab.landed() == before
    lab.read(*range(50, 60))
    compact(lab.services, None)
    assert sorted(lab.loads())[-3:] == [12, 12, 12], "what is full is left alone"


def test_a_load_that_is_large_is_left_alone_and_not_looked_at_again(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.ingestion.compaction.FULL_BYTES", 300_000)
    noise = random.Random(1).randbytes(200_000)
    lab.read(*range(FEW))
    lab.read(100, content=noise.hex(), content_type="text/plain")
    assert compact(lab.services, None) == Compacted(FEW, 1)
    assert lab.loads() == [1, FEW]
    (large,) = (load for load in lab.services.catalog.compaction.small_loads("acme", "unit") if load.rows == 1)
    assert (large.bytes or 0) > 300_000


@pytest.mark.parametrize(
    ("step", "recorded"),
    [
        ("pipelines.ingestion.compaction.copy_documents", 0),
        ("pipelines.catalog.compaction.Compaction.add", 0),
        ("pipelines.ingestion.compaction.copy_chunks", 1),
        ("pipelines.catalog.compaction.Compaction.replace", 1),
        ("pipelines.catalog.compaction.mark_seen", 1),
    ],
)
def test_a_process_that_is_killed_on_the_way_leaves_nothing_lost_or_doubled(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, step: str, recorded: int
) -> None:
    lab.read(*range(FEW))
    before = lab.landed()
    with mock.patch(step, side_effect=ProcessKilled), pytest.raises(ProcessKilled):
        compact(lab.services, None)
    assert lab.landed() == before
    assert len(lab.services.catalog.restoring.loads()) == FEW + recorded
    assert prune(lab.services) == Pruned(united=FEW, united_into=1)
    assert lab.landed() == before
    lab.pass_time(8)
    monkeypatch.setattr("pipelines.ingestion.retention.LOADING", timedelta())
    prune(lab.services, seconds=None)
    assert (len(lab.files()), len(lab.services.catalog.restoring.loads())) == (2, 1)
    assert lab.landed() == before


def test_a_backup_of_the_catalog_from_before_finds_all_that_it_names(lab: Lab, tmp_path: Path) -> None:
    lab.read(*range(FEW))
    before, points, backup = lab.landed(), lab.rebuilt(), tmp_path / "backup.db"
    with closing(sqlite3.connect(lab.services.settings.state_path / "catalog.db")) as now:
        now.execute("VACUUM INTO ?", (str(backup),))
    prune(lab.services, seconds=None)
    with lab.put_back(backup) as services:
        assert find_losses(services).as_json() == {"files": 0, "loads": 0, "without_points": 0, "unknown": 0}
        assert lab.landed(services) == before
        assert prune(services) == Pruned(united=FEW, united_into=1)
        assert lab.landed(services) == before
    assert lab.rebuilt() == points


def test_a_catalog_that_is_lost_finds_the_newest_versions_in_united_loads_too(lab: Lab, tmp_path: Path) -> None:
    lab.read(*range(FEW))
    lab.read(0, content="About the okapi.")
    compact(lab.services, None)
    lab.read(1, content="About the tapir.")
    before = lab.landed()
    with lab.put_back(tmp_path / "none") as services:
        restore(services)
        assert lab.landed(services) == before


def test_nothing_is_united_while_the_index_is_rebuilt_or_others_work_on_the_unit(lab: Lab) -> None:
    lab.read(*range(FEW))
    with lab.services.catalog.leases.hold_reindex():
        assert compact(lab.services, None) == Compacted()
    with lab.services.catalog.leases.hold("acme", "unit"):
        assert compact(lab.services, None) == Compacted(busy=FEW)
    assert compact(lab.services, None) == Compacted(FEW, 1)


@pytest.mark.parametrize("trouble", ["held", "unseen", "file lost", "file lacks a document", "another unit has it"])
def test_a_load_with_which_something_is_the_matter_is_left_alone(lab: Lab, trouble: str) -> None:
    lab.read(*range(FEW + 1))
    table, files = tables.loads, lab.services.landing.files
    path = lab.services.catalog.restoring.loads()[0].documents_path
    with lab.services.catalog._engine.begin() as transaction:
        if trouble == "held":
            transaction.execute(update(table).where(table.c.id == 1).values(state="held"))
        elif trouble == "unseen":
            mark_unseen(transaction, 1, datetime.now(UTC))
        elif trouble == "another unit has it":
            transaction.execute(update(tables.documents).where(tables.documents.c.load == 1).values(unit="other"))
    if trouble == "file lost":
        files.remove(path)
    elif trouble == "file lacks a document":
        with files.atomic(path) as file:
            pq.write_table(documents_schema().empty_table(), file)
    assert compact(lab.services, None) == Compacted(FEW, 1)
    assert lab.loads() == [1, FEW]
    assert lab.services.catalog.documents.in_load(1).keys() == {document(0).id}


def test_files_of_earlier_releases_are_united_in_the_columns_of_today(lab: Lab) -> None:
    file = document(FEW, content=b"Bytes of a file.", content_type="text/plain")
    lab.read(*range(FEW - 1))
    lab.source.put(file)
    lab.sync()
    before = lab.landed()
    for load in lab.services.catalog.restoring.loads():
        age(lab.services.landing.files, load.documents_path, load.chunks_path or "")
    assert compact(lab.services, None) == Compacted(FEW, 1)
    assert lab.landed() == before


def age(files: LandingFiles, documents: str, chunks: str) -> None:
    """Files as they were before documents had `text` and chunks pages, with a column of dlt's own."""
    rows = [
        row | {"is_text": row["text"] is not None, "content": row["content"] or (row["text"] or "").encode()}
        for row in files.rows(documents)
    ]
    texts = pa.Table.from_pylist(rows).drop_columns(["text"]).append_column("_dlt_id", pa.array(["x"] * len(rows)))
    known = next(files.tables(chunks, 100)).drop_columns(["pages", "partly_read"])
    for path, table in ((documents, texts), (chunks, known)):
        with files.atomic(path) as file:
            pq.write_table(table, file)


def test_a_purged_unit_leaves_nothing_of_what_was_united(lab: Lab) -> None:
    lab.read(*range(FEW))
    compact(lab.services, None)
    purge(lab.services, find_scope(lab.services, "acme"))
    assert lab.files() == set()
    with lab.services.catalog._engine.connect() as transaction:
        assert transaction.execute(tables.obsolete_rows.select()).all() == []
