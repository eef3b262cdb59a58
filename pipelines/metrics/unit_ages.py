"""How long ago each unit was read, for so few units that Prometheus can keep a series of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from connectors.settings import Connection
from pipelines.catalog import Catalog
from pipelines.catalog.freshness import allowed_lag

MOST_UNITS = 20
"""Of a connection, that have a series of their own. All of a small connection; of a larger one those that are late,
which are few while all is well, the longest first. So thousands of units cost one series for each connection."""


@dataclass(frozen=True, slots=True)
class UnitAges:
    """Units of a connection that are neither gone nor paused. `seconds` since the last success, by unit id."""

    total: int
    late: int
    unread: int
    seconds: dict[str, float]


def unit_ages(catalog: Catalog, connection: Connection) -> UnitAges:
    """How long ago the units of a connection were read, and how many are late or were never read."""
    now = datetime.now(UTC)
    return select_ages(catalog.units.last_syncs(connection.id), now, allowed_lag(connection, now).total_seconds())


def select_ages(last_syncs: Mapping[str, datetime | None], now: datetime, allowed: float) -> UnitAges:
    """As `unit_ages`; `allowed` is in seconds. Pure."""
    ages = {unit: (now - last).total_seconds() for unit, last in last_syncs.items() if last}
    late = {unit: age for unit, age in ages.items() if age > allowed}
    shown = ages if len(last_syncs) <= MOST_UNITS else late
    oldest = sorted(shown, key=shown.__getitem__, reverse=True)[:MOST_UNITS]
    return UnitAges(len(last_syncs), len(late), len(last_syncs) - len(ages), {unit: shown[unit] for unit in oldest})
