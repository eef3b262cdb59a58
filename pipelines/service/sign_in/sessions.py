"""Who is signed in on the search page: a cookie that only this host sets, and only the page's own requests show."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from pipelines.catalog.grants import Grant, Grants

SESSION_COOKIE = "__Host-headrace-session"
"""The prefix binds it to this host, to https (or loopback) and to no path."""


def is_same_origin(request: Request, public_url: str) -> bool:
    """Whether a page of this server sent a request. Browsers say so in `Sec-Fetch-Site`, and older ones in `Origin`
    where something may change; whoever says neither is no page."""
    if site := request.headers.get("sec-fetch-site"):
        return site == "same-origin"
    return request.headers.get("origin") == public_url


def read_session(request: Request, public_url: str, grants: Grants) -> Grant | None:
    """The session that a request of the page shows."""
    cookie = request.cookies.get(SESSION_COOKIE)
    if not cookie or not is_same_origin(request, public_url):
        return None
    return grants.find(cookie, "session", datetime.now(UTC))


def set_cookie(response: Response, name: str, value: str, seconds: int) -> None:
    # Lax, since people come back from the provider, which is another site.
    response.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax")


def delete_cookie(response: Response, name: str) -> None:
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="lax")
