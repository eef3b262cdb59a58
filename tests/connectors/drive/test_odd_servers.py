"""What Drive answers at its edges, and what other servers answer in its place: nulls, odd fields, parts that lack."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import stamina

from connectors.contract import Checkpoint, Deleted, Failed, Item
from connectors.drive.payloads import ChangePage, DriveCommentPage, FilePage
from connectors.drive.source import DriveConnector
from connectors.errors import RateLimited, Unavailable
from connectors.model import Document, Unit
from tests.connectors.drive.conftest import FakeDrive, Refuse

ROOT = Unit("root", "My Drive")


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


def items(connector: DriveConnector, cursor: dict[str, Any] | None = None) -> list[Item]:
    return [item for item in connector.read(ROOT, cursor) if not isinstance(item, Checkpoint)]


def cursor_after(connector: DriveConnector) -> dict[str, Any]:
    *_, last = connector.read(ROOT)
    assert isinstance(last, Checkpoint)
    return last.cursor


def fault(ending: str, answer: Callable[[], httpx.Response]) -> Callable[[httpx.Request], httpx.Response | None]:
    return lambda request: answer() if request.url.path.endswith(ending) else None


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
    assert ChangePage.model_validate({"changes": None, "nextPageToken": None}).changes == ()
    said = {"content": None, "author": None, "replies": None, "deleted": None, "quotedFileContent": None}
    assert DriveCommentPage.model_validate({"comments": [said]}).comments[0].content == ""


def test_a_server_without_shared_drives_permissions_or_comments_is_read(
    drive: FakeDrive, connector: DriveConnector
) -> None:
    drive.doc("one", permissions=None)
    for ending in ("/drives", "/permissions", "/comments"):
        drive.faults.append(fault(ending, lambda: httpx.Response(404, text="Cannot GET")))
    drive.doc("two")
    hidden, document = items(connector)
    assert isinstance(hidden, Failed)
    assert hidden.hides, "who may read it is not told"
    assert isinstance(document, Document)


@pytest.mark.parametrize("lies", [1, 99])
def test_a_body_that_was_cut_off_is_asked_for_again(drive: FakeDrive, connector: DriveConnector, lies: int) -> None:
    drive.text("one", data=b"All of the words.")
    left = [httpx.Response(200, content=b"All of") for _ in range(lies)]
    drive.faults.append(lambda request: left.pop() if request.url.params.get("alt") == "media" and left else None)
    (item,) = items(connector)
    assert isinstance(item, Failed if lies > 3 else Document)
    if isinstance(item, Document):
        assert item.content == "All of the words."
    if isinstance(item, Failed):
        assert "6 of 17 bytes" in item.error


def test_a_change_that_brings_no_file_is_looked_at(drive: FakeDrive, connector: DriveConnector) -> None:
    drive.text("one")
    cursor = cursor_after(connector)
    change = {"changeType": "file", "fileId": "one", "removed": False}
    about_drives = {"changeType": "drive", "type": "teamDrive", "driveId": "gone", "removed": True}
    body = {"changes": [change, about_drives], "newStartPageToken": "9"}
    drive.faults.append(fault("/changes", lambda: httpx.Response(200, json=body)))
    assert [type(item) for item in items(connector, cursor)] == [Document]


def test_a_removal_that_still_shows_the_file_is_a_removal(drive: FakeDrive, connector: DriveConnector) -> None:
    drive.text("one")
    cursor = cursor_after(connector)
    change = {"changeType": "file", "fileId": "one", "removed": True, "file": {"id": "one", "name": "Left over"}}
    body = {"changes": [change], "newStartPageToken": "9"}
    drive.faults.append(fault("/changes", lambda: httpx.Response(200, json=body)))
    assert items(connector, cursor) == [Deleted("drive:acme/one")]


def test_one_file_in_trouble_does_not_stop_a_second_look(
    drive: FakeDrive, connector: DriveConnector, refuse: Refuse
) -> None:
    drive.text("one")
    drive.text("two")
    ids = ["drive:acme/one", "drive:acme/two", "drive:acme/gone"]
    drive.faults.append(fault("/one", lambda: httpx.Response(502, text="<html>")))
    found = list(connector.fetch(ROOT, ids))
    assert {type(item) for item in found} == {Document, Failed, Deleted}
    drive.faults.append(fault("/two", lambda: refuse(403, "userRateLimitExceeded")))
    with pytest.raises(RateLimited):
        list(connector.fetch(ROOT, ids))


def test_a_server_that_gives_no_file_is_left(drive: FakeDrive, connector: DriveConnector) -> None:
    names = [drive.text(f"file{number}") for number in range(20)]
    drive.faults.append(lambda request: httpx.Response(503) if "/files/file" in request.url.path else None)
    before = connector.requests
    with pytest.raises(Unavailable):
        list(connector.fetch(ROOT, [f"drive:acme/{name}" for name in names]))
    assert connector.requests - before <= 10


def test_changes_go_on_after_a_server_gave_no_file(drive: FakeDrive, connector: DriveConnector) -> None:
    cursor = cursor_after(connector)
    for number in range(20):
        drive.text(f"file{number}")
    drive.faults.append(lambda request: httpx.Response(503) if request.url.params.get("alt") == "media" else None)
    with pytest.raises(Unavailable):
        items(connector, cursor)
    drive.faults.clear()
    assert len([item for item in items(connector, cursor) if isinstance(item, Document)]) == 20


def test_a_removal_that_cannot_be_looked_into_is_the_file_alone(drive: FakeDrive, connector: DriveConnector) -> None:
    """A file that is gone from a shared drive may have moved: it is asked for."""
    drive.drives["team"] = "Team"
    team = Unit("team", "Team")
    for name in ("one", "two"):
        drive.doc(name, "team")
    *_, last = connector.read(team)
    assert isinstance(last, Checkpoint)
    drive.move_to_drive("one", "elsewhere")
    drive.edit("two", "Other words.")
    drive.faults.append(lambda request: httpx.Response(503) if request.url.path.endswith("/files/one") else None)
    found = [type(item) for item in connector.read(team, last.cursor) if not isinstance(item, Checkpoint)]
    assert found == [Failed, Document]


def test_a_folder_that_cannot_be_looked_into_keeps_the_cursor(drive: FakeDrive, connector: DriveConnector) -> None:
    """All that is below it would be missed."""
    drive.drives["team"] = "Team"
    team = Unit("team", "Team")
    drive.folder("inner", "team")
    *_, last = connector.read(team)
    assert isinstance(last, Checkpoint)
    drive.move_to_drive("inner", "elsewhere")
    drive.faults.append(lambda request: httpx.Response(503) if request.url.path.endswith("/files/inner") else None)
    with pytest.raises(Unavailable):
        list(connector.read(team, last.cursor))
