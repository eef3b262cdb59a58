"""Incidents: what may be in trouble, in words for operators and in words for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from pipelines.catalog.failures import Activity, Cause

IncidentKind: TypeAlias = Cause | Literal["late", "gate", "dead_letters", "stalled", "spool", "budget"]

_UNITS_NAMED = 5
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
    "budget": "its budget for embedding is spent, and what is new of it is not found yet",
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
    "budget": "wait, or raise `budget` in the connection's settings; rights and deletions count at once all the same",
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
