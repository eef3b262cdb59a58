"""Reconcile: a complete listing against the catalog, and nothing removed that is not gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

import pipelines.ingestion.sync
from connectors.contract import ListingEntry, Membership
from connectors.errors import Unavailable
from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.report import SyncReport
from pipelines.ingestion.sync import sync_connection, sync_unit
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
UNIT = Unit("unit", "Unit")
RECONCILE = SyncOptions(mode="reconcile")
PRIVATE = ("group:acme:team",)
DRY_RUN = SyncOptions(stages=("documents",), mode="reconcile", dry_run=True)


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> MemorySource:
    memory = MemorySource()
    for number in range(30):
        memory.put(document(number))
    monkeypatch.setattr(pipelines.ingestion.sync, "connect", lambda connection: memory)
    return memory


@pytest.fixture
def services(settings: Settings, source: MemorySource) -> Iterator[Services]:
    with Services(settings.model_copy(update={"connections": (CONNECTION,)}), FakeEmbedder()) as opened:
        opened.catalog.units.replace_listing(CONNECTION.id, CONNECTION.source, [UNIT])
        sync_unit(opened, CONNECTION, source, UNIT)
        yield opened


def reconcile(services: Services, source: MemorySource, options: SyncOptions = RECONCILE) -> SyncReport:
    return sync_unit(services, CONNECTION, source, UNIT, options)


def indexed(services: Services) -> set[str]:
    with services.store() as store:
        return {payload["document_id"] for _, payload in store.scan()}


def forgotten(source: MemorySource, number: int, **change: Any) -> None:
    """An object that changes without the change feed saying so."""
    clock = source.clock
    source.put(document(number, **change))
    source.changed[document(number).id] = clock
    source.clock = clock


def test_nothing_new_reads_nothing(services: Services, source: MemorySource) -> None:
    requests = source.requests
    report = reconcile(services, source)
    assert (report.documents.read, report.errors, source.requests - requests) == (0, {}, 1)


def test_what_the_changes_missed_is_read(services: Services, source: MemorySource) -> None:
    later = datetime(2026, 1, 4, tzinfo=UTC)
    forgotten(source, 3, content="Quite another text.", updated_at=later)
    forgotten(source, 99, content="Never seen before.")
    assert sync_unit(services, CONNECTION, source, UNIT).documents.read == 0
    report = reconcile(services, source)
    assert (report.documents.new, report.documents.changed, report.embedding.inputs) == (1, 1, 2)


def test_what_looks_otherwise_in_the_listing_is_read_once(services: Services, source: MemorySource) -> None:
    forgotten(source, 3, content="Quite another text.", fingerprint="b")
    forgotten(source, 4, fingerprint="b")
    assert reconcile(services, source).documents.read == 0  # nothing to compare with yet
    sync_unit(services, CONNECTION, source, UNIT, SyncOptions(mode="full"))
    forgotten(source, 3, content="Edited once more.", fingerprint="c")
    forgotten(source, 4, fingerprint="c")
    report = reconcile(services, source)
    assert (report.documents.changed, report.documents.unchanged) == (1, 1)
    assert reconcile(services, source).documents.read == 0


def test_what_is_gone_is_removed_and_can_come_back(services: Services, source: MemorySource) -> None:
    source.remove(document(1).id)
    report = reconcile(services, source)
    assert (report.documents.deleted, report.errors) == (1, {})
    assert document(1).id not in indexed(services)
    forgotten(source, 1)
    assert (reconcile(services, source).documents.new, document(1).id in indexed(services)) == (1, True)


def test_what_the_listing_leaves_out_by_mistake_stays(
    services: Services, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    def listing(unit: Unit) -> Iterator[ListingEntry]:
        return (one for one in MemorySource.listing(source, unit) if one.document_id != document(1).id)

    monkeypatch.setattr(source, "listing", listing)
    report = reconcile(services, source)
    assert (report.documents.deleted, report.documents.unchanged) == (0, 1)
    assert len(indexed(services)) == 30


def test_an_incomplete_listing_removes_nothing(services: Services, source: MemorySource) -> None:
    source.page_size = 10
    source.remove(document(29).id)

    def breaks(page: int) -> None:
        if page == 2:
            raise Unavailable("https://api.test", "HTTP 502")

    source.before_page = breaks
    report = reconcile(services, source)
    assert "HTTP 502" in report.errors["acme/unit"]
    assert (report.documents.deleted, len(indexed(services))) == (0, 30)


def test_too_much_gone_waits_for_somebodys_word_and_the_rest_is_read(services: Services, source: MemorySource) -> None:
    for number in range(4):
        source.remove(document(number).id)
    forgotten(source, 99)
    report = reconcile(services, source)
    assert "4 of 31 documents" in report.errors["acme/unit"]
    assert "headrace reconcile --allow-mass-delete" in report.errors["acme/unit"]
    assert (report.documents.new, len(indexed(services))) == (1, 31)
    report = reconcile(services, source, replace(RECONCILE, allow_mass_delete=True))
    assert (report.documents.deleted, report.errors, len(indexed(services))) == (4, {}, 27)


def test_a_dry_run_tells_and_changes_nothing(services: Services, source: MemorySource) -> None:
    for number in range(4):
        source.remove(document(number).id)
    forgotten(source, 99)
    before = services.catalog.units.get("acme", "unit")
    report = reconcile(services, source, DRY_RUN)
    assert report.would_read == [document(99).id]
    assert report.would_delete == [document(number).id for number in range(4)]
    assert (report.errors, len(indexed(services))) == ({}, 30)
    assert services.catalog.documents.totals() == {("acme", "unit"): {"indexed": 30}}
    assert services.catalog.units.get("acme", "unit") == before


def test_units_that_are_gone_lose_their_documents(
    services: Services, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "units", lambda: iter(()))
    source.objects.clear()
    options = replace(RECONCILE, allow_mass_delete=True)
    assert sync_connection(services, CONNECTION, (), replace(options, stages=("documents",), dry_run=True)).would_delete
    assert sync_connection(services, CONNECTION, (), options).documents.deleted == 30
    assert indexed(services) == set()


def test_documents_follow_a_unit_that_is_shared_anew_without_being_read(
    services: Services, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "units", lambda: iter([replace(UNIT, readers=PRIVATE)]))
    report = sync_connection(services, CONNECTION)
    assert (report.documents.changed, report.documents.read, report.errors) == (30, 0, {})
    with services.store() as store:
        assert {tuple(payload["readers"]) for _, payload in store.scan()} == {PRIVATE}


def test_of_a_paused_connection_rights_are_read_and_no_content(
    services: Services, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.put(document(50))
    source.people = [Membership("team", "ada@example.com")]
    monkeypatch.setattr(source, "units", lambda: iter([replace(UNIT, readers=PRIVATE)]))
    services.catalog.connections.pause("acme", True)
    assert sync_connection(services, CONNECTION).documents.read == 0
    assert services.catalog.groups_of("ada@example.com")
    with services.store() as store:
        assert {tuple(payload["readers"]) for _, payload in store.scan()} == {PRIVATE}
    services.catalog.connections.pause("acme", False)
    assert sync_connection(services, CONNECTION).documents.new == 1


def test_memberships_that_cannot_be_read_stay_as_they_were(
    services: Services, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.people = [Membership("team", "ada@example.com")]
    sync_connection(services, CONNECTION)

    def broken() -> Iterator[Membership]:
        yield Membership("team", "eve@example.com")
        raise Unavailable("https://api.test", "HTTP 500")

    monkeypatch.setattr(source, "memberships", broken)
    report = sync_connection(services, CONNECTION)
    assert "HTTP 500" in report.errors["acme"]
    assert services.catalog.groups_of("ada@example.com")
    assert not services.catalog.groups_of("eve@example.com")
