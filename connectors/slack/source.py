"""Slack as a connector: a channel is a unit; threads and days of messages are its documents."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import httpx

from connectors.contract import (
    Checkpoint,
    Cursor,
    Deleted,
    Finding,
    Item,
    ListingEntry,
    MembershipItem,
    Window,
    is_in_any_unit,
)
from connectors.errors import AccessDenied, NotFound, RequestRejected, SourceError
from connectors.isolation import Isolation
from connectors.model import Unit
from connectors.slack.access import channel_readers, read_memberships
from connectors.slack.client import SlackClient
from connectors.slack.cursor import ChannelCursor
from connectors.slack.directory import SlackDirectory
from connectors.slack.documents import ChannelDocuments
from connectors.slack.downloads import FileLoader
from connectors.slack.files import ChannelFiles
from connectors.slack.payloads import SlackChannel
from connectors.slack.reader import ChannelReader
from connectors.slack.settings import SlackConnection

logger = logging.getLogger(__name__)

SCOPES = {
    "users:read": "people keep their ids in place of their names",
    "users:read.email": "nobody can be recognised, and nobody sees anything",
    "files:read": "files are recorded as failed",
}


def connect(connection: SlackConnection, transport: httpx.BaseTransport | None = None) -> SlackConnector:
    """Open a connection; nothing is sent yet. `transport` replaces the network."""
    client = SlackClient(connection, transport)
    return SlackConnector(connection, client, FileLoader(connection, client.api, transport))


class SlackConnector:
    """Reads the channels that a token reaches. See `connectors.contract.Connector`."""

    def __init__(self, connection: SlackConnection, client: SlackClient, loader: FileLoader) -> None:
        self._connection = connection
        self._client = client
        self._loader = loader
        self._directory = SlackDirectory(client)

    @property
    def requests(self) -> int:
        return self._client.requests + self._loader.requests

    def close(self) -> None:
        self._client.close()
        self._loader.close()

    def check(self) -> list[Finding]:
        """Who the token is, which scopes it has, and how many channels it reaches."""
        try:
            me = self._directory.identity
            scopes = self._client.scopes()
        except SourceError as error:
            return [Finding("credentials", False, str(error))]
        detail = f"{me.user} of {me.team}, scopes: {scopes or 'as granted to the token'}"
        credentials = Finding("credentials", True, detail)
        try:
            count = sum(1 for _ in self.units())
        except SourceError as error:
            return [credentials, Finding("channels", False, str(error))]
        advice = "" if count else "; invite the app to channels, or check `include` and `exclude`"
        return [credentials, Finding("channels", count > 0, f"{count} in reach{advice}"), *_missing_scopes(scopes)]

    def units(self) -> Iterator[Unit]:
        """Channels that the token may read; a bot's token reads only those to which it was invited."""
        self._directory.forget_channels()
        yield from self._known_units()

    def _known_units(self) -> Iterator[Unit]:
        """As `units`, of channels that may have been listed a while ago."""
        is_bot = bool(self._directory.identity.bot_id)
        base = f"{self._directory.team_url}/archives"
        for channel in self._directory.channels.values():
            name = channel.name or channel.id
            # A bot leaves a channel when it is archived; what it read there stays.
            out_of_reach = is_bot and channel.is_member is False and not channel.is_archived
            if not out_of_reach and self._connection.includes(channel.id, name):
                yield Unit(channel.id, name, f"{base}/{channel.id}", channel_readers(self._connection.id, channel))

    def memberships(self) -> Iterator[MembershipItem]:
        self._directory.forget_people()
        return read_memberships(self._client, self._directory)

    def read(self, unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
        """Messages from the newest back, or with a cursor what changed. See `connectors.slack.reader`."""
        position = ChannelCursor.from_json(cursor or {})
        reader, _ = self._open_channel(unit, self._directory.listed_channel(unit.id))
        if window:
            yield from reader.read_window(window)
            yield Checkpoint(cursor or {})
            return
        try:
            yield from reader.read_changes(position) if cursor and not position.before else reader.read_all(position)
        except AccessDenied as error:
            # Nothing is said any more in an archived channel, and what was read of it stays.
            if not reader.is_archived:
                raise
            logger.info("%s is archived, and out of reach: %s", unit.name, error)
            yield Checkpoint(position.to_json())
            return
        yield Checkpoint(position.to_json(), complete=not cursor)

    def listing(self, unit: Unit) -> Iterator[ListingEntry]:
        """Days and threads by the channel's history, files by Slack's listing of files.

        A token that may not list files, or a server that cannot, is asked for the replies of each thread instead.
        """
        reader, files = self._open_channel(unit, self._directory.listed_channel(unit.id))
        yield from reader.list_entries()
        try:
            yield from files.list_entries()
        except (AccessDenied, NotFound, RequestRejected) as error:
            logger.warning("%s: files are looked up thread by thread: %s", unit.name, error)
            yield from reader.list_files()

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        """See `connectors.contract.Connector`. The channel is asked for first: its visibility decides who may read."""
        if not document_ids:
            return
        reader, files = self._open_channel(unit)
        for document_id in document_ids:
            kind, _, name = self._path_of(document_id).removeprefix(f"{unit.id}/").partition("/")
            if kind == "files":
                yield files.refetch(name)
            else:
                yield reader.refetch(kind, name) or Deleted(document_id)

    def unit_of(self, document_id: str) -> str | None:
        """The channel that an id names; of a file that an event names without its channel, the first that is read."""
        channel, _, rest = self._path_of(document_id).partition("/")
        units = {unit.id for unit in self._known_units()}
        if not is_in_any_unit(document_id):
            return channel if channel in units else None
        try:
            return min(self._client.file(rest.removeprefix("files/")).channel_ids & units, default=None)
        except (AccessDenied, NotFound, RequestRejected):
            return None

    def _path_of(self, document_id: str) -> str:
        return document_id.removeprefix(f"slack:{self._connection.id}/")

    def _open_channel(self, unit: Unit, listed: SlackChannel | None = None) -> tuple[ChannelReader, ChannelFiles]:
        """What reads a channel, as it was listed or is now: its visibility decides who may read it."""
        channel = listed or self._client.channel(unit.id) or SlackChannel(id=unit.id, name=unit.name)
        documents = ChannelDocuments(self._connection, self._directory, unit, channel)
        # Of the API alone: that the host of the files answers says nothing of threads that cannot be read.
        isolation = Isolation(lambda: self._client.requests)
        files = ChannelFiles(self._client, self._loader, documents, isolation)
        return ChannelReader(self._client, documents, files, isolation), files


def _missing_scopes(scopes: str) -> Iterator[Finding]:
    """Scopes without which something is not read, where Slack tells those that the token has."""
    granted = {scope.strip() for scope in scopes.split(",")}
    for scope, lost in SCOPES.items():
        if scopes and scope not in granted:
            yield Finding(f"scope {scope}", False, f"without it {lost}")
