"""One read of one channel's messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta

from connectors.errors import AuthenticationFailed, RateLimited, SourceError
from connectors.model import Checkpoint, Failed, Item, Listed, Window
from connectors.slack.channel import Channel, day_of, is_thread, midnight
from connectors.slack.client import PAGE_SIZE, Payload, SlackClient, number
from connectors.slack.progress import Progress, fingerprint, was_thread


class Reading:
    """Reads a channel's messages: threads, and days of what is said outside them."""

    def __init__(self, client: SlackClient, channel: Channel) -> None:
        self._client = client
        self._channel = channel

    def everything(self, progress: Progress, window: Window | None) -> Iterator[Item]:
        """The whole channel from the newest message back, or from where an interrupted read stopped.

        A window takes in its first and last day whole: a day is one document.
        """
        oldest, until = _whole_days(window)
        first = progress.before is None
        day: list[Payload] = []
        for page in self._client.history(self._channel.unit.id, oldest=oldest, latest=progress.before or until):
            if first:
                progress.remember(page)
                first = False
            for message in page:
                if day and day_of(message) != day_of(day[0]):
                    yield from self._day_and_threads(day)
                    progress.before = _ts(midnight(day_of(day[0])))
                    yield Checkpoint(progress.cursor())
                    day = []
                day.append(message)
        if day:
            yield from self._day_and_threads(day)
        progress.before = None

    def changes(self, progress: Progress) -> Iterator[Item]:
        """What differs among the latest messages from what is remembered of them."""
        current = self._latest(progress.newest)
        # Less than a page is the whole channel; else what is older than the page may be as it was.
        reached = min(current, key=number) if len(current) >= PAGE_SIZE else None
        gone = {ts for ts in progress.seen if ts not in current and (not reached or number(ts) > number(reached))}
        touched = gone | {ts for ts, message in current.items() if progress.seen.get(ts) != fingerprint(message)}
        for ts in sorted(touched, key=number):
            if was_thread(progress.seen.get(ts, "")) or (ts in current and is_thread(current[ts])):
                yield self._thread(ts)
        for day in sorted({day_of({"ts": ts}) for ts in touched}):
            yield self._whole_day(day)
        progress.seen = {ts: mark for ts, mark in progress.seen.items() if ts not in gone}
        progress.remember(current.values())

    def again(self, kind: str, name: str) -> Item | None:
        """A thread or a day, as it is now; None for an id that is neither's."""
        try:
            if kind == "threads":
                number(name)
                return self._thread(name)
            return self._whole_day(date.fromisoformat(name)) if kind == "days" else None
        except ValueError:
            return None

    def listed(self) -> Iterator[Listed]:
        """Every day and thread that the channel's history names, newest first."""
        day: list[Payload] = []
        for page in self._client.history(self._channel.unit.id):
            for message in page:
                if day and day_of(message) != day_of(day[0]):
                    yield from self._listed_day(day)
                    day = []
                day.append(message)
        if day:
            yield from self._listed_day(day)

    def _listed_day(self, messages: Sequence[Payload]) -> Iterator[Listed]:
        if own := self._channel.listed_day(day_of(messages[0]), messages):
            yield own
        yield from (self._channel.listed_thread(message) for message in messages if is_thread(message))

    def _latest(self, newest: str | None) -> dict[str, Payload]:
        """The latest messages by time: one page, and more pages only until the newest known one is reached."""
        found: dict[str, Payload] = {}
        for page in self._client.history(self._channel.unit.id):
            found.update((message["ts"], message) for message in page)
            if newest is None or number(page[-1]["ts"]) <= number(newest):
                break
        return found

    def _day_and_threads(self, messages: Sequence[Payload]) -> Iterator[Item]:
        day = day_of(messages[0])
        yield guarded(
            self._channel.day_id(day),
            self._channel.day_title(day),
            lambda: self._channel.day_document(day, messages),
        )
        for message in messages:
            if is_thread(message):
                yield self._thread(message["ts"])

    def _whole_day(self, day: date) -> Item:
        start, end = _ts(midnight(day) - timedelta(microseconds=1)), _ts(midnight(day + timedelta(days=1)))

        def read() -> Item:
            pages = self._client.history(self._channel.unit.id, oldest=start, latest=end)
            return self._channel.day_document(day, [message for page in pages for message in page])

        return guarded(self._channel.day_id(day), self._channel.day_title(day), read)

    def _thread(self, ts: str) -> Item:
        def read() -> Item:
            return self._channel.thread_document(ts, self._client.replies(self._channel.unit.id, ts))

        return guarded(self._channel.thread_id(ts), f"{self._channel.name}: thread {ts}", read)


def guarded(document_id: str, title: str, read: Callable[[], Item]) -> Item:
    """One object's trouble is its own; the credentials' and the limit's are everybody's."""
    try:
        return read()
    except (AuthenticationFailed, RateLimited):
        raise
    except SourceError as error:
        return Failed(document_id, title, str(error))


def parsed_id(channel: Channel, document_id: str) -> tuple[str, str]:
    """Kind and name of a document of the channel."""
    kind, _, name = document_id.removeprefix(f"{channel.prefix}/").partition("/")
    return kind, name


def _whole_days(window: Window | None) -> tuple[str | None, str | None]:
    """The days of a window as exclusive bounds of time."""
    since = window.since if window else None
    until = window.until if window else None
    oldest = _ts(midnight(since.date()) - timedelta(microseconds=1)) if since else None
    if until and until.timetz() != midnight(until.date()).timetz():
        until = midnight(until.date() + timedelta(days=1))
    return oldest, _ts(until) if until else None


def _ts(moment: datetime) -> str:
    return f"{int(moment.timestamp())}.{moment.microsecond:06d}"
