"""A channel's messages, asked for part by part: its history, and the replies of its threads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NoReturn

from connectors.errors import TransientError, Unavailable
from connectors.slack.channel_parts import ChannelParts
from connectors.slack.client import HistoryPage, SlackClient
from connectors.slack.part_table import HISTORY, REPLIES
from connectors.slack.payloads import SlackMessage
from connectors.slack.refusals import NoSuchObject
from connectors.slack.timestamps import TICK, day_of, format_ts, midnight


class ChannelMessages:
    """Every method raises PartClosed where its part is closed, and SourceError where the trouble is another's."""

    def __init__(self, client: SlackClient, channel: str, parts: ChannelParts) -> None:
        self._client = client
        self._channel = channel
        self._parts = parts

    def pages(self, *, oldest: str | None = None, latest: str | None = None) -> Iterator[HistoryPage]:
        """Pages of the history, newest first, strictly between the two times."""
        try:
            with self._parts.asking(HISTORY, ""):
                yield from self._client.history(self._channel, oldest=oldest, latest=latest)
        except Unavailable as error:
            self._parts.close(HISTORY, error, "")

    def days(self, *, oldest: str | None = None, latest: str | None = None) -> Iterator[list[SlackMessage]]:
        """Messages day by day, newest first, as they come page by page."""
        day: list[SlackMessage] = []
        for page in self.pages(oldest=oldest, latest=latest):
            for message in page.messages:
                if day and day_of(message.ts) != day_of(day[0].ts):
                    yield day
                    day = []
                day.append(message)
        if day:
            yield day

    def of_day(self, day: date) -> list[SlackMessage]:
        """The messages of one day. What fails is that day's trouble."""
        start, end = format_ts(midnight(day) - TICK), format_ts(midnight(day) + timedelta(days=1))
        with self._parts.asking(HISTORY, ""):
            pages = self._client.history(self._channel, oldest=start, latest=end)
            return [message for page in pages for message in page.messages]

    def thread(self, ts: str) -> list[SlackMessage]:
        """A thread's messages, the root first; empty if it is gone."""
        try:
            with self._parts.asking(REPLIES, ts):
                return self._client.replies(self._channel, ts)
        except NoSuchObject:
            return []

    def ask_again(self, thread: str) -> None:
        """Ask for a thread that could not be read, at one message's cost."""
        with self._parts.asking(REPLIES, thread):
            self._client.has_thread(self._channel, thread)

    def gives_threads(self, thread: str) -> bool:
        """Whether replies are given, asked once: a listing of the history does not tell."""
        if not self._parts.was_asked(REPLIES):
            return self._parts.is_open(REPLIES, thread, lambda: self.ask_again(thread))
        return not self._parts.is_closed(REPLIES)

    def close_threads(self, error: TransientError, thread: str) -> NoReturn:
        """After a few threads in a row have failed."""
        self._parts.close_again(REPLIES, error, thread)
