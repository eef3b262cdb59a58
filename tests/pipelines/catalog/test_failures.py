"""What the catalog keeps of trouble, in both databases: since the first failure in a row, until the next success."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.webhooks import Event, Invalidation
from pipelines.catalog import Catalog
from pipelines.catalog.events import MOST_ATTEMPTS, PendingEvent
from pipelines.errors import UnitBusy, UsageError
from pipelines.ingestion.causes import track


def test_a_failure_lasts_since_its_first_attempt_until_a_success(catalog: Catalog) -> None:
    catalog.failures.record("listing", "acme", "", "source_unavailable", "HTTP 502")
    (first,) = catalog.failures.all()
    catalog.failures.record("listing", "acme", "", "source_credentials", "expired")
    catalog.failures.record("listing", "other", "", "index", "away")
    again, other = catalog.failures.all()
    assert again == replace(first, cause="source_credentials", error="expired", attempts=2)
    catalog.failures.resolve("listing", "acme")
    assert catalog.failures.all() == [other]


def test_units_that_no_longer_fail_are_left_out(catalog: Catalog) -> None:
    catalog.failures.replace("reach", "acme", {"a": ("other", "refused"), "b": ("other", "refused")})
    catalog.failures.replace("reach", "acme", {"b": ("source_unavailable", "HTTP 503")})
    (left,) = catalog.failures.all()
    assert (left.unit, left.cause, left.attempts) == ("b", "source_unavailable", 2)


def test_syncs_of_a_unit_fail_since_the_first_of_them(catalog: Catalog) -> None:
    catalog.units.record_sync("acme", "a", "HTTP 502", "source_unavailable")
    (first,) = catalog.failures.all()
    assert (first.activity, first.connection, first.unit, first.attempts) == ("sync", "acme", "a", 1)
    catalog.units.record_sync("acme", "a", "HTTP 503", "source_unavailable")
    assert catalog.failures.all() == [replace(first, error="HTTP 503", attempts=2)]
    catalog.units.pause("acme", "a", True)
    assert catalog.failures.all() == []
    catalog.units.pause("acme", "a", False)
    catalog.units.record_sync("acme", "a")
    assert catalog.failures.all() == []
    assert catalog.units.oldest_sync("acme") is None, "the other one was never read"
    catalog.units.record_sync("acme", "b")
    assert catalog.units.oldest_sync("acme") is not None


@pytest.mark.parametrize("said", [UnitBusy("acme/a", "another process"), UsageError("no such unit")])
def test_what_says_nothing_of_an_activity_changes_nothing(catalog: Catalog, said: Exception) -> None:
    catalog.failures.record("listing", "acme", "", "source_unavailable", "HTTP 502")
    before = catalog.failures.all()
    with pytest.raises(type(said)), track(catalog, "listing", "acme"):
        raise said
    assert catalog.failures.all() == before
    with track(catalog, "listing", "acme"):
        pass
    assert catalog.failures.all() == []


def test_a_gate_is_shut_since_its_first_failing_check(catalog: Catalog) -> None:
    catalog.gates.shut("knowledge", ["one"], "3 points")
    first = catalog.gates.get("knowledge")
    catalog.gates.shut("knowledge", ["two"], "4 points")
    assert first is not None
    assert catalog.gates.get("knowledge") == replace(first, reasons=("two",), waiting="4 points")
    catalog.gates.open("knowledge")
    assert catalog.gates.get("knowledge") is None


def pending(catalog: Catalog) -> PendingEvent:
    (event,) = catalog.events.pending(["acme"], 10)
    return event


def store(catalog: Catalog, delivery: str = "d") -> PendingEvent:
    catalog.events.store("acme", Event(delivery, "issues", (Invalidation("unit", "a"),)), b"{}")
    return pending(catalog)


def test_an_event_that_waits_is_no_attempt_and_waits_since_the_first_time(catalog: Catalog) -> None:
    event = store(catalog)
    catalog.events.await_backend([event], "embedding", "HTTP 503")
    (waiting,) = catalog.unfinished_events.waiting()
    catalog.events.await_backend([replace(event, waiting_since=waiting.since)], "index", "refused")
    (other,) = catalog.unfinished_events.waiting()
    assert (other.cause, other.count, other.since, other.error) == ("index", 1, waiting.since, "refused")
    state = catalog.events.get(event.id)
    assert state is not None
    assert (state.state, state.attempts, state.waiting_for) == ("pending", 0, "index")
    catalog.events.mark_done({event.id: []}, {event.id: "nothing was new"})
    assert catalog.unfinished_events.waiting() == []


def test_dead_letters_are_counted_and_a_replay_keeps_their_attempts(catalog: Catalog) -> None:
    event = store(catalog)
    for attempt in range(MOST_ATTEMPTS):
        catalog.events.record_failure([replace(event, attempts=attempt)], f"no. {attempt}")
    (dead,) = catalog.unfinished_events.dead_letters()
    assert (dead.connection, dead.count, dead.reason) == ("acme", 1, "no. 7")
    assert catalog.replays.replay(connection="acme") == 1
    assert catalog.unfinished_events.dead_letters() == []
    assert (pending(catalog).attempts, len(catalog.replays.attempts(event.id))) == (0, MOST_ATTEMPTS + 1)
    catalog.events.mark_ignored({event.id: "a is not among this connection's units"})
    assert catalog.replays.replay(ids=[event.id]) == 1, "the unit may be read by now"
    last = catalog.replays.attempts(event.id)[-1]
    assert (last.outcome, last.reason) == ("ignored", "a is not among this connection's units")
    catalog.events.mark_done({event.id: []}, {})
    assert (catalog.old_events.delete(0)[0], catalog.replays.attempts(event.id)) == (1, [])


def test_events_that_point_nowhere_are_not_replayed(catalog: Catalog) -> None:
    catalog.events.store("acme", Event("d", "ping", ignored="a greeting"), b"{}")
    assert catalog.replays.replay(connection="acme") == 0
