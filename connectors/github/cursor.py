"""How far a repository has been read: what the cursor keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from connectors.contract import Cursor
from connectors.github.client import Blob
from connectors.github.responses import moment

OVERLAP = timedelta(minutes=5)
"""How far behind the newest object seen a read begins again: clocks differ, and listings lag behind."""
COMMENT_OVERLAP = timedelta(minutes=1)
"""The same for comments, of which a repository has many more; most show in their issue's time as well."""
SETTLED = timedelta(seconds=2)
"""GitHub's times are whole seconds: an object can change once more within the second in which it was read."""
FORMAT = 2
"""A cursor in another format reads everything anew."""

_PENDING = ""
"""Stands for the version of an object that is known, but must be emitted anew."""


@dataclass(slots=True)
class Timeline:
    """Progress through objects that tell when they were updated.

    `since` is the newest update seen. `recent` maps each object updated within the overlap before it to that
    time, so that these are not read again. `begin` is from when this read asks; fixed while it goes on.
    """

    overlap: timedelta = OVERLAP
    since: datetime | None = None
    recent: dict[str, str] = field(default_factory=dict)
    begin: datetime | None = None

    @classmethod
    def resumed(cls, kept: dict[str, Any] | None, overlap: timedelta = OVERLAP) -> Self:
        since = moment((kept or {}).get("since"))
        return cls(overlap, since, dict((kept or {}).get("recent") or {}), since - overlap if since else None)

    def kept(self) -> dict[str, Any]:
        return {"since": self.since.isoformat() if self.since else None, "recent": dict(self.recent)}

    def is_new(self, key: object, updated: datetime | None) -> bool:
        """Whether an object may have changed since it was emitted. A server that ignores `since` lists old ones."""
        if updated is None:
            return True
        if self.begin and updated < self.begin:
            return False
        return self.recent.get(str(key)) != updated.isoformat()

    def emitted(self, key: object, updated: datetime | None, read_at: datetime) -> None:
        self.noted(key, updated, read_at)
        self.reached(updated)

    def noted(self, key: object, updated: datetime | None, read_at: datetime) -> None:
        """An object has been read, without those before it."""
        if updated and updated + SETTLED <= read_at and not (self.since and updated < self.since - self.overlap):
            self.recent[str(key)] = updated.isoformat()

    def reached(self, updated: datetime | None) -> None:
        """Everything updated before then has been read."""
        if updated:
            self.since = max(self.since or updated, updated)

    def forget_settled(self) -> None:
        """Drop from `recent` what the next read will not be told again."""
        if self.since:
            oldest = self.since - self.overlap
            self.recent = {key: time for key, time in self.recent.items() if datetime.fromisoformat(time) >= oldest}


@dataclass(slots=True)
class Progress:
    """Read progress of one repository; the parts change it as they read.

    `files` maps each path to its blob's version, `releases` each release's id to its document's. `etags` maps a
    listing to the state in which it has been read. `readers` and `branch` stand in every document, or its URL,
    and `patterns` decide which files are read: when they change, what they concern is emitted anew.
    """

    readers: tuple[str, ...]
    branch: str
    patterns: tuple[str, ...] = ()
    issues: Timeline = field(default_factory=Timeline)
    comments: Timeline = field(default_factory=lambda: Timeline(COMMENT_OVERLAP))
    review_comments: Timeline = field(default_factory=lambda: Timeline(COMMENT_OVERLAP))
    discussions: Timeline = field(default_factory=Timeline)
    files: dict[str, str] = field(default_factory=dict)
    releases: dict[str, str] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)

    @classmethod
    def resumed(
        cls, cursor: Cursor | None, readers: tuple[str, ...], branch: str, patterns: tuple[str, ...], now: datetime
    ) -> Self:
        """`now` is the server's time: comments are looked for from the first read's begin on."""
        fresh = cls(readers, branch, patterns)
        start = {"since": now.isoformat()}
        fresh.comments = Timeline.resumed(start, COMMENT_OVERLAP)
        fresh.review_comments = Timeline.resumed(start, COMMENT_OVERLAP)
        if not cursor or cursor.get("format") != FORMAT:
            return fresh
        files, releases = dict(cursor.get("files") or {}), dict(cursor.get("releases") or {})
        if (tuple(cursor.get("readers") or ()), cursor.get("branch")) != (readers, branch):
            fresh.files, fresh.releases = dict.fromkeys(files, _PENDING), dict.fromkeys(releases, _PENDING)
            return fresh
        etags = dict(cursor.get("etags") or {})
        if tuple(cursor.get("patterns") or ()) != patterns:
            files = dict.fromkeys(files, _PENDING)
            etags.pop("tree", None)
        return cls(
            readers,
            branch,
            patterns,
            issues=Timeline.resumed(cursor.get("issues")),
            comments=Timeline.resumed(cursor.get("comments"), COMMENT_OVERLAP),
            review_comments=Timeline.resumed(cursor.get("review_comments"), COMMENT_OVERLAP),
            discussions=Timeline.resumed(cursor.get("discussions")),
            files=files,
            releases=releases,
            etags=etags,
        )

    def cursor(self) -> Cursor:
        return {
            "format": FORMAT,
            "readers": list(self.readers),
            "branch": self.branch,
            "patterns": list(self.patterns),
            "issues": self.issues.kept(),
            "comments": self.comments.kept(),
            "review_comments": self.review_comments.kept(),
            "discussions": self.discussions.kept(),
            "files": dict(self.files),
            "releases": dict(self.releases),
            "etags": dict(self.etags),
        }

    def keep_etag(self, listing: str, etag: str | None) -> None:
        """The listing has been read in the state that has this name."""
        if etag:
            self.etags[listing] = etag

    def has(self, blob: Blob) -> bool:
        return self.files.get(blob.path) == version(blob)


def version(blob: Blob) -> str:
    """What the cursor keeps of a blob: enough of its SHA to tell versions of one path apart."""
    return f"{blob.mode[:3]}{blob.sha[:16]}"
