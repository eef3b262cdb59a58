"""Notion's webhooks: verified, and reduced to where to look again.

https://developers.notion.com/reference/webhooks · https://developers.notion.com/reference/webhooks-events-delivery

A delivery carries no time that its signature covers against replays beside its own id: one that comes again is the
same event, and says no more than to look at an object that is then read as it is. Where an event does not tell its
object, or tells it in a way that is not known, more is looked at and nothing is refused: Notion signed it.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from pydantic import ValidationError

from connectors.contract import all_below
from connectors.notion.payloads import EventData, NotionDelivery, NotionHandshake
from connectors.settings import Connection
from connectors.webhooks import (
    Event,
    Invalidation,
    content_id,
    fits,
    look_around,
    parse_object,
    verify_signature,
)

Invalidations: TypeAlias = tuple[Invalidation, ...]

_LONGEST_HANDSHAKE = 1_000
"""Bytes. Nobody has proved who sends it, so that no more than that is looked at."""
_SCHEME = "sha256="
_TOP = ("space", "team", "agent")
"""Kinds of parents that are no pages: what is there is a unit of its own."""
_PAGES = ("page", "database")
NOT_READ = {
    "file_upload": "uploads are read once they are on a page, and that is an event of the page",
    "view": "a view shows rows that are read anyway",
}
"""What events are ignored by the object that they are about, and why."""


def receive(connection: Connection, headers: Mapping[str, str], body: bytes, now: float) -> Event:
    """See `connectors.registry.receive`."""
    if token := _handshake_token(headers, body):
        return _verification(connection, token)
    verify_signature(connection, body, headers.get("x-notion-signature", ""), scheme=_SCHEME)
    delivery = NotionDelivery.model_validate(parse_object(body))
    event = _event(connection.id, delivery, content_id(body))
    return event.withdrawing() if delivery.type.endswith((".deleted", "_deleted", ".moved")) else event


def _handshake_token(headers: Mapping[str, str], body: bytes) -> str:
    """The token that Notion sends to an address that is to be verified, signed with that token itself; else empty.

    https://github.com/makenotion/notion-sdk-js#verifying-webhook-signatures; the reference shows it unsigned. Either
    way it proves nothing: whoever sends a token can sign with it.
    """
    if len(body) > _LONGEST_HANDSHAKE:
        return ""
    try:
        token = NotionHandshake.model_validate_json(body).verification_token
    except ValidationError:
        return ""
    signature = headers.get("x-notion-signature")
    return token if signature is None or fits(token, body, signature.removeprefix(_SCHEME)) else ""


def _verification(connection: Connection, token: str) -> Event:
    """A token that is not the one in use is offered, and it is an operator's to take it."""
    secret = connection.webhook_secret.get_secret_value() if connection.webhook_secret else ""
    known = hmac.compare_digest(secret.encode(), token.encode())
    return Event(
        content_id(token.encode()),
        "verification",
        ignored="Notion verifies this address" + (" with the `webhook_secret` in use" if known else ""),
        offered_secret="" if known else token,
    )


def _event(connection: str, delivery: NotionDelivery, body_id: str) -> Event:
    kind = delivery.type or "unknown"
    event_id = delivery.id or body_id
    if reason := NOT_READ.get(kind.partition(".")[0]):
        return Event(event_id, kind, ignored=reason)
    if kind not in _EVENTS and not _concerns_page(delivery):
        return Event(event_id, kind, ignored=f"the event {kind!r} is not known")
    found = _EVENTS.get(kind, _alone)(connection, delivery)
    return Event(event_id, kind, tuple(dict.fromkeys(found)))


def _concerns_page(delivery: NotionDelivery) -> bool:
    """Whether an event of a kind that is not known is about something that is read: kinds are added. Where it does not
    tell its object, its kind does."""
    subject = delivery.entity.type if delivery.entity else delivery.type.partition(".")[0]
    return subject in (*_PAGES, "data_source")


