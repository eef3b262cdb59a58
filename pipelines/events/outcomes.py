"""What becomes of an invalidation, and of the event that carried it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TypeAlias

from connectors.webhooks import Invalidation
from pipelines.catalog.events import PendingEvent
from pipelines.catalog.failures import Cause
from pipelines.catalog.totals import Total
from pipelines.events.work_items import WorkKey
from pipelines.ingestion.observer import StageDone
from pipelines.ingestion.report import DocumentCounts


@dataclass(frozen=True, slots=True)
class Processed:
    """It has had its effect: the stages that ran for it, none where there was nothing to do."""

    stages: tuple[StageDone, ...] = ()


@dataclass(frozen=True, slots=True)
class Ignored:
    """There was nothing to look at."""

    reason: str


@dataclass(frozen=True, slots=True)
class Errored:
    """It was stopped by what it is about, and is tried again a few times."""

    error: str


@dataclass(frozen=True, slots=True)
class BackendAway:
    """It was stopped by a backend that is away, for which it waits however long that takes."""

    cause: Cause
    error: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """It was left alone: another process works on its unit, or the unit is paused."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Some of an event's work has not had its turn: it is debounced, or the pass was full."""


Finished: TypeAlias = Processed | Ignored
Outcome: TypeAlias = Finished | Errored | BackendAway | Deferred
EventOutcome: TypeAlias = Outcome | Waiting

_EFFECTS = {"memberships": "memberships read again", "units": "units listed again"}

_PRECEDENCE = (BackendAway, Errored, Deferred)
"""What counts of several: while a backend is away, nothing shows what the object's own trouble is."""


def stopped_by(cause: Cause, error: str) -> Errored | BackendAway:
    """What an error makes of an invalidation: only what comes from no backend is the object's own."""
    return Errored(error) if cause == "other" else BackendAway(cause, error)


def combine(outcomes: Iterable[Outcome]) -> Outcome:
    """What counts of one invalidation in several units: trouble, else all stages together; one that was ignored in
    some of them has had its effect in the others."""
    known = list(outcomes)
    ignored = [one.reason for one in known if isinstance(one, Ignored)]
    if ignored and len(ignored) == len(known):
        return Ignored("; ".join(dict.fromkeys(ignored)))
    stages = [stage for one in known if isinstance(one, Processed) for stage in one.stages]
    return _trouble(known) or Processed(tuple(stages))


def event_outcome(
    event: PendingEvent, done: Mapping[Invalidation, Finished], outcomes: Mapping[WorkKey, Outcome]
) -> EventOutcome:
    """What became of an event. `done` is what was done for it so far, `outcomes` what this pass tried.

    One invalidation in trouble is the event's trouble; one that has not had its turn keeps the event waiting.
    """
    left = [one for one in event.invalidations if one not in done]
    if not left:
        return combine(done[one] for one in event.invalidations)
    tried = (outcomes.get((event.connection, one)) for one in left)
    return _trouble(one for one in tried if one) or Waiting()


def describe_effect(event: PendingEvent, stages: Iterable[StageDone]) -> str:
    """What was done for an event, in a few words; documents that were read with its own are counted too."""
    said = [_EFFECTS[one] for one in dict.fromkeys(one.scope for one in event.invalidations) if one in _EFFECTS]
    documents, waits = DocumentCounts(), False
    for stage in {id(one): one for one in stages}.values():  # of several invalidations, the same ones
        documents.add(stage.report.documents)
        waits = waits or bool(stage.report.waiting)
    counts = asdict(documents)
    found = ", ".join(f"{counts[name]} {name}" for name in counts if counts[name] and name != "read")
    said += [f"documents: {found}"] if found else []
    said += ["texts wait for the connection's budget"] if waits else []
    return "; ".join(said) or "nothing was new"


def _trouble(outcomes: Iterable[Outcome]) -> Errored | BackendAway | Deferred | None:
    """The first of what takes precedence."""
    found = [one for one in outcomes if isinstance(one, _PRECEDENCE)]
    return min(found, key=lambda one: _PRECEDENCE.index(type(one)), default=None)


def count_outcomes(settled: Mapping[PendingEvent, EventOutcome]) -> Counter[Total]:
    """How many events came to which end, by connection; those that still wait are not counted."""
    names: dict[type[EventOutcome], str] = {Processed: "done", Ignored: "ignored", Errored: "failed"}
    return Counter(
        Total("events", event.connection, names[type(outcome)])
        for event, outcome in settled.items()
        if type(outcome) in names
    )
