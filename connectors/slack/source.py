"""Slack as a connector: a channel is a unit; threads and days of messages are its documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import httpx

from connectors.connection import SlackConnection
from connectors.errors import SourceError
from connectors.http import ApiClient
from connectors.model import Checkpoint, Cursor, Deleted, Finding, Item, Listed, Membership, Unit, Window
from connectors.slack import access
from connectors.slack.channel import Channel
from connectors.slack.client import Payload, SlackClient
from connectors.slack.files import Files, files_client
from connectors.slack.people import Directory
from connectors.slack.progress import Progress
from connectors.slack.reading import Reading, parsed_id


def connect(connection: SlackConnection, transport: httpx.BaseTransport | None = None) -> SlackConnector:
    """Open a connection; nothing is sent yet. `transport` replaces the network."""
    return SlackConnector(connection, SlackClient(connection, transport), files_client(connection, transport))


class SlackConnector:
    """Reads the channels that a token reaches. See `connectors.model.Connector`."""

    def __init__(self, connection: SlackConnection, client: SlackClient, loader: ApiClient) -> None:
        self._connection = connection
        self._client = client
        self._loader = loader
        self._directory = Directory(client)

    @property
    def requests(self) -> int:
        return self._client.requests + self._loader.requests

    def close(self) -> None:
        self._client.close()
        self._loader.close()

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
                yield Unit(str(channel["id"]), name, url, access.readers(self._connection.id, channel))

    def memberships(self) -> Iterator[Membership]:
        return access.memberships(self._client, self._directory)

    def read(self, unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
        """Messages from the newest back, or with a cursor what changed among the latest; then files.

        Of files a window reads none: when one was shared says little of when it was talked about.
        """
        progress = Progress.of(cursor or {})
        channel = self._channel(unit)
        reading = Reading(self._client, channel)
        if window:
            yield from reading.everything(Progress(), window)
            yield Checkpoint(cursor or {})
            return
        if not cursor or progress.before:
            yield from reading.everything(progress, None)
            yield Checkpoint(progress.cursor())
        elif progress.files_before is None:
            yield from reading.changes(progress)
        yield from Files(self._client, self._loader, channel).changed(progress)
        yield Checkpoint(progress.cursor(), complete=not cursor)

    def listing(self, unit: Unit) -> Iterator[Listed]:
        channel = self._channel(unit)
        yield from Reading(self._client, channel).listed()
        yield from Files(self._client, self._loader, channel).listed()

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        if not document_ids:
            return
        channel = self._channel(unit)
        reading, files = Reading(self._client, channel), Files(self._client, self._loader, channel)
        for document_id in document_ids:
            kind, name = parsed_id(channel, document_id)
            item = files.again(name) if kind == "files" else reading.again(kind, name)
            yield item or Deleted(document_id)

    def unit_of(self, document_id: str) -> str | None:
        """An id names its channel."""
        channel, _, _ = document_id.removeprefix(f"slack:{self._connection.id}/").partition("/")
        return next((unit.id for unit in self.units() if unit.id == channel), None)

    def _channel(self, unit: Unit) -> Channel:
        """The channel as it is now: its visibility decides who may read it."""
        payload: Payload = self._client.call("conversations.info", channel=unit.id).get("channel") or {}
        return Channel(self._connection, self._directory, unit, {"id": unit.id, "name": unit.name} | payload)
