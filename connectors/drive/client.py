"""Google Drive's REST API v3: paging, limits, errors.

Sources: https://developers.google.com/workspace/drive/api/guides/handle-errors
and https://developers.google.com/workspace/drive/api/guides/limits
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

import httpx
from pydantic import BaseModel, ValidationError

from connectors.drive.credentials import SCOPE, Authorization
from connectors.drive.payloads import (
    COMMENT_FIELDS,
    FILE_FIELDS,
    About,
    ChangePage,
    Comment,
    CommentPage,
    Drive,
    DrivePage,
    File,
    FilePage,
    Permission,
    PermissionPage,
    StartPageToken,
    WatchedChannel,
)
from connectors.drive.settings import DriveConnection
from connectors.errors import (
    AccessDenied,
    InvalidResponse,
    NotFound,
    RateLimited,
    RequestRejected,
    SourceError,
)
from connectors.http import ApiClient, described, retry_after

logger = logging.getLogger(__name__)

P = TypeVar("P", bound=BaseModel)

FILES_PER_PAGE = 1_000
CHANGES_PER_PAGE = 200
"""Each page is a place to continue from, so a killed read repeats at most these."""
PERMISSIONS_PER_PAGE = 100
COMMENTS_PER_PAGE = 100
DRIVES_PER_PAGE = 100

_LIMITS = {"userRateLimitExceeded", "rateLimitExceeded", "sharingRateLimitExceeded", "RATE_LIMIT_EXCEEDED"}
_DAILY_LIMITS = {"dailyLimitExceeded", "dailyLimitExceededUnreg"}
_SECONDS_AFTER_DAILY_LIMIT = 3_600.0
"""Too long to wait for inside a read: it ends, and a later sync continues it."""
_ALL_DRIVES = {"supportsAllDrives": "true", "includeItemsFromAllDrives": "true"}


class Refused(AccessDenied):
    """A 403 answer that is not about the rate of requests; `reason` is Google's short name for it."""

    def __init__(self, where: str, reason: str, message: str) -> None:
        self.reason = reason
        super().__init__(where, f"{reason}: {message}" if reason else message)


