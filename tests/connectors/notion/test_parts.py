"""Parts that Notion refuses, or that fail for ever: the others are read, and what was lacking once it is given."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Literal

import pytest

from connectors.contract import Checkpoint, Cursor, Failed, Item, PartState
from connectors.model import Document, Unit
from connectors.notion import SOURCE
from connectors.notion.settings import NotionConnection
from connectors.notion.source import NotionConnector, connect
from connectors.part_watch import NOTED_AT_MOST
from connectors.units import list_units
from tests.connectors.notion.conftest import without_parts
from tests.emulators.notion import Notion, Refusal, block, under

HOME = Unit("home", "Title home")
PERMISSIONS = {one.name: one.permission for one in SOURCE.parts}
HOW: tuple[Refusal, ...] = ("forbidden", "missing", "down")


@pytest.fixture
def workspace(notion: Notion) -> Notion:
    """home > note, with a comment; home > tasks (database) > row."""
    notion.page_size = 100
    notion.add_page("home")
    notion.add_page("note", under("home"))
    notion.add_database("tasks", under("home"))
    notion.add_page("row", notion.row_parent("tasks-source"))
    notion.remark("note", "Why?", by="u-bob")
    return notion


def read(notion: Notion, connection: NotionConnection, cursor: Cursor | None = None) -> list[Item]:
    """By a connector of its own, as the next process would have it."""
    return list(connect(connection, notion.transport()).read(HOME, cursor))


def cursor_of(items: Iterable[Item]) -> Cursor:
    *_, last = items
    assert isinstance(last, Checkpoint)
    kept: Cursor = json.loads(json.dumps(last.cursor))
    return kept


def statuses(items: Iterable[object]) -> dict[str, Literal["complete", "refused", "failing"]]:
    return {item.part: item.status for item in items if isinstance(item, PartState)}


def texts(items: Iterable[Item]) -> dict[str, str]:
    return {one.id.rpartition("/")[2]: str(one.content) for one in items if isinstance(one, Document)}


def test_all_parts_are_told(workspace: Notion, connection: NotionConnection) -> None:
    assert statuses(read(workspace, connection)) == dict.fromkeys(PERMISSIONS, "complete")


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("part", PERMISSIONS)
def test_a_part_that_is_refused_leaves_the_others_complete(
    workspace: Notion, connection: NotionConnection, part: str, how: Refusal
) -> None:
    before = cursor_of(read(workspace, connection))
    for page in ("note", "row"):
        workspace.edit(page, block("paragraph", "New words"))
    workspace.refuse(part, how)
    items = read(workspace, connection, before)
    found = statuses(items)
    assert found.pop(part, "unasked") == {"rows": "unasked"}.get(part, "failing" if how == "down" else "refused")
    assert set(found.values()) <= {"complete"}
    state = next((item for item in items if isinstance(item, PartState) and item.part == part), None)
    assert state is None or how == "down" or f"grant {PERMISSIONS[part]}" in state.reason
    if part not in ("search", "blocks"):
        assert texts(items)["note"].startswith("New words")
    workspace.allow(part)
    later = read(workspace, connection, cursor_of(items))
    assert [item for item in later if isinstance(item, Failed)] == []
    said = {**texts(items), **texts(later)}
    failed = [item.document_id for item in items if isinstance(item, Failed)]
    fetched = texts(connect(connection, workspace.transport()).fetch(HOME, failed))
    assert {**said, **fetched}["note"] == "New words\n\n## Comments\n\nBob (2026-01-01): Why?"
    assert without_parts(read(workspace, connection, cursor_of(later)))[:-1] == []


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("part", ["comments", "people", "rows"])
def test_a_first_read_is_complete_without_a_part(
    workspace: Notion, connection: NotionConnection, part: str, how: Refusal
) -> None:
    """And reads all of it once it is given: no row is named by search before that."""
    workspace.refuse(part, how)
    workspace.late = {"row"}
    first = read(workspace, connection)
    assert statuses(first)[part] == ("failing" if how == "down" else "refused")
    assert without_parts(first)[-1] == Checkpoint(cursor_of(first), complete=(part, how) != ("rows", "down"))
    assert texts(first).keys() == {"home", "note", "tasks", "row"} - ({"row"} if part == "rows" else set())
    workspace.log.clear()
    again = read(workspace, connection, cursor_of(first))
    assert statuses(again)[part] == statuses(first)[part]
    assert texts(again) == {}
    if how == "forbidden":
        assert len(workspace.log) == 2, "search, and the part"
    workspace.allow(part)
    later = read(workspace, connection, cursor_of(again))
    assert statuses(later)[part] == "complete"
    whole = {**texts(first), **texts(later)}
    assert whole["note"] == "Body note\n\n## Comments\n\nBob (2026-01-01): Why?"
    assert "row" in whole
    assert texts(read(workspace, connection, cursor_of(later))) == {}


def test_what_many_pages_lack_is_read_by_reading_all(workspace: Notion, connection: NotionConnection) -> None:
    for at in range(NOTED_AT_MOST):
        workspace.add_page(f"p{at}", under("home"))
    workspace.refuse("comments", "forbidden")
    first = read(workspace, connection)
    workspace.allow("comments")
    later = read(workspace, connection, cursor_of(first))
    assert texts(later).keys() == texts(first).keys()
    assert "Why?" in texts(later)["note"]
    assert texts(read(workspace, connection, cursor_of(later))) == {}


def test_pages_stay_as_they_were_where_none_may_be_read(workspace: Notion, connection: NotionConnection) -> None:
    """After a few that are refused no more are asked for: what is known of them stays until blocks are given."""
    before = cursor_of(read(workspace, connection))
    for at in range(9):
        workspace.add_page(f"p{at}", under("home"))
    workspace.refuse("blocks", "forbidden")
    workspace.log.clear()
    items = read(workspace, connection, before)
    assert len([path for path in workspace.log if path.startswith("blocks/")]) == 3
    assert texts(items) == {}
    workspace.allow("blocks")
    failed = {item.document_id.rpartition("/")[2] for item in items if isinstance(item, Failed)}
    assert texts(read(workspace, connection, cursor_of(items))).keys() | failed == {f"p{at}" for at in range(9)}


def test_a_first_read_without_blocks_begins_again_once_they_are_given(
    workspace: Notion, connection: NotionConnection
) -> None:
    workspace.late = {"row"}  # so that only a whole read finds it
    for at in range(3):
        workspace.add_page(f"p{at}", under("home"))
    workspace.refuse("blocks", "forbidden")
    first = read(workspace, connection)
    assert first[-1] != Checkpoint(cursor_of(first), complete=True)
    workspace.allow("blocks")
    assert "row" in texts(read(workspace, connection, cursor_of(first)))


@pytest.mark.parametrize("how", HOW)
def test_units_that_search_does_not_name_are_not_taken_for_gone(
    workspace: Notion, connection: NotionConnection, how: Refusal
) -> None:
    connector = connect(connection, workspace.transport())
    cursor = cursor_of(connector.read(HOME))
    workspace.refuse("search", how)
    found, unreadable, gaps = list_units(connector)
    assert (found, unreadable, [gap.covers(HOME) for gap in gaps]) == ([], (), [True])
    assert [gap.is_refused for gap in gaps] == [how != "down"]
    (listed,) = connector.listing(HOME)
    (told, last) = connector.read(HOME, cursor)
    assert listed == told
    assert isinstance(told, PartState)
    assert told.id_prefixes == ("notion:acme-notion/",)
    assert last == Checkpoint(cursor)


@pytest.mark.parametrize(("part", "how"), [("comments", "down"), ("people", "down")])
def test_an_event_is_looked_at_again_where_a_part_of_its_page_fails(
    workspace: Notion, connector: NotionConnector, part: str, how: Refusal
) -> None:
    workspace.refuse(part, how)
    (item, state) = connector.fetch(HOME, ["notion:acme-notion/note"])
    assert isinstance(item, Failed)
    assert item.is_transient
    assert isinstance(state, PartState)
    assert (state.part, state.status) == (part, "failing")


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("part", PERMISSIONS)
def test_check_names_what_is_refused(workspace: Notion, connector: NotionConnector, part: str, how: Refusal) -> None:
    workspace.refuse(part, how)
    wrong = {finding.subject: finding for finding in connector.check() if not finding.ok}
    assert wrong.keys() == {part} | ({"pages"} if part == "search" else set())
    assert wrong[part].lost == next(one.lost for one in SOURCE.parts if one.name == part)
    assert wrong[part].permission == ("" if how == "down" else PERMISSIONS[part])
