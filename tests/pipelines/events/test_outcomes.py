"""What becomes of an event, from what became of each place that it points at."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from connectors.github.settings import GitHubConnection
from connectors.model import Unit
from connectors.webhooks import Invalidation
from pipelines.catalog.events import PendingEvent
from pipelines.events.outcomes import (
    Deferred,
    Errored,
    EventOutcome,
    Outcome,
    Processed,
    Waiting,
    combine,
    event_outcome,
)
from pipelines.ingestion.observer import StageDone
from pipelines.ingestion.report import SyncReport

FIRST, SECOND = Invalidation("document", "unit", "first"), Invalidation("unit", "unit")
CONNECTION = GitHubConnection(id="acme", source="github", token=SecretStr("t"))
CHUNKS = StageDone(CONNECTION, Unit("unit", "Unit"), "chunks", SyncReport())
VECTORS = StageDone(CONNECTION, Unit("unit", "Unit"), "vectors", SyncReport())


@pytest.mark.parametrize(
    ("in_each_unit", "combined"),
    [
        ([], Processed()),
        ([Processed((CHUNKS,)), Processed((VECTORS,))], Processed((CHUNKS, VECTORS))),
        ([Processed((CHUNKS,)), Deferred()], Deferred()),
        ([Deferred(), Processed((CHUNKS,))], Deferred()),
        ([Deferred(), Errored("HTTP 502"), Errored("HTTP 500")], Errored("HTTP 502")),
    ],
)
def test_of_several_units_the_worst_counts(in_each_unit: list[Outcome], combined: Outcome) -> None:
    assert combine(in_each_unit) == combined


@pytest.mark.parametrize(
    ("done", "this_pass", "outcome"),
    [
        ({FIRST: Processed((CHUNKS,)), SECOND: Processed((VECTORS,))}, {}, Processed((CHUNKS, VECTORS))),
        ({FIRST: Processed()}, {SECOND: Errored("HTTP 502")}, Errored("HTTP 502")),
        ({FIRST: Processed()}, {SECOND: Deferred()}, Deferred()),
        ({}, {FIRST: Deferred(), SECOND: Errored("HTTP 502")}, Errored("HTTP 502")),
        ({FIRST: Processed()}, {}, Waiting()),
        ({}, {FIRST: Deferred()}, Deferred()),
        ({FIRST: Processed()}, {FIRST: Errored("of another event")}, Waiting()),
    ],
)
def test_an_event_ends_when_all_that_it_points_at_was_processed(
    done: dict[Invalidation, Processed], this_pass: dict[Invalidation, Outcome], outcome: EventOutcome
) -> None:
    event = PendingEvent(1, "acme", "issues.edited", (FIRST, SECOND), 0, datetime.now(UTC))
    elsewhere: dict[tuple[str, Invalidation], Outcome] = {("other", SECOND): Errored("of another connection")}
    outcomes = {("acme", one): found for one, found in this_pass.items()} | elsewhere
    assert event_outcome(event, done, outcomes) == outcome
