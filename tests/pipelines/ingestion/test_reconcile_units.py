"""Reconcile: a complete listing against the catalog, and nothing removed that is not gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

import pipelines.ingestion.sync
from connectors.contract import ListingEntry, Membership, PartState, UnreadableGroup
from connectors.errors import Unavailable, UnreadableUnit, UnreadableUnits
from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.report import SyncReport
from pipelines.ingestion.sync import sync_connection
from pipelines.ingestion.unit_sync import sync_unit
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
    def listing(unit: Unit) -> Iterator[ListingEntry | PartState]:
        hidden = document(1).id
        return (one for one in MemorySource.listing(source, unit) if getattr(one, "document_id", "") != hidden)

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
    """What was read before the trouble counts."""
    source.people = [Membership("board", "ada@example.com"), Membership("team", "ada@example.com")]
    sync_connection(services, CONNECTION)
    before = services.catalog.connections.get("acme").memberships_at

    def broken() -> Iterator[Membership]:
        yield Membership("board", "eve@example.com")
        raise Unavailable("https://api.test", "HTTP 500")

    monkeypatch.setattr(source, "memberships", broken)
    report = sync_connection(services, CONNECTION)
    assert "HTTP 500" in report.errors["acme"]
    assert services.catalog.groups_of("ada@example.com") == {"group:acme:team"}
    assert services.catalog.groups_of("eve@example.com") == {"group:acme:board"}
    assert services.catalog.connections.get("acme").memberships_at == before


def test_a_group_that_cannot_be_read_is_no_error_of_the_sync(services: Services, source: MemorySource) -> None:
    source.people = [Membership("board", "ada@example.com"), Membership("team", "ada@example.com")]
    sync_connection(services, CONNECTION)
    source.people = [UnreadableGroup("team", "no scope")]
    assert sync_connection(services, CONNECTION).errors == {}
    assert services.catalog.groups_of("ada@example.com") == {"group:acme:team"}
    assert [one.reason for one in services.catalog.memberships.unreadable("acme")] == ["no scope"]


OTHER = Unit("other", "Corp/Core")


def listing(*units: Unit, unreadable: Sequence[UnreadableUnit] = ()) -> Callable[[], Iterator[Unit]]:
    def units_of_now() -> Iterator[Unit]:
        yield from units
        if unreadable:
            raise UnreadableUnits(unreadable)

    return units_of_now


def hidden(services: Services) -> set[str]:
    return {unit for (_, unit), scope in services.catalog.revocations.load().units.items() if scope.hidden}


def test_a_unit_that_is_refused_is_hidden_and_named_with_its_reason(
    services: Services, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.put(document(50))
    refused = UnreadableUnit("unit", "single sign-on", is_refused=True)
    monkeypatch.setattr(source, "units", listing(unreadable=[refused]))
    report = sync_connection(services, CONNECTION)
    assert report.errors.keys() == {"acme/unit"}
    assert "Unit is out of reach (single sign-on): its documents are kept" in report.errors["acme/unit"]
    assert hidden(services) == {"unit"}
    assert services.catalog.documents.count_live("acme", "unit") == 30
    (row,) = services.catalog.revocations.of_document("acme", "unit", "")
    assert row["reason"] == "single sign-on"
    monkeypatch.setattr(source, "units", listing(UNIT))
    report = sync_connection(services, CONNECTION, ["unit"])
    assert (report.errors, report.documents.new, report.embedding.inputs, hidden(services)) == ({}, 1, 1, set())


def test_passing_trouble_of_a_unit_is_no_evidence(
    services: Services, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the case in which the settings spell its name; and the other unit that is not listed is gone."""
    services.catalog.units.replace_listing("acme", "github", [UNIT, OTHER, Unit("third", "Third")])
    troubled = UnreadableUnit("corp/core", "HTTP 500", is_refused=False)
    monkeypatch.setattr(source, "units", listing(UNIT, unreadable=[troubled]))
    report = sync_connection(services, CONNECTION, ["unit"])
    assert report.errors == {"acme/other": "corp/core: HTTP 500"}
    assert {state.unit.id: state.gone for state in services.catalog.units.all("acme")} == {
        "unit": False,
        "other": False,
        "third": True,
    }
    assert hidden(services) == {"third"}


def test_a_unit_that_was_never_seen_and_is_refused_is_named_as_the_settings_do(
    services: Services, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = UnreadableUnit("corp/core", "single sign-on", is_refused=True)
    monkeypatch.setattr(source, "units", listing(UNIT, unreadable=[refused]))
    assert sync_connection(services, CONNECTION).errors == {"acme/corp/core": "corp/core: single sign-on"}
    report = sync_connection(services, CONNECTION, ["corp/core"])
    assert report.errors["acme"] == "corp/core: single sign-on"
