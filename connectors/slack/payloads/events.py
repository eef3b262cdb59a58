"""Deliveries of the Events API. https://docs.slack.dev/apis/events-api"""

from __future__ import annotations

from connectors.payloads import Entries, LenientPayload
from connectors.slack.payloads.fields import ObjectId
from connectors.slack.payloads.messages import MessagePlace


class SlackEvent(MessagePlace):
    """An event of whichever type: https://docs.slack.dev/reference/events

    `message` and `previous_message` come where a message changed or went, and `deleted_ts` where it went.
    """

    type: str = "unknown"
    subtype: str = ""
    channel: ObjectId = ""
    channel_type: str = ""
    message: MessagePlace | None = None
    previous_message: MessagePlace | None = None
    deleted_ts: str = ""
    file_id: str = ""
    file: ObjectId = ""
    channel_id: str = ""
    channel_ids: Entries[str] = ()
    old_channel_id: str = ""
    new_channel_id: str = ""
    user: ObjectId = ""


class EventAuthorization(LenientPayload):
    user_id: str = ""


class EventEnvelope(LenientPayload):
    """https://docs.slack.dev/apis/events-api/#callback-field"""

    type: str = ""
    event_id: str = ""
    challenge: str | None = None
    event: SlackEvent | None = None
    authorizations: Entries[EventAuthorization] = ()
