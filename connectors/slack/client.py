"""Slack's Web API: form-encoded calls, `ok: false` errors, paging. https://docs.slack.dev/apis/web-api"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import httpx
from pydantic import ValidationError

from connectors.errors import InvalidResponse
from connectors.http import ApiClient, parsed
from connectors.paging import PageTrail
from connectors.payloads import Payload, describe_fault
from connectors.slack.payloads import (
    BotAnswer,
    ChannelAnswer,
    ChannelsAnswer,
    FileAnswer,
    FilesAnswer,
    ListItemsAnswer,
    MembersAnswer,
    MessagesAnswer,
    SlackAnswer,
    SlackBot,
    SlackChannel,
    SlackFile,
    SlackIdentity,
    SlackListItem,
    SlackMessage,
    SlackTeam,
    SlackUser,
    SlackUsergroup,
    TeamsAnswer,
    UserAnswer,
    UsergroupsAnswer,
    UsersAnswer,
)
from connectors.slack.refusals import refusal
from connectors.slack.settings import SlackConnection
from connectors.slack.timestamps import ts_key

P = TypeVar("P", bound=Payload)
A = TypeVar("A", bound=SlackAnswer)
Argument: TypeAlias = str | int | bool | None

PAGE_SIZE = 200
"""Slack recommends no more: https://docs.slack.dev/apis/web-api/pagination"""
FILES_PER_PAGE = 200

_HISTORY = "conversations.history"
_REPLIES = "conversations.replies"
_END_OF_TIME = "9999999999.999999"
_NO_PROGRESS = "pagination loop: it says that there is more, and gives the same again"


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """One answer of a channel's history: `messages` from the newest to the oldest; whether older ones follow."""

    messages: list[SlackMessage]
    more: bool

    @property
    def oldest(self) -> str | None:
        """The time of its oldest message, where older ones follow; None where it shows all that is left."""
        return self.messages[-1].ts if self.more and self.messages else None


