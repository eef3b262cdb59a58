"""Catalog, landing and index agree again after one of them was lost, or two; a kill in between does no harm."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from pipelines.errors import CatalogLost
from pipelines.index.contract import Filters, Payload
from pipelines.index.embedded.sparse_files import copy_data
from pipelines.ingestion.causes import find_cause
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.publish import check_and_publish, publish
from pipelines.ingestion.unit_listing import sync_units
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.operations.restore import find_losses, restore
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.emulators.real_qdrant import real_index, remove_index
from tests.pipelines.documents import document
from tests.pipelines.service.serving import app_of

ACME, OTHER = (GitHubConnection(id=one, source="github", token=SecretStr("t")) for one in ("acme", "other"))
PLACES = {"catalog": ("catalog.db", "catalog.db-wal", "catalog.db-shm"), "landing": ("landing",), "index": ("index",)}
EVERYBODY, ADA = Filters(readers=None), Filters(readers=("user:ada@acme.com",))
NOTHING_LOST = {"files": 0, "loads": 0, "without_points": 0, "unknown": 0}


class Gates(MemorySource):
    def units(self) -> Iterator[Unit]:
        yield Unit("unit", "Gates")  # whose documents have readers of their own


@pytest.fixture(params=["embedded", "server"])
def settings(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Settings]:
    """Both stores; that for a server on a server where there is one."""
    if request.param == "embedded":
        yield settings
        return
    with real_index() as index:
        yield settings.model_copy(update={"index": index})


@pytest.fixture
def source() -> Gates:
    return several()


def several() -> Gates:
    source = Gates()
    for number in range(4):
        source.put(document(number, readers=("public", "user:ada@acme.com")))
    return source


def edit(source: Gates) -> None:
    """One document has another text, one is Ada's no more, and one is deleted."""
    source.put(document(1, content="Another text.", readers=("public",)))
    source.put(document(2, readers=("public",)))
    source.remove(document(3).id)


@contextmanager
def opened(settings: Settings, embedder: FakeEmbedder) -> Iterator[Services]:
    with Services(settings.model_copy(update={"connections": (ACME,)}), embedder) as services:
        yield services


def sync(services: Services, source: Gates, connection: GitHubConnection = ACME) -> None:
    (unit,) = sync_units(services, connection, source).chosen
    report = sync_unit(services, connection, source, unit, SyncOptions(allow_mass_delete=True))
    assert report.errors == {}
    publish(services)


@pytest.fixture(scope="module")
def embedded_state(module_folder: Callable[[str], Path]) -> Path:
    """What `landed` leaves in a folder: made once, and copied for each test."""
    settings = Settings(directory=module_folder("state"))
    landed(settings, several())
    return settings.directory


@pytest.fixture
def state(settings: Settings, source: Gates, embedded_state: Path) -> Settings:
    """Several documents that were edited after they were landed, and landed again."""
    if settings.index.embedded:
        shutil.copytree(embedded_state, settings.directory, copy_function=copy_data, dirs_exist_ok=True)
        edit(source)
    else:
        landed(settings, source)
    return settings


def landed(settings: Settings, source: Gates) -> None:
    with opened(settings, FakeEmbedder()) as services:
        sync(services, source)
        edit(source)
        report = sync_unit(services, ACME, source, Unit("unit", "Gates"), SyncOptions(mode="full"))
        assert (report.errors, report.documents.deleted) == ({}, 1)
        publish(services)


def lose(settings: Settings, *places: str) -> None:
    for name in (name for place in places for name in PLACES[place]):
        path = settings.state_path / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    if "index" in places and not settings.index.embedded:
        remove_index(settings.index)


def points(services: Services) -> dict[str, Payload]:
    with services.store() as store:
        return dict(store.scan())


def found(services: Services, filters: Filters) -> set[str]:
    hits = services.reader.search(mode="lexical", text="text issue", dense=None, filters=filters, limit=20)
    return {hit.payload["document_id"] for hit in hits}


@pytest.mark.one_case
@pytest.mark.each_value
@pytest.mark.parametrize(
    ("places", "pays"),
    [
        (["index"], 0),
        (["landing"], 0),
        (["catalog"], 0),
        pytest.param(["catalog", "index"], 3, marks=pytest.mark.slow),
        pytest.param(["catalog", "landing"], 0, marks=pytest.mark.slow),
        pytest.param(["landing", "index"], 0, marks=pytest.mark.slow),
        (["catalog", "landing", "index"], 3),
    ],
)
def test_what_was_lost_comes_back(state: Settings, source: Gates, places: Sequence[str], pays: int) -> None:
    with opened(state, FakeEmbedder()) as services:
        before = points(services), found(services, EVERYBODY), found(services, ADA)
        assert find_losses(services).as_json() == NOTHING_LOST
    lose(state, *places)
    embedder = FakeEmbedder()
    with opened(state, embedder) as services:
        restore(services)
        sync(services, source)
        assert (points(services), found(services, EVERYBODY), found(services, ADA)) == before
        assert embedder.embedded.total() == pays
        assert find_losses(services).as_json() == NOTHING_LOST
        statuses = services.catalog.documents.totals()["acme", "unit"]
        assert statuses["indexed"] == 3


