"""Files shared in a channel, as documents of their own. https://docs.slack.dev/reference/objects/file-object

Their bytes need the scope files:read; without it Slack answers with its sign-in page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from connectors.contract import Deleted, Item, ListingEntry, Skipped
from connectors.errors import AccessDenied, Gone, NotFound, TransientError
from connectors.file_content import FileContent, SkipFile
from connectors.fingerprints import fingerprint
from connectors.isolation import Isolation
from connectors.model import Document, Parent
from connectors.slack.channel_parts import ChannelParts, PartClosed
from connectors.slack.client import SlackClient
from connectors.slack.documents import ChannelDocuments
from connectors.slack.file_contents import FileContents
from connectors.slack.file_types import reason_to_skip
from connectors.slack.part_table import FILES, REPLIES
from connectors.slack.payloads import SlackFile, SlackMessage
from connectors.slack.refusals import NoSuchObject
from connectors.slack.timestamps import day_of, ts_key


class ChannelFiles:
    """The files of one channel."""

    def __init__(
        self, client: SlackClient, contents: FileContents, documents: ChannelDocuments, parts: ChannelParts
    ) -> None:
        self._client = client
        self._contents = contents
        self._documents = documents
        self._parts = parts
        self._isolation = Isolation(lambda: contents.requests)
        self._pictures = documents.connection.reads_pictures

    def read_of(self, messages: Iterable[SlackMessage], thread: Sequence[SlackMessage] = ()) -> Iterator[Item]:
        """The files of these messages, all of which are in `thread` where one is given; none where files are closed,
        which the state of the part says for all of them."""
        for message, file in self._shared_files(messages):
            with suppress(PartClosed):
                yield self._read(file, message, thread)

    def entries_of(self, messages: Iterable[SlackMessage]) -> Iterator[ListingEntry]:
        """The files of these messages, by what the messages tell of them."""
        return (self._entry(file) for _, file in self._shared_files(messages))

    def list_entries(self) -> Iterator[ListingEntry]:
        """Every file of the channel that `refetch` would find, by Slack's own listing of files. Raises SourceError."""
        files = self._client.files(self._documents.unit.id, self._documents.team)
        return (self._entry(file) for file in files if self._documents.includes(file))

    def refetch(self, file_id: str) -> Item:
        """A file as it is now; Deleted where it is gone or no longer shared in the channel. Raises PartClosed."""
        document_id = self._documents.file_id(file_id)

        def read() -> Item:
            try:
                file = self._find(file_id)
            except NoSuchObject as error:
                return Deleted(document_id, is_unfound=not isinstance(error, Gone))
            if self._documents.unit.id not in file.channel_ids or not self._documents.includes(file):
                return Deleted(document_id)
            return self._item(file, self._find_parent(file))

        return self._attempt(file_id, file_id, read)

    def look(self, file_id: str) -> None:
        """Ask what is known of a file. Raises PartClosed and SourceError."""
        self._find(file_id)

    def ask_again(self, file_id: str) -> None:
        """Ask for a file that could not be read. Raises PartClosed and SourceError."""
        file = self._find(file_id)
        if not reason_to_skip(file, pictures=self._pictures):
            with suppress(SkipFile):
                self._content(file)

    def _attempt(self, file_id: str, label: str, read: Callable[[], Item]) -> Item:
        try:
            return self._isolation.attempt(self._documents.file_id(file_id), label, read)
        except TransientError as error:  # as the few before it
            self._parts.close(FILES, error, file_id)

    def _find(self, file_id: str) -> SlackFile:
        with self._parts.asking(FILES, file_id):
            return self._client.file(file_id)

    def _content(self, file: SlackFile) -> FileContent:
        """Raises SkipFile, PartClosed and SourceError."""
        self._parts.ask(FILES)
        try:
            with self._parts.noting(FILES, file.id):
                return self._contents.read(file)
        except (AccessDenied, NotFound):
            self._find(file.id)  # one file may be refused; that all are, for want of a scope, the API tells
            raise

    def _shared_files(self, messages: Iterable[SlackMessage]) -> Iterator[tuple[SlackMessage, SlackFile]]:
        """Files with the message that brings each; those of messages that it quotes have a message of their own."""
        for message in messages:
            if self._documents.includes(message):
                yield from ((message, file) for file in message.files if file.id)

    def _read(self, file: SlackFile, message: SlackMessage, thread: Sequence[SlackMessage]) -> Item:
        def read() -> Item:
            parent = self._documents.parent_of(thread[0] if thread else message, thread)
            # In channels shared with other organisations a message may name a file by its id alone.
            known = self._find(file.id) if file.file_access == "check_file_info" else file
            return self._item(known, parent)

        return self._attempt(file.id, file.label, read)

    def _item(self, file: SlackFile, parent: Parent | None) -> Item:
        document_id = self._documents.file_id(file.id)
        if reason := reason_to_skip(file, pictures=self._pictures):
            return Skipped(document_id, file.label, reason, file.permalink)
        try:
            return self._document(file, parent, self._content(file))
        except SkipFile as skipped:
            return Skipped(document_id, file.label, skipped.reason, file.permalink)

    def _document(self, file: SlackFile, parent: Parent | None, content: FileContent) -> Document:
        return Document(
            id=self._documents.file_id(file.id),
            source="slack",
            connection=self._documents.connection.id,
            unit=self._documents.unit.id,
            kind="file",
            title=file.label,
            url=file.permalink,
            content=content.body,
            content_type=content.media_type,
            author=self._documents.directory.user_name(file.user) if file.user else "",
            created_at=created_at(file),
            updated_at=updated_at(file),
            parents=(self._documents.parent, *([parent] if parent else [])),
            readers=self._documents.readers,
            fingerprint=file_fingerprint(file),
        )

    def _entry(self, file: SlackFile) -> ListingEntry:
        return ListingEntry(self._documents.file_id(file.id), file.label, updated_at(file), file_fingerprint(file))

    def _find_parent(self, file: SlackFile) -> Parent | None:
        """The document that holds the message with which a file came into the channel."""
        channel = self._documents.unit.id
        shares = [share for kind in file.shares.values() for share in kind.get(channel, ())]
        if not shares:
            return None
        share = min(shares, key=lambda share: ts_key(share.ts))
        if not share.is_reply:
            message = self._client.message(channel, share.ts)
            if not message or not message.is_root:
                return self._documents.day_parent(day_of(share.ts))
        thread: list[SlackMessage] = []
        with suppress(PartClosed, NoSuchObject), self._parts.asking(REPLIES, share.thread_ts or share.ts):
            thread = self._client.replies(channel, share.thread_ts or share.ts)
        return self._documents.parent_of(thread[0], thread) if thread else None


def created_at(file: SlackFile) -> datetime:
    return datetime.fromtimestamp(file.created or file.timestamp, UTC)


def updated_at(file: SlackFile) -> datetime:
    """Canvases and snippets can be edited; other files stay as they were uploaded."""
    return max(created_at(file), datetime.fromtimestamp(file.updated or file.edit_timestamp, UTC))


def file_fingerprint(file: SlackFile) -> str:
    """Another one where a transcript has come."""
    transcribed = ["transcript"] if file.vtt else []
    return fingerprint([file.label, file.size, updated_at(file).isoformat(), *transcribed])
