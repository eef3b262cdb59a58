"""Tokens that are used as they are, and tokens made from Google credentials."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.responses import JSONResponse, Response

from connectors.drive.client import DriveClient
from connectors.drive.settings import DriveConnection
from connectors.drive.source import connect
from connectors.errors import AuthenticationFailed, Unavailable
from tests.emulators.drive import BASE_URL, REFRESH_TOKEN, TOKEN, GoogleDrive, transport

TOKEN_URI = f"{BASE_URL}/token"


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


def public_key(service_account: dict[str, str]) -> bytes:
    """In PEM."""
    key = serialization.load_pem_private_key(service_account["private_key"].encode(), None)
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


USER = {"type": "authorized_user", "client_id": "id", "client_secret": "hush", "refresh_token": REFRESH_TOKEN}


def opened(token: str, drive: GoogleDrive, **settings: Any) -> DriveClient:
    fields = {"id": "acme", "source": "drive", "token": token, "base_url": BASE_URL, "token_uri": TOKEN_URI}
    return DriveClient(DriveConnection.model_validate(fields | settings), transport(drive))


@pytest.mark.parametrize("subject", [None, "ada@acme.test"])
def test_a_service_account_signs_for_its_tokens(
    drive: GoogleDrive, service_account: dict[str, str], subject: str | None
) -> None:
    """For itself, or for whom it acts."""
    drive.tokens.public_key = public_key(service_account)
    client = opened(json.dumps(service_account), drive, subject=subject)
    client.about()
    client.about()
    assert (drive.tokens.issued, client.requests) == (1, 2)
    [claim] = drive.tokens.claims
    assert (claim.get("sub"), claim["scope"]) == (subject, "https://www.googleapis.com/auth/drive.readonly")


def test_an_authorised_user_refreshes_tokens(drive: GoogleDrive) -> None:
    opened(json.dumps(USER), drive).about()
    assert drive.tokens.issued == 1


def test_a_refused_token_is_renewed_once(drive: GoogleDrive) -> None:
    client = opened(json.dumps(USER), drive)
    client.about()
    drive.tokens.valid.clear()
    client.about()
    assert drive.tokens.issued == 2


def test_refused_credentials_are_named_without_secrets(drive: GoogleDrive) -> None:
    refusal = JSONResponse({"error": "invalid_grant", "error_description": "Token has been revoked."}, 400)
    drive.interrupt = lambda path, query: refusal if path == "token" else None
    with pytest.raises(AuthenticationFailed, match="revoked") as caught:
        opened(json.dumps(USER), drive).about()
    assert "hush" not in str(caught.value)
    assert REFRESH_TOKEN not in str(caught.value)
    assert TOKEN_URI in str(caught.value)


@pytest.mark.parametrize("status", [429, 500, 502])
def test_a_token_endpoint_in_trouble_says_nothing_about_the_credentials(drive: GoogleDrive, status: int) -> None:
    drive.fail(1, lambda: Response("<html>", status), only="token")
    opened(json.dumps(USER), drive).about()
    assert drive.tokens.issued == 1
    drive.fail(3, lambda: Response("<html>", status), only="token")
    with pytest.raises(Unavailable):
        opened(json.dumps(USER), drive).about()


@pytest.mark.parametrize("text", ["{}", '{"type": "service_account"}', '{"refresh_token": "hush"}'])
def test_json_that_holds_no_credentials_is_refused(drive: GoogleDrive, text: str) -> None:
    client = opened(text, drive)
    with pytest.raises(AuthenticationFailed, match="neither") as caught:
        client.about()
    assert "hush" not in str(caught.value)


def test_a_plain_token_is_sent_as_it_is(drive: GoogleDrive) -> None:
    client = opened(f" {TOKEN} ", drive)
    client.about()
    drive.tokens.valid.clear()
    with pytest.raises(AuthenticationFailed):
        client.about()
    assert drive.asked()["token"] == 0


def test_opening_a_connection_sends_nothing() -> None:
    connector = connect(DriveConnection(id="acme", source="drive", token="t", base_url="http://127.0.0.1:9/drive/v3"))
    assert connector.requests == 0
    connector.close()
