"""The API of a Drive: what is answered to each request, in the place of the network or on loopback."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.emulators.drive.changes import answer_changes, answer_start_page_token
from tests.emulators.drive.query import BadQuery, Payload, predicate
from tests.emulators.drive.responses import Query, error, masked, refusal
from tests.emulators.drive.store import ME, ROOT, GoogleDrive
from tests.emulators.drive.view import described, described_drives, listed_permissions, opens, searched, sees
from tests.loopback import serve

PREFIX = "/prefix/api"
HOST = "drive.test"
BASE_URL = f"http://{HOST}{PREFIX}"
EXPORT_LIMIT = 10_000_000
PART_PATHS = {
    "listing": re.compile("files"),
    "content": re.compile("files/[^/]+/export"),
    "permissions": re.compile("files/[^/]+/permissions"),
    "comments": re.compile("files/[^/]+/comments"),
    "changes": re.compile("changes(/startPageToken)?"),
    "sheets": re.compile("spreadsheets/.*"),
    "directory": re.compile("directory/.*"),
}
"""What of the API each part is, as `connectors.drive.part_table` names them."""

T = TypeVar("T")


def transport(drive: GoogleDrive) -> httpx.MockTransport:
    """In the place of the network: the API at `BASE_URL`."""

    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.host != HOST:
            drive.strayed.append(str(request.url))
        keys = request.headers.get("x-goog-drive-resource-keys", "")
        response = answer(drive, request.url, request.headers.get("authorization", ""), request.content, keys)
        return httpx.Response(response.status_code, headers=dict(response.headers), content=bytes(response.body))

    return httpx.MockTransport(respond)


@contextmanager
def serving(drive: GoogleDrive) -> Iterator[str]:
    """Serve it on loopback while the context lasts; yields the base URL of its API."""

    async def respond(request: Request) -> Response:
        url = httpx.URL(str(request.url))
        keys = request.headers.get("x-goog-drive-resource-keys", "")
        return answer(drive, url, request.headers.get("authorization", ""), await request.body(), keys)

    app = Starlette(routes=[Route("/{path:path}", respond, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])])
    with serve(uvicorn.Config(app, log_level="error", lifespan="off", ws="none", date_header=False)) as origin:
        yield f"{origin}{PREFIX}"


def answer(drive: GoogleDrive, url: httpx.URL, authorization: str, body: bytes, keys: str = "") -> Response:
    """`keys` are of files that are shared by old links: https://developers.google.com/workspace/drive/api/guides/resource-keys"""
    if not url.path.startswith(f"{PREFIX}/"):
        drive.strayed.append(str(url))
        return error(404, "notFound")
    path, asked = url.path.removeprefix(f"{PREFIX}/"), url.query.decode()
    query = dict(parse_qsl(asked))
    drive.asked_for.append(f"{path}?{asked}" if asked else path)
    if drive.faults and drive.only in path:
        return drive.faults.pop(0)()
    if (found := drive.interrupt(path, query)) is not None:
        return found
    if path == "token":
        return drive.tokens.answer(body, authorization)
    if not drive.tokens.takes(authorization):
        return error(401, "authError")
    if (locked := drive.keys.get(path.split("/")[1] if "/" in path else "")) and f"/{locked}" not in keys:
        return error(404, "notFound")
    if refused := next((how for part, how in drive.refused.items() if _is_part(part, path, query)), None):
        return refusal(refused)
    try:
        return _route(drive, path.split("/"), query, json.loads(body) if body else {})
    except BadQuery as bad:
        return error(400, "invalid", f"Invalid Value: {bad}")


def _is_part(part: str, path: str, query: Query) -> bool:
    is_download = path.startswith("files/") and query.get("alt") == "media"
    return bool(PART_PATHS[part].fullmatch(path)) or (part == "content" and is_download)


def _route(drive: GoogleDrive, path: list[str], query: Query, body: Payload) -> Response:
    match path:
        case ["about"]:
            return masked({"user": {"displayName": "Reader", "emailAddress": ME}}, query)
        case ["drives"]:
            return _page(drive, "drives", described_drives(drive), query)
        case ["files"]:
            return _answer_files(drive, query)
        case ["files", file, *rest]:
            return _answer_file(drive, ROOT if file == "root" else file, rest, query)
        case ["spreadsheets", file] if file in drive.sheets and opens(drive, file):
            return _answer_sheets(drive.sheets[file], query)
        case ["spreadsheets", file, "values:batchGet"] if file in drive.sheets and opens(drive, file):
            return _answer_values(drive.sheets[file], query)
        case ["changes", "startPageToken"] if drive.has_feed:
            return answer_start_page_token(drive, query)
        case ["changes", "watch"] if drive.has_feed:
            return drive.channels.watch(query, body)
        case ["changes"] if drive.has_feed:
            return answer_changes(drive, query)
        case ["channels", "stop"]:
            return drive.channels.stop(body["id"])
        case ["directory", "groups"] if query.get("customer") == "my_customer":
            return _page(drive, "groups", [{"id": _group_id(drive, one), "email": one} for one in drive.groups], query)
        case ["directory", "groups", key, "members"]:
            return _answer_members(drive, key, query)
        case ["permissionIds", address]:
            return masked({"kind": "drive#permissionId", "id": drive.holder(address)}, query)
    return error(404, "notFound")


