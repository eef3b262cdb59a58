"""The service over four documents, with sign-in at a real OpenID provider."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from pydantic import SecretStr

from pipelines.service_settings import SignInSettings
from pipelines.services import Services
from tests.emulators.company import free_port
from tests.emulators.openid_server import NODE, NPM, OpenIdServer, openid_server
from tests.pipelines.service.serving import app_of, served


@pytest.fixture(scope="session")
def provider() -> Iterator[OpenIdServer]:
    if not (NODE and NPM):
        pytest.skip("SIGN-IN IS NOT TESTED: the OpenID provider of these tests needs node and npm on PATH")
    with openid_server() as running:
        yield running


@dataclass(frozen=True)
class SignInServer:
    """The service at `url`, which is registered with a provider."""

    url: str
    services: Services
    sign_in: SignInSettings

    @property
    def mcp(self) -> str:
        return f"{self.url}/mcp"


@contextmanager
def signing_in(services: Services, provider: OpenIdServer, **sign_in: object) -> Iterator[SignInServer]:
    """The service with these settings of `sign_in`, beside those of a client that is registered for it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    client_id, client_secret = provider.register(f"{url}/sign-in/callback")
    asked = {"issuer": provider.issuer, "client_id": client_id, "client_secret": SecretStr(client_secret), **sign_in}
    settings = services.settings.model_copy(update={"public_url": url, "sign_in": SignInSettings.model_validate(asked)})
    assert settings.sign_in
    with served(app_of(services, settings), port):
        yield SignInServer(url, services, settings.sign_in)


@pytest.fixture(scope="module")
def broker(services: Services, provider: OpenIdServer) -> Iterator[SignInServer]:
    with signing_in(services, provider) as running:
        yield running
