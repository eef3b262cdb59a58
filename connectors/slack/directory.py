"""People, channels and user groups of a workspace, by id; looked up when first needed."""

from __future__ import annotations

import logging
from functools import cached_property

from connectors.errors import AccessDenied, NotFound, RequestRejected
from connectors.slack.client import Payload, SlackClient
from connectors.slack.payloads import dicts, fields
from connectors.slack.render.mrkdwn import Names

CHANNEL_TYPES = ("public_channel", "private_channel", "mpim")
"""Asked for one by one, since each needs a scope of its own: channels:read, groups:read, mpim:read. Group direct
messages are among them only where the app was invited."""

logger = logging.getLogger(__name__)


LOOKED_UP_ALONE = 5
"""People that are asked for one by one, as an event needs them, before all of the workspace are listed."""


class Directory:
    """Names for ids. What cannot be looked up keeps its id."""

    def __init__(self, client: SlackClient) -> None:
        self._client = client
        self._people: dict[str, Payload] = {}
        self._rooms: dict[str, Payload] = {}

    @cached_property
    def names(self) -> Names:
        return Names(self.user, self.channel, self.usergroup)

    @cached_property
    def users(self) -> dict[str, Payload]:
        """All people of the workspace. Needs the scopes users:read and users:read.email."""
        listed = dicts(list(self._client.listing("users.list", "members")))
        return {user["id"]: user for user in listed if user.get("id")}

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
    def identity(self) -> Payload:
        """Whose the token is: https://docs.slack.dev/reference/methods/auth.test"""
        return self._client.call("auth.test")

    @property
    def team_url(self) -> str:
        """Where the workspace lives: https://acme.slack.com/"""
        return str(self.identity.get("url") or "https://app.slack.com/")

    def listed_channel(self, channel_id: str) -> Payload | None:
        """A channel, if all of them have been listed."""
        return self.channels.get(channel_id) if "channels" in self.__dict__ else None

    def is_bot(self, said: Payload) -> bool:
        """Whether a message or file comes from a bot. What a person posts through an app bears the app's `bot_id`
        and the person's `user`."""
        if said.get("subtype") == "bot_message":
            return True
        author = self.person(str(said["user"])) if said.get("user") else {}
        return bool(author.get("is_bot")) or (bool(said.get("bot_id")) and not author)

    def user(self, user_id: str) -> str:
        known = self.person(user_id)
        profile = fields(known.get("profile"))
        candidates = (profile.get("display_name"), profile.get("real_name"), known.get("real_name"), known.get("name"))
        return next((str(name) for name in candidates if name), user_id)

    def channel(self, channel_id: str) -> str:
        known = self.listed_channel(channel_id) or self._looked_up(
            self._rooms, "conversations.info", "channel", channel_id
        )
        return str(known.get("name") or channel_id)

    def usergroup(self, group_id: str) -> str:
        group = self.usergroups.get(group_id, {})
        return str(group.get("handle") or group.get("name") or group_id)

    @cached_property
    def usergroups(self) -> dict[str, Payload]:
        """User groups with their members; none without the scope usergroups:read."""
        try:
            found = self._client.call("usergroups.list", include_users=True).get("usergroups") or ()
        except (AccessDenied, NotFound, RequestRejected) as error:
            logger.info("user groups keep their ids: %s", error)
            return {}
        return {group["id"]: group for group in found if group.get("id")}

    def person(self, user_id: str) -> Payload:
        """What is known of somebody. In shared channels, people of other organisations are asked for one by one."""
        alone = not self.__dict__.keys() & {"users", "_everybody"} and len(self._people) < LOOKED_UP_ALONE
        if alone and (known := self._looked_up(self._people, "users.info", "user", user_id)):
            return known
        if self._everybody is None:
            return {}
        return self._everybody.get(user_id) or self._looked_up(self._people, "users.info", "user", user_id)

    @cached_property
    def _everybody(self) -> dict[str, Payload] | None:
        """As `users`; None without the scope users:read, which asking for one needs too."""
        try:
            return self.users
        except AccessDenied as error:
            logger.warning("people keep their ids: %s", error)
            return None
        except (NotFound, RequestRejected) as error:
            logger.warning("people are asked for one by one: %s", error)
            return {}

    def _looked_up(self, known: dict[str, Payload], method: str, key: str, name: str) -> Payload:
        if name not in known:
            try:
                known[name] = fields(self._client.call(method, **{key: name}).get(key))
            except (AccessDenied, NotFound, RequestRejected):
                known[name] = {}
        return known[name]