def _answer_files(drive: GoogleDrive, query: Query) -> Response:
    """Of one shared drive, or of the account's own corpus. To ask for less than both may hold is a mistake here.

    https://developers.google.com/workspace/drive/api/guides/enable-shareddrives
    """
    if not query.get("supportsAllDrives") == query.get("includeItemsFromAllDrives") == "true":
        raise AssertionError("shared drives were left out")
    place, wanted = query.get("driveId"), predicate(query.get("q", ""))
    if place and query.get("corpora") != "drive":
        return error(403, "teamDrivesParentLimit")
    candidates = [
        one
        for one, file in drive.files.items()
        if one != ROOT and (file.get("driveId") == place or (not place and one in drive.accessed))
    ]
    found = [one for one in candidates if wanted(searched(drive, one)) and sees(drive, one)]
    if drive.sorts:
        key, _, direction = query.get("orderBy", "id").partition(" ")
        found.sort(key=lambda one: str(drive.files[one].get(key, "")), reverse=direction == "desc")
    return _page(drive, "files", found, query, describe=partial(described, drive), incompleteSearch=False)


def _answer_file(drive: GoogleDrive, file: str, rest: list[str], query: Query) -> Response:
    if not (opens(drive, file) or (rest == ["permissions"] and file in drive.drives and sees(drive, file))):
        return error(404, "notFound", f"File not found: {file}.")
    match rest:
        case ["permissions"] if drive.files.get(file, {}).get("canShare") is False:
            return error(403, "insufficientFilePermissions")
        case ["permissions"]:
            return _page(drive, "permissions", listed_permissions(drive, file), query)
        case ["comments"]:
            return _page(drive, "comments", drive.comments.get(file, []), query)
        case ["export"]:
            return _export(drive, file, query.get("mimeType", ""))
        case [] if query.get("alt") == "media":
            return _download(drive, file)
        case []:
            return masked(described(drive, file), query)
    return error(404, "notFound")


def _export(drive: GoogleDrive, file: str, mime_type: str) -> Response:
    if file not in drive.exports:
        return error(403, "fileNotExportable", "Export only supports Docs Editors files.")
    data = drive.exports[file].get(mime_type)
    if data is None:
        return error(400, "badRequest", "The requested conversion is not supported.")
    if len(data) > EXPORT_LIMIT:
        return error(403, "exportSizeLimitExceeded", "This file is too large to be exported.")
    return Response(data, media_type=mime_type)


def _answer_sheets(sheets: dict[str, list[list[str]]], query: Query) -> Response:
    """https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets/get"""
    grids = {
        title: {"rowCount": len(rows) + 1_000, "columnCount": max(map(len, rows), default=0) + 20}
        for title, rows in sheets.items()
    }
    told = [{"properties": {"title": title, "gridProperties": grid}} for title, grid in grids.items()]
    return masked({"sheets": told}, query)


def _answer_values(sheets: dict[str, list[list[str]]], query: Query) -> Response:
    """https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets.values/batchGet"""
    found = re.fullmatch(r"'(.+)'!(\d+):(\d+)", query["ranges"])
    if not found or query.get("valueRenderOption") != "FORMATTED_VALUE":
        raise BadQuery(query["ranges"])
    rows = sheets[found[1].replace("''", "'")][int(found[2]) - 1 : int(found[3])]
    told = {"range": query["ranges"], "majorDimension": "ROWS"} | ({"values": rows} if rows else {})
    return JSONResponse({"valueRanges": [told]})


def _download(drive: GoogleDrive, file: str) -> Response:
    if file not in drive.content:
        return error(403, "fileNotDownloadable", "Only files with binary content can be downloaded.")
    return Response(drive.content[file], media_type=drive.files[file]["mimeType"])


def _group_id(drive: GoogleDrive, address: str) -> str:
    """The directory has other ids than Drive."""
    return f"0{drive.holder(address)}"


def _answer_members(drive: GoogleDrive, key: str, query: Query) -> Response:
    """`key` is a group's id or address.

    https://developers.google.com/workspace/admin/directory/reference/rest/v1/members/list
    """
    name = next((one for one in drive.groups if key in (one, _group_id(drive, one))), None)
    if name is None:
        return error(404, "notFound", "Resource Not Found: groupKey")
    derived = query.get("includeDerivedMembership") == "true"
    inside = [one for nested in drive.groups[name] if derived for one in drive.groups.get(nested, [])]
    found = [
        {"email": one, "type": "GROUP" if one in drive.groups else "USER", "status": "ACTIVE"}
        for one in dict.fromkeys([*drive.groups[name], *inside])
    ]
    return _page(drive, "members", found, query)


def _page(
    drive: GoogleDrive,
    name: str,
    found: Sequence[T],
    query: Query,
    *,
    describe: Callable[[T], Any] = lambda one: one,
    **more: Any,
) -> Response:
    start = int(base64.b64decode(query.get("pageToken", "")).decode() or 0)
    end = start + min(int(query.get("pageSize", query.get("maxResults", 100))), drive.page_size)
    following = {"nextPageToken": base64.b64encode(str(end).encode()).decode()} if end < len(found) else {}
    return masked({name: [describe(one) for one in found[start:end]], **more, **following}, query)
