"""Health: what is in trouble, since when and what to do. The one answer that `status`, `/readyz`, `/metrics`, the
search page, the checks in Dagster and notifications show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipelines.catalog import Catalog, open_catalog
from pipelines.catalog.budgets import describe_waiting
from pipelines.catalog.failures import Failure
from pipelines.catalog.freshness import Freshness, freshness
from pipelines.catalog.gates import ShutGate
from pipelines.catalog.loads import HeldDocuments
from pipelines.catalog.unfinished_events import DeadLetters, WaitingEvents
from pipelines.catalog.workload import StalledWork
from pipelines.operations.incidents import Incident
from pipelines.settings import Settings
from pipelines.spool_files import DamagedSpool, find_damaged

PUBLICATION = "retrieval"
"""Name of the publication in reports of syncs: a gate that is shut, or an index that is away, is its error."""
_OF_SOURCES = ("source_unavailable", "source_limit", "source_credentials")


@dataclass(frozen=True, slots=True)
class Health:
    """All that is in trouble at one moment, the oldest first."""

    incidents: tuple[Incident, ...]

    @property
    def is_good(self) -> bool:
        return not self.incidents

    @property
    def status(self) -> str:
        return "ok" if self.is_good else "degraded"

    def of(self, connections: Iterable[str]) -> tuple[Incident, ...]:
        """What concerns some connections: their own incidents, and backends that all of them need."""
        ids = {"", *connections}
        return tuple(one for one in self.incidents if one.connection in ids)

    def as_json(self) -> dict[str, Any]:
        return {"status": self.status, "incidents": [one.as_json() for one in self.incidents]}


def read_health(catalog: Catalog, settings: Settings) -> Health:
    """What is in trouble now, of the connections that the settings name."""
    named = {connection.id for connection in settings.connections} | {""}
    gate = catalog.gates.get(settings.index.collection)
    return combine_incidents(
        failures=[one for one in catalog.failures.all() if one.connection in named],
        waiting=[one for one in catalog.unfinished_events.waiting() if one.connection in named],
        dead=[one for one in catalog.unfinished_events.dead_letters() if one.connection in named],
        late=[one for one in (freshness(catalog, connection) for connection in settings.connections) if one.late],
        gate=gate,
        damaged=find_damaged(settings.state_path),
        stalled=[one for one in catalog.workload.stalled() if one.connection in named],
        held=[_of_held(catalog, settings, *one) for one in catalog.loads.held_documents().items() if one[0] in named],
    )


def read_dead_letters(settings: Settings) -> tuple[Incident, ...]:
    """The dead letters, which no sync fails by and every sync should show."""
    with open_catalog(settings) as catalog:
        return tuple(one for one in read_health(catalog, settings).incidents if one.kind == "dead_letters")


def combine_incidents(
    failures: Sequence[Failure] = (),
    waiting: Sequence[WaitingEvents] = (),
    dead: Sequence[DeadLetters] = (),
    late: Sequence[Freshness] = (),
    gate: ShutGate | None = None,
    stalled: Sequence[StalledWork] = (),
    damaged: Sequence[DamagedSpool] = (),
    held: Sequence[Incident] = (),
) -> Health:
    """One incident of all that one trouble has stopped. Pure."""
    found = [*map(_of_failure, failures), *map(_of_waiting, waiting), *map(_of_stalled, stalled)]
    known = {one.connection for one in found}
    found += [Incident("dead_letters", one.connection, one.since, one.reason, events=one.count) for one in dead]
    # A connection whose trouble is known is late because of it.
    found += [one for fresh in late if fresh.connection not in known for one in _of_late(fresh)]
    found += [Incident("gate", "", gate.since, f"{'; '.join(gate.reasons)}; {gate.waiting} wait")] if gate else []
    found += held
    found += [Incident("spool", "", one.since, str(one.file)) for one in damaged]
    merged: dict[str, Incident] = {}
    for one in found:
        merged[one.key] = _merge(merged[one.key], one) if one.key in merged else one
    return Health(tuple(sorted(merged.values(), key=lambda one: one.since)))


def _of_failure(failure: Failure) -> Incident:
    is_shared = failure.cause != "other" and failure.cause not in _OF_SOURCES
    units = (f"{failure.connection}/{failure.unit}",) if failure.unit else ()
    return Incident(
        failure.cause,
        "" if is_shared else failure.connection,
        failure.since,
        failure.error,
        attempts=failure.attempts,
        activity=failure.activity if failure.cause == "other" else None,
        units=units,
    )


def _of_waiting(events: WaitingEvents) -> Incident:
    connection = events.connection if events.cause in _OF_SOURCES else ""
    return Incident(events.cause, connection, events.since, events.error, events=events.count)


def _of_stalled(work: StalledWork) -> Incident:
    unit = f"{work.connection}/{work.unit}"
    return Incident("stalled", work.connection, work.since, f"{work.holder} holds the lease of {unit}", units=(unit,))


def _of_held(catalog: Catalog, settings: Settings, connection: str, held: HeldDocuments) -> Incident:
    return Incident("budget", connection, held.since, describe_waiting(catalog, settings, connection))


def _of_late(fresh: Freshness) -> Iterator[Incident]:
    """Since when one is late that was never read, nobody knows: its first sync tells how it goes."""
    if fresh.last_sync:
        said = f"last read {fresh.last_sync:%Y-%m-%d %H:%M} UTC"
        yield Incident("late", fresh.connection, fresh.last_sync + fresh.allowed, said)


def _merge(one: Incident, other: Incident) -> Incident:
    """The longer of two that are one trouble, of the units of both."""
    first, second = sorted((one, other), key=lambda incident: incident.since)
    return replace(
        first,
        attempts=max(first.attempts, second.attempts),
        events=first.events + second.events,
        units=tuple(dict.fromkeys((*first.units, *second.units))),
    )


def known_failures(catalog: Catalog) -> set[str]:
    """What health tells the failure of, by the names that reports of syncs give it."""
    found = {"/".join(part for part in (one.connection, one.unit) if part) for one in catalog.failures.all()}
    return found | {PUBLICATION}


def failing_units(catalog: Catalog, connection: str) -> dict[str, Failure]:
    """The units of a connection that cannot be brought up to date, by id: each by its own failure, or all of them by
    that of their listing."""
    failures = [one for one in catalog.failures.all() if one.connection == connection]
    found = {one.unit: one for one in failures if one.unit}
    listing = next((one for one in failures if one.activity == "listing"), None)
    if listing is None:
        return found
    active = [state.unit.id for state in catalog.units.all(connection) if not (state.gone or state.paused)]
    return {unit: found.get(unit, listing) for unit in active}
