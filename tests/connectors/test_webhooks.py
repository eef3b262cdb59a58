"""What the receivers of all sources share: secrets, signatures, bodies."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from pydantic import SecretStr

from connectors.settings import Connection
from connectors.webhooks import DeliveryRefused, DeliveryUnreadable, content_id, parse_object, verify_signature

BODY = b'{"action": "opened"}'


def connection(secret: str | None) -> Connection:
    return Connection(
        id="acme",
        source="any",
        token=SecretStr("t"),
        base_url="https://acme.test",
        webhook_secret=SecretStr(secret) if secret is not None else None,
    )


def signature(secret: str, body: bytes = BODY, scheme: str = "sha256=") -> str:
    return scheme + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_a_signature_that_fits_passes() -> None:
    verify_signature(connection("s3cret"), BODY, signature("s3cret"), scheme="sha256=")
    verify_signature(connection("s3cret"), BODY, signature("s3cret", scheme=""))


@pytest.mark.parametrize(
    ("secret", "given"),
    [
        ("s3cret", ""),
        ("s3cret", "sha256="),
        ("s3cret", signature("other")),
        ("s3cret", signature("s3cret", b"another body")),
        ("s3cret", signature("s3cret", scheme="")),
        ("s3cret", signature("s3cret", scheme="sha1=")),
        ("s3cret", "sha256=\ud800é"),
        ("", signature("")),
        (None, signature("")),
    ],
)
def test_any_other_is_refused(secret: str | None, given: str) -> None:
    with pytest.raises(DeliveryRefused):
        verify_signature(connection(secret), BODY, given, scheme="sha256=")


def test_a_body_is_a_json_object() -> None:
    assert parse_object(BODY) == {"action": "opened"}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"null", b"\xff", b"[" * 100_000])
def test_any_other_body_is_unreadable(body: bytes) -> None:
    with pytest.raises(DeliveryUnreadable):
        parse_object(body)


def test_equal_bodies_are_the_same_event() -> None:
    assert content_id(BODY) == content_id(bytes(BODY)) != content_id(BODY + b" ")
