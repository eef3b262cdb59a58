"""What goes over the pipe, pickled, between a process that serves and those that read the index for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from pipelines.errors import HeadraceError
from pipelines.index.contract import IndexSpec

Method: TypeAlias = Literal["search", "document", "count_documents", "newest", "beginnings", "count_points", "info"]


class Opening(NamedTuple):
    """The first message: which collection is read. See `EdgeReader`."""

    root: Path
    collection: str
    spec: IndexSpec | None


class ReaderCall(NamedTuple):
    """A method of an IndexReader, with its arguments by name."""

    method: Method
    arguments: dict[str, Any]


class ReaderReply(NamedTuple):
    """What the method has returned, or the error that it has raised."""

    value: Any = None
    error: HeadraceError | None = None
