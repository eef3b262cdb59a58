"""`headrace events`: what an event has been through, and dead letters wherever trouble is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectors.webhooks import Event, Invalidation
from pipelines.catalog import Catalog
from pipelines.catalog.events import MOST_ATTEMPTS
from pipelines.services import Services
from pipelines.settings import load_settings
from tests.emulators.fake_embedder import FakeEmbedder
from tests.pipelines.cli.conftest import Done


@pytest.fixture
def catalog(folder: Path) -> Iterator[Catalog]:
    with Services(load_settings(folder / "headrace.yaml", environment={}), FakeEmbedder()) as services:
        yield services.catalog
        services.catalog.purging.delete_events("acme", None)


@pytest.fixture
def dead(catalog: Catalog) -> int:
    """An event that was given up; its id."""
    catalog.events.store("acme", Event("d1", "issues", (Invalidation("document", "unit", "github:acme/1"),)), b"{}")
    (event,) = catalog.events.pending(["acme"], 1)
    for attempt in range(MOST_ATTEMPTS):
        catalog.events.record_failure([event], f"access denied, attempt {attempt + 1}")
        (state,) = catalog.events.list_recent("acme")
        event = type(event)(
            event.id, event.connection, event.kind, event.invalidations, state["attempts"], event.received_at
        )
    return event.id


def test_dead_letters_are_told_until_they_are_replayed(headrace: Callable[..., Done], dead: int) -> None:
    (incident,) = headrace("status", "--json").json["health"]["incidents"]
    assert (incident["kind"], incident["connection"], incident["events"]) == ("dead_letters", "acme", 1)
    assert "trouble  acme: 1 events could not be processed and are given up, since" in headrace("status").out
    assert headrace("events", "replay", dead).out == "1 events are pending again\n"
    assert headrace("status", "--json").json["health"]["incidents"] == []


def test_a_replay_keeps_what_an_event_has_been_through(headrace: Callable[..., Done], dead: int) -> None:
    headrace("events", "replay", dead)
    shown = headrace("events", "show", dead).out.splitlines()
    assert shown[0].startswith(f"event {dead} of acme, issues, came at ")
    attempts = [f"failed: access denied, attempt {number + 1}" for number in range(MOST_ATTEMPTS)]
    last = f"dead: access denied, attempt {MOST_ATTEMPTS}"
    assert [line.partition("  ")[2] for line in shown[1:-3]] == [*attempts, last]
    assert shown[-3:] == ["now pending", "", "{}"]


def test_events_that_wait_are_trouble_of_their_backend(headrace: Callable[..., Done], catalog: Catalog) -> None:
    catalog.events.store("acme", Event("d2", "issues", (Invalidation("unit", "unit"),)), b"{}")
    waiting = catalog.events.pending(["acme"], 1)
    catalog.events.await_backend(waiting, "embedding", "embedding: api.test answered HTTP 503")
    line = headrace("status").out
    assert "trouble  the embedding provider does not answer, or refuses, since" in line
    assert "(1 events): embedding: api.test answered HTTP 503; look at `embedding` in the settings" in line
    assert "now pending, waits for embedding since" in headrace("events", "show", waiting[0].id).out
