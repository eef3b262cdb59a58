"""The settings of commands that work for long."""

from __future__ import annotations

import logging

from pipelines.settings import Settings, load_settings

_PATIENCE = 60.0
"""Seconds for which a command waits for the catalog's database: as long as one takes to start anew."""


def load_for_long(level: int = logging.WARNING, *, patience: float = _PATIENCE) -> Settings:
    """The settings of a command that works for long; what it logs has their format from here on. A catalog that is away
    is waited for."""
    from pipelines.catalog.outage import await_database
    from pipelines.logs import to_standard_error

    settings = load_settings()
    to_standard_error(level, settings.logs.format)
    await_database(settings.catalog.url.get_secret_value(), patience)
    return settings
