"""Official clients sign a person in, search as that person, and lose it: through the broker, and with tokens of the
provider itself."""

from __future__ import annotations

import asyncio
import threading
import webbrowser
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
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
from sqlalchemy import update

from pipelines.catalog import tables
from pipelines.services import Services
from tests.emulators.company import free_port
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


def official(server: SignInServer, browser: HttpBrowser | None, kept: TokenStorage) -> OAuthClientProvider:
    """The official Python client's OAuth, which opens this browser."""
    shown: list[str] = []

    async def show(url: str) -> None:
        shown.append(url)

    async def come_back() -> AuthorizationCodeResult:
        assert browser, "nobody is there to sign in"
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


def by_fastmcp(server: SignInServer, browser: HttpBrowser, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What `fastmcp` finds; it serves its own redirect, and starts a browser that this one stands for."""

    def start(url: str, *_: object) -> bool:
        threading.Thread(target=browser.sign_in, args=(url, "\n")).start()
        return True

    monkeypatch.setattr(webbrowser, "open", start)

    async def ask() -> Any:
        async with FastMcpClient(server.mcp, auth=OAuth()) as client:
            return await client.call_tool("search", {"query": "certificate has expired"})

    return asyncio.run(ask())


@pytest.fixture(scope="module")
def direct(services: Services, provider: OpenIdServer) -> Iterator[SignInServer]:
    """Clients register at the provider, which makes its tokens for `/mcp`."""
    port = free_port()
    known = {
        "issuer": provider.issuer,
        "audience": [f"http://127.0.0.1:{port}/mcp"],
        "oauth_scopes": ["openid", "email"],
    }
    with signing_in(services, port, known) as running:
        yield running


@pytest.fixture(params=["broker", "direct"])
def server(request: pytest.FixtureRequest) -> SignInServer:
    found: SignInServer = request.getfixturevalue(request.param)
    return found


def people_search(server: SignInServer, access_token: str, **body: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {access_token}"}
    return httpx.post(f"{server.url}/v1/search", headers=headers, json={"query": "certificate has expired", **body})


def test_the_official_client_searches_as_whoever_signs_in(server: SignInServer) -> None:
    for person in (ADA, BO):
        with HttpBrowser(person) as browser:
            assert found(asyncio.run(search(server.mcp, official(server, browser, Kept())))) == len(SEES[person])


@pytest.mark.filterwarnings("ignore:Using in-memory token storage")
def test_fastmcp_searches_as_whoever_signs_in(server: SignInServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with HttpBrowser(BO) as browser:
        result = by_fastmcp(server, browser, monkeypatch)
    assert len(result.structured_content["results"]) == len(SEES[BO])


def test_a_client_refreshes_without_its_person(server: SignInServer) -> None:
    kept = Kept()
    with HttpBrowser(ADA) as browser:
        auth = official(server, browser, kept)
        asyncio.run(search(server.mcp, auth))
        led, first = len(browser.sent), kept.tokens
        auth.context.token_expiry_time = 1.0  # long ago
        assert found(asyncio.run(search(server.mcp, auth))) == len(SEES[ADA])
    assert len(browser.sent) == led
    assert kept.tokens != first


def test_a_revoked_grant_ends_at_once(broker: SignInServer) -> None:
    kept = signed_in(broker, ADA)
    assert kept.tokens
    assert people_search(broker, kept.tokens.access_token).status_code == 200
    broker.services.catalog.grants.revoke_all(ADA)
    assert people_search(broker, kept.tokens.access_token).status_code == 401
    with pytest.raises(Exception, match="unhandled errors"):  # it needs its person again
        asyncio.run(search(broker.mcp, official(broker, None, kept)))


def test_a_client_that_gives_its_tokens_back_has_none(broker: SignInServer) -> None:
    kept = signed_in(broker, ADA)
    assert kept.tokens
    assert kept.client
    given = {"token": kept.tokens.refresh_token, "client_id": kept.client.client_id}
    assert httpx.post(f"{broker.url}/revoke", data=given).status_code == 200
    assert people_search(broker, kept.tokens.access_token).status_code == 401


def test_without_a_refresh_token_access_ends_with_the_access_token(broker: SignInServer) -> None:
    kept = signed_in(broker, ADA)
    assert kept.tokens
    assert kept.tokens.expires_in == 600
    past = datetime.now(UTC) - timedelta(seconds=1)
    with broker.services.catalog._engine.begin() as transaction:
        transaction.execute(update(tables.grants).values(access_until=past))
    refused = people_search(broker, kept.tokens.access_token)
    assert refused.status_code == 401
    described = f"{broker.url}/.well-known/oauth-protected-resource/mcp"
    assert refused.headers["www-authenticate"] == f'Bearer resource_metadata="{described}", error="invalid_token"'
    assert "sign in again" in refused.json()["detail"]
    unasked = httpx.post(broker.mcp, json={})  # RFC 6750: no error where nothing was sent
    assert unasked.headers["www-authenticate"] == f'Bearer resource_metadata="{described}"'


def test_nobody_else_can_be_named(server: SignInServer) -> None:
    kept = signed_in(server, ADA)
    assert kept.tokens
    assert people_search(server, kept.tokens.access_token, user=ADA).status_code == 200
    assert people_search(server, kept.tokens.access_token, user=BO).status_code == 403


def signed_in(server: SignInServer, person: str) -> Kept:
    """What a client keeps after it has signed a person in."""
    kept = Kept()
    with HttpBrowser(person) as browser:
        asyncio.run(search(server.mcp, official(server, browser, kept)))
    return kept
