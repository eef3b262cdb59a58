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
from datetime import date, datetime, timedelta

from connectors.contract import Checkpoint, Deleted, Failed, Item, ListingEntry, Window
from connectors.isolation import guarded
from connectors.slack.client import Page, Payload, SlackClient, number
from connectors.slack.cursor import REMEMBERED, Progress, day_digest, looks, other_message, was_thread
from connectors.slack.documents import Channel, day_of, is_reply, is_thread, midnight, outside_threads
from connectors.slack.files import Files, files_of

_TICK = timedelta(microseconds=1)


class Reading:
    """Reads a channel's messages: threads, and days of what is said outside them."""

    def __init__(self, client: SlackClient, channel: Channel, files: Files) -> None:
        self._client = client
        self._channel = channel
        self._files = files

    @property
    def is_archived(self) -> bool:
        return bool(self._channel.payload.get("is_archived"))

    def everything(self, progress: Progress) -> Iterator[Item]:
        """The channel from the newest message back, or from where an interrupted reading stopped; the time left to
        read stands in `progress` after every thread."""
        for messages in self._days(oldest=progress.down_to, latest=progress.before):
            yield from self._first_time(messages, progress)
        progress.before = progress.down_to = None

    def window(self, window: Window) -> Iterator[Item]:
        """The days that a window touches, each of them whole, since a day is one document; and threads that began on
        them."""
        oldest = _ts(_day_start(window.since) - _TICK) if window.since else None
        latest = _ts(_day_end(window.until)) if window.until else None
        for messages in self._days(oldest=oldest, latest=latest):
            yield from self._day(messages)
            for root in filter(is_thread, messages):
                yield from self._thread(root["ts"])

    def changes(self, progress: Progress) -> Iterator[Item]:
        """What differs from what is remembered of the channel, among the latest messages and in some older days."""
        page = next(self._client.history(self._channel.id))
        newest = progress.newest
        if page.more and page.messages and not (newest and number(page.messages[-1]["ts"]) <= number(newest)):
            # More is new than one answer shows: that is read like a channel, and can be interrupted like one.
            progress.down_to = _ts(midnight(day_of({"ts": newest})) - _TICK) if newest else None
            yield from self.everything(progress)
            return
        yield from self._latest(page, progress)
        yield from self._older(page, progress)

    def again(self, kind: str, name: str) -> Item | None:
        """A thread or a day as it is now; None for an id that is neither's."""
        try:
            if kind == "threads":
                number(name)
                return next(self._thread(name))
            return self._whole_day(date.fromisoformat(name)) if kind == "days" else None
        except ValueError:
            return None

    def listed(self) -> Iterator[ListingEntry]:
        """Every day and thread that the channel's history names, newest first."""
        for messages in self._days():
            if own := self._channel.listed_day(day_of(messages[0]), messages):
                yield own
            yield from (self._channel.listed_thread(message) for message in messages if is_thread(message))

    def listed_files(self) -> Iterator[ListingEntry]:
        """Every file that messages name. Takes a request for each thread: for a token that may not list files."""
        for messages in self._days():
            for message in messages:
                said = self._client.replies(self._channel.id, message["ts"]) if is_thread(message) else [message]
                for one in said:
                    if self._channel.reads(one) and not (is_reply(message) and one is message):
                        yield from map(self._files.named, files_of(one))

    def _days(self, *, oldest: str | None = None, latest: str | None = None) -> Iterator[list[Payload]]:
        """The channel's messages day by day, newest first, as they come page by page."""
        day: list[Payload] = []
        for page in self._client.history(self._channel.id, oldest=oldest, latest=latest):
            for message in page.messages:
                if day and day_of(message) != day_of(day[0]):
                    yield day
                    day = []
                day.append(message)
        if day:
            yield day

    def _first_time(self, messages: Sequence[Payload], progress: Progress) -> Iterator[Item]:
        """A day, then its threads from the newest back, each of them a place to continue from."""
        day = day_of(messages[0])
        if not (progress.before and day_of({"ts": progress.before}) == day):
            if len(progress.seen) < REMEMBERED or progress.down_to:
                progress.remember(messages)
            progress.days[str(day)] = day_digest(messages)
            yield from self._day(messages)
        for root in filter(is_thread, messages):
            yield from self._thread(root["ts"])
            progress.before = root["ts"]
            yield Checkpoint(progress.cursor())
        progress.before = _ts(midnight(day))
        yield Checkpoint(progress.cursor())

    def _latest(self, page: Page, progress: Progress) -> Iterator[Item]:
        """What differs on the page of the latest messages."""
        known, current = progress.seen, {message["ts"]: message for message in page.messages}
        reached = page.messages[-1]["ts"] if page.more and page.messages else None
        gone = {ts for ts in known if ts not in current and (reached is None or number(ts) > number(reached))}
        oldest = number(progress.oldest) if progress.oldest and len(known) == REMEMBERED else (0, 0)
        changed = {ts for ts, one in current.items() if number(ts) >= oldest and known.get(ts) != looks(one)}
        for day in sorted({day_of({"ts": ts}) for ts in gone | changed}):
            whole = reached is None or day > day_of({"ts": reached})
            messages = [one for one in page.messages if day_of(one) == day] if whole else None
            yield self._remembered_day(day, messages, progress)
            yield from self._files.of(outside_threads([current[ts] for ts in changed if day_of({"ts": ts}) == day]))
        for thread, after in _touched_threads(gone | changed, current, known).items():
            yield from self._thread(thread, after)
        progress.seen = {ts: mark for ts, mark in known.items() if ts not in gone}
        progress.remember(page.messages)

    def _older(self, page: Page, progress: Progress) -> Iterator[Item]:
        """What differs in some days before the page: the next ones on the way round the channel.

        One more page is asked for. A day that has more messages than that is left to a reconcile.
        """
        if not page.more or not page.messages:
            progress.swept = None
            return
        start = day_of(page.messages[-1]) + timedelta(days=1)
        if progress.swept and date.fromisoformat(progress.swept) < start:
            start = date.fromisoformat(progress.swept)
        older = next(self._client.history(self._channel.id, latest=_ts(midnight(start))))
        days: dict[date, list[Payload]] = {}
        for message in older.messages:
            days.setdefault(day_of(message), []).append(message)
        # The rest of the last day is on the page after it.
        cut = days.popitem()[0] if older.more and days else None
        yield from self._differing(days, {day for day in _dates(progress) if (cut or date.min) < day < start}, progress)
        progress.swept = str(cut + timedelta(days=1) if days else cut) if cut else None

    def _differing(self, days: dict[date, list[Payload]], known: set[date], progress: Progress) -> Iterator[Item]:
        """Those of some days, with their threads, that are not what they were; `known` are all that there were."""
        for day in sorted(known - days.keys()):
            del progress.days[str(day)]
            yield Deleted(self._channel.day_id(day))
        for day, messages in days.items():
            if progress.days.get(str(day)) == day_digest(messages):
                continue
            progress.days[str(day)] = day_digest(messages)
            yield from self._day(messages)
            # Which of them were threads is not remembered.
            yield from (Deleted(self._channel.thread_id(one["ts"])) for one in outside_threads(messages))
            for root in filter(is_thread, messages):
                yield from self._thread(root["ts"])

    def _day(self, messages: Sequence[Payload]) -> Iterator[Item]:
        """A day from all its messages, and their files."""
        day = day_of(messages[0])
        yield guarded(
            self._channel.day_id(day),
            self._channel.day_title(day),
            lambda: self._channel.day_document(day, messages),
        )
        yield from self._files.of(outside_threads(messages))

    def _remembered_day(self, day: date, messages: Sequence[Payload] | None, progress: Progress) -> Item:
        """A day as it is now, asked for where its messages are not at hand."""

        def read() -> Item:
            found = self._messages_of(day) if messages is None else messages
            if not found:
                progress.days.pop(str(day), None)
            elif messages is not None:  # else its older messages, and their threads, are still to be compared
                progress.days[str(day)] = day_digest(found)
            return self._channel.day_document(day, found)

        return guarded(self._channel.day_id(day), self._channel.day_title(day), read)

    def _whole_day(self, day: date) -> Item:
        return guarded(
            self._channel.day_id(day),
            self._channel.day_title(day),
            lambda: self._channel.day_document(day, self._messages_of(day)),
        )

    def _messages_of(self, day: date) -> list[Payload]:
        start, end = _ts(midnight(day) - _TICK), _ts(midnight(day) + timedelta(days=1))
        return [
            one for page in self._client.history(self._channel.id, oldest=start, latest=end) for one in page.messages
        ]

    def _thread(self, ts: str, after: str = "") -> Iterator[Item]:
        """A thread, and the files of its replies after a time; without one, all its files."""
        messages: list[Payload] = []

        def read() -> Item:
            messages.extend(self._client.replies(self._channel.id, ts))
            return self._channel.thread_document(ts, messages)

        item = guarded(self._channel.thread_id(ts), f"{self._channel.name}: thread {ts}", read)
        yield item
        if not isinstance(item, Deleted | Failed):
            new = [one for one in messages if not after or number(one["ts"]) > number(after)]
            yield from self._files.of(new, messages)


