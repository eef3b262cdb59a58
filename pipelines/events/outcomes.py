"""What becomes of an invalidation, and of the event that carried it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from connectors.webhooks import Invalidation
from pipelines.catalog.events import PendingEvent
from pipelines.events.work_items import WorkKey
from pipelines.ingestion.sync import StageDone


@dataclass(frozen=True, slots=True)
class Processed:
    """It has had its effect: the stages that ran for it, none where there was nothing to do."""

    stages: tuple[StageDone, ...] = ()


@dataclass(frozen=True, slots=True)
class Errored:
    """It was stopped, and is tried again later."""

    error: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """It was left alone: another process works on its unit, or the unit is paused."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Some of an event's work has not had its turn: it is debounced, or the pass was full."""


Outcome: TypeAlias = Processed | Errored | Deferred
EventOutcome: TypeAlias = Outcome | Waiting


def combine(outcomes: Iterable[Outcome]) -> Outcome:
    """What counts of one invalidation in several units: an error, else a deferral, else all stages together."""
    known = list(outcomes)
    stages = [stage for one in known if isinstance(one, Processed) for stage in one.stages]
    return _trouble(known) or Processed(tuple(stages))


def event_outcome(
    event: PendingEvent, done: Mapping[Invalidation, Processed], outcomes: Mapping[WorkKey, Outcome]
) -> EventOutcome:
    """What became of an event. `done` is what was done for it so far, `outcomes` what this pass tried.

    One invalidation in trouble is the event's trouble; one that has not had its turn keeps the event waiting.
    """
    left = [one for one in event.invalidations if one not in done]
    if not left:
        return combine(done[one] for one in event.invalidations)
    tried = (outcomes.get((event.connection, one)) for one in left)
    return _trouble(one for one in tried if one) or Waiting()


def _trouble(outcomes: Iterable[Outcome]) -> Errored | Deferred | None:
    """The first error, or else a deferral."""
    found = [one for one in outcomes if not isinstance(one, Processed)]
    return min(found, key=lambda one: isinstance(one, Deferred), default=None)
