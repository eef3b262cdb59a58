"""Tokens that are used as they are, and tokens made from Google credentials."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt

from connectors.drive.client import DriveClient
from connectors.drive.settings import DriveConnection
from connectors.drive.source import connect
from connectors.errors import AuthenticationFailed, Unavailable

TOKEN_URI = "https://token.test/token"


@pytest.fixture(scope="module")
def service_account() -> dict[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return {
        "type": "service_account",
        "client_email": "robot@project.test",
        "private_key": pem,
        "token_uri": "https://elsewhere.test/token",
    }


USER = {"type": "authorized_user", "client_id": "id", "client_secret": "hush", "refresh_token": "refresh-hush"}


class Google:
    """A token endpoint and an API that takes the newest token only."""

    def __init__(self) -> None:
        self.issued = 0
        self.asked: list[dict[str, list[str]]] = []
        self.refusal: dict[str, Any] | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "drive.test":
            good = request.headers["authorization"] == f"Bearer token-{self.issued}"
            return httpx.Response(200 if good else 401, json={"user": {}})
        assert str(request.url) == TOKEN_URI, "credentials sent to another host"
        assert "authorization" not in request.headers
        self.asked.append(parse_qs(request.content.decode()))
        if self.refusal:
            return httpx.Response(400, json=self.refusal)
        self.issued += 1
        return httpx.Response(200, json={"access_token": f"token-{self.issued}", "expires_in": 3600})


def opened(token: str, google: Callable[[httpx.Request], httpx.Response]) -> DriveClient:
    connection = DriveConnection(
        id="acme", source="drive", token=token, base_url="https://drive.test/drive/v3", token_uri=TOKEN_URI
    )
    return DriveClient(connection, httpx.MockTransport(google))


def test_a_service_account_signs_for_its_tokens(service_account: dict[str, str]) -> None:
    google = Google()
    client = opened(json.dumps(service_account), google)
    client.about()
    client.about()
    assert (google.issued, client.requests) == (1, 2)
    assert google.asked[0]["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]


def test_a_service_account_acts_for_somebody(service_account: dict[str, str]) -> None:
    google = Google()
    connection = DriveConnection.model_validate(
        {
            "id": "acme",
            "source": "drive",
            "token": json.dumps(service_account),
            "base_url": "https://drive.test/drive/v3",
            "token_uri": TOKEN_URI,
            "subject": "ada@acme.test",
        }
    )
    DriveClient(connection, httpx.MockTransport(google)).about()
    claim = jwt.decode(google.asked[0]["assertion"][0], verify=False)  # type: ignore[no-untyped-call]
    assert (claim["sub"], claim["scope"]) == ("ada@acme.test", "https://www.googleapis.com/auth/drive.readonly")


def test_an_authorised_user_refreshes_tokens() -> None:
    google = Google()
    opened(json.dumps(USER), google).about()
    assert google.asked[0]["refresh_token"] == ["refresh-hush"]


def test_a_refused_token_is_renewed_once() -> None:
    google = Google()
    client = opened(json.dumps(USER), google)
    client.about()
    google.issued = 7
    client.about()
    assert len(google.asked) == 2


def test_refused_credentials_are_named_without_secrets() -> None:
    google = Google()
    google.refusal = {"error": "invalid_grant", "error_description": "Token has been revoked."}
    with pytest.raises(AuthenticationFailed, match="revoked") as caught:
        opened(json.dumps(USER), google).about()
    assert "hush" not in str(caught.value)
    assert TOKEN_URI in str(caught.value)


@pytest.mark.parametrize("status", [429, 500, 502])
def test_a_token_endpoint_in_trouble_says_nothing_about_the_credentials(status: int) -> None:
    answers = [httpx.Response(status, text="<html>")]
    google = Google()

    def troubled(request: httpx.Request) -> httpx.Response:
        return answers.pop() if request.url.host == "token.test" and answers else google(request)

    opened(json.dumps(USER), troubled).about()
    assert google.issued == 1
    answers += [httpx.Response(status, text="<html>") for _ in range(3)]
    with pytest.raises(Unavailable):
        opened(json.dumps(USER), troubled).about()


@pytest.mark.parametrize("text", ["{}", "{not json", '{"type": "service_account"}', '{"refresh_token": "hush"}'])
def test_json_that_holds_no_credentials_is_refused(text: str) -> None:
    client = opened(text, Google())
    with pytest.raises(AuthenticationFailed, match="neither") as caught:
        client.about()
    assert "hush" not in str(caught.value)


def test_a_plain_token_is_sent_as_it_is() -> None:
    google = Google()
    client = opened(" token-0 ", google)
    client.about()
    google.issued = 1
    with pytest.raises(AuthenticationFailed):
        client.about()
    assert google.asked == []


def test_opening_a_connection_sends_nothing() -> None:
    connector = connect(DriveConnection(id="acme", source="drive", token="t", base_url="http://127.0.0.1:9/drive/v3"))
    assert connector.requests == 0
    connector.close()
