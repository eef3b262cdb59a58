"""How far a repository has been read: what its cursor keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Self

from connectors.contract import Cursor
from connectors.github.payloads.graphql import DiscussionHead
from connectors.github.payloads.kept import KeptLook, KeptRepository
from connectors.github.payloads.parsing import parse_time, time_or_none
from connectors.github.trees import GitFile

OVERLAP = timedelta(minutes=5)
"""How far behind the newest object seen a read begins again: clocks differ, and listings lag behind."""
COMMENT_OVERLAP = timedelta(minutes=1)
"""The same for comments, of which a repository has many more; most show in their issue's time as well."""
SETTLED = timedelta(seconds=2)
"""GitHub's times are whole seconds: an object can change once more within the second in which it was read."""
QUIET_AFTER = timedelta(days=1)
"""So long after what happened last in it, nothing more is to be expected soon in a repository."""
LOOK_EVERY = timedelta(hours=6)
"""What shows in no repository's head, is found so late where the head decides: edits of old comments, wikis."""
FORMAT = 2
"""A cursor in another format reads everything anew."""

_PENDING = ""
"""The version of an object that is known, but must be emitted anew."""
_UNDATED = "?"
"""Precedes the version of a file that was read without the commit that changed it last."""


@dataclass(slots=True)
class Timeline:
    """Progress through objects that have a time of their last update.

    `since` is the newest update seen. `recent` maps each object updated within the overlap before it to that
    time, so that these are not read twice. `begin` is from when this read asks; fixed while it goes on.
    """

    overlap: timedelta = OVERLAP
    since: datetime | None = None
    recent: dict[str, str] = field(default_factory=dict)
    begin: datetime | None = None

    @classmethod
    def resume(cls, state: Cursor | None, overlap: timedelta = OVERLAP) -> Self:
        """From what `state` returned at the end of an earlier read."""
        since = parse_time((state or {}).get("since"))
        return cls(overlap, since, dict((state or {}).get("recent") or {}), since - overlap if since else None)

    def state(self) -> Cursor:
        """What a cursor keeps, as JSON."""
        return {"since": self.since.isoformat() if self.since else None, "recent": dict(self.recent)}

    def is_new(self, key: object, updated: datetime | None) -> bool:
        """Whether an object may have changed since it was emitted."""
        if updated is None:
            return True
        if self.begin and updated < self.begin:  # a server that ignores `since` lists old ones, too
            return False
        return self.recent.get(str(key)) != updated.isoformat()

    def advance(self, key: object, updated: datetime | None, read_at: datetime) -> None:
        """An object has been read, and so have all that were updated before it."""
        self.record(key, updated, read_at)
        if updated:
            self.since = max(self.since or updated, updated)

    def record(self, key: object, updated: datetime | None, read_at: datetime) -> None:
        """An object has been read, without those before it."""
        if updated and updated + SETTLED <= read_at and not (self.since and updated < self.since - self.overlap):
            self.recent[str(key)] = updated.isoformat()

    def forget_settled(self) -> None:
        """Drop from `recent` what the next read will not ask for."""
        if self.since:
            oldest = self.since - self.overlap
            self.recent = {key: time for key, time in self.recent.items() if datetime.fromisoformat(time) >= oldest}


def _comment_timeline() -> Timeline:
    return Timeline(COMMENT_OVERLAP)


