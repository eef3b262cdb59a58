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
from connectors.slack.client import Payload, SlackClient
from connectors.slack.directory import Directory

logger = logging.getLogger(__name__)

WORKSPACE = "workspace"


def is_private(channel: Payload) -> bool:
    """A channel that does not say is taken for private."""
    return channel.get("is_private") is not False or bool(channel.get("is_mpim"))


def readers(connection: str, channel: Payload) -> tuple[str, ...]:
    """Reader tokens of everything in a channel."""
    group = str(channel["id"]) if is_private(channel) else WORKSPACE
    return (group_token(connection, group),)


def memberships(client: SlackClient, directory: Directory) -> Iterator[Membership]:
    """Members of the workspace, of each private channel, and of each user group."""
    team = str(directory.identity.get("team_id") or "")
    yield from _of(WORKSPACE, (user for user in directory.users.values() if is_member(user, team)))
    for channel in directory.channels.values():
        if is_private(channel):
            yield from _of(str(channel["id"]), _people(directory, team, _members(client, channel)))
    for group_id, group in directory.usergroups.items():
        if not group.get("date_delete"):
            yield from _of(group_id, _people(directory, team, group.get("users") or ()))


def is_member(user: Payload, team: str = "") -> bool:
    """Whether somebody may see every public channel of this workspace."""
    return is_colleague(user, team) and not (user.get("is_restricted") or user.get("is_ultra_restricted"))


def is_colleague(user: Payload, team: str) -> bool:
    """Whether this is a person of this workspace, guests included, and not of one that shares a channel with it."""
    if any(user.get(flag) for flag in ("deleted", "is_bot", "is_stranger")) or user.get("id") == "USLACKBOT":
        return False
    home = str(user.get("team_id") or team)
    return not team or home == team or team in ((user.get("enterprise_user") or {}).get("teams") or ())


def _of(group: str, users: Iterable[Payload]) -> Iterator[Membership]:
    for user in users:
        if email := (user.get("profile") or {}).get("email"):
            yield Membership(group, str(email))


def _people(directory: Directory, team: str, ids: Iterable[str]) -> Iterator[Payload]:
    known = (directory.users.get(user_id) for user_id in ids)
    return (user for user in known if user and is_colleague(user, team))


def _members(client: SlackClient, channel: Payload) -> list[str]:
    try:
        return [str(member) for member in client.listing("conversations.members", "members", channel=channel["id"])]
    except (AccessDenied, NotFound) as error:
        logger.warning("#%s: its messages are visible to administrators only: %s", channel.get("name"), error)
        return []
