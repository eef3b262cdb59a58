"""Google Drive as a connector: of one account, or of many people's drives."""

from __future__ import annotations

import httpx

from connectors.contract import Connector
from connectors.drive.account import DriveConnector
from connectors.drive.delegation import DelegatedConnector
from connectors.drive.settings import DriveConnection


def connect(connection: DriveConnection, transport: httpx.BaseTransport | None = None) -> Connector:
    """Open a connection. Nothing is sent before the first call on it."""
    opens_people = bool(connection.subjects)
    return DelegatedConnector(connection, transport) if opens_people else DriveConnector(connection, transport)
