"""Push channels: Google tells an address that there are changes, until the channel expires.

https://developers.google.com/workspace/drive/api/guides/push
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import uuid4

from connectors.drive.client import DriveClient
from connectors.drive.payloads import ChannelRequest
from connectors.drive.settings import DriveConnection
from connectors.errors import SourceError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OpenChannel:
    """`expires` in Unix seconds."""

    id: str
    resource_id: str
    expires: float


ChannelState: TypeAlias = dict[str, dict[str, Any]]
"""Open channels by feed as JSON, as the caller keeps them: the fields of `OpenChannel`."""

EVERYTHING = "user"
"""Names the feed of all that the account itself sees; a shared drive's feed bears the drive's id."""
LIFETIME = timedelta(days=6)
"""Google allows seven days at most for changes."""
RENEW_BEFORE = timedelta(hours=12)

_PREFIX = "headrace"


def renew_channels(
    client: DriveClient, connection: DriveConnection, drives: Iterable[str], state: ChannelState, now: datetime
) -> ChannelState:
    """The channels to keep: those that still live, new ones for feeds without one or with one about to expire.

    Nothing is opened without `webhook_url` and `webhook_secret`. A feed that cannot be watched is left to the syncs.
    """
    if not connection.webhook_url or not connection.webhook_secret:
        return {}
    known = {feed: OpenChannel(**channel) for feed, channel in state.items()}
    feeds = (EVERYTHING, *drives)
    current = {feed: _renew(client, connection, feed, known.get(feed), now) for feed in feeds}
    for feed in known.keys() - set(feeds):
        _stop(client, known[feed])
    return {feed: asdict(channel) for feed, channel in current.items() if channel}


def new_channel_id(feed: str) -> str:
    """An id that names the feed. At most 64 characters of `[A-Za-z0-9\\-_\\+/=]`."""
    return f"{_PREFIX}/{feed}/{uuid4().hex[:12]}"


def feed_of(channel_id: str) -> str | None:
    """The feed that a channel is for; None for a channel that is not ours."""
    prefix, _, rest = channel_id.partition("/")
    feed, _, unique = rest.rpartition("/")
    return feed if prefix == _PREFIX and feed and unique else None


def channel_token(secret: str, channel_id: str) -> str:
    """What Google repeats with each notification of a channel, so that it proves itself."""
    return hmac.new(secret.encode(), channel_id.encode(), hashlib.sha256).hexdigest()


def _renew(
    client: DriveClient, connection: DriveConnection, feed: str, known: OpenChannel | None, now: datetime
) -> OpenChannel | None:
    """The channel of a feed from now on; None if there can be none."""
    if known and known.expires > (now + RENEW_BEFORE).timestamp():
        return known
    try:
        channel = _open(client, connection, feed, now)
    except SourceError as error:
        logger.warning("%s: its changes are not pushed: %s", connection.id, error)
        return None
    if known:  # stopped only now, so that no change falls between the two
        _stop(client, known)
    return channel


def _open(client: DriveClient, connection: DriveConnection, feed: str, now: datetime) -> OpenChannel:
    drive = None if feed == EVERYTHING else feed
    start = client.start_page_token(drive)
    request = _request(connection, feed, now + LIFETIME)
    channel = client.watch(request, start, drive)
    # A server may grant less than it was asked for; Google says how much, others may not.
    return OpenChannel(request.id, channel.resource_id, (channel.expiration or request.expiration) / 1000)


def _request(connection: DriveConnection, feed: str, expires: datetime) -> ChannelRequest:
    assert connection.webhook_url and connection.webhook_secret  # noqa: S101, PT018 - renew_channels has looked
    channel_id = new_channel_id(feed)
    token = channel_token(connection.webhook_secret.get_secret_value(), channel_id)
    expiration = int(expires.timestamp() * 1000)
    return ChannelRequest(id=channel_id, address=connection.webhook_url, token=token, expiration=expiration)


def _stop(client: DriveClient, channel: OpenChannel) -> None:
    try:
        client.stop(channel.id, channel.resource_id)
    except SourceError as error:
        logger.info("a push channel was not stopped and will expire: %s", error)
