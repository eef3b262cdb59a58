"""What fails at present: since when, on what, and how often in a row. The next success ends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, Engine, delete, func, literal, or_, select, update

from pipelines.catalog import tables
from pipelines.catalog.statements import in_parts, upsert

Activity: TypeAlias = Literal["listing", "reach", "memberships", "sync", "rights", "retention", "publication"]
"""What was tried. `listing`: the units of a connection; `reach`: a unit that the settings spell out."""

Cause: TypeAlias = Literal[
    "source_unavailable",
    "source_limit",
    "source_credentials",
    "partition",
    "embedding",
    "index",
    "landing",
    "catalog",
    "catalog_lost",
    "other",
]
"""What it failed on. All but `other` are backends: what is away for everything that needs it, and is waited for."""


@dataclass(frozen=True, slots=True)
class Failure:
    """`unit` is empty where the whole connection is concerned, and `connection` where all of them are; `error` is that
    of the last attempt, and `attempts` counts those since the last success."""

    activity: Activity
    connection: str
    unit: str
    cause: Cause
    error: str
    since: datetime
    attempts: int


class Failures:
    """Syncs of units have theirs beside the unit (`Units.record_sync`); all others are rows of their own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(self, activity: Activity, connection: str, unit: str, cause: Cause, error: str) -> None:
        """An attempt has failed."""
        self._record([_row(activity, connection, unit, cause, error)])

    def resolve(self, activity: Activity, connection: str, unit: str = "") -> None:
        """An attempt has succeeded."""
        own = _of(activity, connection) & (tables.failures.c.unit == unit)
        with self._engine.connect() as reading:  # the usual case, in which nothing need be written
            if reading.execute(select(tables.failures.c.unit).where(own)).first() is None:
                return
        with self._engine.begin() as transaction:
            transaction.execute(delete(tables.failures).where(own))

    def replace(self, activity: Activity, connection: str, errors: Mapping[str, tuple[Cause, str]]) -> None:
        """These units of a connection, by id, have failed, and all its others have not."""
        with self._engine.connect() as reading:
            known = set(reading.execute(select(tables.failures.c.unit).where(_of(activity, connection))).scalars())
        self._record([_row(activity, connection, unit, *error) for unit, error in errors.items()])
        with self._engine.begin() as transaction:
            for part in in_parts(known - errors.keys()):
                ended = _of(activity, connection) & tables.failures.c.unit.in_(part)
                transaction.execute(delete(tables.failures).where(ended))

    def all(self) -> list[Failure]:
        """Those of whole connections, of their units that are neither gone nor paused, and of publishing."""
        table, units = tables.failures, tables.units
        rows = select(*(table.c[name] for name in Failure.__slots__))
        synced = select(
            units.c.connection, units.c.unit, units.c.failure_cause, units.c.error, units.c.failing_since
        ).add_columns(func.coalesce(units.c.failed_syncs, 1).label("attempts"))
        with self._engine.connect() as transaction:
            found = [Failure(*row) for row in transaction.execute(rows.order_by(table.c.since))]
            failing = transaction.execute(synced.where(*_is_failing()).order_by(units.c.failing_since, units.c.name))
            return found + [Failure("sync", *row) for row in failing]

    def _record(self, rows: Sequence[Mapping[str, Any]]) -> None:
        if not rows:
            return
        table = tables.failures
        with self._engine.begin() as transaction:
            upsert(transaction, table, rows, update=("cause", "error"))
            for row in rows:
                own = _of(row["activity"], row["connection"]) & (table.c.unit == row["unit"])
                transaction.execute(update(table).where(own).values(attempts=table.c.attempts + 1))


def sync_failure(cause: Cause, error: str) -> dict[str, Any]:
    """Values of a unit whose sync has failed: since the first failure in a row."""
    units = tables.units
    return {
        "error": error,
        "failure_cause": cause,
        "failing_since": func.coalesce(units.c.failing_since, literal(datetime.now(UTC), tables.UtcTime())),
        "failed_syncs": func.coalesce(units.c.failed_syncs, 0) + 1,
    }


def sync_success() -> dict[str, Any]:
    """Values of a unit whose sync has gone well."""
    return {"error": None, "failure_cause": None, "failing_since": None, "failed_syncs": 0}


def _is_failing() -> tuple[ColumnElement[bool], ...]:
    """Where an earlier release has written the error, since when is not known, and the next sync tells."""
    units = tables.units
    return units.c.error.is_not(None), units.c.failing_since.is_not(None), ~or_(units.c.gone, units.c.paused)


def _row(activity: Activity, connection: str, unit: str, cause: Cause, error: str) -> dict[str, Any]:
    return {
        "activity": activity,
        "connection": connection,
        "unit": unit,
        "cause": cause,
        "error": error,
        "since": datetime.now(UTC),
        "attempts": 0,
    }


def _of(activity: Activity, connection: str) -> ColumnElement[bool]:
    return (tables.failures.c.activity == activity) & (tables.failures.c.connection == connection)
