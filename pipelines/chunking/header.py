"""The short header that is embedded with every chunk of a document."""

from __future__ import annotations

from connectors.model import Document
from pipelines.chunking.tokens import BYTES_PER_TOKEN, utf8_length

_TITLE_BYTES = 24 * BYTES_PER_TOKEN
_BREADCRUMB_BYTES = 18 * BYTES_PER_TOKEN
_WORD_BYTES = 6 * BYTES_PER_TOKEN


def header(document: Document) -> str:
    """Title, containers, and where, when and by whom: at most about 60 tokens.

    The time of the last update is left out: it would change the header of passages that did not change.
    """
    title = _cut(document.title, _TITLE_BYTES)
    created = document.created_at.date().isoformat() if document.created_at else ""
    facts = (document.source, _cut(document.kind, _WORD_BYTES), created, _cut(document.author, _WORD_BYTES))
    lines = (title, _breadcrumb(document), " · ".join(fact for fact in facts if fact))
    return "\n".join(line for line in lines if line)


def _breadcrumb(document: Document) -> str:
    """The nearest containers that fit; the outermost are left out first."""
    nearest: list[str] = []
    room = _BREADCRUMB_BYTES
    for parent in reversed(document.parents):
        name = _cut(parent.title, _BREADCRUMB_BYTES // 2)
        if not name or name == document.title:
            continue
        room -= utf8_length(name) + len(" > ")
        if room < 0:
            break
        nearest.insert(0, name)
    return " > ".join(nearest)


def _cut(text: str, limit: int) -> str:
    """One line of at most `limit` bytes, cut after a word where that leaves more than half of it."""
    line = " ".join(text.encode(errors="replace").decode().split())
    if utf8_length(line) <= limit:
        return line
    start = line.encode()[: limit - len("…".encode())].decode(errors="ignore")  # may end inside a character
    words = start.rpartition(" ")[0]
    return f"{words if len(words) > len(start) // 2 else start}…"
