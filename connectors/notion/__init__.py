"""Notion: pages, databases and their rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from connectors.notion.settings import NotionConnection
from connectors.notion.urls import ids_in_url
from connectors.registry import Source

if TYPE_CHECKING:
    from connectors.contract import Connector
    from connectors.webhooks import Event


def _connect(connection: NotionConnection) -> Connector:
    from connectors.notion.source import connect

    return connect(connection)


def _receive(connection: NotionConnection, headers: Mapping[str, str], body: bytes, now: float) -> Event:
    from connectors.notion.webhooks import receive

    return receive(connection, headers, body, now)


SOURCE = Source(
    name="notion",
    label="Notion",
    settings=NotionConnection,
    connect=_connect,
    receive=_receive,
    ids_in_url=ids_in_url,
    icon="M3.5 2h9v12h-9zM6 5.5h4M6 8h4M6 10.5h2",  # a page with lines
)
