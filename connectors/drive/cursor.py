"""Where a unit's read continues, as the catalog keeps it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self, TypeAlias

from connectors.contract import Cursor
from connectors.drive.query import rfc3339
from connectors.drive.walk import WalkPosition


@dataclass(frozen=True, slots=True)
class ListingCursor:
    """Inside a full read. When it is through, changes continue from `token`, or else from `modified`.

    `restrictions` is as in `ChangesCursor`.
    """

    token: str | None
    modified: datetime | None
    position: WalkPosition
    incomplete: bool = False
    restrictions: str = ""

    def as_json(self) -> Cursor:
        return {
            "token": self.token,
            "modified": _as_text(self.modified),
            "listing": self.position.as_json(),
            "incomplete": self.incomplete,
            "restrictions": self.restrictions,
        }

    @classmethod
    def from_json(cls, values: Cursor) -> Self:
        position = WalkPosition.from_json(values["listing"])
        incomplete, restrictions = values["incomplete"], values.get("restrictions", "")
        return cls(values["token"], _as_time(values["modified"]), position, incomplete, restrictions)


@dataclass(frozen=True, slots=True)
class ChangesCursor:
    """In the changes feed, at `token`.

    `folders` tells a folder that was renamed, moved or shared with others from one that was only touched: the
    fingerprint of each, by `connectors.drive.fingerprints.folder_key`. `restrictions` is the fingerprint of what the
    shared drive restricted when it was read: the feed does not name the files that get other readers by that. `ends`
    are the fingerprints of when permissions of folders end, by the same key, of those that were asked for it.
    """

    token: str
    folders: Mapping[str, str] = field(default_factory=dict)
    restrictions: str = ""
    ends: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> Cursor:
        told = {"token": self.token, "folder_fingerprints": dict(self.folders), "restrictions": self.restrictions}
        return told | ({"folder_ends": dict(self.ends)} if self.ends else {})

    @classmethod
    def from_json(cls, values: Cursor) -> Self:
        restrictions, ends = values.get("restrictions", ""), values.get("folder_ends", {})
        return cls(values["token"], values["folder_fingerprints"], restrictions, ends)


@dataclass(frozen=True, slots=True)
class ModifiedCursor:
    """Without a changes feed: past everything last modified at `moment`. `seen` holds fingerprints of the files
    modified just before it, which the next listing names again."""

    moment: datetime | None
    seen: tuple[str, ...] = ()

    def as_json(self) -> Cursor:
        return {"modified": _as_text(self.moment), "seen": list(self.seen)}

    @classmethod
    def from_json(cls, values: Cursor) -> Self:
        return cls(_as_time(values["modified"]), tuple(values["seen"]))


DriveCursor: TypeAlias = ListingCursor | ChangesCursor | ModifiedCursor


@dataclass(frozen=True, slots=True)
class RightsCursor:
    """Where a reading of rights alone goes on. `untold` are the documents of which nobody told who may read them."""

    position: DriveCursor | None
    untold: frozenset[str] = frozenset()

    def as_json(self) -> Cursor:
        return {"rights": self.position.as_json() if self.position else None, "untold": sorted(self.untold)}


def parse_cursor(cursor: Cursor | None) -> DriveCursor | None:
    """The inverse of `as_json`; None where a unit is read from its beginning."""
    # `folders` held fingerprints that cannot be compared with today's. To go on without them would miss files
    # below a folder that is trashed or moved away, since the feed names only the folder.
    if not cursor or "folders" in cursor:
        return None
    if "listing" in cursor:
        return ListingCursor.from_json(cursor)
    return ChangesCursor.from_json(cursor) if "token" in cursor else ModifiedCursor.from_json(cursor)


def parse_rights_cursor(cursor: Cursor | None) -> RightsCursor:
    """The inverse of `as_json`; from a cursor of a read, a reading of rights goes on where that would."""
    if cursor and "rights" in cursor:
        return RightsCursor(parse_cursor(cursor["rights"]), frozenset(cursor["untold"]))
    position = parse_cursor(cursor)
    # Of what lies before a place inside of a full read, no later changes are known: everything is named.
    return RightsCursor(None if isinstance(position, ListingCursor) else position)


def _as_text(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None


def _as_time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
