"""Units, documents and reader tokens: one model for all sources. What connectors yield beside is in `contract`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from connectors.addresses import find_address

PUBLIC = "public"
"""Reader token of a document that anybody may see, signed in or not."""

MARKDOWN = "text/markdown"
HTML = "text/html"
PLAIN_TEXT = "text/plain"


def readers_include(readers: Collection[str], others: Collection[str]) -> bool:
    """Whether what is for these `readers` is for the `others` already, as far as reader tokens tell."""
    return PUBLIC in readers or set(others) <= set(readers)


def user_token(email: str) -> str | None:
    """Reader token of one person; None for what is no address, which must not make anybody a reader."""
    address = find_address(email)
    return f"user:{address}" if address else None


def group_token(connection: str, group: str) -> str:
    """Reader token of a group that a connection knows: a channel, a team, a domain, a workspace."""
    return f"group:{connection}:{group}"


@dataclass(frozen=True, slots=True)
class Unit:
    """The container by which a connection's work is partitioned, as found at the source.

    `id` is the provider's, which it never gives to anything else; `name` is what people call it, and can change.
    `readers` holds the reader tokens that all its documents share, where the source sets them for the unit
    as a whole. A unit whose name or URL has changed is read anew, since every document shows them; so is one with
    other readers, unless its documents have those of the unit (`connectors.registry.Source`).
    """

    id: str
    name: str
    url: str = ""
    readers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parent:
    """A container of a document. `id` has the form of a document id: `slack:acme-slack/C0123`.

    `title` is empty where some who may read the document may not know it.
    """

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something that was said in a unit at a moment. `mark` stands in the text of its document, and elsewhere in that
    of what was said in the same minute."""

    unit: str
    moment: datetime
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One object of a source as a person would read it.

    `content` is Markdown, HTML or plain text as `str`, or the bytes of a file; `content_type` is its media
    type. `parents` runs from the outermost container to the nearest. `readers` holds reader tokens; an
    empty tuple means that nobody but an administrator may see the document. `readers_until` says when some of them
    cease to be readers. Times are aware (UTC). `fingerprint` is what `ListingEntry.fingerprint` is for this state of
    the object. `content_key` stands for all that the version is made of, told without reading the content: equal only
    if the version is. It is empty where the source does not tell so much. Neither readers, fingerprint nor key are part
    of the version: rights travel without content.
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
    readers_until: tuple[tuple[str, datetime], ...] = ()
    fingerprint: str = ""
    content_key: str = ""

    @property
    def content_bytes(self) -> bytes:
        """The content as bytes; half a surrogate pair, which no encoding can hold, becomes `?`."""
        return self.content if isinstance(self.content, bytes) else self.content.encode(errors="replace")

    @property
    def version(self) -> str:
        """Hash over content and metadata: equal exactly if nothing has changed but perhaps who may read it."""
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
            ],
            ensure_ascii=False,
        )
        digest = hashlib.sha256(described.encode(errors="replace"))
        digest.update(b"\0")
        digest.update(self.content_bytes)
        return digest.hexdigest()[:32]


def _isoformat(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
