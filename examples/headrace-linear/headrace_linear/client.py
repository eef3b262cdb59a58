"""Linear's GraphQL API: queries, pages and errors. https://linear.app/developers/graphql"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import httpx
from pydantic import ValidationError

from connectors.errors import AccessDenied, AuthenticationFailed, InvalidResponse, NotFound, RateLimited, SourceError
from connectors.http import ApiClient, parsed, retry_after
from connectors.paging import PageTrail
from connectors.payloads import Payload
from headrace_linear.payloads import (
    COMMENTS_PER_ISSUE,
    ISSUES_PER_PAGE,
    QUERIES,
    AnyIssue,
    CommentsData,
    IssueData,
    IssuesData,
    LinearComment,
    LinearErrors,
    LinearIssue,
    LinearPage,
    LinearTeam,
    LinearUser,
    MembersData,
    TeamsData,
    UsersData,
    ViewerData,
)
from headrace_linear.settings import LinearConnection

PER_PAGE = 100
PERSONAL_KEY = "lin_api_"
"""How personal API keys begin; they are sent as they are, and tokens of OAuth as bearer tokens."""

D = TypeVar("D", bound=Payload)
N = TypeVar("N")


class LinearClient:
    def __init__(self, connection: LinearConnection, transport: httpx.BaseTransport | None = None) -> None:
        token = connection.token.get_secret_value()
        authorization = token if token.startswith(PERSONAL_KEY) else f"Bearer {token}"
        self._api = ApiClient(
            connection.base_url, {"Authorization": authorization}, check=graphql_error, transport=transport
        )

    @property
    def requests(self) -> int:
        return self._api.requests

    def close(self) -> None:
        self._api.close()

    def viewer(self) -> ViewerData:
        return self._query("Viewer", ViewerData)

    def teams(self) -> Iterator[LinearTeam]:
        return _nodes(self._pages("Teams", TeamsData, lambda data: data.teams, first=PER_PAGE))

    def members(self, team: str) -> Iterator[LinearUser]:
        return _nodes(self._pages("Members", MembersData, lambda data: data.team.members, first=PER_PAGE, team=team))

    def users(self) -> Iterator[LinearUser]:
        return _nodes(self._pages("Users", UsersData, lambda data: data.users, first=PER_PAGE))

    def issue_pages(
        self, query: str, filter: Mapping[str, Any], after: str | None = None, **variables: Any
    ) -> Iterator[LinearPage[AnyIssue]]:
        """Pages of `Issues` or `IssueTimes`; `after` is the end of a page that was read before."""
        variables = {"first": ISSUES_PER_PAGE, "filter": filter} | variables
        return self._pages(query, IssuesData, lambda data: data.issues, after, **variables)

    def newest(self, team: str) -> LinearIssue | None:
        """The issue of a team that was updated last. Pages in the order of updates begin with the newest."""
        pages = self.issue_pages("IssueTimes", {"team": {"id": {"eq": team}}}, first=1, orderBy="updatedAt")
        return next((issue for issue in next(pages).nodes if isinstance(issue, LinearIssue)), None)

    def issue(self, issue_id: str) -> LinearIssue:
        return self._query("Issue", IssueData, id=issue_id).issue

    def more_comments(self, issue: LinearIssue) -> Iterator[LinearComment]:
        """Those that are not on the issue's own page of comments."""
        first = issue.comments.page_info
        if first.has_next_page:
            variables = {"first": COMMENTS_PER_ISSUE, "id": issue.id}
            pages = self._pages(
                "IssueComments", CommentsData, lambda data: data.issue.comments, first.end_cursor, **variables
            )
            yield from _nodes(pages)

    def _pages(
        self,
        query: str,
        model: type[D],
        page_of: Callable[[D], LinearPage[N]],
        after: str | None = None,
        **variables: Any,
    ) -> Iterator[LinearPage[N]]:
        trail = PageTrail(query)
        while True:
            page = page_of(self._query(query, model, after=after, **variables))
            yield page
            after = trail.follow(page.page_info.end_cursor if page.page_info.has_next_page else None)
            if after is None:
                return

    def _query(self, name: str, model: type[D], **variables: Any) -> D:
        body = {"operationName": name, "query": QUERIES[name], "variables": variables}
        return self._api.send("POST", "graphql", json=body, parse=lambda response: _data(response, name, model))


def graphql_error(response: httpx.Response) -> SourceError | None:
    """The first entry of `errors`. Linear answers a limit with 400, and an error beside data with 200.

    https://linear.app/developers/graphql#errors · https://linear.app/developers/rate-limiting
    """
    try:
        errors = LinearErrors.model_validate_json(response.content).errors
    except ValidationError:
        return None  # no answer of GraphQL's: the common rules hold
    if not errors:
        return None
    where, code, message = str(response.url), errors[0].extensions.code, errors[0].message
    match code:
        case "RATELIMITED":
            return RateLimited(where, _until_reset(response.headers))
        case "AUTHENTICATION_ERROR":
            return AuthenticationFailed(where, message)
        case "FORBIDDEN":
            return AccessDenied(where, message)
    if message.startswith("Entity not found"):
        return NotFound(where)
    return InvalidResponse(where, f"{code or 'error'}: {message[:200]}") if response.is_success else None


def _until_reset(headers: Mapping[str, str]) -> float | None:
    """Seconds until requests are taken again: `Retry-After`, or the time (Unix, in milliseconds) of the reset."""
    if (seconds := retry_after(headers)) is not None:
        return seconds
    reset = headers.get("x-ratelimit-requests-reset", "")
    return max(int(reset) / 1000 - time.time(), 0.0) if reset.isdigit() else None


def _data(response: httpx.Response, name: str, model: type[D]) -> D:
    answer = parsed(response)
    try:
        return model.model_validate(answer.get("data") if isinstance(answer, dict) else answer)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise InvalidResponse(name, f"{place or 'data'}: {first['msg']}") from None


def _nodes(pages: Iterator[LinearPage[N]]) -> Iterator[N]:
    for page in pages:
        yield from page.nodes
