"""Slack as a connector: a channel is a unit; threads and days of messages are its documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import httpx

from connectors.connection import SlackConnection
from connectors.errors import SourceError
from connectors.model import Checkpoint, Cursor, Finding, Item, Membership, Unit, Window
from connectors.slack import access
from connectors.slack.client import Payload, SlackClient
from connectors.slack.people import Directory
from connectors.slack.progress import Progress
from connectors.slack.reading import Reading


def connect(connection: SlackConnection, transport: httpx.BaseTransport | None = None) -> SlackConnector:
    """Open a connection; nothing is sent yet. `transport` replaces the network."""
    return SlackConnector(connection, SlackClient(connection, transport))


class SlackConnector:
    """Reads the channels that a token reaches. See `connectors.model.Connector`."""

    def __init__(self, connection: SlackConnection, client: SlackClient) -> None:
        self._connection = connection
        self._client = client
        self._directory = Directory(client)

    @property
    def requests(self) -> int:
        return self._client.requests

    def close(self) -> None:
        self._client.close()

    def check(self) -> list[Finding]:
        """Who the token is, which scopes it has, and how many channels it reaches."""
        try:
            me = self._client.call("auth.test")
            scopes = self._client.scopes() or "as granted to the token"
            found = [Finding("credentials", True, f"{me.get('user')} of {me.get('team')}, scopes: {scopes}")]
        except SourceError as error:
            return [Finding("credentials", False, str(error))]
        try:
            count = sum(1 for _ in self.units())
        except SourceError as error:
            return [*found, Finding("channels", False, str(error))]
        advice = "" if count else "; invite the app to channels, or check `include` and `exclude`"
        return [*found, Finding("channels", count > 0, f"{count} in reach{advice}")]

    def units(self) -> Iterator[Unit]:
        for channel in self._directory.channels.values():
            name = str(channel.get("name") or channel["id"])
            if self._connection.admits(channel["id"], name):
                url = f"{self._directory.team_url.rstrip('/')}/archives/{channel['id']}"
                yield Unit(str(channel["id"]), name, url)

    def memberships(self) -> Iterator[Membership]:
        return access.memberships(self._client, self._directory)

    def read(self, unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
        """Messages from the newest back, or with a cursor what changed among the latest. See `Connector.read`."""
        progress = Progress.of(cursor or {})
        reading = self._reading(unit)
        if window or not cursor or progress.before:
            yield from reading.everything(Progress() if window else progress, window)
        else:
            yield from reading.changes(progress)
        yield Checkpoint((cursor or {}) if window else progress.cursor(), complete=not cursor and not window)

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        if document_ids:
            yield from self._reading(unit).again(document_ids)

    def _reading(self, unit: Unit) -> Reading:
        return Reading(self._connection.id, self._client, self._directory, unit, self._channel(unit))

    def _channel(self, unit: Unit) -> Payload:
        """The channel as it is now: its visibility decides who may read it."""
        channel: Payload = self._client.call("conversations.info", channel=unit.id).get("channel") or {}
        return {"id": unit.id, "name": unit.name} | channel
