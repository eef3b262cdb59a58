"""https://developers.notion.com/reference/webhooks-events-delivery"""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from connectors.payloads import LenientPayload, Payload


class NotionHandshake(Payload):
    """What Notion sends once, and nothing beside it, to an address that is to be verified."""

    model_config = ConfigDict(extra="forbid")

    verification_token: str = Field(pattern="^[!-~]+$", strict=True)


class EventEntity(Payload):
    id: str
    type: str


class EventData(Payload):
    """What an event says beside its object. `updated_properties` of a page are ids; `page_id` is a comment's.

    Not lenient: an event of which a part is lost would leave something unread. One that is not as documented is none.
    """

    parent: EventEntity | None = None
    updated_blocks: tuple[EventEntity, ...] = ()
    updated_properties: tuple[Any, ...] = ()
    page_id: str = ""


class NotionDelivery(LenientPayload):
    id: str = ""
    type: str = ""
    entity: EventEntity | None = None
    data: EventData | None = None
