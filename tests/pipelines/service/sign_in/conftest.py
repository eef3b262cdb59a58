"""The service over four documents, with sign-in at a real OpenID provider."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

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
    """The service at `url`, where people sign in."""

    url: str
    services: Services

    @property
    def mcp(self) -> str:
        return f"{self.url}/mcp"


@contextmanager
def signing_in(services: Services, port: int, sign_in: Mapping[str, Any]) -> Iterator[SignInServer]:
    """The service with these settings of `sign_in`."""
    url = f"http://127.0.0.1:{port}"
    changed = {"public_url": url, "sign_in": SignInSettings.model_validate(sign_in)}
    with served(app_of(services, services.settings.model_copy(update=changed)), port):
        yield SignInServer(url, services)


@pytest.fixture(scope="module")
def broker(services: Services, provider: OpenIdServer) -> Iterator[SignInServer]:
    """A client of the provider, as which Headrace signs people in."""
    port = free_port()
    client_id, client_secret = provider.register(f"http://127.0.0.1:{port}/sign-in/callback")
    known = {"issuer": provider.issuer, "client_id": client_id, "client_secret": client_secret}
    with signing_in(services, port, known) as running:
        # The first of these requests imports the SDK, which can take longer than a test waits.
        httpx.post(f"{running.url}/token", timeout=120)
        yield running
