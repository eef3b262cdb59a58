"""GitHub's GraphQL API, for what its REST API lacks: discussions. https://docs.github.com/en/graphql"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import httpx
from pydantic import BaseModel

from connectors.errors import (
    AccessDenied,
    InvalidResponse,
    NotFound,
    RateLimited,
    RequestRejected,
    SourceError,
    Unavailable,
)
from connectors.github.payloads.graphql import GraphQLData, GraphQLError, GraphQLErrors
from connectors.github.payloads.parsing import parse
from connectors.github.responses import SECONDARY_LIMIT_WAIT, object_of, request_url, seconds_until_reset

M = TypeVar("M", bound=BaseModel)

NO_DISCUSSIONS = "no discussions are read, because the server has no GraphQL API"
_NOT_OFFERED = (400, 405, 406, 415, 422)
"""How servers answer that know no such resource, beside 404 and 410. GitHub answers every query with 200."""
_FIELD = re.compile(r"[Ff]ield [\"'](\w+)[\"']")
_UNKNOWN_FIELD = "undefinedField"
"""GitHub's code; servers made with GraphQL's reference implementation say "Cannot query field"."""


class NotOffered(NotFound):
    """The server has no GraphQL API, or one too old to know what is asked."""


class UndefinedFields(NotOffered):
    """The server's GraphQL API lacks these fields; it may know what else is asked."""

    def __init__(self, where: str, fields: frozenset[str]) -> None:
        self.fields = fields
        super().__init__(f"{where} (no {', '.join(sorted(fields))})")


def endpoint(base_url: str) -> str:
    """Base URL of the GraphQL API beside a REST API: it is at `/api/graphql` where REST is at `/api/v3`.

    https://docs.github.com/en/enterprise-server/graphql/guides/forming-calls-with-graphql#the-graphql-endpoint
    """
    return base_url.removesuffix("/v3")


def parse_data(response: httpx.Response, model: type[M]) -> M:
    """What a query found. Objects that do not exist are null in it. Raises SourceError and NotAsDocumented."""
    answer = object_of(response)
    errors = parse(GraphQLErrors, answer).errors
    if unknown := frozenset(name for error in errors if (name := _undefined_field(error))):
        raise UndefinedFields(request_url(response), unknown)
    for error in errors:
        if found := _source_error(error, response):
            raise found
    data = parse(GraphQLData[model], answer).data  # type: ignore[valid-type]
    if data is None:
        raise InvalidResponse(request_url(response), "neither data nor errors")
    return data


@dataclass(frozen=True, slots=True)
class PartialData(Generic[M]):
    """What a query for several objects found, and by alias what of them was refused or failed: names of their fields,
    an empty one for the object as a whole. GitHub gives null for an object of which a field must not be null and is."""

    data: M
    lacking: Mapping[str, frozenset[str]]


def parse_partial(response: httpx.Response, model: type[M]) -> PartialData[M]:
    """As `parse_data`, of several objects by alias, where what is wrong with one of them stays with it."""
    answer, lacking = object_of(response), defaultdict[str, set[str]](set)
    for error in parse(GraphQLErrors, answer).errors:
        if unknown := _undefined_field(error):
            raise UndefinedFields(request_url(response), frozenset({unknown}))
        found = _source_error(error, response)
        if found and (isinstance(found, RateLimited) or not error.path):
            raise found
        if found:
            alias, *below = error.path
            lacking[alias].add(next(iter(below), ""))
    data = parse(GraphQLData[model], answer).data  # type: ignore[valid-type]
    if data is None:
        raise InvalidResponse(request_url(response), "neither data nor errors")
    return PartialData(data, {alias: frozenset(fields) for alias, fields in lacking.items()})


def classify(error: SourceError) -> SourceError:
    """`error` of a GraphQL request, or NotOffered where it means that there is no such API."""
    if isinstance(error, NotOffered):
        return error
    if isinstance(error, NotFound) or (isinstance(error, RequestRejected) and error.status in _NOT_OFFERED):
        return NotOffered(str(error))
    return error


def select_by_alias(fields: Mapping[str, str]) -> str:
    """A selection of several objects at once: `a0: discussion(number: 1) { … }`."""
    return "\n".join(f"{alias}: {field}" for alias, field in fields.items())


def _undefined_field(error: GraphQLError) -> str:
    """Name of the field that a server says it does not have; empty for any other error."""
    code, field = (error.extensions.code, error.extensions.field_name) if error.extensions else ("", "")
    if code != _UNKNOWN_FIELD and not error.message.lower().startswith("cannot query field"):
        return ""
    named = _FIELD.search(error.message)
    return field or (named[1] if named else "a field")


def _source_error(error: GraphQLError, response: httpx.Response) -> SourceError | None:
    """What an entry of `errors` stands for; None for an object that does not exist."""
    where = request_url(response)
    message = (error.message or "no message")[:200]
    words = message.lower()
    if error.type == "NOT_FOUND":
        return None
    if error.type in ("RATE_LIMITED", "RATE_LIMIT") or "rate limit" in words:
        return RateLimited(where, seconds_until_reset(response) or SECONDARY_LIMIT_WAIT)
    if error.type in ("FORBIDDEN", "INSUFFICIENT_SCOPES", "SAML_FAILURE") or "not accessible by" in words:
        return AccessDenied(where, message)
    if "something went wrong" in words or "timeout" in words or "try again" in words:
        return Unavailable(where, message)
    return RequestRejected(where, response.status_code, message)
