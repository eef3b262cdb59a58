"""Notion in memory, over HTTP or in place of the network.

Written from the documentation of its API, in its two versions, and of its webhooks:

https://developers.notion.com/reference/intro · https://developers.notion.com/docs/upgrade-guide-2025-09-03

The API speaks under a path prefix; files lie beside it, under URLs that are signed anew at every read. Its clock
moves with each change; its times are whole minutes, as Notion's are.
"""

from __future__ import annotations

import email.utils
import hashlib
import hmac
import json
import mimetypes
import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.loopback import serve

PREFIX = "/prefix/api"
FILES = "/secure-files"
TOKEN = "ntn_emulated"
VERIFICATION_TOKEN = "secret_verification"
NEWER, OLDER = "2025-09-03", "2022-06-28"
TOP: dict[str, Any] = {"type": "workspace", "workspace": True}

ORIGIN = "https://notion.test"
BASE_URL = f"{ORIGIN}{PREFIX}"
"""Of the API behind `Notion.transport`, without a socket."""

Payload = dict[str, Any]
Fault = Callable[[], Response]
Refusal = Literal["forbidden", "missing", "down"]

PART_PATHS = {
    "search": re.compile("search"),
    "blocks": re.compile("blocks/.*"),
    "rows": re.compile("(data_sources|databases)/[^/]+/query"),
    "comments": re.compile("comments(/.*)?"),
    "people": re.compile("users"),
}
"""What of the API each part is, as `connectors.notion.part_table` names them; `users/me` is the integration itself."""


