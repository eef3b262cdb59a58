"""GitHub's GraphQL API, for what its REST API lacks: discussions. https://docs.github.com/en/graphql"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import httpx

from connectors.errors import (
    AccessDenied,
    InvalidResponse,
    NotFound,
    RateLimited,
    RequestRejected,
    SourceError,
    Unavailable,
)
from connectors.github.responses import SECONDARY_LIMIT_WAIT, Payload, place, single, until_reset

logger = logging.getLogger(__name__)

_NOT_OFFERED = (400, 405, 406, 415, 422)
"""How servers answer that know no such resource, beside 404 and 410. GitHub answers every query with 200."""
_UNKNOWN_FIELD = "undefinedField"
"""GitHub's code; servers made with GraphQL's reference implementation say "Cannot query field"."""


class NotOffered(NotFound):
    """The server has no GraphQL API, or one too old to know what is asked."""


def endpoint(base_url: str) -> str:
    """Base URL of the GraphQL API beside a REST API: it is at `/api/graphql` where REST is at `/api/v3`.

    https://docs.github.com/en/enterprise-server/graphql/guides/forming-calls-with-graphql#the-graphql-endpoint
    """
    return base_url.removesuffix("/v3")


def data(response: httpx.Response) -> Payload:
    """What a query found. Objects that do not exist are null in it. Raises SourceError."""
    answer = single(response)
    errors = [error for error in answer.get("errors") or () if isinstance(error, dict)]
    for error in errors:
        if found := _error(error, response):
            raise found
    if not isinstance(answer.get("data"), dict):
        raise InvalidResponse(place(response), "neither data nor errors")
    return dict(answer["data"])


def offered(error: SourceError) -> SourceError:
    """`error` of a GraphQL request, told apart where it means that there is no such API."""
    if isinstance(error, NotFound) or (isinstance(error, RequestRejected) and error.status in _NOT_OFFERED):
        return NotOffered(str(error))
    return error


def aliased(fields: Mapping[str, str]) -> str:
    """A selection of several objects at once: `a0: discussion(number: 1) { … }`."""
    return "\n".join(f"{alias}: {field}" for alias, field in fields.items())


def nodes(connection: Any) -> list[Payload]:
    """Objects of a GraphQL connection; those that the token may not see are null and left out."""
    found = connection.get("nodes") if isinstance(connection, dict) else None
    return [node for node in found or () if isinstance(node, dict)]


def following(connection: Any) -> str | None:
    """The cursor of a connection's next page; None at its end."""
    page = connection.get("pageInfo") if isinstance(connection, dict) else None
    return str(page["endCursor"]) if page and page.get("hasNextPage") and page.get("endCursor") else None


def _error(error: Payload, response: httpx.Response) -> SourceError | None:
    """What an entry of `errors` stands for; None for an object that does not exist."""
    where = place(response)
    kind, message = str(error.get("type") or ""), str(error.get("message") or "no message")[:200]
    words = message.lower()
    if kind == "NOT_FOUND":
        return None
    if kind in ("RATE_LIMITED", "RATE_LIMIT") or "rate limit" in words:
        return RateLimited(where, until_reset(response) or SECONDARY_LIMIT_WAIT)
    if kind in ("FORBIDDEN", "INSUFFICIENT_SCOPES", "SAML_FAILURE") or "not accessible by" in words:
        return AccessDenied(where, message)
    if (error.get("extensions") or {}).get("code") == _UNKNOWN_FIELD or words.startswith("cannot query field"):
        return NotOffered(f"{where} ({message})")
    if "something went wrong" in words or "timeout" in words or "try again" in words:
        return Unavailable(where, message)
    return RequestRejected(where, response.status_code, message)
