"""Files shared in a channel, as documents of their own. https://docs.slack.dev/reference/objects/file-object

Their bytes need the scope files:read; without it Slack answers with its sign-in page, and the files are recorded as
failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from connectors.contract import Deleted, Item, ListingEntry, Skipped
from connectors.errors import AccessDenied, NotFound
from connectors.file_content import FileContent, SkipFile, parse_content, read_content
from connectors.fingerprints import fingerprint
from connectors.isolation import Isolation
from connectors.media import CSV
from connectors.model import HTML, PLAIN_TEXT, Document, Parent
from connectors.slack.client import SlackClient
from connectors.slack.documents import ChannelDocuments
from connectors.slack.downloads import FileLoader
from connectors.slack.file_types import (
    LARGEST,
    is_code,
    is_list,
    is_written_in_slack,
    mail_text,
    name_with_type,
    reason_to_skip,
)
from connectors.slack.payloads import SlackFile, SlackMessage
from connectors.slack.render.canvas import render_canvas
from connectors.slack.render.lists import list_as_csv
from connectors.slack.render.transcripts import transcript
from connectors.slack.timestamps import day_of, ts_key


class ChannelFiles:
    """The files of one channel."""

    def __init__(
        self, client: SlackClient, loader: FileLoader, documents: ChannelDocuments, isolation: Isolation
    ) -> None:
        self._client = client
        self._loader = loader
        self._documents = documents
        self._isolation = isolation
        self._pictures = documents.connection.reads_pictures

    def read_of(self, messages: Iterable[SlackMessage], thread: Sequence[SlackMessage] = ()) -> Iterator[Item]:
        """The files of these messages, all of which are in `thread` where one is given."""
        for message, file in self._shared_files(messages):
            yield self._read(file, message, thread)

    def entries_of(self, messages: Iterable[SlackMessage]) -> Iterator[ListingEntry]:
        """The files of these messages, by what the messages tell of them."""
        return (self._entry(file) for _, file in self._shared_files(messages))

    def list_entries(self) -> Iterator[ListingEntry]:
        """Every file of the channel that `refetch` would find, by Slack's own listing of files.

        Raises AccessDenied without the scope files:read.
        """
        files = self._client.files(self._documents.unit.id)
        return (self._entry(file) for file in files if self._documents.includes(file))

    def refetch(self, file_id: str) -> Item:
        """A file as it is now; Deleted where it is gone or no longer shared in the channel."""
        document_id = self._documents.file_id(file_id)

        def read() -> Item:
            try:
                file = self._client.file(file_id)
            except NotFound:
                return Deleted(document_id)
            if self._documents.unit.id not in file.channel_ids or not self._documents.includes(file):
                return Deleted(document_id)
            return self._item(file, self._find_parent(file))

        return self._isolation.attempt(document_id, file_id, read)

    def _shared_files(self, messages: Iterable[SlackMessage]) -> Iterator[tuple[SlackMessage, SlackFile]]:
        """Files with the message that brings each; those of messages that it quotes have a message of their own."""
        for message in messages:
            if self._documents.includes(message):
                yield from ((message, file) for file in message.files if file.id)

    def _read(self, file: SlackFile, message: SlackMessage, thread: Sequence[SlackMessage]) -> Item:
        def read() -> Item:
            parent = self._documents.parent_of(thread[0] if thread else message, thread)
            # In channels shared with other organisations a message may name a file by its id alone.
            known = self._client.file(file.id) if file.file_access == "check_file_info" else file
            return self._item(known, parent)

        return self._isolation.attempt(self._documents.file_id(file.id), file.label, read)

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

    def _content(self, file: SlackFile) -> FileContent:
        """What a file holds. Raises SkipFile and SourceError."""
        if text := mail_text(file):
            return FileContent(text, PLAIN_TEXT)
        if is_list(file):
            return self._list(file)
        data, expected = self._loader.load(file)
        if len(data) > LARGEST:  # the size that Slack tells may be wrong, or missing
            raise SkipFile(f"too large: more than {LARGEST // 1_000_000} MB")
        if file.vtt:
            spoken = parse_content(data, PLAIN_TEXT).body
            return FileContent(transcript(str(spoken)), PLAIN_TEXT)
        if is_code(file) and expected == PLAIN_TEXT:
            return parse_content(data, expected)
        content = read_content(data, expected, name_with_type(file), pictures=self._pictures)
        if is_written_in_slack(file) and content.media_type == HTML and isinstance(content.body, str):
            return FileContent(render_canvas(content.body, self._documents.names), HTML)
        return content

    def _list(self, file: SlackFile) -> FileContent:
        """The rows of a Slack List: as Slack writes them, or where it does not, as they are told one by one."""
        if file.list_csv_download_url:
            with suppress(AccessDenied, NotFound):
                data, expected = self._loader.load(file)
                return read_content(data, expected, f"{file.id}.csv")
        items = self._client.list_items(file.id)
        return FileContent(list_as_csv(file.list_metadata.columns, items, self._documents.names), CSV)

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