@dataclass
class Notion:
    """The whole workspace, as far as it is shared with the integration.

    Its methods change it as people do; `faults` are answered before anything else, `answers` always to their path
    (`files` is the path of all files), `cursor_faults` in place of a listing's next page. `late` ids are those that
    search does not show yet; `sealed` ones are out of the integration's reach. `capabilities` are the integration's.
    `refused` are parts of the API, by how `refuse` has it. The clock moves by `step` with each change, and is `idle`
    later when somebody asks. `long_properties` holds the items of a page's property, by both ids, and `rollups` what
    those of a rollup come to.
    """

    objects: dict[str, Payload] = field(default_factory=dict)
    blocks: dict[str, Payload] = field(default_factory=dict)
    children: dict[str, list[str]] = field(default_factory=dict)
    long_properties: dict[tuple[str, str], list[Payload]] = field(default_factory=dict)
    rollups: dict[tuple[str, str], Payload] = field(default_factory=dict)
    remarks: dict[str, list[Payload]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    users: list[Payload] = field(default_factory=list)
    late: set[str] = field(default_factory=set)
    sealed: set[str] = field(default_factory=set)
    capabilities: set[str] = field(default_factory=lambda: {"read_content", "read_comments", "read_users"})
    versions: tuple[str, ...] = (NEWER, OLDER)
    page_size: int = 100
    sorts: bool = True
    faults: list[tuple[str, Fault]] = field(default_factory=list)
    answers: dict[str, Fault] = field(default_factory=dict)
    cursor_faults: list[Fault] = field(default_factory=list)
    refused: dict[str, Refusal] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)
    strayed: list[str] = field(default_factory=list)
    origin: str = ""
    clock: datetime = datetime(2026, 3, 1, 9, tzinfo=UTC)
    step: timedelta = timedelta(minutes=1)
    idle: timedelta = timedelta()
    made: int = 0

    # ---- what people do

    def person(self, name: str, own: str = "") -> str:
        user = own or self._id()
        email = {"email": f"{name.lower()}@acme.test"}
        self.users.append({"object": "user", "id": user, "type": "person", "name": name, "person": email})
        return user

    def page(self, title: str, *body: Payload, under: str = "", properties: Payload | None = None) -> str:
        """A page at the top, below another, or a row of a data source; with a `child_page` block where it stands."""
        own = self._id()
        self.add_page(own, self._reference(under), *body, title=title, properties=properties)
        if under and self.objects.get(under, {}).get("object") != "data_source":
            self._link(under, own, "child_page", title)
        return own

    def add_page(
        self,
        own: str,
        parent: Payload | None = None,
        /,
        *body: Payload,
        title: str = "",
        properties: Payload | None = None,
        **more: Any,
    ) -> Payload:
        """A page as it is told, under an id of the caller's choosing, and without a block where it stands."""
        named = {"id": "title", "type": "title", "title": text(title or f"Title {own}")}
        held = self._told("page", own, parent or TOP) | {"properties": {"Name": named} | (properties or {})} | more
        self.objects[own] = held
        self.put(own, *(body if body or title else (block("paragraph", f"Body {own}"),)))
        return held

    def database(self, title: str, *, under: str = "", says: str = "", sources: tuple[str, ...] = ("",)) -> str:
        """A database with one data source for each name, that is its own where the name is empty."""
        own = self._id()
        self._database(own, self._reference(under), title, says, {self._id(): name or title for name in sources})
        if under:
            self._link(under, own, "child_database", title)
        return own

    def add_database(self, own: str, parent: Payload | None = None, /, *names: str, says: str = "") -> None:
        """A database as it is told, with a data source for each name, `<database>-<name>`."""
        sources = {f"{own}-{name}": f"Title {own}-{name}" for name in names or ("source",)}
        self._database(own, parent or TOP, f"Title {own}", says, sources)

    def _database(self, own: str, parent: Payload, title: str, says: str, sources: dict[str, str]) -> None:
        described = {"title": text(title), "description": text(says) if says else []}
        held = self._told("database", own, parent) | described | {"data_sources": []}
        del held["created_by"]  # which no database tells since version 2025-09-03
        self.objects[own] = held
        for source, name in sources.items():
            columns = {"Name": {"type": "title", "title": {}}, "Status": {"type": "status"}}
            told = self._told("data_source", source, under(own, "database"), ticks=False)
            self.objects[source] = told | {"title": text(name), "description": [], "properties": columns}
            held["data_sources"].append({"id": source, "name": name})

    def source_of(self, database: str) -> str:
        return str(self.objects[database]["data_sources"][0]["id"])

    def row_parent(self, source: str, *, with_database: bool = True) -> Payload:
        database = self.objects[source]["parent"]["database_id"]
        return under(source, "data_source") | ({"database_id": database} if with_database else {})

    def put(self, parent: str, *body: Payload) -> None:
        """Blocks under a page or block in place of those that are there. That is no edit: no time tells of it."""
        self._remove_blocks(parent)
        for at, payload in enumerate(body):
            self._block(parent, payload, str(payload.get("id") or f"{parent}.{at}"))

    def write(self, parent: str, *body: Payload) -> list[str]:
        """Put blocks under a page or block in place of those that are there, child pages apart; returns their ids."""
        self.children[parent] = self._remove_blocks(parent)
        ids = [self._block(parent, block) for block in body]
        self._edited(self._page_above(parent))
        return ids

    def edit(self, own: str, *body: Payload, **changes: Any) -> None:
        """Change what an object tells, and what it holds."""
        self.objects[own].update(changes)
        if body:
            self.put(own, *body)
        self._edited(own)

    def rename(self, own: str, title: str) -> None:
        held = self.objects[own]
        if held["object"] == "page":
            held["properties"]["Name"]["title"] = text(title)
        else:
            held["title"] = text(title)
        if own in self.blocks:
            kind = self.blocks[own]["type"]
            self.blocks[own][kind]["title"] = title
        self._edited(own)

    def move(self, own: str, under: str = "", *, silently: bool = False) -> None:
        """Put a page below another, or at the top; `silently` leaves its time of the last edit as it was."""
        before = _above(self.objects[own])
        if own in self.children.get(before, []):
            self.children[before].remove(own)
            self.blocks.pop(own)
        self.objects[own]["parent"] = self._reference(under)
        if under:
            self._link(under, own, "child_page", plain(self.objects[own]["properties"]["Name"]["title"]))
        if not silently:
            self._edited(own)

    def trash(self, own: str, *, restore: bool = False) -> None:
        """With all that stands below; search shows none of it."""
        for one in (own, *self._below(own)):
            self.objects[one]["in_trash"] = not restore
            if one in self.blocks:
                self.blocks[one]["in_trash"] = not restore
            self._edited(one)

    def remark(self, place: str, said: str, *, by: str = "", discussion: str = "d1") -> str:
        """Comment on a page or block. That is no edit of the page."""
        self.clock += timedelta(minutes=1)
        own = self._id()
        kind = "page_id" if place in self.objects else "block_id"
        told = {"object": "comment", "id": own, "parent": {"type": kind, kind: place}, "discussion_id": discussion}
        self.remarks.setdefault(place, []).append(
            told
            | {"created_time": self._now, "last_edited_time": self._now, "rich_text": text(said)}
            | {"created_by": {"object": "user", "id": by or self.users[0]["id"]}}
        )
        return own

    def upload(self, name: str, content: bytes) -> Payload:
        """A file that Notion keeps, as it stands in a block or a property."""
        path = f"{FILES}/{self._id()}/{name}"
        self.contents[path] = content
        return {"type": "file", "name": name, "file": {"path": path}}

    def wait(self, **passed: float) -> None:
        self.clock += timedelta(**passed)

    def fail(self, times: int, fault: Fault, *, only: str = "") -> None:
        """Answer the next `times` requests, of paths that begin with `only`, with a fault."""
        self.faults += [(only, fault)] * times

    def refuse(self, part: str, how: Refusal) -> None:
        """A part of the API (`PART_PATHS`) is not for this integration, not there, or out of order."""
        self.refused[part] = how

    def allow(self, part: str) -> None:
        self.refused.pop(part, None)

    def paths(self) -> Counter[str]:
        """How often each path was asked for."""
        return Counter(self.log)

    def asked(self) -> Counter[str]:
        """How often was asked for what, by path without ids."""
        return Counter(re.sub(r"[0-9a-f-]{32,}", "*", path) for path in self.log)

    # ---- what its webhooks say

    def delivery(self, kind: str, own: str, **data: Any) -> tuple[dict[str, str], bytes]:
        """Headers (by lower-case name) and body of a signed delivery about an object."""
        subject = kind.partition(".")[0]
        held = self.objects.get(own, {})
        above = self.objects.get(_above(held)) if held else None
        parent = {"id": above["id"], "type": above["object"]} if above else {"id": self._id(), "type": "space"}
        body = json.dumps(
            {
                "id": self._id(),
                "timestamp": self.clock.isoformat(),
                "workspace_id": str(uuid.UUID(int=1)),
                "subscription_id": str(uuid.UUID(int=2)),
                "integration_id": str(uuid.UUID(int=3)),
                "type": kind,
                "authors": [{"id": str(uuid.UUID(int=4)), "type": "person"}],
                "attempt_number": 1,
                "api_version": NEWER,
                "entity": {"id": own, "type": subject},
                "data": {"parent": parent} | data,
            }
        ).encode()
        return signature(body), body

    # ---- what its API answers

    def transport(self) -> httpx.MockTransport:
        """In place of the network: the API at `BASE_URL`."""
        self.origin = ORIGIN

        def respond(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            asked = json.loads(request.content) if request.content else dict(request.url.params)
            if request.url.host != httpx.URL(ORIGIN).host:
                self.strayed.append(str(request.url))
            response = self.answered(request.method, request.url.path, dict(request.headers), asked)
            return as_httpx(response, date=self.date)

        return httpx.MockTransport(respond)

    @property
    def date(self) -> str:
        """Its clock, as each answer tells it."""
        return email.utils.format_datetime(self.clock + self.idle, usegmt=True)

    def answered(self, method: str, path: str, headers: dict[str, str], asked: Payload) -> Response:
        if path.startswith(FILES):
            return self._file(path, headers, asked)
        if not path.startswith(f"{PREFIX}/v1/"):
            self.strayed.append(path)
            return refusal(404, "object_not_found")
        path = path.removeprefix(f"{PREFIX}/v1/")
        self.log.append(path)
        for at, (only, fault) in enumerate(self.faults):
            if path.startswith(only):
                del self.faults[at]
                return fault()
        if path in self.answers:
            return self.answers[path]()
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return refusal(401, "unauthorized", "API token is invalid.")
        if refused := self._refused(path):
            return refused
        version = headers.get("notion-version", "")
        if version not in self.versions:
            shown = ", ".join(f'"{one}"' for one in self.versions)
            message = f"Notion-Version header failed validation: it should be {shown}, instead was `{version}`."
            return refusal(400, "missing_version", message)
        if asked.get("start_cursor") and self.cursor_faults:
            return self.cursor_faults.pop()()
        answer = self._answer(method, path, asked, newer=version == NEWER)
        return answer if isinstance(answer, Response) else JSONResponse(answer)

    def _refused(self, path: str) -> Response | None:
        how = next((how for part, how in self.refused.items() if PART_PATHS[part].fullmatch(path)), None)
        match how:
            case "forbidden":
                return refusal(403, "restricted_resource", "Insufficient permissions for this endpoint.")
            case "missing":
                return refusal(404, "object_not_found", "Could not find it.")
            case "down":
                return refusal(500, "internal_server_error", "An unexpected error occurred.")
        return None

    def _answer(self, method: str, path: str, asked: Payload, *, newer: bool) -> Payload | Response:
        kind, _, rest = path.partition("/")
        own, _, action = rest.partition("/")
        match kind, own, action:
            case "users", "me", _:
                bot = {"workspace_name": "Acme"}
                return {"object": "user", "id": "bot", "type": "bot", "name": "Headrace", "bot": bot}
            case "users", "", _:
                return self._capable("read_users") or self._listed(self.users, asked)
            case "search", _, _:
                found = [one for one in self._searched(newer) if _has_kind(one, asked)]
                return self._listed(found, asked, lambda one: self._shown(one, newer))
            case "comments", str(comment), _ if comment:
                found = [one for said in self.remarks.values() for one in said if one["id"] == comment]
                return self._capable("read_comments") or (found[0] if found else refusal(404, "object_not_found"))
            case "comments", _, _:
                place = str(asked["block_id"])
                if place not in self.objects and place not in self.blocks:
                    return refusal(404, "object_not_found")
                return self._capable("read_comments") or self._listed(self.remarks.get(place, []), asked)
            case "blocks", _, _:
                return self._blocks(own, action, asked)
        if kind == "data_sources" and not newer:
            return refusal(400, "invalid_request_url")
        held = self.objects.get(own)
        if held is None or own in self.sealed or f"{held['object']}s" != kind:
            return refusal(404, "object_not_found", f"Could not find {kind} with ID: {own}.")
        if kind == "databases" and not newer and len(held["data_sources"]) > 1:
            message = "Databases with multiple data sources are not supported in this API version."
            return refusal(400, "validation_error", message)
        if action.startswith("properties/"):
            return self._property_items(own, action.removeprefix("properties/"), asked)
        if action == "query":
            sources = [own] if kind == "data_sources" else [source["id"] for source in held["data_sources"]]
            rows = [one for one in self.objects.values() if one["parent"].get("data_source_id") in sources]
            trashed = bool(asked.get("in_trash" if newer else "archived"))
            found = [row for row in rows if row["in_trash"] is trashed]
            return self._listed(found, asked, lambda row: self._shown(row, newer))
        return self._shown(held, newer)

    def _property_items(self, own: str, named: str, asked: Payload) -> Payload:
        """https://developers.notion.com/reference/property-item-object: a rollup is computed on the last page."""
        listed = self._listed(self.long_properties[own, named], asked)
        rollup = self.rollups.get((own, named))
        if rollup and listed["has_more"]:
            rollup = {"type": "incomplete", "incomplete": {}, "function": rollup["function"]}
        told = {"id": named, "next_url": None} | ({"type": "rollup", "rollup": rollup} if rollup else {})
        return listed | {"type": "property_item", "property_item": told}

    def _blocks(self, own: str, action: str, asked: Payload) -> Payload | Response:
        if own in self.sealed or not (own in self.blocks or own in self.objects or own in self.children):
            return refusal(404, "object_not_found", f"Could not find block with ID: {own}.")
        if action == "children":
            found = [self.blocks[one] for one in self.children.get(own, []) if one not in self.sealed]
            return self._listed(found, asked, self._signed)
        return self._signed(self.blocks[own]) if own in self.blocks else refusal(404, "object_not_found")

    def _searched(self, newer: bool) -> list[Payload]:
        """https://developers.notion.com/reference/post-search"""
        kinds = ("page", "data_source" if newer else "database")
        out = self.late | self.sealed
        found = [one for own, one in self.objects.items() if one["object"] in kinds and own not in out]
        live = [one for one in found if not self._in_trash(one)]
        return sorted(live, key=lambda one: str(one["last_edited_time"]), reverse=True) if self.sorts else live

    def _in_trash(self, held: Payload) -> bool:
        above = self.objects.get(_above(held)) if held["object"] == "data_source" else None
        return bool(held["in_trash"] or (above and above["in_trash"]))

    def _listed(
        self, found: list[Payload], asked: Payload, shown: Callable[[Payload], Payload] = lambda one: one
    ) -> Payload:
        start, size = int(asked.get("start_cursor") or 0), min(int(asked.get("page_size", 100)), self.page_size)
        more = start + size < len(found)
        following = str(start + size) if more else None
        page = [shown(one) for one in found[start : start + size]]
        return {"object": "list", "results": page, "has_more": more, "next_cursor": following}

    def _shown(self, held: Payload, newer: bool) -> Payload:
        """An object as the version tells it."""
        own = self._signed(held)
        own["parent"] = self._parent(held, newer)
        own.setdefault("archived", own["in_trash"])
        if held["object"] == "data_source":
            own["database_parent"] = self._parent(self.objects[_above(held)], newer)
        if held["object"] == "database" and not newer:
            source = self.objects[held["data_sources"][0]["id"]]
            own["properties"] = source["properties"]
            del own["data_sources"]
        return own

    def _parent(self, held: Payload, newer: bool) -> Payload:
        parent: Payload = held["parent"]
        if newer or parent["type"] != "data_source_id":
            return parent
        return under(_above(self.objects[parent["data_source_id"]]), "database")

    def _reference(self, own: str) -> Payload:
        """How what stands in an object names its parent; at the top of the workspace without an id."""
        if not own:
            return TOP
        kind = self.objects[own]["object"] if own in self.objects else "block"
        return self.row_parent(own) if kind == "data_source" else under(own, kind)

    def _signed(self, payload: Payload) -> Payload:
        """A copy in which files that Notion keeps have an address: another at each read."""

        def signed(value: Any) -> Any:
            if isinstance(value, list):
                return [signed(one) for one in value]
            if not isinstance(value, dict):
                return value
            if set(value) == {"path"}:
                self.made += 1
                url = f"{self.origin}{value['path']}?X-Amz-Signature={self.made:064x}&X-Amz-Expires=3600"
                return {"url": url, "expiry_time": self._now}
            return {key: signed(one) for key, one in value.items()}

        copy: Payload = signed(payload)
        return copy

    def _file(self, path: str, headers: dict[str, str], asked: Payload) -> Response:
        self.log.append("file")
        if "files" in self.answers:
            return self.answers["files"]()
        if "authorization" in headers or "X-Amz-Signature" not in asked:
            return Response("<Error><Code>AccessDenied</Code></Error>", 403, media_type="application/xml")
        content = self.contents[path]
        kept_as = mimetypes.guess_type(path)[0] or "application/octet-stream"
        if found := re.fullmatch(r"bytes=0-(\d+)", headers.get("range", "")):
            if not content:
                told = {"content-range": "bytes */0"}
                return Response("<Error><Code>InvalidRange</Code></Error>", 416, told, media_type="application/xml")
            part = content[: int(found[1]) + 1]
            return Response(part, 206, {"content-range": f"bytes 0-{len(part) - 1}/{len(content)}"}, media_type=kept_as)
        return Response(content, media_type=kept_as)

    def _capable(self, capability: str) -> Response | None:
        if capability in self.capabilities:
            return None
        return refusal(403, "restricted_resource", "Insufficient permissions for this endpoint.")

    def _told(self, kind: str, own: str, parent: Payload, *, ticks: bool = True) -> Payload:
        self.clock += self.step if ticks else timedelta()
        return {
            "object": kind,
            "id": own,
            "parent": parent,
            "created_time": self._now,
            "last_edited_time": self._now,
            "created_by": {"object": "user", "id": self.users[0]["id"] if self.users else "bot"},
            "in_trash": False,
            "url": f"https://www.notion.test/{own.replace('-', '')}",
        }

    def _block(self, parent: str, payload: Payload, own: str = "") -> str:
        own = own or self._id()
        inner = payload.get("children", [])
        told = {"object": "block", "id": own, "has_children": bool(inner), "in_trash": False, "archived": False}
        times = {"created_time": self._now, "last_edited_time": self._now}
        kind = "page_id" if parent in self.objects else "block_id"
        body = {key: value for key, value in payload.items() if key != "children"} | {"id": own}
        self.blocks[own] = told | times | {"parent": {"type": kind, kind: parent}} | body
        self.children.setdefault(parent, []).append(own)
        for block in inner:
            self._block(own, block, str(block.get("id") or ""))
        return own

    def _remove_blocks(self, parent: str) -> list[str]:
        """Empty a page or block; returns the child pages, which are no content of it. What was there can still be asked
        for by its id: https://developers.notion.com/reference/delete-a-block"""
        held = self.children.get(parent, [])
        pages = [one for one in held if self.blocks[one]["type"].startswith("child_")]
        for one in set(held).difference(pages):
            self.blocks[one] = self.blocks[one] | {"in_trash": True, "archived": True}
        self.children[parent] = []
        return pages

    def _link(self, under: str, own: str, kind: str, title: str) -> None:
        self._block(under, {"type": kind, kind: {"title": title}}, own)
        self._edited(self._page_above(under))

    def _page_above(self, own: str) -> str:
        while own not in self.objects:
            own = next(iter(value for key, value in self.blocks[own]["parent"].items() if key != "type"))
        return own

    def _below(self, own: str) -> Iterator[str]:
        held = [one for one, payload in self.objects.items() if _above(payload) == own]
        for one in held:
            yield one
            yield from self._below(one)

    def _edited(self, own: str) -> None:
        self.clock += self.step
        self.objects[own]["last_edited_time"] = self._now

    @property
    def _now(self) -> str:
        return f"{self.clock:%Y-%m-%dT%H:%M}:00.000Z"

    def _id(self) -> str:
        self.made += 1
        return str(uuid.uuid5(uuid.NAMESPACE_URL, str(self.made)))


def text(content: str, **more: Any) -> list[Payload]:
    run = {"type": "text", "text": {"content": content}, "plain_text": content, "href": None, "annotations": {}}
    return [run | more]


def under(parent: str, kind: str = "page") -> Payload:
    """https://developers.notion.com/reference/parent-object"""
    return {"type": f"{kind}_id", f"{kind}_id": parent}


def plain(rich_text: list[Payload]) -> str:
    return "".join(str(run["plain_text"]) for run in rich_text)


def block(kind: str, content: str = "", *children: Payload, **more: Any) -> Payload:
    own: Payload = {"type": kind, kind: {"rich_text": text(content) if content else []} | more}
    return own | {"children": list(children)} if children else own


def file_block(kind: str, file: Payload) -> Payload:
    return {"type": kind, kind: {"caption": []} | file}


def signature(body: bytes, secret: str = VERIFICATION_TOKEN) -> dict[str, str]:
    """https://developers.notion.com/reference/webhooks"""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"content-type": "application/json", "x-notion-signature": f"sha256={digest}"}