@dataclass(slots=True)
class RepositoryCursor:
    """How far one repository has been read; its resources move it forward as they read.

    `pulls_behind` tells that pull requests were passed over which the listing of issues has shown: theirs then shows
    what is new by `pulls`; `pulls_lack_details` that some were read without what only their own address tells.
    `discussions_head` is what the listing of discussions began with when all that is new was read. `stopped` names the
    parts that the last read was refused, or that failed.

    `files` maps each path to its file's version, `releases` each release's id to its document's; `about` is the version
    of what the repository says of itself. `has_commit_comments` says that those on commits have been read, as they are
    once. `wiki` maps each page's path to its version, as of the commit `wiki_head`. `etags` maps a listing to the state
    in which it has been read. `repository` is what it said of itself, to be asked whether it still does. The URLs of
    files show `branch`, and `patterns` decide which files are read: when they change, what they concern is emitted
    anew. `looked` says when all that can be read was, with or without refused parts. Readers are no part of it: who may
    read a repository changes without a word of its contents.
    """

    branch: str
    patterns: tuple[str, ...] = ()
    issues: Timeline = field(default_factory=Timeline)
    comments: Timeline = field(default_factory=_comment_timeline)
    review_comments: Timeline = field(default_factory=_comment_timeline)
    pulls: Timeline = field(default_factory=Timeline)
    pulls_behind: bool = False
    pulls_lack_details: bool = False
    discussions: Timeline = field(default_factory=Timeline)
    discussions_head: DiscussionHead | None = None
    stopped: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    releases: dict[str, str] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    about: str = ""
    has_commit_comments: bool = False
    repository: KeptRepository | None = None
    wiki: dict[str, str] = field(default_factory=dict)
    wiki_head: str = ""
    looked: KeptLook | None = None

    @classmethod
    def resume(cls, cursor: Cursor | None, branch: str, patterns: tuple[str, ...], now: datetime) -> Self:
        """`now` is the server's time: comments are looked for from the first read's begin on."""
        if not cursor or cursor.get("format") != FORMAT:
            return cls._begin(branch, patterns, now)
        files, releases = dict(cursor.get("files") or {}), dict(cursor.get("releases") or {})
        if cursor.get("branch") != branch:
            fresh = cls._begin(branch, patterns, now)
            # Their names stay known, so that what has gone meanwhile is still deleted.
            fresh.wiki, fresh.wiki_head = dict(cursor.get("wiki") or {}), str(cursor.get("wiki_head") or "")
            fresh.files, fresh.releases = dict.fromkeys(files, _PENDING), dict.fromkeys(releases, _PENDING)
            return fresh
        etags, stopped = dict(cursor.get("etags") or {}), list(cursor.get("stopped") or ())
        found = cls(branch, patterns, files=files, releases=releases, etags=etags, stopped=stopped)
        found.about, found.has_commit_comments = str(cursor.get("about") or ""), bool(cursor.get("commit_comments"))
        found.wiki, found.wiki_head = dict(cursor.get("wiki") or {}), str(cursor.get("wiki_head") or "")
        found._resume_timelines(cursor)
        if tuple(cursor.get("patterns") or ()) != patterns:
            found.files = dict.fromkeys(files, _PENDING)
            found.etags.pop("tree", None)
        return found

    def to_json(self) -> Cursor:
        return {
            "format": FORMAT,
            "branch": self.branch,
            "patterns": list(self.patterns),
            "issues": self.issues.state(),
            "comments": self.comments.state(),
            "review_comments": self.review_comments.state(),
            "pulls": self.pulls.state(),
            "pulls_behind": self.pulls_behind,
            "pulls_lack_details": self.pulls_lack_details,
            "discussions": self.discussions.state(),
            "discussions_head": self.discussions_head.model_dump() if self.discussions_head else None,
            "stopped": list(self.stopped),
            "files": dict(self.files),
            "releases": dict(self.releases),
            "etags": dict(self.etags),
            "about": self.about,
            "commit_comments": self.has_commit_comments,
            "repository": self.repository.to_json() if self.repository else None,
            "wiki": dict(self.wiki),
            "wiki_head": self.wiki_head,
            "looked": self.looked.model_dump(mode="json") if self.looked else None,
        }

    def keep_etag(self, listing: str, etag: str | None) -> None:
        """The listing has been read in the state that has this name."""
        if etag:
            self.etags[listing] = etag

    def keep_head(self, head: DiscussionHead | None, read_at: datetime) -> None:
        """All discussions up to this one have been read, in a listing of that time. A listing lags behind: what was
        updated shortly before it may not show yet, and so it is looked for once more."""
        is_settled = head is None or head.updated is None or head.updated + OVERLAP <= read_at
        self.discussions_head = head if is_settled else None

    def has(self, file: GitFile) -> bool:
        return self.files.get(file.path, _PENDING).removeprefix(_UNDATED) == file_version(file)

    def keep_file(self, file: GitFile, *, is_dated: bool = True) -> None:
        """A file has been read, with the commit that changed it last or without."""
        self.files[file.path] = ("" if is_dated else _UNDATED) + file_version(file)

    def is_as_before(self, activity: str, now: datetime) -> bool:
        """Whether all was read a short time ago when the repository showed the same `activity`, and nothing was
        written or pushed in it for so long that nothing is to be expected soon."""
        if self.looked is None or self.looked.activity != activity or self.undated:
            return False
        pushed = time_or_none(self.repository.payload.pushed_at) if self.repository else None
        lines = (self.issues, self.comments, self.review_comments, self.pulls, self.discussions)
        times = [time for time in (pushed, *(line.since for line in lines)) if time]
        is_recent = timedelta() <= now - self.looked.at < LOOK_EVERY
        return is_recent and bool(times) and max(times) < now - QUIET_AFTER

    @property
    def undated(self) -> list[str]:
        """Paths of the files that were read without the commit that changed them last."""
        return [path for path, version in self.files.items() if version.startswith(_UNDATED)]

    @classmethod
    def _begin(cls, branch: str, patterns: tuple[str, ...], now: datetime) -> Self:
        start = {"since": now.isoformat()}
        comments, review_comments = (Timeline.resume(start, COMMENT_OVERLAP) for _ in range(2))
        return cls(branch, patterns, comments=comments, review_comments=review_comments)

    def _resume_timelines(self, cursor: Cursor) -> None:
        self.issues = Timeline.resume(cursor.get("issues"))
        self.comments = Timeline.resume(cursor.get("comments"), COMMENT_OVERLAP)
        self.review_comments = Timeline.resume(cursor.get("review_comments"), COMMENT_OVERLAP)
        # The release before this one read pull requests with the issues, and kept no time of theirs.
        self.pulls = Timeline.resume(cursor.get("pulls", cursor.get("issues")))
        self.pulls_behind = bool(cursor.get("pulls_behind"))
        self.pulls_lack_details = bool(cursor.get("pulls_lack_details"))
        self.discussions = Timeline.resume(cursor.get("discussions"))
        head = cursor.get("discussions_head")
        self.discussions_head = DiscussionHead.model_validate(head) if head else None


def as_read(cursor: Cursor) -> RepositoryCursor:
    """What a read has left, whatever the next one can still use of it."""
    found = RepositoryCursor.resume(
        cursor, str(cursor.get("branch")), tuple(cursor.get("patterns") or ()), datetime.now(UTC)
    )
    found.repository = kept_repository(cursor)
    looked = cursor.get("looked")
    found.looked = KeptLook.model_validate(looked) if looked else None
    return found


def kept_repository(cursor: Cursor | None) -> KeptRepository | None:
    """What a cursor keeps of the repository itself, whatever else of it can still be used."""
    return KeptRepository.from_json((cursor or {}).get("repository"))


def file_version(file: GitFile) -> str:
    """What the cursor keeps of a file: enough of its SHA to tell versions of one path apart."""
    return f"{file.mode[:3]}{file.sha[:16]}"
