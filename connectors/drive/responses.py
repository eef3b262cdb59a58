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
from connectors.media import declared_type, is_binary
from connectors.model import HTML
from connectors.paging import PageTrail
from connectors.payloads import Payload, describe_fault
from connectors.response_bodies import answered_type, file_bytes

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


def parse_export(response: httpx.Response, media_type: str) -> bytes:
    """A file exported as `media_type`. Raises InvalidResponse for what is of another type, as are sign-in pages and
    errors of gateways: an export has the type that is asked for. Of text, no bytes are an export too: that of an empty
    document; no file of an office suite is empty.

    https://developers.google.com/workspace/drive/api/reference/rest/v3/files/export
    """
    where, data = str(response.url).split("?", 1)[0], file_bytes(response)
    if (answered := answered_type(response)) not in ("", declared_type(media_type)):
        raise InvalidResponse(where, f"{answered} in place of {media_type}")
    if not data and is_binary(media_type):
        raise InvalidResponse(where, f"no bytes in place of {media_type}")
    return data


def parse_download(response: httpx.Response, size: int | None, media_type: str) -> bytes:
    """A file of this type that has at least this size. Raises InvalidResponse where less came, and for a page in place
    of a file that is none: a sign-in page, or an error of a gateway."""
    where, data = str(response.url).split("?", 1)[0], file_bytes(response)
    if size is not None and len(data) < size:
        raise InvalidResponse(where, f"{len(data)} of {size} bytes")
    if answered_type(response) == HTML != declared_type(media_type) and len(data) != size:
        raise InvalidResponse(where, f"{HTML} in place of {media_type}")
    return data


def follow_pages(path: str, read: Callable[[str | None], Page], first: str | None = None) -> Iterator[Page]:
    """Pages to the last one, from that of the token `first`. `read` gives the page of a token."""
    trail = PageTrail(path)
    token = trail.follow(first)
    while True:
        page = read(token)
        yield page
        token = trail.follow(page.next_page_token, page.named)
        if token is None:
            return
