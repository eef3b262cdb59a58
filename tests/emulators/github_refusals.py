"""How GitHub refuses a part of a repository.

https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
https://docs.github.com/en/rest/authentication/permissions-required-for-fine-grained-personal-access-tokens
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from starlette.responses import JSONResponse, PlainTextResponse, Response

Refusal: TypeAlias = Literal["forbidden", "missing", "down", "odd"]
"""`odd` is an answer that looks like one, and is of another kind than the documentation says."""

_PARTS = {
    "issues": "issues",
    "pulls": "pull requests",
    "releases": "releases",
    "git": "files",
    "commits": "files",
    "comments": "commit comments",
    "collaborators": "collaborators",
}
_PERMISSIONS = {
    "issues": "issues=read",
    "pull requests": "pull_requests=read",
    "releases": "contents=read",
    "files": "contents=read",
    "commit comments": "contents=read",
    "collaborators": "metadata=read",
}
"""As `X-Accepted-GitHub-Permissions` has them; GraphQL has no such header."""
_BY_GIT = {
    "forbidden": ("Write access to repository not granted.", 403),
    "missing": ("Repository not found.", 404),
    "down": ("Server Error", 500),
    "odd": ("Welcome", 200),
}
"""The first is what it says to a token without Contents, though nobody wants to write."""
_IN_HEADS = b"defaultBranchRef"
"""In a query about many repositories; what it asks for of each fails by itself."""
_IN_QUERY = re.compile(rb"discussions?\(|on DiscussionComment|on Blob")
_PLACE = re.compile(r"(?:repos/[^/]+/[^/]+|repositories/\d+)/([^/]+)")


def part_of(path: str, body: bytes) -> str:
    """The part that a request asks for, or nothing."""
    if ".wiki.git/" in path:
        return "wiki"
    if path == "graphql":
        found = None if _IN_HEADS in body else _IN_QUERY.search(body)
        return "" if not found else "files" if found[0] == b"on Blob" else "discussions"
    place = _PLACE.match(path)
    if place and place[1] == "commits" and path.endswith("/comments"):
        return "commit comments"
    return _PARTS.get(place[1], "") if place else ""


def refusal(part: str, how: Refusal, *, is_query: bool) -> Response:
    if part == "wiki":
        return PlainTextResponse(*_BY_GIT[how])
    if how == "down":
        return JSONResponse({"message": "Server Error"}, 500)
    if how == "missing":
        return JSONResponse({"message": "Not Found", "status": "404"}, 404)
    if how == "odd":
        return JSONResponse({"message": "Welcome"})
    message = "Resource not accessible by personal access token"
    if part == "collaborators":
        message = "Must have push access to view repository collaborators."
    if is_query:
        error = {"type": "FORBIDDEN", "path": ["repository"], "message": message}
        return JSONResponse({"data": {"repository": None}, "errors": [error]})
    headers = {"x-accepted-github-permissions": _PERMISSIONS[part]}
    return JSONResponse({"message": message, "status": "403"}, 403, headers)
