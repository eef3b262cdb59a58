"""Messages, and what comes with them: files, attachments, edits."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, ModelWrapValidatorHandler, PrivateAttr, model_validator

from connectors.fingerprints import fingerprint
from connectors.payloads import Entries, LenientPayload
from connectors.slack.payloads.blocks import Blocks
from connectors.slack.payloads.fields import Seconds, Timestamp, Truthy, count


class Authored(LenientPayload):
    """What a person or an app made. `bot_id` is set beside `user` where a person did it through an app."""

    user: str = ""
    bot_id: str = ""
    subtype: str = ""


class FileShare(LenientPayload):
    """A message with which a file came into a channel."""

    ts: Timestamp
    thread_ts: Timestamp = ""

    @property
    def is_reply(self) -> bool:
        return bool(self.thread_ts) and self.thread_ts != self.ts


class TranscriptPreview(LenientPayload):
    content: str = ""


class Transcription(LenientPayload):
    preview: TranscriptPreview = TranscriptPreview()


class ListMetadata(LenientPayload):
    columns: Blocks = Field(default=(), alias="schema")


class SlackListItem(LenientPayload):
    """https://docs.slack.dev/reference/methods/slackLists.items.list"""

    fields: Blocks = ()


class MailSender(LenientPayload):
    original: str = ""
    address: str = ""


class SlackFile(Authored):
    """https://docs.slack.dev/reference/objects/file-object

    `senders` and `plain_text` are those of a mail, `vtt` is the address of a recording's transcript, and
    `list_metadata` a Slack List's; `shares` tells by kind of channel, then by channel.
    """

    id: str = ""
    name: str = ""
    title: str = ""
    mode: str = ""
    filetype: str = ""
    mimetype: str = ""
    size: Annotated[int | None, BeforeValidator(count)] = None
    is_external: Truthy = False
    file_access: str = ""
    permalink: str = ""
    url_private: str = ""
    url_private_download: str = ""
    preview: str = ""
    plain_text: str = ""
    alt_txt: str = ""
    transcription: Transcription = Transcription()
    vtt: str = ""
    list_csv_download_url: str = ""
    list_metadata: ListMetadata = ListMetadata()
    subject: str = ""
    senders: Entries[MailSender] = Field(default=(), alias="from")
    created: Seconds = 0
    timestamp: Seconds = 0
    updated: Seconds = 0
    edit_timestamp: Seconds = 0
    channels: Entries[str] = ()
    groups: Entries[str] = ()
    shares: dict[str, dict[str, Entries[FileShare]]] = Field(default_factory=dict)

    @property
    def label(self) -> str:
        return self.title or self.name or self.id

    @property
    def channel_ids(self) -> set[str]:
        """The channels in which it is shared now."""
        return {*self.channels, *self.groups, *(channel for kind in self.shares.values() for channel in kind)}


class AttachmentField(LenientPayload):
    title: str = ""
    value: str = ""


class AttachmentAction(LenientPayload):
    text: str = ""


class SharedBlocks(LenientPayload):
    blocks: Blocks = ()


class SharedMessage(LenientPayload):
    message: SharedBlocks = SharedBlocks()


class SlackAttachment(LenientPayload):
    """https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments"""

    text: str = ""
    blocks: Blocks = ()
    message_blocks: Entries[SharedMessage] = ()
    service_name: str = ""
    title: str = ""
    title_link: str = ""
    pretext: str = ""
    author_name: str = ""
    author_subname: str = ""
    fields: Entries[AttachmentField] = ()
    files: Entries[SlackFile] = ()
    actions: Entries[AttachmentAction] = ()
    footer: str = ""
    fallback: str = ""


class SlackProfile(LenientPayload):
    """Of a person; a message tells it of people of other organisations, and a bot's name in the same form."""

    display_name: str = ""
    real_name: str = ""
    name: str = ""
    email: str = ""


class MessageEdit(LenientPayload):
    ts: Timestamp = ""


class HuddleRoom(LenientPayload):
    """A huddle, as its message shows it: `participant_history` are all who were there."""

    name: str = ""
    topic: str = ""
    created_by: str = ""
    participants: Entries[str] = ()
    participant_history: Entries[str] = ()


class MessagePlace(LenientPayload):
    """Where a message belongs, as events tell it: `thread_ts` is the time of its thread's root."""

    ts: str = ""
    thread_ts: str = ""
    reply_count: int | None = None
    files: Entries[SlackFile] = ()


_SHOWN = ("text", "blocks", "attachments", "edited", "subtype", "reply_count", "latest_reply")
_THREAD_MARK = "t"
"""Before the fingerprint of a thread's root; hexadecimal digits hold no `t`."""


class SlackMessage(Authored, MessagePlace):
    """https://docs.slack.dev/reference/events/message

    `reply_count` and `latest_reply` are those of a thread's root; None where replies are not counted.
    """

    ts: Timestamp
    thread_ts: Timestamp = ""
    text: str = ""
    username: str = ""
    blocks: Blocks = ()
    attachments: Entries[SlackAttachment] = ()
    edited: MessageEdit = MessageEdit()
    latest_reply: Timestamp = ""
    bot_profile: SlackProfile = SlackProfile()
    user_profile: SlackProfile = SlackProfile()
    room: HuddleRoom | None = None

    _json: dict[str, Any] = PrivateAttr(default_factory=dict)

    @model_validator(mode="wrap")
    @classmethod
    def _keep_json(cls, values: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        found = read(values)
        found._json = values
        return found

    @cached_property
    def fingerprint(self) -> str:
        """Changes with everything of a message that a person sees, its thread's number of replies and latest one
        included. Taken of the JSON as it came: what is not read yet of a block changes it too."""
        fields = self._json
        shown: dict[str, Any] = {name: fields.get(name) or None for name in _SHOWN}
        files = fields.get("files")
        shown["files"] = [
            [file.get("id"), file.get("mode"), file.get("title")]
            for file in (files if isinstance(files, list) else ())
            if isinstance(file, dict)
        ]
        if self.room:
            shown["room"] = self.room.model_dump()
        return (_THREAD_MARK if self.reply_count else "") + fingerprint(shown)

    def with_replies(self, replies: int, latest: str) -> SlackMessage:
        """The root of a thread as a channel's history shows it, for servers that count replies only there."""
        return SlackMessage.model_validate(self._json | {"reply_count": replies, "latest_reply": latest})

    @property
    def root_ts(self) -> str:
        """The time of the root of its thread; its own where it is in none."""
        return self.thread_ts or self.ts

    @property
    def is_reply(self) -> bool:
        return self.root_ts != self.ts

    @property
    def is_root(self) -> bool:
        """Whether it is the root of a thread that has replies, where they are counted."""
        if self.reply_count is None:
            return self.thread_ts == self.ts
        return self.reply_count != 0 and not self.is_reply


def is_root_fingerprint(text: str) -> bool:
    """Whether this was the fingerprint of a thread's root."""
    return text.startswith(_THREAD_MARK)
