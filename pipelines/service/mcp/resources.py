"""Documents as resources: `headrace://documents/<id>`, in parts with `?offset=` where they are long."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, unquote, urlsplit

from pydantic import ValidationError

from pipelines.retrieval.explore.changes_cursor import ListCursor
from pipelines.retrieval.schema import SearchFilters
from pipelines.service.authentication import Principal
from pipelines.service.mcp.arguments import FetchArguments
from pipelines.service.mcp.tool_answers import NOTICE, Place
from pipelines.service.mcp.tools import ToolError, fetch
from pipelines.service.search_service import NOT_VISIBLE, SearchService

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcp_types import ListResourcesResult, ReadResourceResult, ResourceLink, ResourceTemplate

PREFIX = "headrace://documents/"
MIME_TYPE = "text/markdown"
PAGE = 50
"""Documents of one answer to `resources/list`, the newest first."""


def uri_of(document_id: str) -> str:
    return PREFIX + quote(document_id, safe="/:")


def links(places: Sequence[Place]) -> list[ResourceLink]:
    """To the documents of an answer, for clients that read resources."""
    from mcp_types import ResourceLink

    return [ResourceLink(uri=uri_of(one.id), name=one.title or one.id, mime_type=MIME_TYPE) for one in places]


def templates() -> list[ResourceTemplate]:
    from mcp_types import ResourceTemplate

    described = "A document by its id, under the rights of whoever asks; `offset` is where a part begins, in tokens"
    template = PREFIX + "{+id}{?offset}"
    return [ResourceTemplate(name="document", title="Document", uri_template=template, description=described)]


def list_resources(cursor: str | None, service: SearchService, principal: Principal) -> ListResourcesResult:
    """The documents that were changed last, page by page. Raises ToolError for a cursor that is none."""
    from mcp_types import ListResourcesResult, Resource

    try:
        after = ListCursor.parse(cursor) if cursor else None
    except ValueError:
        raise ToolError("cursor: is none that was given out") from None
    found = service.changes(SearchFilters(), principal, after, PAGE)
    resources = [
        Resource(uri=uri_of(one.document_id), name=one.title or one.document_id, mime_type=MIME_TYPE)
        for one in found.changes
    ]
    return ListResourcesResult(resources=resources, next_cursor=found.next_cursor)


def read_resource(uri: str, service: SearchService, principal: Principal) -> ReadResourceResult:
    """Raises ToolError where there is none, or none that may be seen."""
    from mcp_types import ReadResourceResult, TextResourceContents

    parts = urlsplit(uri)
    if not uri.startswith(PREFIX):
        raise ToolError(NOT_VISIBLE)
    offset = parse_qs(parts.query).get("offset", ["0"])[0]
    asked = {"id": unquote(parts.path.removeprefix("/")), "offset": offset}
    try:
        found = fetch(FetchArguments.model_validate(asked), service, principal)
    except ValidationError:
        raise ToolError(NOT_VISIBLE) from None
    following = f"\n\n[{found.part}; the next one: {uri_of(found.id)}?offset={found.next_offset}]"
    text = f"[{NOTICE}]\n\n{found.text}{following if found.next_offset else ''}"
    return ReadResourceResult(contents=[TextResourceContents(uri=uri, mime_type=MIME_TYPE, text=text)])
