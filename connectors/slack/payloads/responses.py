"""What the methods of the Web API answer. https://docs.slack.dev/reference/methods"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator

from connectors.paging import listed_items
from connectors.payloads import LenientPayload, Listing, Payload
from connectors.slack.payloads.fields import Count, Truthy, object_or_none
from connectors.slack.payloads.messages import SlackFile, SlackListItem, SlackMessage
from connectors.slack.payloads.users import SlackBot, SlackChannel, SlackTeam, SlackUser, SlackUsergroup


class PageLinks(LenientPayload):
    next_cursor: str = ""


class PageNumbers(LenientPayload):
    pages: Count = 0


class SlackAnswer(Payload):
    """What all answers have: https://docs.slack.dev/apis/web-api/pagination"""

    response_metadata: Annotated[PageLinks | None, BeforeValidator(object_or_none)] = None
    has_more: Truthy = False

    @property
    def next_cursor(self) -> str | None:
        return self.response_metadata.next_cursor or None if self.response_metadata else None

    @property
    def named(self) -> tuple[object, ...] | None:
        """All that it lists, of whichever kind; None where the same may be listed more than once."""
        return listed_items(self)


class SlackRefusal(LenientPayload):
    """https://docs.slack.dev/apis/web-api/#responses"""

    ok: Truthy = True
    error: str = "unknown error"
    needed: str = ""


class MessagesAnswer(SlackAnswer):
    messages: Listing[SlackMessage]


class FilesAnswer(SlackAnswer):
    files: Listing[SlackFile]
    paging: Annotated[PageNumbers | None, BeforeValidator(object_or_none)] = None


class FileAnswer(LenientPayload):
    file: SlackFile | None = None


class ListItemsAnswer(SlackAnswer):
    items: Listing[SlackListItem]

    @property
    def named(self) -> None:
        """Rows may be alike."""


class UsersAnswer(SlackAnswer):
    members: Listing[SlackUser]


class UserAnswer(LenientPayload):
    user: SlackUser | None = None


class BotAnswer(LenientPayload):
    bot: SlackBot | None = None


class MembersAnswer(SlackAnswer):
    members: Listing[str]


class ChannelsAnswer(SlackAnswer):
    channels: Listing[SlackChannel]


class ChannelAnswer(LenientPayload):
    channel: SlackChannel | None = None


class TeamsAnswer(SlackAnswer):
    teams: Listing[SlackTeam]


class UsergroupsAnswer(SlackAnswer):
    usergroups: Listing[SlackUsergroup]
