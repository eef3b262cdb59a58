"""Rights that are taken away while nothing is published, nothing can be embedded, or a unit is out of reach."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from connectors.contract import Checkpoint, Cursor, Failed, Item, Window
from connectors.drive.settings import DriveConnection
from connectors.errors import Unavailable
from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from connectors.notion.settings import NotionConnection
from connectors.settings import Connection
from pipelines.index.contract import Filters, Mode
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.publish import publish
from pipelines.ingestion.rights import apply_rights, read_rights
from pipelines.ingestion.sync import sync_connection
from pipelines.ingestion.unit_sync import sync_unit
from pipelines.retrieval import search
from pipelines.retrieval.schema import SearchRequest
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
UNIT = Unit("unit", "Unit")
ADA, EVE, PUBLIC = ("user:ada@example.com",), ("user:eve@example.com",), ("public",)
DOCUMENTS = 12


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> MemorySource:
    memory = MemorySource()
    for number in range(DOCUMENTS):
        memory.put(document(number))
    monkeypatch.setattr("pipelines.ingestion.sync.connect", lambda connection: memory)
    return memory


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture
def services(settings: Settings, source: MemorySource, embedder: FakeEmbedder) -> Iterator[Services]:
    """All documents are public, indexed and published."""
    with Services(settings.model_copy(update={"connections": (CONNECTION,)}), embedder) as opened:
        assert sync_connection(opened, CONNECTION).errors == {}
        publish(opened)
        yield opened


def seen(services: Services, *readers: str) -> set[int]:
    """Numbers of the documents that are found with these reader tokens."""
    filters = Filters(readers=readers or PUBLIC)
    return {number for number in range(DOCUMENTS) if services.reader.document(document(number).id, filters)}


ALL = set(range(DOCUMENTS))


def test_what_a_read_takes_away_counts_before_anything_is_published(services: Services, source: MemorySource) -> None:
    source.put(document(1, readers=ADA))
    source.put(document(2, content="Other words.", readers=()))
    sync_unit(services, CONNECTION, source, UNIT, SyncOptions(stages=("documents",)))
    assert seen(services) == ALL - {1, 2}
    assert seen(services, *ADA) == set(), "what was gained waits for what is published"
    sync_unit(services, CONNECTION, source, UNIT)
    publish(services)
    assert (seen(services), seen(services, *ADA)) == (ALL - {1, 2}, {1})


@pytest.mark.parametrize("mode", ["hybrid", "lexical"])
def test_scores_do_not_tell_of_what_was_taken_away(services: Services, source: MemorySource, mode: Mode) -> None:
    """Nothing is published in between; then all is, and the answers are the same."""

    def answers() -> list[tuple[str, float]]:
        request = SearchRequest(query="text of issue 1", mode=mode, top_k=20)
        found = search(request, PUBLIC, index=services.reader, embedder=services.embedder).results
        return [(one.document_id, round(one.score, 5)) for one in found]

    before = answers()
    source.put(document(1, readers=ADA))
    source.remove(document(2).id)
    assert sync_unit(services, CONNECTION, source, UNIT, SyncOptions(mode="full")).errors == {}
    unpublished = answers()
    publish(services)
    assert answers() == unpublished != before


def test_new_readers_do_not_get_the_old_text(services: Services, source: MemorySource, embedder: FakeEmbedder) -> None:
    for number in (1, 2, 3):
        source.put(document(number, readers=ADA))
    sync_unit(services, CONNECTION, source, UNIT)
    publish(services)
    assert seen(services) == ALL - {1, 2, 3}
    embedder.fail_after = embedder.requests
    source.put(document(1, content="Text of issue 1. It has more now.", readers=PUBLIC))
    source.put(document(2, content="Text of issue 2. It has more now.", readers=(*ADA, *PUBLIC)))
    source.put(document(3, readers=PUBLIC))
    assert sync_unit(services, CONNECTION, source, UNIT).errors
    publish(services)
    assert seen(services) == ALL - {1, 2}, "who gains a right to what was not edited has it without an embedding"
    assert seen(services, *ADA, *PUBLIC) == ALL, "who was a reader and is one still, finds what there is"
    embedder.fail_after = None
    assert sync_unit(services, CONNECTION, source, UNIT).errors == {}
    publish(services)
    assert seen(services) == ALL
    assert services.catalog.revocations.count() == {}


def test_new_readers_of_a_unit_wait_until_it_was_read(
    services: Services, source: MemorySource, embedder: FakeEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "units", lambda: iter([replace(UNIT, readers=ADA)]))
    assert sync_connection(services, CONNECTION).errors == {}
    publish(services)
    assert (seen(services), seen(services, *ADA)) == (set(), ALL)
    embedded = embedder.requests
    monkeypatch.setattr(source, "units", lambda: iter([replace(UNIT, readers=PUBLIC)]))
    monkeypatch.setattr(source, "before_page", unavailable)
    assert sync_connection(services, CONNECTION).errors
    publish(services)
    assert (seen(services), seen(services, *ADA, *PUBLIC)) == (set(), ALL)
    monkeypatch.setattr(source, "before_page", lambda page: None)
    assert sync_connection(services, CONNECTION).errors == {}
    publish(services)
    assert (seen(services), embedder.requests) == (ALL, embedded)


def test_new_readers_of_a_unit_find_nothing_that_was_deleted_before_they_came(
    services: Services, source: MemorySource, embedder: FakeEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has changed shows no deletion, and no event has told of it."""
    monkeypatch.setattr(source, "units", lambda: iter([replace(UNIT, readers=ADA)]))
    assert sync_connection(services, CONNECTION).errors == {}
    publish(services)
    embedded, requests = embedder.requests, source.requests
    assert sync_connection(services, CONNECTION).errors == {}
    assert source.requests == requests + 1, "nobody is let in: nothing is listed"
    source.remove(document(1).id)
    monkeypatch.setattr(source, "units", lambda: iter([replace(UNIT, readers=PUBLIC)]))
    assert sync_connection(services, CONNECTION).errors == {}
    publish(services)
    assert (seen(services), embedder.requests) == (ALL - {1}, embedded)


