"""Small loads are united by the installed command: it says how many, may be killed, and earlier backups stay good."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.model import Unit
from pipelines.index.contract import Payload
from pipelines.index.embedded.sparse_files import copy_data
from pipelines.ingestion.publish import publish
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.services import Services
from pipelines.settings import load_settings
from tests.damaged_files import cut_short, overwrite
from tests.e2e.conftest import Folder, embedding_settings
from tests.emulators.embeddings import EmbeddingsServer
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

UNIT = Unit("unit", "Plant", "", ("public",))
LOADS = 66
UNITED = {"united": 64, "united_into": 1}
NOTHING_LOST = {"files": 0, "loads": 0, "without_points": 0, "unknown": 0}
QUESTION = ("search", "Text of issue 47", "--mode", "lexical", "--json")


@pytest.fixture(scope="module")
def embedder() -> Iterator[EmbeddingsServer]:
    with EmbeddingsServer(dimensions=64) as server:
        yield server


@pytest.fixture(scope="module")
def landed(embedder: EmbeddingsServer, module_folder: Callable[[str], Path]) -> Folder:
    """A folder with many loads of one document each, as so many events leave them."""
    folder = Folder(module_folder("landed"))
    github = {"id": "acme", "source": "github", "token": "t"}
    folder.settings(connections=[github], embedding=embedding_settings(embedder))
    settings, source = load_settings(folder.path / "headrace.yaml", environment={}), MemorySource()
    for number in range(LOADS):
        source.put(document(number))
    with pytest.MonkeyPatch.context() as patched, Services(settings) as services:
        patched.setattr("pipelines.ingestion.load_writer.BYTES_WITHOUT_CHECKPOINT", 0)
        services.catalog.units.replace_listing("acme", "github", [UNIT])
        assert sync_unit(services, settings.connection("acme"), source, UNIT).errors == {}
        publish(services)
    return folder


@pytest.fixture
def copy(landed: Folder, tmp_path: Path) -> Folder:
    """Another folder in the same state."""
    return copied(landed, tmp_path / "copy")


@pytest.fixture(scope="module")
def points(landed: Folder, module_folder: Callable[[str], Path]) -> dict[str, Payload]:
    """Those of an index that is made of what was landed."""
    return rebuilt(copied(landed, module_folder("points") / "copy"))


def copied(folder: Folder, to: Path) -> Folder:
    shutil.copytree(folder.path, to, copy_function=copy_data)
    return Folder(to)


def files(folder: Folder) -> int:
    return sum(1 for one in (folder.path / ".headrace" / "landing").rglob("*.parquet"))


def pruned(folder: Folder, *options: str) -> dict[str, Any]:
    done = folder.headrace("prune", "--json", *options)
    assert done.code == 0, done.errors
    return {name: count for name, count in done.json.items() if count}


def rebuilt(folder: Folder) -> dict[str, Payload]:
    """The points of an index that is made from the landing and the cache alone."""
    shutil.rmtree(folder.path / ".headrace" / "index")
    done = folder.headrace("reindex", "--json")
    assert (done.code, done.json["errors"], done.json["chunks"]["total"]) == (0, {}, LOADS), done.errors
    settings = load_settings(folder.path / "headrace.yaml", environment={})
    with Services(settings) as services, services.store() as store:
        return dict(store.scan())


def answer(folder: Folder) -> str:
    title: str = folder.headrace(*QUESTION).json["results"][0]["title"]
    return title


def test_prune_says_what_it_would_unite_and_does_it(
    copy: Folder, points: dict[str, Payload], embedder: EmbeddingsServer
) -> None:
    before, paid = files(copy), embedder.counters()["inputs"]
    assert pruned(copy, "--dry-run") == UNITED
    assert files(copy) == before == 2 * LOADS
    assert "64  small loads would be united" in copy.headrace("prune", "--dry-run").output
    assert pruned(copy) == UNITED
    assert pruned(copy) == {}
    assert files(copy) == before + 2, "what was united stays for its days"
    assert rebuilt(copy) == points
    assert (answer(copy), embedder.counters()["inputs"]) == ("Issue 47", paid)


def first_files(folder: Folder, column: str, count: int) -> list[Path]:
    """Of documents or of chunks, of some loads of many."""
    with closing(sqlite3.connect(folder.path / ".headrace" / "catalog.db")) as catalog:
        paths = catalog.execute(f"SELECT {column} FROM loads ORDER BY id LIMIT ?", (count,)).fetchall()
    return [folder.path / ".headrace" / "landing" / path for (path,) in paths]


def keep_nothing(folder: Folder) -> None:
    settings = yaml.safe_load((folder.path / "headrace.yaml").read_text())
    folder.settings(**settings, retention={"superseded_loads_days": 0, "deleted_text_days": 0})


@pytest.mark.parametrize("damage", [cut_short, overwrite])
def test_a_damaged_file_of_documents_is_named_and_stops_nothing(copy: Folder, damage: Callable[[Path], None]) -> None:
    keep_nothing(copy)
    (file,) = first_files(copy, "documents_path", 1)
    damage(file)
    done = copy.headrace("prune", "--json")
    assert (done.code, done.json["united"], done.json["united_into"]) == (0, 63, 1), done.errors
    assert file.name in done.errors
    assert pruned(copy)["landed_files"] == LOADS - 3, "two loads are too few to be united, and one is damaged"
    assert copy.headrace("restore", "--dry-run", "--json").json["lost"] == NOTHING_LOST | {"loads": 1}
    refused = copy.headrace("reindex", "--json")
    assert (refused.code, file.name in refused.errors) == (1, True)
    assert "Traceback" not in refused.errors + done.errors


def test_damaged_chunks_are_made_again(copy: Folder, points: dict[str, Payload], embedder: EmbeddingsServer) -> None:
    paid = embedder.counters()["inputs"]
    damaged = first_files(copy, "chunks_path", 2)
    for file, damage in zip(damaged, (cut_short, overwrite), strict=True):
        damage(file)
    assert pruned(copy) == UNITED
    assert rebuilt(copy) == points
    keep_nothing(copy)
    assert pruned(copy)["landed_files"] == 64
    assert not any(file.exists() for file in damaged)
    assert embedder.counters()["inputs"] == paid


def test_a_damaged_file_that_nothing_needs_leaves_with_its_days(copy: Folder) -> None:
    pruned(copy)
    keep_nothing(copy)
    (file,) = first_files(copy, "documents_path", 1)
    cut_short(file)
    assert pruned(copy, "--dry-run")["landed_files"] == pruned(copy)["landed_files"] == 64
    assert not file.exists()
    assert pruned(copy) == {}


def test_a_landing_that_may_not_be_written_to_is_said_in_a_line(copy: Folder) -> None:
    chunks = copy.path / ".headrace" / "landing" / "chunks" / "acme"
    shutil.rmtree(chunks)
    chunks.touch()
    done = copy.headrace("prune")
    assert (done.code, done.errors.startswith("error: landing.url: ")) == (1, True)
    assert done.errors.count("\n") == 1


@pytest.mark.slow
def test_a_prune_that_is_killed_loses_and_doubles_nothing(copy: Folder, embedder: EmbeddingsServer) -> None:
    expected, paid = rebuilt(copy), embedder.counters()["inputs"]
    for _ in range(3):
        before = files(copy)
        command = copy.started("prune", "--json")
        deadline = time.monotonic() + 60
        while files(copy) == before and command.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        command.kill()
        command.wait()
        assert copy.headrace("restore", "--dry-run", "--json").json["lost"] == NOTHING_LOST
    assert pruned(copy).keys() <= {"united", "united_into"}
    assert pruned(copy) == {}
    assert (rebuilt(copy), embedder.counters()["inputs"]) == (expected, paid)


@pytest.mark.slow
def test_a_backup_from_before_is_restored(copy: Folder, embedder: EmbeddingsServer, tmp_path: Path) -> None:
    expected, paid, state = rebuilt(copy), embedder.counters()["inputs"], copy.path / ".headrace"
    backup = tmp_path / "backup.db"
    with closing(sqlite3.connect(state / "catalog.db")) as catalog:
        catalog.execute("VACUUM INTO ?", (str(backup),))
    assert pruned(copy) == UNITED
    for file in state.glob("catalog.db*"):
        file.unlink()
    shutil.copy(backup, state / "catalog.db")
    assert copy.headrace("restore", "--json").json["lost"] == NOTHING_LOST
    assert (rebuilt(copy), embedder.counters()["inputs"]) == (expected, paid)
    assert pruned(copy) == UNITED


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_a_landing_is_left_alone_where_its_catalog_was_lost(copy: Folder, options: tuple[str, ...]) -> None:
    """The catalog would be made again from it."""
    two_days_ago = time.time() - 172_800
    for one in (copy.path / ".headrace" / "landing").rglob("*.parquet"):
        os.utime(one, (two_days_ago, two_days_ago))
    before = files(copy)
    (copy.path / ".headrace" / "catalog.db").unlink()
    assert "landed_files" not in pruned(copy, *options)
    assert files(copy) == before
