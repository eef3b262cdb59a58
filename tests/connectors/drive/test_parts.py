"""Parts that Drive refuses, or that fail for ever: the others are read, and what was lacking once it is given."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from connectors.contract import Checkpoint, Cursor, Deleted, Failed, Item, ListingEntry, PartState
from connectors.drive import SOURCE
from connectors.drive.account import DriveConnector
from connectors.model import Document, Unit
from connectors.part_watch import NOTED_AT_MOST
from connectors.units import list_units
from tests.connectors.drive.conftest import OpenDrive, add_doc, add_folder, add_text, without_parts
from tests.emulators.drive import BASE_URL, GoogleDrive, Refusal, error, permission_id, person

TEAM = Unit("team", "Team")
PARTS = {one.name: one for one in SOURCE.parts}
OF_UNITS = [name for name in PARTS if name != "directory"]
HOW: tuple[Refusal, ...] = ("forbidden", "missing", "down")
TOO_LARGE = b"x" * 10_000_001


@pytest.fixture
def team(drive: GoogleDrive) -> GoogleDrive:
    """A shared drive with a document that has a comment, two texts, and a large spreadsheet."""
    drive.shared_drive("Team", person("lin@acme.test", "commenter"), drive="team")
    add_doc(drive, "plan", "team")
    drive.comment("plan", "Why?")
    for name in ("one", "two"):
        add_text(drive, name, "team")
    exports = {"text/csv": b"Item\ngarnet\n"}
    exports["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"] = TOO_LARGE
    drive.exported("Ledger", "spreadsheet", exports, "team", id="ledger")
    drive.sheets["ledger"] = {"All": [["Item"], ["garnet"], ["opal"]]}
    return drive


def cursor_of(items: Iterable[Item]) -> Cursor:
    *_, last = items
    assert isinstance(last, Checkpoint)
    kept: Cursor = json.loads(json.dumps(last.cursor))
    return kept


def read(connector: DriveConnector, cursor: Cursor | None = None) -> list[Item]:
    return list(connector.read(TEAM, cursor))


def statuses(items: Iterable[object]) -> dict[str, str]:
    return {item.part: item.status for item in items if isinstance(item, PartState)}


def texts(items: Iterable[Item]) -> dict[str, str]:
    return {one.id.rpartition("/")[2]: str(one.content) for one in items if isinstance(one, Document)}


def change(drive: GoogleDrive) -> None:
    drive.edit("plan", "New words.")
    drive.touch("ledger")
    drive.files["one"]["explicitlyTrashed"] = True
    drive.touch("one")


def test_all_parts_are_told(team: GoogleDrive, connector: DriveConnector) -> None:
    assert statuses(read(connector)) == dict.fromkeys(OF_UNITS, "complete")


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("part", OF_UNITS)
def test_a_part_that_is_refused_leaves_the_others_complete(
    team: GoogleDrive, open_drive: OpenDrive, part: str, how: Refusal
) -> None:
    before = cursor_of(read(open_drive()))
    change(team)
    team.refuse(part, how)
    items = read(open_drive(), before)
    found = statuses(items)
    assert found.pop(part) == ("failing" if how == "down" else "refused")
    assert set(found.values()) <= {"complete"}
    state = next(item for item in items if isinstance(item, PartState) and item.part == part)
    assert how == "down" or f"grant {PARTS[part].permission}" in state.reason
    if part in ("content", "permissions", "comments", "sheets"):
        assert Deleted("drive:acme/one") in items
    if part in ("comments", "sheets"):
        assert texts(items)["plan"].startswith("New words.")
    team.allow(part)
    later = read(open_drive(), cursor_of(items))
    failed = [item.document_id for item in items if isinstance(item, Failed)]
    said = texts(items) | texts(later) | texts(open_drive().fetch(TEAM, failed))
    assert said["plan"] == "New words.\n\n## Comments\n\n**Lin:** Why?\n"
    assert "opal" in said["ledger"]
    assert without_parts(read(open_drive(), cursor_of(later)))[:-1] == []


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("part", ["changes", "comments", "sheets"])
def test_a_first_read_is_complete_without_a_part(
    team: GoogleDrive, open_drive: OpenDrive, part: str, how: Refusal
) -> None:
    team.refuse(part, how)
    first = read(open_drive())
    assert statuses(first)[part] == ("failing" if how == "down" else "refused")
    assert isinstance(first[-1], Checkpoint)
    assert first[-1].complete
    assert texts(first).keys() == {"plan", "one", "two", "ledger"}
    again = read(open_drive(), cursor_of(first))
    assert (texts(again), statuses(again)[part]) == ({}, statuses(first)[part])
    team.allow(part)
    later = read(open_drive(), cursor_of(again))
    said = texts(first) | texts(later)
    assert ("Why?" in said["plan"], "opal" in said["ledger"]) == (True, True)
    assert statuses(later)[part] == "complete"
    assert without_parts(read(open_drive(), cursor_of(later)))[:-1] == []


@pytest.mark.parametrize("lost", ["plan", "report"])
def test_comments_of_one_document_that_are_not_found_are_asked_for_again(
    team: GoogleDrive, open_drive: OpenDrive, lost: str
) -> None:
    """Whether those of another one were told before it or after."""
    add_doc(team, "report", "team")
    team.comment("report", "How?")
    team.interrupt = lambda path, query: error(404, "notFound") if path == f"files/{lost}/comments" else None
    first = read(open_drive())
    assert statuses(first)["comments"] == "complete"
    team.forget()
    again = read(open_drive(), cursor_of(first))
    assert (texts(again), sum("comments" in path for path in team.asked_for)) == ({}, 1)
    team.interrupt = lambda path, query: None
    later = read(open_drive(), cursor_of(again))
    (said,) = texts(later).values()
    assert {"plan": "Why?", "report": "How?"}[lost] in said
    assert without_parts(read(open_drive(), cursor_of(later)))[:-1] == []


def test_a_server_with_a_token_and_no_feed_is_not_read_in_full_each_time(
    team: GoogleDrive, open_drive: OpenDrive
) -> None:
    team.interrupt = lambda path, query: error(404, "notFound") if path == "changes" else None
    cursor = cursor_of(read(open_drive()))
    team.edit("plan", "New words.")
    team.forget()
    items = read(open_drive(), cursor)
    assert set(texts(items)) == {"plan"}
    assert team.asked()["files/two"] == team.asked()["files/ledger/export"] == 0
    assert texts(read(open_drive(), cursor_of(items))) == {}


def test_a_feed_that_ends_is_made_up_for_once(team: GoogleDrive, open_drive: OpenDrive) -> None:
    cursor = cursor_of(read(open_drive()))
    team.has_feed = False
    whole = read(open_drive(), cursor)
    assert texts(whole).keys() == {"plan", "one", "two", "ledger"}
    assert texts(read(open_drive(), cursor_of(whole))) == {}


def test_what_many_files_lack_is_read_by_reading_all(team: GoogleDrive, open_drive: OpenDrive) -> None:
    for at in range(NOTED_AT_MOST):
        add_doc(team, f"doc{at}", "team")
    team.refuse("comments", "forbidden")
    first = read(open_drive())
    assert team.asked()["files/plan/comments"] == sum("comments" in path for path in team.asked_for)
    team.allow("comments")
    assert texts(read(open_drive(), cursor_of(first))).keys() == texts(first).keys()


def test_a_first_read_without_contents_stops_and_goes_on_once_they_are_given(
    team: GoogleDrive, open_drive: OpenDrive
) -> None:
    for at in range(20):
        add_text(team, f"text{at}", "team")
    team.refuse("content", "forbidden")
    first = read(open_drive())
    downloads = [path for path in team.asked_for if "/export" in path or "alt=media" in path]
    assert len(downloads) <= 8, "a few are asked for at the same time"
    assert statuses(first)["content"] == "refused"
    team.allow("content")
    assert len(texts(read(open_drive(), cursor_of(first)))) == 24


@pytest.mark.parametrize("how", HOW)
def test_units_are_not_taken_for_gone_where_none_is_listed(
    team: GoogleDrive, open_drive: OpenDrive, how: Refusal
) -> None:
    cursor = cursor_of(read(open_drive()))
    team.refuse("listing", how)
    connector = open_drive()
    found, unreadable, gaps = list_units(connector)
    assert (found, unreadable, [gap.covers(TEAM) for gap in gaps]) == ([], (), [True])
    assert [gap.is_refused for gap in gaps] == [how != "down"]
    (listed,) = connector.listing(TEAM)
    assert isinstance(listed, PartState)
    assert listed.id_prefixes == ("drive:acme/",)
    assert list(connector.read(TEAM, cursor))[-1] == Checkpoint(cursor)


def test_a_listing_tells_of_itself(team: GoogleDrive, connector: DriveConnector) -> None:
    told = list(connector.listing(TEAM))
    assert told[0] == PartState("listing", "complete")
    assert len([one for one in told if isinstance(one, ListingEntry)]) == 4


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("part", PARTS)
def test_check_names_what_is_refused(team: GoogleDrive, open_drive: OpenDrive, part: str, how: Refusal) -> None:
    add_doc(team, "own")
    team.accessed = {"ledger", "plan"}
    team.refuse(part, how)
    wrong = {
        finding.subject: finding
        for finding in open_drive(sheets_url=BASE_URL, directory_url=f"{BASE_URL}/directory").check()
        if not finding.ok
    }
    assert wrong.keys() == {part}
    assert wrong[part].lost == PARTS[part].lost
    assert wrong[part].permission == ("" if how == "down" else PARTS[part].permission)


@pytest.mark.parametrize("how", HOW)
def test_what_is_taken_away_counts_while_nothing_is_listed(
    drive: GoogleDrive, open_drive: OpenDrive, how: Refusal
) -> None:
    """Of a folder of My Drive: a file that is unshared, one that is edited, one in the trash, and all below a folder
    that is unshared; what is in other units stays."""
    bo = person("bo@acme.test")
    for folder in ("mills", "others"):
        add_folder(drive, folder)
    add_folder(drive, "inner", "mills")
    for name, parent in (("shared", "mills"), ("edited", "mills"), ("trashed", "mills"), ("below", "inner")):
        add_doc(drive, name, parent)
    add_doc(drive, "elsewhere", "others")
    for one in ("shared", "edited", "inner"):
        drive.share(one, bo)
    unit, connector = Unit("mills", "mills"), open_drive()
    cursor = cursor_of(connector.read(unit))
    drive.refuse("listing", how)
    for one in ("shared", "inner"):
        drive.unshare(one, permission_id(bo))
    drive.edit("edited", "New words.")
    drive.trash("trashed")
    drive.edit("elsewhere", "New words.")
    items = list(open_drive().read(unit, cursor))
    found = {item.document_id.rpartition("/")[2]: item for item in items if isinstance(item, Deleted | Failed)}
    assert {name: type(item) for name, item in found.items()} == {
        "shared": Failed,
        "edited": Failed,
        "trashed": Deleted,
        "inner": Deleted,
    }
    readers = {name: item.readers for name, item in found.items() if isinstance(item, Failed)}
    assert all(tokens is not None for tokens in readers.values())
    assert "user:bo@acme.test" in (readers["edited"] or ())
    assert "user:bo@acme.test" not in (readers["shared"] or ())
    assert items[-1] == Checkpoint(cursor)
    drive.allow("listing")
    names = {item.id.rpartition("/")[2] for item in open_drive().read(unit, cursor) if isinstance(item, Document)}
    assert names == {"shared", "edited", "below"}


def test_where_nothing_is_exported_content_is_refused_and_one_alone_is_in_trouble_of_its_own(
    team: GoogleDrive, open_drive: OpenDrive
) -> None:
    add_doc(team, "other", "team")
    before = cursor_of(read(open_drive()))
    lost = {"plan", "other"}
    team.interrupt = lambda path, query: (
        error(404, "notFound") if path in {f"files/{one}/export" for one in lost} else None
    )
    for name in lost:
        team.edit(name, "New words.")
    items = read(open_drive(), before)
    (told,) = [item for item in items if isinstance(item, PartState) and item.status != "complete"]
    assert (told.part, told.status, told.id_prefixes) == ("content", "refused", ())
    lost.remove("other")
    items = read(open_drive(), before)
    assert {item.document_id.rpartition("/")[2] for item in items if isinstance(item, Failed)} == lost
    assert set(statuses(items).values()) == {"complete"}
    team.edit("plan", "Newer words.")
    assert "content" not in statuses(read(open_drive(), cursor_of(items))), "nothing else was asked for"
    assert all(finding.ok for finding in open_drive().check())
