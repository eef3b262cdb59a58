"""Official clients sign a person in, search as that person, and lose it: through the broker, and with tokens of the
provider itself."""

from __future__ import annotations

import asyncio
import webbrowser
from collections.abc import Iterator
from typing import Any

import httpx
import httpx2
import pytest
from fastmcp import Client as FastMcpClient
from fastmcp.client.auth import OAuth
from mcp.client import Client
from mcp.client.auth import OAuthClientProvider, TokenStorage
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl

from pipelines.services import Services
from tests.emulators.http_browser import HttpBrowser
from tests.emulators.openid_server import OpenIdServer
from tests.pipelines.service.conftest import ADA, BO, SEES
from tests.pipelines.service.sign_in.conftest import SignInServer, signing_in

REDIRECT = "http://127.0.0.1:7777/callback"


class Kept(TokenStorage):
    """What a client keeps between two runs."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


def official(server: SignInServer, browser: HttpBrowser, kept: TokenStorage) -> OAuthClientProvider:
    """The official Python client's OAuth, which opens this browser."""
    shown: list[str] = []

    async def show(url: str) -> None:
        shown.append(url)

    async def come_back() -> AuthorizationCodeResult:
        url = await asyncio.to_thread(browser.sign_in, shown[-1], REDIRECT)
        return AuthorizationCodeResult(**dict(httpx.URL(url).params))

    metadata = OAuthClientMetadata(client_name="Notebook", redirect_uris=[AnyUrl(REDIRECT)])
    return OAuthClientProvider(server.mcp, metadata, kept, show, come_back)


async def search(url: str, auth: httpx2.Auth) -> Any:
    async with (
        httpx2.AsyncClient(auth=auth) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        return await client.call_tool("search", {"query": "certificate has expired"})


def found(result: Any) -> int:
    assert not result.is_error
    return len(result.structured_content["results"])


@pytest.fixture(scope="module")
def direct(services: Services, provider: OpenIdServer) -> Iterator[SignInServer]:
    """The provider makes its tokens for `/mcp`, and clients register there."""
    with signing_in(
        services, provider, client_id=None, audience=("http://any",), oauth_scopes=("openid", "email")
    ) as one:
        yield one


@pytest.mark.parametrize("person", [ADA, BO])
def test_the_official_client_searches_as_whoever_signs_in(broker: SignInServer, person: str) -> None:
    with HttpBrowser(person) as browser:
        result = asyncio.run(search(broker.mcp, official(broker, browser, Kept())))
    assert found(result) == len(SEES[person])
