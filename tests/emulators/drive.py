"""Google Drive in memory, over HTTP: written from its REST reference and guides.

https://developers.google.com/workspace/drive/api/reference/rest/v3
https://developers.google.com/workspace/drive/api/guides/about-changes · …/push · …/handle-errors

It speaks under a path prefix, shows only what one account sees, and gives only the fields that are asked for. A
change of a folder stands in the changes feed under the folder alone. Times are the test's own: each change is one
minute after the one before it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.emulators.drive_query import BadQuery, mask, predicate, shown

PREFIX = "/prefix/api"
TOKEN = "ya29.emulated"
REFRESH_TOKEN = "1//emulated"
WEBHOOK_SECRET = "webhook-secret"
ME = "reader@acme.test"
ROOT = "0AMyDriveRoot"
GOOGLE = "application/vnd.google-apps."
FOLDER = f"{GOOGLE}folder"
EXPORT_LIMIT = 10_000_000

Payload = dict[str, Any]
Fault = Callable[[], Response]


def person(email: str, role: str = "reader", **more: Any) -> Payload:
    """`more` are other fields of the permission, such as `expirationTime`."""
    return {"type": "user", "role": role, "emailAddress": email, **more}


def group(email: str, role: str = "reader") -> Payload:
    return {"type": "group", "role": role, "emailAddress": email}


def domain(name: str, *, discoverable: bool = True) -> Payload:
    return {"type": "domain", "role": "reader", "domain": name, "allowFileDiscovery": discoverable}


def anyone(*, discoverable: bool = False) -> Payload:
    return {"type": "anyone", "role": "reader", "allowFileDiscovery": discoverable}


@dataclass
class GoogleDrive:
    """The whole service as the account `ME` meets it. Its methods change it as people do."""

    files: dict[str, Payload] = field(default_factory=dict)
    permissions: dict[str, dict[str, Payload]] = field(default_factory=dict)
    restricted: set[str] = field(default_factory=set)
    content: dict[str, bytes] = field(default_factory=dict)
    exports: dict[str, dict[str, bytes]] = field(default_factory=dict)
    comments: dict[str, list[Payload]] = field(default_factory=dict)
    drives: dict[str, str] = field(default_factory=dict)
    restrictions: dict[str, Payload] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    log: list[tuple[str, str | None]] = field(default_factory=list)
    oldest_token: int = 0
    has_feed: bool = True
    page_size: int = 1_000
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    subjects: list[str | None] = field(default_factory=list)
    public_key: bytes | None = None
    channels: dict[str, Payload] = field(default_factory=dict)
    messages: Counter[str] = field(default_factory=Counter)
    clock: datetime = datetime(2026, 3, 1, tzinfo=UTC)
    faults: list[Fault] = field(default_factory=list)
    only: str = ""
    asked_for: list[str] = field(default_factory=list)
    strayed: list[str] = field(default_factory=list)
    next_id: int = 0

    def __post_init__(self) -> None:
        self.files[ROOT] = {"id": ROOT, "name": "My Drive", "mimeType": FOLDER, "ownedByMe": True}
        self.permissions[ROOT] = {}

    # ---- what people do

    def shared_drive(self, name: str, *members: Payload) -> str:
        drive = self._id("0AD")
        self.drives[drive] = name
        self.permissions[drive] = {}
        for member in (person(ME, "fileOrganizer"), *members):
            self._grant(drive, member)
        return drive

    def rename_drive(self, drive: str, name: str) -> None:
        self.drives[drive] = name

    def restrict_drive(self, drive: str, **restrictions: bool) -> None:
        """As its managers do; what was shared before stays listed, and no file changes."""
        self.restrictions[drive] = restrictions

    def leave_drive(self, drive: str) -> None:
        """The account is a member no more: it sees nothing of the drive."""
        self.permissions[drive].pop(_permission_id(person(ME)))

    def limit_access(self, folder: str) -> None:
        """Shut out whom a folder would inherit."""
        self.restricted.add(folder)
        self._changed(folder)

    def folder(self, name: str, parent: str | None = ROOT, *, restricted: bool = False, **more: Any) -> str:
        made = self._file(name, FOLDER, parent, more)
        if restricted:
            self.restricted.add(made)
        return made

    def doc(self, name: str, text: str = "", parent: str | None = ROOT, **more: Any) -> str:
        made = self._file(name, f"{GOOGLE}document", parent, more)
        self.exports[made] = {"text/markdown": text.encode(), "text/html": f"<p>{text}</p>".encode()}
        return made

    def exported(self, name: str, kind: str, exports: dict[str, bytes], parent: str | None = ROOT) -> str:
        """A file of Google's own `kind`: spreadsheet, presentation, drawing …"""
        made = self._file(name, f"{GOOGLE}{kind}", parent, {})
        self.exports[made] = exports
        return made

    def upload(self, name: str, data: bytes, mime_type: str, parent: str | None = ROOT, **more: Any) -> str:
        made = self._file(name, mime_type, parent, {"size": str(len(data)), **more})
        self.content[made] = data
        return made

    def shortcut(self, name: str, target: str, parent: str | None = ROOT) -> str:
        details = {"targetId": target, "targetMimeType": self.files[target]["mimeType"]}
        return self._file(name, f"{GOOGLE}shortcut", parent, {"shortcutDetails": details})

    def edit(self, file: str, text: str) -> None:
        if file in self.exports:
            self.exports[file] = {"text/markdown": text.encode(), "text/html": f"<p>{text}</p>".encode()}
        else:
            self.content[file] = text.encode()
            self.files[file]["size"] = str(len(self.content[file]))
        self._changed(file, modifiedTime=self._tick())

    def rename(self, file: str, name: str) -> None:
        self._changed(file, name=name)

    def move(self, file: str, parent: str) -> None:
        self._changed(file, parents=[parent], driveId=self._drive_of(parent))

    def trash(self, file: str) -> None:
        self._changed(file, explicitlyTrashed=True)

    def untrash(self, file: str) -> None:
        self._changed(file, explicitlyTrashed=False)

    def delete(self, file: str) -> None:
        """For ever, with all that is below it."""
        for below in [one for one, payload in self.files.items() if file in (payload.get("parents") or ())]:
            self.delete(below)
        self.log.append((file, self.files.pop(file).get("driveId")))

    def share(self, file: str, permission: Payload) -> str:
        granted = self._grant(file, permission)
        self._changed(file) if file in self.files else None
        return granted

    def unshare(self, file: str, permission: str) -> None:
        del self.permissions[file][permission]
        self._changed(file) if file in self.files else None

    def touch(self, file: str) -> None:
        """Something that no reader sees: the version moves, and the feed says so."""
        self._changed(file)

    def comment(self, file: str, text: str, *replies: str, author: str = "Lin", quoted: str = "") -> None:
        said = [{"author": {"displayName": "Ada"}, "content": reply, "createdTime": self._tick()} for reply in replies]
        made = {"author": {"displayName": author}, "content": text, "createdTime": self._tick(), "replies": said}
        self.comments.setdefault(file, []).append(
            {**made, **({"quotedFileContent": {"value": quoted}} if quoted else {})}
        )
        self._changed(file)

    # ---- what goes wrong, and what is seen

    def forget_changes(self) -> None:
        """Page tokens given so far are accepted no more."""
        self.oldest_token = len(self.log) + 1
        self.log.append(("nothing", None))

    def fail(self, times: int, fault: Fault, *, only: str = "") -> None:
        """The next `times` requests, of those whose path holds `only`, are answered by `fault`."""
        self.only = only
        self.faults += [fault] * times

    def asked(self) -> Counter[str]:
        """How often each path below the prefix was asked for since `forget`."""
        return Counter(path.split("?", 1)[0] for path in self.asked_for)

    def forget(self) -> None:
        self.asked_for.clear()

    def webhook(self, channel: str, state: str = "change") -> tuple[dict[str, str], bytes]:
        """Headers (by lower-case name) and body of a notification of an open channel."""
        opened = self.channels[channel]
        self.messages[channel] += 1
        headers = {
            "x-goog-channel-id": channel,
            "x-goog-channel-token": opened["token"],
            "x-goog-channel-expiration": "Sat, 07 Mar 2026 00:00:00 GMT",
            "x-goog-resource-id": opened["resourceId"],
            "x-goog-resource-uri": f"https://www.googleapis.com/drive/v3/changes?driveId={opened.get('driveId', '')}",
            "x-goog-resource-state": state,
            "x-goog-message-number": str(self.messages[channel]),
            "content-length": "0",
        }
        return headers, b""

    def notifications(self, drive: str | None = None) -> list[tuple[dict[str, str], bytes]]:
        """One notification of each channel that watches a shared drive, or the account's own feed."""
        return [self.webhook(one) for one, opened in self.channels.items() if opened.get("driveId") == drive]

    # ---- what the account sees

    def effective(self, file: str) -> dict[str, Payload]:
        """Permissions of a file with those it inherits: a folder with limited access lets those see that it is there,
        and only owners and organizers in."""
        own = dict(self.permissions.get(file, {}))
        if file not in self.files:
            return own
        above = [parent for parent in (self.files[file].get("parents") or ()) if parent in self.permissions]
        for parent in above:
            inherited = {one: said for one, said in self.effective(parent).items() if not said.get("view")}
            if file in self.restricted:
                inherited = {one: said | _metadata_view(said) for one, said in inherited.items()}
            own = {**inherited, **own}
        return own

    def sees(self, file: str) -> bool:
        return self._is_mine(file) or any(one.get("emailAddress") == ME for one in self.effective(file).values())

    def opens(self, file: str) -> bool:
        """By its id: also what is open to anyone with the link."""
        return file in self.files and (
            self.sees(file) or any(p["type"] == "anyone" for p in self.effective(file).values())
        )

    def described(self, file: str) -> Payload:
        payload, permissions = self.files[file], self.effective(file)
        in_drive = bool(payload.get("driveId"))
        parents = [one for one in payload.get("parents") or () if one in self.drives or one == ROOT or self.sees(one)]
        return {
            **payload,
            "parents": parents or None,
            "trashed": self._trashed(file),
            "permissionIds": sorted(permissions),
            "permissions": None if in_drive or payload.get("canShare") is False else self._permissions(file),
            "inheritedPermissionsDisabled": file in self.restricted,
            "ownedByMe": self._is_mine(file),
        }

    def _is_mine(self, file: str) -> bool:
        parents = self.files.get(file, {}).get("parents") or ()
        return file == ROOT or any(
            parent == ROOT or (parent in self.files and self._is_mine(parent)) for parent in parents
        )

    def _trashed(self, file: str) -> bool:
        payload = self.files.get(file, {})
        return bool(payload.get("explicitlyTrashed")) or any(map(self._trashed, payload.get("parents") or ()))

    def _drive_of(self, parent: str | None) -> str | None:
        return parent if parent in self.drives else self.files.get(parent or "", {}).get("driveId")

    def _permissions(self, file: str) -> list[Payload]:
        """As they are listed: what something inherits names where that comes from in shared drives only."""
        return [
            {**self._permission(one, said), "permissionDetails": [self._origin(file, one)]}
            for one, said in self.effective(file).items()
        ]

    def _origin(self, file: str, permission: str) -> Payload:
        holder = file
        while permission not in self.permissions[holder]:
            [holder] = self.files[holder]["parents"]
        role = self.permissions[holder][permission]["role"]
        if holder == file:
            return {"permissionType": "file", "role": role, "inherited": False}
        kind = "member" if holder in self.drives else "file"
        source = {"inheritedFrom": holder} if self.files[file].get("driveId") else {}
        return {"permissionType": kind, "role": role, "inherited": True, **source}

    def _permission(self, permission_id: str, said: Payload) -> Payload:
        return {"id": permission_id, "kind": "drive#permission", **said}

    # ---- the server

    async def answered(self, request: Request) -> Response:
        path = unquote(request.url.path)
        if not path.startswith(f"{PREFIX}/"):
            self.strayed.append(str(request.url))
            return error(404, "notFound")
        path = path.removeprefix(f"{PREFIX}/")
        self.asked_for.append(f"{path}?{request.url.query}" if request.url.query else path)
        if self.faults and self.only in path:
            return self.faults.pop(0)()
        if path == "token":
            return self._token(parse_qs((await request.body()).decode()))
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return error(401, "authError")
        body = await request.body()
        try:
            return self._answer(path.split("/"), dict(request.query_params), json.loads(body) if body else {})
        except BadQuery as bad:
            return error(400, "invalid", f"Invalid Value: {bad}")

    def _answer(self, path: list[str], query: dict[str, str], body: Payload) -> Response:
        match path:
            case ["about"]:
                return _masked({"user": {"displayName": "Reader", "emailAddress": ME}}, query)
            case ["drives"]:
                mine = [
                    {"id": one, "name": name, "restrictions": self.restrictions.get(one, {})}
                    for one, name in self.drives.items()
                    if self.sees(one)
                ]
                return self._page("drives", mine, query)
            case ["files"]:
                return self._files(query)
            case ["files", ("root" | str()) as file, *rest]:
                return self._file_answer(ROOT if file == "root" else file, rest, query)
            case ["changes", "startPageToken"] if self.has_feed:
                return _masked({"startPageToken": str(len(self.log))}, query)
            case ["changes", "watch"] if self.has_feed:
                return self._watch(query, body)
            case ["changes"] if self.has_feed:
                return self._changes(query)
            case ["channels", "stop"]:
                return Response(status_code=204) if self.channels.pop(body["id"], None) else error(404, "notFound")
            case ["directory", "groups"] if query.get("customer") == "my_customer":
                return self._page("groups", [{"email": name} for name in self.groups], query)
            case ["directory", "groups", name, "members"]:
                return self._members(name, query)
        return error(404, "notFound")

    def _files(self, query: dict[str, str]) -> Response:
        drive, wanted = query.get("driveId"), predicate(query.get("q", ""))
        if drive and (query.get("corpora") != "drive" or "includeItemsFromAllDrives" not in query):
            return error(403, "teamDrivesParentLimit")
        candidates = (one for one, file in self.files.items() if one != ROOT and file.get("driveId") == drive)
        everything = "includeItemsFromAllDrives" in query and query.get("corpora") == "allDrives"
        candidates = (one for one in self.files if one != ROOT) if everything else candidates
        found = [described for one in candidates if self.sees(one) and wanted(described := self.described(one))]
        key, _, direction = query.get("orderBy", "id").partition(" ")
        found.sort(key=lambda file: str(file.get(key, "")), reverse=direction == "desc")
        return self._page("files", found, query, incompleteSearch=False)

    def _file_answer(self, file: str, rest: list[str], query: dict[str, str]) -> Response:
        if file in self.drives and rest == ["permissions"] and self.sees(file):
            found = [self._permission(one, said) for one, said in self.permissions[file].items()]
            return self._page("permissions", found, query)
        if not self.opens(file):
            return error(404, "notFound", f"File not found: {file}.")
        match rest:
            case ["permissions"] if self.files[file].get("canShare") is False:
                return error(403, "insufficientFilePermissions")
            case ["permissions"]:
                return self._page("permissions", self._permissions(file), query)
            case ["comments"]:
                return self._page("comments", self.comments.get(file, []), query)
            case ["export"]:
                return self._export(file, query.get("mimeType", ""))
            case [] if query.get("alt") == "media":
                return self._media(file)
            case []:
                return _masked(self.described(file), query)
        return error(404, "notFound")

    def _export(self, file: str, mime_type: str) -> Response:
        data = self.exports.get(file, {}).get(mime_type)
        if file not in self.exports:
            return error(403, "fileNotExportable", "Export only supports Docs Editors files.")
        if data is None:
            return error(400, "badRequest", "The requested conversion is not supported.")
        if len(data) > EXPORT_LIMIT:
            return error(403, "exportSizeLimitExceeded", "This file is too large to be exported.")
        return Response(data, media_type=mime_type)

    def _media(self, file: str) -> Response:
        if file not in self.content:
            return error(403, "fileNotDownloadable", "Only files with binary content can be downloaded.")
        return Response(self.content[file], media_type=self.files[file]["mimeType"])

    def _changes(self, query: dict[str, str]) -> Response:
        """Each file once, where it changed last."""
        token, drive = query.get("pageToken", ""), query.get("driveId")
        if not token.isdigit() or not self.oldest_token <= int(token) <= len(self.log):
            return error(400, "invalid", "Invalid Value: pageToken")
        feed = [position for position, (_, place) in enumerate(self.log) if drive is None or place == drive]
        latest = {self.log[position][0]: position for position in feed}
        positions = [one for one in sorted(latest.values()) if one >= int(token)]
        size = min(int(query.get("pageSize", 100)), self.page_size)
        changes = [self._change(self.log[position][0], drive) for position in positions[:size]]
        more = len(positions) > size
        following = {"nextPageToken": str(positions[size])} if more else {"newStartPageToken": str(len(self.log))}
        return _masked({"changes": changes, **following}, query)

    def _change(self, file: str, drive: str | None) -> Payload:
        """What has moved to another shared drive is removed from the list of changes of the one that it was in."""
        known = file in self.files and self.sees(file) and (not drive or self.files[file]["driveId"] == drive)
        said = {"kind": "drive#change", "changeType": "file", "fileId": file, "removed": not known}
        return {**said, "file": self.described(file)} if known else said

    def _watch(self, query: dict[str, str], body: Payload) -> Response:
        if body.get("type") != "web_hook" or not str(body.get("address", "")).startswith("https://"):
            return error(400, "push.webhookUrlNotHttps")
        if body["id"] in self.channels:
            return error(400, "channelIdNotUnique")
        resource = hashlib.sha256(query.get("driveId", "me").encode()).hexdigest()[:27]
        self.channels[body["id"]] = {**body, "resourceId": resource, "driveId": query.get("driveId")}
        expiration = str(body.get("expiration", 0))
        return JSONResponse({"kind": "api#channel", "id": body["id"], "resourceId": resource, "expiration": expiration})

    def _members(self, name: str, query: dict[str, str]) -> Response:
        if name not in self.groups:
            return error(404, "notFound", "Resource Not Found: groupKey")
        derived = query.get("includeDerivedMembership") == "true"
        inside = [one for nested in self.groups[name] if derived for one in self.groups.get(nested, [])]
        found = [
            {"email": one, "type": "GROUP" if one in self.groups else "USER", "status": "ACTIVE"}
            for one in dict.fromkeys([*self.groups[name], *inside])
        ]
        return self._page("members", found, query)

    def _token(self, form: dict[str, list[str]]) -> Response:
        """https://developers.google.com/identity/protocols/oauth2"""
        if form.get("refresh_token") == [REFRESH_TOKEN]:
            return self._granted()
        if self.public_key and "assertion" in form:
            from google.auth import jwt

            claim = jwt.decode(form["assertion"][0], certs=self.public_key)  # type: ignore[no-untyped-call]
            self.subjects.append(claim.get("sub"))
            return self._granted()
        return JSONResponse({"error": "invalid_grant", "error_description": "Bad Request"}, 400)

    def _granted(self) -> Response:
        token = f"{TOKEN}.{len(self.tokens)}"
        self.tokens.add(token)
        return JSONResponse({"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    def _page(self, name: str, found: list[Payload], query: dict[str, str], **more: Any) -> Response:
        start = int(base64.b64decode(query.get("pageToken", "")).decode() or 0)
        size = min(int(query.get("pageSize", query.get("maxResults", 100))), self.page_size)
        end = start + size
        following = {"nextPageToken": base64.b64encode(str(end).encode()).decode()} if end < len(found) else {}
        return _masked({name: found[start:end], **more, **following}, query)

    # ---- how it keeps things

    def _file(self, name: str, mime_type: str, parent: str | None, more: Payload) -> str:
        file, now = self._id("1F"), self._tick()
        drive = self._drive_of(parent)
        self.files[file] = {
            "id": file,
            "name": name,
            "mimeType": mime_type,
            "parents": [parent] if parent else None,
            "driveId": drive,
            "createdTime": now,
            "modifiedTime": now,
            "version": "1",
            "webViewLink": f"https://docs.test/{file}",
            "owners": None if drive else [{"displayName": "Ada", "emailAddress": "ada@acme.test"}],
            "lastModifyingUser": {"displayName": "Lin", "emailAddress": "lin@acme.test"},
            "capabilities": {"canDownload": True},
            "sharedWithMeTime": now if parent is None else None,
            **more,
        }
        self.permissions[file] = {}
        if parent is None:
            self._grant(file, person(ME))
        if not drive:
            self._grant(file, person("ada@acme.test", "owner"))
        self.log.append((file, drive))
        return file

    def _grant(self, file: str, permission: Payload) -> str:
        granted = _permission_id(permission)
        self.permissions[file][granted] = permission
        return granted

    def _changed(self, file: str, **fields: Any) -> None:
        payload = self.files[file]
        before = payload.get("driveId")
        payload.update({"version": str(int(payload["version"]) + 1), **fields})
        if payload.get("driveId") != before:
            self.log.append((file, before))
        self.log.append((file, payload.get("driveId")))

    def _tick(self) -> str:
        self.clock += timedelta(minutes=1)
        return f"{self.clock:%Y-%m-%dT%H:%M:%S}.000Z"

    def _id(self, prefix: str) -> str:
        self.next_id += 1
        return f"{prefix}{self.next_id:05}"


def _metadata_view(permission: Payload) -> Payload:
    return {} if permission["role"] in ("owner", "organizer") else {"view": "metadata"}


@contextmanager
def serving(drive: GoogleDrive) -> Iterator[str]:
    """Serve it on loopback while the context lasts; yields the base URL of its API."""
    app = Starlette(routes=[Route("/{path:path}", drive.answered, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])])
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", ws="none", date_header=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}{PREFIX}"
    finally:
        server.should_exit = True
        thread.join()


def error(status: int, reason: str, message: str = "", headers: dict[str, str] | None = None) -> Response:
    """https://developers.google.com/workspace/drive/api/guides/handle-errors"""
    said = {"domain": "global", "reason": reason, "message": message or reason}
    return JSONResponse({"error": {"code": status, "message": message or reason, "errors": [said]}}, status, headers)


def limited(reason: str, status: int = 403, headers: dict[str, str] | None = None) -> Fault:
    return lambda: error(status, reason, "Rate Limit Exceeded", headers)


def broken_gateway() -> Response:
    return Response("<html><title>Error 502 (Server Error)!!1</title></html>", 502, media_type="text/html")


def cut_short() -> Response:
    return Response('{"files": [{"id": "1F000', 200, media_type="application/json")


def _masked(body: Payload, query: dict[str, str]) -> Response:
    """Only the fields that were asked for. Directory pages and faults aside, asking for none is a mistake here."""
    if "fields" not in query:
        raise AssertionError("`fields` was not given")
    return JSONResponse(shown(body, mask(query["fields"])))


def _permission_id(permission: Payload) -> str:
    """Stands for a person, group or domain, wherever it is shared with; links have ids of their own."""
    if permission["type"] == "anyone":
        return "anyone" if permission.get("allowFileDiscovery") else "anyoneWithLink"
    named = permission.get("emailAddress") or permission["domain"]
    return str(int(hashlib.sha256(named.encode()).hexdigest()[:16], 16))
