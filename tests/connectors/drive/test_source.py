"""Units, full reads, changes, and restarts, on a Drive in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.responses import JSONResponse, Response

from connectors.contract import Checkpoint, Cursor, Deleted, Failed, Item, PartState, Skipped, Window
from connectors.drive.account import DriveConnector
from connectors.drive.settings import DriveConnection
from connectors.errors import NotFound, UnreadableUnits
from connectors.model import Document, Parent, Unit
from tests.connectors.drive.conftest import OpenDrive, add_doc, add_folder, new_drive
from tests.emulators.drive import (
    ME,
    GoogleDrive,
    anyone,
    described,
    group,
    permission_id,
    person,
    transport,
)
from tests.emulators.drive import ROOT as MY_DRIVE

ROOT = Unit("root", "My Drive")


def named(items: Iterable[Item]) -> list[str]:
    """Ids without their prefix, by what became of them: `gone -file`, `skipped ~file`, `failed !file`."""
    marks = {Document: "", Deleted: "-", Skipped: "~", Failed: "!"}
    found = []
    for item in items:
        if not isinstance(item, Checkpoint | PartState):
            document_id = item.id if isinstance(item, Document) else item.document_id
            found.append(marks[type(item)] + document_id.removeprefix("drive:acme/"))
    return found


def read(connector: DriveConnector, unit: Unit, cursor: Cursor | None = None) -> tuple[list[Item], Cursor]:
    *items, last = connector.read(unit, cursor)
    assert isinstance(last, Checkpoint)
    return items, last.cursor


def open_by_link(drive: GoogleDrive, file: str) -> None:
    """To whoever has it, and the account is told of it by nobody else."""
    drive.unshare(file, permission_id(person(ME)))
    drive.share(file, anyone())


def document(items: Iterable[Item], file_id: str) -> Document:
    [found] = [item for item in items if isinstance(item, Document) and item.id == f"drive:acme/{file_id}"]
    return found


@pytest.fixture
def filled(drive: GoogleDrive) -> GoogleDrive:
    """Two top folders, one of them deep; a shared drive; loose, orphaned and shared files; things in the trash."""
    drive.shared_drive("Team", drive="team")
    add_folder(drive, "plans")
    add_folder(drive, "plans-b", "plans")
    add_folder(drive, "plans-a", "plans")
    add_folder(drive, "deep", "plans-a")
    add_folder(drive, "shared-folder", "not-visible")
    add_folder(drive, "shared-below", "shared-folder")
    add_folder(drive, "team-folder", "team")
    add_doc(drive, "loose")
    add_doc(drive, "orphan", "gone-parent")
    add_doc(drive, "shared-with-me", None)
    add_doc(drive, "plan", "plans")
    add_doc(drive, "plan-a", "plans-a")
    add_doc(drive, "plan-b", "plans-b")
    add_doc(drive, "plan-deep", "deep")
    add_doc(drive, "theirs", "shared-below")
    add_doc(drive, "team-top", "team")
    add_doc(drive, "team-deep", "team-folder")
    drive.trash(add_doc(drive, "trashed", "plans"))
    drive.upload("Picture", b"\x89PNG", "image/png", "plans", id="picture")
    drive.accessed |= {"team-folder", "team-top", "team-deep"}
    return drive


EXPECTED = {
    "root": ["loose", "orphan", "shared-with-me"],
    "plans": ["plan", "plan-a", "plan-b", "plan-deep", "~picture"],
    "shared-folder": ["theirs"],
    "team": ["team-deep", "team-top"],
}


def test_every_visible_file_is_in_exactly_one_unit(filled: GoogleDrive, connector: DriveConnector) -> None:
    found = {unit.id: sorted(named(connector.read(unit))) for unit in connector.units()}
    assert found == EXPECTED


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"include": ("Team",)}, ["team"]),
        ({"include": ("Name of *",)}, ["plans", "shared-folder"]),
        ({"exclude": ("root", "team")}, ["plans", "shared-folder"]),
    ],
)
def test_patterns_choose_units(
    filled: GoogleDrive, open_drive: OpenDrive, settings: dict[str, Any], expected: list[str]
) -> None:
    assert [unit.id for unit in open_drive(**settings).units()] == expected


def test_a_document_carries_all_that_a_reader_needs(filled: GoogleDrive, connector: DriveConnector) -> None:
    items, _ = read(connector, Unit("plans", ""))
    found = document(items, "plan-deep")
    assert (found.source, found.connection, found.unit, found.kind) == ("drive", "acme", "plans", "document")
    assert (found.title, found.url) == ("Name of plan-deep", "https://docs.test/plan-deep")
    assert (found.content, found.content_type) == ("Words.", "text/markdown")
    assert found.author == "Ada"
    assert found.created_at is not None
    assert found.readers == ("user:ada@acme.test",)
    assert found.parents == (
        Parent(f"drive:acme/{MY_DRIVE}", "My Drive"),
        Parent("drive:acme/plans", "Name of plans"),
        Parent("drive:acme/plans-a", "Name of plans-a"),
        Parent("drive:acme/deep", "Name of deep"),
    )


def test_files_of_shared_drives_tell_their_readers_when_asked(filled: GoogleDrive, connector: DriveConnector) -> None:
    team = filled.share("team-deep", group("Team@acme.test", "fileOrganizer"))
    items, _ = read(connector, Unit("team", "Team"))
    found = document(items, "team-deep")
    assert (found.readers, found.author) == ((f"group:acme:{team}", f"user:{ME}"), "Lin")
    # The group may open this file alone: what the folders above it are called is not for it.
    assert found.parents == (Parent("drive:acme/team", ""), Parent("drive:acme/team-folder", ""))


def test_a_full_read_is_a_complete_listing(filled: GoogleDrive, connector: DriveConnector) -> None:
    for unit in connector.units():
        *earlier, last = connector.read(unit)
        assert isinstance(last, Checkpoint)
        assert last.complete
        assert not any(isinstance(item, Checkpoint) and item.complete for item in earlier)


@pytest.mark.parametrize("unit", ["root", "plans", "team"])
def test_an_incomplete_search_is_no_complete_listing(filled: GoogleDrive, connector: DriveConnector, unit: str) -> None:
    def answer_incompletely(path: str, query: dict[str, str]) -> Response | None:
        if path == "files" and "mimeType = " not in query["q"]:
            more = {} if "pageToken" in query else {"incompleteSearch": True, "nextPageToken": "1"}
            return JSONResponse({"files": [], **more})
        return None

    filled.interrupt = answer_incompletely
    assert [item.complete for item in connector.read(Unit(unit, "")) if isinstance(item, Checkpoint)][-1] is False


@pytest.mark.parametrize("has_feed", [True, False])
def test_nothing_new_costs_one_request_for_each_feed_or_unit(
    filled: GoogleDrive, connector: DriveConnector, has_feed: bool
) -> None:
    """Units of the account share its feed, and a shared drive has one of its own."""
    filled.has_feed = has_feed
    cursors = {unit: read(connector, unit)[1] for unit in connector.units()}
    costs = []
    for unit, cursor in cursors.items():
        before = connector.requests
        items, again = read(connector, unit, cursor)
        assert (named(items), again) == ([], cursor)
        costs.append(connector.requests - before)
    units, drives = len(cursors), len(filled.drives)
    assert 0 < drives < units - 1
    assert sum(costs) == (drives + 1 if has_feed else units)


def test_what_has_changed_is_asked_for_once_and_told_to_each_unit(
    drive: GoogleDrive, connector: DriveConnector
) -> None:
    asked = []
    drive.interrupt = lambda path, query: asked.append(query) if path == "changes" else None
    units = [Unit(add_folder(drive, name), name) for name in ("first", "second")]
    list(connector.units())
    cursors = [read(connector, unit)[1] for unit in units]
    cursors = [read(connector, unit, cursors[1])[1] for unit in units]
    for text in ("new", "edited"):
        for unit in units:
            add_doc(drive, f"in-{unit.id}", unit.id, text=text)
        list(connector.units())
        asked.clear()
        found = [read(connector, unit, cursor) for unit, cursor in zip(units, cursors, strict=True)]
        assert [named(items) for items, _ in found] == [["in-first"], ["in-second"]]
        cursors = [cursor for _, cursor in found]
        assert len(asked) == 1
    add_doc(drive, "later", "second")
    again = read(connector, units[1], cursors[1])
    assert named(again[0]) == ["later"], "a unit that asks for the second time is told what is so now"


@pytest.mark.parametrize("page_size", [1, 2, 3])
@pytest.mark.parametrize("unit", ["root", "plans", "team"])
def test_a_killed_read_continues_from_any_checkpoint(
    filled: GoogleDrive, open_drive: OpenDrive, unit: str, page_size: int
) -> None:
    filled.page_size = page_size
    items = list(open_drive().read(Unit(unit, "")))
    places = [index for index, item in enumerate(items) if isinstance(item, Checkpoint)]
    assert len(places) > 2
    for place in places:
        checkpoint = items[place]
        assert isinstance(checkpoint, Checkpoint)
        rest = list(open_drive().read(Unit(unit, ""), checkpoint.cursor))
        assert sorted({*named(items[:place]), *named(rest)}) == EXPECTED[unit]
        assert not any(isinstance(item, Checkpoint) and item.complete for item in rest)


def test_a_continued_read_does_not_begin_again(filled: GoogleDrive, open_drive: OpenDrive) -> None:
    items = list(open_drive().read(Unit("plans", "")))
    checkpoints = [item for item in items if isinstance(item, Checkpoint)]
    rest, _ = read(open_drive(), Unit("plans", ""), checkpoints[-2].cursor)
    assert len(named(rest)) < len(EXPECTED["plans"])


@pytest.mark.parametrize(("sorts", "hours"), [(False, (1, 9, 5, 6, 7, 8, 2)), (True, (1, 1, 1, 1, 2, 2, 2))])
def test_a_listing_is_continued_without_a_gap(
    drive: GoogleDrive, open_drive: OpenDrive, sorts: bool, hours: tuple[int, ...]
) -> None:
    """Drive gives up sorting for accounts with about a million files; and several may be made at one moment."""
    drive.page_size, drive.sorts = 3, sorts
    for number, hour in enumerate(hours):
        add_doc(drive, f"file{number}", createdTime=f"2026-02-01T{hour:02}:00:00.000Z")
    items = list(open_drive().read(ROOT))
    for place, item in enumerate(items):
        if isinstance(item, Checkpoint):
            rest = open_drive().read(ROOT, item.cursor)
            assert len({*named(items[:place]), *named(rest)}) == 7


def test_what_changes_during_a_listing_is_read_afterwards(filled: GoogleDrive, connector: DriveConnector) -> None:
    reading = connector.read(ROOT)
    next(reading)
    filled.edit("loose", "Other words.")
    *_, last = reading
    assert isinstance(last, Checkpoint)
    items, _ = read(connector, ROOT, last.cursor)
    assert document(items, "loose").content == "Other words."


Change = Callable[[GoogleDrive], object]


def edit_twice(drive: GoogleDrive) -> None:
    drive.edit("plan", "New.")
    drive.edit("plan", "Newer.")


CHANGES: dict[str, tuple[Change, dict[str, list[str]]]] = {
    "an edit": (lambda d: d.edit("plan", "New."), {"plans": ["plan"]}),
    "two edits": (edit_twice, {"plans": ["plan"]}),
    "a new file": (lambda d: add_doc(d, "new", "deep"), {"plans": ["new"]}),
    "the trash": (lambda d: d.trash("plan"), {"plans": ["-plan"]}),
    "permissions": (lambda d: d.share("plan", person("bob@acme.test")), {"plans": ["plan"]}),
    "a rename": (lambda d: d.rename("plan", "New"), {"plans": ["plan"]}),
    "removal": (lambda d: d.delete("team-top"), {"team": ["-team-top"]}),
    "a move to another unit": (lambda d: d.move("plan", "shared-below"), {"shared-folder": ["plan"]}),
    "a move out of all folders": (lambda d: d.move("plan", MY_DRIVE), {"root": ["plan"]}),
    "a move to a shared drive": (lambda d: d.move("plan", "team"), {"team": ["plan"]}),
    "a folder touched": (lambda d: d.touch("plans-a", modifiedTime="2026-06-01T00:00:00.000Z"), {}),
    "a folder renamed": (lambda d: d.rename("plans-a", "New"), {"plans": ["plan-a", "plan-deep"]}),
    "a folder shared": (lambda d: d.share("plans-a", person("bob@acme.test")), {"plans": ["plan-a", "plan-deep"]}),
    "a folder moved inside": (lambda d: d.move("deep", "plans-b"), {"plans": ["plan-deep"]}),
    "a folder moved away": (lambda d: d.move("deep", "shared-folder"), {"shared-folder": ["plan-deep"]}),
    "a team folder renamed": (lambda d: d.rename("team-folder", "New"), {"team": ["team-deep"]}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_changes_reach_the_units_that_they_concern(filled: GoogleDrive, open_drive: OpenDrive, name: str) -> None:
    change, expected = CHANGES[name]
    connector = open_drive()
    cursors = {unit: read(connector, unit)[1] for unit in connector.units()}
    change(filled)
    connector = open_drive()
    found = {unit.id: sorted(set(named(read(connector, unit, cursor)[0]))) for unit, cursor in cursors.items()}
    gone = {entry for entries in expected.values() for entry in entries if entry.startswith("-")}
    assert {unit: [one for one in names if one not in gone] for unit, names in found.items()} == {
        unit: [one for one in expected.get(unit, []) if one not in gone] for unit in found
    }
    assert all(gone.intersection(found[unit]) for unit, entries in expected.items() if gone.intersection(entries))


def test_a_trashed_folder_takes_its_files_along(filled: GoogleDrive, connector: DriveConnector) -> None:
    unit = Unit("plans", "")
    _, cursor = read(connector, unit)
    filled.trash("deep")
    items, cursor = read(connector, unit, cursor)
    assert named(items) == ["-plan-deep"]
    filled.untrash("deep")
    items, _ = read(connector, unit, cursor)
    assert named(items) == ["plan-deep"], "restored"


def test_a_folder_of_a_shared_drive_is_read_below_once_for_each_end(
    drive: GoogleDrive, connector: DriveConnector
) -> None:
    team = Unit(drive.shared_drive("Team", person(ME, "organizer")), "Team")
    folder = drive.folder("Plans", team.id)
    file = drive.doc("Plan", "Bake.", folder)
    _, cursor = read(connector, team)
    seen = []
    for share in ({}, {"expirationTime": "2030-01-01T00:00:00Z"}, None, {"expirationTime": "2029-01-01T00:00:00Z"}, {}):
        drive.share(folder, person("bob@acme.test", **share)) if share is not None else drive.touch(folder)
        items, cursor = read(connector, team, cursor)
        seen.append(named(items))
    assert seen[1:] == [[file], [], [file], [file]], "set, touched, brought forward, taken away"


def test_a_file_moved_to_a_unit_that_is_left_out_is_deleted(filled: GoogleDrive, open_drive: OpenDrive) -> None:
    connector = open_drive(exclude=("team",))
    _, cursor = read(connector, Unit("plans", ""))
    filled.move("plan", "team")
    filled.move("deep", "team")
    items, _ = read(connector, Unit("plans", ""), cursor)
    assert sorted(set(named(items))) == ["-plan", "-plan-deep"]


def test_pages_of_changes_are_checkpoints(filled: GoogleDrive, open_drive: OpenDrive) -> None:
    unit = Unit("plans", "")
    _, cursor = read(open_drive(), unit)
    for number in range(5):
        add_doc(filled, f"new{number}", "plans")
    filled.page_size = 2
    items = list(open_drive().read(unit, cursor))
    assert named(items) == [f"new{number}" for number in range(5)]
    for place, item in enumerate(items):
        if isinstance(item, Checkpoint):
            rest = open_drive().read(unit, item.cursor)
            assert named(items[:place]) + named(rest) == named(items)


def test_a_refused_cursor_leads_to_a_full_read(filled: GoogleDrive, connector: DriveConnector) -> None:
    items, _ = read(connector, Unit("plans", ""), {"token": "stale", "folder_fingerprints": {}})
    assert sorted(named(items)) == EXPECTED["plans"]


def test_without_a_feed_edits_are_found_by_time(filled: GoogleDrive, open_drive: OpenDrive) -> None:
    filled.has_feed = False
    cursors = {unit: read(open_drive(), unit)[1] for unit in open_drive().units()}
    filled.edit("plan", "New.")
    found = {unit.id: named(read(open_drive(), unit, cursor)[0]) for unit, cursor in cursors.items()}
    assert found == {"team": [], "plans": ["plan"], "shared-folder": [], "root": []}


def test_without_a_feed_a_server_that_ignores_the_query_does_no_harm(
    filled: GoogleDrive, connector: DriveConnector
) -> None:
    filled.has_feed = False
    _, cursor = read(connector, ROOT)
    filled.edit("loose", "New.")
    filled.trash(add_doc(filled, "binned"))

    def answer_everything(path: str, query: dict[str, str]) -> Response | None:
        if "modifiedTime" not in query.get("q", ""):
            return None
        return JSONResponse({"files": [described(filled, file) for file in filled.files]})

    filled.interrupt = answer_everything
    items, cursor = read(connector, ROOT, cursor)
    assert named(items) == ["loose"]
    assert named(read(connector, ROOT, cursor)[0]) == []


@pytest.mark.parametrize("unit", ["root", "plans", "team"])
def test_a_window_is_by_modification_and_claims_nothing(
    filled: GoogleDrive, connector: DriveConnector, unit: str
) -> None:
    times = [datetime.fromisoformat(filled.files[one]["modifiedTime"]) for one in ("plan", "team-top")]
    window = Window(*times)
    *items, last = connector.read(Unit(unit, ""), None, window)
    expected = {"root": [], "plans": ["plan", "plan-a", "plan-b", "plan-deep"], "team": []}
    assert sorted(named(items)) == expected[unit]
    assert isinstance(last, Checkpoint)
    assert not last.complete


def test_fetch_looks_again(filled: GoogleDrive, connector: DriveConnector) -> None:
    filled.trash("plan-a")
    asked = [f"drive:acme/{one}" for one in ("plan", "plan-a", "nowhere", "picture", "deep", "team-top")]
    items = list(connector.fetch(Unit("plans", ""), asked))
    assert sorted(named(items)) == ["-deep", "-nowhere", "-plan-a", "plan", "team-top", "~picture"]
    assert document(items, "team-top").unit == "team"


def test_shortcuts_count_nothing_twice(filled: GoogleDrive, connector: DriveConnector) -> None:
    open_by_link(filled, add_doc(filled, "by-link", None))
    for target in ("plan", "by-link", "nowhere", "deep", "shared-with-me"):
        filled.shortcut(f"To {target}", target, id=f"to-{target}")
    items, _ = read(connector, ROOT)
    expected = ["~to-plan", "to-by-link", "~to-nowhere", "~to-deep", "~to-shared-with-me"]
    assert [one for one in named(items) if "to-" in one] == expected
    assert document(items, "to-by-link").title == "Name of by-link"


def test_folders_in_a_circle_end(drive: GoogleDrive, connector: DriveConnector) -> None:
    add_folder(drive, "one", "two")
    add_folder(drive, "two", "one")
    add_doc(drive, "inside", "two")
    found = [name for unit in connector.units() for name in named(connector.read(unit))]
    assert found == ["inside"]


def test_a_file_in_a_folder_that_only_its_link_opens_is_not_lost(drive: GoogleDrive, connector: DriveConnector) -> None:
    open_by_link(drive, add_folder(drive, "by-link", None))
    drive.share(add_doc(drive, "inside", "by-link"), person(ME))
    assert {unit.id: named(connector.read(unit)) for unit in connector.units()} == {"root": ["inside"]}


NAMES = ["a", "b", "c", "d"]
PARENTS = st.sampled_from([*NAMES, MY_DRIVE, "root", "hidden", "team", None])


@settings(max_examples=60, deadline=None)
@given(
    folders=st.lists(PARENTS, min_size=4, max_size=4),
    files=st.lists(PARENTS, max_size=6),
    page_size=st.integers(1, 3),
    has_feed=st.booleans(),
)
def test_any_tree_comes_out_whole_and_once(
    connection: DriveConnection,
    folders: list[str | None],
    files: list[str | None],
    page_size: int,
    has_feed: bool,
) -> None:
    """Whatever the parents: circles, parents that nobody sees, the root by either of its names."""
    drive = new_drive()
    drive.shared_drive("Team", drive="team")
    drive.page_size, drive.has_feed = page_size, has_feed
    for name, parent in zip(NAMES, folders, strict=True):
        add_folder(drive, name, parent)
    in_team = {"team"}
    for _ in NAMES:
        in_team |= {name for name, parent in zip(NAMES, folders, strict=True) if parent in in_team}
    for name in in_team - {"team"}:
        drive.files[name]["driveId"] = "team"
    expected = [add_doc(drive, f"file{number}", parent) for number, parent in enumerate(files)]
    drive.accessed.update(drive.files)
    connector = DriveConnector(connection, transport(drive))
    units = list(connector.units())
    assert sorted(name for unit in units for name in named(connector.read(unit))) == expected
    connector.close()


def test_a_unit_that_is_gone_is_an_error(drive: GoogleDrive, connector: DriveConnector) -> None:
    with pytest.raises(NotFound):
        list(connector.read(Unit("nowhere", "")))


def test_a_page_token_that_repeats_ends_the_read(filled: GoogleDrive, connector: DriveConnector) -> None:
    same = JSONResponse({"files": [], "nextPageToken": "same"})
    filled.interrupt = lambda path, query: same if path == "files" else None
    with pytest.raises(UnreadableUnits, match="pagination loop"):
        list(connector.units())


def test_check_tells_who_it_is_and_what_it_reaches(filled: GoogleDrive, connector: DriveConnector) -> None:
    findings = connector.check()
    assert [(one.subject, one.ok) for one in findings] == [
        ("credentials", True),
        ("listing", True),
        ("content", True),
        ("permissions", True),
        ("comments", True),
        ("changes", True),
        ("sheets", True),
        ("directory", True),
    ]
    assert "reader@acme.test" in findings[0].detail
    assert findings[1].detail == "1 shared drives, 2 top-level folders"


def test_check_warns_where_permissions_are_hidden(drive: GoogleDrive, connector: DriveConnector) -> None:
    add_doc(drive, "hidden", canShare=False)
    [finding] = [one for one in connector.check() if not one.ok]
    assert (finding.subject, finding.detail) == ("permissions", "1 of 1 files hide who may read them")
    assert "editor" in finding.permission


def test_check_names_a_wrong_token_without_showing_it(open_drive: OpenDrive) -> None:
    [finding] = open_drive(token=SecretStr("wrong-one")).check()
    assert not finding.ok
    assert "wrong-one" not in finding.detail


def test_memberships_are_not_drives_to_tell(connector: DriveConnector) -> None:
    assert list(connector.memberships()) == []
    assert connector.requests == 0
