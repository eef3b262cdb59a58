"""Following a listing page by page, to its end."""

from __future__ import annotations

from connectors.errors import InvalidResponse


class PageTrail:
    """The cursors (or page links) that a listing has led through: one that comes again has no end."""

    def __init__(self, where: str) -> None:
        """`where` names the listing in errors: its URL without secrets, or its method."""
        self._where = where
        self._followed: set[str] = set()

    def follow(self, cursor: str | None) -> str | None:
        """The cursor of the page that comes next; None at the end. Raises InvalidResponse for one that was followed."""
        if not cursor:
            return None
        if cursor in self._followed:
            raise InvalidResponse(self._where, "pagination loop: cursor repeated")
        self._followed.add(cursor)
        return cursor
