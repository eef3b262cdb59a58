"""What Google's answers mean: errors by their reasons, bodies as payloads, pages one after the other.

Sources: https://developers.google.com/workspace/drive/api/guides/handle-errors
and https://developers.google.com/workspace/drive/api/guides/limits
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import httpx
from pydantic import ValidationError

from connectors.drive.payloads import DrivePage, ErrorResponse
from connectors.errors import AccessDenied, InvalidResponse, RateLimited, RequestRejected, SourceError
from connectors.http import described, retry_after
from connectors.paging import PageTrail
from connectors.payloads import Payload, describe_fault

P = TypeVar("P", bound=Payload)
Page = TypeVar("Page", bound=DrivePage)

_LIMITS = {"userRateLimitExceeded", "rateLimitExceeded", "sharingRateLimitExceeded", "RATE_LIMIT_EXCEEDED"}
_DAILY_LIMITS = {"dailyLimitExceeded", "dailyLimitExceededUnreg"}
_SECONDS_AFTER_DAILY_LIMIT = 3_600.0
"""Too long to wait for inside a read: it ends, and a later sync continues it."""


class DriveAccessDenied(AccessDenied):
    """A 403 answer that is not about the rate of requests; `reason` is Google's short name for it."""

    def __init__(self, where: str, reason: str, message: str) -> None:
        self.reason = reason
        super().__init__(where, f"{reason}: {message}" if reason else message)


def drive_error(response: httpx.Response) -> SourceError | None:
    """Drive's own meaning of a status: 403 is a rate limit or a refusal, by its reason; 501 is not transient."""
    where = str(response.url).split("?", 1)[0]
    if response.status_code == 501:
        return RequestRejected(where, 501, described(response))
    if response.status_code != 403:
        return None
    reason = _reason(response)
    if reason in _LIMITS:
        return RateLimited(where, retry_after(response.headers))
    if reason in _DAILY_LIMITS:
        return RateLimited(where, _SECONDS_AFTER_DAILY_LIMIT)
    return DriveAccessDenied(where, reason, described(response))


def _reason(response: httpx.Response) -> str:
    """Google's short name for an error: the first that is given."""
    try:
        error = ErrorResponse.model_validate_json(response.content).error
    except ValidationError:
        return ""
    return next((one.reason for one in (*error.errors, *error.details) if one.reason), "")


def parser(payload: type[P], path: str) -> Callable[[httpx.Response], P]:
    """Reads an answer as `payload`, and raises InvalidResponse where it is none."""

    def parse(response: httpx.Response) -> P:
        try:
            return payload.model_validate_json(response.content)
        except ValidationError as error:
            raise InvalidResponse(path, describe_fault(error)) from None

    return parse


def follow_pages(path: str, read: Callable[[str | None], Page], first: str | None = None) -> Iterator[Page]:
    """Pages to the last one, from that of the token `first`. `read` gives the page of a token."""
    trail = PageTrail(path)
    token = trail.follow(first)
    while True:
        page = read(token)
        yield page
        token = trail.follow(page.next_page_token)
        if token is None:
            return
