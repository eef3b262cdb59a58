"""What a file of Slack holds: its bytes, what is written in Slack itself, what was said in it, or its rows."""

from __future__ import annotations

from contextlib import suppress

from connectors.errors import AccessDenied, NotFound
from connectors.file_content import FileContent, SkipFile, parse_content, read_content
from connectors.media import CSV
from connectors.model import HTML, PLAIN_TEXT
from connectors.slack.client import SlackClient
from connectors.slack.downloads import FileLoader
from connectors.slack.file_types import LARGEST, is_code, is_list, is_written_in_slack, mail_text, name_with_type
from connectors.slack.payloads import SlackFile
from connectors.slack.render.canvas import render_canvas
from connectors.slack.render.lists import list_as_csv
from connectors.slack.render.mrkdwn import Names
from connectors.slack.render.transcripts import transcript


class FileContents:
    """Reads what files hold; `names` are those of the channel whose readers will see it."""

    def __init__(self, client: SlackClient, loader: FileLoader, names: Names, *, pictures: bool) -> None:
        self._client = client
        self._loader = loader
        self._names = names
        self._pictures = pictures

    @property
    def requests(self) -> int:
        return self._client.requests + self._loader.requests

    def read(self, file: SlackFile) -> FileContent:
        """Raises SkipFile and SourceError."""
        if text := mail_text(file):
            return FileContent(text, PLAIN_TEXT)
        return self._read_list(file) if is_list(file) else self._download(file)

    def _read_list(self, file: SlackFile) -> FileContent:
        """A Slack List: as Slack writes it out, or where it does not, as its rows are told one by one."""
        if file.list_csv_download_url:
            with suppress(AccessDenied, NotFound):
                return read_content(*self._load(file), f"{file.id}.csv")
        items = self._client.list_items(file.id)
        return FileContent(list_as_csv(file.list_metadata.columns, items, self._names), CSV)

    def _download(self, file: SlackFile) -> FileContent:
        data, expected = self._load(file)
        if file.vtt:
            return FileContent(transcript(str(parse_content(data, PLAIN_TEXT).body)), PLAIN_TEXT)
        if is_code(file) and expected == PLAIN_TEXT:
            return parse_content(data, expected)
        content = read_content(data, expected, name_with_type(file), pictures=self._pictures)
        if is_written_in_slack(file) and content.media_type == HTML and isinstance(content.body, str):
            return FileContent(render_canvas(content.body, self._names), HTML)
        return content

    def _load(self, file: SlackFile) -> tuple[bytes, str]:
        data, expected = self._loader.load(file)
        if len(data) > LARGEST:  # the size that Slack tells may be wrong, or missing
            raise SkipFile(f"too large: more than {LARGEST // 1_000_000} MB")
        return data, expected
