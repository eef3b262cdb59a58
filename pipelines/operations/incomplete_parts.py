"""What sources refuse of units, or fail to give, while the rest of them is up to date."""

from __future__ import annotations

from pipelines.catalog import Catalog
from pipelines.catalog.lookup import spellings
from pipelines.catalog.unit_parts import PartRecord
from pipelines.catalog.units import UnitState


def incomplete_parts(catalog: Catalog, connection: str) -> list[PartRecord]:
    """Parts of a connection's units that are not complete, those of its list of units first; of units that are gone
    or paused, and so are not asked for them, none."""
    active = {state.unit.id for state in catalog.units.all(connection) if not (state.gone or state.paused)} | {""}
    return [one for one in catalog.parts.of(connection) if one.status != "complete" and one.unit in active]


def parts_around(catalog: Catalog, id_or_url: str) -> list[tuple[str, PartRecord]]:
    """Incomplete parts, each with its unit's name, of the units in which an object of this id or URL would lie."""
    texts = spellings(id_or_url)
    around = [state for state in catalog.units.all() if any(_lies_in(text, state) for text in texts)]
    return [
        (state.unit.name, part)
        for state in around
        for part in incomplete_parts(catalog, state.connection)
        if part.unit == state.unit.id
    ]


def _lies_in(text: str, state: UnitState) -> bool:
    places = (f"{state.source}:{state.connection}/{state.unit.id}", state.unit.url)
    return any(text.lower().startswith(f"{place.lower().rstrip('/')}/") for place in places if place)