class SlackClient:
    """One token on one workspace. Every method may raise SourceError."""

    def __init__(self, connection: SlackConnection, transport: httpx.BaseTransport | None = None) -> None:
        token = connection.token.get_secret_value().strip()
        headers = {"Authorization": f"Bearer {token}", "User-Agent": "headrace"}
        # Slack counts each method apart: https://docs.slack.dev/apis/web-api/rate-limits
        self.api = ApiClient(
            connection.base_url, headers, check=refusal, tier=lambda path: path.rpartition("/")[2], transport=transport
        )

    @property
    def requests(self) -> int:
        return self.api.requests

    def close(self) -> None:
        self.api.close()

    def identity(self) -> SlackIdentity:
        return self._call("auth.test", SlackIdentity)

    def scopes(self) -> str:
        """Scopes of the token, as Slack lists them in the header of every answer; empty if it does not."""
        scopes: str = self.api.send(
            "POST", "auth.test", parse=lambda response: response.headers.get("x-oauth-scopes", "")
        )
        return scopes

    def teams(self) -> Iterator[SlackTeam]:
        """The workspaces of an organisation in which the app is installed."""
        for page in self._pages("auth.teams.list", TeamsAnswer):
            yield from page.teams

    def users(self, team: str | None) -> Iterator[SlackUser]:
        """People of a workspace; `team` names it where the token is an organisation's, here and below."""
        for page in self._pages("users.list", UsersAnswer, team_id=team):
            yield from page.members

    def user(self, user: str) -> SlackUser | None:
        return self._call("users.info", UserAnswer, user=user).user

    def bot(self, bot: str, team: str | None) -> SlackBot | None:
        return self._call("bots.info", BotAnswer, bot=bot, team_id=team).bot

    def usergroups(self, team: str | None) -> tuple[SlackUsergroup, ...]:
        return self._call("usergroups.list", UsergroupsAnswer, include_users=True, team_id=team).usergroups

    def channels(self, kind: str, team: str | None) -> Iterator[SlackChannel]:
        """All channels of a type, archived ones included."""
        pages = self._pages("conversations.list", ChannelsAnswer, types=kind, exclude_archived=False, team_id=team)
        for page in pages:
            yield from page.channels

    def channel(self, channel: str) -> SlackChannel | None:
        found = self._call("conversations.info", ChannelAnswer, channel=channel).channel
        return found and found.model_copy(update={"id": found.id or channel})

    def members(self, channel: str) -> Iterator[str]:
        """Ids of the people in a channel."""
        for page in self._pages("conversations.members", MembersAnswer, channel=channel):
            yield from page.members

    def history(self, channel: str, *, oldest: str | None = None, latest: str | None = None) -> Iterator[HistoryPage]:
        """Messages outside threads, newest first, page by page, strictly between the two times.

        Servers that give no cursor are asked by time. Raises InvalidResponse if one says that there is more and
        gives no way to it.
        """
        # With `oldest` alone Slack begins at the oldest messages, and not at the newest.
        latest = latest or (_END_OF_TIME if oldest else None)
        trail, cursor = PageTrail(_HISTORY), None
        before: set[str] = set()
        while True:
            answer = self._call(
                _HISTORY, MessagesAnswer, channel=channel, limit=PAGE_SIZE, oldest=oldest, latest=latest, cursor=cursor
            )
            shown = {one.ts: one for one in answer.messages if _is_between(one.ts, oldest, latest)}
            # Messages that come while the pages are read move others to the next page.
            new = [shown[ts] for ts in _newest_first(shown.keys() - before)]
            cursor = trail.follow(answer.next_cursor, answer.named)
            more = cursor is not None or answer.has_more
            if more and not new and (shown or cursor is None):
                raise InvalidResponse(_HISTORY, _NO_PROGRESS)
            yield HistoryPage(new, more)
            if not more:
                return
            before = set(shown)
            latest = latest if cursor else new[-1].ts

    def message(self, channel: str, ts: str) -> SlackMessage | None:
        """A message outside threads, or the root of one."""
        answer = self._call(_HISTORY, MessagesAnswer, channel=channel, limit=1, oldest=ts, latest=ts, inclusive=True)
        return next((message for message in answer.messages if message.ts == ts), None)

    def replies(self, channel: str, thread: str) -> list[SlackMessage]:
        """A thread's messages, the root first. Raises NoSuchObject if it is gone."""
        found: dict[str, SlackMessage] = {}
        trail, cursor, oldest = PageTrail(_REPLIES), None, None
        while True:
            answer = self._call(
                _REPLIES, MessagesAnswer, channel=channel, ts=thread, limit=PAGE_SIZE, oldest=oldest, cursor=cursor
            )
            known = len(found)
            # The root comes again with every page.
            found |= {message.ts: message for message in answer.messages}
            if cursor := trail.follow(answer.next_cursor, answer.named):
                continue
            if not answer.has_more:
                return [found[ts] for ts in sorted(found, key=ts_key)]
            if len(found) == known:
                raise InvalidResponse(_REPLIES, _NO_PROGRESS)
            oldest = max(found, key=ts_key)

    def has_thread(self, channel: str, thread: str) -> bool:
        """Whether there is a thread, at one message's cost. Raises NoSuchObject as well."""
        return bool(self._call(_REPLIES, MessagesAnswer, channel=channel, ts=thread, limit=1).messages)

    def files(self, channel: str, team: str | None) -> Iterator[SlackFile]:
        """Files shared in a channel, in whichever thread. Needs the scope files:read.

        This method counts pages: https://docs.slack.dev/reference/methods/files.list
        """
        number, trail = 1, PageTrail("files.list")
        while True:
            page = self._call(
                "files.list",
                FilesAnswer,
                channel=channel,
                count=FILES_PER_PAGE,
                page=number,
                show_files_hidden_by_limit=True,
                team_id=team,
            )
            yield from (file for file in page.files if file.id)
            if number >= (page.paging.pages if page.paging else 0):
                return
            number += 1
            trail.follow(str(number), page.named)

    def file(self, file: str) -> SlackFile:
        """What is known of a file. Raises NoSuchObject for a deleted one."""
        found = self._call("files.info", FileAnswer, file=file).file or SlackFile()
        return found.model_copy(update={"id": found.id or file})

    def list_items(self, file: str) -> Iterator[SlackListItem]:
        """The rows of a Slack List, by the id of its file. Needs the scope lists:read."""
        for page in self._pages("slackLists.items.list", ListItemsAnswer, list_id=file):
            yield from page.items

    def _pages(self, method: str, model: type[A], **arguments: Argument) -> Iterator[A]:
        """The answers of a method that gives pages by cursor. Raises InvalidResponse for pages without end."""
        trail, cursor = PageTrail(method), None
        while True:
            page = self._call(method, model, limit=PAGE_SIZE, cursor=cursor, **arguments)
            yield page
            cursor = trail.follow(page.next_cursor, page.named)
            if not cursor:
                return

    def _call(self, method: str, model: type[P], **arguments: Argument) -> P:
        """The answer of a method. Arguments that are None are left out."""

        def read(response: httpx.Response) -> P:
            try:
                return model.model_validate(parsed(response))
            except ValidationError as error:
                raise InvalidResponse(method, f"not as documented: {describe_fault(error)}") from None

        answer: P = self.api.send("POST", method, data=_form(**arguments), parse=read)
        return answer


def _form(**arguments: Argument) -> dict[str, str]:
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in arguments.items()
        if value is not None
    }


def _is_between(ts: str, oldest: str | None, latest: str | None) -> bool:
    """The bounds once more, for servers that ignore them."""
    return (oldest is None or ts_key(ts) > ts_key(oldest)) and (latest is None or ts_key(ts) < ts_key(latest))


def _newest_first(times: set[str]) -> list[str]:
    return sorted(times, key=ts_key, reverse=True)
