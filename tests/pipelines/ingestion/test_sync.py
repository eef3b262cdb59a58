"""The stages together: a source in memory, the real landing, catalog, chunking and embedded index."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.contract import Failed, Membership, Skipped, Window
from connectors.errors import Unavailable
from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from pipelines.catalog.units import UnitWithCursor
from pipelines.index.contract import Payload
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
INCREMENTAL = SyncOptions()
FULL = SyncOptions(mode="full")
LONG = "\n\n".join(
    f"## Part {part}\n\n" + " ".join(f"Sentence {part}.{number} says something of its own." for number in range(60))
    for part in range(6)
)


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture
def source() -> MemorySource:
    return MemorySource()


@pytest.fixture
def services(settings: Settings, embedder: FakeEmbedder) -> Iterator[Services]:
    with Services(settings, embedder) as opened:
        opened.catalog.units.replace_listing(CONNECTION.id, CONNECTION.source, [UNIT])
        yield opened


def sync(services: Services, source: MemorySource, options: SyncOptions = INCREMENTAL) -> SyncReport:
    return sync_unit(services, CONNECTION, source, UNIT, options)


def points(services: Services) -> dict[str, Payload]:
    with services.store() as store:
        return dict(store.scan())


def unit_state(services: Services) -> UnitWithCursor:
    state = services.catalog.units.get("acme", "unit")
    assert state is not None
    return state


def test_a_first_sync_indexes_everything(services: Services, source: MemorySource, embedder: FakeEmbedder) -> None:
    for number in range(120):
        source.put(document(number))
    report = sync(services, source)
    assert (report.documents.read, report.documents.new, report.errors) == (120, 120, {})
    assert report.chunks.new == report.chunks.total == len(points(services)) == report.embedding.inputs
    assert services.catalog.documents.totals() == {("acme", "unit"): {"indexed": 120}}
    assert report.embedding.cost_usd == pytest.approx(report.embedding.tokens / 1e6)


def test_a_sync_with_nothing_new_embeds_and_writes_nothing(
    services: Services, source: MemorySource, embedder: FakeEmbedder
) -> None:
    source.put(document())
    sync(services, source)
    before, sent = points(services), embedder.requests
    for options in (SyncOptions(), FULL):
        report = sync(services, source, options)
        assert (report.documents.new, report.documents.changed) == (0, 0)
        assert report.embedding.requests == 0
    assert (points(services), embedder.requests) == (before, sent)


def test_one_edited_sentence_embeds_one_chunk(services: Services, source: MemorySource) -> None:
    source.put(document(content=LONG))
    total = sync(services, source).chunks.total
    assert total >= 4
    source.put(document(content=LONG.replace("Sentence 3.30 says something", "Sentence 3.30 now tells something")))
    report = sync(services, source)
    assert (report.documents.changed, report.embedding.inputs, report.chunks.removed) == (1, 1, 1)
    assert len(points(services)) == total


@pytest.mark.parametrize(
    "change", [{"title": "Another title"}, {"readers": ("user:ada@example.com",)}, {"tags": ("closed",)}]
)
def test_what_is_not_text_changes_payloads_only(
    services: Services, source: MemorySource, change: dict[str, Any]
) -> None:
    source.put(document(content=LONG))
    sync(services, source)
    ids = set(points(services))
    source.put(document(content=LONG, **change))
    report = sync(services, source)
    assert (report.documents.changed, report.embedding.inputs, report.chunks.new) == (1, 0, 0)
    after = points(services)
    assert set(after) == ids
    (name, value), expected = next(iter(change.items())), list(next(iter(change.values())))
    assert all(payload[name] in (value, expected) for payload in after.values())


def test_a_full_sync_removes_what_is_gone_and_leaves_the_rest(services: Services, source: MemorySource) -> None:
    for number in range(3):
        source.put(document(number))
    sync(services, source)
    source.remove(document(1).id)
    assert sync(services, source).documents.deleted == 0
    report = sync(services, source, FULL)
    assert (report.documents.deleted, report.errors) == (1, {})
    assert {payload["document_id"] for payload in points(services).values()} == {document(0).id, document(2).id}
    assert services.catalog.documents.totals() == {("acme", "unit"): {"indexed": 2, "deleted": 1}}


def test_a_source_that_takes_its_cursor_no_more_has_read_everything(services: Services, source: MemorySource) -> None:
    """Changes of which it would have told are forgotten: what it names no more is gone."""
    for number in range(3):
        source.put(document(number))
    sync(services, source)
    source.remove(document(1).id)
    source.takes_cursors = False
    assert sync(services, source).documents.deleted == 1
    assert {payload["document_id"] for payload in points(services).values()} == {document(0).id, document(2).id}


def test_a_full_sync_stops_before_a_mass_delete(services: Services, source: MemorySource) -> None:
    for number in range(30):
        source.put(document(number))
    sync(services, source)
    for number in range(4):
        source.remove(document(number).id)
    report = sync(services, source, FULL)
    assert "4 of 30 documents" in report.errors["acme/unit"]
    assert len(points(services)) == 30


def test_a_full_sync_of_a_unit_that_is_gone_removes_its_document(services: Services, source: MemorySource) -> None:
    source.put(document())
    sync(services, source)
    source.remove(document().id)
    report = sync(services, source, SyncOptions(mode="gone"))
    assert (report.documents.deleted, report.errors, points(services)) == (1, {}, {})


def test_a_mass_delete_goes_through_on_somebodys_word(services: Services, source: MemorySource) -> None:
    for number in range(30):
        source.put(document(number))
    sync(services, source)
    for number in range(20):
        source.remove(document(number).id)
    report = sync(services, source, SyncOptions(mode="full", allow_mass_delete=True))
    assert (report.documents.deleted, report.errors, len(points(services))) == (20, {}, 10)


def test_a_deleted_document_can_come_back(services: Services, source: MemorySource) -> None:
    source.put(document(0))
    source.put(document(1))
    sync(services, source)
    source.remove(document(1).id)
    sync(services, source, FULL)
    source.put(document(1))
    report = sync(services, source)
    assert (report.documents.new, report.embedding.inputs, report.embedding.cached) == (1, 0, 1)
    assert len(points(services)) == 2


def test_objects_that_cannot_be_read_are_recorded_and_the_rest_goes_on(
    services: Services, source: MemorySource
) -> None:
    source.put(document(0))
    source.put(Failed("github:acme/f", "F", "HTTP 500"))
    source.put(Skipped("github:acme/s", "S", "too large: 90 MB"))
    source.put(document(1, content=b"%PDF-1.7 broken", content_type="application/pdf"))
    source.put(document(2, content="   ", title=""))
    report = sync(services, source)
    assert report.errors == {}
    assert services.catalog.documents.totals() == {("acme", "unit"): {"indexed": 1, "failed": 2, "skipped": 2}}
    reasons = {one["id"]: one["reason"] for one in services.catalog.documents.troubled()}
    assert reasons["github:acme/f"] == "HTTP 500"
    assert "PDF" in reasons[document(1).id]


def test_a_document_that_becomes_empty_leaves_the_index(services: Services, source: MemorySource) -> None:
    source.put(document())
    sync(services, source)
    source.put(document(content="", title=""))
    report = sync(services, source)
    assert (report.documents.skipped, points(services)) == (1, {})


def test_a_large_document_is_indexed(services: Services, source: MemorySource) -> None:
    source.put(document(content="word " * 1_000_000))
    report = sync(services, source)
    assert report.errors == {}
    assert report.chunks.total > 1_000


def test_reading_resumes_after_an_error_where_it_was(services: Services, source: MemorySource) -> None:
    def break_down(page: int) -> None:
        if page == 2:
            raise Unavailable("memory", "HTTP 502")

    for number in range(150):
        source.put(document(number))
    source.before_page = break_down
    report = sync(services, source)
    assert "HTTP 502" in report.errors["acme/unit"]
    assert (report.documents.new, len(points(services))) == (100, 100)
    source.before_page = lambda page: None
    report = sync(services, source)
    assert (report.documents.read, report.documents.new, len(points(services))) == (50, 50, 150)


def test_a_text_that_the_provider_refuses_fails_its_document_alone(
    services: Services, source: MemorySource, embedder: FakeEmbedder
) -> None:
    embedder.refused = {"cursed"}
    for number in range(20):
        source.put(document(number))
    source.put(document(20, content="A cursed text."))
    assert sync(services, source).documents.failed == 1
    assert len({payload["document_id"] for payload in points(services).values()}) == 20
    (failed,) = services.catalog.documents.troubled()
    assert (failed["id"], failed["status"]) == (document(20).id, "failed")
    assert failed["reason"] == "passage 1 of 1 (14 characters) cannot be embedded: the fake provider refuses it"

    embedder.refused = set()
    with closing(sqlite3.connect(services.settings.state_path / "catalog.db")) as catalog, catalog:
        catalog.execute("UPDATE documents SET next_attempt = '2026-01-01 00:00:00'")
    source.put(document(21))
    assert sync(services, source).documents.failed == 0
    assert len({payload["document_id"] for payload in points(services).values()}) == 22
    assert set(embedder.embedded.values()) == {1}
    assert list(services.catalog.documents.troubled()) == []


def test_a_text_that_the_provider_refuses_leaves_the_version_before(
    services: Services, source: MemorySource, embedder: FakeEmbedder
) -> None:
    source.put(document(1, content="The pump is stuck."))
    sync(services, source)
    before = points(services)
    embedder.refused = {"cursed"}
    source.put(document(1, content="The pump is stuck. It is cursed now."))
    assert sync(services, source).documents.failed == 1
    assert points(services).keys() == before.keys()


def test_an_interrupted_embedding_pays_nothing_twice(
    services: Services, source: MemorySource, embedder: FakeEmbedder
) -> None:
    for number in range(100):
        source.put(document(number))
    embedder.fail_after = 1
    report = sync(services, source)
    assert "out of order" in report.errors["acme/unit"]
    embedder.fail_after = None
    report = sync(services, source)
    assert report.errors == {}
    assert set(embedder.embedded.values()) == {1}
    assert len(points(services)) == 100


def test_only_the_newest_of_several_landed_versions_is_embedded(
    services: Services, source: MemorySource, embedder: FakeEmbedder
) -> None:
    for text in ("first text", "second text", "third text"):
        source.put(document(content=text))
        sync(services, source, SyncOptions(stages=("documents",)))
    sync(services, source, SyncOptions(stages=("chunks", "vectors")))
    assert len(embedder.embedded) == 1
    assert [payload["text"] for payload in points(services).values()] == ["third text"]


def test_a_window_reads_only_its_days_and_keeps_the_cursor(services: Services, source: MemorySource) -> None:
    source.put(document(0, updated_at=datetime(2026, 1, 3, tzinfo=UTC)))
    source.put(document(1, updated_at=datetime(2025, 1, 3, tzinfo=UTC)))
    window = Window(since=datetime(2026, 1, 1, tzinfo=UTC))
    report = sync(services, source, SyncOptions(window=window))
    assert (report.documents.read, unit_state(services).cursor) == (1, None)
    assert sync(services, source).documents.new == 1


@pytest.mark.parametrize("options", [SyncOptions(mode="full"), SyncOptions(window=Window())])
def test_a_unit_on_which_another_process_works_is_skipped_unless_more_is_asked_for(
    services: Services, source: MemorySource, options: SyncOptions
) -> None:
    source.put(document())
    with services.catalog.leases.hold("acme", "unit"):
        report = sync(services, source)
        assert (report.errors, list(report.busy)) == ({}, ["acme/unit"])
        assert re.fullmatch(r"is being synced by \S+ process \d+ since .* UTC", report.busy["acme/unit"])
        assert "another process" in sync(services, source, options).errors["acme/unit"]


def test_a_sync_that_has_lost_its_lease_stops_and_leaves_the_unit_to_the_other(
    services: Services, source: MemorySource, embedder: FakeEmbedder
) -> None:
    def take_over(page: int) -> None:
        with closing(sqlite3.connect(services.settings.directory / ".headrace/catalog.db")) as catalog, catalog:
            catalog.execute("UPDATE leases SET token = 1000")  # as another process does

    source.put(document())
    source.before_page = take_over
    report = sync(services, source)
    assert (report.errors, list(report.busy), len(embedder.embedded)) == ({}, ["acme/unit"], 0)
    assert services.catalog.documents.states([document().id]) == {}
    assert unit_state(services).error is None


def test_the_error_of_a_unit_is_kept_until_it_goes_well(services: Services, source: MemorySource) -> None:
    source.before_page = lambda page: (_ for _ in ()).throw(Unavailable("memory", "down"))
    sync(services, source)
    state = unit_state(services)
    assert state.error is not None
    assert ("down" in state.error, state.last_sync) == (True, None)
    source.before_page = lambda page: None
    sync(services, source)
    state = unit_state(services)
    assert (state.error, state.last_sync is not None) == (None, True)


def test_memberships_do_not_touch_points(services: Services, source: MemorySource) -> None:
    source.put(document(readers=("group:acme:team",)))
    sync(services, source)
    before = points(services)
    services.catalog.memberships.replace("acme", [Membership("team", "ada@example.com")])
    assert points(services) == before


def test_two_documents_with_the_same_text_are_paid_for_once(
    services: Services, source: MemorySource, embedder: FakeEmbedder
) -> None:
    same = document(0)
    source.put(same)
    source.put(replace(same, id=document(1).id))
    report = sync(services, source)
    assert (report.chunks.new, report.embedding.inputs) == (2, 1)


def test_a_document_that_failed_and_is_what_it_was_is_indexed_again(services: Services, source: MemorySource) -> None:
    for found in (document(1), Failed(document(1).id, "Issue 1", "access denied"), document(1)):
        source.put(found)
        sync(services, source)
    (state,) = services.catalog.documents.states([document(1).id]).values()
    assert (state.status, state.reason) == ("indexed", None)
