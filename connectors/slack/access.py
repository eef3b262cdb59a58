"""Who may read what on Slack: a public channel the members of the workspace, a private one its own members.

Unknown means nobody. Guests see only the channels they are in, so they do not belong to the group of the
workspace; neither do bots, deleted accounts and people of other organisations in shared channels.
Needs the scopes users:read.email and, for private channels, groups:read.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from connectors.errors import AccessDenied, NotFound
from connectors.model import Membership, group_token
from connectors.slack.client import Payload, SlackClient
from connectors.slack.people import Directory

logger = logging.getLogger(__name__)

WORKSPACE = "workspace"


def is_private(channel: Payload) -> bool:
    """A channel that does not say is taken for private."""
    return channel.get("is_private") is not False


def readers(connection: str, channel: Payload) -> tuple[str, ...]:
    """Reader tokens of everything in a channel."""
    group = str(channel["id"]) if is_private(channel) else WORKSPACE
    return (group_token(connection, group),)


def memberships(client: SlackClient, directory: Directory) -> Iterator[Membership]:
    """Members of the workspace, and of each private channel."""
    for user in directory.users.values():
        if is_member(user) and (email := _email(user)):
            yield Membership(WORKSPACE, email)
    for channel in directory.channels.values():
        if is_private(channel):
            group = str(channel["id"])
            for user_id in _members(client, channel):
                user = directory.users.get(user_id, {})
                if not user.get("deleted") and not user.get("is_bot") and (email := _email(user)):
                    yield Membership(group, email)


def is_member(user: Payload) -> bool:
    """Whether somebody may see every public channel."""
    other = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger")
    return not any(user.get(flag) for flag in other) and user.get("id") != "USLACKBOT"


def _members(client: SlackClient, channel: Payload) -> list[str]:
    cursor: str | None = None
    members: list[str] = []
    try:
        while True:
            body = client.call("conversations.members", channel=channel["id"], limit=200, cursor=cursor)
            page = [str(member) for member in body.get("members") or ()]
            members += page
            cursor = (body.get("response_metadata") or {}).get("next_cursor")
            if not cursor or not page:
                return members
    except (AccessDenied, NotFound) as error:
        logger.warning("#%s: its messages are visible to administrators only: %s", channel.get("name"), error)
        return []


def _email(user: Payload) -> str | None:
    return (user.get("profile") or {}).get("email") or None
