"""Listings and errors: what is around the objects in an answer."""

from __future__ import annotations

from typing import Any

from connectors.notion.payloads.properties import PropertyValue
from connectors.payloads import LenientPayload, Payload


class _RequestStatus(LenientPayload):
    type: str = ""


class NotionList(Payload):
    """One page of a listing: https://developers.notion.com/reference/intro#pagination"""

    results: tuple[dict[str, Any], ...]
    has_more: bool = False
    next_cursor: str = ""
    request_status: _RequestStatus = _RequestStatus()
    property_item: PropertyValue = PropertyValue()
    """Of the items of a long property: the property itself."""

    @property
    def is_cut(self) -> bool:
        """Whether the server will not name all there is: it stops short, or gives no way to what follows."""
        return self.request_status.type == "incomplete" or (self.has_more and not self.next_cursor)


class NotionError(LenientPayload):
    """https://developers.notion.com/reference/status-codes"""

    object: str = ""
    code: str = ""
    message: str = "no message"
