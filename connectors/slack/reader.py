"""One read of one channel's messages, with the files that came with them.

What is found when:

- A read without a cursor takes in the whole channel, from the newest message back, a day at a time.
- A read with a cursor asks for one page, the latest messages, and reads again what differs there: new and edited
  messages, deleted ones, late replies to their threads. In a channel that has more than that page it compares one
  page of older days too, going round the channel from read to read: a late reply to an old thread, an edit or a
  deletion in an old day is found within one round. So with nothing new a read costs one or two requests.
- A listing compares the whole channel at once. It does not show the edit of a reply inside a thread: that is found by
  its event, or by a read without a cursor.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta

from connectors.contract import Checkpoint, Deleted, Failed, Item, Window
from connectors.errors import NotFound, TransientError
from connectors.isolation import Isolation
from connectors.slack.channel_messages import ChannelMessages
from connectors.slack.channel_parts import PartClosed
from connectors.slack.client import HistoryPage
from connectors.slack.cursor import (
    REMEMBERED,
    ChannelCursor,
    OldDays,
    compare_latest,
    day_fingerprint,
    old_days,
    whole_day,
)
from connectors.slack.documents import ChannelDocuments, outside_threads
from connectors.slack.files import ChannelFiles
from connectors.slack.payloads import SlackMessage
from connectors.slack.timestamps import TICK, day_of, format_ts, is_ts, midnight, ts_key


class ChannelReader:
    """Reads a channel's messages: threads, and days of what is said outside them."""

    def __init__(
        self, messages: ChannelMessages, documents: ChannelDocuments, files: ChannelFiles, isolation: Isolation
    ) -> None:
        self._messages = messages
        self._documents = documents
        self._files = files
        self._isolation = isolation

    def read_all(self, cursor: ChannelCursor) -> Iterator[Item]:
        """The channel from the newest message back, or from where an interrupted read stopped; the time left to
        read is in `cursor` after every thread."""
        for messages in self._messages.days(oldest=cursor.down_to, latest=cursor.before):
            yield from self._read_day_first(messages, cursor)
        cursor.before = cursor.down_to = None

    def read_window(self, window: Window) -> Iterator[Item]:
        """The days that a window touches, each of them whole, since a day is one document; and threads that began on
        them."""
        oldest = format_ts(_day_start(window.since) - TICK) if window.since else None
        latest = format_ts(_day_end(window.until)) if window.until else None
        for messages in self._messages.days(oldest=oldest, latest=latest):
            yield from self._read_day_with_threads(messages)

    def read_changes(self, cursor: ChannelCursor) -> Iterator[Item]:
        """What differs from what is remembered of the channel, among the latest messages and in some older days."""
        page = next(self._messages.pages())
        newest = cursor.newest
        if page.oldest and not (newest and ts_key(page.oldest) <= ts_key(newest)):
            # More is new than one answer shows: that is read like a channel, and can be interrupted like one.
            cursor.down_to = format_ts(midnight(day_of(newest)) - TICK) if newest else None
            yield from self.read_all(cursor)
            return
        yield from self._read_latest_changes(page, cursor)
        yield from self._read_old_changes(page, cursor)

    def refetch(self, kind: str, name: str) -> Item | None:
        """A thread or a day as it is now; None for an id that is neither's. Raises PartClosed."""
        if kind == "threads" and is_ts(name):
            return next(self._read_thread(name, is_shown=None))
        try:
            return self._refetch_day(date.fromisoformat(name)) if kind == "days" else None
        except ValueError:
            return None

    def _read_day_first(self, messages: Sequence[SlackMessage], cursor: ChannelCursor) -> Iterator[Item]:
        """A day that was not read before, then its threads from the newest back, after each of which a read may go
        on."""
        day = day_of(messages[0].ts)
        if not (cursor.before and day_of(cursor.before) == day):
            if len(cursor.seen) < REMEMBERED or cursor.down_to:
                cursor.remember(messages)
            cursor.days[str(day)] = day_fingerprint(messages)
            yield from self._read_day(messages)
        for root in _roots(messages):
            yield from self._read_open_thread(root.ts, is_shown=True)
            cursor.before = root.ts
            yield Checkpoint(cursor.to_json())
        cursor.before = format_ts(midnight(day))
        yield Checkpoint(cursor.to_json())

    def _read_latest_changes(self, page: HistoryPage, cursor: ChannelCursor) -> Iterator[Item]:
        """What differs on the page of the latest messages: the days of it, their new files, and its threads."""
        differing = compare_latest(cursor, page)
        for day in differing.days:
            yield self._reread_day(day, whole_day(page, day), cursor)
            changed = [message for message in differing.changed if day_of(message.ts) == day]
            yield from self._files.read_of(outside_threads(changed))
        shown = {message.root_ts for message in page.messages if message.is_root or message.is_reply}
        for thread, latest_reply in differing.threads.items():
            yield from self._read_open_thread(thread, after=latest_reply, is_shown=thread in shown)
        cursor.forget(differing.gone)
        cursor.remember(page.messages)

    def _read_old_changes(self, page: HistoryPage, cursor: ChannelCursor) -> Iterator[Item]:
        """What differs in some days before the page: the next ones on the way round the channel.

        One more page is asked for. A day that has more messages than that is left to a reconcile.
        """
        if page.oldest is None:
            cursor.swept = None
            return
        start = cursor.sweep_start(page.oldest)
        older = old_days(next(self._messages.pages(latest=format_ts(midnight(start)))))
        yield from self._read_differing(older, start, cursor)
        cursor.swept = older.next_start

    def _read_differing(self, older: OldDays, start: date, cursor: ChannelCursor) -> Iterator[Item]:
        """Those of some old days before `start`, with their threads, that are not what they were."""
        for day in sorted(cursor.days_between(older.cut, start) - older.days.keys()):
            del cursor.days[str(day)]
            yield Deleted(self._documents.day_id(day))
        for day, messages in older.days.items():
            current = day_fingerprint(messages)
            if cursor.days.get(str(day)) == current:
                continue
            cursor.days[str(day)] = current
            # Which of its messages were threads is not remembered.
            yield from self._read_day_with_threads(messages, drop_threads=True)

    def _read_day_with_threads(self, messages: Sequence[SlackMessage], *, drop_threads: bool = False) -> Iterator[Item]:
        """A day and the threads that began on it; with `drop_threads`, none is left of its other messages."""
        yield from self._read_day(messages)
        if drop_threads:
            yield from (Deleted(self._documents.thread_id(message.ts)) for message in outside_threads(messages))
        for root in _roots(messages):
            yield from self._read_open_thread(root.ts, is_shown=True)

    def _read_day(self, messages: Sequence[SlackMessage]) -> Iterator[Item]:
        """A day from all its messages, and their files."""
        day = day_of(messages[0].ts)
        yield self._attempt_day(day, messages)
        yield from self._files.read_of(outside_threads(messages))

    def _reread_day(self, day: date, messages: Sequence[SlackMessage] | None, cursor: ChannelCursor) -> Item:
        """A day that differs, asked for where its messages are not at hand."""
        if messages is None:
            # Its older messages, and their threads, are still to be compared: its fingerprint stays what it was.
            return self._refetch_day(day, cursor)
        if messages:
            cursor.days[str(day)] = day_fingerprint(messages)
        else:
            cursor.days.pop(str(day), None)
        return self._attempt_day(day, messages)

    def _attempt_day(self, day: date, messages: Sequence[SlackMessage]) -> Item:
        return self._isolation.attempt(
            self._documents.day_id(day),
            self._documents.day_title(day),
            lambda: self._documents.day_document(day, messages),
        )

    def _refetch_day(self, day: date, cursor: ChannelCursor | None = None) -> Item:
        def read() -> Item:
            messages = self._messages.of_day(day)
            if cursor and not messages:
                cursor.days.pop(str(day), None)
            return self._documents.day_document(day, messages)

        return self._isolation.attempt(self._documents.day_id(day), self._documents.day_title(day), read)

    def _read_open_thread(self, ts: str, after: str = "", *, is_shown: bool) -> Iterator[Item]:
        """As `_read_thread`; nothing where replies are closed, which the state of the part says for all threads."""
        with suppress(PartClosed):
            yield from self._read_thread(ts, after, is_shown=is_shown)

    def _read_thread(self, ts: str, after: str = "", *, is_shown: bool | None) -> Iterator[Item]:
        """A thread, and the files of its replies after a time; without one, all its files. `is_shown` tells whether the
        channel's history has it, None where that was not asked. Raises PartClosed."""
        messages: list[SlackMessage] = []

        def read() -> Item:
            messages.extend(self._messages.thread(ts))
            if messages and messages[0].ts == ts:
                return self._documents.thread_document(ts, messages)
            if is_shown:
                raise NotFound(f"thread {ts}, which the channel's history shows,")
            return Deleted(self._documents.thread_id(ts), is_unfound=is_shown is None)

        try:
            title = f"{self._documents.name}: thread {ts}"
            item = self._isolation.attempt(self._documents.thread_id(ts), title, read)
        except TransientError as error:  # as the few before it
            self._messages.close_threads(error, ts)
        yield item
        if not isinstance(item, Deleted | Failed):
            new = [message for message in messages if not after or ts_key(message.ts) > ts_key(after)]
            yield from self._files.read_of(new, messages)


def _roots(messages: Sequence[SlackMessage]) -> Iterator[SlackMessage]:
    return (message for message in messages if message.is_root)


def _day_start(time: datetime) -> datetime:
    return midnight(time.date())


def _day_end(time: datetime) -> datetime:
    """The end of the day in which the last moment before this one lies."""
    return midnight((time - TICK).date()) + timedelta(days=1)