def test_what_is_not_read_again_yet_keeps_nothing_else_from_being_published(state: Settings, source: Gates) -> None:
    others, kept, deleted = Gates(), "github:other/api/issues/11", "github:other/api/issues/12"
    for one in (kept, deleted):
        others.put(document(id=one, connection="other"))
    with opened(state, FakeEmbedder()) as services:
        sync(services, others, OTHER)
        assert {kept, deleted} < documents(services)
    lose(state, "catalog", "landing")
    others.remove(deleted)
    with opened(state, FakeEmbedder()) as services:
        restore(services)
        sync(services, source)
        assert check_and_publish(services).reasons == []
        sync(services, others, OTHER)
        (reason,) = check_and_publish(services).reasons
        assert f"1 documents differ: {deleted} (1 points, not 0)" in reason, "it was deleted meanwhile"
        restore(services)
        assert check_and_publish(services).reasons == []
        assert (kept in documents(services), deleted in documents(services)) == (True, False)


def documents(services: Services) -> set[str]:
    return {payload["document_id"] for payload in points(services).values()}


def test_without_a_catalog_nobody_sees_anything_and_nothing_is_read(state: Settings, source: Gates) -> None:
    lose(state, "catalog")
    requests = source.requests
    with opened(state, FakeEmbedder()) as services:
        assert found(services, EVERYBODY) == set()
        with pytest.raises(CatalogLost, match="headrace restore") as lost:
            sync(services, source)
        assert find_cause(lost.value) == "catalog_lost", "no event's own fault"
        assert source.requests == requests
        assert "the catalog is empty or half restored" in readiness(services)
        restore(services)
        assert found(services, EVERYBODY) == set()
        assert "the catalog is empty or half restored" in readiness(services)
        # Listing the unit again does not give back what stood in the index: document by document is read first.
        sync_units(services, ACME, source)
        publish(services)
        assert found(services, ADA) == set()


def readiness(services: Services) -> str:
    answer = TestClient(app_of(services)).get("/readyz")
    assert answer.status_code == 200
    first, rest = answer.text.split("\n", 1)
    assert first == "degraded"
    return rest


def test_the_vectors_of_the_index_are_recalled(state: Settings) -> None:
    embedder = FakeEmbedder()
    for lost in ("catalog", "index"):
        lose(state, lost)
        with opened(state, embedder) as services:
            restore(services)
            assert (len(points(services)), embedder.embedded.total()) == (3, 0)


@pytest.mark.parametrize("lost", ["landing", "index"])
def test_without_its_landing_or_index_rights_stay_as_they_are(state: Settings, source: Gates, lost: str) -> None:
    with opened(state, FakeEmbedder()) as services:
        before = found(services, ADA)
        services.catalog.rights.revoke("acme", "unit", {document(0).id: ("user:ada@acme.com", "public")})
    lose(state, lost)
    with opened(state, FakeEmbedder()) as services:
        restore(services)
        assert found(services, ADA) == before - {document(0).id}


def test_a_restore_that_is_killed_goes_on(state: Settings, source: Gates, monkeypatch: pytest.MonkeyPatch) -> None:
    lose(state, "catalog")
    with opened(state, FakeEmbedder()) as services:
        add_load = services.catalog.restoring.add_load
        calls: list[str] = []

        def killed_at_the_second(*arguments: object) -> None:
            calls.append("")
            if len(calls) == 2:
                raise KeyboardInterrupt
            add_load(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(services.catalog.restoring, "add_load", killed_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            restore(services)
    embedder = FakeEmbedder()
    with opened(state, embedder) as services:
        with pytest.raises(CatalogLost):
            sync_units(services, ACME, source)
        restore(services)
        sync(services, source)
        assert (len(points(services)), embedder.embedded.total()) == (3, 0)
        assert find_losses(services).as_json() == NOTHING_LOST


def test_points_that_nothing_else_knows_are_removed(state: Settings, source: Gates) -> None:
    with opened(state, FakeEmbedder()) as services:
        services.catalog.purging.record_points_removed("acme", ["unit"])
        services.catalog.rights.remove_unit("acme", "unit")
        assert find_losses(services).as_json() == NOTHING_LOST | {"unknown": 3}
        restore(services)
        assert points(services) == {}
