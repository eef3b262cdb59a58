"""Deliveries of the Events API. https://docs.slack.dev/apis/events-api"""

from __future__ import annotations

from pydantic import PrivateAttr, ValidationError

from connectors.payloads import Entries, LenientPayload
from connectors.slack.payloads.fields import Identifier, ObjectId, Timestamp
from connectors.slack.payloads.messages import MessagePlace


class SlackEvent(MessagePlace):
    """An event of whichever type: https://docs.slack.dev/reference/events

    `message` and `previous_message` come where a message changed or went, and `deleted_ts` where it went.
    `is_damaged` says that something is missing here because it was not as documented.
    """

    type: str = "unknown"
    thread_ts: Timestamp = ""
    subtype: str = ""
    channel: ObjectId = ""
    channel_type: str = ""
    message: MessagePlace | None = None
    previous_message: MessagePlace | None = None
    deleted_ts: str = ""
    file_id: Identifier = ""
    file: ObjectId = ""
    channel_id: Identifier = ""
    channel_ids: Entries[Identifier] = ()
    old_channel_id: Identifier = ""
    new_channel_id: Identifier = ""
    user: ObjectId = ""
    _is_damaged: bool = PrivateAttr(False)

    @property
    def is_damaged(self) -> bool:
        return self._is_damaged

    def _note_fault(self, error: ValidationError) -> None:
        self._is_damaged = True


class EventAuthorization(LenientPayload):
    user_id: str = ""


class EventEnvelope(LenientPayload):
    """https://docs.slack.dev/apis/events-api/#callback-field"""

    type: str = ""
    event_id: str = ""
    challenge: str | None = None
    event: SlackEvent | None = None
    authorizations: Entries[EventAuthorization] = ()
