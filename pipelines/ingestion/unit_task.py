"""One unit that is read: what every step of its reading needs."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.contract import Connector
from connectors.model import Unit
from connectors.settings import Connection
from pipelines.catalog import Catalog
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.report import ProgressCallback, SyncReport
from pipelines.services import Services


@dataclass(frozen=True, slots=True)
class UnitTask:
    """Which unit is read, with what, and who is told of it."""

    services: Services
    connector: Connector
    connection: Connection
    unit: Unit
    options: SyncOptions
    report: SyncReport
    progress: ProgressCallback

    @property
    def catalog(self) -> Catalog:
        return self.services.catalog

    @property
    def own(self) -> tuple[str, str]:
        """The ids of the connection and of the unit."""
        return self.connection.id, self.unit.id
