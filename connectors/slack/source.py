"""Slack as a connector: a channel is a unit; threads and days of messages are its documents."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import httpx

from connectors.contract import Checkpoint, Cursor, Deleted, Finding, Item, ListingEntry, Membership, Window
from connectors.errors import AccessDenied, NotFound, RequestRejected, SourceError
from connectors.http import ApiClient
from connectors.model import Document, Unit
from connectors.slack import access
from connectors.slack.client import Payload, SlackClient
from connectors.slack.cursor import Progress
from connectors.slack.directory import Directory
from connectors.slack.documents import Channel
from connectors.slack.files import Files, channels_of, files_client
from connectors.slack.reader import Reading
from connectors.slack.settings import SlackConnection
from connectors.slack.webhooks import FILES

logger = logging.getLogger(__name__)

SCOPES = {
    "users:read": "people keep their ids in place of their names",
    "users:read.email": "nobody can be recognised, and nobody sees anything",
    "files:read": "files are recorded as failed",
}


def connect(connection: SlackConnection, transport: httpx.BaseTransport | None = None) -> SlackConnector:
    """Open a connection; nothing is sent yet. `transport` replaces the network."""
    return SlackConnector(connection, SlackClient(connection, transport), files_client(connection, transport))


class SlackConnector:
    """Reads the channels that a token reaches. See `connectors.contract.Connector`."""

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
            me = self._directory.identity
            scopes = self._client.scopes()
            said = f"{me.get('user')} of {me.get('team')}, scopes: {scopes or 'as granted to the token'}"
            found = [Finding("credentials", True, said)]
        except SourceError as error:
            return [Finding("credentials", False, str(error))]
        try:
            count = sum(1 for _ in self.units())
        except SourceError as error:
            return [*found, Finding("channels", False, str(error))]
        advice = "" if count else "; invite the app to channels, or check `include` and `exclude`"
        return [*found, Finding("channels", count > 0, f"{count} in reach{advice}"), *_missing(scopes)]

    def units(self) -> Iterator[Unit]:
        """Channels that the token may read; a bot's token reads only those to which it was invited."""
        bot = bool(self._directory.identity.get("bot_id"))
        base = f"{self._directory.team_url.rstrip('/')}/archives"
        for channel in self._directory.channels.values():
            name = str(channel.get("name") or channel["id"])
            out_of_reach = bot and channel.get("is_member") is False and not channel.get("is_archived")
            if not out_of_reach and self._connection.includes(channel["id"], name):
                readers = access.readers(self._connection.id, channel)
                yield Unit(str(channel["id"]), name, f"{base}/{channel['id']}", readers)

    def memberships(self) -> Iterator[Membership]:
        return access.memberships(self._client, self._directory)

    def read(self, unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
        """Messages from the newest back, or with a cursor what changed. See `connectors.slack.reader`."""
        progress = Progress.of(cursor or {})
        reading, _ = self._parts(unit, self._directory.listed_channel(unit.id))
        if window:
            yield from reading.window(window)
            yield Checkpoint(cursor or {})
            return
        try:
            yield from reading.changes(progress) if cursor and not progress.before else reading.everything(progress)
        except AccessDenied as error:
            # A bot leaves a channel when it is archived: nothing is said there any more, and what was read stays.
            if not reading.is_archived:
                raise
            logger.info("%s is archived, and out of reach: %s", unit.name, error)
            yield Checkpoint(progress.cursor())
            return
        yield Checkpoint(progress.cursor(), complete=not cursor)

    def listing(self, unit: Unit) -> Iterator[ListingEntry]:
        """Days and threads by the channel's history, files by Slack's listing of files.

        A token that may not list files, or a server that cannot, is asked for the replies of each thread instead.
        """
        reading, files = self._parts(unit, self._directory.listed_channel(unit.id))
        yield from reading.listed()
        try:
            yield from files.listed()
        except (AccessDenied, NotFound, RequestRejected) as error:
            logger.warning("%s: files are looked up thread by thread: %s", unit.name, error)
            yield from reading.listed_files()

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        """See `connectors.contract.Connector`. The channel is asked for anew: its visibility decides who may read."""
        if not document_ids:
            return
        reading, files = self._parts(unit)
        for document_id in document_ids:
            kind, name = self._kind_and_name(unit, document_id)
            if kind == "files":
                found = files.again(name)
                # An event may name a file without its channel: what stands under that name is nothing.
                yield from [found] if item_id(found) == document_id else [found, Deleted(document_id)]
            else:
                yield reading.again(kind, name) or Deleted(document_id)

    def unit_of(self, document_id: str) -> str | None:
        """The channel that an id names; of a file that an event names without its channel, the first that is read."""
        channel, _, rest = document_id.removeprefix(f"slack:{self._connection.id}/").partition("/")
        units = {unit.id for unit in self.units()}
        if channel != FILES:
            return channel if channel in units else None
        try:
            return next((one for one in sorted(channels_of(self._client.file(rest))) if one in units), None)
        except (AccessDenied, NotFound, RequestRejected):
            return None

    def _kind_and_name(self, unit: Unit, document_id: str) -> tuple[str, str]:
        """`threads`, `days` or `files`, and what is named so in the channel."""
        rest = document_id.removeprefix(f"slack:{self._connection.id}/").removeprefix(f"{unit.id}/")
        kind, _, name = rest.partition("/")
        return kind, name

    def _parts(self, unit: Unit, listed: Payload | None = None) -> tuple[Reading, Files]:
        """What reads a channel, as it was listed or is now: its visibility decides who may read it."""
        payload = listed or self._client.call("conversations.info", channel=unit.id).get("channel") or {}
        channel = Channel(self._connection, self._directory, unit, {"id": unit.id, "name": unit.name} | payload)
        files = Files(self._client, self._loader, channel)
        return Reading(self._client, channel, files), files


def item_id(item: Item) -> str:
    return item.id if isinstance(item, Document) else "" if isinstance(item, Checkpoint) else item.document_id


def _missing(scopes: str) -> Iterator[Finding]:
    """Scopes without which something is not read, where Slack tells those that the token has."""
    granted = {scope.strip() for scope in scopes.split(",")}
    for scope, lost in SCOPES.items():
        if scopes and scope not in granted:
            yield Finding(f"scope {scope}", False, f"without it {lost}")
