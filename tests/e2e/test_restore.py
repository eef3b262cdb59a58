"""What a loss costs: catalog, landing and index are taken away one by one and together, and come back."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipelines.index.contract import Payload
from pipelines.services import Services
from pipelines.settings import load_settings
from tests.e2e.conftest import Folder, company_settings
from tests.emulators.company import bundled_records, free_port, served
from tests.emulators.embeddings import EmbeddingsServer

PLACES = {"catalog": ("catalog.db", "catalog.db-wal", "catalog.db-shm"), "landing": ("landing",), "index": ("index",)}
QUESTION = ("search", "engineering onboarding guide", "--mode", "lexical", "--json")


@pytest.fixture(scope="module")
def company(module_folder: Callable[[str], Path]) -> Iterator[str]:
    with served(bundled_records(), module_folder("sources"), free_port()) as url:
        yield url


@pytest.fixture(scope="module")
def embedder() -> Iterator[EmbeddingsServer]:
    with EmbeddingsServer(dimensions=64) as server:
        yield server


@pytest.fixture(scope="module")
def synced(company: str, embedder: EmbeddingsServer, module_folder: Callable[[str], Path]) -> Folder:
    folder = Folder(module_folder("synced"))
    folder.settings(**company_settings(company, embedder))
    assert folder.headrace("sync", "--json").code == 0
    return folder


@pytest.fixture
def copy(synced: Folder, tmp_path: Path) -> Folder:
    """Another folder in the same state."""
    path = tmp_path / "copy"
    shutil.copytree(synced.path, path)
    return Folder(path)


def lose(folder: Folder, *places: str) -> None:
    for name in (name for place in places for name in PLACES[place]):
        path = folder.path / ".headrace" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def points(folder: Folder) -> dict[str, Payload]:
    with Services(load_settings(folder.path / "headrace.yaml")) as services, services.store() as store:
        return dict(store.scan())


def titles(folder: Folder) -> list[str]:
    return [one["title"] for one in folder.headrace(*QUESTION).json["results"]]


def statuses(folder: Folder) -> dict[str, Any]:
    found = folder.headrace("status", "--json").json
    return {one["id"]: one["totals"] for one in found["connections"]}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("places", "reads", "pays"),
    [
        (["index"], False, False),
        (["landing"], True, False),
        (["catalog"], True, False),
        (["catalog", "index"], True, True),
        (["catalog", "landing"], True, False),
        (["landing", "index"], True, False),
    ],
    ids=["index", "landing", "catalog", "catalog and index", "catalog and landing", "landing and index"],
)
def test_what_was_lost_comes_back(
    copy: Folder, synced: Folder, embedder: EmbeddingsServer, places: Sequence[str], reads: bool, pays: bool
) -> None:
    expected, before = points(synced), embedder.counters()["inputs"]
    lose(copy, *places)
    restored = copy.headrace("restore", "--json")
    assert (restored.code, restored.json["errors"], restored.json["requests"]) == (0, {}, {})
    synced_again = copy.headrace("sync", "--json")
    assert (synced_again.code, synced_again.json["errors"]) == (0, {})
    assert (synced_again.json["documents"]["read"] > 0) == reads
    assert (embedder.counters()["inputs"] > before) == pays
    assert points(copy) == expected
    assert (titles(copy), statuses(copy)) == (titles(synced), statuses(synced))
    nothing = copy.headrace("restore", "--dry-run", "--json").json["lost"]
    assert nothing == {"files": 0, "loads": 0, "without_points": 0, "unknown": 0}
    # Whatever was lost once is there to be used: another chunking or model starts from the landing and the cache.
    paid = embedder.counters()["inputs"]
    assert copy.headrace("reindex", "--json").json["chunks"]["total"] == len(expected)
    assert (points(copy), embedder.counters()["inputs"]) == (expected, paid)


@pytest.mark.slow
def test_without_a_catalog_nobody_sees_anything_and_nothing_is_read(copy: Folder) -> None:
    assert titles(copy)
    lose(copy, "catalog")
    assert titles(copy) == []
    refused = copy.headrace("sync", "--json")
    assert refused.code == 1
    assert all("headrace restore" in error for error in refused.json["errors"].values())
    assert refused.json["documents"]["read"] == 0
    assert copy.headrace("restore", "--json").code == 0
    # Who may see what, the catalog alone knew: the source has to say it again.
    assert titles(copy) == []
    assert copy.headrace("sync", "--json").code == 0
    assert titles(copy)
