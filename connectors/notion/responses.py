"""What Notion's answers mean: errors by their codes, bodies as payloads, and the pages of listings.

https://developers.notion.com/reference/status-codes · https://developers.notion.com/reference/intro#pagination
"""

from __future__ import annotations

import email.utils
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import httpx
from pydantic import ValidationError

from connectors.errors import (
    AccessDenied,
    AuthenticationFailed,
    InvalidResponse,
    NotFound,
    RateLimited,
    RequestRejected,
    SourceError,
    Unavailable,
)
from connectors.http import parsed, retry_after
from connectors.notion.payloads import NotionError, NotionList, PropertyValue
from connectors.payloads import Payload, describe_fault

logger = logging.getLogger(__name__)

T = TypeVar("T")
P = TypeVar("P", bound=Payload)

_TRANSIENT = {"conflict_error", "internal_server_error", "bad_gateway", "service_unavailable", "gateway_timeout"}
_TRANSIENT |= {"database_connection_unavailable"}


@dataclass(frozen=True, slots=True)
class ListingPage(Generic[T]):
    """One answer of a listing. `answered_at` is the server's clock, or ours where it gives none.

    `cut` says that the server itself will not name all there is (see `NotionList.is_cut`).
    """

    items: tuple[T, ...]
    next_cursor: str
    answered_at: datetime
    cut: bool = False
    property_item: PropertyValue = field(default_factory=PropertyValue)


def refusal(response: httpx.Response) -> SourceError | None:
    """The error that Notion's own code names; None leaves an answer to the common rules.

    https://developers.notion.com/reference/status-codes
    """
    if response.status_code < 300:
        return None
    try:
        body = response.json()
    except ValueError:
        return None
    return _named_error(response, NotionError.model_validate(body)) if isinstance(body, dict) else None


def _named_error(response: httpx.Response, answer: NotionError) -> SourceError | None:
    where = _where(response)
    reason = f"{answer.code}: {answer.message}"[:300]
    if answer.code == "rate_limited":
        return RateLimited(where, retry_after(response.headers))
    if answer.code in _TRANSIENT:
        return Unavailable(where, reason)
    if answer.code == "unauthorized":
        return AuthenticationFailed(where, reason)
    if answer.code == "restricted_resource":
        return AccessDenied(where, reason)
    if answer.code == "object_not_found":
        return NotFound(where)
    if answer.code and response.status_code < 500:
        return RequestRejected(where, response.status_code, reason)
    return None


def reading(model: type[P]) -> Callable[[httpx.Response], P]:
    return lambda response: model.model_validate(json_object(response))


def json_object(response: httpx.Response) -> dict[str, Any]:
    """The object that an answer is. An error can come with the status of a success."""
    answer = parsed(response)
    if not isinstance(answer, dict):
        raise InvalidResponse(_where(response), "not an object")
    if answer.get("object") == "error" and (error := _named_error(response, NotionError.model_validate(answer))):
        raise error
    return answer


def listing_page(response: httpx.Response, parse: Callable[[Any], T | None]) -> ListingPage[T]:
    try:
        answer = NotionList.model_validate(json_object(response))
    except ValidationError as error:
        raise InvalidResponse(_where(response), f"not a list of objects: {describe_fault(error)}") from None
    items = tuple(item for item in map(parse, answer.results) if item is not None)
    if answer.is_cut or len(items) < len(answer.results):
        logger.warning("%s does not name all there is", response.url.path)
    next_cursor = answer.next_cursor if answer.has_more else ""
    return ListingPage(items, next_cursor, _answered_at(response), answer.is_cut, answer.property_item)


def _where(response: httpx.Response) -> str:
    return str(response.url).split("?", 1)[0]


def _answered_at(response: httpx.Response) -> datetime:
    try:
        return email.utils.parsedate_to_datetime(response.headers["date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return datetime.now(UTC)
