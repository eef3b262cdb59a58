"""Who may read what on Slack: a public channel the members of the workspace, a private one its own members.

Unknown means nobody. Guests see only the channels they are in, so they do not belong to the group of the
workspace; neither do bots, deleted accounts and people of other organisations in shared channels.
Needs the scopes users:read.email, for private channels groups:read, and for user groups usergroups:read.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from connectors.contract import Membership
from connectors.errors import AccessDenied, NotFound
from connectors.model import group_token
from connectors.slack.client import SlackClient
from connectors.slack.directory import SlackDirectory
from connectors.slack.payloads import SlackChannel, SlackUser

logger = logging.getLogger(__name__)

WORKSPACE = "workspace"
SLACKBOT = "USLACKBOT"
"""Slack's own account, which is not always marked as a bot."""


def is_private(channel: SlackChannel) -> bool:
    """Whether only members see a channel; group direct messages are private, whatever they say."""
    return channel.is_private or channel.is_mpim


def channel_readers(connection: str, channel: SlackChannel) -> tuple[str, ...]:
    """Reader tokens of everything in a channel."""
    return (group_token(connection, channel.id if is_private(channel) else WORKSPACE),)


def read_memberships(client: SlackClient, directory: SlackDirectory) -> Iterator[Membership]:
    """Members of the workspace, of each private channel, and of each user group."""
    team = directory.identity.team_id
    yield from _memberships(WORKSPACE, (user for user in directory.users.values() if is_member(user, team)))
    for channel in directory.channels.values():
        if is_private(channel):
            yield from _memberships(channel.id, _colleagues(directory, team, _read_members(client, channel)))
    for group in directory.usergroups.values():
        if not group.date_delete:
            yield from _memberships(group.id, _colleagues(directory, team, group.users))


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


def _memberships(group: str, users: Iterable[SlackUser]) -> Iterator[Membership]:
    return (Membership(group, user.profile.email) for user in users if user.profile.email)


def _colleagues(directory: SlackDirectory, team: str, ids: Iterable[str]) -> Iterator[SlackUser]:
    known = (directory.users.get(user_id) for user_id in ids)
    return (user for user in known if user and is_colleague(user, team))


def _read_members(client: SlackClient, channel: SlackChannel) -> list[str]:
    try:
        return list(client.members(channel.id))
    except (AccessDenied, NotFound) as error:
        logger.warning("#%s: its messages are visible to administrators only: %s", channel.name, error)
        return []
