"""Pages, databases and data sources as places in a tree. Pure."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

from connectors.notion.client import Payload, moment
from connectors.notion.render.properties import title
from connectors.notion.render.rich_text import plain

Kind: TypeAlias = Literal["page", "database", "data_source", "block"]

KINDS: tuple[Kind, ...] = ("page", "database", "data_source")
"""What an id can be of that is a document or stands for one."""
UNTITLED = "Untitled"
_PARENTS: dict[str, Kind] = {
    "page_id": "page",
    "database_id": "database",
    "data_source_id": "data_source",
    "block_id": "block",
}


class Ref(NamedTuple):
    """What Notion calls a parent: an object by its kind and id."""

    kind: Kind
    id: str


@dataclass(frozen=True, slots=True)
class Node:
    """An object as it was told. `parent` is None at the top of the workspace.

    The payload is kept compressed, and left out (`packed` is empty) where a listing is too long to keep them all.
    """

    ref: Ref
    title: str
    parent: Ref | None
    edited: datetime | None
    trashed: bool
    packed: bytes

    @property
    def payload(self) -> Payload:
        payload: Payload = json.loads(zlib.decompress(self.packed)) if self.packed else {}
        return payload


def node(payload: Payload) -> Node | None:
    """None for what is neither page, database nor data source, or is not told in full."""
    kind = payload.get("object")
    if kind not in ("page", "database", "data_source") or not payload.get("id") or "parent" not in payload:
        return None
    name = title(payload.get("properties")) if kind == "page" else plain(payload.get("title"))
    return Node(
        ref=Ref(kind, str(payload["id"])),
        title=" ".join(name.split()) or UNTITLED,
        parent=parent(payload.get("parent")),
        edited=moment(payload.get("last_edited_time")),
        trashed=any(payload.get(flag) for flag in ("in_trash", "archived", "is_archived")),
        packed=zlib.compress(json.dumps(payload, separators=(",", ":")).encode(), 1),
    )


def parent(value: object) -> Ref | None:
    """https://developers.notion.com/reference/parent-object

    A row names its database beside its data source; then the database counts.
    """
    if not isinstance(value, dict):
        return None
    if value.get("type") == "data_source_id" and value.get("database_id"):
        return Ref("database", str(value["database_id"]))
    kind = _PARENTS.get(str(value.get("type")))
    found = value.get(str(value.get("type")))
    return Ref(kind, str(found)) if kind and found else None


def place(found: Node, columns: Iterable[str]) -> str:
    """A short mark of what the objects below show of a container: its title, where it stands, its properties."""
    return digest(found.title, found.parent, sorted(columns))[:8]


def listed_mark(found: Node, above: Iterable[Node]) -> str:
    """A short mark of what a listing tells of an object: its title, and the containers above it by id and title."""
    return digest(found.title, [(one.ref.id, one.title) for one in above])[:16]


def digest(*values: object) -> str:
    """Equal for equal values that JSON can hold."""
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()
