"""Notion's webhooks: verified, and reduced to where to look again.

https://developers.notion.com/reference/webhooks · https://developers.notion.com/reference/webhooks-events-delivery

A delivery carries no time that its signature covers against replays beside its own id: one that comes again is the
same event, and says no more than to look at an object that is then read as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from connectors.notion.source import BELOW
from connectors.settings import Connection
from connectors.webhooks import DeliveryRefused, DeliveryUnreadable, Event, Invalidation, content_id, signed

Payload: TypeAlias = dict[str, Any]
Invalidations: TypeAlias = tuple[Invalidation, ...]

_LONGEST_HANDSHAKE = 1_000
"""Bytes. Nobody has signed it, so no more than that is taken from whoever sends it."""
_SCHEME = "sha256="
_TOP = ("space", "team", "agent")
"""Kinds of parents that are no pages: what stands there is a unit of its own."""
_PAGES = ("page", "database")
NOT_READ = {
    "file_upload": "uploads are read once they stand on a page, and that is an event of the page",
    "view": "a view shows rows that are read anyway",
}
"""What events are ignored by the object that they are about, and why."""


def receive(connection: Connection, headers: Mapping[str, str], body: bytes, now: float) -> Event:
    """See `connectors.webhooks.receive`."""
    if token := _handshake(headers, body):
        return _verification(connection, token)
    _verify(connection, headers, body)
    return _event(connection.id, _parsed(body), content_id(body))


def _handshake(headers: Mapping[str, str], body: bytes) -> str:
    """The token that Notion sends once, without a signature, to an address that is to be verified; else empty."""
    if "x-notion-signature" in headers or len(body) > _LONGEST_HANDSHAKE:
        return ""
    try:
        delivery = _parsed(body)
    except DeliveryUnreadable:
        return ""
    token = delivery.get("verification_token")
    return token if isinstance(token, str) and len(delivery) == 1 else ""


def _verification(connection: Connection, token: str) -> Event:
    """A token is taken only as long as there is none: whoever sends one later gains nothing and leaves nothing."""
    secret = connection.webhook_secret.get_secret_value() if connection.webhook_secret else ""
    if secret and secret != token:
        raise DeliveryRefused(f"{connection.id} has another `webhook_secret`; empty it to verify the address anew")
    advice = (
        "this is the `webhook_secret` in use; confirm it in the integration's webhook settings"
        if secret
        else "`headrace events show` tells the `verification_token`: put it into the connection's `webhook_secret`, "
        "and confirm it in the integration's webhook settings"
    )
    return Event(content_id(token.encode()), "verification", ignored=f"Notion verifies this address: {advice}")


def _verify(connection: Connection, headers: Mapping[str, str], body: bytes) -> None:
    if not connection.webhook_secret or not connection.webhook_secret.get_secret_value():
        raise DeliveryRefused(f"{connection.id} has no `webhook_secret`")
    scheme, _, signature = headers.get("x-notion-signature", "").partition("=")
    if f"{scheme}=" != _SCHEME or not signed(connection.webhook_secret.get_secret_value(), body, signature):
        raise DeliveryRefused("the signature does not fit the body")


def _parsed(body: bytes) -> Payload:
    try:
        delivery = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise DeliveryUnreadable(f"not JSON: {type(error).__name__}") from error
    if not isinstance(delivery, dict):
        raise DeliveryUnreadable("not a JSON object")
    return delivery


def _event(connection: str, delivery: Payload, body_id: str) -> Event:
    kind = str(delivery.get("type") or "unknown")
    event_id = str(delivery.get("id") or body_id)
    if reason := NOT_READ.get(kind.partition(".")[0]):
        return Event(event_id, kind, ignored=reason)
    if kind not in _EVENTS:
        return Event(event_id, kind, ignored=f"the event {kind!r} is not known")
    try:
        changes = tuple(dict.fromkeys(_EVENTS[kind](connection, delivery)))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DeliveryUnreadable(f"{kind}: the payload is not as documented: {error!r}") from error
    return Event(event_id, kind, changes)


def _alone(connection: str, delivery: Payload) -> Invalidations:
    """The object itself has changed, and nothing that others show of it."""
    return (_document(connection, _subject(delivery)),)


def _properties(connection: str, delivery: Payload) -> Invalidations:
    """A title is one of the properties: what stands below a page shows it."""
    renamed = "title" in delivery["data"].get("updated_properties", ())
    return _with_below(connection, delivery) if renamed else _alone(connection, delivery)


def _with_below(connection: str, delivery: Payload) -> Invalidations:
    """All that stands below shows something of the object, or came or went with it."""
    own = _subject(delivery)
    return (_document(connection, own), _document(connection, f"{own}/{BELOW}"))


def _created(connection: str, delivery: Payload) -> Invalidations:
    """At the top of the workspace that is a unit more."""
    return (*_alone(connection, delivery), *_unit(delivery))


def _placed(connection: str, delivery: Payload) -> Invalidations:
    """The object went, came back or moved, and all below with it."""
    return (*_with_below(connection, delivery), *_unit(delivery))


def _unit(delivery: Payload) -> Invalidations:
    is_unit = delivery["data"]["parent"]["type"] in _TOP
    return (Invalidation("units", _subject(delivery)),) if is_unit else ()


def _contents(connection: str, delivery: Payload) -> Invalidations:
    """Rows that came or went are named where the contents of a database change."""
    updated = [entry for entry in delivery["data"].get("updated_blocks", ()) if entry["type"] in _PAGES]
    return (*_alone(connection, delivery), *(_document(connection, str(entry["id"])) for entry in updated))


def _comment(connection: str, delivery: Payload) -> Invalidations:
    return (_document(connection, str(delivery["data"]["page_id"])),)


def _subject(delivery: Payload) -> str:
    """Id of the page or database; a data source stands for its database, where the event tells which that is."""
    entity = delivery["entity"]
    parent = delivery.get("data", {}).get("parent", {})
    is_source = entity["type"] == "data_source" and parent.get("type") == "database"
    return str(parent["id"] if is_source else entity["id"])


def _document(connection: str, name: str) -> Invalidation:
    return Invalidation("document", "", f"notion:{connection}/{name}")


_EVENTS: Mapping[str, Callable[[str, Payload], Invalidations]] = {
    "page.content_updated": _alone,
    "page.locked": _alone,
    "page.unlocked": _alone,
    "page.transcription_block.transcript_deleted": _alone,
    "page.properties_updated": _properties,
    "page.created": _created,
    **dict.fromkeys(("page.deleted", "page.moved", "page.undeleted"), _placed),
    **{
        f"{subject}.{what}": handler
        for subject in ("database", "data_source")
        for what, handler in (
            ("content_updated", _contents),
            # What it is called, or its properties, by whose names its rows are written.
            ("schema_updated", _with_below),
            ("created", _created),
            ("deleted", _placed),
            ("moved", _placed),
            ("undeleted", _placed),
        )
    },
    **dict.fromkeys(("comment.created", "comment.deleted", "comment.updated"), _comment),
}
