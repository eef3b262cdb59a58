"""Files of which only who may read them has changed: they come without their content, where that is certain."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

import pytest
from starlette.responses import Response

from connectors.contract import ChangeItem, Checkpoint, ComparesContents, Cursor, LandedContent, PartState, SameContent
from connectors.drive.account import DriveConnector
from connectors.model import PUBLIC, Document, Unit
from tests.connectors.drive.conftest import OpenDrive, add_doc, add_folder, add_text
from tests.emulators.drive import ME, GoogleDrive, anyone, permission_id, person

BO, LIN = person("bo@acme.test"), person("lin@acme.test")
PLANS, TEAM = Unit("plans", "Plans"), Unit("team", "Team")


@dataclass
class Landed:
    """What was read of a unit, as a catalog knows it, and where its read has ended."""

    contents: dict[str, LandedContent] = field(default_factory=dict)
    cursor: Cursor = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def take(self, items: Iterable[ChangeItem]) -> None:
        for item in items:
            if isinstance(item, Document):
                self.contents[item.id] = LandedContent(item.content_key, item.readers)
            elif isinstance(item, Checkpoint):
                self.cursor = item.cursor

    def find(self, ids: Collection[str]) -> Mapping[str, LandedContent]:
        self.asked += ids
        return {one: found for one in ids if (found := self.contents.get(one)) and found.content_key}


def read(connector: DriveConnector, unit: Unit) -> Landed:
    landed = Landed()
    landed.take(connector.read(unit))
    return landed


def changes(connector: DriveConnector, unit: Unit, landed: Landed) -> dict[str, ChangeItem]:
    """What has changed, by the ids of files."""
    found = [
        one
        for one in connector.read_changes(unit, landed.cursor, landed.find)
        if not isinstance(one, Checkpoint | PartState)
    ]
    return {
        (one.id if isinstance(one, Document) else one.document_id).removeprefix("drive:acme/"): one for one in found
    }


def contents_asked_for(drive: GoogleDrive) -> list[str]:
    return [path for path in drive.asked_for if "alt=media" in path or "/export" in path]


@pytest.fixture
def plans(drive: GoogleDrive) -> GoogleDrive:
    """A folder in My Drive with three uploads, one of them deeper; a document of Google's; a shared drive with one."""
    add_folder(drive, "plans")
    add_folder(drive, "deep", "plans")
    for file, folder in (("one", "plans"), ("two", "plans"), ("three", "deep")):
        add_text(drive, file, folder, f"Words of {file}.".encode())
    add_doc(drive, "doc", "plans")
    drive.shared_drive("Team", drive="team")
    add_folder(drive, "wheels", "team")
    add_folder(drive, "spare", "wheels")
    drive.share("wheels", LIN)  # who may not know the drive's name, so that it is shown to nobody
    for file in ("axle", "wheel"):
        add_text(drive, file, "wheels", f"Words of {file}.".encode())
    return drive


def test_uploads_of_a_folder_that_is_shared_come_without_their_content(
    plans: GoogleDrive, connector: DriveConnector
) -> None:
    landed = read(connector, PLANS)
    plans.share("plans", BO)
    plans.forget()
    found = changes(connector, PLANS, landed)
    assert contents_asked_for(plans) == ["files/doc/export?mimeType=text%2Fmarkdown"]
    full = {one.id: one for one in connector.read(PLANS) if isinstance(one, Document)}
    assert set(found) == {"one", "two", "three", "doc"}
    for file in ("one", "two", "three"):
        now = full[f"drive:acme/{file}"]
        assert now.readers == ("user:ada@acme.test", "user:bo@acme.test")
        parents = tuple(one.id for one in now.parents)
        assert found[file] == SameContent(now.id, now.content_key, now.readers, (), parents, now.fingerprint)
    assert isinstance(found["doc"], Document)


def test_uploads_of_a_folder_that_is_shared_no_more_come_without_their_content(
    plans: GoogleDrive, connector: DriveConnector
) -> None:
    granted = plans.share("plans", BO)
    landed = read(connector, PLANS)
    plans.unshare("plans", granted)
    found = changes(connector, PLANS, landed)
    for file in ("one", "two", "three"):
        one = found[file]
        assert isinstance(one, SameContent)
        assert one.readers == ("user:ada@acme.test",)


def edit_in_secret(drive: GoogleDrive) -> None:
    """As programs do that set times."""
    drive.content["one"] = b"Other words.."
    drive.touch("one")


