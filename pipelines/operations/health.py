"""Health: what is in trouble, since when and what to do. The one answer that `status`, `/readyz`, `/metrics`, the
search page, the checks in Dagster and notifications show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, TypeAlias

from pipelines.catalog import Catalog, open_catalog
from pipelines.catalog.failures import Activity, Cause, Failure
from pipelines.catalog.freshness import Freshness, freshness
from pipelines.catalog.gates import ShutGate
from pipelines.catalog.unfinished_events import DeadLetters, WaitingEvents
from pipelines.catalog.workload import StalledWork
from pipelines.settings import Settings
from pipelines.spool_files import DamagedSpool, find_damaged

IncidentKind: TypeAlias = Cause | Literal["late", "gate", "dead_letters", "stalled", "spool"]

PUBLICATION = "retrieval"
"""Name of the publication in reports of syncs: a gate that is shut, or an index that is away, is its error."""
_UNITS_NAMED = 5
_OF_SOURCES = ("source_unavailable", "source_limit", "source_credentials")

SUMMARIES: dict[IncidentKind, str] = {
    "source_unavailable": "the source does not answer",
    "source_limit": "the source's rate limit is reached",
    "source_credentials": "the source refuses the credentials",
    "partition": "the API that reads scans does not answer, or refuses",
    "embedding": "the embedding provider does not answer, or refuses",
    "index": "the index cannot be used",
    "landing": "the landing, or the disk, cannot be used",
    "catalog": "the catalog's database does not answer",
    "catalog_lost": "the catalog is empty or half restored, so that nobody sees what landing and index hold",
    "other": "something of it fails",
    "late": "it was not read for longer than its schedule allows",
    "gate": "what was indexed is not published: a check fails",
    "dead_letters": "events could not be processed and are given up",
    "spool": "deliveries that waited on a server's disk are in a damaged file",
    "stalled": "a process holds units and keeps nothing of them any more",
}
ACTIVITIES: dict[Activity, str] = {
    "listing": "its units cannot be listed",
    "reach": "some of its units cannot be listed, or not be looked at",
    "memberships": "who belongs to which group cannot be read",
    "sync": "units cannot be brought up to date",
    "rights": "what was lost of rights does not reach the index",
    "retention": "what is no longer kept cannot be removed",
    "publication": "what was indexed cannot be published",
}
"""What fails for a reason of its own."""
ADVICE: dict[IncidentKind, str] = {
    "source_unavailable": "each sync asks again by itself; `headrace check` tries it now",
    "source_limit": "each sync goes on by itself; where it stays, let fewer programs use the credentials",
    "source_credentials": "renew the credentials in the connection's settings; `headrace check` tries them",
    "partition": "look at `partition` in the settings and at the API; `headrace check` tries it",
    "embedding": "look at `embedding` in the settings and at the provider; `headrace check` tries it",
    "index": "look at the server that `index.url` names; what waits goes on by itself",
    "landing": "look at what `landing.url` names, and at the space on the disk; what waits goes on by itself",
    "catalog": "look at the server that `catalog.url` names; what waits goes on by itself",
    "catalog_lost": "put a copy of the catalog back, or run `headrace restore`; what waits goes on by itself",
    "other": "the error says what to mend; the next sync tries again",
    "late": "see whether Dagster's daemon runs; `headrace sync` reads it now",
    "gate": "mend what the check names; the next `headrace sync` checks again",
    "dead_letters": "`headrace events list --state dead` shows them, `headrace events replay` tries them again",
    "spool": "`headrace reconcile` finds what they told of; remove the file after it",
    "stalled": "unless it reads something very large, end that process: the next one goes on from what was kept",
}
"""What to do."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One trouble, of however many units. `connection` is empty where it is no single one's.

    `error` is what was said last; it may hold names of units and words of questions, and is for operators only.
    `attempts` is how many failed in a row, and `events` how many wait or are dead letters.
    """

    kind: IncidentKind
    connection: str
    since: datetime
    error: str
    attempts: int = 0
    events: int = 0
    activity: Activity | None = None
    units: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Names the incident as long as it lasts."""
        return "/".join(part for part in (self.kind, self.connection, self.activity) if part)

    @property
    def summary(self) -> str:
        """What is in trouble, and since when, without anything that strangers must not read."""
        what = f"{self.connection}: " if self.connection else ""
        return f"{what}{self._what_fails()}, since {self.since:%Y-%m-%d %H:%M} UTC"

    def _what_fails(self) -> str:
        if self.kind == "dead_letters":
            return f"{self.events} {SUMMARIES[self.kind]}"
        return ACTIVITIES[self.activity] if self.activity else SUMMARIES[self.kind]

    @property
    def line(self) -> str:
        """All of it, for operators."""
        counts = {"attempts": self.attempts, "events": self.events}
        count = "".join(f" ({number} {what})" for what, number in counts.items() if number)
        more = f" and {len(self.units) - _UNITS_NAMED} more" if len(self.units) > _UNITS_NAMED else ""
        units = f" [{', '.join(self.units[:_UNITS_NAMED])}{more}]" if self.units else ""
        return f"{self.summary}{count}{units}: {self.error}; {ADVICE[self.kind]}"

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "connection": self.connection or None,
            "units": list(self.units),
            "since": self.since.isoformat(),
            "summary": self.summary,
            "line": self.line,
            "error": self.error,
            "attempts": self.attempts,
            "events": self.events,
            "advice": ADVICE[self.kind],
        }


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
) -> Health:
    """One incident of all that one trouble has stopped. Pure."""
    found = [*map(_of_failure, failures), *map(_of_waiting, waiting), *map(_of_stalled, stalled)]
    known = {one.connection for one in found}
    found += [Incident("dead_letters", one.connection, one.since, one.reason, events=one.count) for one in dead]
    # A connection whose trouble is known is late because of it.
    found += [one for fresh in late if fresh.connection not in known for one in _of_late(fresh)]
    found += [Incident("gate", "", gate.since, f"{'; '.join(gate.reasons)}; {gate.waiting} wait")] if gate else []
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
