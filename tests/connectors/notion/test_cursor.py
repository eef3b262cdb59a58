"""Where a read of a unit continues. Pure: entries and containers in, what is to be read out."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.contract import Cursor
from connectors.notion.cursor import SETTLED, NotionCursor
from connectors.notion.objects import NotionObject, Ref
from connectors.notion.search_listing import OVERLAP, SearchEntry
from connectors.notion.synced_blocks import SyncedCopies
from connectors.part_watch import NOTED_AT_MOST

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
CHILDREN = (Ref("page", "a"), Ref("database", "b"))


def entry(own: str = "p", edited: datetime = NOON) -> SearchEntry:
    return SearchEntry(Ref("page", own), edited)


def resumed(cursor: NotionCursor) -> NotionCursor:
    """As another process reads what the catalog keeps."""
    return NotionCursor.from_json(json.loads(json.dumps(cursor.as_json())))


def read_at(edited: datetime, own: str = "p") -> NotionCursor:
    """A cursor that has read one object, long after its edit."""
    cursor = NotionCursor.from_json(None)
    cursor.record(entry(own, edited), edited + timedelta(days=1))
    cursor.advance(entry(own, edited))
    cursor.whole = False
    return cursor


@pytest.mark.parametrize("cursor", [None, {}])
def test_without_a_cursor_everything_is_read(cursor: Cursor | None) -> None:
    begun = NotionCursor.from_json(cursor)
    assert begun == NotionCursor(whole=True)
    assert begun.is_due(entry())


@pytest.mark.parametrize("since", [None, "", "yesterday", 5])
def test_a_cursor_without_a_time_reads_what_is_listed(since: object) -> None:
    assert NotionCursor.from_json({"since": since, "whole": False}) == NotionCursor(whole=False)
    assert NotionCursor.from_json({"since": since, "whole": True}) == NotionCursor(whole=True)


def test_a_cursor_of_nothing_holds_no_time() -> None:
    names: Cursor = {"since": None, "read": {}, "places": {}, "files": {}, "copies": {}, "originals": {}, "waiting": []}
    empty = names | {"whole": True, "readers": ""}
    assert NotionCursor(whole=True).as_json() == empty


def test_the_names_in_a_cursor_stay() -> None:
    """Cursors that the release before wrote are read by this one."""
    cursor = {
        "since": "2026-03-01T12:00:00+00:00",
        "read": {"p": 1772366400},
        "places": {"home": ["0f1e2d3c", "aaaaaaaabbbbbbbb"]},
        "files": {"home": {"key": "12345678"}},
        "copies": {"home": {"block": "abcdef01"}},
        "originals": {"block": "policies"},
        "waiting": [["data_source", "s"], ["page", "q"]],
        "whole": True,
        "readers": "",
    }
    found = NotionCursor.from_json(cursor)
    assert found == NotionCursor(
        since=NOON,
        read={"p": 1772366400},
        containers={"home": ("0f1e2d3c", "aaaaaaaabbbbbbbb")},
        files={"home": {"key": "12345678"}},
        copies=SyncedCopies({"home": {"block": "abcdef01"}}, {"block": "policies"}),
        pending=[Ref("data_source", "s"), Ref("page", "q")],
        whole=True,
        begin=NOON - OVERLAP,
    )
    assert found.as_json() == cursor
    before = {name: value for name, value in cursor.items() if name not in ("readers", "copies", "originals")}
    assert NotionCursor.from_json(before) == replace(found, copies=SyncedCopies())


def test_with_other_readers_everything_is_read_but_for_files_that_are_as_they_were() -> None:
    found = NotionCursor.from_json({"since": NOON.isoformat(), "files": {"home": {"key": "f"}}, "readers": "a"})
    assert found.for_readers("a") is found
    assert found.for_readers("b") == NotionCursor(whole=True, files={"home": {"key": "f"}}, readers="b")


def test_a_cursor_with_nothing_but_a_time() -> None:
    found = NotionCursor.from_json({"since": NOON.isoformat()})
    assert found == NotionCursor(since=NOON, begin=NOON - OVERLAP)
    nulls = dict.fromkeys(("read", "places", "files", "waiting", "whole"))
    assert NotionCursor.from_json({"since": NOON.isoformat(), **nulls}) == found


def test_what_a_cursor_was_read_from_does_not_change_with_it() -> None:
    kept = {"since": NOON.isoformat(), "read": {"p": 1}, "files": {"home": {"key": "f"}}}
    cursor = NotionCursor.from_json(kept)
    cursor.read.clear()
    cursor.files["home"].clear()
    assert (kept["read"], kept["files"]) == ({"p": 1}, {"home": {"key": "f"}})


@pytest.mark.parametrize(
    ("own", "edited", "is_due"),
    [
        ("p", NOON, False),  # as it was read
        ("p", NOON + MINUTE, True),
        ("p", NOON - MINUTE, True),  # a restored version
        ("q", NOON + MINUTE, True),
        ("q", NOON, True),  # edited in the same minute
        ("q", NOON - OVERLAP, True),  # search may have shown it late
        ("q", NOON - OVERLAP - SECOND, False),
    ],
)
def test_what_is_due(own: str, edited: datetime, is_due: bool) -> None:
    assert resumed(read_at(NOON)).is_due(entry(own, edited)) is is_due


@pytest.mark.parametrize(("asked_after", "is_due"), [(SETTLED, False), (SETTLED - SECOND, True)])
def test_an_edit_within_the_minutes_of_the_read_is_read_again(asked_after: timedelta, is_due: bool) -> None:
    cursor = NotionCursor.from_json(None)
    cursor.record(entry(), NOON + asked_after)
    cursor.advance(entry())
    assert resumed(cursor).is_due(entry()) is is_due


@pytest.mark.parametrize(("age", "is_kept"), [(OVERLAP, True), (OVERLAP + SECOND, False)])
def test_what_was_read_is_kept_as_long_as_it_can_come_again(age: timedelta, is_kept: bool) -> None:
    cursor = read_at(NOON - age, "old")
    cursor.advance(entry("new", NOON))
    assert ("old" in cursor.as_json()["read"]) is is_kept


def test_the_newest_edit_counts_whatever_the_order() -> None:
    cursor = NotionCursor.from_json(None)
    for edited in (NOON, NOON + MINUTE, NOON - MINUTE):
        cursor.advance(entry(edited=edited))
    assert cursor.since == NOON + MINUTE


def test_nothing_passes_an_object_that_is_held_back() -> None:
    cursor = read_at(NOON)
    cursor.held_back = True
    cursor.advance(entry("later", NOON + MINUTE))
    assert cursor.since == NOON
    assert resumed(cursor).held_back is False


def test_all_children_of_a_container_that_is_new_are_read() -> None:
    cursor = read_at(NOON)
    assert cursor.record_container("home", "f1", CHILDREN) == list(CHILDREN)


def test_children_are_read_again_when_what_they_show_of_their_container_has_changed() -> None:
    cursor = read_at(NOON)
    cursor.record_container("home", "f1", CHILDREN)
    assert resumed(cursor).record_container("home", "f1", CHILDREN) == []
    assert resumed(cursor).record_container("home", "f2", CHILDREN) == list(CHILDREN)


def test_only_new_children_are_read_of_a_container_that_is_as_it_was() -> None:
    cursor = read_at(NOON)
    cursor.record_container("home", "f1", CHILDREN)
    new = Ref("page", "c")
    assert cursor.record_container("home", "f1", (CHILDREN[0], new, CHILDREN[1])) == [new]
    assert cursor.record_container("home", "f1", (CHILDREN[0],)) == []
    assert cursor.record_container("home", "f1", CHILDREN) == [CHILDREN[1]]


def test_a_read_of_everything_reads_all_children() -> None:
    cursor = NotionCursor.from_json(None)
    cursor.record_container("home", "f1", CHILDREN)
    assert cursor.record_container("home", "f1", CHILDREN) == list(CHILDREN)


def test_a_container_without_children_is_not_kept() -> None:
    cursor = read_at(NOON)
    cursor.record_container("home", "f1", CHILDREN)
    assert cursor.record_container("home", "f1", ()) == []
    assert cursor.as_json()["places"] == {}
    assert cursor.record_container("home", "f1", CHILDREN) == list(CHILDREN)


def test_a_cursor_grows_by_eight_characters_for_each_child() -> None:
    cursor = read_at(NOON)
    cursor.record_container("home", "f1", CHILDREN)
    fingerprint, children = cursor.as_json()["places"]["home"]
    assert (fingerprint, len(children)) == ("f1", 16)


def test_what_has_moved_away_is_new_with_all_below_it_when_it_comes_back() -> None:
    page, inside, deeper, beside = (Ref("page", own) for own in ("page", "inside", "deeper", "beside"))
    cursor = NotionCursor()
    for above, below in ((page, [inside]), (inside, [deeper]), (beside, [])):
        cursor.record_container(above.id, f"of {above.id}", below)
        cursor.files[above.id] = {"key": "fingerprint"}
    cursor.record_container("top", "of top", [page, beside])
    cursor.files["deeper"] = {"key": "fingerprint"}
    assert cursor.record_container("page", "of page", [inside]) == []
    cursor.forget("page")
    cursor.forget("never here")
    assert (set(cursor.containers), set(cursor.files)) == ({"top"}, {"beside"})
    assert cursor.record_container("page", "of page", [inside]) == [inside]


def test_all_that_was_below_what_has_moved_away_is_forgotten_however_many_containers_that_is() -> None:
    cursor = NotionCursor()
    pages = {own: Ref("page", own) for own in ("top", "left", "right", "below left", "below right")}
    for above, below in (("top", ["left", "right"]), ("left", ["below left"]), ("right", ["below right"])):
        cursor.record_container(above, f"of {above}", [pages[one] for one in below])
    cursor.files = {own: {"key": "fingerprint"} for own in pages}
    cursor.forget("top")
    assert (cursor.containers, cursor.files) == ({}, {})


def test_what_has_moved_away_lacks_nothing_here_any_more() -> None:
    cursor = NotionCursor()
    cursor.note_hidden(Ref("page", "moved"), Ref("page", "inside"))
    cursor.note_hidden(Ref("page", "stays"), Ref("page", "within"))
    cursor.forget("moved")
    assert cursor.hidden == {"page/within": "page/stays"}


def test_what_was_read_here_is_known_as_a_container_a_holder_of_files_a_child_or_a_row() -> None:
    cursor = NotionCursor(files={"with files": {"key": "fingerprint"}})
    cursor.record_container("above", "of above", [Ref("page", "below")])
    cursor.note_row(NotionObject(Ref("page", "row"), "A row", Ref("data_source", "d"), NOON, trashed=False, packed=b""))
    known = {"above", "below", "with files", "row"}
    assert cursor.was_here([*known, "elsewhere"]) == known
    assert cursor.was_here([]) == set()


def test_what_lacks_a_part_is_read_after_what_waits_once_the_part_can_be_had() -> None:
    waiting = Ref("page", "waiting")
    cursor = NotionCursor(pending=[waiting], hidden={"page/inside": "database/d"})
    cursor.lacking.note("comments", "page/a")
    assert cursor.with_lacking("comments").pending == [waiting, Ref("page", "a")]
    assert cursor.with_hidden().pending == [waiting, Ref("page", "a"), Ref("database", "d")]
    assert (cursor.lacking.as_json(), cursor.hidden) == ({}, {})


def test_where_more_lack_a_part_than_were_noted_everything_is_read_but_for_files_that_are_as_they_were() -> None:
    cursor = NotionCursor(since=NOON, files={"p": {"key": "fingerprint"}}, readers="r", pending=[Ref("page", "p")])
    for own in range(NOTED_AT_MOST + 1):
        cursor.lacking.note("comments", f"page/{own}")
    assert cursor.with_lacking("comments") == NotionCursor(whole=True, files=cursor.files, readers="r")
