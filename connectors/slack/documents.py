"""A channel's messages as documents: a thread is one, and so are a day's messages outside threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from connectors.contract import Deleted, Item, ListingEntry, Skipped
from connectors.model import MARKDOWN, Document, Parent, Unit, group_token
from connectors.slack.access import channel_readers, is_private, workspace_groups
from connectors.slack.cursor import day_fingerprint
from connectors.slack.directory import SlackDirectory
from connectors.slack.payloads import Authored, SlackChannel, SlackMessage
from connectors.slack.render.messages import author_name, is_noise, last_change, message_title, render_messages
from connectors.slack.render.mrkdwn import Names
from connectors.slack.settings import SlackConnection
from connectors.slack.timestamps import day_of, moment, ts_key

PRIVATE_CHANNEL = "private channel"
"""What Slack shows of a channel to those who are not in it."""


@dataclass(frozen=True, slots=True)
class ChannelDocuments:
    """Makes the documents of one channel, which is `channel` as Slack shows it now."""

    connection: SlackConnection
    directory: SlackDirectory
    unit: Unit
    channel: SlackChannel

    @property
    def prefix(self) -> str:
        return f"slack:{self.connection.id}/{self.unit.id}"

    @property
    def name(self) -> str:
        return f"#{self.channel.name or self.unit.name}"

    @property
    def parent(self) -> Parent:
        return Parent(self.prefix, self.name)

    @property
    def readers(self) -> tuple[str, ...]:
        told = workspace_groups(self.channel, self.directory)
        listed = [
            group for group in self.directory.workspaces if group_token(self.connection.id, group) in self.unit.readers
        ]
        return channel_readers(self.connection.id, self.channel, told or listed)

    @property
    def team(self) -> str | None:
        """The workspace to name where an organisation's token asks for what is in the channel."""
        return next((team for team in self.directory.named_workspaces if team in self.channel.teams), None) or (
            self.directory.named_workspaces[0] if self.directory.named_workspaces else None
        )

    @property
    def names(self) -> Names:
        return Names(self.directory.user_name, self._mention, self.directory.usergroup_name, self.directory.bot_name)

    def day_id(self, day: date) -> str:
        """Of the messages of one day (UTC) outside threads."""
        return f"{self.prefix}/days/{day}"

    def thread_id(self, ts: str) -> str:
        return f"{self.prefix}/threads/{ts}"

    def file_id(self, file: str) -> str:
        return f"{self.prefix}/files/{file}"

    def day_title(self, day: date) -> str:
        return f"{self.name}, {day}"

    def thread_title(self, messages: Sequence[SlackMessage]) -> str:
        """By the first message that says something: a root that was deleted says nothing."""
        titles = (message_title(message, self.names) for message in self.visible_messages(messages))
        first = next(filter(None, titles), "")
        return f"{self.name}: {first}" if first else self.name

    def _mention(self, channel_id: str) -> str:
        """A channel as Slack shows it to all who read this one: a private one has no name for those outside."""
        known = self.channel if channel_id == self.unit.id else self.directory.channel(channel_id)
        if known and is_private(known) and known is not self.channel:
            return PRIVATE_CHANNEL
        return f"#{known.name if known and known.name else channel_id}"

    def day_parent(self, day: date) -> Parent:
        return Parent(self.day_id(day), self.day_title(day))

    def parent_of(self, message: SlackMessage, thread: Sequence[SlackMessage] = ()) -> Parent:
        """The document that a message is part of; `thread` are the messages of its thread."""
        if message.is_reply or message.is_root:
            return Parent(self.thread_id(message.root_ts), self.thread_title(thread or [message]))
        return self.day_parent(day_of(message.ts))

    def day_document(self, day: date, messages: Sequence[SlackMessage]) -> Item:
        """The messages of a day; a thread's root and what was said to the channel from one belong to the thread."""
        own = self.visible_messages(outside_threads(messages))
        return self._document(self.day_id(day), "messages", self.day_title(day), own, day_fingerprint(own))

    def thread_document(self, ts: str, messages: Sequence[SlackMessage]) -> Item:
        """A thread from its messages, the root first; Deleted where nobody has answered to that any more."""
        if not (len(messages) > 1 or messages[0].is_root):
            return Deleted(self.thread_id(ts))
        title, visible, root = self.thread_title(messages), self.visible_messages(messages), messages[0]
        if not visible:
            return Skipped(self.thread_id(ts), title, "empty: nothing but notices and bots", self._link(root))
        counted = root if root.reply_count else root.with_replies(len(messages) - 1, messages[-1].ts)
        return self._document(self.thread_id(ts), "thread", title, visible, counted.fingerprint)

    def day_entry(self, day: date, messages: Sequence[SlackMessage]) -> ListingEntry | None:
        """A day as the channel's history names it; None if nobody said anything outside threads."""
        own = self.visible_messages(outside_threads(messages))
        if not own:
            return None
        return ListingEntry(self.day_id(day), self.day_title(day), last_change(own), day_fingerprint(own))

    def thread_entry(self, root: SlackMessage) -> ListingEntry:
        """A thread as its root names it: replies that were edited do not show."""
        visible = self.visible_messages([root])
        changes = [last_change(visible) if visible else moment(root.ts)]
        changes += [moment(root.latest_reply)] if root.latest_reply else []
        return ListingEntry(self.thread_id(root.ts), "", max(changes), root.fingerprint)

    def visible_messages(self, messages: Sequence[SlackMessage]) -> list[SlackMessage]:
        """What somebody said, in its order; of bots only where the connection reads them."""
        visible = [message for message in messages if not is_noise(message) and self.includes(message)]
        return sorted(visible, key=lambda message: ts_key(message.ts))

    def includes(self, authored: Authored) -> bool:
        """Whether a message or file is read, by its author."""
        return self.connection.bots or not self.directory.is_bot(authored)

    def _document(
        self, document_id: str, kind: str, title: str, visible: Sequence[SlackMessage], fingerprint: str
    ) -> Item:
        if not visible:
            return Deleted(document_id)
        content = render_messages(visible, self.names)
        url = self._link(visible[0])
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
            author=author_name(visible[0], self.names) if kind == "thread" else "",
            created_at=moment(visible[0].ts),
            updated_at=last_change(visible),
            parents=(self.parent,),
            readers=self.readers,
            fingerprint=fingerprint,
        )

    def _link(self, message: SlackMessage) -> str:
        """A permalink, made as chat.getPermalink makes it, without a request for each message."""
        base = self.unit.url or f"{self.directory.team_url}/archives/{self.unit.id}"
        link = f"{base}/p{message.ts.replace('.', '')}"
        return f"{link}?thread_ts={message.thread_ts}&cid={self.unit.id}" if message.is_reply else link


def outside_threads(messages: Sequence[SlackMessage]) -> list[SlackMessage]:
    return [message for message in messages if not message.is_root and not message.is_reply]
