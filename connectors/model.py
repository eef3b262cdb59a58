"""What every connector emits: one document model for all sources.

A connector reads a unit and yields *items*: documents, objects passed over, objects that failed, objects
that are gone, and checkpoints from which an interrupted read continues.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias

PUBLIC = "public"
"""Reader token of a document that anybody may see, signed in or not."""

MARKDOWN = "text/markdown"
HTML = "text/html"
PLAIN_TEXT = "text/plain"

Cursor: TypeAlias = dict[str, Any]
"""Where a connector continues a unit; only the connector that wrote it reads it. JSON-serialisable."""


def user_token(email: str) -> str:
    """Reader token of one person."""
    return f"user:{email.strip().lower()}"


def group_token(connection: str, group: str) -> str:
    """Reader token of a group that a connection knows: a channel, a team, a domain, a workspace."""
    return f"group:{connection}:{group}"


@dataclass(frozen=True, slots=True)
class Unit:
    """The container by which a connection's work is partitioned, as found at the source.

    `id` is readable where the source has readable names (`acme/api`), and the provider's id elsewhere.
    `readers` holds the reader tokens that all its documents share, where the source sets them for the unit
    as a whole. A unit whose name, URL or readers have changed is read anew, since every document shows them.
    """

    id: str
    name: str
    url: str = ""
    readers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parent:
    """A container of a document. `id` has the form of a document id: `slack:acme-slack/C0123`."""

    id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One object of a source as a person would read it.

    `content` is Markdown, HTML or plain text as `str`, or the bytes of a file; `content_type` is its media
    type. `parents` runs from the outermost container to the nearest. `readers` holds reader tokens; an
    empty tuple means that nobody but an administrator may see the document. Times are aware (UTC). `mark` is what
    `Listed.mark` is for this state of the object; it is not part of the version.
    """

    id: str
    source: str
    connection: str
    unit: str
    kind: str
    title: str
    url: str
    content: str | bytes
    content_type: str
    author: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    parents: tuple[Parent, ...] = ()
    tags: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    mark: str = ""

    @property
    def content_bytes(self) -> bytes:
        """The content as bytes; half a surrogate pair, which no encoding can hold, becomes `?`."""
        return self.content if isinstance(self.content, bytes) else self.content.encode(errors="replace")

    @property
    def version(self) -> str:
        """Hash over all fields: equal exactly if nothing that Headrace keeps has changed."""
        described = json.dumps(
            [
                self.id,
                self.unit,
                self.kind,
                self.title,
                self.url,
                self.content_type,
                self.author,
                _isoformat(self.created_at),
                _isoformat(self.updated_at),
                [[parent.id, parent.title] for parent in self.parents],
                self.tags,
                sorted(self.readers),
            ],
            ensure_ascii=False,
        )
        digest = hashlib.sha256(described.encode(errors="replace"))
        digest.update(b"\0")
        digest.update(self.content_bytes)
        return digest.hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Skipped:
    """An object passed over on purpose: too large, unsupported type, encrypted, empty."""

    document_id: str
    title: str
    reason: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """An object that could not be read. Later syncs fetch it again by its id."""

    document_id: str
    title: str
    error: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Deleted:
    """An object that is gone at the source: deleted, archived, in the trash or out of reach."""

    document_id: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All items yielded so far are complete; reading can resume from `cursor`.

    `complete` marks the end of a listing that has named every object of the unit. Only after a complete
    listing may objects that were not named be taken for deleted.
    """

    cursor: Cursor
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """An object as a listing names it, without its content.

    Both are given where the listing tells them. `updated_at` means what `Document.updated_at` means: an object
    that is newer here than in the catalog has been missed, and is read again. `mark` stands for all that the
    listing shows of the object: one that is another than in the catalog has changed, whatever its time says.
    """

    document_id: str
    title: str = ""
    updated_at: datetime | None = None
    mark: str = ""


Item: TypeAlias = Document | Skipped | Failed | Deleted | Checkpoint


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, by when objects were last updated; `until` is exclusive."""

    since: datetime | None = None
    until: datetime | None = None

    def __contains__(self, moment: datetime | None) -> bool:
        if moment is None:
            return True
        return (self.since is None or moment >= self.since) and (self.until is None or moment < self.until)


@dataclass(frozen=True, slots=True)
class Membership:
    """A person belongs to a group of the connection. `group` is the id that `group_token` takes."""

    group: str
    email: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `headrace check`: what was looked at, whether it is well, and what to do if not."""

    subject: str
    ok: bool
    detail: str


class Connector(Protocol):
    """One configured account of a source. Made by `connectors.connect`; close it after use.

    Every method may raise `connectors.errors.SourceError`. Errors of a single object never leave `read`
    or `fetch`: they become `Failed` items.
    """

    @property
    def requests(self) -> int:
        """How many HTTP requests this connector has sent."""

    def check(self) -> list[Finding]:
        """Try the credentials, and name what they can and cannot reach."""

    def units(self) -> Iterator[Unit]:
        """All units that the token sees and the connection's patterns admit."""

    def read(self, unit: Unit, cursor: Cursor | None = None, window: Window | None = None) -> Iterator[Item]:
        """Read a unit: everything without a cursor, what changed since with one.

        With `window`, only objects last updated inside it (and no complete listing is claimed). The last
        item is a `Checkpoint`.
        """

    def listing(self, unit: Unit) -> Iterator[Listed]:
        """Name every object that the unit has now, each that `read` would yield, without reading contents.

        Ends only when the listing is complete; what keeps it from that is raised as SourceError.
        """

    def fetch(self, unit: Unit, document_ids: Sequence[str]) -> Iterator[Item]:
        """Look again at these objects: yields one item for each, `Deleted` where it is gone.

        Objects that came with one of them (its attachments) may follow.
        """

    def unit_of(self, document_id: str) -> str | None:
        """Id of the unit that an object is in now; None if it is gone, or in none that is read."""

    def memberships(self) -> Iterator[Membership]:
        """Who belongs to the groups that this connection's reader tokens name."""

    def close(self) -> None:
        """Release network connections."""


def _isoformat(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
