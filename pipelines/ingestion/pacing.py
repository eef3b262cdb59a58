"""What a scheduled sync leaves out, so that hours in which nothing happens cost a source's quota little."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from croniter import croniter

from connectors.contract import ChangedUnits, Connector, Paced
from connectors.model import Unit, group_token
from connectors.settings import Connection
from pipelines.catalog.budgets import has_room
from pipelines.catalog.freshness import allowed_lag, longest_gap
from pipelines.catalog.units import UnitState
from pipelines.ingestion.options import SyncOptions
from pipelines.services import Services

QUIET_UNITS_EVERY = timedelta(minutes=40)
"""At the least: of a schedule of 15 minutes every third tick."""
_FOR_THE_SYNC = timedelta(minutes=1)

LISTED_EVERY = timedelta(hours=1)
"""By schedules, where a listing takes many requests: what no change tells of remains unknown for so long."""
_FOR_A_LATE_TICK = timedelta(minutes=5)
"""A run may have to wait for others; of a schedule of 15 minutes it is the fourth that lists all the same."""
IDLE_REQUESTS = 3
"""What a unit in which nothing happens may cost in an hour."""
_SYNCS, _READINGS = 4, 6
"""In an hour by the default schedules: of units, and of memberships, which take a request at the least."""
_FEWEST_UNITS = 4
"""With fewer of them the memberships alone leave nothing for the search, of which one request is the least."""


def needs_memberships(
    services: Services, connection: Connection, units: Sequence[Unit] | None, options: SyncOptions
) -> bool:
    """Whether a sync reads who belongs to which group. A scheduled one leaves it to the schedule of memberships, where
    that has not come round since they were read, and all groups of `units` (None: not listed) are known."""
    if not options.scheduled or units is None:
        return True
    read_at = services.catalog.connections.get(connection.id).memberships_at
    now = datetime.now(UTC)
    if read_at is None or read_at > now or _next_tick(connection.memberships_schedule, read_at) <= now:
        return True
    groups = group_token(connection.id, "")
    named = {token for unit in units for token in unit.readers if token.startswith(groups)}
    return not named <= services.catalog.memberships.known_groups(connection.id)


def needs_listing(services: Services, connection: Connection, connector: Connector, options: SyncOptions) -> bool:
    """Whether a sync has all units listed. A scheduled one goes without where that takes many requests and was done
    within the hour, by these settings and without trouble, and where all units have been read since."""
    if not options.scheduled or options.mode != "changes" or options.window or not isinstance(connector, ChangedUnits):
        return True
    state, now = services.catalog.connections.get(connection.id), datetime.now(UTC)
    if state.listed_at is None or state.listing_requests is None or state.listed_at > now:
        return True
    if services.catalog.connections.unit_patterns(connection.id) != connection.unit_patterns:
        return True
    units = [one for one in services.catalog.units.all(connection.id) if not (one.gone or one.paused)]
    if not all(_was_read(one, state.listed_at) for one in units) or _listing_fails(services, connection):
        return True
    if state.listing_requests <= _affordable_listing(len(units)):
        return True
    return now - state.listed_at + longest_gap(connection, now) > LISTED_EVERY + _FOR_A_LATE_TICK


def _was_read(unit: UnitState, listed_at: datetime) -> bool:
    """Whether what the listing has shown of a unit has been read."""
    is_read = unit.has_cursor and unit.last_sync is not None and unit.last_sync >= listed_at
    return is_read and not unit.error


def _listing_fails(services: Services, connection: Connection) -> bool:
    failures = services.catalog.failures.all()
    return any((one.activity, one.connection) == ("listing", connection.id) for one in failures)


def _affordable_listing(units: int) -> int:
    """How many requests a listing may take that each sync of an hour repeats."""
    return (IDLE_REQUESTS * max(units, _FEWEST_UNITS) - _READINGS) // _SYNCS


def quiet_units(
    services: Services,
    connection: Connection,
    connector: Connector,
    states: Iterable[UnitState],
    options: SyncOptions,
) -> frozenset[str]:
    """Ids of those units that a scheduled sync may pass over: they were read well a short time ago, and are quiet."""
    if not options.scheduled or options.mode != "changes" or not isinstance(connector, Paced):
        return frozenset()
    now = datetime.now(UTC)
    # No unit is late because it is passed over: the tick after this one would look at it in time.
    longest = allowed_lag(connection, now) - longest_gap(connection, now) - _FOR_THE_SYNC
    patience = min(QUIET_UNITS_EVERY, longest)
    read = [one.unit.id for one in states if _was_read_within(one, patience, now)]
    cursors = services.catalog.units.cursors(connection.id, read)
    return frozenset(unit for unit, cursor in cursors.items() if connector.is_quiet(cursor, now))


def _was_read_within(state: UnitState, patience: timedelta, now: datetime) -> bool:
    return state.last_sync is not None and not state.error and timedelta() <= now - state.last_sync < patience


def units_to_read(
    services: Services, connection: Connection, connector: Connector, units: Sequence[Unit], options: SyncOptions
) -> list[str]:
    """Ids of the units that are not passed over. One that may wait is read all the same where something of it is left
    over: a load that is not indexed, or documents that are to be looked at once more."""
    catalog = services.catalog
    quiet = quiet_units(services, connection, connector, catalog.units.all(connection.id), options)
    if not quiet:
        return [unit.id for unit in units]
    left_over = {unit for owner, unit in catalog.loads.units_with_pending() if owner == connection.id}
    left_over |= catalog.retries.units_due(connection.id) | catalog.parents.doubtful_units(connection.id)
    if has_room(catalog, services.settings, connection.id):
        left_over |= catalog.loads.held_units(connection.id)
    return [unit.id for unit in units if unit.id in left_over or unit.id not in quiet]


def _next_tick(schedule: str, after: datetime) -> datetime:
    found: datetime = croniter(schedule, after).get_next(datetime)
    return found
