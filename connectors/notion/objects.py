"""Pages, databases and data sources, and how they name each other. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["page", "database", "data_source", "block", "unknown"]

KINDS: tuple[Kind, ...] = ("page", "database", "data_source")
"""What an id can be of that is a document or stands for one."""
MAPPED_KINDS: tuple[Kind, ...] = ("page", "database")
"""What an id in `readers_by_page` can be of."""
UNTITLED = "Untitled"


class Ref(NamedTuple):
    """What Notion calls a parent: an object by its kind and id."""

    kind: Kind
    id: str


UNKNOWN = Ref("unknown", "")
"""What an object is in whose parent is not told, or is of a kind that is not known."""


@dataclass(frozen=True, slots=True)
class NotionObject:
    """A page, database or data source as a listing names it. `parent` is None at the top of the workspace
    alone.

    `packed` is its whole payload, compressed (see `payloads`); empty where a listing is too long to keep them all.
    """

    ref: Ref
    title: str
    parent: Ref | None
    edited: datetime | None
    trashed: bool
    packed: bytes


def parse_time(value: object) -> datetime | None:
    """A time as Notion writes it: `2026-01-02T03:04:00.000Z`; None for what is no time."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
