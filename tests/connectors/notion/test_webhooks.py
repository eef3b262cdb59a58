from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.notion.settings import NotionConnection
from connectors.notion.webhooks import receive
from connectors.webhooks import DeliveryRefused, DeliveryUnreadable, Event, Invalidation
from tests.emulators.notion import signature

SECRET = "secret_verification"
ENTITY, PARENT, PAGE = "153104cd-477e-80eb", "0ef104cd-477e-80e1", "153104cd-477e-803a"


@pytest.fixture
def connected(connection: NotionConnection) -> NotionConnection:
    return connection.model_copy(update={"webhook_secret": SecretStr(SECRET)})


def payload(kind: str, entity: str, data: Any) -> dict[str, Any]:
    """As the documentation shows each event: https://developers.notion.com/reference/webhooks-events-delivery"""
    return {
        "id": "367cba44-b6f3-4c92-81e7-6a2e9659efd4",
        "timestamp": "2024-12-05T23:55:34.285Z",
        "workspace_id": "13950b26-c203-4f3b-b97d-93ec06319565",
        "workspace_name": "Quantify Labs",
        "subscription_id": "29d75c0d-5546-4414-8459-7b7a92f1fc4b",
        "integration_id": "0ef2e755-4912-8096-91c1-00376a88a5ca",
        "type": kind,
        "authors": [{"id": "c7c11cca-1d73-471d-9b6e-bdef51470190", "type": "person"}],
        "accessible_by": [{"id": "556a1abf-4f08-40c6-878a-75890d2a88ba", "type": "person"}],
        "attempt_number": 1,
        "entity": {"id": ENTITY, "type": entity},
        "data": data,
    }


def received(connection: NotionConnection, delivery: dict[str, Any]) -> Event:
    body = json.dumps(delivery).encode()
    return receive(connection, signature(body), body, now=0.0)


def parent(kind: str = "page") -> dict[str, Any]:
    return {"parent": {"id": PARENT, "type": kind}}


ALONE = [ENTITY]
WITH_BELOW = [ENTITY, f"{ENTITY}/below"]
UNIT = [("units", ENTITY)]
DELETED_UNIT = [("units", ENTITY, "", False, True)]
BLOCKS = {"updated_blocks": [{"id": "b1", "type": "block"}, {"id": "p1", "type": "page"}]}
COLUMNS = {"updated_properties": [{"id": "kqLW", "name": "Created at", "action": "created"}]}
EVENTS: list[tuple[str, str, dict[str, Any], list[Any]]] = [
    ("page.created", "page", parent(), ALONE),
    ("page.created", "page", parent("space"), [*ALONE, *UNIT]),
    ("page.properties_updated", "page", parent() | {"updated_properties": ["XGe%40", "bDf%5B"]}, ALONE),
    ("page.properties_updated", "page", parent("space") | {"updated_properties": ["title"]}, WITH_BELOW),
    ("page.content_updated", "page", parent() | BLOCKS, ALONE),
    ("page.moved", "page", parent(), WITH_BELOW),
    ("page.moved", "page", parent("team"), [*WITH_BELOW, *UNIT]),
    ("page.deleted", "page", parent(), WITH_BELOW),
    ("page.deleted", "page", parent("space"), [*WITH_BELOW, *DELETED_UNIT]),
    ("page.undeleted", "page", parent(), WITH_BELOW),
    ("page.locked", "page", parent(), ALONE),
    ("page.unlocked", "page", parent(), ALONE),
    ("page.transcription_block.transcript_deleted", "page", {"target": {"id": "b", "type": "block"}}, ALONE),
    ("database.created", "database", parent(), ALONE),
    ("database.created", "block", parent(), ALONE),
    ("database.content_updated", "database", parent() | BLOCKS, [ENTITY, "p1"]),
    ("database.moved", "database", parent(), WITH_BELOW),
    ("database.deleted", "database", parent(), WITH_BELOW),
    ("database.undeleted", "database", parent(), WITH_BELOW),
    ("database.schema_updated", "database", parent() | COLUMNS, WITH_BELOW),
    ("data_source.content_updated", "data_source", parent() | BLOCKS, [ENTITY, "p1"]),
    ("data_source.created", "data_source", parent(), ALONE),
    ("data_source.deleted", "data_source", parent(), WITH_BELOW),
    ("data_source.moved", "data_source", parent("database"), [PARENT, f"{PARENT}/below"]),
    ("data_source.schema_updated", "data_source", parent() | COLUMNS, WITH_BELOW),
    ("data_source.undeleted", "data_source", parent(), WITH_BELOW),
    ("comment.created", "comment", parent() | {"page_id": PAGE}, [PAGE]),
    ("comment.created", "comment", parent("block") | {"page_id": PAGE}, [PAGE]),
    ("comment.updated", "comment", parent() | {"page_id": PAGE}, [PAGE]),
    ("comment.deleted", "comment", parent("block") | {"page_id": PAGE}, [PAGE]),
]


def changes(expected: list[Any]) -> tuple[Invalidation, ...]:
    """Documents by the rest of their ids, others by the fields of an invalidation."""
    return tuple(
        Invalidation("document", "", f"notion:acme-notion/{one}") if isinstance(one, str) else Invalidation(*one)
        for one in expected
    )


