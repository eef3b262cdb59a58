"""Time that has passed, for what the catalog keeps of when something was done."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from pipelines.catalog import tables
from pipelines.services import Services

DONE_AT = {
    tables.units: ("last_sync", "listed_since"),
    tables.connections: ("listed_at", "memberships_at"),
}


def let_pass(services: Services, minutes: float) -> None:
    """Let all syncs, listings of units and readings of memberships be so long ago; fewer than none are to come."""
    with services.catalog._engine.begin() as transaction:
        for table, columns in DONE_AT.items():
            for row in transaction.execute(table.select()).all():
                own = [column == getattr(row, column.name) for column in table.primary_key.columns]
                done = {name: at for name in columns if (at := getattr(row, name)) is not None}
                earlier = {name: at - timedelta(minutes=minutes) for name, at in done.items()}
                if earlier:
                    transaction.execute(update(table).where(*own).values(earlier))
