"""What Drive answers at its edges, and what other servers answer in its place: nulls, odd fields, parts that lack."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import stamina
from starlette.responses import HTMLResponse, JSONResponse, Response

from connectors.contract import Checkpoint, Deleted, Failed, Item, PartState
from connectors.drive.account import DriveConnector
from connectors.drive.payloads import ChangePage, DriveCommentPage, FilePage
from connectors.errors import RateLimited, Unavailable
from connectors.media import CSV, XLSX
from connectors.model import Document, Unit
from tests.connectors.drive.conftest import add_doc, add_folder, add_text
from tests.emulators.drive import GoogleDrive, broken_gateway, described, error

ROOT = Unit("root", "My Drive")
TEAM = Unit("team", "Team")
UNAVAILABLE = Response(status_code=503)
PAGE = b"<html><title>Sign in to continue</title><p>Please sign in.</p></html>"


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


def items(connector: DriveConnector, cursor: dict[str, Any] | None = None) -> list[Item]:
    return [item for item in connector.read(ROOT, cursor) if not isinstance(item, Checkpoint | PartState)]


def cursor_after(connector: DriveConnector) -> dict[str, Any]:
    *_, last = connector.read(ROOT)
    assert isinstance(last, Checkpoint)
    return last.cursor


def answer_instead(drive: GoogleDrive, path: str, answer: Response) -> None:
    """To what is asked for at one path."""
    drive.interrupt = lambda asked, query: answer if asked == path else None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", None),
        ("mimeType", None),
        ("trashed", None),
        ("version", 7),
        ("size", "many"),
        ("createdTime", "yesterday"),
        ("modifiedTime", ""),
        ("modifiedTime", "2026-01-01T00:00:00"),
        ("owners", [None]),
        ("owners", [{"displayName": None, "emailAddress": None}]),
        ("lastModifyingUser", {"displayName": None}),
        ("capabilities", {"canDownload": None}),
        ("shortcutDetails", {"targetId": None}),
        ("permissions", [{"type": "user", "role": None, "emailAddress": 7, "expirationTime": "never"}]),
        ("parents", "my-root"),
        ("teamDriveId", "left-over"),
    ],
)
def test_an_odd_field_costs_neither_the_page_nor_the_file(field: str, value: Any) -> None:
    odd = {"id": "odd", "name": "Odd", "mimeType": "text/plain", "size": "5", "createdTime": "2026-01-01T00:00:00Z"}
    page = FilePage.model_validate({"files": [{**odd, field: value}, {"id": "other"}]})
    assert [file.id for file in page.files] == ["odd", "other"]
    if field != "size":
        assert page.files[0].size == 5


def test_a_time_without_a_zone_is_utc() -> None:
    page = FilePage.model_validate({"files": [{"id": "one", "modifiedTime": "2026-01-01T00:00:00"}]})
    assert page.files[0].modified_time == datetime(2026, 1, 1, tzinfo=UTC)


def test_nulls_in_other_answers_are_nothing() -> None:
    assert ChangePage.model_validate({"changes": [], "nextPageToken": None}).next_page_token is None
    said = {"content": None, "author": None, "replies": None, "deleted": None, "quotedFileContent": None}
    assert DriveCommentPage.model_validate({"comments": [said]}).comments[0].content == ""


def test_a_server_without_shared_drives_permissions_or_comments_is_read(
    drive: GoogleDrive, connector: DriveConnector
) -> None:
    missing = Response("Cannot GET", 404)
    drive.interrupt = lambda path, query: missing if path.endswith(("drives", "permissions", "comments")) else None
    add_doc(drive, "one", canShare=False)
    add_doc(drive, "two")
    hidden, document = items(connector)
    assert isinstance(hidden, Failed)
    assert hidden.hides, "who may read it is not told"
    assert isinstance(document, Document)


@pytest.mark.parametrize("lies", [1, 99])
def test_a_body_that_was_cut_off_is_asked_for_again(drive: GoogleDrive, connector: DriveConnector, lies: int) -> None:
    add_text(drive, "one", data=b"All of the words.")
    left = [Response(b"All of") for _ in range(lies)]
    drive.interrupt = lambda path, query: left.pop() if "alt" in query and left else None
    (item,) = items(connector)
    assert isinstance(item, Failed if lies > 3 else Document)
    if isinstance(item, Document):
        assert item.content == "All of the words."
    if isinstance(item, Failed):
        assert "6 of 17 bytes" in item.error


def test_a_change_that_brings_no_file_is_looked_at(drive: GoogleDrive, connector: DriveConnector) -> None:
    add_text(drive, "one")
    cursor = cursor_after(connector)
    change = {"changeType": "file", "fileId": "one", "removed": False}
    about_drives = {"changeType": "drive", "type": "teamDrive", "driveId": "gone", "removed": True}
    body = {"changes": [change, about_drives], "newStartPageToken": "9"}
    answer_instead(drive, "changes", JSONResponse(body))
    assert [type(item) for item in items(connector, cursor)] == [Document]


def test_a_removal_that_still_shows_the_file_is_a_removal(drive: GoogleDrive, connector: DriveConnector) -> None:
    add_text(drive, "one")
    cursor = cursor_after(connector)
    change = {"changeType": "file", "fileId": "one", "removed": True, "file": {"id": "one", "name": "Left over"}}
    body = {"changes": [change], "newStartPageToken": "9"}
    answer_instead(drive, "changes", JSONResponse(body))
    assert items(connector, cursor) == [Deleted("drive:acme/one")]


def test_of_several_changes_of_a_file_the_last_one_counts(drive: GoogleDrive, connector: DriveConnector) -> None:
    """Gone from one place, it may be in another."""
    add_text(drive, "one")
    cursor = cursor_after(connector)
    gone = {"changeType": "file", "fileId": "one", "removed": True}
    back = gone | {"removed": False, "file": described(drive, "one")}
    answer_instead(drive, "changes", JSONResponse({"changes": [gone, back], "newStartPageToken": "9"}))
    assert [type(item) for item in items(connector, cursor)] == [Document]
    answer_instead(drive, "changes", JSONResponse({"changes": [back, gone], "newStartPageToken": "9"}))
    assert items(connector, cursor) == [Deleted("drive:acme/one")]


def test_one_file_in_trouble_does_not_stop_a_second_look(drive: GoogleDrive, connector: DriveConnector) -> None:
    add_text(drive, "one")
    add_text(drive, "two")
    ids = ["drive:acme/one", "drive:acme/two", "drive:acme/gone"]
    answer_instead(drive, "files/one", broken_gateway())
    found = list(connector.fetch(ROOT, ids))
    assert {type(item) for item in found} == {Document, Failed, Deleted}
    answer_instead(drive, "files/two", error(403, "userRateLimitExceeded"))
    with pytest.raises(RateLimited):
        list(connector.fetch(ROOT, ids))


def test_a_server_that_gives_no_file_is_left(drive: GoogleDrive, connector: DriveConnector) -> None:
    names = [add_text(drive, f"file{number}") for number in range(20)]
    drive.interrupt = lambda path, query: UNAVAILABLE if path.startswith("files/file") else None
    before = connector.requests
    with pytest.raises(Unavailable):
        list(connector.fetch(ROOT, [f"drive:acme/{name}" for name in names]))
    assert connector.requests - before <= 10


def test_changes_go_on_after_a_server_gave_no_file(drive: GoogleDrive, connector: DriveConnector) -> None:
    cursor = cursor_after(connector)
    for number in range(20):
        add_text(drive, f"file{number}")
    drive.interrupt = lambda path, query: UNAVAILABLE if "alt" in query else None
    with pytest.raises(Unavailable):
        items(connector, cursor)
    drive.interrupt = lambda path, query: None
    assert len([item for item in items(connector, cursor) if isinstance(item, Document)]) == 20


def test_a_removal_that_cannot_be_looked_into_is_the_file_alone(drive: GoogleDrive, connector: DriveConnector) -> None:
    """A file that is gone from a shared drive may have moved: it is asked for."""
    drive.shared_drive("Team", drive="team")
    drive.shared_drive("Elsewhere", drive="elsewhere")
    for name in ("one", "two"):
        add_doc(drive, name, "team")
    *_, last = connector.read(TEAM)
    assert isinstance(last, Checkpoint)
    drive.move("one", "elsewhere")
    drive.edit("two", "Other words.")
    answer_instead(drive, "files/one", UNAVAILABLE)
    found = [type(item) for item in connector.read(TEAM, last.cursor) if not isinstance(item, Checkpoint | PartState)]
    assert found == [Failed, Document]


def test_a_folder_that_cannot_be_looked_into_keeps_the_cursor(drive: GoogleDrive, connector: DriveConnector) -> None:
    """All that is below it would be missed."""
    drive.shared_drive("Team", drive="team")
    drive.shared_drive("Elsewhere", drive="elsewhere")
    add_folder(drive, "inner", "team")
    *_, last = connector.read(TEAM)
    assert isinstance(last, Checkpoint)
    drive.move("inner", "elsewhere")
    answer_instead(drive, "files/inner", UNAVAILABLE)
    with pytest.raises(Unavailable):
        list(connector.read(TEAM, last.cursor))


SIGN_IN = "<!DOCTYPE html><title>Sign in</title><p>Words of a gateway."


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Response(SIGN_IN, media_type="text/html"), "text/html in place of text/markdown"),
        (JSONResponse({"ok": False, "error": "words"}), "application/json in place of text/markdown"),
        (Response("Words of a gateway.", media_type="text/plain"), "text/plain in place of text/markdown"),
        (Response("Wor", 206, {"content-range": "bytes 0-2/6"}, "text/markdown"), "a part of it: bytes 0-2/6"),
        (Response(status_code=204, media_type="text/markdown"), "HTTP 204 in place of a file"),
    ],
)
def test_an_export_that_is_not_what_was_asked_for_is_no_document(
    drive: GoogleDrive, connector: DriveConnector, answer: Response, reason: str
) -> None:
    add_doc(drive, "one")
    add_doc(drive, "two")
    answer_instead(drive, "files/one/export", answer)
    failed, read = items(connector)
    assert isinstance(read, Document)
    assert isinstance(failed, Failed)
    assert (reason in failed.error, failed.is_transient, failed.hides) == (True, True, False)
    drive.interrupt = lambda path, query: None
    (again,) = connector.fetch(ROOT, ["drive:acme/one"])
    assert isinstance(again, Document)
    assert again.content == "Words."


@pytest.mark.parametrize(
    "media_type", ["text/markdown", "text/x-markdown; charset=UTF-8", "application/octet-stream", ""]
)
def test_an_export_may_tell_its_type_in_other_words_or_not_at_all(
    drive: GoogleDrive, connector: DriveConnector, media_type: str
) -> None:
    add_doc(drive, "one")
    answer_instead(drive, "files/one/export", Response("Words.", headers={"content-type": media_type}))
    (read,) = items(connector)
    assert isinstance(read, Document)
    assert (read.content, read.content_type) == ("Words.", "text/markdown")


def test_a_workbook_of_no_bytes_is_not_replaced_by_its_first_sheet(
    drive: GoogleDrive, connector: DriveConnector
) -> None:
    drive.exported("One", "spreadsheet", {XLSX: b"", CSV: b"a,b"})
    (failed,) = items(connector)
    assert isinstance(failed, Failed)
    assert "no bytes in place of" in failed.error


@pytest.mark.parametrize("odd", [[None], "none today", {}])
def test_a_folder_whose_permissions_are_odd_keeps_its_name(
    drive: GoogleDrive, connector: DriveConnector, odd: object
) -> None:
    """It is told to those who may see it, and so its permissions are asked for by themselves."""
    folder = add_folder(drive, "plans")
    add_doc(drive, "plan", folder)
    answer_instead(drive, "files/plans", JSONResponse(described(drive, folder) | {"permissions": odd}))
    drive.asked_for.clear()
    documents = [item for item in connector.read(Unit("plans", "")) if isinstance(item, Document)]
    assert [[parent.title for parent in one.parents] for one in documents] == [["My Drive", "Name of plans"]]
    assert sum("plans/permissions" in str(asked) for asked in drive.asked_for) == 1


@pytest.mark.parametrize(("words", "is_read"), [(b"It turns by water.", False), (PAGE, True)])
def test_a_page_in_place_of_a_file_is_not_the_file(
    drive: GoogleDrive, connector: DriveConnector, words: bytes, is_read: bool
) -> None:
    """Unless the file is just that page, kept as a text."""
    add_text(drive, "wheel", data=words)
    drive.interrupt = lambda asked, query: HTMLResponse(PAGE) if query.get("alt") == "media" else None
    (found,) = items(connector)
    assert isinstance(found, Document if is_read else Failed)
