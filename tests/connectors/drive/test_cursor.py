"""Cursors survive the catalog, and those of the release before lead somewhere safe."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from connectors.drive.cursor import (
    ChangesCursor,
    DriveCursor,
    ListingCursor,
    ModifiedCursor,
    RightsCursor,
    parse_cursor,
    parse_rights_cursor,
)
from connectors.drive.walk import WalkPosition

MOMENT = datetime(2026, 3, 1, 12, 30, 15, 123000, tzinfo=UTC)
TEXT = "2026-03-01T12:30:15.123Z"

CURSORS: list[tuple[DriveCursor, dict[str, Any]]] = [
    (
        ListingCursor("7", None, WalkPosition(("a", "b"), MOMENT), True),
        {
            "token": "7",
            "modified": None,
            "listing": {"path": ["a", "b"], "created": TEXT},
            "incomplete": True,
            "restrictions": "",
        },
    ),
    (
        ListingCursor(None, MOMENT, WalkPosition(), restrictions="rules"),
        {
            "token": None,
            "modified": TEXT,
            "listing": {"path": [], "created": None},
            "incomplete": False,
            "restrictions": "rules",
        },
    ),
    (
        ChangesCursor("7", {"key": "print"}, "rules"),
        {"token": "7", "folder_fingerprints": {"key": "print"}, "restrictions": "rules"},
    ),
    (
        ChangesCursor("7", {"key": "print"}, "", {"key": "ends"}),
        {"token": "7", "folder_fingerprints": {"key": "print"}, "restrictions": "", "folder_ends": {"key": "ends"}},
    ),
    (ChangesCursor("7"), {"token": "7", "folder_fingerprints": {}, "restrictions": ""}),
    (ModifiedCursor(MOMENT, ("one", "two")), {"modified": TEXT, "seen": ["one", "two"]}),
    (ModifiedCursor(None), {"modified": None, "seen": []}),
]


@pytest.mark.parametrize(("cursor", "kept"), CURSORS)
def test_a_cursor_is_kept_as_json_and_read_back(cursor: DriveCursor, kept: dict[str, Any]) -> None:
    assert cursor.as_json() == kept
    assert parse_cursor(json.loads(json.dumps(kept))) == cursor


@pytest.mark.parametrize(("cursor", "kept"), [one for one in CURSORS if "restrictions" in one[1]])
def test_a_cursor_of_the_release_before_knows_no_restrictions(cursor: DriveCursor, kept: dict[str, Any]) -> None:
    assert not isinstance(cursor, ModifiedCursor)
    before = {name: value for name, value in kept.items() if name != "restrictions"}
    assert parse_cursor(before) == replace(cursor, restrictions="")


def test_times_are_kept_in_utc() -> None:
    moment = MOMENT.astimezone(timezone(timedelta(hours=2)))
    assert ModifiedCursor(moment).as_json()["modified"] == TEXT


@pytest.mark.parametrize("cursor", [None, {}, {"token": "7", "folders": {"key": "mark"}}])
def test_what_cannot_be_continued_is_read_from_the_beginning(cursor: dict[str, Any] | None) -> None:
    """The third is of a release whose fingerprints of folders cannot be compared with today's."""
    assert parse_cursor(cursor) is None


@pytest.mark.parametrize(
    ("cursor", "kept"),
    [
        (RightsCursor(None), {"rights": None, "untold": []}),
        (RightsCursor(None, frozenset({"b", "a"})), {"rights": None, "untold": ["a", "b"]}),
        *((RightsCursor(position, frozenset({"a"})), {"rights": kept, "untold": ["a"]}) for position, kept in CURSORS),
    ],
)
def test_a_cursor_of_rights_is_kept_as_json_and_read_back(cursor: RightsCursor, kept: dict[str, Any]) -> None:
    assert cursor.as_json() == kept
    assert parse_rights_cursor(json.loads(json.dumps(kept))) == cursor


@pytest.mark.parametrize(("position", "kept"), CURSORS)
def test_rights_are_read_from_where_a_read_would_go_on(position: DriveCursor, kept: dict[str, Any]) -> None:
    """But from the beginning where that is inside of a full read."""
    assert parse_rights_cursor(kept) == RightsCursor(None if isinstance(position, ListingCursor) else position)


@pytest.mark.parametrize("cursor", [None, {}])
def test_rights_that_were_never_read_are_read_from_the_beginning(cursor: dict[str, Any] | None) -> None:
    assert parse_rights_cursor(cursor) == RightsCursor(None)
