"""A load whose documents are damaged or gone, among others of its unit that wait to be chunked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from pipelines.ingestion.options import DEFAULT, SyncOptions
from pipelines.ingestion.report import SyncReport
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.services import Services
from pipelines.settings import Settings
from tests.damaged_files import cut_short
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
UNIT = Unit("unit", "Unit")
LOADS = 3
READS_ALONE = SyncOptions(stages=("documents",))


@pytest.fixture
def source() -> MemorySource:
    return MemorySource()


@pytest.fixture
def services(tmp_path: Path, source: MemorySource) -> Services:
    """With some loads that were read and not chunked, of one document each."""
    services = Services(Settings(directory=tmp_path), FakeEmbedder())
    services.catalog.units.replace_listing(CONNECTION.id, CONNECTION.source, [UNIT])
    for number in range(LOADS):
        source.put(document(number))
        assert sync(services, source, READS_ALONE).errors == {}
    return services


def sync(services: Services, source: MemorySource, options: SyncOptions = DEFAULT) -> SyncReport:
    return sync_unit(services, CONNECTION, source, UNIT, options)


def indexed(services: Services) -> set[str]:
    with services.store() as store:
        return {payload["document_id"] for _, payload in store.scan()}


@pytest.mark.each_value
@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("damaged", range(LOADS))
@pytest.mark.parametrize("damage", [cut_short, Path.unlink])
def test_it_is_named_and_stops_no_other(
    services: Services,
    source: MemorySource,
    damaged: int,
    damage: Callable[[Path], None],
    beside: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if beside:
        monkeypatch.setattr("pipelines.bulk_chunking.FEWEST_DOCUMENTS", 1)
        monkeypatch.setattr("pipelines.bulk_chunking._processors", lambda: 2)
    with services:
        loads = services.catalog.loads.pending(CONNECTION.id, UNIT.id, "landed")
        file = services.settings.state_path / "landing" / loads[damaged].documents_path
        whole = file.read_bytes()
        damage(file)
        (error,) = sync(services, source).errors.values()
        assert file.name in error
        everything = {document(number).id for number in range(LOADS)}
        assert indexed(services) == everything - {document(damaged).id}
        assert services.catalog.loads.pending(CONNECTION.id, UNIT.id, "landed") == [loads[damaged]]
        file.write_bytes(whole)
        assert sync(services, source).errors == {}
        assert indexed(services) == everything
