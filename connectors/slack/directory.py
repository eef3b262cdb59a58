"""People, channels and user groups of a workspace, by id; looked up when first needed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cached_property
from typing import TypeVar

from connectors.errors import AccessDenied, NotFound, RequestRejected
from connectors.slack.client import SlackClient
from connectors.slack.payloads import Authored, SlackBot, SlackChannel, SlackIdentity, SlackUser, SlackUsergroup

T = TypeVar("T")

CHANNEL_TYPES = ("public_channel", "private_channel", "mpim")
"""Asked for one by one, since each needs a scope of its own: channels:read, groups:read, mpim:read. Group direct
messages are among them only where the app was invited."""
LOOKED_UP_ALONE = 5
"""People that are asked for one by one, as an event needs them, before all of the workspace are listed."""

logger = logging.getLogger(__name__)


class SlackDirectory:
    """Names for ids. What cannot be looked up keeps its id."""

    def __init__(self, client: SlackClient) -> None:
        self._client = client
        self._single_users: dict[str, SlackUser | None] = {}
        self._single_channels: dict[str, SlackChannel | None] = {}
        self._bots: dict[str, SlackBot | None] = {}

    def forget_channels(self) -> None:
        """The next look at them asks Slack."""
        self.__dict__.pop("channels", None)

    def forget_people(self) -> None:
        """The next look at them, and at user groups, asks Slack."""
        for name in ("users", "usergroups", "_everybody"):
            self.__dict__.pop(name, None)

    @cached_property
    def users(self) -> dict[str, SlackUser]:
        """All people of the workspace. Needs the scopes users:read and users:read.email."""
        return {user.id: user for user in self._client.users() if user.id}

    @cached_property
    def channels(self) -> dict[str, SlackChannel]:
        """All channels that the token sees, archived ones included. Raises AccessDenied if it may see none."""
        found: dict[str, SlackChannel] = {}
        denied: list[AccessDenied] = []
        for kind in CHANNEL_TYPES:
            try:
                found.update((channel.id, channel) for channel in self._client.channels(kind) if channel.id)
            except AccessDenied as error:
                denied.append(error)
                logger.info("channels of the type %s are not read: %s", kind, error)
        if len(denied) == len(CHANNEL_TYPES):
            raise denied[0]
        return found

    @cached_property
    def identity(self) -> SlackIdentity:
        return self._client.identity()

    @property
    def team_url(self) -> str:
        """Where the workspace lives, without a slash at the end: https://acme.slack.com"""
        return (self.identity.url or "https://app.slack.com").rstrip("/")

    def listed_channel(self, channel_id: str) -> SlackChannel | None:
        """A channel, if all of them have been listed."""
        return self.channels.get(channel_id) if "channels" in self.__dict__ else None

    def is_bot(self, authored: Authored) -> bool:
        """Whether a message or file comes from a bot. What a person posts through an app bears the app's `bot_id`
        and the person's `user`."""
        if authored.subtype == "bot_message":
            return True
        author = self.person(authored.user) if authored.user else None
        return author.is_bot if author else bool(authored.bot_id)

    def bot_name(self, bot_id: str) -> str:
        """Of an integration that posts without a user of its own."""
        bot = _look_up(self._bots, self._client.bot, bot_id)
        return (bot.name if bot else "") or bot_id

    def user_name(self, user_id: str) -> str:
        """Of somebody; a bot's, where that is what the id names."""
        if user_id.startswith("B"):
            return self.bot_name(user_id)
        user = self.person(user_id)
        if not user:
            return user_id
        return user.profile.display_name or user.profile.real_name or user.real_name or user.name or user_id

    def channel(self, channel_id: str) -> SlackChannel | None:
        """A channel, if the token sees it."""
        return self.listed_channel(channel_id) or _look_up(self._single_channels, self._client.channel, channel_id)

    def usergroup_name(self, group_id: str) -> str:
        group = self.usergroups.get(group_id)
        return (group.handle or group.name if group else "") or group_id

    @cached_property
    def usergroups(self) -> dict[str, SlackUsergroup]:
        """User groups with their members; none without the scope usergroups:read."""
        try:
            return {group.id: group for group in self._client.usergroups() if group.id}
        except (AccessDenied, NotFound, RequestRejected) as error:
            logger.info("user groups keep their ids: %s", error)
            return {}

    def person(self, user_id: str) -> SlackUser | None:
        """Somebody, if known. In shared channels, people of other organisations are asked for one by one."""
        alone = not self.__dict__.keys() & {"users", "_everybody"} and len(self._single_users) < LOOKED_UP_ALONE
        if alone and (known := _look_up(self._single_users, self._client.user, user_id)):
            return known
        if self._everybody is None:
            return None
        return self._everybody.get(user_id) or _look_up(self._single_users, self._client.user, user_id)

    @cached_property
    def _everybody(self) -> dict[str, SlackUser] | None:
        """As `users`; None without the scope users:read, which asking for one needs too."""
        try:
            return self.users
        except AccessDenied as error:
            logger.warning("people keep their ids: %s", error)
            return None
        except (NotFound, RequestRejected) as error:
            logger.warning("people are asked for one by one: %s", error)
            return {}


def _look_up(known: dict[str, T | None], read: Callable[[str], T | None], object_id: str) -> T | None:
    """What was read under an id, or is now; None where that is refused, which is remembered too."""
    if object_id not in known:
        try:
            known[object_id] = read(object_id)
        except (AccessDenied, NotFound, RequestRejected):
            known[object_id] = None
    return known[object_id]
