"""A listing that comes back to a page has no end."""

from __future__ import annotations

import pytest

from connectors.errors import InvalidResponse
from connectors.paging import PageTrail


@pytest.mark.parametrize("end", [None, ""])
def test_cursors_are_followed_to_the_end(end: str | None) -> None:
    trail = PageTrail("api/items")
    assert [trail.follow(cursor) for cursor in ("a", "b", end)] == ["a", "b", None]


@pytest.mark.parametrize("cursors", [("a", "a"), ("a", "b", "a")])
def test_a_cursor_that_comes_again_is_a_loop(cursors: tuple[str, ...]) -> None:
    trail = PageTrail("api/items")
    for cursor in cursors[:-1]:
        trail.follow(cursor)
    with pytest.raises(InvalidResponse, match=r"api/items.*pagination loop: cursor repeated"):
        trail.follow(cursors[-1])
