"""People, channels and user groups of a workspace, by id; looked up when first needed."""

from __future__ import annotations

import logging
from functools import cached_property

from connectors.errors import AccessDenied, NotFound
from connectors.slack.client import Payload, SlackClient
from connectors.slack.mrkdwn import Names

CHANNEL_TYPES = ("public_channel", "private_channel", "mpim")
"""Asked for one by one, since each needs a scope of its own: channels:read, groups:read, mpim:read. Group direct
messages are among them only where the app was invited."""

logger = logging.getLogger(__name__)


class Directory:
    """Names for ids. What cannot be looked up keeps its id."""

    def __init__(self, client: SlackClient) -> None:
        self._client = client
        self._strangers: dict[str, Payload] = {}

    @cached_property
    def names(self) -> Names:
        return Names(self.user, self.channel, self.usergroup)

    @cached_property
    def users(self) -> dict[str, Payload]:
        """All people of the workspace. Needs the scopes users:read and users:read.email."""
        return {user["id"]: user for user in self._client.listing("users.list", "members") if user.get("id")}

    @cached_property
    def channels(self) -> dict[str, Payload]:
        """All channels that the token sees, archived ones included. Raises AccessDenied if it may see none."""
        found: dict[str, Payload] = {}
        denied: list[AccessDenied] = []
        for kind in CHANNEL_TYPES:
            try:
                listed = self._client.listing("conversations.list", "channels", types=kind, exclude_archived=False)
                found.update((channel["id"], channel) for channel in listed if channel.get("id"))
            except AccessDenied as error:
                denied.append(error)
                logger.info("channels of the type %s are not read: %s", kind, error)
        if len(denied) == len(CHANNEL_TYPES):
            raise denied[0]
        return found

    @cached_property
    def team_url(self) -> str:
        """Where the workspace lives: https://acme.slack.com/"""
        return str(self._client.call("auth.test").get("url") or "https://app.slack.com/")

    def user(self, user_id: str) -> str:
        known = self.users.get(user_id) or self._stranger(user_id)
        profile = known.get("profile") or {}
        candidates = (profile.get("display_name"), profile.get("real_name"), known.get("real_name"), known.get("name"))
        return next((str(name) for name in candidates if name), user_id)

    def channel(self, channel_id: str) -> str:
        return str(self.channels.get(channel_id, {}).get("name") or channel_id)

    def usergroup(self, group_id: str) -> str:
        return self._usergroups.get(group_id, group_id)

    @cached_property
    def _usergroups(self) -> dict[str, str]:
        try:
            found = self._client.call("usergroups.list").get("usergroups") or ()
        except (AccessDenied, NotFound):
            return {}
        return {group["id"]: str(group.get("handle") or group.get("name") or group["id"]) for group in found}

    def _stranger(self, user_id: str) -> Payload:
        """Somebody of another organisation, in a shared channel."""
        if user_id not in self._strangers:
            try:
                self._strangers[user_id] = self._client.call("users.info", user=user_id).get("user") or {}
            except (AccessDenied, NotFound):
                self._strangers[user_id] = {}
        return self._strangers[user_id]