class DriveClient:
    """Drive, one method for each request. Every method raises SourceError."""

    def __init__(self, connection: DriveConnection, transport: httpx.BaseTransport | None = None) -> None:
        authorized = Authorization(connection, transport or httpx.HTTPTransport(), SCOPE)
        self._api = ApiClient(
            connection.base_url, {}, check=drive_error, credential=credential(connection), transport=authorized
        )

    @property
    def requests(self) -> int:
        return self._api.requests

    def close(self) -> None:
        self._api.close()

    def about(self) -> About:
        return self._get(About, "about", fields="user(displayName,emailAddress)")

    def drives(self) -> Iterator[Drive]:
        """Shared drives of which the account is a member; none on a server that has no such thing."""
        try:
            for page in self._pages(
                DrivePage, "drives", pageSize=DRIVES_PER_PAGE, fields="nextPageToken,drives(id,name)"
            ):
                yield from page.drives
        except NotFound:
            logger.info("%s: the server has no shared drives", self._api.base_url)

    def files(self, query: str, *, drive: str | None = None) -> Iterator[FilePage]:
        """Pages of files, oldest first: of one shared drive, or of everything that the account itself sees."""
        return self._pages(
            FilePage,
            "files",
            q=query,
            orderBy="createdTime",
            pageSize=FILES_PER_PAGE,
            fields=f"nextPageToken,incompleteSearch,files({FILE_FIELDS})",
            **_corpus(drive),
            **_ALL_DRIVES,
        )

    def last_modified(self, query: str, *, drive: str | None = None) -> datetime | None:
        """When the file modified last was, by the server's clock."""
        page = self._get(
            FilePage,
            "files",
            q=query,
            orderBy="modifiedTime desc",
            pageSize=1,
            fields="files(id,modifiedTime)",
            **_corpus(drive),
            **_ALL_DRIVES,
        )
        return page.files[0].modified_time if page.files else None

    def file(self, file_id: str) -> File:
        return self._get(File, f"files/{file_id}", fields=FILE_FIELDS, supportsAllDrives="true")

    def permissions(self, file_id: str) -> list[Permission]:
        pages = self._pages(
            PermissionPage,
            f"files/{file_id}/permissions",
            pageSize=PERMISSIONS_PER_PAGE,
            fields="nextPageToken,permissions",
            supportsAllDrives="true",
        )
        return [permission for page in pages for permission in page.permissions]

    def comments(self, file_id: str) -> list[Comment]:
        """What was said beside a file, oldest first as Drive gives it; deleted comments are left out."""
        pages = self._pages(
            CommentPage,
            f"files/{file_id}/comments",
            pageSize=COMMENTS_PER_PAGE,
            fields=f"nextPageToken,comments({COMMENT_FIELDS})",
        )
        return [comment for page in pages for comment in page.comments if not comment.deleted]

    def export(self, file_id: str, media_type: str) -> bytes:
        """A Google Docs, Sheets or Slides file in another format, of at most 10 MB."""
        return self._api.get_bytes(f"files/{file_id}/export", {"mimeType": media_type})

    def download(self, file_id: str, size: int | None) -> bytes:
        """What a file holds: at least the `size` that Drive told, or the answer was cut off."""

        def whole(response: httpx.Response) -> bytes:
            if size is not None and len(response.content) < size:
                raise InvalidResponse(f"files/{file_id}", f"{len(response.content)} of {size} bytes")
            return response.content

        params = {"alt": "media", "supportsAllDrives": "true"}
        return self._api.send("GET", f"files/{file_id}", params=params, parse=whole)

    def start_page_token(self, drive: str | None = None) -> str | None:
        """Where the changes after this moment begin; None if the server has no changes feed."""
        scope = {"driveId": drive} if drive else {}
        try:
            answer = self._get(
                StartPageToken,
                "changes/startPageToken",
                fields="startPageToken",
                supportsAllDrives="true",
                **scope,
            )
        except (NotFound, RequestRejected):
            return None
        return answer.start_page_token

    def changes(self, token: str, drive: str | None = None) -> Iterator[ChangePage]:
        """Pages of changes since `token`, the last one with the token for the next time."""
        scope = {"driveId": drive} if drive else {}
        file_fields = f"changes(changeType,fileId,removed,file({FILE_FIELDS}))"
        return self._pages(
            ChangePage,
            "changes",
            first=token,
            pageSize=CHANGES_PER_PAGE,
            includeRemoved="true",
            includeCorpusRemovals="true",
            fields=f"nextPageToken,newStartPageToken,{file_fields}",
            **scope,
            **_ALL_DRIVES,
        )

    def watch(self, channel: Mapping[str, Any], token: str, drive: str | None = None) -> WatchedChannel:
        """Ask for a push notification when there are changes. https://developers.google.com/workspace/drive/api/guides/push"""
        scope = {"driveId": drive} if drive else {}
        query = urlencode({"pageToken": token, **scope, **_ALL_DRIVES})
        parse = parser(WatchedChannel, "changes/watch")
        return self._api.send("POST", f"changes/watch?{query}", json=dict(channel), parse=parse)

    def stop(self, channel: str, resource: str) -> None:
        """End a push channel."""
        body = {"id": channel, "resourceId": resource}
        self._api.send("POST", "channels/stop", json=body, parse=lambda answer: None)

    def _pages(self, page_type: type[P], path: str, *, first: str | None = None, **params: Any) -> Iterator[P]:
        token, seen = first, {first}
        while True:
            page = self._get(page_type, path, **params, **({"pageToken": token} if token else {}))
            yield page
            token = getattr(page, "next_page_token", None)
            if not token:
                return
            if token in seen:
                raise InvalidResponse(path, f"the page token {token[:40]!r} came a second time")
            seen.add(token)

    def _get(self, payload: type[P], path: str, **params: Any) -> P:
        return self._api.send("GET", path, params=params, parse=parser(payload, path))


def credential(connection: DriveConnection) -> str:
    """Whose limits requests count against."""
    return f"{connection.token.get_secret_value()} {connection.subject}"


def drive_error(response: httpx.Response) -> SourceError | None:
    """Drive's own reading of an answer: 403 is a rate limit or a refusal, by its reason; 501 is not transient."""
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
    return Refused(where, reason, described(response))


def _reason(response: httpx.Response) -> str:
    """`error.errors[0].reason`, or that of `details`, where Google's newer errors have it.

    https://developers.google.com/workspace/drive/api/guides/handle-errors
    """
    try:
        error = response.json()["error"]
        told = [*(error.get("errors") or ()), *(error.get("details") or ())]
        return next((str(one["reason"]) for one in told if one.get("reason")), "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def parser(payload: type[P], path: str) -> Callable[[httpx.Response], P]:
    """Reads an answer as `payload`, and raises InvalidResponse where it is none."""

    def parse(response: httpx.Response) -> P:
        try:
            return payload.model_validate_json(response.content)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise InvalidResponse(path, f"{place or 'body'}: {first['msg']}") from None

    return parse


def _corpus(drive: str | None) -> dict[str, str]:
    return {"corpora": "drive", "driveId": drive} if drive else {"corpora": "user"}


def rfc3339(moment: datetime) -> str:
    """A time as Drive writes it, to the millisecond, so that it can be compared with Drive's own."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def quoted(text: str) -> str:
    """A string of Drive's query language: https://developers.google.com/workspace/drive/api/guides/ref-search-terms"""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
