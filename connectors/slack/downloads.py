"""The bytes of files. https://docs.slack.dev/messaging/working-with-files"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

import httpx

from connectors.errors import AccessDenied, AuthenticationFailed, InvalidResponse
from connectors.http import ApiClient
from connectors.media import JSON
from connectors.model import HTML
from connectors.response_bodies import file_bytes
from connectors.slack.file_types import content_type, download_url, least_size
from connectors.slack.payloads import SlackFile
from connectors.slack.refusals import refusal
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


class FileLoader:
    """Loads files; the token goes to the configured host only."""

    def __init__(
        self, connection: SlackConnection, sibling: ApiClient, transport: httpx.BaseTransport | None = None
    ) -> None:
        """`sibling` is the client of the API: where one of the two hosts is down, so may the other be."""
        self._pictures = connection.reads_pictures
        token = connection.token.get_secret_value().strip()
        headers = {"Authorization": f"Bearer {token}", "User-Agent": "headrace"}
        self._api = ApiClient(
            files_url(connection), headers, tier=lambda path: "files", transport=transport, sibling=sibling
        )

    @property
    def requests(self) -> int:
        return self._api.requests

    def close(self) -> None:
        self._api.close()

    def load(self, file: SlackFile) -> tuple[bytes, str]:
        """What a file holds, and its media type as far as it is known without that.

        Raises AccessDenied where a sign-in page comes instead, InvalidResponse where the file was cut short, and what
        Slack says in place of the file.
        """
        url = download_url(file)
        expected, where = content_type(file, pictures=self._pictures) or "", url.partition("?")[0]

        def read(response: httpx.Response) -> tuple[bytes, str]:
            declared = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if declared == HTML and (expected != HTML or self._is_sign_in(response, url)):
                raise AccessDenied(where, "Slack's sign-in page came instead of the file; the scope is files:read")
            data = file_bytes(response)
            if declared == JSON and len(data) != file.size and (error := refusal(response)):
                raise error
            if len(data) < least_size(file):
                raise InvalidResponse(where, f"{len(data)} of {file.size} bytes")
            # Old posts come as JSON.
            return data, JSON if expected == HTML and declared == JSON else expected

        try:
            return self._api.send("GET", url, parse=read)
        except AuthenticationFailed as error:
            # Other methods take the token, so what it lacks is this one's scope.
            raise AccessDenied(where, "the file host refused the token; the scope is files:read") from error

    def _is_sign_in(self, response: httpx.Response, url: str) -> bool:
        redirected = unquote(response.url.path) != unquote(urlsplit(self._api.anchored(url)).path)
        return redirected or bool(_SIGN_IN.search(response.content))
