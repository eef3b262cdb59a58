"""Freshness: how late a connection may be follows from its schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from connectors.webhooks import Event, Invalidation
from pipelines.catalog import open_catalog
from pipelines.catalog.freshness import allowed_lag, freshness
from pipelines.settings import Settings

MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC)
SYNC = timedelta(minutes=30)


def connection(schedule: str = "*/15 * * * *") -> GitHubConnection:
    return GitHubConnection(id="acme", source="github", token=SecretStr("t"), schedule=schedule)


@pytest.mark.parametrize(
    ("schedule", "gap"),
    [
        ("* * * * *", timedelta(minutes=1)),
        ("*/15 * * * *", timedelta(minutes=15)),
        ("0 6 * * *", timedelta(days=1)),
        ("0 6 * * 1-5", timedelta(days=3)),
        ("0 6 1 * *", timedelta(days=31)),
    ],
)
def test_the_schedule_says_how_late_is_late(schedule: str, gap: timedelta) -> None:
    assert allowed_lag(connection(schedule), MONDAY) == 2 * gap + SYNC


def test_a_connection_is_as_fresh_as_the_unit_read_longest_ago(settings: Settings) -> None:
    with open_catalog(settings) as catalog:
        catalog.units.replace_listing("acme", "github", [Unit("a", "A"), Unit("b", "B")])
        catalog.units.record_sync("acme", "a")
        never = freshness(catalog, connection())
        assert (never.last_sync, never.late, never.as_json()["lag_seconds"]) == (None, True, None)
        catalog.units.record_sync("acme", "b")
        now = datetime.now(UTC)
        assert not freshness(catalog, connection(), now).late
        assert freshness(catalog, connection(), now + timedelta(hours=2)).late
        catalog.connections.pause("acme", True)
        assert not freshness(catalog, connection(), now + timedelta(hours=2)).late


def test_waiting_events_are_counted(settings: Settings) -> None:
    with open_catalog(settings) as catalog:
        catalog.events.store("acme", Event("d1", "push", (Invalidation("units"),)), b"")
        found = freshness(catalog, connection())
        assert (found.waiting, found.last_event is None, found.waiting_since is None) == (1, False, False)
