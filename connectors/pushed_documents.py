"""Documents that whoever has them pushes to Headrace, and that are kept here until their connection reads them.

A source takes documents where its `Implementation` has `accept` (`connectors.registry`). What is accepted is kept in a
`DocumentStore`, which the connector is given, and is read from there as from any provider.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Protocol, TypeAlias

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

LONGEST_NAME = 500
"""Characters of the id that whoever pushes a document gives to it."""
LONGEST_TEXT = 5 * 1024 * 1024
"""Bytes of a request with a text."""
LARGEST_FILE = 25_000_000
"""Bytes of a file that is pushed, as of one that is read elsewhere."""
_MOST = 100
"""Of readers, tags and parents each."""


def _without_controls(text: str) -> str:
    if any(character < " " or character == "\x7f" or "\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("must be one line of text, without control characters and half a surrogate pair")
    return text


def _storable(text: str) -> str:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("must be text without NUL and without half a surrogate pair")
    return text


def _written_time(value: object) -> object:
    """Numbers would be taken for seconds, or for milliseconds."""
    if not isinstance(value, str | datetime):
        raise ValueError("must be a time such as 2026-11-25T09:12:00Z")
    return value


def _web_address(url: str) -> str:
    if url and not url.lower().startswith(("https://", "http://")):
        raise ValueError("must begin with https:// or http://")
    if any(character.isspace() for character in url):
        raise ValueError("must have no spaces in it")
    return url


_Line = StringConstraints(strip_whitespace=True, max_length=500)
_Named = StringConstraints(strip_whitespace=True, min_length=1, max_length=200)
_Controls = AfterValidator(_without_controls)
_Name: TypeAlias = Annotated[str, _Named, _Controls]
_Time: TypeAlias = Annotated[AwareDatetime, BeforeValidator(_written_time)]


class PushedDocument(BaseModel):
    """A document as it is pushed. Names are those of search results."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Annotated[str, _Line, _Controls] = Field(default="", description="Needed; of a file, by default its name")
    text: Annotated[str, AfterValidator(_storable)] = Field(
        default="", description="Needed where there is no file: Markdown, or what `content_type` says"
    )
    content_type: Annotated[str, StringConstraints(max_length=200), _Controls] = Field(
        default="",
        description="Of a text: text/markdown (the default), text/plain or text/html. Of a file: by default as the "
        "form, its name and its bytes tell",
    )
    url: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=2_000), _Controls, AfterValidator(_web_address)
    ] = Field(default="", description="Where people read it; results lead there")
    kind: str = Field(default="", pattern=r"^([a-z][a-z0-9_-]{0,49})?$", description="`document` or `file` by default")
    author: Annotated[str, _Line, _Controls] = Field(default="", description="Who has written it")
    unit: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), _Controls] = Field(
        default="", description="By what the connection's work is divided; `documents` by default"
    )
    readers: list[_Name] | None = Field(
        default=None,
        max_length=_MOST,
        description="Who may read it: e-mail addresses, `public`, `group:<name>` of the connection's `groups`, or "
        "`group:<connection>:<id>` of any. Without it, whom the connection's `readers` name, by default nobody",
    )
    parents: list[_Name] = Field(
        default=[], max_length=20, description="Names of what it is in, from the outermost to the nearest"
    )
    tags: list[_Name] = Field(default=[], max_length=_MOST)
    created_at: _Time | None = Field(default=None, description="With its zone, as 2026-11-25T09:12:00Z")
    updated_at: _Time | None = Field(default=None, description="As `created_at`; by default when it was pushed")


@dataclass(frozen=True, slots=True)
class PushedFile:
    """The file that a document is: its name and type as whoever pushes it says."""

    name: str
    media_type: str
    data: bytes


class DocumentFields(BaseModel):
    """What is kept of a document beside its content. `readers` are reader tokens."""

    model_config = ConfigDict(frozen=True)

    title: str
    url: str
    kind: str
    author: str
    readers: tuple[str, ...]
    parents: tuple[str, ...]
    tags: tuple[str, ...]
    content_type: str
    created_at: datetime | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class AcceptedDocument:
    """What is to be kept of a document that was pushed. `fingerprint` is equal where nothing has changed."""

    unit: str
    fields: DocumentFields
    content: bytes
    fingerprint: str


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document that is kept: `name` is the id that it was given, `body` where its content is, and `number` counts up
    with each change in its connection."""

    name: str
    unit: str
    number: int
    fields: DocumentFields
    fingerprint: str
    body: str


@dataclass(frozen=True, slots=True)
class RemovedDocument:
    """A document that was deleted by whoever had pushed it."""

    name: str
    unit: str
    number: int


class DocumentStore(Protocol):
    """What was pushed to one connection. Every method may raise `connectors.errors.SourceError`."""

    @property
    def requests(self) -> int:
        """How often it was asked."""

    def units(self) -> Sequence[str]:
        """All units to which something was pushed."""

    def changes(self, unit: str, after: int, limit: int) -> Sequence[StoredDocument | RemovedDocument]:
        """What changed in a unit behind the number `after`, in order of the numbers; of each document the last."""

    def find(self, names: Collection[str]) -> Mapping[str, StoredDocument | RemovedDocument]:
        """Those of these documents that are known, by name."""

    def read(self, document: StoredDocument) -> bytes:
        """The content of a document. Raises NotFound where it is kept no more: the document has changed since."""


class PushRefused(Exception):
    """What was pushed cannot be taken: which field is wrong, empty for the whole, and what to do.

    `is_unsupported`: it is of a type that is not read.
    """

    def __init__(self, field: str, reason: str, *, is_unsupported: bool = False) -> None:
        self.field = field
        self.reason = reason
        self.is_unsupported = is_unsupported
        super().__init__(f"{field}: {reason}" if field else reason)
