"""Who may read what on Slack: a public channel the members of the workspace, a private one its own members.

Unknown means nobody. Guests see only the channels they are in, so they do not belong to the group of the
workspace; neither do bots, deleted accounts and people of other organisations in shared channels.
Needs the scopes users:read.email, for private channels groups:read, and for user groups usergroups:read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from connectors.contract import MembershipItem
from connectors.errors import NotFound, SourceError
from connectors.groups import GroupReads
from connectors.model import group_token
from connectors.slack.client import SlackClient
from connectors.slack.directory import SlackDirectory
from connectors.slack.payloads import SlackChannel, SlackUser

WORKSPACE = "workspace"
SLACKBOT = "USLACKBOT"
"""Slack's own account, which is not always marked as a bot."""
MOST_LOOKED_UP = 200
"""People that are asked for one by one, where the list of all is refused. Slack allows about a hundred a minute."""


def is_private(channel: SlackChannel) -> bool:
    """Whether only members see a channel; group direct messages are private, whatever they say."""
    return channel.is_private or channel.is_mpim


def channel_readers(connection: str, channel: SlackChannel) -> tuple[str, ...]:
    """Reader tokens of everything in a channel."""
    return (group_token(connection, channel.id if is_private(channel) else WORKSPACE),)


def read_memberships(client: SlackClient, directory: SlackDirectory) -> Iterator[MembershipItem]:
    """Members of the workspace, of each private channel, and of each user group."""
    groups, people = GroupReads(client.identity), _People(client, directory)
    yield from groups.read(WORKSPACE, people.members)
    for channel in directory.channels.values():
        if is_private(channel):
            # Its first request is sent when its addresses are asked for.
            yield from groups.read(channel.id, partial(people.colleagues, client.members(channel.id)))
    for group in directory.usergroups.values():
        if not group.date_delete:
            yield from groups.read(group.id, partial(people.colleagues, group.users))


def is_member(user: SlackUser, team: str) -> bool:
    """Whether somebody may see every public channel of the workspace `team`."""
    return is_colleague(user, team) and not (user.is_restricted or user.is_ultra_restricted)


def is_colleague(user: SlackUser, team: str) -> bool:
    """Whether this is a person of the workspace, guests included, and not of one that shares a channel with it.

    In an Enterprise organisation a person belongs to one workspace, and may be in others: `enterprise_user.teams`.
    """
    if user.deleted or user.is_bot or user.is_stranger or user.id == SLACKBOT:
        return False
    return not team or (user.team_id or team) == team or team in user.enterprise_user.teams


class _People:
    """Addresses of people, from the list of all; where that cannot be read, of each who is asked for."""

    def __init__(self, client: SlackClient, directory: SlackDirectory) -> None:
        self._client = client
        self._directory = directory
        self._team = directory.identity.team_id
        self._one_by_one: dict[str, SlackUser | None] | None = None

    def members(self) -> list[str]:
        """Addresses of all who may see every public channel. Raises SourceError where the list cannot be read."""
        try:
            users = self._directory.users
        except SourceError:
            self._one_by_one = {}
            raise
        return [user.profile.email for user in users.values() if is_member(user, self._team)]

    def colleagues(self, ids: Iterable[str]) -> list[str]:
        """Addresses of those of the workspace's people who are among `ids`. Raises SourceError."""
        found = map(self._find, ids)
        return [user.profile.email for user in found if user and is_colleague(user, self._team)]

    def _find(self, user_id: str) -> SlackUser | None:
        known = self._one_by_one
        if known is None:
            return self._directory.users.get(user_id)
        if user_id not in known:
            if len(known) == MOST_LOOKED_UP:
                raise SourceError("users.list cannot be read, and its people are too many to be asked for one by one")
            known[user_id] = self._look_up(user_id)
        return known[user_id]

    def _look_up(self, user_id: str) -> SlackUser | None:
        try:
            return self._client.user(user_id)
        except NotFound:
            return None