def _alone(connection: str, delivery: NotionDelivery) -> Invalidations:
    """The object itself has changed, and nothing that others show of it."""
    own = _subject(delivery)
    return (_document(connection, own),) if own else look_around()


def _properties(connection: str, delivery: NotionDelivery) -> Invalidations:
    """A title is one of the properties: what is below a page shows it."""
    is_renamed = delivery.data is None or "title" in delivery.data.updated_properties
    return _with_below(connection, delivery) if is_renamed else _alone(connection, delivery)


def _with_below(connection: str, delivery: NotionDelivery) -> Invalidations:
    """All that is below shows something of the object, or came or went with it."""
    own = _subject(delivery)
    if not own:
        return look_around()
    below = Invalidation("document", "", all_below(_document_id(connection, own)))
    return tuple(replace(one, deleted=_is_deletion(delivery)) for one in (_document(connection, own), below))


def _on_creation(connection: str, delivery: NotionDelivery) -> Invalidations:
    """At the top of the workspace that is a unit more."""
    return (*_alone(connection, delivery), *_unit(delivery))


def _on_move(connection: str, delivery: NotionDelivery) -> Invalidations:
    """The object went, came back or moved, and all below with it."""
    return (*_with_below(connection, delivery), *_unit(delivery))


def _unit(delivery: NotionDelivery) -> Invalidations:
    """The unit that an object at the top of the workspace is; all of them are listed where nobody tells."""
    parent, own = delivery.data.parent if delivery.data else None, _subject(delivery)
    if parent is None or not own:
        return (Invalidation("units"),)
    return (Invalidation("units", own, unit_deleted=_is_deletion(delivery)),) if parent.type in _TOP else ()


def _is_deletion(delivery: NotionDelivery) -> bool:
    """Whether the subject is in the trash, and all below with it; of a data source the database stays."""
    return delivery.type in ("page.deleted", "database.deleted")


def _contents(connection: str, delivery: NotionDelivery) -> Invalidations:
    """Rows that came or went are named where the contents of a database change."""
    if delivery.data is None:
        return (*_alone(connection, delivery), *look_around())
    updated = (entry.id for entry in delivery.data.updated_blocks if entry.type in _PAGES)
    return (*_alone(connection, delivery), *(_document(connection, own) for own in updated))


def _comment(connection: str, delivery: NotionDelivery) -> Invalidations:
    data = delivery.data or EventData()
    page = data.page_id or (data.parent.id if data.parent and data.parent.type == "page" else "")
    return (_document(connection, page),) if page else look_around()


def _subject(delivery: NotionDelivery) -> str:
    """Id of the page or database, empty where it cannot be read; a data source stands for its database, where the event
    says which that is."""
    if delivery.entity is None:
        return ""
    parent = delivery.data.parent if delivery.data else None
    if delivery.entity.type == "data_source" and parent and parent.type == "database":
        return parent.id
    return delivery.entity.id


def _document(connection: str, name: str) -> Invalidation:
    return Invalidation("document", "", _document_id(connection, name))


def _document_id(connection: str, name: str) -> str:
    return f"notion:{connection}/{name}"


_EVENTS: Mapping[str, Callable[[str, NotionDelivery], Invalidations]] = {
    "page.content_updated": _alone,
    "page.locked": _alone,
    "page.unlocked": _alone,
    "page.transcription_block.transcript_deleted": _alone,
    "page.properties_updated": _properties,
    "page.created": _on_creation,
    **dict.fromkeys(("page.deleted", "page.moved", "page.undeleted"), _on_move),
    **{
        f"{subject}.{what}": handler
        for subject in ("database", "data_source")
        for what, handler in (
            ("content_updated", _contents),
            # What it is called, or its properties, by whose names its rows are written.
            ("schema_updated", _with_below),
            ("created", _on_creation),
            ("deleted", _on_move),
            ("moved", _on_move),
            ("undeleted", _on_move),
        )
    },
    **dict.fromkeys(("comment.created", "comment.deleted", "comment.updated"), _comment),
}
