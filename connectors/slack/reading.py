"""One read of one channel: days and threads as documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from connectors.errors import AuthenticationFailed, RateLimited, SourceError
from connectors.model import MARKDOWN, Checkpoint, Deleted, Document, Failed, Item, Parent, Skipped, Unit, Window
from connectors.slack import access, render
from connectors.slack.client import Payload, SlackClient, number
from connectors.slack.people import Directory
from connectors.slack.progress import Progress, fingerprint


class Reading:
    """Reads a channel. A thread is one document; messages outside threads are grouped by day (UTC)."""

    def __init__(
        self, connection: str, client: SlackClient, directory: Directory, unit: Unit, channel: Payload
    ) -> None:
        self._connection = connection
        self._client = client
        self._directory = directory
        self._unit = unit
        self._channel = channel

    def everything(self, progress: Progress, window: Window | None) -> Iterator[Item]:
        """The whole channel from the newest message back, or from where an interrupted read stopped."""
        latest = progress.before or _ts(window.until if window else None)
        first = progress.before is None
        day: list[Payload] = []
        for page in self._client.history(self._unit.id, oldest=_ts(window.since if window else None), latest=latest):
            if first:
                progress.remember(page)
                first = False
            for message in page:
                if day and _day(message) != _day(day[0]):
                    yield from self._day_and_threads(day)
                    progress.before = _ts(_midnight(_day(day[0])))
                    yield Checkpoint(progress.cursor())
                    day = []
                day.append(message)
        if day:
            yield from self._day_and_threads(day)
        progress.before = None

    def changes(self, progress: Progress) -> Iterator[Item]:
        """What differs among the latest messages from what is remembered of them."""
        current = self._latest(progress.newest)
        reached = min(current, key=number, default=None)
        gone = {ts for ts in progress.seen if ts not in current and (not reached or number(ts) > number(reached))}
        touched = gone | {ts for ts, message in current.items() if progress.seen.get(ts) != fingerprint(message)}
        threads = {ts for ts in touched if ts in gone or _is_thread(current[ts])}
        for ts in sorted(threads, key=number):
            yield self._thread(ts)
        for day in sorted({render.moment(ts).date() for ts in touched}):
            yield self._whole_day(day)
        progress.seen = {ts: mark for ts, mark in progress.seen.items() if ts not in gone}
        progress.remember(current.values())

    def again(self, document_ids: Sequence[str]) -> Iterator[Item]:
        """One item for each of these documents, as it is now."""
        for document_id in document_ids:
            kind, _, name = document_id.removeprefix(f"{self._prefix}/").partition("/")
            if kind == "threads":
                yield self._thread(name)
            elif kind == "days":
                yield self._whole_day(date.fromisoformat(name))
            else:
                yield Deleted(document_id)

    @property
    def _prefix(self) -> str:
        return f"slack:{self._connection}/{self._unit.id}"

    def _latest(self, newest: str | None) -> dict[str, Payload]:
        """The latest messages by time: one page, and more pages only until the newest known one is reached."""
        found: dict[str, Payload] = {}
        for page in self._client.history(self._unit.id):
            found.update((message["ts"], message) for message in page)
            if newest is None or number(page[-1]["ts"]) <= number(newest):
                break
        return found

    def _day_and_threads(self, messages: Sequence[Payload]) -> Iterator[Item]:
        day = _day(messages[0])
        yield self._guarded(self._day_id(day), f"{self._name}, {day}", lambda: self._day_document(day, messages))
        for message in messages:
            if _is_thread(message):
                yield self._thread(message["ts"])

    def _whole_day(self, day: date) -> Item:
        start, end = _ts(_midnight(day) - timedelta(microseconds=1)), _ts(_midnight(day + timedelta(days=1)))

        def read() -> Item:
            pages = self._client.history(self._unit.id, oldest=start, latest=end)
            return self._day_document(day, [message for page in pages for message in page])

        return self._guarded(self._day_id(day), f"{self._name}, {day}", read)

    def _thread(self, ts: str) -> Item:
        document_id = f"{self._prefix}/threads/{ts}"
        read = lambda: self._thread_document(ts, document_id)  # noqa: E731
        return self._guarded(document_id, f"{self._name}: thread {ts}", read)

    @staticmethod
    def _guarded(document_id: str, title: str, read: Callable[[], Item]) -> Item:
        """One object's trouble is its own; the credentials' and the limit's are everybody's."""
        try:
            return read()
        except (AuthenticationFailed, RateLimited):
            raise
        except SourceError as error:
            return Failed(document_id, title, str(error))

    def _day_document(self, day: date, messages: Sequence[Payload]) -> Item:
        """The messages of a day outside threads; a thread's root and what it broadcasts belong to the thread."""
        own = [message for message in messages if not _is_thread(message) and not _is_reply(message)]
        return self._document(self._day_id(day), "messages", f"{self._name}, {day}", own)

    def _thread_document(self, ts: str, document_id: str) -> Item:
        messages = self._client.replies(self._unit.id, ts)
        if len(messages) < 2 or messages[0]["ts"] != ts:
            return Deleted(document_id)
        first = render.title(messages[0], self._directory.names)
        return self._document(document_id, "thread", f"{self._name}: {first}" if first else self._name, messages)

    def _document(self, document_id: str, kind: str, title: str, messages: Sequence[Payload]) -> Item:
        spoken = sorted((one for one in messages if not render.is_noise(one)), key=lambda one: number(one["ts"]))
        if not spoken:
            return Deleted(document_id)
        names = self._directory.names
        content = render.render_messages(spoken, names)
        url = self._link(spoken[0]["ts"])
        if not content.strip():
            return Skipped(document_id, title, "empty: no message has text", url)
        return Document(
            id=document_id,
            source="slack",
            connection=self._connection,
            unit=self._unit.id,
            kind=kind,
            title=title,
            url=url,
            content=content,
            content_type=MARKDOWN,
            author=render.author(spoken[0], names) if kind == "thread" else "",
            created_at=render.moment(spoken[0]["ts"]),
            updated_at=render.last_change(spoken),
            parents=(Parent(self._prefix, self._name),),
            readers=access.readers(self._connection, self._channel),
        )

    @property
    def _name(self) -> str:
        return f"#{self._channel.get('name') or self._unit.name}"

    def _day_id(self, day: date) -> str:
        return f"{self._prefix}/days/{day}"

    def _link(self, ts: str) -> str:
        """A permalink, made as chat.getPermalink makes it, without a request for each message."""
        return f"{self._directory.team_url.rstrip('/')}/archives/{self._unit.id}/p{ts.replace('.', '')}"


def _is_thread(message: Payload) -> bool:
    return bool(message.get("reply_count")) and not _is_reply(message)


def _is_reply(message: Payload) -> bool:
    return bool(message.get("thread_ts", message["ts"]) != message["ts"])


def _day(message: Payload) -> date:
    return render.moment(message["ts"]).date()


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _ts(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return f"{int(moment.timestamp())}.{moment.microsecond:06d}"
