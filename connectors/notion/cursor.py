"""How far a unit has been read: what the cursor keeps."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self, cast

from connectors.contract import Cursor
from connectors.notion.fingerprints import CHILD_DIGITS, child_fingerprint
from connectors.notion.objects import Kind, NotionObject, Ref, parse_time
from connectors.notion.search_listing import OVERLAP, SearchEntry
from connectors.notion.synced_blocks import SyncedCopies
from connectors.part_watch import NOTED_AT_MOST, LackingObjects

SETTLED = timedelta(minutes=2)
"""Notion's times are whole minutes: a page can change once more within the minute in which it was read.
https://developers.notion.com/changelog/last-edited-time-is-now-rounded-to-the-nearest-minute"""


@dataclass(slots=True)
class NotionCursor:
    """Where the read of one unit continues; `advance` moves it on.

    `since` is the newest edit seen anywhere in the connection. `read` maps the id of each object that was
    edited shortly before to when that was, in seconds since 1970, so that it is not read again before it changes.
    `containers` holds by the id of each page or database with others below it a fingerprint of what those show of
    it, and the fingerprints of its children, all in one string. `files` holds a fingerprint of each file, by the id
    of its page and its key.
    """

    since: datetime | None = None
    read: dict[str, int] = field(default_factory=dict)
    containers: dict[str, tuple[str, str]] = field(default_factory=dict)
    files: dict[str, dict[str, str]] = field(default_factory=dict)
    copies: SyncedCopies = field(default_factory=SyncedCopies)
    pending: list[Ref] = field(default_factory=list)
    """What is still to be read because of a container above it, the next one last."""
    whole: bool = False
    """Whether everything is being read, what search does not name included; an interrupted read goes on so."""
    held_back: bool = False
    """Whether an object was passed over for now: the next read begins before it."""
    lacking: LackingObjects = field(default_factory=LackingObjects)
    """Objects that were read without comments or names (`lacking_name`): read again once these can be had."""
    hidden: dict[str, str] = field(default_factory=dict)
    """Objects (`lacking_name`) that were read without what is in a block, or in the database itself, by that one; some,
    where they are many. Read again once it is shown."""
    rows: set[str] = field(default_factory=set)
    """Fingerprints of the rows that were read here: no container names them."""
    readers: str = ""
    """As in `connectors.notion.access.readers_fingerprint`: with another one, all that was read has other readers."""
    begin: datetime | None = None
    """From when this read asks for objects; fixed while it goes on."""
    asked_at: datetime | None = None
    """The server's clock when it named, last, what has all been read by now."""

    @classmethod
    def from_json(cls, cursor: Cursor | None) -> Self:
        """The inverse of `as_json`; without a cursor everything is read."""
        since = parse_time((cursor or {}).get("since"))
        if not cursor or since is None:
            return cls(whole=not cursor or bool(cursor.get("whole")))
        return cls(
            since=since,
            read=dict(cursor.get("read") or {}),
            containers={own: (str(of), str(children)) for own, (of, children) in (cursor.get("places") or {}).items()},
            files={page: dict(files) for page, files in (cursor.get("files") or {}).items()},
            copies=SyncedCopies.from_json(cursor),
            pending=[Ref(cast("Kind", kind), str(own)) for kind, own in cursor.get("waiting") or ()],
            whole=bool(cursor.get("whole")),
            lacking=LackingObjects.from_json(cursor.get("lacking")),
            hidden=dict(cursor.get("hidden") or {}),
            rows=_split(str(cursor.get("rows") or "")),
            readers=str(cursor.get("readers") or ""),
            begin=since - OVERLAP,
            asked_at=parse_time(cursor.get("asked")),
        )

    def as_json(self) -> Cursor:
        """The names of `places` and `waiting` are those of cursors written before."""
        # What was edited earlier does not come again unless it changes.
        oldest = (self.since - OVERLAP).timestamp() if self.since else 0
        return {
            "since": self.since.isoformat() if self.since else None,
            "read": {own: edited for own, edited in self.read.items() if edited >= oldest},
            "places": {own: list(fingerprints) for own, fingerprints in self.containers.items()},
            "files": {page: dict(files) for page, files in self.files.items()},
            **self.copies.as_json(),
            "waiting": [list(ref) for ref in self.pending],
            "whole": self.whole,
            "readers": self.readers,
            **({"asked": self.asked_at.isoformat()} if self.asked_at else {}),
            **({"lacking": lacking} if (lacking := self.lacking.as_json()) else {}),
            **({"hidden": dict(self.hidden)} if self.hidden else {}),
            **({"rows": "".join(sorted(self.rows))} if self.rows else {}),
        }

    def with_lacking(self, part: str) -> Self:
        """What was read without this part is read again; everything, where that is much: files whose fingerprints still
        hold aside."""
        if self.lacking.are_many(part):
            return type(self)(whole=True, files=self.files, readers=self.readers)
        self.pending += [lacking_ref(name) for name in self.lacking.pop(part)]
        return self

    def note_row(self, found: NotionObject) -> None:
        """A page was read: as a row, if it is one."""
        if found.parent and found.parent.kind in ("data_source", "database"):
            self.rows.add(child_fingerprint(found.ref.id))

    def note_hidden(self, ref: Ref, hidden: Ref | None) -> None:
        """An object was read without what is in `hidden`; with all that there is, if that is None."""
        name = lacking_name(ref)
        for known in [known for known, of in self.hidden.items() if of == name]:
            del self.hidden[known]
        if hidden and len(self.hidden) < NOTED_AT_MOST:
            self.hidden[lacking_name(hidden)] = name

    def next_hidden(self) -> Ref | None:
        """What to ask for now; another one the next time."""
        if not self.hidden:
            return None
        name = next(iter(self.hidden))
        self.hidden[name] = self.hidden.pop(name)
        return lacking_ref(name)

    def with_hidden(self) -> Self:
        """What was read without something that was hidden is read again."""
        self.pending += [lacking_ref(name) for name in dict.fromkeys(self.hidden.values())]
        self.hidden = {}
        return self

    def for_readers(self, readers: str) -> Self:
        """The same where these are the readers that it was written with, else one by which everything is read: files
        whose fingerprints still hold aside."""
        return self if self.readers == readers else type(self)(whole=True, files=self.files, readers=readers)

    @property
    def unread_since(self) -> datetime | None:
        """From when an edit can be that was not shown when search was asked last. What it shows for the first time for
        another reason (shared now, or out of the trash) keeps an earlier time: `begin` finds it."""
        if self.begin is None or self.whole or self.asked_at is None:
            return self.begin
        return max(self.begin, self.asked_at - OVERLAP)

    def is_due(self, entry: SearchEntry) -> bool:
        """Whether an object may have changed since it was emitted, or may be new."""
        known = self.read.get(entry.ref.id)
        if known is None and self.begin and entry.edited < self.begin:
            return False  # of another unit, or read before
        return known != int(entry.edited.timestamp())

    def record(self, entry: SearchEntry, asked_at: datetime) -> None:
        """An object was read, or found to be of another unit, after the server's clock showed `asked_at`."""
        if entry.edited + SETTLED <= asked_at:
            self.read[entry.ref.id] = int(entry.edited.timestamp())

    def advance(self, entry: SearchEntry) -> None:
        """All objects up to this one are done with, but for those pending."""
        if self.held_back:
            return
        if self.since is None or entry.edited > self.since:
            self.since = entry.edited

    def record_container(self, own: str, fingerprint: str, children: Sequence[Ref]) -> list[Ref]:
        """A container was read; returns those of its `children` that must be read too.

        All of them if they show something of it that is no longer so, else those that were not its children before.
        """
        before, known = self.containers.pop(own, ("", ""))
        by_child = {ref: child_fingerprint(ref.id) for ref in children}
        if children:
            self.containers[own] = (fingerprint, "".join(by_child.values()))
        if self.whole or before != fingerprint:
            return list(children)
        known_children = _split(known)
        return [ref for ref in children if by_child[ref] not in known_children]

    def was_here(self, owns: Collection[str]) -> set[str]:
        """Those of these objects that were read here: as containers, with files, as their children, or as rows."""
        if not owns:
            return set()
        named = self.rows.union(*(_split(known) for _, known in self.containers.values()))
        return {own for own in owns if own in self.containers or own in self.files or child_fingerprint(own) in named}

    def forget(self, own: str) -> None:
        """An object is in another unit now, with all that is below it: should it come back, all of that is new."""
        is_container = own in self.containers  # else nothing is below, as of most that search names
        by_fingerprint = (
            {child_fingerprint(one): one for one in (*self.containers, *self.files)} if is_container else {}
        )
        left = [own]
        while left:
            one = left.pop()
            _, children = self.containers.pop(one, ("", ""))
            self.files.pop(one, None)
            self.rows.discard(child_fingerprint(one))
            self.note_hidden(Ref("page", one), None)
            left += [by_fingerprint.pop(child) for child in _split(children) & by_fingerprint.keys()]


def _split(children: str) -> set[str]:
    """The fingerprints in a string of them."""
    return {children[at : at + CHILD_DIGITS] for at in range(0, len(children), CHILD_DIGITS)}


def lacking_name(ref: Ref) -> str:
    """How the cursor names an object that lacks something."""
    return f"{ref.kind}/{ref.id}"


def lacking_ref(name: str) -> Ref:
    """The inverse of `lacking_name`."""
    kind, _, own = name.partition("/")
    return Ref(cast("Kind", kind), own)
