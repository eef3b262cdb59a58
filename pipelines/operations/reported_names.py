"""How units are called that a report names by their ids."""

from __future__ import annotations

from pipelines.catalog import Catalog


def reported_names(catalog: Catalog, connection: str | None = None) -> dict[str, str]:
    """`acme-slack/general` for `acme-slack/C061EG9SL`, of all units or those of one connection."""
    return {
        f"{one.connection}/{one.unit.id}": f"{one.connection}/{one.unit.name}" for one in catalog.units.all(connection)
    }
