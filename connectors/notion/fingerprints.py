"""Fingerprints of objects, and of what others show of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from connectors.fingerprints import fingerprint
from connectors.notion.objects import NotionObject

CHILD_DIGITS = 8
"""Of a child's fingerprint, which a cursor keeps for every object below a container."""


def container_fingerprint(found: NotionObject, columns: Iterable[str]) -> str:
    """What the objects below show of a container: its title, where it is, its properties."""
    return fingerprint([found.title, found.parent, sorted(columns)], 8)


def entry_fingerprint(found: NotionObject, ancestors: Iterable[NotionObject], readers: Sequence[str] = ()) -> str:
    """What a listing shows of an object: its title, and the containers above it by id and title.

    `readers` are those that the settings give it by its page.
    """
    return fingerprint([found.title, _titles(ancestors), *readers], 16)


def file_fingerprint(shown: Sequence[str], ancestors: Iterable[NotionObject], readers: Sequence[str] = ()) -> str:
    """What a file's document shows: its path, name, kind and time, and the containers above it. `readers` as above."""
    return fingerprint([*shown, _titles(ancestors), *readers], 8)


def child_fingerprint(child: str) -> str:
    """Of a page, database or data source, by its id."""
    return fingerprint([child], CHILD_DIGITS)


def _titles(ancestors: Iterable[NotionObject]) -> list[tuple[str, str]]:
    return [(one.ref.id, one.title) for one in ancestors]
