"""GitHub: issues, pull requests, discussions, releases, and the text files of the default branch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from connectors.github.settings import GitHubConnection
from connectors.registry import Source

if TYPE_CHECKING:
    from connectors.contract import Connector
    from connectors.webhooks import Event


def _connect(connection: GitHubConnection) -> Connector:
    from connectors.github.source import connect

    return connect(connection)


def _receive(connection: GitHubConnection, headers: Mapping[str, str], body: bytes, now: float) -> Event:
    from connectors.github.webhooks import receive

    return receive(connection, headers, body, now)


SOURCE = Source(
    name="github",
    label="GitHub",
    settings=GitHubConnection,
    connect=_connect,
    receive=_receive,
    icon=(
        "M4.5 5v6M4.5 5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM4.5 14a1.5 1.5 0 1 0 0-3 1.5 "
        "1.5 0 0 0 0 3zM11.5 7a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM11.5 7c0 3-4 2.5-7 3.5"
    ),  # two branches that join
)
