"""Notion's API: paging, limits, errors. https://developers.notion.com/reference/intro"""

from __future__ import annotations

import email.utils
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Self, TypeAlias, TypeVar
from urllib.parse import quote

import httpx

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
from connectors.notion.settings import NotionConnection

logger = logging.getLogger(__name__)

Payload: TypeAlias = dict[str, Any]
Method: TypeAlias = Literal["GET", "POST"]
T = TypeVar("T")

API_VERSION = "2025-09-03"
"""The first version with data sources: an older one cannot read a database that has several of them.
https://developers.notion.com/docs/upgrade-guide-2025-09-03"""
OLDER_VERSION = "2022-06-28"
"""Asked for where a server does not know the newer one."""
PAGE_SIZE = 100
"""The most that Notion gives: https://developers.notion.com/reference/intro#pagination"""

_VERSION_REFUSED = "Notion-Version"
"""Stands in the message of a server that does not know the version it is asked for."""
_SEVERAL_SOURCES = "multiple data sources"
"""Stands in the message of an older version that cannot show a database."""
_TRANSIENT = {"conflict_error", "internal_server_error", "bad_gateway", "service_unavailable", "gateway_timeout"}
_TRANSIENT |= {"database_connection_unavailable"}


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a listing. `answered_at` is the server's clock, or ours where it does not tell.

    `cut` says that the server itself will not name all there is: it stops short, or gives no way to what follows.
    """

    items: list[Payload]
    next_cursor: str | None
    answered_at: datetime
    cut: bool = False


class NotionClient:
    """One connection to Notion. Every method may raise SourceError.

    `version` is the API version that the server has been found to speak.
    """

    def __init__(self, connection: NotionConnection, transport: httpx.BaseTransport | None = None) -> None:
        self.version = API_VERSION
        headers = {
            "Authorization": f"Bearer {connection.token.get_secret_value().strip()}",
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

    def rows(self, data_source_id: str, *, trashed: bool = False) -> Iterator[Payload]:
        """Pages (and nested data sources) of a data source; or those in the trash.

        https://developers.notion.com/reference/query-a-data-source
        """
        asked = {"in_trash": True} if trashed else {}
        return self._items("POST", f"data_sources/{quote(data_source_id)}/query", asked)

    def database_rows(self, database_id: str, *, trashed: bool = False) -> Iterator[Payload]:
        """Pages of a database, where the server knows no data sources; or those in the trash."""
        asked = {"archived": True} if trashed else {}
        return self._items("POST", f"databases/{quote(database_id)}/query", asked)

    def comments(self, block_id: str) -> Iterator[Payload]:
        """Comments on a page as a whole, or on a block, that are not resolved.

        https://developers.notion.com/reference/list-comments
        """
        return self._items("GET", "comments", {"block_id": block_id})

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
            if error.status == 400 and "validation_error" in str(error) and _SEVERAL_SOURCES not in str(error):
                raise NotFound(path) from error
            raise

    def _get(self, path: str) -> Payload:
        return self._send("GET", path, _parsed_object)

    def _items(self, method: Method, path: str, request: Mapping[str, Any]) -> Iterator[Payload]:
        for page in self._pages(method, path, request):
            yield from page.items

    def _pages(self, method: Method, path: str, request: Mapping[str, Any]) -> Iterator[Page]:
        """Pages of a listing. Raises InvalidResponse where a cursor comes again, as it would without end."""
        seen: set[str] = set()
        cursor: str | None = None
        while True:
            asked = {**request, "page_size": PAGE_SIZE, **({"start_cursor": cursor} if cursor else {})}
            page = self._send(method, path, _parsed_page, **{"params" if method == "GET" else "json": asked})
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return
            if cursor in seen:
                raise InvalidResponse(path, "the listing turns in a circle: a cursor came twice")
            seen.add(cursor)

    def _send(self, method: Method, path: str, parse: Callable[[httpx.Response], T], **request: Any) -> T:
        """Send with the newest version that the server knows.

        https://developers.notion.com/reference/versioning
        """
        try:
            return self._send_as(self.version, method, path, parse, **request)
        except RequestRejected as error:
            if self.version == OLDER_VERSION or error.status != 400 or _VERSION_REFUSED not in str(error):
                raise
        answer = self._send_as(OLDER_VERSION, method, path, parse, **request)
        self.version = OLDER_VERSION
        return answer

    def _send_as(
        self, version: str, method: Method, path: str, parse: Callable[[httpx.Response], T], **request: Any
    ) -> T:
        return self._api.send(method, path, parse=parse, headers={"Notion-Version": version}, **request)


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
        return RateLimited(where, retry_after(response.headers))
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
    more = bool(answer.get("has_more"))
    following = answer.get("next_cursor") if more else None
    cut = (answer.get("request_status") or {}).get("type") == "incomplete" or (more and not following)
    if cut:
        logger.warning("%s does not name all there is", response.url.path)
    return Page(items, str(following) if following else None, _answered_at(response), cut)


def _answered_at(response: httpx.Response) -> datetime:
    try:
        return email.utils.parsedate_to_datetime(response.headers["date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return datetime.now(UTC)
