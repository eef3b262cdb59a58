"""Drive's push notifications: they only say that there are changes, and the channel's id says where.

https://developers.google.com/workspace/drive/api/guides/push#understanding-drive-api-notification-events
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from connectors.drive.push_channels import EVERYTHING, channel_token, feed_of
from connectors.drive.settings import DriveConnection
from connectors.webhooks import DeliveryRefused, Event, Invalidation, look_around, secret_of


def receive(connection: DriveConnection, headers: Mapping[str, str], body: bytes, now: float) -> Event:
    """See `connectors.registry.receive`. A notification has no body, and no time: a late one does no harm. One with
    a channel of another form, or of an unknown state, says that something has changed all the same."""
    channel_id = headers.get("x-goog-channel-id", "")
    _verify(connection, channel_id, headers.get("x-goog-channel-token", ""))
    state = headers.get("x-goog-resource-state", "")
    number = headers.get("x-goog-message-number", "")
    # Without its number a notification is one by itself: two would else be taken for the same.
    event_id = f"{channel_id} {number if number.isascii() and number.isdigit() else now}"
    if state == "sync":
        return Event(event_id, state, ignored="Google opens the channel")
    return Event(event_id, state or "unknown", _invalidations(feed_of(channel_id)))


def _invalidations(feed: str | None) -> tuple[Invalidation, ...]:
    """Where to look after a notification of a feed."""
    # The account's own feed covers every unit but the shared drives, and folders and drives that are new.
    return look_around() if feed in (EVERYTHING, None) else look_around(feed)


def _verify(connection: DriveConnection, channel_id: str, token: str) -> None:
    expected = channel_token(secret_of(connection), channel_id)
    if not hmac.compare_digest(expected.encode(), token.encode(errors="replace")):
        raise DeliveryRefused("the token does not fit the channel")