@contextmanager
def serving(notion: Notion) -> Iterator[str]:
    """Serve it on loopback while the context lasts; yields the base URL of its API."""

    async def answered(request: Request) -> Response:
        body = await request.body()
        asked = json.loads(body) if body else dict(request.query_params)
        response = notion.answered(request.method, request.url.path, dict(request.headers), asked)
        response.headers["date"] = notion.date
        return response

    app = Starlette(routes=[Route("/{path:path}", answered, methods=["GET", "POST"])])
    with serve(uvicorn.Config(app, log_level="error", lifespan="off", ws="none", date_header=False)) as notion.origin:
        yield f"{notion.origin}{PREFIX}"


def refusal(status: int, code: str, message: str = "no", **headers: str) -> Response:
    return JSONResponse({"object": "error", "status": status, "code": code, "message": message}, status, headers)


def rate_limited(**headers: str) -> Fault:
    return lambda: refusal(429, "rate_limited", "You have been rate limited.", **headers)


def broken_gateway() -> Response:
    return Response("<html><body><h1>502 Bad Gateway</h1></body></html>", 502, media_type="text/html")


def cut_short() -> Response:
    return Response('{"object": "list", "results": [{"object": "pa', 200, media_type="application/json")


def as_httpx(response: Response, **headers: str) -> httpx.Response:
    """An answer as a client's transport gives it."""
    return httpx.Response(response.status_code, headers=dict(response.headers) | headers, content=bytes(response.body))


def _has_kind(held: Payload, asked: Payload) -> bool:
    return bool(held["object"] == asked.get("filter", {}).get("value", held["object"]))


def _above(held: Payload) -> str:
    """Id of what an object stands in; empty at the top."""
    parent = held["parent"]
    return str(parent.get(parent["type"]) or "") if parent["type"] != "workspace" else ""