@pytest.mark.parametrize(("kind", "entity", "data", "expected"), EVENTS)
def test_events(connected: NotionConnection, kind: str, entity: str, data: Any, expected: list[Any]) -> None:
    event = received(connected, payload(kind, entity, data))
    assert event == Event("367cba44-b6f3-4c92-81e7-6a2e9659efd4", kind, changes(expected))
    takes_away = kind.rpartition(".")[2] in ("deleted", "moved", "transcript_deleted")
    assert {one.withdraws for one in event.invalidations} == {takes_away}
    is_deleted = kind in ("page.deleted", "database.deleted")  # of a data source the database stays
    assert {one.deleted for one in event.invalidations if one.scope == "document"} == {is_deleted}


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("file_upload.created", "uploads are read once they are on a page"),
        ("file_upload.upload_failed", "uploads"),
        ("view.updated", "a view shows rows that are read anyway"),
        ("page.painted", "'page.painted' is not known"),
        ("", "'unknown' is not known"),
    ],
)
def test_events_that_are_ignored(connected: NotionConnection, kind: str, reason: str) -> None:
    event = received(connected, payload(kind, "file_upload", {}))
    assert event.invalidations == ()
    assert reason in event.ignored


@pytest.mark.parametrize(
    ("headers", "secret"),
    [
        ({}, SECRET),
        ({"x-notion-signature": ""}, SECRET),
        ({"x-notion-signature": "sha256="}, SECRET),
        ({"x-notion-signature": "sha256=" + "0" * 64}, SECRET),
        ({"x-notion-signature": "sha256=é"}, SECRET),
        ({"x-notion-signature": signature(b"{}")["x-notion-signature"].removeprefix("sha256=")}, SECRET),
        (signature(b"{}", "another secret"), SECRET),
        (signature(b"another body"), SECRET),
        (signature(b"{}", ""), ""),
        (signature(b"{}"), None),
    ],
)
def test_deliveries_that_notion_did_not_sign(
    connection: NotionConnection, headers: dict[str, str], secret: str | None
) -> None:
    kept = SecretStr(secret) if secret is not None else None
    with pytest.raises(DeliveryRefused):
        receive(connection.model_copy(update={"webhook_secret": kept}), headers, b"{}", now=0.0)


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"[" * 100_000])
def test_signed_deliveries_that_are_no_event_are_unreadable(connected: NotionConnection, body: bytes) -> None:
    with pytest.raises(DeliveryUnreadable):
        receive(connected, signature(body), body, now=0.0)


AROUND = [("units",), ("unit",)]
HALF_READABLE: list[tuple[dict[str, Any], list[Any]]] = [
    (payload("page.moved", "page", {}), [*WITH_BELOW, ("units",)]),
    (payload("page.created", "page", {"parent": "home"}), [*ALONE, ("units",)]),
    (payload("page.deleted", "page", parent()) | {"entity": {"id": ENTITY}}, [*AROUND]),
    (payload("page.moved", "page", parent()) | {"entity": None}, AROUND),
    (payload("page.content_updated", "page", parent()) | {"entity": [ENTITY]}, AROUND),
    (payload("page.properties_updated", "page", None), WITH_BELOW),
    (payload("database.content_updated", "database", {"updated_blocks": [1]}), [*ALONE, *AROUND]),
    (payload("comment.created", "comment", parent()), [PARENT]),
    (payload("comment.created", "comment", parent("block")), AROUND),
    (payload("comment.deleted", "comment", {}), AROUND),
    (payload("page.painted", "page", parent()), ALONE),
    (payload("page.painted", "page", parent()) | {"entity": "odd"}, AROUND),
    (payload("data_source.painted", "data_source", parent("database")), [PARENT]),
]


@pytest.mark.parametrize(("delivery", "expected"), HALF_READABLE)
def test_an_event_that_does_not_tell_its_object_marks_what_is_around(
    connected: NotionConnection, delivery: dict[str, Any], expected: list[Any]
) -> None:
    assert received(connected, delivery).invalidations == changes(expected)


TOKEN = "secret_tMrlL1qK5vuQAh1b6cZG"
HANDSHAKE = json.dumps({"verification_token": TOKEN}).encode()


@pytest.mark.parametrize("headers", [{}, signature(HANDSHAKE, TOKEN)], ids=["unsigned", "signed with the token"])
@pytest.mark.parametrize(("secret", "offered"), [(None, TOKEN), ("an older one", TOKEN), (TOKEN, "")])
def test_a_verification_offers_its_token_unless_it_is_in_use(
    connection: NotionConnection, headers: dict[str, str], secret: str | None, offered: str
) -> None:
    kept = SecretStr(secret) if secret else None
    event = receive(connection.model_copy(update={"webhook_secret": kept}), headers, HANDSHAKE, now=0.0)
    assert (event.kind, event.invalidations, event.offered_secret) == ("verification", (), offered)
    assert TOKEN not in repr(event)


def test_a_verification_that_is_signed_with_something_else_is_refused(connection: NotionConnection) -> None:
    with pytest.raises(DeliveryRefused):
        receive(connection, signature(HANDSHAKE, "another"), HANDSHAKE, now=0.0)


@pytest.mark.parametrize(
    "body",
    [
        b'{"verification_token": 1}',
        b'{"verification_token": ""}',
        b'{"verification_token": "t", "type": "page.moved"}',
        json.dumps({"verification_token": "t" * 1_000}).encode(),
    ],
)
def test_what_only_looks_like_a_verification_is_refused(connected: NotionConnection, body: bytes) -> None:
    with pytest.raises(DeliveryRefused):
        receive(connected, {}, body, now=0.0)
