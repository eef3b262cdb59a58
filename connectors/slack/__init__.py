"""Slack: threads and days of channels. https://docs.slack.dev/reference/methods"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from connectors.registry import Source
from connectors.slack.settings import SlackConnection

if TYPE_CHECKING:
    from connectors.contract import Connector
    from connectors.webhooks import Event


def _connect(connection: SlackConnection) -> Connector:
    from connectors.slack.source import connect

    return connect(connection)


def _receive(connection: SlackConnection, headers: Mapping[str, str], body: bytes, now: float) -> Event:
    from connectors.slack.webhooks import receive

    return receive(connection, headers, body, now)


SOURCE = Source(
    name="slack",
    label="Slack",
    settings=SlackConnection,
    connect=_connect,
    receive=_receive,
    icon="M2 3h12v8H7.5L4.5 14v-3H2z",  # a speech bubble
)
