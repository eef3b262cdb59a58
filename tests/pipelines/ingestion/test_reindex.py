"""Reindex: another model, another collection, nothing read again and nothing paid twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from connectors.contract import Failed
from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from pipelines.errors import IndexMismatch, UnitBusy, UsageError
from pipelines.index.contract import Payload
from pipelines.ingestion.observer import Observer
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.publish import publish
from pipelines.ingestion.reindex import reindex, with_model
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.services import Services
from pipelines.settings import IndexSettings, OpenAIEmbeddingSettings, Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.emulators.qdrant_server import serve_qdrant
from tests.emulators.real_qdrant import real_index
from tests.pipelines.documents import document

CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
UNIT = Unit("unit", "Unit")


class OtherModel(FakeEmbedder):
    model = "other"


@pytest.fixture
def source() -> MemorySource:
    memory = MemorySource()
    for number in range(20):
        memory.put(document(number))
    return memory


@pytest.fixture(params=["rest", "server"])
def on_server(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Settings]:
    """The index on a stand-in for a Qdrant server, and on a server where there is one."""
    if request.param == "rest":
        with serve_qdrant() as url:
            yield settings.model_copy(update={"index": IndexSettings(url=url)})
        return
    with real_index() as index:
        yield settings.model_copy(update={"index": index})


def sync_twice(settings: Settings, source: MemorySource) -> None:
    with Services(settings, FakeEmbedder()) as services:
        services.catalog.units.replace_listing("acme", "github", [UNIT])
        sync_unit(services, CONNECTION, source, UNIT)
        source.put(document(3, content="A newer text."))
        source.put(document(4))
        sync_unit(services, CONNECTION, source, UNIT)
        publish(services)


@pytest.fixture
def synced(settings: Settings, source: MemorySource) -> Settings:
    sync_twice(settings, source)
    return settings


def test_a_text_that_the_other_model_refuses_is_the_only_one_that_is_missing(synced: Settings) -> None:
    other = OtherModel()
    other.refused = {"newer"}
    with Services(synced, other, replace_index=True) as services:
        report = reindex(services)
        assert report.documents.failed == 1
        assert {payload["document_id"] for payload in points(services).values()} == {
            document(number).id for number in range(20) if number != 3
        }
        assert [one["id"] for one in services.catalog.documents.troubled()] == [document(3).id]


def points(services: Services) -> dict[str, Payload]:
    with services.store() as store:
        return dict(store.scan())


def test_another_model_is_refused_until_the_index_is_made_anew(synced: Settings, source: MemorySource) -> None:
    with Services(synced, FakeEmbedder()) as services:
        before = points(services)
    other = OtherModel()
    with Services(synced, other) as services, pytest.raises(IndexMismatch, match="headrace reindex"):
        points(services)
    requests = source.requests
    with Services(synced, other, replace_index=True) as services:
        report = reindex(services)
        assert (report.chunks.new, report.embedding.inputs, source.requests) == (20, 20, requests)
    with Services(synced, other) as services:
        assert points(services) == before
        assert services.reader.info().model == "other"
        assert services.reader.info().points == 20
        assert sync_unit(services, CONNECTION, source, UNIT).embedding.inputs == 0


def test_another_number_of_shards_is_had_by_another_name_at_no_cost(on_server: Settings, source: MemorySource) -> None:
    sync_twice(on_server, source)
    with Services(on_server, FakeEmbedder()) as services:
        before = points(services)
    more = on_server.index.model_copy(update={"shard_number": 2})
    with (
        Services(on_server.model_copy(update={"index": more}), FakeEmbedder(), replace_index=True) as services,
        pytest.raises(IndexMismatch, match="another name and run `headrace reindex`"),
    ):
        reindex(services)
    renamed = more.model_copy(update={"collection": f"{more.collection}-2"})
    embedder = FakeEmbedder()
    with Services(on_server.model_copy(update={"index": renamed}), embedder, replace_index=True) as services:
        reindex(services)
        assert points(services) == before
        assert services.published.info().points == len(before)
    assert embedder.embedded.total() == 0


def test_a_document_that_failed_since_keeps_the_text_that_was_read_last(synced: Settings, source: MemorySource) -> None:
    """It stays in a new index, is tried again, and goes with its object also while a reindex is half done."""
    failed = [document(number).id for number in (5, 6)]
    with Services(synced, FakeEmbedder()) as services:
        before = points(services)
        for key in failed:
            source.put(Failed(key, "Read once", "HTTP 502"))
        assert sync_unit(services, CONNECTION, source, UNIT).documents.failed == 2
        reindex(services)
        assert points(services) == before
        states = services.catalog.documents.states(failed)
        assert {(one.status, one.attempts) for one in states.values()} == {("failed", 1)}
        services.catalog.start_reindex()
        source.remove(failed[0])
        sync_unit(services, CONNECTION, source, UNIT, SyncOptions(mode="reconcile", stages=("documents",)))
        assert services.catalog.revocations.load().documents[failed[0]].hidden, "before the index can follow"
        sync_unit(services, CONNECTION, source, UNIT)
        left = {payload["document_id"] for payload in points(services).values()}
        assert (failed[0] in left, failed[1] in left) == (False, True)


def test_a_reindex_that_was_interrupted_is_run_again_at_no_cost(
    synced: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = OtherModel()
    with monkeypatch.context() as broken, Services(synced, other, replace_index=True) as services:
        broken.setattr("pipelines.ingestion.reindex.publish", lambda services: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            reindex(services)
    with Services(synced, FakeEmbedder()) as services:
        assert services.reader.info().model == FakeEmbedder().model
    with Services(synced, other, replace_index=True) as services:
        report = reindex(services)
        assert report.embedding.inputs == 0
        assert services.reader.info().points == 20


def test_nothing_is_synced_while_the_version_changes(
    synced: Settings, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.catalog.leases.SECONDS_FOR_UNITS", 0)
    with Services(synced, FakeEmbedder()) as services, Services(synced, FakeEmbedder()) as elsewhere:
        with services.catalog.leases.hold("acme", "unit"), pytest.raises(UnitBusy, match="acme/unit"):
            reindex(services)
        reindex(services)  # the lease is given back
        with elsewhere.catalog.leases.hold_all():
            report = sync_unit(services, CONNECTION, source, UNIT)
        assert list(report.busy) == ["acme/unit"]
        with elsewhere.catalog.leases.hold_reindex(), pytest.raises(UnitBusy):
            reindex(services)


def test_syncs_go_on_while_a_version_is_written_and_it_catches_up(synced: Settings, source: MemorySource) -> None:
    """What changes, comes, goes and is hidden meanwhile is in the live version at once, and then in the new one."""
    ahead: list[int] = []

    def sync_meanwhile(unit: Unit, stage: str, done: int, total: int | None) -> None:
        if not ahead:
            ahead.append(done)
            source.put(document(5, content="Changed meanwhile."))
            source.put(document(90, content="New meanwhile."))
            source.put(document(6, readers=("user:bo@example.com",)))
            source.remove(document(7).id)
            with Services(synced, FakeEmbedder()) as services:
                assert sync_unit(services, CONNECTION, source, UNIT, SyncOptions(mode="full")).errors == {}
                publish(services)
                assert services.reader.info().documents == 20

    other = OtherModel()
    with Services(synced, other, replace_index=True) as services:
        report = reindex(services, Observer(progress=sync_meanwhile))
    with Services(synced, other) as services:
        found = {payload["document_id"]: payload for payload in points(services).values()}
        assert document(7).id not in found
        assert (found[document(5).id]["text"], found[document(90).id]["text"]) == (
            "Changed meanwhile.",
            "New meanwhile.",
        )
        assert found[document(6).id]["readers"] == ["user:bo@example.com"]
        assert (services.reader.info().documents, len(found)) == (20, 20)
    assert (len(ahead), report.embedding.inputs) == (1, 22)


def test_a_model_can_be_named_where_the_provider_has_several(settings: Settings) -> None:
    with pytest.raises(UsageError, match=r"embedding\.model"):
        with_model(settings, "other")
    embedding = OpenAIEmbeddingSettings(provider="openai", api_key=SecretStr("k"))
    several = settings.model_copy(update={"embedding": embedding})
    assert with_model(several, "other").embedding == embedding.model_copy(update={"model": "other"})
    assert with_model(several, None) is several
