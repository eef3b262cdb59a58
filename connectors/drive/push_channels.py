"""Push channels: Google tells an address that there are changes, until the channel expires.

https://developers.google.com/workspace/drive/api/guides/push
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import uuid4

from connectors.drive.client import DriveClient
from connectors.drive.settings import DriveConnection
from connectors.errors import SourceError

logger = logging.getLogger(__name__)

Kept: TypeAlias = dict[str, dict[str, Any]]
"""Open channels by feed, as the caller keeps them: `{"id", "resource_id", "expires"}`, the time in Unix seconds."""

EVERYTHING = "user"
"""Names the feed of all that the account itself sees; a shared drive's feed bears the drive's id."""
LIFE = timedelta(days=6)
"""Google allows seven days at most for changes."""
RENEWED_BEFORE = timedelta(hours=12)

_PREFIX = "headrace"


def renewed(
    client: DriveClient, connection: DriveConnection, drives: Sequence[str], kept: Mapping[str, Any], now: datetime
) -> Kept:
    """The channels to keep: those that still live, new ones for feeds without one or with one about to expire.

    A new channel is opened before the old one is stopped, so that no change falls between them. Nothing is opened
    without `webhook_url` and `webhook_secret`. A feed that cannot be watched is left to the syncs.
    """
    if not connection.webhook_url or not connection.webhook_secret:
        return {}
    result: Kept = {}
    for feed in (EVERYTHING, *drives):
        known = kept.get(feed)
        if known and known["expires"] > (now + RENEWED_BEFORE).timestamp():
            result[feed] = known
            continue
        try:
            result[feed] = _opened(client, connection, feed, now)
        except SourceError as error:
            logger.warning("%s: its changes are not pushed: %s", connection.id, error)
            continue
        if known:
            _stop(client, known)
    for feed in kept.keys() - {EVERYTHING, *drives}:
        _stop(client, kept[feed])
    return result


def channel_id(feed: str) -> str:
    """A new channel's id; tells the feed. At most 64 characters of `[A-Za-z0-9\\-_\\+/=]`."""
    return f"{_PREFIX}/{feed}/{uuid4().hex[:12]}"


def feed_of(channel: str) -> str | None:
    """The feed that a channel is for; None for a channel that is not ours."""
    prefix, _, rest = channel.partition("/")
    feed, _, unique = rest.rpartition("/")
    return feed if prefix == _PREFIX and feed and unique else None


def channel_token(secret: str, channel: str) -> str:
    """What Google repeats with each notification of a channel, so that it proves itself."""
    return hmac.new(secret.encode(), channel.encode(), hashlib.sha256).hexdigest()


def _opened(client: DriveClient, connection: DriveConnection, feed: str, now: datetime) -> dict[str, Any]:
    assert connection.webhook_secret is not None  # noqa: S101  the caller has looked
    drive = None if feed == EVERYTHING else feed
    start = client.start_page_token(drive)
    if start is None:
        raise SourceError(f"{connection.base_url}: the server has no changes feed")
    channel = channel_id(feed)
    expires = now + LIFE
    body = {
        "id": channel,
        "type": "web_hook",
        "address": connection.webhook_url,
        "token": channel_token(connection.webhook_secret.get_secret_value(), channel),
        "expiration": int(expires.timestamp() * 1000),
    }
    opened = client.watch(body, start, drive)
    ends = opened.expiration / 1000 if opened.expiration else expires.timestamp()
    return {"id": channel, "resource_id": opened.resource_id, "expires": ends}


def _stop(client: DriveClient, known: Mapping[str, Any]) -> None:
    try:
        client.stop(known["id"], known["resource_id"])
    except SourceError as error:
        logger.info("a push channel was not stopped and will expire: %s", error)
