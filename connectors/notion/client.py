"""Notion's API: paging, limits, errors. https://developers.notion.com/reference/intro"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeAlias, TypeVar
from urllib.parse import quote

import httpx

from connectors.errors import AccessDenied, NotFound, RequestRejected, Unavailable
from connectors.http import ApiClient
from connectors.notion.objects import Kind, NotionObject, Ref
from connectors.notion.payloads import (
    NotionBlock,
    NotionComment,
    NotionUser,
    PropertyValue,
    parse_object,
)
from connectors.notion.responses import ListingPage, json_object, listing_page, reading, refusal
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

VALUES_AT_MOST = 1_000
"""Of one property of one page: for each page of a relation its title may have to be asked for."""
LISTING_ATTEMPTS = 3
"""A cursor that expired, or whose object is gone, is no reason to go without what is listed."""

_VERSION_REFUSED = "Notion-Version"
"""Stands in the message of a server that does not know the version it is asked for."""
_SEVERAL_SOURCES = "multiple data sources"
"""Stands in the message of an older version that cannot show a database."""


@dataclass(frozen=True, slots=True)
class PropertyItems:
    """The values of a long property, one in each item; what a rollup comes to, in `result`. There may be more of them,
    unless `is_whole`."""

    values: tuple[PropertyValue, ...]
    result: PropertyValue
    is_whole: bool


class ListingBrokenOff(Unavailable):
    """A listing goes on no further from where it was: it has to begin again."""


def begin_again(read: Callable[[], T]) -> T:
    """What reading a listing gives; from its beginning once more where its cursor is refused. Raises SourceError."""
    for _ in range(LISTING_ATTEMPTS - 1):
        try:
            return read()
        except ListingBrokenOff as error:
            logger.warning("a listing begins again: %s", error)
    return read()


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
        return self._send("GET", "users/me", reading(NotionUser))

    def users(self) -> list[NotionUser]:
        """People and bots of the workspace, guests left out."""
        return self._items("GET", "users", {}, NotionUser)

    def retrieve(self, ref: Ref) -> NotionObject | None:
        """A page, database or data source; None where the answer is not a whole one.

        Raises NotFound also for an id that is another kind of object's.
        """
        return self._by_id(f"{ref.kind}s/{quote(ref.id)}", lambda response: parse_object(json_object(response)))

    def block(self, block_id: str) -> NotionBlock:
        return self._by_id(f"blocks/{quote(block_id)}", reading(NotionBlock))

    def children(self, block_id: str) -> list[NotionBlock]:
        """Blocks directly under a page or block."""
        return self._items("GET", f"blocks/{quote(block_id)}/children", {}, NotionBlock)

    def rows(self, data_source_id: str, *, trashed: bool = False) -> list[NotionObject]:
        """Pages (and nested data sources) of a data source; or those in the trash.

        https://developers.notion.com/reference/query-a-data-source
        """
        request = {"in_trash": True} if trashed else {}
        return self._objects(f"data_sources/{quote(data_source_id)}/query", request)

    def database_rows(self, database_id: str, *, trashed: bool = False) -> list[NotionObject]:
        """Pages of a database, where the server knows no data sources; or those in the trash."""
        request = {"archived": True} if trashed else {}
        return self._objects(f"databases/{quote(database_id)}/query", request)

    def comments(self, block_id: str) -> list[NotionComment]:
        """Comments on a page as a whole, or on a block, that are not resolved.

        https://developers.notion.com/reference/list-comments
        """
        return self._items("GET", "comments", {"block_id": block_id}, NotionComment)

    def comment(self, comment_id: str) -> NotionComment:
        """https://developers.notion.com/reference/retrieve-a-comment"""
        return self._by_id(f"comments/{quote(comment_id)}", reading(NotionComment))

    def property_items(self, page_id: str, property_id: str) -> PropertyItems:
        """A property of which a page names the first 25 values only, or a rollup that is made of those.

        `property_id` comes from the page, where it is already percent-encoded.
        https://developers.notion.com/reference/retrieve-a-page-property
        """
        path = f"pages/{quote(page_id)}/properties/{quote(property_id, safe='%')}"
        return begin_again(lambda: self._property_items(path))

    def search(self, only: Kind | None = None) -> Iterator[ListingPage[NotionObject]]:
        """All pages and data sources in reach, or those of one kind, those edited last first.

        What was written or shared within the last minutes can be missing:
        https://developers.notion.com/reference/search-optimizations-and-limitations

        Raises ListingBrokenOff between pages: see `begin_again`.
        """
        # So that a listing of what changed ends with the first page that is older.
        newest_first: dict[str, Any] = {"sort": {"direction": "descending", "timestamp": "last_edited_time"}}
        kind = {"filter": {"property": "object", "value": only}} if only else {}
        return self._pages("POST", "search", newest_first | kind, parse_object)

    def _property_items(self, path: str) -> PropertyItems:
        values: list[PropertyValue] = []
        for page in self._pages("GET", path, {}, PropertyValue.model_validate, has_ids=False):
            values.extend(page.items)
            if not page.next_cursor or len(values) >= VALUES_AT_MOST:
                return PropertyItems(tuple(values), page.property_item, is_whole=not (page.next_cursor or page.cut))
        raise AssertionError("unreachable: the last page has no cursor")

    def _by_id(self, path: str, parse: Callable[[httpx.Response], T]) -> T:
        try:
            return self._send("GET", path, parse)
        except RequestRejected as error:
            # The id is well-formed, and another kind of object's.
            if error.status == 400 and "validation_error" in str(error) and _SEVERAL_SOURCES not in str(error):
                raise NotFound(path) from error
            raise

    def _objects(self, path: str, request: Mapping[str, Any]) -> list[NotionObject]:
        return self._whole("POST", path, request, parse_object)

    def _items(self, method: Method, path: str, request: Mapping[str, Any], model: type[P]) -> list[P]:
        return self._whole(method, path, request, model.model_validate)

    def _whole(
        self, method: Method, path: str, request: Mapping[str, Any], parse: Callable[[Any], T | None]
    ) -> list[T]:
        """All of a listing: one that breaks off is read anew, and nothing of it twice."""
        return begin_again(lambda: [item for page in self._pages(method, path, request, parse) for item in page.items])

    def _pages(
        self,
        method: Method,
        path: str,
        request: Mapping[str, Any],
        parse: Callable[[Any], T | None],
        *,
        has_ids: bool = True,
    ) -> Iterator[ListingPage[T]]:
        """Pages of a listing. Raises InvalidResponse where a cursor or a page comes again, as it would without end,
        and ListingBrokenOff."""
        trail = PageTrail(path)
        cursor: str | None = None
        while True:
            asked = {**request, "page_size": PAGE_SIZE, **({"start_cursor": cursor} if cursor else {})}
            where = "params" if method == "GET" else "json"
            try:
                page = self._send(method, path, lambda response: listing_page(response, parse), **{where: asked})
            except (AccessDenied, RequestRejected, NotFound) as error:
                if cursor is None:
                    raise
                # The same was answered without a cursor, so that this is about the cursor.
                raise ListingBrokenOff(path, str(error)) from error
            yield page
            cursor = trail.follow(page.next_cursor, page.items if has_ids else None)
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
