"""A Notion of our own, in memory: what the documentation promises, and the ways in which servers break it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.notion.settings import NotionConnection
from connectors.notion.source import NotionConnector, connect

BASE = "https://notion.test/proxy"
START = datetime(2026, 1, 1, tzinfo=UTC)
TOP = {"type": "workspace", "workspace": True}

Payload = dict[str, Any]


def stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M}:00.000Z"


def text(content: str, **more: Any) -> list[Payload]:
    run = {"type": "text", "text": {"content": content}, "plain_text": content, "href": None, "annotations": {}}
    return [{**run, **more}]


def block(kind: str, content: str = "", /, **more: Any) -> Payload:
    return {"type": kind, kind: {"rich_text": text(content) if content else [], **more}}


def under(parent_id: str, kind: str = "page") -> Payload:
    return {"type": f"{kind}_id", f"{kind}_id": parent_id}


@dataclass
class Notion:
    """Everything is in reach of the integration, but for `hidden` ids. `page_size` is small: listings have pages."""

    page_size: int = 3
    sorts: bool = True
    objects: dict[str, Payload] = field(default_factory=dict)
    blocks: dict[str, Payload] = field(default_factory=dict)
    children: dict[str, list[str]] = field(default_factory=dict)
    long_properties: dict[tuple[str, str], list[Payload]] = field(default_factory=dict)
    remarks: dict[str, list[Payload]] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    unlisted: set[str] = field(default_factory=set)
    answers: dict[str, Callable[[httpx.Request], httpx.Response]] = field(default_factory=dict)
    asked: list[httpx.Request] = field(default_factory=list)
    minutes: int = 0
    people: tuple[tuple[str, str], ...] = (("u-ada", "Ada"), ("u-bob", "Bob"))

    @property
    def now(self) -> datetime:
        return START + timedelta(minutes=self.minutes)

    def tick(self, minutes: int = 120) -> str:
        self.minutes += minutes
        return stamp(self.now)

    def add_page(self, page_id: str, parent: Payload | None = None, /, *body: Payload, **more: Any) -> Payload:
        now = self.tick()
        self.objects[page_id] = {
            "object": "page",
            "id": page_id,
            "parent": parent or TOP,
            "created_time": now,
            "last_edited_time": now,
            "created_by": {"object": "user", "id": "u-ada"},
            "in_trash": False,
            "archived": False,
            "url": f"https://www.notion.test/{page_id}",
            "properties": {"Name": {"id": "title", "type": "title", "title": text(f"Title {page_id}")}},
        }
        self.objects[page_id]["properties"].update(more.pop("properties", {}))
        self.objects[page_id].update(more)
        self.write(page_id, *(body or (block("paragraph", f"Body {page_id}"),)))
        return self.objects[page_id]

    def add_database(self, database_id: str, parent: Payload | None = None, /, *names: str, says: str = "") -> None:
        """With a data source for each name, `<database>-<name>`."""
        now = self.tick()
        shared = {
            "created_time": now,
            "last_edited_time": now,
            "in_trash": False,
            "url": f"https://n.test/{database_id}",
        }
        sources = [f"{database_id}-{name}" for name in names or ("source",)]
        self.objects[database_id] = {
            **shared,
            "object": "database",
            "id": database_id,
            "parent": parent or TOP,
            "title": text(f"Title {database_id}"),
            "description": text(says) if says else [],
            "data_sources": [{"id": source, "name": source} for source in sources],
        }
        for source in sources:
            self.objects[source] = {
                **shared,
                "object": "data_source",
                "id": source,
                "parent": under(database_id, "database"),
                "database_parent": parent or TOP,
                "title": text(f"Title {source}"),
                "description": [],
                "created_by": {"object": "user", "id": "u-bob"},
                "properties": {"Name": {"type": "title"}, "Status": {"type": "status"}},
            }

    def row_parent(self, source: str, *, with_database: bool = True) -> Payload:
        database = self.objects[source]["parent"]["database_id"]
        return under(source, "data_source") | ({"database_id": database} if with_database else {})

    def write(self, parent_id: str, *body: Payload) -> None:
        """Put blocks under a page or block. Their own `children` key nests."""
        self.children[parent_id] = []
        for at, payload in enumerate(body):
            inner = payload.get("children", ())
            block_id = str(payload.get("id") or f"{parent_id}.{at}")
            where = under(parent_id) if parent_id in self.objects else under(parent_id, "block")
            self.blocks[block_id] = {
                **{key: value for key, value in payload.items() if key != "children"},
                "object": "block",
                "id": block_id,
                "parent": where,
                "has_children": payload.get("has_children", bool(inner)),
            }
            self.children[parent_id].append(block_id)
            if inner:
                self.write(block_id, *inner)

    def edit(self, page_id: str, *body: Payload, **changes: Any) -> None:
        self.objects[page_id].update(changes, last_edited_time=self.tick())
        if body:
            self.write(page_id, *body)

    def paths(self) -> Counter[str]:
        """How often each path was asked for."""
        return Counter(request.url.path.removeprefix("/proxy/v1/") for request in self.asked)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        assert str(request.url).startswith(f"{BASE}/v1/"), f"the token left for {request.url}"
        path = request.url.path.removeprefix("/proxy/v1/")
        if path in self.answers:
            return self.answers[path](request)
        asked = json.loads(request.content) if request.content else dict(request.url.params)
        found = self._answer(request.method, path, asked)
        if found is None:
            return refused(404, "object_not_found")
        date = (self.now + timedelta(minutes=30)).strftime("%a, %d %b %Y %H:%M:%S GMT")
        return httpx.Response(200, json=found, headers={"date": date})

    def _answer(self, method: str, path: str, asked: Payload) -> Payload | None:
        if path == "users/me":
            return {
                "object": "user",
                "id": "u-bot",
                "type": "bot",
                "name": "Headrace",
                "bot": {"workspace_name": "Acme"},
            }
        if path == "users":
            return self._paged(
                [self._user(*person) for person in self.people] + [{"id": "u-bot", "type": "bot"}], asked
            )
        if path == "search" and method == "POST":
            return self._paged(self._listed(), asked)
        if path == "comments":
            return self._paged(self.remarks.get(asked["block_id"], []), asked)
        kind, _, rest = path.partition("/")
        object_id, _, action = rest.partition("/")
        if object_id in self.hidden:
            return None
        if action == "children":
            holder = self.children.get(object_id)
            return None if holder is None else self._paged([self.blocks[one] for one in holder], asked)
        if action == "query":
            return self._paged(
                [row for row in self.objects.values() if row["parent"].get("data_source_id") == object_id], asked
            )
        if found := re.fullmatch(r"properties/(\w+)", action):
            return self._paged(self.long_properties[object_id, found[1]], asked)
        if kind == "blocks":
            return self.blocks.get(object_id)
        held = self.objects.get(object_id)
        return held if held and f"{held['object']}s" == kind else None

    def _user(self, user_id: str, name: str) -> Payload:
        return {"id": user_id, "type": "person", "name": name, "person": {"email": f"{name.lower()}@acme.test"}}

    def _listed(self) -> list[Payload]:
        out = self.hidden | self.unlisted
        found = [one for one in self.objects.values() if one["object"] != "database" and one["id"] not in out]
        found = [one for one in found if not one["in_trash"]]
        return sorted(found, key=lambda one: one["last_edited_time"], reverse=True) if self.sorts else found

    def _paged(self, items: list[Payload], asked: Payload) -> Payload:
        start = int(asked.get("start_cursor", "c-0").removeprefix("c-"))
        end = start + min(self.page_size, int(asked.get("page_size", 100)))
        more = end < len(items)
        return {
            "object": "list",
            "results": items[start:end],
            "has_more": more,
            "next_cursor": f"c-{end}" if more else None,
        }


def refused(status: int, code: str, message: str = "no", **headers: str) -> httpx.Response:
    body = {"object": "error", "status": status, "code": code, "message": message}
    return httpx.Response(status, json=body, headers=headers)


@pytest.fixture
def notion() -> Notion:
    return Notion()


@pytest.fixture
def connection() -> NotionConnection:
    return NotionConnection.model_validate(
        {"id": "acme-notion", "source": "notion", "token": "ntn-secret", "base_url": BASE}
    )


@pytest.fixture
def connector(notion: Notion, connection: NotionConnection) -> NotionConnector:
    return connect(connection, httpx.MockTransport(notion))
