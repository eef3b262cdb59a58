"""Answers that are odd in a part: what of them is still read."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import Field, ValidationError

from connectors.payloads import Entries, LenientPayload, Payload, Several


class Note(LenientPayload):
    id: str = Field(min_length=1)
    likes: int = 0
    tags: tuple[str, ...] = ()


class NotePage(Payload):
    notes: tuple[Note, ...] = ()
    more: bool = False


class Listing(Payload):
    notes: Entries[Note]
    next: str = ""


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"id": "a", "likes": 3, "tags": ["x"]}, Note(id="a", likes=3, tags=("x",))),
        ({"id": "a", "likes": None, "tags": None}, Note(id="a")),
        ({"id": 7, "likes": "many", "tags": ["x"]}, Note(id="7", tags=("x",))),
        ({"id": "a", "likes": 3, "tags": "x"}, Note(id="a", likes=3)),
        ({"id": "a", "unheard": {}}, Note(id="a")),
    ],
)
def test_a_wrong_value_costs_its_own_field_only(values: dict[str, Any], expected: Note) -> None:
    page = NotePage.model_validate({"notes": [values, {"id": "other"}], "more": None})
    assert page == NotePage(notes=(expected, Note(id="other")))


@pytest.mark.parametrize(
    "values", [{"notes": 7}, {"notes": [{"likes": 1}]}, {"notes": [{"id": []}]}, {"notes": ["a"]}, []]
)
def test_what_cannot_do_without_its_value_is_an_error(values: Any) -> None:
    with pytest.raises(ValidationError):
        NotePage.model_validate(values)


class Board(Payload):
    notes: Entries[Note] = ()
    pinned: Several[Note] = Field(default=(), alias="pinnedNotes")


def test_a_wrong_entry_costs_itself_only() -> None:
    values = [{"id": "a"}, {"likes": 1}, None, "b", {"id": "c"}]
    board = Board.model_validate({"notes": values, "pinnedNotes": values, "unheard": None})
    assert board.notes == board.pinned == (Note(id="a"), Note(id="c"))


@pytest.mark.parametrize("value", [None, "a", 7, {}])
def test_what_is_no_list_has_no_entries(value: Any) -> None:
    assert Board.model_validate({"pinnedNotes": value}).pinned == ()


@pytest.mark.parametrize("value", ["a", 7, {}])
def test_an_envelope_without_its_list_is_an_error(value: Any) -> None:
    with pytest.raises(ValidationError):
        Board.model_validate({"notes": value})


def test_an_envelope_says_what_it_lists() -> None:
    """Some servers write null for an empty list; an answer that does not name it is another answer."""
    assert Listing.model_validate({"notes": None, "next": None}).notes == ()
    assert Listing.model_validate({"notes": []}).notes == ()
    for answer in ({}, {"next": None}, {"notes": "none"}):
        with pytest.raises(ValidationError):
            Listing.model_validate(answer)
