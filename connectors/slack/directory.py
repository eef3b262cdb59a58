"""Workspaces, people, channels, bots and user groups, by id; looked up when first needed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from functools import cached_property
from typing import TypeVar

from connectors.errors import (
    REFUSALS,
    AccessDenied,
    AuthenticationFailed,
    NotFound,
    RateLimited,
    RequestRejected,
    SourceError,
    TransientError,
)
from connectors.slack.client import SlackClient
from connectors.slack.part_table import BOTS, CHANNEL_KINDS, PEOPLE, USER_GROUPS
from connectors.slack.payloads import Authored, SlackBot, SlackChannel, SlackIdentity, SlackUser, SlackUsergroup
from connectors.slack.refusals import is_of_method
from connectors.source_parts import Part

T = TypeVar("T")

LOOKED_UP_ALONE = 5
"""People that are asked for one by one, as an event needs them, before all of the workspace are listed."""

logger = logging.getLogger(__name__)


class SlackDirectory:
    """Names for ids. What cannot be looked up keeps its id.

    `closed` are the parts that are refused or fail, each with the error and an object that shows it; they are not
    asked for again. `asked` are the names of those that were asked for, or would have been, since it was cleared.
    """

    def __init__(self, client: SlackClient) -> None:
        self._client = client
        self._single_users: dict[str, SlackUser | None] = {}
        self._single_channels: dict[str, SlackChannel | None] = {}
        self._bots: dict[str, SlackBot | None] = {}
        self.closed: dict[str, tuple[SourceError, str]] = {}
        self.channel_errors: dict[str, SourceError] = {}
        self.asked: set[str] = set()

    def forget_channels(self) -> None:
        """The next look at them asks Slack."""
        for name in ("channels", "workspaces"):
            self.__dict__.pop(name, None)

    def forget_people(self) -> None:
        """The next look at them, at bots and at user groups, asks Slack."""
        for name in ("users", "usergroups", "_everybody"):
            self.__dict__.pop(name, None)
        for part in (PEOPLE, USER_GROUPS, BOTS):
            self.closed.pop(part.name, None)

    @cached_property
    def identity(self) -> SlackIdentity:
        return self._client.identity()

    @cached_property
    def workspaces(self) -> tuple[str, ...]:
        """Ids of the workspaces that the token reads: one, or those of an organisation that have the app."""
        if not self.identity.is_organization:
            return (self.identity.team_id,)
        return tuple(team.id for team in self._client.teams() if team.id)

    @property
    def named_workspaces(self) -> tuple[str | None, ...]:
        """The workspaces as lists are asked for them: an organisation's token names each."""
        return self.workspaces if self.identity.is_organization else (None,)

    @property
    def team_url(self) -> str:
        """Where the workspace lives, without a slash at the end: https://acme.slack.com"""
        return (self.identity.url or "https://app.slack.com").rstrip("/")

    @cached_property
    def users(self) -> dict[str, SlackUser]:
        """All people of the workspaces. Needs the scopes users:read and users:read.email. Raises SourceError."""
        try:
            return {user.id: user for team in self.named_workspaces for user in self._client.users(team) if user.id}
        except AccessDenied as error:
            self._close(PEOPLE, error, "")
            raise

    @property
    def listed_users(self) -> Collection[SlackUser]:
        """As `users`, if they have been listed."""
        return self.users.values() if "users" in self.__dict__ else ()

    @cached_property
    def channels(self) -> dict[str, SlackChannel]:
        """All channels that the token sees, archived ones included, but for those of the types in `channel_errors`.

        Raises SourceError if it may see none, or the source does not answer.
        """
        self.channel_errors = {}
        found: dict[str, SlackChannel] = {}
        for kind in CHANNEL_KINDS:
            try:
                for team in self.named_workspaces:
                    _add(found, self._client.channels(kind, team), team)
            except (AuthenticationFailed, RateLimited):
                raise
            except SourceError as error:
                self.channel_errors[kind] = error
                logger.info("channels of the type %s are not read: %s", kind, error)
        if len(self.channel_errors) == len(CHANNEL_KINDS):
            errors = list(self.channel_errors.values())
            raise next((error for error in errors if isinstance(error, TransientError)), errors[0])
        return found

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
        if bot_id not in self._bots:
            team = self.named_workspaces[0] if self.named_workspaces else None
            self._bots[bot_id] = self.ask(BOTS, bot_id, lambda: self._client.bot(bot_id, team))
        self.asked.add(BOTS.name)
        bot = self._bots[bot_id]
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
        self.asked.add(USER_GROUPS.name)
        group = self.usergroups.get(group_id)
        return (group.handle or group.name if group else "") or group_id

    @cached_property
    def usergroups(self) -> dict[str, SlackUsergroup]:
        """User groups with their members; none without the scope usergroups:read."""

        def read() -> list[SlackUsergroup]:
            return [group for team in self.named_workspaces for group in self._client.usergroups(team)]

        return {group.id: group for group in self.ask(USER_GROUPS, "", read) or () if group.id}

    def person(self, user_id: str) -> SlackUser | None:
        """Somebody, if known. In shared channels, people of other organisations are asked for one by one."""
        self.asked.add(PEOPLE.name)
        alone = not self.__dict__.keys() & {"users", "_everybody"} and len(self._single_users) < LOOKED_UP_ALONE
        # Whether people are refused is told by the list of all: some servers have only that.
        if alone and (known := self._single_person(user_id, closes=False)):
            return known
        if self._everybody is None:
            return None
        return self._everybody.get(user_id) or self._single_person(user_id)

    def _single_person(self, user_id: str, *, closes: bool = True) -> SlackUser | None:
        if user_id not in self._single_users:
            found = self.ask(PEOPLE, user_id, lambda: self._client.user(user_id), closes=closes)
            self._single_users[user_id] = found
        return self._single_users[user_id]

    def reopen(self, part: Part, object_id: str) -> SourceError | None:
        """Ask for a part again, with an object that was refused; the error, where it is closed as before."""
        if part is PEOPLE:
            _ = self._everybody
        elif part is USER_GROUPS:
            _ = self.usergroups
        else:
            self.bot_name(object_id)
        error, _ = self.closed.get(part.name, (None, ""))
        return error

    def ask(self, part: Part, object_id: str, read: Callable[[], T], *, closes: bool = True) -> T | None:
        """What `read` returns; None where it is refused. A part that fails while Slack answers is closed, and with
        `closes` one that is refused as a whole.

        Raises SourceError where the trouble is not of the part alone.
        """
        if part.name in self.closed:
            return None
        try:
            return read()
        except (AuthenticationFailed, RateLimited):
            raise
        except TransientError as error:
            self._client.identity()
            self._close(part, error, object_id)
        except REFUSALS as error:
            if closes and is_of_method(error):
                self._close(part, error, object_id)
        return None

    def _close(self, part: Part, error: SourceError, object_id: str) -> None:
        logger.warning("%s: %s", part.lost, error)
        self.closed[part.name] = (error, object_id)

    @cached_property
    def _everybody(self) -> dict[str, SlackUser] | None:
        """As `users`; None where they are refused or fail, as asking for one will."""
        if PEOPLE.name in self.closed:
            return None
        try:
            return self.users
        except (AuthenticationFailed, RateLimited):
            raise
        except (NotFound, RequestRejected) as error:
            logger.warning("people are asked for one by one: %s", error)
            return {}
        except AccessDenied:
            return None
        except TransientError as error:
            self._client.identity()
            self._close(PEOPLE, error, "")
            return None


def _add(found: dict[str, SlackChannel], listed: Iterator[SlackChannel], team: str | None) -> None:
    """Channels of a workspace, which others may have too."""
    for channel in listed:
        if channel.id:
            before: Collection[str] = found[channel.id].teams if channel.id in found else ()
            found[channel.id] = channel.model_copy(update={"teams": (*before, team)}) if team else channel


def _look_up(known: dict[str, T | None], read: Callable[[str], T | None], object_id: str) -> T | None:
    """What was read under an id, or is now; None where that is refused, which is remembered too."""
    if object_id not in known:
        try:
            known[object_id] = read(object_id)
        except REFUSALS:
            known[object_id] = None
    return known[object_id]
