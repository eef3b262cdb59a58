"""Admission to the landing: an item that does not fit the contract is its object's failure in the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.admission import Refused, admit, admit_change
from connectors.contract import Failed, ObjectItem, SameContent, id_prefix
from connectors.fingerprints import fingerprint
from connectors.model import Unit
from connectors.settings import Connection
from pipelines.catalog.retries import NOT_ADMITTED


@dataclass(frozen=True, slots=True)
class Admission:
    """Looks at the items of one unit as they come."""

    connection: Connection
    unit: Unit

    def admit(self, item: ObjectItem) -> ObjectItem:
        """The item itself where it fits, else the failure of its object."""
        admitted = admit(item, self.connection, self.unit)
        return self._failure(admitted) if isinstance(admitted, Refused) else admitted

    def admit_change(self, item: ObjectItem | SameContent) -> ObjectItem | SameContent:
        """As `admit`, of what may be told without its content."""
        admitted = admit_change(item, self.connection, self.unit)
        return self._failure(admitted) if isinstance(admitted, Refused) else admitted

    def _failure(self, refused: Refused) -> Failed:
        """Under an id of this connection and unit, the same each time, for what has none of its own."""
        prefix = id_prefix(self.connection.source, self.connection.id)
        own = fingerprint([self.unit.id, refused.named])
        return Failed(f"{prefix}{NOT_ADMITTED}{own}", refused.title, refused.reason)
