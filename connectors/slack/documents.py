"""A channel's messages as documents: a thread is one, and so are a day's messages outside threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from connectors.contract import Deleted, Item, ListingEntry, Skipped
from connectors.model import MARKDOWN, Document, Parent, Unit
from connectors.slack import access
from connectors.slack.client import Payload, number
from connectors.slack.cursor import day_digest, fingerprint
from connectors.slack.directory import Directory
from connectors.slack.render import messages as render
from connectors.slack.render.mrkdwn import Names
from connectors.slack.settings import SlackConnection


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as it is now; `payload` is what Slack says of it."""

    connection: SlackConnection
    directory: Directory
    unit: Unit
    payload: Payload

    @property
    def id(self) -> str:
        return self.unit.id

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

    def day_title(self, day: date) -> str:
        return f"{self.name}, {day}"

    def thread_title(self, messages: Sequence[Payload]) -> str:
        """By the first message that says something: a root that was deleted says nothing."""
        first = next((title for one in self.spoken(messages) if (title := render.title(one, self.names))), "")
        return f"{self.name}: {first}" if first else self.name

    def place(self, message: Payload, thread: Sequence[Payload] = ()) -> Parent:
        """The document in which a message stands; `thread` are the messages of its thread."""
        if is_reply(message) or is_thread(message):
            root = str(message.get("thread_ts") or message["ts"])
            return Parent(self.thread_id(root), self.thread_title(thread or [message]))
        day = day_of(message)
        return Parent(self.day_id(day), self.day_title(day))

    @property
    def names(self) -> Names:
        return self.directory.names

    def day_document(self, day: date, messages: Sequence[Payload]) -> Item:
        """The messages of a day; a thread's root and what was said to the channel from one belong to the thread."""
        own = self.spoken(outside_threads(messages))
        return self._document(self.day_id(day), "messages", self.day_title(day), own, day_digest(own))

    def thread_document(self, ts: str, messages: Sequence[Payload]) -> Item:
        """A thread from its messages, the root first; Deleted where there is no thread any more."""
        if not messages or messages[0]["ts"] != ts or not (len(messages) > 1 or is_thread(messages[0])):
            return Deleted(self.thread_id(ts))
        title, said = self.thread_title(messages), self.spoken(messages)
        if not said:
            return Skipped(self.thread_id(ts), title, "empty: nothing but notices and bots", self._link(messages[0]))
        return self._document(self.thread_id(ts), "thread", title, said, fingerprint(_counted(messages)))

    def listed_day(self, day: date, messages: Sequence[Payload]) -> ListingEntry | None:
        """A day as the channel's history names it; None if nobody said anything outside threads."""
        own = self.spoken(outside_threads(messages))
        return (
            ListingEntry(self.day_id(day), self.day_title(day), render.last_change(own), day_digest(own))
            if own
            else None
        )

    def listed_thread(self, root: Payload) -> ListingEntry:
        """A thread as its root names it: replies that were edited do not show."""
        said = self.spoken([root]) or [{"ts": root["ts"]}]
        latest = [*said, {"ts": root["latest_reply"]}] if root.get("latest_reply") else said
        return ListingEntry(self.thread_id(root["ts"]), "", render.last_change(latest), fingerprint(root))

    def spoken(self, messages: Sequence[Payload]) -> list[Payload]:
        """What somebody said, in its order; of bots only where the connection reads them."""
        said = [one for one in messages if not render.is_noise(one) and self.reads(one)]
        return sorted(said, key=lambda message: number(message["ts"]))

    def reads(self, said: Payload) -> bool:
        """Whether a message or file is read, whoever made it."""
        return self.connection.bots or not self.directory.is_bot(said)

    def _document(self, document_id: str, kind: str, title: str, spoken: Sequence[Payload], mark: str) -> Item:
        if not spoken:
            return Deleted(document_id)
        content = render.render_messages(spoken, self.names)
        url = self._link(spoken[0])
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
            author=render.author(spoken[0], self.names) if kind == "thread" else "",
            created_at=render.moment(spoken[0]["ts"]),
            updated_at=render.last_change(spoken),
            parents=(self.parent,),
            readers=self.readers,
            fingerprint=mark,
        )

    def _link(self, message: Payload) -> str:
        """A permalink, made as chat.getPermalink makes it, without a request for each message."""
        base = self.unit.url or f"{self.directory.team_url.rstrip('/')}/archives/{self.unit.id}"
        link = f"{base}/p{message['ts'].replace('.', '')}"
        return f"{link}?thread_ts={message['thread_ts']}&cid={self.unit.id}" if is_reply(message) else link


def outside_threads(messages: Sequence[Payload]) -> list[Payload]:
    return [message for message in messages if not is_thread(message) and not is_reply(message)]


def is_thread(message: Payload) -> bool:
    """Whether a message is the root of a thread that has replies, where they are counted."""
    replies = message.get("reply_count")
    return bool(replies) and not is_reply(message) if replies is not None else message.get("thread_ts") == message["ts"]


def is_reply(message: Payload) -> bool:
    return bool((message.get("thread_ts") or message["ts"]) != message["ts"])


def day_of(message: Payload) -> date:
    return render.moment(message["ts"]).date()


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _counted(messages: Sequence[Payload]) -> Payload:
    """A thread's root as the channel's history shows it, for servers that count replies only there."""
    counted = {"reply_count": len(messages) - 1, "latest_reply": messages[-1]["ts"]}
    return messages[0] if messages[0].get("reply_count") else messages[0] | counted
