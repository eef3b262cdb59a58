"""Drive's push notifications: they only say that there are changes, and the channel's id says where.

https://developers.google.com/workspace/drive/api/guides/push#understanding-drive-api-notification-events
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from connectors.drive.push_channels import EVERYTHING, channel_token, feed_of
from connectors.drive.settings import DriveConnection
from connectors.webhooks import DeliveryRefused, DeliveryUnreadable, Event, Invalidation, secret_of

_STATES_OF_CHANGE = {"add", "change", "remove", "trash", "untrash", "update"}


def receive(connection: DriveConnection, headers: Mapping[str, str], body: bytes, now: float) -> Event:
    """See `connectors.registry.receive`. A notification has no body, and no time: a late one does no harm."""
    channel_id = headers.get("x-goog-channel-id", "")
    _verify(connection, channel_id, headers.get("x-goog-channel-token", ""))
    feed = feed_of(channel_id)
    if feed is None:
        raise DeliveryUnreadable(f"the channel {channel_id[:80]!r} is not one of ours")
    state = headers.get("x-goog-resource-state", "")
    number = headers.get("x-goog-message-number", "")
    if not state or not number.isascii() or not number.isdigit():
        raise DeliveryUnreadable("X-Goog-Resource-State or X-Goog-Message-Number is missing")
    event_id = f"{channel_id} {number}"
    if state == "sync":
        return Event(event_id, state, ignored="Google opens the channel")
    if state not in _STATES_OF_CHANGE:
        return Event(event_id, state, ignored=f"the state {state!r} is not known")
    return Event(event_id, state, _invalidations(feed))


def _invalidations(feed: str) -> tuple[Invalidation, ...]:
    """Where to look after a notification of a feed."""
    # The account's own feed covers every unit but the shared drives, and folders and drives that are new.
    return (Invalidation("units"), Invalidation("unit")) if feed == EVERYTHING else (Invalidation("unit", feed),)


def _verify(connection: DriveConnection, channel_id: str, token: str) -> None:
    expected = channel_token(secret_of(connection), channel_id)
    if not hmac.compare_digest(expected.encode(), token.encode(errors="replace")):
        raise DeliveryRefused("the token does not fit the channel")
