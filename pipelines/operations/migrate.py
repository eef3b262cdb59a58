"""Makes what the other processes expect to be there, once, before they start."""

from __future__ import annotations

from pipelines.catalog import Migration, migrate_catalog
from pipelines.ingestion.orchestrator import find_orchestrator
from pipelines.landing import Landing
from pipelines.settings import Settings


def migrate_all(settings: Settings, revision: str | None = None) -> Migration:
    """Migrate the catalog and the run history, and make the landing's bucket; with a revision, the catalog alone.

    Raises HeadraceError.
    """
    migration = migrate_catalog(settings, revision)
    if revision is None:
        Landing(settings).files.create_bucket()
        find_orchestrator().migrate(settings)
    return migration
