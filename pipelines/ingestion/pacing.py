"""What a scheduled sync leaves out, so that hours in which nothing happens cost a source's quota little."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from croniter import croniter

from connectors.contract import Connector, Paced
from connectors.model import Unit, group_token
from connectors.settings import Connection
from pipelines.catalog.freshness import allowed_lag, longest_gap
from pipelines.ingestion.options import SyncOptions
from pipelines.services import Services

QUIET_UNITS_EVERY = timedelta(minutes=40)
"""At the least: of a schedule of 15 minutes every third tick."""
_FOR_THE_SYNC = timedelta(minutes=1)


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


def may_wait(
    services: Services, connection: Connection, connector: Connector, unit: Unit, options: SyncOptions
) -> bool:
    """Whether a scheduled sync may pass over a unit: it was read well a short time ago, and is quiet."""
    if not options.scheduled or options.mode != "changes" or not isinstance(connector, Paced):
        return False
    state, now = services.catalog.units.get(connection.id, unit.id), datetime.now(UTC)
    if state is None or state.cursor is None or state.last_sync is None or state.error:
        return False
    # No unit is late because it is passed over: the tick after this one would look at it in time.
    longest = allowed_lag(connection, now) - longest_gap(connection, now) - _FOR_THE_SYNC
    was_read_lately = timedelta() <= now - state.last_sync < min(QUIET_UNITS_EVERY, longest)
    return was_read_lately and connector.is_quiet(state.cursor, now)


def _next_tick(schedule: str, after: datetime) -> datetime:
    found: datetime = croniter(schedule, after).get_next(datetime)
    return found
