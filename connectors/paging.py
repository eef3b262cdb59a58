"""Following a listing page by page, to its end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from connectors.errors import InvalidResponse

EMPTY_IN_A_ROW = 1_000
"""Pages of nothing that lead on: providers give some where they look for few things among many."""
REPEATED_IN_A_ROW = 10
"""Pages that have been shown before: a provider may repeat some and go on."""


class PageTrail:
    """What a listing has led through: where a cursor (or page link) comes again, or under other cursors nothing but
    pages that were shown before, it has no end."""

    def __init__(self, where: str) -> None:
        """`where` names the listing in errors: its URL without secrets, or its method."""
        self._where = where
        self._followed: set[str] = set()
        self._shown: set[bytes] = set()
        self._empty = 0
        self._repeated = 0

    def follow(self, cursor: str | None, shown: Sequence[object] | None = None) -> str | None:
        """The cursor of the page that comes next; None at the end. `shown` is what the page with this cursor names,
        where no page of the listing may rightly come twice. Raises InvalidResponse for what has come before."""
        if not cursor:
            return None
        if cursor in self._followed:
            raise InvalidResponse(self._where, "pagination loop: cursor repeated")
        self._followed.add(cursor)
        if shown is not None:
            self._note(shown)
        return cursor

    def _note(self, shown: Sequence[object]) -> None:
        digest = hashlib.sha256(repr(shown).encode(errors="replace")).digest()
        self._empty = 0 if shown else self._empty + 1
        self._repeated = self._repeated + 1 if shown and digest in self._shown else 0
        self._shown.add(digest)
        if self._empty > EMPTY_IN_A_ROW or self._repeated > REPEATED_IN_A_ROW:
            raise InvalidResponse(self._where, "pagination loop: page repeated")


def listed_items(answer: Iterable[tuple[str, object]]) -> tuple[object, ...]:
    """All that a page lists, of whichever kind: the entries of those of its fields that are tuples."""
    return tuple(one for _, value in answer if isinstance(value, tuple) for one in value)
