"""Drive's push notifications: they only say that there are changes, and where to look is in the channel.

https://developers.google.com/workspace/drive/api/guides/push#understanding-drive-api-notification-events
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from connectors.drive.push_channels import EVERYTHING, channel_token, feed_of
from connectors.settings import Connection
from connectors.webhooks import DeliveryRefused, DeliveryUnreadable, Event, Invalidation

CHANGED = {"add", "change", "remove", "trash", "untrash", "update"}


def receive(connection: Connection, headers: Mapping[str, str], body: bytes, now: float) -> Event:
    """See `connectors.webhooks.receive`. A notification has no body, and no time: a late one does no harm."""
    channel = headers.get("x-goog-channel-id", "")
    _verify(connection, channel, headers.get("x-goog-channel-token", ""))
    feed = feed_of(channel)
    if feed is None:
        raise DeliveryUnreadable(f"the channel {channel[:80]!r} is not one of ours")
    state = headers.get("x-goog-resource-state", "")
    number = headers.get("x-goog-message-number", "")
    if not state or not number.isascii() or not number.isdigit():
        raise DeliveryUnreadable("X-Goog-Resource-State or X-Goog-Message-Number is missing")
    event_id = f"{channel} {number}"
    if state == "sync":
        return Event(event_id, state, ignored="Google opens the channel")
    if state not in CHANGED:
        return Event(event_id, state, ignored=f"the state {state!r} is not known")
    return Event(event_id, state, _changes(feed))


def _changes(feed: str) -> tuple[Invalidation, ...]:
    """The account's own feed tells of every unit but the shared drives, and of folders and drives that are new."""
    return (Invalidation("units"), Invalidation("unit")) if feed == EVERYTHING else (Invalidation("unit", feed),)


def _verify(connection: Connection, channel: str, token: str) -> None:
    if not connection.webhook_secret or not connection.webhook_secret.get_secret_value():
        raise DeliveryRefused(f"{connection.id} has no `webhook_secret`")
    expected = channel_token(connection.webhook_secret.get_secret_value(), channel)
    if not hmac.compare_digest(expected.encode(), token.encode()):
        raise DeliveryRefused("the token does not fit the channel")
