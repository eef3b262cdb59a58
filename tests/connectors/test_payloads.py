"""Answers that are odd in a part: what of them is still read."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import pytest
from pydantic import BeforeValidator, Field, ValidationError

from connectors.payloads import Entries, LenientPayload, Listed, Listing, Payload, Several, describe_fault


class Note(LenientPayload):
    id: str = Field(min_length=1)
    likes: int = 0
    tags: tuple[str, ...] = ()


class NotePage(Payload):
    notes: tuple[Note, ...] = ()
    more: bool = False


class NotesAnswer(Payload):
    notes: Listing[Note]
    next: str = ""
    since: Annotated[datetime, BeforeValidator(datetime.fromisoformat)] = datetime.min


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
    """An answer that has no list in its place is another answer; one that names nothing usable names nothing."""
    assert NotesAnswer.model_validate({"notes": [], "next": None}).notes == ()
    assert NotesAnswer.model_validate({"notes": [None, {"id": "a"}]}).notes == (Note(id="a"),)
    for answer in ({}, {"next": None}, {"notes": None}, {"notes": "none"}, {"notes": [None]}, {"notes": [{"id": ""}]}):
        with pytest.raises(ValidationError):
            NotesAnswer.model_validate(answer)


class RowsAnswer(Payload):
    rows: Listed[str] = Field(default=(), alias="rowsOfSheet")


def test_a_list_that_may_be_left_out_is_not_null() -> None:
    assert RowsAnswer.model_validate({}).rows == ()
    assert RowsAnswer.model_validate({"rowsOfSheet": ["a"]}).rows == ("a",)
    with pytest.raises(ValidationError):
        RowsAnswer.model_validate({"rowsOfSheet": None})


def test_a_fault_names_its_field_and_not_what_stands_there() -> None:
    with pytest.raises(ValidationError) as raised:
        NotesAnswer.model_validate({"notes": "a secret", "since": "another secret"})
    assert describe_fault(raised.value) == "notes: Input should be a valid tuple; since: Input is malformed"
