"""Files shared in a channel, as documents of their own. https://docs.slack.dev/reference/objects/file-object

Their bytes need the scope files:read; without it Slack answers with its sign-in page, and the files are recorded as
failed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

import httpx

from connectors.contract import Deleted, Item, ListingEntry, Skipped
from connectors.errors import AccessDenied, AuthenticationFailed, NotFound
from connectors.http import ApiClient
from connectors.isolation import guarded
from connectors.model import HTML, Document, Parent
from connectors.slack.client import Payload, SlackClient, number
from connectors.slack.cursor import digest
from connectors.slack.documents import Channel, is_reply, is_thread
from connectors.slack.file_types import LARGEST, content_type, is_written_in_slack, mail, reason_to_pass_over
from connectors.slack.payloads import count, dicts
from connectors.slack.settings import SlackConnection

SLACK_API = "https://slack.com/api"
SLACK_FILES = "https://files.slack.com"
_SIGN_IN = re.compile(rb"<title>[^<]*\b(sign in|log ?in)\b|data-qa=.signin|\bredir=%2Ffiles-pri", re.IGNORECASE)


def files_url(connection: SlackConnection) -> str:
    """Where the connection's files are: at Slack's file host, or where the configured API is."""
    if connection.files_url:
        return connection.files_url
    if connection.base_url == SLACK_API:
        return SLACK_FILES
    base = urlsplit(connection.base_url)
    return f"{base.scheme}://{base.netloc}"


def files_client(connection: SlackConnection, transport: httpx.BaseTransport | None) -> ApiClient:
    """Loads files; the token goes to the configured host only."""
    token = connection.token.get_secret_value().strip()
    headers = {"Authorization": f"Bearer {token}", "User-Agent": "headrace"}
    return ApiClient(files_url(connection), headers, tier=lambda path: "files", transport=transport)


class Files:
    """The files of one channel."""

    def __init__(self, client: SlackClient, loader: ApiClient, channel: Channel) -> None:
        self._client = client
        self._loader = loader
        self._channel = channel

    def of(self, messages: Sequence[Payload], thread: Sequence[Payload] = ()) -> Iterator[Item]:
        """The files of these messages, all of which stand in `thread` where one is given."""
        for message in messages:
            if self._channel.reads(message):
                for file in files_of(message):
                    yield self._item(file, message, thread)

    def listed(self) -> Iterator[ListingEntry]:
        """Every file of the channel that `again` would find, by Slack's own listing of files.

        Raises AccessDenied without the scope files:read.
        """
        for file in self._client.files(self._channel.id):
            if self._channel.reads(file):
                yield self.named(file)

    def named(self, file: Payload) -> ListingEntry:
        return ListingEntry(self._channel.file_id(str(file["id"])), _title(file), _updated(file), _mark(file))

    def again(self, file_id: str) -> Item:
        """A file as it is now; Deleted where it is gone or no longer shared in the channel."""
        document_id = self._channel.file_id(file_id)

        def read() -> Item:
            try:
                file = self._client.file(file_id)
            except NotFound:
                return Deleted(document_id)
            if self._channel.id not in channels_of(file) or not self._channel.reads(file):
                return Deleted(document_id)
            return self._document(file, self._place(file))

        return guarded(document_id, file_id, read)

    def _item(self, file: Payload, message: Payload, thread: Sequence[Payload]) -> Item:
        def read() -> Item:
            place = self._channel.place(thread[0] if thread else message, thread)
            # In channels shared with other organisations a message may name a file by its id alone.
            known = self._client.file(str(file["id"])) if file.get("file_access") == "check_file_info" else file
            return self._document(known, place)

        return guarded(self._channel.file_id(str(file["id"])), _title(file), read)

    def _document(self, file: Payload, place: Parent | None) -> Item:
        document_id, url = self._channel.file_id(str(file["id"])), str(file.get("permalink") or "")
        if reason := reason_to_pass_over(file):
            return Skipped(document_id, _title(file), reason, url)
        content, media_type = self._content(file)
        if not content.strip():
            return Skipped(document_id, _title(file), "empty", url)
        if len(content) > LARGEST:
            return Skipped(document_id, _title(file), f"too large: more than {LARGEST // 1_000_000} MB", url)
        return Document(
            id=document_id,
            source="slack",
            connection=self._channel.connection.id,
            unit=self._channel.id,
            kind="file",
            title=_title(file),
            url=url,
            content=content,
            content_type=media_type,
            author=self._channel.directory.user(str(file["user"])) if file.get("user") else "",
            created_at=_created(file),
            updated_at=_updated(file),
            parents=(self._channel.parent, *([place] if place else [])),
            readers=self._channel.readers,
            fingerprint=_mark(file),
        )

    def _content(self, file: Payload) -> tuple[bytes | str, str]:
        """What a file holds, and its media type. Raises AccessDenied where a sign-in page comes instead."""
        expected = content_type(file)
        if text := mail(file):
            return text, expected
        private, download = file.get("url_private"), file.get("url_private_download")
        place = str((private or download) if is_written_in_slack(file) else (download or private))
        where = place.partition("?")[0]

        def loaded(response: httpx.Response) -> tuple[bytes, str]:
            answered = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            redirected = unquote(response.url.path) != unquote(urlsplit(self._loader.anchored(place)).path)
            page = answered == HTML and (expected != HTML or redirected or bool(_SIGN_IN.search(response.content)))
            if page:
                raise AccessDenied(where, "Slack's sign-in page came instead of the file; the scope is files:read")
            # Old posts come as JSON.
            return response.content, answered if expected == HTML and answered == "application/json" else expected

        try:
            return self._loader.send("GET", place, parse=loaded)
        except AuthenticationFailed as error:
            # Other methods take the token, so what it lacks is this one's scope.
            raise AccessDenied(where, "the file host refused the token; the scope is files:read") from error

    def _place(self, file: Payload) -> Parent | None:
        """The document that holds the message with which a file came into the channel."""
        shares = [
            share
            for kind in (file.get("shares") or {}).values()
            for share in kind.get(self._channel.id) or ()
            if share.get("ts")
        ]
        if not shares:
            return None
        share = min(shares, key=lambda one: number(str(one["ts"])))
        if not is_reply(share):
            message = self._client.message(self._channel.id, str(share["ts"]))
            if not message or not is_thread(message):
                return self._channel.place({"ts": str(share["ts"])})
        thread = self._client.replies(self._channel.id, str(share.get("thread_ts") or share["ts"]))
        return self._channel.place(thread[0], thread) if thread else None


def files_of(message: Payload) -> Iterator[Payload]:
    """The files of a message, those of messages that it shares left out: these have a message of their own."""
    yield from (file for file in dicts(message.get("files")) if file.get("id"))


def channels_of(file: Payload) -> set[str]:
    """Ids of the channels in which a file is shared now."""
    told = {str(channel) for kind in ("channels", "groups") for channel in file.get(kind) or ()}
    return told | {str(channel) for kind in (file.get("shares") or {}).values() for channel in kind}


def _title(file: Payload) -> str:
    return str(file.get("title") or file.get("name") or file["id"])


def _created(file: Payload) -> datetime:
    return datetime.fromtimestamp(count(file.get("created") or file.get("timestamp")), UTC)


def _updated(file: Payload) -> datetime:
    """Canvases and snippets can be edited; other files stay as they were uploaded."""
    edited = count(file.get("updated") or file.get("edit_timestamp"))
    return max(_created(file), datetime.fromtimestamp(edited, UTC))


def _mark(file: Payload) -> str:
    return digest([_title(file), file.get("size"), _updated(file).isoformat()])
