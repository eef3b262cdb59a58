"""What a schedule leaves out: the look at a quiet unit, and memberships that were read a moment ago."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import event, update

import pipelines.ingestion.sync
from connectors.contract import Cursor, EmptyGroup, Failed, MembershipItem
from connectors.github.settings import GitHubConnection
from connectors.model import Unit, group_token
from pipelines.catalog import tables
from pipelines.catalog.freshness import allowed_lag, longest_gap
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.pacing import quiet_units, units_to_read
from pipelines.ingestion.sync import sync_connection
from pipelines.services import Services
from pipelines.settings import Settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.emulators.memory_source import MemorySource
from tests.pipelines.documents import document

CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
SCHEDULED = SyncOptions(scheduled=True)
TEAM = Unit("unit", "Unit", readers=(group_token("acme", "team"),))


@dataclass
class PacedSource(MemorySource):
    quiet: bool = True
    membership_reads: int = 0

    def is_quiet(self, cursor: Cursor, now: datetime) -> bool:
        return self.quiet

    def memberships(self) -> Iterator[MembershipItem]:
        self.membership_reads += 1
        yield from self.people


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> PacedSource:
    memory = PacedSource(listed=[TEAM], people=[EmptyGroup("team")])
    memory.put(replace(document(1), readers=TEAM.readers))
    monkeypatch.setattr(pipelines.ingestion.sync, "connect", lambda connection: memory)
    return memory


@pytest.fixture
def services(settings: Settings, source: PacedSource) -> Iterator[Services]:
    with Services(settings.model_copy(update={"connections": (CONNECTION,)}), FakeEmbedder()) as opened:
        assert sync_connection(opened, CONNECTION).errors == {}
        yield opened


def read_by(services: Services, source: PacedSource, options: SyncOptions = SCHEDULED) -> int:
    """Requests for the unit's content."""
    before = source.requests
    assert sync_connection(services, CONNECTION, options=options).errors == {}
    return source.requests - before


def last_read(services: Services, ago: timedelta) -> None:
    with services.catalog._engine.begin() as transaction:
        transaction.execute(update(tables.units).values(last_sync=datetime.now(UTC) - ago))


def memberships_read(services: Services, at: datetime) -> None:
    with services.catalog._engine.begin() as transaction:
        transaction.execute(update(tables.connections).values(memberships_at=at))


def test_a_schedule_passes_over_a_quiet_unit_until_it_has_waited(services: Services, source: PacedSource) -> None:
    assert read_by(services, source) == 0
    last_read(services, timedelta(minutes=39))
    assert read_by(services, source) == 0
    last_read(services, timedelta(minutes=41))
    assert read_by(services, source) == 1
    assert read_by(services, source) == 0


@pytest.mark.parametrize("schedule", ["* * * * *", "*/5 * * * *", "*/15 * * * *", "0 * * * *", "0 6 * * 1"])
def test_no_unit_is_late_because_it_is_passed_over(services: Services, source: PacedSource, schedule: str) -> None:
    connection = CONNECTION.model_copy(update={"schedule": schedule})
    gap = longest_gap(connection)
    for waited in range(60):
        last_read(services, timedelta(minutes=waited))
        if quiet_units(services, connection, source, services.catalog.units.all("acme"), SCHEDULED):
            assert timedelta(minutes=waited) + gap < allowed_lag(connection)


def test_what_a_person_asks_for_is_read(services: Services, source: PacedSource) -> None:
    assert read_by(services, source, SyncOptions()) == 1
    assert read_by(services, source, SyncOptions(mode="full", scheduled=True)) == 1
    assert read_by(services, source, SyncOptions(mode="reconcile", scheduled=True)) >= 1


def test_a_unit_that_is_not_quiet_is_read(services: Services, source: PacedSource) -> None:
    source.quiet = False
    assert read_by(services, source) == 1


def test_a_unit_that_is_new_or_renamed_is_read(services: Services, source: PacedSource) -> None:
    source.listed = [replace(TEAM, name="Renamed"), replace(TEAM, id="other", name="Other")]
    assert read_by(services, source) == 2


def test_a_unit_whose_last_sync_failed_is_read(services: Services, source: PacedSource) -> None:
    services.catalog.units.record_sync("acme", "unit", "HTTP 503", "source_unavailable")
    assert read_by(services, source) == 1


def test_a_time_to_come_makes_nobody_wait(services: Services, source: PacedSource) -> None:
    last_read(services, timedelta(days=-2))
    assert read_by(services, source) == 1


def test_what_failed_in_a_quiet_unit_is_tried_again(services: Services, source: PacedSource) -> None:
    mended = replace(document(2), readers=TEAM.readers)
    source.put(Failed(mended.id, "2", "HTTP 503", is_transient=True))
    sync_connection(services, CONNECTION)
    source.put(mended)
    with services.catalog._engine.begin() as transaction:
        transaction.execute(update(tables.documents).values(next_attempt=datetime.now(UTC) - timedelta(hours=1)))
    assert sync_connection(services, CONNECTION, options=SCHEDULED).errors == {}
    with services.store() as store:
        assert mended.id in {payload["document_id"] for _, payload in store.scan()}


def test_which_units_are_read_is_asked_for_all_of_them_at_once(services: Services, source: PacedSource) -> None:
    source.listed += [replace(TEAM, id=f"unit-{number}", name=f"Unit {number}") for number in range(20)]
    assert read_by(services, source) == 20
    statements: list[str] = []
    event.listen(services.catalog._engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    assert units_to_read(services, CONNECTION, source, source.listed, SCHEDULED) == []
    assert len(statements) == 7


def test_a_schedule_leaves_memberships_to_their_own(services: Services, source: PacedSource) -> None:
    read_by(services, source)
    assert source.membership_reads == 1
    memberships_read(services, datetime.now(UTC) - timedelta(minutes=11))
    read_by(services, source)
    read_by(services, source)
    assert source.membership_reads == 2
    read_by(services, source, SyncOptions())
    assert source.membership_reads == 3


def test_memberships_are_read_where_a_unit_has_a_group_that_nobody_told_of(
    services: Services, source: PacedSource
) -> None:
    source.listed.append(Unit("board", "Board", readers=(group_token("acme", "board"),)))
    source.people.append(EmptyGroup("board"))
    read_by(services, source)
    assert source.membership_reads == 2
    read_by(services, source)
    assert source.membership_reads == 2


def test_memberships_that_could_not_be_read_are_tried_again(services: Services, source: PacedSource) -> None:
    with services.catalog._engine.begin() as transaction:
        transaction.execute(update(tables.connections).values(memberships_at=None))
    read_by(services, source)
    assert source.membership_reads == 2
