"""Linear: the issues of teams, with their comments. https://linear.app/developers/graphql"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from connectors.registry import Source
from headrace_linear.settings import LinearConnection

if TYPE_CHECKING:
    from connectors.contract import Connector
    from connectors.webhooks import Event


def _connect(connection: LinearConnection) -> Connector:
    from headrace_linear.source import connect

    return connect(connection)


def _receive(connection: LinearConnection, headers: Mapping[str, str], body: bytes, now: float) -> Event:
    from headrace_linear.webhooks import receive

    return receive(connection, headers, body, now)


SOURCE = Source(
    name="linear",
    label="Linear",
    settings=LinearConnection,
    connect=_connect,
    receive=_receive,
    icon="M2.5 9.5l4 4M2 6l8 8M4 3.5l8.5 8.5M7.5 2.5l6 6",  # slanting stripes
)
