"""Slack as a connector: a channel is a unit; threads and days of messages are its documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import httpx

from connectors.contract import (
    Account,
    Checkpoint,
    Cursor,
    Finding,
    Item,
    ListingEntry,
    MembershipItem,
    PartState,
    Window,
    is_in_any_unit,
)
from connectors.errors import (
    REFUSALS,
    AuthenticationFailed,
    RateLimited,
    SourceError,
    TransientError,
    UnreadableUnits,
)
from connectors.model import Unit
from connectors.slack.access import channel_readers, kind_of, listing_gaps, read_memberships, workspace_groups
from connectors.slack.channel_reads import ChannelReads
from connectors.slack.client import SlackClient
from connectors.slack.cursor import ChannelCursor
from connectors.slack.directory import SlackDirectory
from connectors.slack.documents import ChannelDocuments
from connectors.slack.downloads import FileLoader
from connectors.slack.part_probes import PartProbes
from connectors.slack.part_table import CHANNEL_KINDS, MEMBERS
from connectors.slack.payloads import SlackChannel
from connectors.slack.refusals import is_of_method
from connectors.slack.settings import SlackConnection
from connectors.source_parts import state_of
from connectors.units import list_units

QUIET_AFTER = timedelta(days=1)


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
        self._members: dict[str, PartState] = {}

    @property
    def requests(self) -> int:
        return self._client.requests + self._loader.requests

    def close(self) -> None:
        self._client.close()
        self._loader.close()

    def check(self) -> list[Finding]:
        """Who the token is, how many channels it reaches, and what each part of a sync answers."""
        try:
            me = self._directory.identity
            scopes = self._client.scopes()
        except SourceError as error:
            return [Finding("credentials", False, str(error))]
        detail = f"{me.user} of {me.team}, scopes: {scopes or 'as granted to the token'}"
        credentials = Finding("credentials", True, detail)
        try:
            units = list_units(self).found
        except SourceError as error:
            return [credentials, Finding("channels", False, str(error))]
        advice = "" if units else "; invite the app to channels, or check `include` and `exclude`"
        reach = Finding("channels", bool(units), f"{len(units)} in reach{advice}")
        return [credentials, reach, *PartProbes(self._client, self._loader, self._directory, units, scopes).findings()]

    def units(self) -> Iterator[Unit]:
        """Channels that the token may read; a bot's token reads only those to which it was invited.

        Raises UnreadableUnits after all others, where channels of a type could not be listed.
        """
        self._directory.forget_channels()
        yield from self._known_units()
        if gaps := listing_gaps(self._directory):
            raise UnreadableUnits(gaps=gaps)

    def _known_units(self) -> Iterator[Unit]:
        """As `units`, of channels that may have been listed a while ago."""
        is_bot = bool(self._directory.identity.bot_id)
        base = f"{self._directory.team_url}/archives"
        for channel in self._directory.channels.values():
            name = channel.name or channel.id
            # A bot leaves a channel when it is archived; what it read there stays.
            out_of_reach = is_bot and channel.is_member is False and not channel.is_archived
            if not out_of_reach and self._connection.includes(channel.id, name):
                groups = workspace_groups(channel, self._directory)
                yield Unit(
                    channel.id, name, f"{base}/{channel.id}", channel_readers(self._connection.id, channel, groups)
                )

    def memberships(self) -> Iterator[MembershipItem]:
        self._directory.forget_people()
        return read_memberships(self._client, self._directory, self._note_members)

    def accounts(self) -> Iterator[Account]:
        """See `TellsAccounts.accounts`: all who are or were there, and bots."""
        for user in self._directory.listed_users:
            profile, name = user.profile, self._directory.user_name(user.id)
            aliases = (user.name, user.real_name, profile.real_name, profile.display_name)
            yield Account(user.id, name, aliases, (profile.email,))

    def read(self, unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
        """Messages from the newest back, or with a cursor what changed. See `connectors.slack.channel_reads`."""
        opened = self._open_or_state(unit, self._directory.listed_channel(unit.id), cursor or {})
        if isinstance(opened, PartState):
            yield opened
            yield Checkpoint(cursor or {})
            return
        yield from self._states(unit)
        if window:
            yield from opened.read_window(window)
            yield Checkpoint(cursor or {})
        else:
            yield from opened.read()

    def is_quiet(self, cursor: Cursor, now: datetime) -> bool:
        """Whether nothing was said in a channel for a day. Slack tells of no channel whether anything was."""
        position = ChannelCursor.from_json(cursor)
        return position.is_at_end and position.last_word < now - QUIET_AFTER

    def listing(self, unit: Unit) -> Iterator[ListingEntry | PartState]:
        """Days and threads by the channel's history, files by Slack's listing of files, or else by each thread."""
        opened = self._open_or_state(unit, self._directory.listed_channel(unit.id), {})
        if isinstance(opened, PartState):
            yield opened
            return
        yield from self._states(unit)
        yield from opened.listing()

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        """See `connectors.contract.Connector`. The channel is asked for first: its visibility decides who may read."""
        if document_ids:
            opened = self._open_channel(unit, None, {})
            for document_id in document_ids:
                yield opened.refetch(document_id, self._path_of(document_id).removeprefix(f"{unit.id}/"))
            yield from opened.incomplete_parts()

    def unit_of(self, document_id: str) -> str | None:
        """The channel that an id names; of a file that an event names without its channel, the first that is read."""
        channel, _, rest = self._path_of(document_id).partition("/")
        units = {unit.id for unit in self._known_units()}
        if not is_in_any_unit(document_id):
            return channel if channel in units else None
        try:
            return min(self._client.file(rest.removeprefix("files/")).channel_ids & units, default=None)
        except REFUSALS:
            return None

    def _note_members(self, channel: str, trouble: SourceError | None) -> None:
        """They are read with the memberships, and told with the parts that the next read of the channel asks for."""
        self._members[channel] = state_of(MEMBERS, trouble)

    def _states(self, unit: Unit) -> Iterator[PartState]:
        """Of what is known before a channel is read: it is in reach, and whether its members could be listed."""
        yield state_of(CHANNEL_KINDS[kind_of(unit)])
        if members := self._members.get(unit.id):
            yield members

    def _path_of(self, document_id: str) -> str:
        return document_id.removeprefix(f"slack:{self._connection.id}/")

    def _open_or_state(self, unit: Unit, listed: SlackChannel | None, cursor: Cursor) -> ChannelReads | PartState:
        """What reads a channel; or why not, where channels of its type are refused or fail, as listing them does."""
        try:
            return self._open_channel(unit, listed, cursor)
        except SourceError as error:
            if isinstance(error, AuthenticationFailed | RateLimited) or not (
                is_of_method(error) or isinstance(error, TransientError)
            ):
                raise
            if isinstance(error, TransientError):
                self._client.identity()
            part, prefix = CHANNEL_KINDS[kind_of(unit)], f"slack:{self._connection.id}/{unit.id}/"
            return state_of(part, error, (prefix,))

    def _open_channel(self, unit: Unit, listed: SlackChannel | None, cursor: Cursor) -> ChannelReads:
        """What reads a channel, as it was listed or is now: its visibility decides who may read it."""
        channel = listed or self._client.channel(unit.id) or SlackChannel(id=unit.id, name=unit.name)
        documents = ChannelDocuments(self._connection, self._directory, unit, channel)
        return ChannelReads(self._client, self._loader, documents, cursor)
