"""Linear's webhooks: verified, and mapped to where to look again. https://linear.app/developers/webhooks"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from connectors.webhooks import (
    DeliveryRefused,
    DeliveryUnreadable,
    Event,
    Invalidation,
    content_id,
    parse_object,
    verify_signature,
)
from headrace_linear.documents import document_id
from headrace_linear.payloads import Delivery
from headrace_linear.settings import LinearConnection

MOST_SECONDS = 60.0
"""Between the time in a delivery and ours: Linear's advice, against deliveries that somebody sends again."""

_NOT_READ = "nothing that is read changes"


def receive(connection: LinearConnection, headers: Mapping[str, str], body: bytes, now: float) -> Event:
    """See `connectors.registry.receive`."""
    verify_signature(connection, body, headers.get("linear-signature", ""))
    try:
        delivery = Delivery.model_validate(parse_object(body))
    except ValidationError as error:
        raise DeliveryUnreadable(f"not as documented: {error.errors(include_url=False)[0]['loc']}") from error
    if abs(now - delivery.webhook_timestamp / 1000) > MOST_SECONDS:
        raise DeliveryRefused("the delivery is older than a minute, or from the future")
    found = _invalidations(connection.id, delivery)
    kind = f"{delivery.type}.{delivery.action}"
    event = Event(headers.get("linear-delivery") or content_id(body), kind, found, ignored="" if found else _NOT_READ)
    return event.withdrawing() if delivery.action == "remove" else event


def _invalidations(connection: str, delivery: Delivery) -> tuple[Invalidation, ...]:
    data = delivery.data
    match delivery.type:
        case "Issue":
            return (Invalidation("document", data.team_id, document_id(connection, data.id)),)
        case "Comment" if data.issue_id:  # others are comments of documents and project updates
            return (Invalidation("document", "", document_id(connection, data.issue_id)),)
        case "User":
            return (Invalidation("memberships"),)
    return ()
