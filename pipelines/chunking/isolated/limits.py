"""What reading one document may take, and which documents are read in a process of their own."""

from __future__ import annotations

from connectors import media
from connectors.model import Document

SECONDS = 10.0
"""Of processor time. A file with as many characters as are read at most takes about half of it."""
ELAPSED_SECONDS = 60.0
"""By the clock: a busy machine may give a file no more than a sixth of a processor."""
IDLE_SECONDS = 10.0
"""By the clock, in which it uses none of its processor: it waits for what does not come."""
MEGABYTES = 400
"""Resident memory of the process. Together with the one that it works for, this stays below 1 GB."""
ADDRESS_MEGABYTES = 1_500
"""A single allocation beyond this address space is refused at once, where the operating system can do that."""
WARM_MEGABYTES = 200
"""A process that has grown past this is replaced before the next document."""
MOST_PROCESSES = 2
"""Of a pool: one document that is slow leaves room for those of others."""

_SMALL_TEXT = 64_000
"""Bytes. Texts up to this are read where they are: their readers take time in proportion to the text's length, at most
a tenth of a second for these, and a process of its own would add a twentieth to what a document costs."""
_TEXTS = ("text/", "application/json", "application/xml", "application/yaml")


def is_isolated(document: Document) -> bool:
    """Whether a document is read in a process of its own: all files but small texts. Pure."""
    return not is_small_text(document.content_type, len(document.content))


def is_small_text(content_type: str, length: int) -> bool:
    """Whether a content of this type and length, in bytes or characters, is read within a bounded time. Pure."""
    return media.declared_type(content_type).startswith(_TEXTS) and length <= _SMALL_TEXT
