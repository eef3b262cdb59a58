"""Where a unit's read continues, as the catalog keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self, TypeAlias

from connectors.contract import Cursor
from connectors.drive.client import rfc3339
from connectors.drive.walk import Position


@dataclass(frozen=True, slots=True)
class Listing:
    """Inside a full read. When it is through, changes continue from `token`, or else from `modified`."""

    token: str | None
    modified: datetime | None
    position: Position
    incomplete: bool = False

    def as_json(self) -> Cursor:
        return {
            "token": self.token,
            "modified": _as_text(self.modified),
            "listing": self.position.as_json(),
            "incomplete": self.incomplete,
        }

    @classmethod
    def from_json(cls, values: Cursor) -> Self:
        position = Position.from_json(values["listing"])
        return cls(values["token"], _as_time(values["modified"]), position, values["incomplete"])


@dataclass(frozen=True, slots=True)
class Changes:
    """In the changes feed, at `token`. `folders` tells a folder that was renamed, moved or shared anew from
    one that was only touched: a mark of each folder's state by a mark of its id."""

    token: str
    folders: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> Cursor:
        return {"token": self.token, "folders": dict(self.folders)}

    @classmethod
    def from_json(cls, values: Cursor) -> Self:
        return cls(values["token"], values["folders"])


@dataclass(frozen=True, slots=True)
class Modified:
    """Without a changes feed: past everything last modified at `moment`. `seen` marks the files modified
    just before it, which the next listing names again."""

    moment: datetime | None
    seen: tuple[str, ...] = ()

    def as_json(self) -> Cursor:
        return {"modified": _as_text(self.moment), "seen": list(self.seen)}

    @classmethod
    def from_json(cls, values: Cursor) -> Self:
        return cls(_as_time(values["modified"]), tuple(values["seen"]))


State: TypeAlias = Listing | Changes | Modified


def parsed(cursor: Cursor) -> State:
    """The inverse of `as_json`."""
    kind: type[State] = Listing if "listing" in cursor else Changes if "folders" in cursor else Modified
    return kind.from_json(cursor)


def _as_text(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None


def _as_time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
