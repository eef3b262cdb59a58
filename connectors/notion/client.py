"""Notion's API: paging, limits, errors. https://developers.notion.com/reference/intro"""

from __future__ import annotations

import email.utils
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Self, TypeAlias
from urllib.parse import quote

import httpx

from connectors.connection import NotionConnection
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
from connectors.http import ApiClient, parsed, retry_after

Payload: TypeAlias = dict[str, Any]

API_VERSION = "2025-09-03"
"""The first version with data sources: an older one cannot read a database that has several of them.
https://developers.notion.com/docs/upgrade-guide-2025-09-03"""
PAGE_SIZE = 100
"""The most that Notion gives: https://developers.notion.com/reference/intro#pagination"""

_TRANSIENT = {"conflict_error", "internal_server_error", "bad_gateway", "service_unavailable", "gateway_timeout"}
_TRANSIENT |= {"database_connection_unavailable"}


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a listing. `answered_at` is the server's clock, or ours where it does not tell."""

    items: list[Payload]
    next_cursor: str | None
    answered_at: datetime


class NotionClient:
    """One connection to Notion. Every method may raise SourceError."""

    def __init__(self, connection: NotionConnection, transport: httpx.BaseTransport | None = None) -> None:
        headers = {
            "Authorization": f"Bearer {connection.token.get_secret_value().strip()}",
            "Notion-Version": API_VERSION,
            "User-Agent": "headrace",
        }
        self._api = ApiClient(f"{connection.base_url}/v1", headers, check=refusal, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def requests(self) -> int:
        return self._api.requests

    def close(self) -> None:
        self._api.close()

    def me(self) -> Payload:
        """The integration's own user: https://developers.notion.com/reference/get-self"""
        return self._get("users/me")

    def users(self) -> Iterator[Payload]:
        """People and bots of the workspace, guests left out."""
        return self._items("GET", "users", {})

    def page(self, page_id: str) -> Payload:
        return self._object(f"pages/{quote(page_id)}")

    def database(self, database_id: str) -> Payload:
        """A database with its `data_sources`; before version 2025-09-03 with its `properties`."""
        return self._object(f"databases/{quote(database_id)}")

    def data_source(self, data_source_id: str) -> Payload:
        return self._object(f"data_sources/{quote(data_source_id)}")

    def block(self, block_id: str) -> Payload:
        return self._object(f"blocks/{quote(block_id)}")

    def children(self, block_id: str) -> Iterator[Payload]:
        """Blocks directly under a page or block."""
        return self._items("GET", f"blocks/{quote(block_id)}/children", {})

    def rows(self, data_source_id: str) -> Iterator[Payload]:
        """Pages (and nested data sources) of a data source."""
        return self._items("POST", f"data_sources/{quote(data_source_id)}/query", {})

    def property_items(self, page_id: str, property_id: str) -> Iterator[Payload]:
        """All values of a property of which a page names the first 25 only.

        `property_id` comes from the page, where it is already percent-encoded.
        https://developers.notion.com/reference/retrieve-a-page-property
        """
        return self._items("GET", f"pages/{quote(page_id)}/properties/{quote(property_id, safe='%')}", {})

    def search(self) -> Iterator[Page]:
        """All pages and data sources in reach, those edited last first.

        What was written or shared within the last minutes can be missing:
        https://developers.notion.com/reference/search-optimizations-and-limitations
        """
        newest_first = {"sort": {"direction": "descending", "timestamp": "last_edited_time"}}
        return self._pages("POST", "search", newest_first)

    def _object(self, path: str) -> Payload:
        """An object by its id. Raises NotFound also for an id that is another kind of object's."""
        try:
            return self._get(path)
        except RequestRejected as error:
            if error.status == 400 and "validation_error" in str(error):
                raise NotFound(path) from error
            raise

    def _get(self, path: str) -> Payload:
        return self._api.send("GET", path, parse=_parsed_object)

    def _items(self, method: Literal["GET", "POST"], path: str, request: Mapping[str, Any]) -> Iterator[Payload]:
        for page in self._pages(method, path, request):
            yield from page.items

    def _pages(self, method: Literal["GET", "POST"], path: str, request: Mapping[str, Any]) -> Iterator[Page]:
        """Pages of a listing. Ends where a cursor comes again, as it would without end."""
        seen: set[str | None] = set()
        cursor: str | None = None
        while cursor not in seen:
            seen.add(cursor)
            asked = {**request, "page_size": PAGE_SIZE, **({"start_cursor": cursor} if cursor else {})}
            place = "params" if method == "GET" else "json"
            page: Page = self._api.send(method, path, parse=_parsed_page, **{place: asked})
            yield page
            cursor = page.next_cursor


def moment(value: object) -> datetime | None:
    """A time as Notion writes it: `2026-01-02T03:04:00.000Z`; None for what is no time."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


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
    return _described_error(response, body) if isinstance(body, dict) else None


def _described_error(response: httpx.Response, body: Payload) -> SourceError | None:
    where = str(response.url).split("?", 1)[0]
    code = str(body.get("code") or "")
    reason = f"{code}: {body.get('message') or 'no message'}"[:300]
    if code == "rate_limited":
        return RateLimited(where, retry_after(response))
    if code in _TRANSIENT:
        return Unavailable(where, reason)
    if code == "unauthorized":
        return AuthenticationFailed(where, reason)
    if code == "restricted_resource":
        return AccessDenied(where, reason)
    if code == "object_not_found":
        return NotFound(where)
    if code and response.status_code < 500:
        return RequestRejected(where, response.status_code, reason)
    return None


def _parsed_object(response: httpx.Response) -> Payload:
    answer = parsed(response)
    if not isinstance(answer, dict):
        raise InvalidResponse(str(response.url).split("?", 1)[0], "not an object")
    if answer.get("object") == "error" and (error := _described_error(response, answer)):
        raise error
    return answer


def _parsed_page(response: httpx.Response) -> Page:
    answer = _parsed_object(response)
    items = answer.get("results")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise InvalidResponse(str(response.url).split("?", 1)[0], "not a list of objects")
    following = answer.get("next_cursor") if answer.get("has_more") else None
    return Page(items, str(following) if following else None, _answered_at(response))


def _answered_at(response: httpx.Response) -> datetime:
    try:
        return email.utils.parsedate_to_datetime(response.headers["date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return datetime.now(UTC)
