"""Git repositories that no API shows, over HTTP: those of wikis.

https://docs.github.com/en/communities/documenting-your-project-with-wikis/about-wikis
Requests go through the same client as those to the API, to one host alone. dulwich reads what git says; nothing is
checked out, and no program, configuration or credential of the machine's git is used.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import httpx
from dulwich.objects import ShaFile

from connectors.errors import AccessDenied, AuthenticationFailed
from connectors.github.credentials import Credentials, with_renewal
from connectors.github.git_packs import read_pack
from connectors.github.git_protocol import (
    SERVICE,
    Advertisement,
    parse_advertisement,
    parse_pack,
    request_head,
    request_objects,
)
from connectors.github.responses import refusal, request_url
from connectors.http import ApiClient

T = TypeVar("T")

_USER_AGENT = "git/headrace"
"""GitHub takes those for git whose name begins so."""


def git_url(base_url: str) -> str:
    """Where the repositories are of which `base_url` is the REST API.

    https://docs.github.com/en/enterprise-server/rest/using-the-rest-api/getting-started-with-the-rest-api
    https://docs.github.com/en/enterprise-cloud@latest/admin/data-residency/network-details-for-ghecom

    >>> git_url("https://api.github.com"), git_url("https://ghe.acme.com/api/v3")
    ('https://github.com', 'https://ghe.acme.com')
    """
    url = base_url.rstrip("/").removesuffix("/v3").removesuffix("/api")
    host = urlsplit(url).hostname or ""
    is_clouds = host == "api.github.com" or (host.startswith("api.") and host.endswith(".ghe.com"))
    return url.replace("://api.", "://", 1) if is_clouds else url


class GitHost:
    """Every method may raise SourceError. Nothing here counts on the quota of the API."""

    def __init__(self, base_url: str, credentials: Credentials, transport: httpx.BaseTransport | None) -> None:
        self._credentials = credentials
        self._http = ApiClient(
            git_url(base_url),
            {"User-Agent": _USER_AGENT},
            check=refusal,
            credential=f"git {credentials.name}",
            transport=transport,
        )

    @property
    def requests(self) -> int:
        return self._http.requests

    def close(self) -> None:
        self._http.close()

    def advertised(self, repository: str) -> Advertisement:
        """Its head, in one small request. Raises NotFound where there is none, or none for these credentials."""
        path = f"{quote(repository)}.git/info/refs"
        return self._send("GET", path, parse_advertisement, {}, params={"service": SERVICE})

    def head(self, repository: str, advertised: Advertisement) -> dict[str, ShaFile]:
        """The newest commit with its folders, by SHA; with its files, where the server does not give single ones."""
        return self._fetch(repository, request_head(advertised))

    def objects(self, repository: str, shas: Sequence[str]) -> dict[str, ShaFile]:
        """Raises AnswerTooLarge where they are too much together."""
        return self._fetch(repository, request_objects(shas))

    def _fetch(self, repository: str, body: bytes) -> dict[str, ShaFile]:
        headers = {"Content-Type": f"application/x-{SERVICE}-request", "Accept": f"application/x-{SERVICE}-result"}
        return self._send("POST", f"{quote(repository)}.git/{SERVICE}", _objects, headers, content=body)

    def _send(
        self,
        method: str,
        path: str,
        parse: Callable[[httpx.Response], T],
        headers: Mapping[str, str],
        **request: Any,
    ) -> T:
        """Raises AccessDenied too where credentials are refused: the API has just taken them."""

        def send(authorization: str) -> T:
            shown = {**headers, "Authorization": basic(authorization)}
            return self._http.send(method, path, parse=parse, headers=shown, **request)

        try:
            return with_renewal(self._credentials, send)
        except AuthenticationFailed as error:
            raise AccessDenied(f"{self._http.base_url}/{path}", "git takes no such token") from error


def basic(authorization: str) -> str:
    """The token of a bearer as git shows it, whichever kind it is.

    https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation#about-authentication-as-a-github-app-installation
    """
    token = authorization.removeprefix("Bearer ")
    return f"Basic {base64.b64encode(f'x-access-token:{token}'.encode()).decode()}"


def _objects(response: httpx.Response) -> dict[str, ShaFile]:
    return read_pack(parse_pack(response), request_url(response))