def parsed_id(channel: Channel, document_id: str) -> tuple[str, str]:
    """Kind and name of a document of the channel."""
    kind, _, name = document_id.removeprefix(f"{channel.prefix}/").partition("/")
    return kind, name


def _touched_threads(touched: set[str], current: dict[str, Payload], known: dict[str, str]) -> dict[str, str]:
    """Threads that have to be read again, each with the latest reply that is known of it (empty if none is)."""
    threads: dict[str, str] = {}
    for ts in sorted(touched, key=number):
        message, remembered = current.get(ts), known.get(ts, "")
        if message and is_reply(message):
            threads.setdefault(str(message["thread_ts"]), "")
        elif message is None and not was_thread(remembered) and other_message(remembered):
            threads.setdefault(other_message(remembered), "")
        elif was_thread(remembered) or (message and is_thread(message)):
            threads[ts] = other_message(remembered) if was_thread(remembered) else ""
    return threads


def _dates(progress: Progress) -> Iterator[date]:
    return map(date.fromisoformat, progress.days)


def _day_start(moment: datetime) -> datetime:
    return midnight(moment.date())


def _day_end(moment: datetime) -> datetime:
    """The end of the day in which the last moment before this one lies."""
    return midnight((moment - _TICK).date()) + timedelta(days=1)


def _ts(moment: datetime) -> str:
    return f"{int(moment.timestamp())}.{moment.microsecond:06d}"
