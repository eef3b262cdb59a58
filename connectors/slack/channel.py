"""A channel's messages as documents: a thread is one, and so are a day's messages outside threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from connectors.connection import SlackConnection
from connectors.model import MARKDOWN, Deleted, Document, Item, Listed, Parent, Skipped, Unit
from connectors.slack import access, render
from connectors.slack.client import Payload, number
from connectors.slack.people import Directory
from connectors.slack.progress import digest, fingerprint


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as it is now; `payload` is what conversations.info says of it."""

    connection: SlackConnection
    directory: Directory
    unit: Unit
    payload: Payload

    @property
    def prefix(self) -> str:
        return f"slack:{self.connection.id}/{self.unit.id}"

    @property
    def name(self) -> str:
        return f"#{self.payload.get('name') or self.unit.name}"

    @property
    def parent(self) -> Parent:
        return Parent(self.prefix, self.name)

    @property
    def readers(self) -> tuple[str, ...]:
        return access.readers(self.connection.id, self.payload)

    def day_id(self, day: date) -> str:
        """Of the messages of one day (UTC) outside threads."""
        return f"{self.prefix}/days/{day}"

    def thread_id(self, ts: str) -> str:
        return f"{self.prefix}/threads/{ts}"

    def file_id(self, file: str) -> str:
        return f"{self.prefix}/files/{file}"

    def link(self, ts: str) -> str:
        """A permalink, made as chat.getPermalink makes it, without a request for each message."""
        return f"{self.directory.team_url.rstrip('/')}/archives/{self.unit.id}/p{ts.replace('.', '')}"

    def day_title(self, day: date) -> str:
        return f"{self.name}, {day}"

    def day_document(self, day: date, messages: Sequence[Payload]) -> Item:
        """The messages of a day; a thread's root and what it broadcasts belong to the thread."""
        own = self._of_day(messages)
        return self._document(self.day_id(day), "messages", self.day_title(day), own, day_mark(own))

    def thread_document(self, ts: str, messages: Sequence[Payload]) -> Item:
        """A thread from its messages, the root first; Deleted where there is no thread any more."""
        if len(messages) < 2 or messages[0]["ts"] != ts:
            return Deleted(self.thread_id(ts))
        first = render.title(messages[0], self.directory.names)
        title = f"{self.name}: {first}" if first else self.name
        return self._document(self.thread_id(ts), "thread", title, self._spoken(messages), fingerprint(messages[0]))

    def listed_day(self, day: date, messages: Sequence[Payload]) -> Listed | None:
        """A day as the channel's history names it; None if nobody said anything outside threads."""
        own = self._of_day(messages)
        if not own:
            return None
        return Listed(self.day_id(day), self.day_title(day), render.last_change(own), day_mark(own))

    def listed_thread(self, root: Payload) -> Listed:
        """A thread as its root names it: replies that were edited do not show."""
        latest = [root, {"ts": root["latest_reply"]}] if root.get("latest_reply") else [root]
        return Listed(self.thread_id(root["ts"]), "", render.last_change(latest), fingerprint(root))

    def _of_day(self, messages: Sequence[Payload]) -> list[Payload]:
        return self._spoken([message for message in messages if not is_thread(message) and not is_reply(message)])

    def _spoken(self, messages: Sequence[Payload]) -> list[Payload]:
        said = [one for one in messages if not render.is_noise(one) and (self.connection.bots or not is_bot(one))]
        return sorted(said, key=lambda message: number(message["ts"]))

    def _document(self, document_id: str, kind: str, title: str, spoken: Sequence[Payload], mark: str) -> Item:
        if not spoken:
            return Deleted(document_id)
        names = self.directory.names
        content = render.render_messages(spoken, names)
        url = self.link(spoken[0]["ts"])
        if not content.strip():
            return Skipped(document_id, title, "empty: no message has text", url)
        return Document(
            id=document_id,
            source="slack",
            connection=self.connection.id,
            unit=self.unit.id,
            kind=kind,
            title=title,
            url=url,
            content=content,
            content_type=MARKDOWN,
            author=render.author(spoken[0], names) if kind == "thread" else "",
            created_at=render.moment(spoken[0]["ts"]),
            updated_at=render.last_change(spoken),
            parents=(self.parent,),
            readers=self.readers,
            mark=mark,
        )


def is_thread(message: Payload) -> bool:
    """Whether a message is the root of a thread that has replies."""
    return bool(message.get("reply_count")) and not is_reply(message)


def is_reply(message: Payload) -> bool:
    return bool(message.get("thread_ts", message["ts"]) != message["ts"])


def is_bot(message: Payload) -> bool:
    return bool(message.get("bot_id")) or message.get("subtype") == "bot_message"


def day_of(message: Payload) -> date:
    return render.moment(message["ts"]).date()


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def day_mark(messages: Sequence[Payload]) -> str:
    return digest([fingerprint(message) for message in messages])
