"""Notion's API: paging, limits, errors. https://developers.notion.com/reference/intro"""

from __future__ import annotations

import email.utils
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, Literal, Self, TypeAlias, TypeVar
from urllib.parse import quote

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
from connectors.http import ApiClient, parsed, retry_after
from connectors.notion.objects import NotionObject, Ref
from connectors.notion.payloads import (
    NotionBlock,
    NotionComment,
    NotionError,
    NotionList,
    NotionUser,
    PropertyValue,
    parse_object,
)
from connectors.notion.settings import NotionConnection
from connectors.paging import PageTrail
from connectors.payloads import Payload

logger = logging.getLogger(__name__)

Method: TypeAlias = Literal["GET", "POST"]
T = TypeVar("T")
P = TypeVar("P", bound=Payload)

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
class ListingPage(Generic[T]):
    """One answer of a listing. `answered_at` is the server's clock, or ours where it gives none.

    `cut` says that the server itself will not name all there is (see `NotionList.is_cut`).
    """

    items: tuple[T, ...]
    next_cursor: str
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

    def me(self) -> NotionUser:
        """The integration's own user: https://developers.notion.com/reference/get-self"""
        return self._send("GET", "users/me", _read_as(NotionUser))

    def users(self) -> Iterator[NotionUser]:
        """People and bots of the workspace, guests left out."""
        return self._items("GET", "users", {}, NotionUser)

    def retrieve(self, ref: Ref) -> NotionObject | None:
        """A page, database or data source; None where the answer is not a whole one.

        Raises NotFound also for an id that is another kind of object's.
        """
        return self._by_id(f"{ref.kind}s/{quote(ref.id)}", lambda response: parse_object(_json_object(response)))

    def block(self, block_id: str) -> NotionBlock:
        return self._by_id(f"blocks/{quote(block_id)}", _read_as(NotionBlock))

    def children(self, block_id: str) -> Iterator[NotionBlock]:
        """Blocks directly under a page or block."""
        return self._items("GET", f"blocks/{quote(block_id)}/children", {}, NotionBlock)

    def rows(self, data_source_id: str, *, trashed: bool = False) -> Iterator[NotionObject]:
        """Pages (and nested data sources) of a data source; or those in the trash.

        https://developers.notion.com/reference/query-a-data-source
        """
        request = {"in_trash": True} if trashed else {}
        return self._objects(f"data_sources/{quote(data_source_id)}/query", request)

    def database_rows(self, database_id: str, *, trashed: bool = False) -> Iterator[NotionObject]:
        """Pages of a database, where the server knows no data sources; or those in the trash."""
        request = {"archived": True} if trashed else {}
        return self._objects(f"databases/{quote(database_id)}/query", request)

    def comments(self, block_id: str) -> Iterator[NotionComment]:
        """Comments on a page as a whole, or on a block, that are not resolved.

        https://developers.notion.com/reference/list-comments
        """
        return self._items("GET", "comments", {"block_id": block_id}, NotionComment)

    def property_items(self, page_id: str, property_id: str) -> Iterator[PropertyValue]:
        """All values of a property of which a page names the first 25 only, one in each item.

        `property_id` comes from the page, where it is already percent-encoded.
        https://developers.notion.com/reference/retrieve-a-page-property
        """
        path = f"pages/{quote(page_id)}/properties/{quote(property_id, safe='%')}"
        return self._items("GET", path, {}, PropertyValue)

    def search(self) -> Iterator[ListingPage[NotionObject]]:
        """All pages and data sources in reach, those edited last first.

        What was written or shared within the last minutes can be missing:
        https://developers.notion.com/reference/search-optimizations-and-limitations
        """
        # So that a listing of what changed ends with the first page that is older.
        newest_first = {"sort": {"direction": "descending", "timestamp": "last_edited_time"}}
        return self._pages("POST", "search", newest_first, parse_object)

    def _by_id(self, path: str, parse: Callable[[httpx.Response], T]) -> T:
        try:
            return self._send("GET", path, parse)
        except RequestRejected as error:
            # The id is well-formed, and another kind of object's.
            if error.status == 400 and "validation_error" in str(error) and _SEVERAL_SOURCES not in str(error):
                raise NotFound(path) from error
            raise

    def _objects(self, path: str, request: Mapping[str, Any]) -> Iterator[NotionObject]:
        for page in self._pages("POST", path, request, parse_object):
            yield from page.items

    def _items(self, method: Method, path: str, request: Mapping[str, Any], model: type[P]) -> Iterator[P]:
        for page in self._pages(method, path, request, model.model_validate):
            yield from page.items

    def _pages(
        self, method: Method, path: str, request: Mapping[str, Any], parse: Callable[[Any], T | None]
    ) -> Iterator[ListingPage[T]]:
        """Pages of a listing. Raises InvalidResponse where a cursor comes again, as it would without end."""
        trail = PageTrail(path)
        cursor: str | None = None
        while True:
            asked = {**request, "page_size": PAGE_SIZE, **({"start_cursor": cursor} if cursor else {})}
            where = "params" if method == "GET" else "json"
            page = self._send(method, path, lambda response: _listing_page(response, parse), **{where: asked})
            yield page
            cursor = trail.follow(page.next_cursor)
            if cursor is None:
                return

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
        self.version = OLDER_VERSION  # for all that follows, now that it was answered in
        return answer

    def _send_as(
        self, version: str, method: Method, path: str, parse: Callable[[httpx.Response], T], **request: Any
    ) -> T:
        return self._api.send(method, path, parse=parse, headers={"Notion-Version": version}, **request)


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


def _read_as(model: type[P]) -> Callable[[httpx.Response], P]:
    return lambda response: model.model_validate(_json_object(response))


def _json_object(response: httpx.Response) -> dict[str, Any]:
    """The object that an answer is. An error can come with the status of a success."""
    answer = parsed(response)
    if not isinstance(answer, dict):
        raise InvalidResponse(_where(response), "not an object")
    if answer.get("object") == "error" and (error := _named_error(response, NotionError.model_validate(answer))):
        raise error
    return answer


def _listing_page(response: httpx.Response, parse: Callable[[Any], T | None]) -> ListingPage[T]:
    try:
        answer = NotionList.model_validate(_json_object(response))
    except ValidationError as error:
        raise InvalidResponse(_where(response), "not a list of objects") from error
    items = tuple(item for item in map(parse, answer.results) if item is not None)
    if answer.is_cut or len(items) < len(answer.results):
        logger.warning("%s does not name all there is", response.url.path)
    next_cursor = answer.next_cursor if answer.has_more else ""
    return ListingPage(items, next_cursor, _answered_at(response), answer.is_cut)


def _where(response: httpx.Response) -> str:
    return str(response.url).split("?", 1)[0]


def _answered_at(response: httpx.Response) -> datetime:
    try:
        return email.utils.parsedate_to_datetime(response.headers["date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return datetime.now(UTC)
