"""In which units an object is that an event names, as far as the catalog knows."""

from __future__ import annotations

from connectors.contract import in_unit, is_in_any_unit
from pipelines.catalog import Catalog


def known_units(catalog: Catalog, connection: str, document_id: str) -> list[str]:
    """Where an object was last seen; all of its units, where its id does not tell which is meant."""
    if not is_in_any_unit(document_id):
        unit = catalog.documents.unit_of(document_id)
        return [unit] if unit else []
    by_id = {in_unit(document_id, state.unit.id): state.unit.id for state in catalog.units.all(connection)}
    return sorted(by_id[one] for one in catalog.documents.present(by_id))
