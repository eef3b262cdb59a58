"""Google Drive's REST API v3, one method for each request.

Source: https://developers.google.com/workspace/drive/api/reference/rest/v3
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import httpx

from connectors.drive.credentials import SCOPE, Authorization
from connectors.drive.payloads import (
    ALL_FILE_FIELDS,
    COMMENT_FIELDS,
    DRIVE_FIELDS,
    FILE_FIELDS,
    NEWER_FIELDS,
    About,
    ChangePage,
    ChannelRequest,
    ChannelResponse,
    DriveComment,
    DriveCommentPage,
    DriveFile,
    DrivePage,
    DrivePermission,
    FilePage,
    PermissionId,
    PermissionPage,
    SharedDrive,
    SharedDrivePage,
    SheetProperties,
    Spreadsheet,
    StartPageToken,
    ValueRanges,
)
from connectors.drive.responses import drive_error, follow_pages, parse_download, parse_export, parser
from connectors.drive.settings import DriveConnection
from connectors.errors import AccessDenied, NotFound, RequestRejected
from connectors.http import PATIENT, PROMPT, ApiClient, RetryBudget
from connectors.payloads import Payload

logger = logging.getLogger(__name__)

T = TypeVar("T")
P = TypeVar("P", bound=Payload)
Page = TypeVar("Page", bound=DrivePage)

FILES_PER_PAGE = 1_000
CHANGES_PER_PAGE = 200
"""Each page ends in a checkpoint, so a killed read repeats at most these."""
PERMISSIONS_PER_PAGE = 100
COMMENTS_PER_PAGE = 100
DRIVES_PER_PAGE = 100

_RESOURCE_KEY = re.compile(r"[\w-]{1,100}", re.ASCII)
_ALL_DRIVES: dict[str, Any] = {"supportsAllDrives": "true", "includeItemsFromAllDrives": "true"}


class DriveClient:
    """Drive as one connection uses it. Every method raises SourceError."""

    def __init__(
        self,
        connection: DriveConnection,
        transport: httpx.BaseTransport | None = None,
        authorization: Authorization | None = None,
    ) -> None:
        """An `authorization` that is handed in keeps its token, and is its owner's to close."""
        self._own = None if authorization else Authorization(connection, SCOPE, transport=transport)
        opened = partial(open_api, connection, auth=authorization or self._own, transport=transport)
        self._objects = opened(connection.base_url)
        # Apart, since a listing that is answered says nothing of a server that gives no file; but one that gives
        # no file is not asked for a listing again and again either.
        self._listings = opened(connection.base_url, sibling=self._objects)
        # Apart as well: several files are read at once, and the permissions of one would renew another's attempts.
        self._contents = opened(connection.base_url, sibling=self._objects)
        self._sheets = opened(connection.sheets_base, sibling=self._objects)
        self._permission_ids = opened(connection.permission_ids_base, sibling=self._objects)
        self._file_fields = ALL_FILE_FIELDS
        self._keys: dict[str, str] = {}

    @property
    def requests(self) -> int:
        return sum(api.requests for api in self._apis)

    def close(self) -> None:
        for api in self._apis:
            api.close()
        if self._own:
            self._own.close()

    @property
    def _apis(self) -> tuple[ApiClient, ...]:
        return self._objects, self._listings, self._contents, self._sheets, self._permission_ids

    def about(self) -> About:
        return _get(self._listings, About, "about", fields="user(displayName,emailAddress)")

    def drives(self) -> Iterator[SharedDrive]:
        """Shared drives of which the account is a member; none on a server that has no such thing."""
        try:
            for page in _pages(
                self._listings,
                SharedDrivePage,
                "drives",
                pageSize=DRIVES_PER_PAGE,
                fields=f"nextPageToken,drives({DRIVE_FIELDS})",
            ):
                yield from page.drives
        except NotFound:
            logger.info("%s: the server has no shared drives", self._listings.base_url)

    def files(self, query: str, *, drive: str | None = None) -> Iterator[FilePage]:
        """Pages of files, oldest first: of one shared drive, or of everything that the account itself sees."""
        return self._file_pages(
            FilePage,
            "files",
            "nextPageToken,incompleteSearch,files({})",
            q=query,
            orderBy="createdTime",
            pageSize=FILES_PER_PAGE,
            **_corpus(drive),
            **_ALL_DRIVES,
        )

    def last_modified(self, query: str, *, drive: str | None = None) -> datetime | None:
        """When the file modified last was, by the server's clock."""
        page = _get(
            self._listings,
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

    def file(self, file_id: str) -> DriveFile:
        path, headers = f"files/{file_id}", self._headers(file_id)
        found = self._with_file_fields(
            lambda fields: _get(
                self._objects, DriveFile, path, headers=headers, fields=fields, supportsAllDrives="true"
            )
        )
        self._learn_keys([found])
        return found

    def permissions(self, file_id: str) -> list[DrivePermission]:
        """Of a file, or of a shared drive by its id. Raises AccessDenied where the answer names nobody: each has an
        owner or members."""
        path = f"files/{file_id}/permissions"
        pages = _pages(
            self._objects,
            PermissionPage,
            path,
            retries=PROMPT,
            headers=self._headers(file_id),
            pageSize=PERMISSIONS_PER_PAGE,
            fields="nextPageToken,permissions",
            supportsAllDrives="true",
        )
        found = [permission for page in pages for permission in page.permissions]
        if not found:
            raise AccessDenied(path, "the answer names nobody")
        return found

    def permission_id(self, address: str) -> str:
        """What stands for a person or group in permissions, by the address that it has now. Raises NotFound for an
        address of nobody's.

        https://developers.google.com/workspace/drive/api/reference/rest/v2/permissions/getIdForEmail
        """
        return _get(self._permission_ids, PermissionId, f"permissionIds/{quote(address, safe='@')}", fields="id").id

    def comments(self, file_id: str) -> list[DriveComment]:
        """Comments beside a file, oldest first as Drive gives them; deleted ones are left out."""
        pages = _pages(
            self._objects,
            DriveCommentPage,
            f"files/{file_id}/comments",
            headers=self._headers(file_id),
            pageSize=COMMENTS_PER_PAGE,
            fields=f"nextPageToken,comments({COMMENT_FIELDS})",
        )
        return [comment for page in pages for comment in page.comments if not comment.deleted]

    def export(self, file_id: str, media_type: str) -> bytes:
        """A Google Docs, Sheets or Slides file in another format, of at most 10 MB."""
        path, headers = f"files/{file_id}/export", self._headers(file_id)
        parse = partial(parse_export, media_type=media_type)
        return self._contents.send("GET", path, params={"mimeType": media_type}, headers=headers, parse=parse)

    def sheets(self, file_id: str) -> list[SheetProperties]:
        """The sheets of a spreadsheet, by the Sheets API."""
        found = _get(
            self._sheets,
            Spreadsheet,
            f"spreadsheets/{file_id}",
            fields="sheets(properties(title,gridProperties(rowCount,columnCount)))",
        )
        return [sheet.properties for sheet in found.sheets]

    def sheet_rows(self, file_id: str, cells: str) -> list[tuple[str, ...]]:
        """Rows of a spreadsheet's range in A1 notation, values as they are shown."""
        path = f"spreadsheets/{file_id}/values:batchGet"
        found = _get(self._sheets, ValueRanges, path, ranges=cells, valueRenderOption="FORMATTED_VALUE")
        return [row for values in found.value_ranges for row in values.values]

    def download(self, file_id: str, size: int | None, media_type: str) -> bytes:
        """The bytes of a file, by what its metadata tell of them."""
        parse_whole = partial(parse_download, size=size, media_type=media_type)
        params = {"alt": "media", "supportsAllDrives": "true"}
        headers = self._headers(file_id)
        return self._contents.send("GET", f"files/{file_id}", params=params, headers=headers, parse=parse_whole)

    def start_page_token(self, drive: str | None = None) -> str:
        """Where the changes after this moment begin."""
        scope: dict[str, Any] = {"driveId": drive} if drive else {}
        path = "changes/startPageToken"
        found = _get(self._listings, StartPageToken, path, fields="startPageToken", supportsAllDrives="true", **scope)
        return found.start_page_token

    def open_feed(self, drive: str | None = None) -> str:
        """As `start_page_token`, tried: there are servers that give a token, and have no feed."""
        token = self.start_page_token(drive)
        next(self.changes(token, drive))
        return token

    def changes(self, token: str, drive: str | None = None) -> Iterator[ChangePage]:
        """Pages of changes since `token`, the last one with the token for the next time."""
        scope: dict[str, Any] = {"driveId": drive} if drive else {}
        return self._file_pages(
            ChangePage,
            "changes",
            "nextPageToken,newStartPageToken,changes(changeType,fileId,removed,file({}))",
            first=token,
            pageSize=CHANGES_PER_PAGE,
            includeRemoved="true",
            includeCorpusRemovals="true",
            **scope,
            **_ALL_DRIVES,
        )

    def watch(self, channel: ChannelRequest, token: str, drive: str | None = None) -> ChannelResponse:
        """Ask for a push notification when there are changes. https://developers.google.com/workspace/drive/api/guides/push"""
        scope: dict[str, Any] = {"driveId": drive} if drive else {}
        query = urlencode({"pageToken": token, **scope, **_ALL_DRIVES})
        parse = parser(ChannelResponse, "changes/watch")
        return self._listings.send(
            "POST", f"changes/watch?{query}", json=channel.model_dump(by_alias=True), parse=parse
        )

    def stop(self, channel: str, resource: str) -> None:
        """End a push channel."""
        body = {"id": channel, "resourceId": resource}
        self._listings.send("POST", "channels/stop", json=body, parse=lambda answer: None)

    def _file_pages(
        self, payload: type[Page], path: str, fields: str, first: str | None = None, **params: Any
    ) -> Iterator[Page]:
        """Pages of a listing; the fields of files are put into `fields`."""

        def read(token: str | None) -> Page:
            asked = {**params, **({"pageToken": token} if token else {})}
            return self._with_file_fields(
                lambda of_files: _get(self._listings, payload, path, fields=fields.format(of_files), **asked)
            )

        for page in follow_pages(path, read, first):
            if isinstance(page, FilePage):
                self._learn_keys(page.files)
            elif isinstance(page, ChangePage):
                self._learn_keys(change.file for change in page.changes if change.file)
            yield page

    def _learn_keys(self, files: Iterable[DriveFile]) -> None:
        """Note the keys without which old shared links lead nowhere: of files, and of what shortcuts point to."""
        for file in files:
            target = file.shortcut_details
            pairs = [(file.id, file.resource_key)] + (
                [(target.target_id, target.target_resource_key)] if target else []
            )
            self._keys |= {own: key for own, key in pairs if _RESOURCE_KEY.fullmatch(key)}

    def _headers(self, file_id: str) -> dict[str, str]:
        """https://developers.google.com/workspace/drive/api/guides/resource-keys"""
        key = self._keys.get(file_id)
        return {"X-Goog-Drive-Resource-Keys": f"{file_id}/{key}"} if key else {}

    def _with_file_fields(self, ask: Callable[[str], T]) -> T:
        """What `ask` gets for the fields of a file; without the newer ones, where the server does not know them."""
        try:
            return ask(self._file_fields)
        except RequestRejected as error:
            if self._file_fields == FILE_FIELDS or not any(name in str(error) for name in NEWER_FIELDS):
                raise
        self._file_fields = FILE_FIELDS
        return ask(FILE_FIELDS)


def open_api(
    connection: DriveConnection,
    base_url: str,
    auth: Authorization | None,
    transport: httpx.BaseTransport | None,
    sibling: ApiClient | None = None,
) -> ApiClient:
    """A client for one of Google's APIs. All of a connection meet the same limits, per API."""
    # Whoever requests are sent for: Google counts for the project as a whole, too.
    credential = connection.token.get_secret_value()
    return ApiClient(
        base_url, {}, check=drive_error, credential=credential, transport=transport, auth=auth, sibling=sibling
    )


def _pages(
    api: ApiClient,
    payload: type[Page],
    path: str,
    *,
    retries: RetryBudget = PATIENT,
    headers: Mapping[str, str] | None = None,
    **params: Any,
) -> Iterator[Page]:
    def read(token: str | None) -> Page:
        asked = params | ({"pageToken": token} if token else {})
        parse = parser(payload, path)
        return api.send("GET", path, params=asked, headers=headers or {}, parse=parse, retries=retries)

    return follow_pages(path, read)


def _get(api: ApiClient, payload: type[P], path: str, *, headers: Mapping[str, str] | None = None, **params: Any) -> P:
    return api.send("GET", path, params=params, headers=headers or {}, parse=parser(payload, path))


def _corpus(drive: str | None) -> dict[str, Any]:
    return {"corpora": "drive", "driveId": drive} if drive else {"corpora": "user"}
