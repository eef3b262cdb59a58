"""Documents that are pushed: kept in landing and catalog, and given from there to the connector that reads them."""

from __future__ import annotations

from pipelines.pushed.intake import DocumentIntake, InboxFull
from pipelines.pushed.store import ConnectionStore

__all__ = ["ConnectionStore", "DocumentIntake", "InboxFull"]
