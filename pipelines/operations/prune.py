"""`headrace prune`: what nothing needs any more is removed now, or only counted."""

from __future__ import annotations

from pipelines.errors import LandingUnavailable
from pipelines.ingestion.retention import Pruned, plan_prune, prune
from pipelines.services import Services
from pipelines.settings import Settings


def prune_now(settings: Settings, *, dry_run: bool) -> Pruned:
    """Remove, to the end, what the settings' `retention` no longer keeps; or count it. Raises LandingUnavailable."""
    with Services(settings) as services:
        try:
            return plan_prune(services) if dry_run else prune(services, seconds=None)
        except OSError as error:  # a disk that is full, say, or may not be written to
            raise LandingUnavailable(error) from error
