"""Files shared in a channel, as documents of their own. https://docs.slack.dev/reference/objects/file-object

Files are listed by channel and not taken from messages: so a thread that is read again does not load its files
again, and a file is found in whichever thread it was shared. Needs the scope files:read.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx

from connectors.connection import SlackConnection
from connectors.errors import AccessDenied, NotFound, RequestRejected
from connectors.http import ApiClient
from connectors.model import HTML, MARKDOWN, PLAIN_TEXT, Checkpoint, Deleted, Document, Item, Listed, Parent, Skipped
from connectors.slack.channel import Channel
from connectors.slack.client import Payload, SlackClient
from connectors.slack.progress import Progress, digest
from connectors.slack.reading import guarded

logger = logging.getLogger(__name__)

SLACK_API = "https://slack.com/api"
SLACK_FILES = "https://files.slack.com"
LARGEST = 25_000_000
"""Bytes of a file that is read."""
OVERLAP = 3_600
"""Seconds. Files shared that long before the newest one known are listed again: a share can come late."""

_OPENXML = "application/vnd.openxmlformats-officedocument"
_READ = {
    "application/json",
    "application/pdf",
    "application/xml",
    "application/yaml",
    "message/rfc822",
    f"{_OPENXML}.presentationml.presentation",
    f"{_OPENXML}.spreadsheetml.sheet",
    f"{_OPENXML}.wordprocessingml.document",
}
_WRITTEN_IN_SLACK = {"quip": HTML, "canvas": HTML, "space": HTML, "post": HTML}
_MARKDOWN_NAMES = (".md", ".markdown")
_PASSED_OVER = {
    "external": "kept outside Slack",
    "remote": "kept outside Slack",
    "hidden_by_limit": "hidden by the limit of the workspace's plan",
    "tombstone": "deleted",
}


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
    return ApiClient(files_url(connection), headers, transport=transport)


class Files:
    """The files of one channel."""

    def __init__(self, client: SlackClient, loader: ApiClient, channel: Channel) -> None:
        self._client = client
        self._loader = loader
        self._channel = channel

    def changed(self, progress: Progress) -> Iterator[Item]:
        """Files shared since the last read, newest first; all of them at first, from where it stopped."""
        first = progress.files is None or progress.files_before is not None
        since = None if first or progress.files is None else progress.files - OVERLAP
        known, recent = progress.recent_files, dict[str, str]()
        for page in self._pages(since=since, until=progress.files_before):
            for file in page:
                progress.files = max(progress.files or 0, _created(file))
                if _created(file) >= progress.files - OVERLAP:
                    recent[str(file["id"])] = _mark(file)
                if known.get(str(file["id"])) != _mark(file):
                    yield self._item(file)
            if first:
                progress.files_before = min(map(_created, page))
                yield Checkpoint(progress.cursor())
        progress.recent_files = recent or known
        progress.files_before = None

    def listed(self) -> Iterator[Listed]:
        for page in self._pages():
            yield from (Listed(self._channel.file_id(str(file["id"])), _title(file), mark=_mark(file)) for file in page)

    def again(self, file_id: str) -> Item:
        """A file as it is now; Deleted where it is gone or no longer shared in the channel."""
        document_id = self._channel.file_id(file_id)

        def read() -> Item:
            try:
                file = self._client.call("files.info", file=file_id).get("file") or {}
            except NotFound:
                return Deleted(document_id)
            if file.get("mode") == "tombstone" or self._channel.unit.id not in _channels(file):
                return Deleted(document_id)
            return self._document(file)

        return guarded(document_id, file_id, read)

    def _pages(self, since: int | None = None, until: int | None = None) -> Iterator[list[Payload]]:
        try:
            yield from self._client.files(self._channel.unit.id, since=since, until=until)
        except (AccessDenied, NotFound, RequestRejected) as error:  # a server may not know the method
            logger.info("%s: its files are not read: %s", self._channel.name, error)

    def _item(self, file: Payload) -> Item:
        return guarded(self._channel.file_id(str(file["id"])), _title(file), lambda: self._document(file))

    def _document(self, file: Payload) -> Item:
        document_id = self._channel.file_id(str(file["id"]))
        url = str(file.get("permalink") or "")
        if reason := unread(file):
            return Skipped(document_id, _title(file), reason, url)
        content = self._content(file)
        if not content.strip():
            return Skipped(document_id, _title(file), "empty", url)
        shared = datetime.fromtimestamp(_created(file), UTC)
        updated = file.get("updated") or file.get("edit_timestamp")
        return Document(
            id=document_id,
            source="slack",
            connection=self._channel.connection.id,
            unit=self._channel.unit.id,
            kind="file",
            title=_title(file),
            url=url,
            content=content,
            content_type=content_type(file) or PLAIN_TEXT,
            author=self._channel.directory.user(str(file["user"])) if file.get("user") else "",
            created_at=shared,
            updated_at=datetime.fromtimestamp(int(updated), UTC) if updated else shared,
            parents=(self._channel.parent, *self._thread(file)),
            readers=self._channel.readers,
            mark=_mark(file),
        )

    def _thread(self, file: Payload) -> tuple[Parent, ...]:
        """The thread in which a file was shared, where Slack tells it."""
        for shares in (file.get("shares") or {}).values():
            for share in shares.get(self._channel.unit.id) or ():
                if ts := share.get("thread_ts"):
                    return (Parent(self._channel.thread_id(str(ts)), "thread"),)
        return ()

    def _content(self, file: Payload) -> bytes:
        """Raises AccessDenied where Slack answers with its sign-in page instead of the file."""
        place = str(file.get("url_private_download") or file["url_private"])

        def loaded(response: httpx.Response) -> bytes:
            answered = response.headers.get("content-type", "").partition(";")[0]
            if answered == HTML and content_type(file) != HTML:
                raise AccessDenied(place.partition("?")[0], "a page instead of the file; add the scope files:read")
            return response.content

        return self._loader.send("GET", place, parse=loaded)


def unread(file: Payload) -> str | None:
    """Why a file is passed over, None if it is to be read."""
    if reason := _PASSED_OVER.get(str(file.get("mode"))):
        return reason
    if file.get("is_external"):
        return _PASSED_OVER["external"]
    if content_type(file) is None:
        return f"no text in files of type {file.get('mimetype') or file.get('filetype') or 'unknown'}"
    size = int(file.get("size") or 0)
    if size > LARGEST:
        return f"larger than {LARGEST / 1e6:g} MB ({size / 1e6:.1f} MB)"
    return None if file.get("url_private") else "no address to load it from"


def content_type(file: Payload) -> str | None:
    """Media type of a file that is read, None for any other."""
    if written := _WRITTEN_IN_SLACK.get(str(file.get("filetype"))) or _WRITTEN_IN_SLACK.get(str(file.get("mode"))):
        return written
    declared = str(file.get("mimetype") or "").partition(";")[0].strip().lower()
    if str(file.get("name") or "").lower().endswith(_MARKDOWN_NAMES):
        return MARKDOWN
    return declared if declared in _READ or declared.startswith("text/") else None


def _title(file: Payload) -> str:
    return str(file.get("title") or file.get("name") or file["id"])


def _created(file: Payload) -> int:
    return int(file.get("created") or file.get("timestamp") or 0)


def _mark(file: Payload) -> str:
    """Changes when a file is renamed or edited; canvases and snippets can be."""
    return digest([file.get(key) for key in ("title", "name", "size", "mode", "updated", "edit_timestamp")])


def _channels(file: Payload) -> set[str]:
    return {str(channel) for kind in ("channels", "groups", "ims") for channel in file.get(kind) or ()}
