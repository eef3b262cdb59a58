"""When a schedule has no units listed: where that costs much, was done within the hour, and nothing speaks for it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import update

import pipelines.ingestion.sync
from connectors.contract import Cursor, Failed
from connectors.errors import ListingGap, SourceError, Unavailable, UnreadableUnits
from connectors.github.settings import GitHubConnection
from connectors.model import PUBLIC, Unit
from pipelines.catalog import tables
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.report import SyncReport
from pipelines.ingestion.sync import sync_connection
from pipelines.services import Services
from pipelines.settings import Settings
from tests.elapsed import let_pass
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
SCHEDULED = SyncOptions(scheduled=True)
HALL, MILL = Unit("unit", "Hall", readers=(PUBLIC,)), Unit("mill", "Mill", readers=(PUBLIC,))


@dataclass
class LargeSource(MemorySource):
    """Lists its units by so many requests; `changed` are told without."""

    changed_now: list[Unit] = field(default_factory=list)
    cost: int = 50
    listings: int = 0
    asked: list[int] = field(default_factory=list)
    trouble: SourceError | None = None

    def units(self) -> Iterator[Unit]:
        self.listings += 1
        self.requests += self.cost
        if self.trouble:
            raise self.trouble
        yield from super().units()

    def changed_units(self, cursors: Collection[Cursor]) -> Iterator[Unit]:
        self.asked.append(len(cursors))
        self.requests += 1
        if self.trouble:
            raise self.trouble
        yield from self.changed_now


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> LargeSource:
    large = LargeSource(listed=[HALL, MILL])
    large.put(replace(document(1), readers=HALL.readers))
    monkeypatch.setattr(pipelines.ingestion.sync, "connect", lambda connection: large)
    return large


@pytest.fixture
def services(settings: Settings, source: LargeSource) -> Iterator[Services]:
    with opened(settings) as services:
        sync(services, SyncOptions())
        assert (source.listings, source.asked) == (1, [])
        yield services


def opened(settings: Settings) -> Services:
    return Services(settings.model_copy(update={"connections": (CONNECTION,)}), FakeEmbedder())


def sync(
    services: Services, options: SyncOptions = SCHEDULED, connection: GitHubConnection = CONNECTION
) -> dict[str, str]:
    return report_of(services, options, connection).errors


def report_of(services: Services, options: SyncOptions, connection: GitHubConnection = CONNECTION) -> SyncReport:
    return sync_connection(services, connection, options=options)


def gone(services: Services) -> set[str]:
    return {state.unit.id for state in services.catalog.units.all("acme") if state.gone}


def revoked(services: Services) -> bool:
    with services.catalog._engine.connect() as transaction:
        return bool(transaction.execute(tables.revocations.select()).all())


def test_of_a_quarter_hour_s_syncs_the_fourth_has_all_units_listed(services: Services, source: LargeSource) -> None:
    listings = []
    for _ in range(9):
        let_pass(services, 15)
        assert sync(services) == {}
        listings.append(source.listings)
    assert listings == [1, 1, 1, 2, 2, 2, 2, 3, 3]
    assert source.asked == [2] * 7


@pytest.mark.parametrize(
    ("schedule", "minutes", "listings"),
    [
        ("*/15 * * * *", 48, 1),  # the run at the full hour is in time
        ("*/15 * * * *", 52, 2),
        ("* * * * *", 59, 1),
        ("*/20 * * * *", 40, 1),
        ("*/30 * * * *", 30, 1),
        ("*/40 * * * *", 40, 2),
        ("0 * * * *", 1, 1),
        ("0 * * * *", 10, 2),
        ("0 */2 * * *", 1, 2),
        ("*/15 8-18 * * *", 15, 2),  # nobody would look before the morning
    ],
)
def test_no_hour_passes_without_a_listing(
    services: Services, source: LargeSource, schedule: str, minutes: int, listings: int
) -> None:
    let_pass(services, minutes)
    assert sync(services, connection=CONNECTION.model_copy(update={"schedule": schedule})) == {}
    assert source.listings == listings


def test_a_process_of_its_own_for_each_sync_goes_on_alike(settings: Settings, source: LargeSource) -> None:
    with opened(settings) as first:
        assert sync(first, SyncOptions()) == {}
    for listings in (1, 1, 1, 2, 2):
        with opened(settings) as another:
            let_pass(another, 15)
            assert sync(another) == {}
        assert source.listings == listings


@pytest.mark.parametrize(
    "options",
    [SyncOptions(), SyncOptions(mode="full", scheduled=True), SyncOptions(mode="reconcile", scheduled=True)],
    ids=["command", "full", "reconcile"],
)
def test_what_a_person_asks_for_and_what_compares_lists_at_once(
    services: Services, source: LargeSource, options: SyncOptions
) -> None:
    sync(services, options)
    assert (source.listings, source.asked) == (2, [])


@pytest.mark.one_case
@pytest.mark.parametrize(("units", "cost", "listings"), [(2, 1, 2), (2, 2, 1), (20, 13, 2), (20, 14, 1)])
def test_a_listing_that_the_budget_allows_four_times_an_hour_is_made_by_each_sync(
    services: Services, source: LargeSource, units: int, cost: int, listings: int
) -> None:
    source.listed, source.cost = [replace(HALL, id=str(one), name=str(one)) for one in range(units)], cost
    sync(services, SyncOptions())
    source.listings = 1
    assert sync(services) == {}
    assert source.listings == listings


def test_a_unit_that_is_gone_is_gone_by_the_next_listing_only(services: Services, source: LargeSource) -> None:
    source.listed = [HALL]
    sync(services)
    assert gone(services) == set()
    sync(services, SyncOptions())
    assert gone(services) == {"mill"}
    assert revoked(services)
    source.listed = [HALL, MILL]
    sync(services)
    assert gone(services) == {"mill"}
    assert revoked(services)
    let_pass(services, 60)
    sync(services)
    assert gone(services) == set()
    assert not revoked(services)


@pytest.mark.one_case
@pytest.mark.parametrize(
    "shown",
    [
        replace(MILL, id="new", name="New"),
        replace(MILL, name="Renamed"),
        replace(MILL, url="https://elsewhere.test"),
        replace(MILL, readers=("user:ada@acme.test",)),
    ],
    ids=["new", "renamed", "moved", "readers"],
)
def test_a_change_that_shows_another_unit_has_all_listed_at_once(
    services: Services, source: LargeSource, shown: Unit
) -> None:
    source.changed_now = [HALL, shown]
    source.listed = list({one.id: one for one in (HALL, MILL, shown)}.values())
    assert sync(services) == {}
    assert source.listings == 2
    assert services.catalog.units.get("acme", shown.id).unit == shown  # type: ignore[union-attr]


def test_a_unit_that_had_gone_comes_back_by_a_listing(services: Services, source: LargeSource) -> None:
    source.listed = [HALL]
    sync(services, SyncOptions())
    source.changed_now, source.listed = [MILL], [HALL, MILL]
    sync(services)
    assert (source.listings, gone(services)) == (3, set())


def test_a_change_in_a_known_unit_is_read_without_a_listing(services: Services, source: LargeSource) -> None:
    source.changed_now = [HALL]
    source.put(replace(document(2), readers=HALL.readers))
    report = report_of(services, SCHEDULED)
    assert (report.errors, report.documents.new > 0, source.listings) == ({}, True, 1)


def test_what_such_a_read_does_not_name_is_not_gone(services: Services, source: LargeSource) -> None:
    before = services.catalog.documents.count_live("acme", "mill")
    source.objects.clear()
    sync(services)
    assert services.catalog.documents.count_live("acme", "mill") == before > 0


def test_after_a_listing_that_failed_the_next_sync_lists(services: Services, source: LargeSource) -> None:
    source.trouble = Unavailable("memory", "away")
    assert sync(services, SyncOptions()) != {}
    source.trouble = None
    assert sync(services) == {}
    assert (source.listings, source.asked) == (3, [])
    assert sync(services) == {}
    assert (source.listings, source.asked) == (3, [2])


def test_changes_that_cannot_be_asked_for_are_a_failure_and_the_next_sync_lists(
    services: Services, source: LargeSource
) -> None:
    source.trouble = Unavailable("memory", "away")
    assert "away" in sync(services)["acme"]
    assert source.listings == 1
    assert [one.activity for one in services.catalog.failures.all()] == ["listing"]
    source.trouble = None
    assert sync(services) == {}
    assert source.listings == 2


def test_changes_that_are_not_all_told_have_all_listed_at_once(services: Services, source: LargeSource) -> None:
    source.gaps = [ListingGap("cut")]
    source.trouble = UnreadableUnits(gaps=source.gaps)
    report = report_of(services, SCHEDULED)
    assert (source.listings, gone(services)) == (2, set())
    assert report.refused == {"acme": {"units": "cut"}}


def test_after_a_listing_that_left_something_out_the_next_sync_lists(services: Services, source: LargeSource) -> None:
    source.gaps = [ListingGap("an organisation")]
    sync(services, SyncOptions())
    sync(services)
    assert (source.listings, source.asked) == (3, [])
    source.gaps = []
    sync(services)
    sync(services)
    assert (source.listings, source.asked) == (4, [2])


def test_a_unit_that_failed_or_was_not_read_since_has_all_listed(services: Services, source: LargeSource) -> None:
    services.catalog.units.record_sync("acme", "mill", "HTTP 503", "source_unavailable")
    sync(services)
    assert source.listings == 2
    with services.catalog._engine.begin() as transaction:
        earlier = datetime.now(UTC) - timedelta(minutes=1)
        transaction.execute(update(tables.units).where(tables.units.c.unit == "mill").values(last_sync=earlier))
    sync(services)
    assert source.listings == 3
    services.catalog.units.forget_cursor("acme", "mill")
    sync(services)
    assert source.listings == 4
    sync(services)
    assert source.listings == 4


def test_a_document_that_failed_has_nothing_listed(services: Services, source: LargeSource) -> None:
    source.put(Failed(document(2).id, "2", "HTTP 503", is_transient=True))
    sync(services, SyncOptions())
    sync(services)
    assert source.listings == 2


def test_other_settings_have_all_listed(services: Services, source: LargeSource) -> None:
    sync(services, connection=CONNECTION.model_copy(update={"exclude": ("Mill",)}))
    assert source.listings == 2


def test_a_time_to_come_has_all_listed(services: Services, source: LargeSource) -> None:
    let_pass(services, -120)
    sync(services)
    assert source.listings == 2


def test_of_what_is_paused_no_changes_are_asked_for(services: Services, source: LargeSource) -> None:
    services.catalog.units.pause("acme", "mill", True)
    sync(services)
    services.catalog.connections.pause("acme", True)
    sync(services)
    assert (source.listings, source.asked) == (1, [1])
    let_pass(services, 60)
    sync(services)
    assert source.listings == 2
