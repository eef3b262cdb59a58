"""What is hidden and kept until an operator says what is to become of it."""

from __future__ import annotations

from connectors.contract import Finding
from connectors.settings import Connection
from pipelines.ingestion.unit_listing import units_out_of_reach
from pipelines.services import Holdings, Services


def describe_out_of_reach(services: Holdings, connection: Connection) -> list[str]:
    """One line for each unit that is out of reach, and for each that is there and lacks too many documents at once."""
    names = {state.unit.id: state.unit.name for state in services.catalog.units.all(connection.id)}
    lines = [f"{unit}: {said}" for unit, said in units_out_of_reach(services, connection).items()]
    return lines + [
        f"{connection.id}/{unit}: {count} documents of {names[unit]} are missing at the source: they are kept, and "
        f"nobody sees them; `headrace reconcile {connection.id} --allow-mass-delete` removes them"
        for unit, count in services.catalog.documents.count_kept(connection.id).items()
    ]


def check_reach(services: Services, connection: Connection) -> list[Finding]:
    """A finding for each of these lines."""
    return [Finding(f"{connection.id}: units", False, line) for line in describe_out_of_reach(services, connection)]
