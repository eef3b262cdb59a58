"""A listing that comes back to a page has no end."""

from __future__ import annotations

import pytest

from connectors.errors import InvalidResponse
from connectors.paging import EMPTY_IN_A_ROW, REPEATED_IN_A_ROW, PageTrail


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


@pytest.mark.parametrize("again", [["x"], ["x", "y"]])
def test_pages_that_come_again_and_again_are_a_loop(again: list[str]) -> None:
    trail = PageTrail("api/items")
    for name in again:
        trail.follow(f"first {name}", [name])
    for number in range(REPEATED_IN_A_ROW):
        trail.follow(f"c{number}", [again[number % len(again)]])
    with pytest.raises(InvalidResponse, match=r"api/items.*pagination loop: page repeated"):
        trail.follow("another", [again[0]])


def test_a_page_that_comes_twice_is_none() -> None:
    trail = PageTrail("api/items")
    for number in range(3 * REPEATED_IN_A_ROW):
        trail.follow(f"a{number}", [number])
        assert trail.follow(f"b{number}", [number]) == f"b{number}"


def test_pages_of_nothing_lead_on_for_a_while() -> None:
    trail = PageTrail("api/items")
    for number in range(EMPTY_IN_A_ROW):
        trail.follow(f"c{number}", [])
    trail.follow("something", ["x"])
    for number in range(EMPTY_IN_A_ROW):
        trail.follow(f"d{number}", [])
    with pytest.raises(InvalidResponse, match="pagination loop"):
        trail.follow("without end", [])
