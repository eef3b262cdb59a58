"""What the receivers of all sources share: secrets, signatures, bodies."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace

import pytest
from pydantic import SecretStr

from connectors.settings import Connection
from connectors.webhooks import (
    DeliveryRefused,
    DeliveryUnreadable,
    Event,
    Invalidation,
    check_texts,
    content_id,
    parse_object,
    verify_signature,
)

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


HALVES = [
    b'{"id": "\\ud800"}',
    b'{"nested": [{"\\uDFFF": 1}]}',
    b'{"id": "\\ud83d \\ude00"}',
    '{"id": "\ud800"}'.encode("utf-8", "surrogatepass"),
]


@pytest.mark.parametrize("body", HALVES)
def test_half_a_character_is_no_text(body: bytes) -> None:
    with pytest.raises(DeliveryUnreadable):
        parse_object(body)


def test_a_whole_character_is_one_however_it_is_written() -> None:
    assert parse_object(b'{"id": "\\ud83d\\ude00"}') == {"id": "\U0001f600"}


@pytest.mark.parametrize("text", ["\ud800", "a\x00b", "x" * 2_000])
def test_names_that_no_database_takes_are_unreadable(text: str) -> None:
    event = Event("1", "edited", (Invalidation("document", "unit", "id"),))
    check_texts(event)
    for broken in (
        replace(event, id=text),
        replace(event, kind=text),
        replace(event, invalidations=(Invalidation("document", text, "id"),)),
        replace(event, invalidations=(Invalidation("document", "unit", text),)),
    ):
        with pytest.raises(DeliveryUnreadable):
            check_texts(broken)


def test_equal_bodies_are_the_same_event() -> None:
    assert content_id(BODY) == content_id(bytes(BODY)) != content_id(BODY + b" ")