def unavailable(page: int) -> None:
    raise Unavailable("https://api.test/issues", "does not answer")


def test_rights_and_deletions_wait_for_no_embedding(
    services: Services, source: MemorySource, embedder: FakeEmbedder
) -> None:
    embedder.fail_after = embedder.requests
    source.put(document(50, content="This needs a vector."))
    source.put(document(1, readers=ADA))
    source.remove(document(2).id)
    assert sync_unit(services, CONNECTION, source, UNIT, SyncOptions(mode="full")).errors
    with services.store() as store:
        readers = {payload["document_id"]: tuple(payload["readers"]) for _, payload in store.scan()}
    assert document(2).id not in readers
    assert readers[document(1).id] == ADA


def test_readers_alone_embed_nothing_and_land_nothing(
    services: Services, source: MemorySource, embedder: FakeEmbedder
) -> None:
    before = embedder.requests
    for number in range(DOCUMENTS):
        source.put(document(number, readers=ADA))
    report = sync_unit(services, CONNECTION, source, UNIT)
    assert (report.documents.changed, report.chunks.total, embedder.requests) == (DOCUMENTS, 0, before)
    publish(services)
    assert (seen(services), seen(services, *ADA)) == (set(), ALL)


def test_a_unit_out_of_reach_is_seen_by_nobody_and_comes_back_without_embedding(
    services: Services, source: MemorySource, embedder: FakeEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = embedder.requests
    monkeypatch.setattr(source, "units", lambda: iter(()))
    report = sync_connection(services, CONNECTION)
    assert "out of reach" in report.errors["acme/unit"], "told by one sync that fails"
    report = sync_connection(services, CONNECTION)
    assert report.errors == {}
    assert "out of reach" in report.out_of_reach["acme/unit"]
    assert seen(services) == set()
    assert services.reader.document(document(1).id, Filters(readers=None)) == []
    publish(services)
    assert seen(services) == set()
    monkeypatch.undo()
    monkeypatch.setattr("pipelines.ingestion.sync.connect", lambda connection: source)
    assert sync_connection(services, CONNECTION).errors == {}
    publish(services)
    assert (seen(services), embedder.requests) == (ALL, before)


def test_a_unit_out_of_reach_stays_whatever_others_are_called(
    services: Services, source: MemorySource, embedder: FakeEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = embedder.requests
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(source, "units", lambda: iter([Unit("other", UNIT.id)]))
        elsewhere.setattr(source, "read", lambda *_: iter([Checkpoint({}, complete=True)]))
        report = sync_connection(services, CONNECTION)
    assert (report.documents.deleted, seen(services)) == (0, set())
    monkeypatch.setattr(source, "units", lambda: iter([UNIT]))
    assert sync_connection(services, CONNECTION).errors == {}
    publish(services)
    assert (seen(services), embedder.requests) == (ALL, before)


def test_readers_that_the_settings_no_longer_name_are_out_though_nothing_can_be_read(
    services: Services, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unit's readers are as they were: only the exception for one page is taken out."""
    described = {"id": "acme", "source": "notion", "token": "t", "readers": ["ada@example.com"]}
    by_page = {"59833787-2cf9-4fdf-8782-e53db20768a5": ["eve@example.com"]}
    before = NotionConnection.model_validate({**described, "readers_by_page": by_page})
    after = before.model_copy(update={"readers_by_page": {}})
    source.put(document(1, readers=EVE))
    monkeypatch.setattr(source, "units", lambda: iter([replace(UNIT, readers=ADA)]))
    services.catalog.connections.record_listing("acme", before.unit_patterns)
    assert sync_unit(services, CONNECTION, source, UNIT).errors == {}
    services.catalog.units.replace_listing("acme", "notion", [replace(UNIT, readers=ADA)])
    publish(services)
    assert seen(services, *EVE) == {1}
    monkeypatch.setattr(source, "before_page", unavailable)
    assert sync_connection(services, after).errors
    publish(services)
    assert seen(services, *EVE) == set()


def test_the_brake_on_deletes_keeps_data_and_hides_it(
    services: Services, source: MemorySource, embedder: FakeEmbedder
) -> None:
    kept = {number: source.objects[document(number).id] for number in range(6)}
    for number in kept:
        source.remove(document(number).id)
    report = sync_connection(services, CONNECTION, options=SyncOptions(mode="reconcile"))
    assert "more than a tenth" in report.errors["acme/unit"]
    assert seen(services) == ALL - set(kept)
    before = embedder.requests
    source.objects.update({document(number).id: one for number, one in kept.items()})
    assert sync_connection(services, CONNECTION, options=SyncOptions(mode="reconcile")).errors == {}
    publish(services)
    assert (seen(services), embedder.requests) == (ALL, before)


def test_who_may_read_it_could_not_be_told(services: Services, source: MemorySource, embedder: FakeEmbedder) -> None:
    before = embedder.requests
    source.put(Failed(document(1).id, "Issue 1", "no permissions", hides=True))
    source.put(Failed(document(2).id, "Issue 2", "boom"))
    sync_unit(services, CONNECTION, source, UNIT)
    assert seen(services) == ALL - {1}
    source.put(document(1))
    sync_unit(services, CONNECTION, source, UNIT)
    publish(services)
    assert (seen(services), embedder.requests) == (ALL, before)


def test_events_of_a_busy_unit_take_away_at_once(services: Services, source: MemorySource) -> None:
    source.put(document(1, readers=ADA))
    source.remove(document(2).id)
    with services.catalog.leases.hold(CONNECTION.id, UNIT.id):
        read_rights(services, CONNECTION, source, UNIT, [document(number).id for number in (1, 2, 3)])
        assert seen(services) == ALL - {1, 2}
    assert apply_rights(services, CONNECTION.id, CONNECTION.source, UNIT.id) == 0, "only a read tells who has it now"


def test_what_a_slow_read_shows_to_be_lost_waits_for_no_load(services: Services, source: MemorySource) -> None:
    """One page shows it, and the next does not come for long."""
    source.page_size, found = 2, list[set[int]]()
    source.put(document(1, readers=ADA))
    source.put(Failed(document(2).id, "Two", "who may read it cannot be told", hides=True))
    source.put(document(3, readers=ADA, content="Other words."))
    source.before_page = lambda page: found.append(seen(services))
    assert sync_unit(services, CONNECTION, source, UNIT, SyncOptions(stages=("documents",))).errors == {}
    assert found == [ALL, ALL - {1, 2}]
    assert seen(services) == ALL - {1, 2, 3}


def test_a_page_that_was_read_before_an_event_gives_nothing_back(
    services: Services, source: MemorySource, embedder: FakeEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is written after the event, in a later load; what was given back meanwhile is found when the sync is over."""
    embedded, read, found = embedder.requests, source.read, list[set[int]]()

    def read_slowly(unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
        page = list(read(unit, cursor, window))
        lost = [document(number) for number in (5, 6, 7)]
        yield from page[:3]  # a load of its own
        for one in lost:
            source.remove(one.id)
        source.put(document(8, readers=ADA))
        read_rights(services, CONNECTION, source, unit, [one.id for one in (*lost, document(8))])
        source.put(lost[2])
        for item in page[3:]:
            yield item
            found.append(seen(services))

    source.page_size = 2
    monkeypatch.setattr("pipelines.ingestion.load_writer.SECONDS_PER_LOAD", 0.0)
    monkeypatch.setattr(source, "read", read_slowly)
    assert sync_unit(services, CONNECTION, source, UNIT, SyncOptions(mode="full")).errors == {}
    publish(services)
    assert all(now == ALL - {5, 6, 7, 8} for now in found)
    assert (seen(services), seen(services, *ADA)) == (ALL - {5, 6, 8}, {8})
    assert embedder.requests == embedded


def test_an_end_that_an_event_tells_of_in_a_busy_unit_counts(services: Services, source: MemorySource) -> None:
    """Also where it comes sooner than was known; a later one waits for the content's turn."""
    ended, soon, late = (datetime.now(UTC) + timedelta(hours=hours) for hours in (-1, 1, 9))
    for number, end in ((1, ended), (2, soon)):
        source.put(document(number, readers_until=(("public", end), (*ADA, ended))))
    with services.catalog.leases.hold("acme", UNIT.id):
        read_rights(services, CONNECTION, source, UNIT, [document(1).id, document(2).id])
        assert seen(services) == ALL - {1}
        source.put(document(2, readers_until=(("public", late),)))
        read_rights(services, CONNECTION, source, UNIT, [document(2).id])
    ends = services.catalog.revocations.load().ends
    assert ends == {document(1).id: {"public": ended.timestamp()}, document(2).id: {"public": soon.timestamp()}}


@pytest.mark.parametrize("change", [{"exclude": ("Unit",)}, {"include": ("other",)}])
def test_what_the_settings_exclude_is_hidden_at_once_and_removed_without_asking(
    services: Services,
    source: MemorySource,
    settings: Settings,
    embedder: FakeEmbedder,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, object],
) -> None:
    excluding = CONNECTION.model_copy(update=change)
    monkeypatch.setattr(source, "units", lambda: iter(()))
    with Services(settings.model_copy(update={"connections": (excluding,)}), embedder) as restarted:
        assert seen(restarted) == set()
        assert sync_connection(restarted, excluding).documents.deleted == DOCUMENTS
        with restarted.store() as store:
            assert list(store.scan()) == []


def test_a_connection_that_is_removed_is_hidden_at_once_and_removed_by_the_next_sync(
    services: Services, settings: Settings, embedder: FakeEmbedder
) -> None:
    other: Connection = DriveConnection(id="files", source="drive", token=SecretStr("t"))
    with Services(settings.model_copy(update={"connections": (other,)}), embedder) as restarted:
        assert seen(restarted) == set()
        sync_connection(restarted, other)
        with restarted.store() as store:
            assert [one for _, one in store.scan() if one["connection"] == "acme"] == []


def test_a_unit_that_is_shared_with_fewer_needs_no_read(
    services: Services, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    for readers in (PUBLIC, ADA):
        monkeypatch.setattr(source, "units", lambda readers=readers: iter([replace(UNIT, readers=readers)]))
        monkeypatch.setattr(source, "read", lambda *_: pytest.fail("content is read"))
        sync_connection(services, CONNECTION, options=SyncOptions(stages=()))
        assert seen(services) == (ALL if readers == PUBLIC else set())
    publish(services)
    assert (seen(services), seen(services, *ADA)) == (set(), ALL)


def test_a_full_read_that_is_killed_before_it_removes_what_is_gone_is_repeated(
    services: Services, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    source.remove(document(1).id)
    with monkeypatch.context() as ending:
        ending.setattr(source, "fetch", killed)
        with pytest.raises(KeyboardInterrupt):
            sync_unit(services, CONNECTION, source, UNIT, SyncOptions(mode="full"))
    sync_unit(services, CONNECTION, source, UNIT)
    assert seen(services) == ALL - {1}


def test_what_the_settings_name_again_shows_nothing_of_before(
    services: Services, source: MemorySource, settings: Settings, embedder: FakeEmbedder
) -> None:
    """Nothing is published in between: the copy of before is still searched."""
    other: Connection = DriveConnection(id="files", source="drive", token=SecretStr("t"))
    with Services(settings.model_copy(update={"connections": (other,)}), embedder) as without:
        sync_connection(without, other)
    assert seen(services) == set(), "a server that was not restarted knows it too"
    source.put(document(1, readers=ADA))
    source.remove(document(2).id)
    sync_connection(services, CONNECTION)
    assert seen(services) == ALL - {1, 2}
    publish(services)
    assert (seen(services), seen(services, *ADA)) == (ALL - {1, 2}, {1})


def test_a_unit_that_shuts_out_while_it_is_read_gives_nobody_what_its_list_said(
    services: Services, source: MemorySource
) -> None:
    """Listed as public, and private again by the time that its documents are read."""
    private = ("group:acme:unit",)
    source.listed = [Unit("unit", "Unit", readers=private)]
    for number in range(DOCUMENTS):
        source.put(document(number, readers=private))
    assert sync_connection(services, CONNECTION).errors == {}
    publish(services)
    assert seen(services) == set()
    source.listed = [Unit("unit", "Unit", readers=PUBLIC)]
    source.put(document(1, readers=private, content="Other words."))
    assert sync_connection(services, CONNECTION).errors == {}
    publish(services)
    assert seen(services) == set()
    source.listed = [Unit("unit", "Unit", readers=private)]
    assert sync_connection(services, CONNECTION).errors == {}
    publish(services)
    assert (seen(services), seen(services, *private)) == (set(), ALL)


def test_who_comes_to_a_document_that_has_lost_somebody_is_known_to_the_next_query(
    services: Services, source: MemorySource
) -> None:
    """On a server the loss counts for a minute after it was published, and the readers of now are a part of it."""
    source.put(document(1, readers=ADA))
    sync_unit(services, CONNECTION, source, UNIT, SyncOptions(stages=("documents",)))
    before = services.catalog.revocations.stamp()
    source.put(document(1, readers=ADA + EVE))
    sync_unit(services, CONNECTION, source, UNIT, SyncOptions(stages=("documents",)))
    assert services.catalog.revocations.stamp() > before
    assert services.catalog.revocations.load().documents[document(1).id].readers == {*ADA, *EVE}
