"""Sign-in with the installed command: settings, a client's whole way, the audit log, and the end of access."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlencode

import httpx
import pytest

from tests.e2e.conftest import Folder
from tests.e2e.test_audit import serving
from tests.emulators.company import free_port
from tests.emulators.http_browser import HttpBrowser
from tests.emulators.openid_server import NODE, NPM, OpenIdServer, openid_server

ADA = "ada@example.com"
REDIRECT = "http://127.0.0.1:7777/callback"
VERIFIER = "a" * 50
CHALLENGE = "FgtOQz44TgXlN9xZtGf3yyQD8CFNsVxdtYhio_EVbS4"


@pytest.fixture(scope="module")
def provider() -> Iterator[OpenIdServer]:
    if not (NODE and NPM):
        pytest.skip("SIGN-IN IS NOT TESTED: the OpenID provider of these tests needs node and npm on PATH")
    with openid_server() as running:
        yield running


@pytest.fixture
def port(folder: Folder, provider: OpenIdServer) -> int:
    """Where the folder's settings have the service."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    client_id, client_secret = provider.register(f"{url}/sign-in/callback")
    sign_in = {"issuer": provider.issuer, "client_id": client_id, "client_secret": client_secret}
    folder.settings(public_url=url, sign_in=sign_in, audit={"file": "audit.jsonl"})
    return port


def tokens_of(url: str, browser: HttpBrowser) -> tuple[str, str]:
    """A client registers, has somebody sign in, and redeems its code: its id, and an access token."""
    asking = {"redirect_uris": [REDIRECT], "client_name": "Notebook"}
    client = httpx.post(f"{url}/register", json=asking, timeout=60).json()
    asked = {"response_type": "code", "client_id": client["client_id"], "redirect_uri": REDIRECT}
    asked |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    back = httpx.URL(browser.sign_in(f"{url}/authorize?{urlencode(asked)}", REDIRECT))
    given = {"grant_type": "authorization_code", "code": back.params["code"], "redirect_uri": REDIRECT}
    given |= {"client_id": client["client_id"], "code_verifier": VERIFIER}
    return client["client_id"], httpx.post(f"{url}/token", data=given).raise_for_status().json()["access_token"]


def search(url: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.post(f"{url}/v1/search", headers=headers, json={"query": "certificate"}).status_code


def test_a_sign_in_is_audited_listed_and_revoked(folder: Folder, port: int) -> None:
    checked = folder.headrace("check", "--json").json
    assert "/sign-in/callback" in str([one for one in checked["findings"] if one["subject"] == "sign_in"])
    with serving(folder, folder.path / "log", port) as url, HttpBrowser(ADA) as browser:
        client, token = tokens_of(url, browser)
        assert search(url, token) == 200
        (listed,) = folder.headrace("sign-ins", "list", "--json").json["sign_ins"]
        assert (listed["person"], listed["client"], listed["client_name"]) == (ADA, client, "Notebook")
        assert folder.headrace("sign-ins", "revoke", "--for", "Ada@Example.com").output == "1 ended\n"
        assert search(url, token) == 401
    assert folder.headrace("sign-ins", "revoke", listed["id"]).code == 2
    text = (folder.path / "audit.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(one["event"], one.get("person")) for one in lines] == [
        ("sign_in", ADA),
        ("query", ADA),
        ("grant_revoked", ADA),
        ("refusal", None),
    ]
    assert (lines[1]["proof"], lines[1]["client"]) == ("sign-in", client)
    assert token not in text