CHANGES: dict[str, Callable[[GoogleDrive], object]] = {
    "edited": lambda drive: drive.edit("one", "Other words."),
    "edited, as of the same time": edit_in_secret,
    "renamed": lambda drive: drive.rename("one", "Another name"),
    "moved": lambda drive: drive.move("one", "deep"),
    "in a folder that was renamed": lambda drive: drive.rename("plans", "Other plans"),
    "of another type": lambda drive: drive.touch("one", mimeType="text/markdown"),
    "dated otherwise": lambda drive: drive.touch("one", modifiedTime="2026-02-01T00:00:00.000Z"),
    "shared without its folder, whose name it shows": lambda drive: drive.share("one", LIN),
    "of an unknown sum": lambda drive: drive.touch("one", md5Checksum=None),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_shows_something_else_is_read(plans: GoogleDrive, connector: DriveConnector, name: str) -> None:
    landed = read(connector, PLANS)
    CHANGES[name](plans)
    plans.share("plans", BO)
    now = changes(connector, PLANS, landed)["one"]
    [expected] = [one for one in connector.read(PLANS) if isinstance(one, Document) and one.id == "drive:acme/one"]
    assert now == expected


def test_a_shortcut_and_a_document_of_googles_have_no_key(plans: GoogleDrive, connector: DriveConnector) -> None:
    add_text(plans, "far", None)
    plans.unshare("far", permission_id(person(ME)))
    plans.share("far", anyone())
    plans.shortcut("Link", "far", "plans", id="link")
    keys = {
        one.id.removeprefix("drive:acme/"): one.content_key
        for one in connector.read(PLANS)
        if isinstance(one, Document)
    }
    assert {one for one, key in keys.items() if not key} == {"doc", "link"}
    assert len(set(keys.values())) == 4


def test_bytes_that_are_not_those_of_the_metadata_have_no_key_of_theirs(
    plans: GoogleDrive, connector: DriveConnector
) -> None:
    """A file that is edited between, and back again after: the text in between is not that of its sum."""
    before = plans.content["one"]

    def edit_for_a_moment(path: str, query: dict[str, str]) -> Response | None:
        if path == "files/one":
            plans.content["one"] = b"For a moment."
        return None

    plans.interrupt = edit_for_a_moment
    landed = read(connector, PLANS)
    plans.interrupt = lambda path, query: None
    plans.content["one"] = before
    plans.share("plans", BO)
    now = changes(connector, PLANS, landed)["one"]
    assert isinstance(now, Document)
    assert now.content == "Words of one."


def test_a_shared_drive_is_asked_for_metadata_once_more_where_it_lets_somebody_in(
    plans: GoogleDrive, connector: DriveConnector
) -> None:
    landed = read(connector, TEAM)
    granted = plans.share("wheels", BO)
    plans.forget()
    assert {type(one) for one in changes(connector, TEAM, landed).values()} == {SameContent}
    assert contents_asked_for(plans) == []
    assert (plans.asked()["files/axle"], plans.asked()["files/axle/permissions"]) == (1, 1)
    landed = read(connector, TEAM)
    plans.unshare("wheels", granted)
    plans.forget()
    assert {type(one) for one in changes(connector, TEAM, landed).values()} == {SameContent}
    assert (plans.asked()["files/axle"], plans.asked()["files/axle/permissions"]) == (0, 1)


def edit(drive: GoogleDrive) -> None:
    drive.edit("axle", "Other words...")


def trash(drive: GoogleDrive) -> None:
    drive.trash("axle")


def rename(drive: GoogleDrive) -> None:
    drive.rename("axle", "Another axle")


def move(drive: GoogleDrive) -> None:
    """Below a folder of the same drive, so that it is another document by where it lies alone."""
    drive.move("axle", "spare")


@pytest.mark.parametrize("change", [edit, trash, rename, move])
def test_what_changes_in_a_shared_drive_before_its_permissions_are_told_is_not_the_same(
    plans: GoogleDrive, connector: DriveConnector, change: Callable[[GoogleDrive], None]
) -> None:
    """Its metadata were told before: by them it is as it was."""
    landed = read(connector, TEAM)
    plans.touch("axle")

    def change_and_share(path: str, query: dict[str, str]) -> Response | None:
        if path == "files/axle/permissions":
            plans.interrupt = lambda path, query: None
            change(plans)
            plans.share("wheels", BO)
        return None

    plans.interrupt = change_and_share
    now = changes(connector, TEAM, landed)["axle"]
    assert isinstance(now, Document)
    assert now.content == plans.content["axle"].decode()
    assert "user:bo@acme.test" in now.readers


def test_a_file_that_everybody_may_read_already_lets_nobody_in(plans: GoogleDrive, connector: DriveConnector) -> None:
    landed = read(connector, TEAM)
    landed.contents = {one: LandedContent(found.content_key, (PUBLIC,)) for one, found in landed.contents.items()}
    plans.share("wheels", BO)
    plans.forget()
    assert {type(one) for one in changes(connector, TEAM, landed).values()} == {SameContent}
    assert plans.asked()["files/axle"] == 0


def test_what_a_drive_restricts_is_read_without_contents(plans: GoogleDrive, connector: DriveConnector) -> None:
    landed = read(connector, TEAM)
    plans.restrict_drive("team", driveMembersOnly=True)
    list(connector.units())
    plans.forget()
    assert {type(one) for one in changes(connector, TEAM, landed).values()} == {SameContent}
    assert contents_asked_for(plans) == []


def test_what_is_read_anew_for_its_cursor_comes_without_contents(plans: GoogleDrive, connector: DriveConnector) -> None:
    landed = read(connector, PLANS)
    plans.forget_changes()
    plans.forget()
    *items, last = connector.read_changes(PLANS, landed.cursor, landed.find)
    assert contents_asked_for(plans) == ["files/doc/export?mimeType=text%2Fmarkdown"]
    assert isinstance(last, Checkpoint)
    assert last.complete
    assert sum(isinstance(one, SameContent) for one in items) == 3


def test_a_read_of_everything_that_was_interrupted_reads_all_that_is_left(
    plans: GoogleDrive, open_drive: OpenDrive
) -> None:
    plans.page_size = 1
    landed = read(open_drive(), PLANS)
    first = next(one for one in open_drive().read(PLANS) if isinstance(one, Checkpoint))
    landed.cursor = first.cursor
    found = changes(open_drive(), PLANS, landed)
    assert len(found) > 1
    assert {type(one) for one in found.values()} == {Document}
    assert landed.asked == []


def test_one_account_and_many_compare_contents(connector: DriveConnector) -> None:
    assert isinstance(connector, ComparesContents)
