"""Channels, by which Google tells an address that there are changes.

https://developers.google.com/workspace/drive/api/guides/push
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TypeAlias

from starlette.responses import JSONResponse, Response

from tests.emulators.drive.query import Payload
from tests.emulators.drive.responses import Query, error

WEBHOOK_SECRET = "webhook-secret"

Delivery: TypeAlias = tuple[dict[str, str], bytes]
"""Headers by lower-case name, and a body."""


@dataclass
class Channels:
    """`open` channels by id, as they were asked for, with the shared drive that each watches."""

    open: dict[str, Payload] = field(default_factory=dict)
    messages: Counter[str] = field(default_factory=Counter)

    def watch(self, query: Query, asked: Payload) -> Response:
        if asked.get("type") != "web_hook" or not str(asked.get("address", "")).startswith("https://"):
            return error(400, "push.webhookUrlNotHttps")
        if asked["id"] in self.open:
            return error(400, "channelIdNotUnique")
        resource = hashlib.sha256(query.get("driveId", "me").encode()).hexdigest()[:27]
        self.open[asked["id"]] = {**asked, "resourceId": resource, "driveId": query.get("driveId")}
        expiration = str(asked.get("expiration", 0))
        told = {"kind": "api#channel", "id": asked["id"], "resourceId": resource, "expiration": expiration}
        return JSONResponse(told)

    def stop(self, channel: str) -> Response:
        return Response(status_code=204) if self.open.pop(channel, None) else error(404, "notFound")

    def notify(self, channel: str) -> Delivery:
        """The next notification of an open channel."""
        opened = self.open[channel]
        self.messages[channel] += 1
        headers = {
            "x-goog-channel-id": channel,
            "x-goog-channel-token": opened["token"],
            "x-goog-channel-expiration": "Sat, 07 Mar 2026 00:00:00 GMT",
            "x-goog-resource-id": opened["resourceId"],
            "x-goog-resource-uri": f"https://www.googleapis.com/drive/v3/changes?driveId={opened.get('driveId', '')}",
            "x-goog-resource-state": "change",
            "x-goog-message-number": str(self.messages[channel]),
            "content-length": "0",
        }
        return headers, b""
