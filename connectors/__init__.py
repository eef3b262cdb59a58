"""The sources that Headrace reads: one package per source, one document model for all."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from connectors.model import Connector
from connectors.settings import Connection

SOURCES = ("notion", "drive", "github", "slack")
"""Every source has a package of its name here, whose `source` module has `connect`."""


def connect(connection: Connection) -> Connector:
    """Open a connection. Nothing is sent before the first call on it."""
    package = import_module(f"connectors.{connection.source}.source")
    return cast(Connector, package.connect(connection))
