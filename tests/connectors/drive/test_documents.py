"""What becomes of single files: which export is taken, what is skipped, what fails, what stops a read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stamina
from starlette.responses import JSONResponse, Response

from connectors.contract import Checkpoint, Deleted, Failed, Item, PartState, Skipped
from connectors.drive import formats
from connectors.drive.account import DriveConnector
from connectors.drive.formats import MAX_BYTES
from connectors.drive.settings import DriveConnection
from connectors.errors import AuthenticationFailed, RateLimited
from connectors.media import CSV, PDF, PPTX, XLSX
from connectors.model import Document, Unit
from tests.connectors.drive.conftest import add_text, without_parts
from tests.emulators.drive import ME, GoogleDrive, anyone, error, person, transport

ROOT = Unit("root", "My Drive")
TEAM = Unit("team", "Team")


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


def only(connector: DriveConnector, unit: Unit = ROOT) -> Item:
    [item] = [item for item in connector.read(unit) if not isinstance(item, Checkpoint | PartState)]
    return item


def refuse_exports(drive: GoogleDrive, reasons: dict[str, str]) -> None:
    """By the media types that are asked for."""

    def refuse(path: str, query: dict[str, str]) -> Response | None:
        reason = reasons.get(query.get("mimeType", ""))
        return error(403, reason) if reason else None

    drive.interrupt = refuse


@pytest.mark.parametrize(
    ("mime_type", "exports", "content", "content_type"),
    [
        ("document", {"text/markdown": b"\xef\xbb\xbf# A"}, "# A", "text/markdown"),
        ("document", {"text/markdown": "exportSizeLimitExceeded", "text/html": b"<p>A"}, "<p>A", "text/html"),
        ("document", {"text/html": b"<p>A"}, "<p>A", "text/html"),
        ("document", {"text/plain": b"\xef\xbb\xbfA"}, "A", "text/plain"),
        ("spreadsheet", {XLSX: b"PK\x03\x04", CSV: b"a,b"}, b"PK\x03\x04", XLSX),
        ("spreadsheet", {XLSX: b"not a workbook", CSV: b"a,b"}, "a,b", CSV),
        ("presentation", {PPTX: b"PK\x03\x04"}, b"PK\x03\x04", PPTX),
        ("presentation", {PPTX: b"not slides", "text/plain": b"Slide 1"}, "Slide 1", "text/plain"),
    ],
)
def test_the_first_export_that_works_is_taken(
    drive: GoogleDrive,
    connector: DriveConnector,
    mime_type: str,
    exports: dict[str, Any],
    content: str | bytes,
    content_type: str,
) -> None:
    drive.exported("One", mime_type, {name: data for name, data in exports.items() if isinstance(data, bytes)})
    refuse_exports(drive, {name: reason for name, reason in exports.items() if isinstance(reason, str)})
    item = only(connector)
    assert isinstance(item, Document)
    assert (item.content, item.content_type, item.kind) == (content, content_type, mime_type)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("exportSizeLimitExceeded", "too large: Google exports at most 10 MB"),
        ("cannotExportFile", "its owner has disabled download"),
    ],
)
def test_what_cannot_be_exported_is_skipped(
    drive: GoogleDrive, connector: DriveConnector, reason: str, expected: str
) -> None:
    drive.exported("One", "spreadsheet", {}, id="one")
    refuse_exports(drive, {XLSX: reason, CSV: reason})
    assert only(connector) == Skipped("drive:acme/one", "One", expected, "https://docs.test/one")


@pytest.mark.parametrize(
    ("data", "fields", "reason"),
    [
        (b"words", {"size": str(MAX_BYTES + 1)}, "too large: 25.0 MB, more than 25 MB"),
        (b"x", {"mimeType": "video/mp4"}, "unsupported type: video/mp4"),
        (b"x", {"capabilities": {"canDownload": False}}, "its owner has disabled download"),
    ],
)
def test_files_are_skipped_with_a_reason(
    drive: GoogleDrive, connector: DriveConnector, data: bytes, fields: dict[str, Any], reason: str
) -> None:
    add_text(drive, "one", data=data, **fields)
    assert only(connector) == Skipped("drive:acme/one", "Name of one", reason, "https://docs.test/one")


@pytest.mark.parametrize("data", [b"", b" \n ", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("exported", [False, True])
def test_what_holds_nothing_is_a_document_of_its_name(
    drive: GoogleDrive, connector: DriveConnector, data: bytes, exported: bool
) -> None:
    if exported:
        drive.exported("One", "document", {"text/markdown": data})
    else:
        drive.upload("One", data, "text/plain")
    item = only(connector)
    assert isinstance(item, Document)
    assert (item.title, item.content) == ("One", "")


PNG = b"\x89PNG\r\n\x1a\n..."


@pytest.mark.parametrize("declared", ["image/png", "application/octet-stream"])
def test_a_picture_is_handed_on_where_it_is_read(
    drive: GoogleDrive, connection: DriveConnection, declared: str
) -> None:
    drive.upload("One.png", PNG, declared)
    assert isinstance(only(DriveConnector(connection, transport(drive))), Skipped)
    item = only(DriveConnector(connection.with_pictures(), transport(drive)))
    assert isinstance(item, Document)
    assert (item.content, item.content_type, item.kind) == (PNG, "image/png", "file")


@pytest.mark.parametrize("data", [b"", b"\n"])
def test_a_picture_that_holds_nothing_is_no_document(
    drive: GoogleDrive, connection: DriveConnection, data: bytes
) -> None:
    drive.upload("One.png", data, "image/png")
    item = only(DriveConnector(connection.with_pictures(), transport(drive)))
    assert isinstance(item, Skipped)
    assert item.reason == "empty"


def test_comments_of_an_empty_document_are_its_text(drive: GoogleDrive, connector: DriveConnector) -> None:
    file = drive.exported("One", "document", {"text/markdown": b"\xef\xbb\xbf"})
    drive.comment(file, "Who writes this?")
    item = only(connector)
    assert isinstance(item, Document)
    assert str(item.content).strip() == "## Comments\n\n**Lin:** Who writes this?"


def test_a_file_larger_than_its_metadata_said_is_skipped(
    drive: GoogleDrive, connector: DriveConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "MAX_BYTES", 4)
    add_text(drive, "one", data=b"words", size=None)
    item = only(connector)
    assert isinstance(item, Skipped)
    assert item.reason.startswith("too large")


def test_downloads_refused_for_abuse_are_skipped(drive: GoogleDrive, connector: DriveConnector) -> None:
    add_text(drive, "one")
    drive.interrupt = lambda path, query: error(403, "cannotDownloadAbusiveFile") if "alt" in query else None
    item = only(connector)
    assert isinstance(item, Skipped)
    assert "malware" in item.reason


@pytest.mark.parametrize(
    "answer", [Response(status_code=500), Response(status_code=404), JSONResponse({"error": {"message": "Bad."}}, 400)]
)
def test_one_file_in_trouble_does_not_stop_the_read(
    drive: GoogleDrive, connector: DriveConnector, answer: Response
) -> None:
    for name in ("one", "two", "three"):
        add_text(drive, name)
    drive.interrupt = lambda path, query: answer if "alt" in query and path == "files/two" else None
    *items, last = without_parts(connector.read(ROOT))
    assert [type(item) for item in items if not isinstance(item, Checkpoint)] == [Document, Failed, Document]
    assert isinstance(last, Checkpoint)


def test_a_listed_file_that_its_address_does_not_know_is_its_own_trouble(
    drive: GoogleDrive, connector: DriveConnector
) -> None:
    add_text(drive, "one")
    drive.interrupt = lambda path, query: Response(status_code=404) if "one" in path else None
    item = only(connector)
    assert isinstance(item, Failed)
    assert "not found" in item.error
    (fetched,) = connector.fetch(ROOT, ["drive:acme/one"])
    assert isinstance(fetched, Deleted)
    assert fetched.is_unfound


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        (403, "userRateLimitExceeded", RateLimited),
        (403, "dailyLimitExceeded", RateLimited),
        (401, "authError", AuthenticationFailed),
    ],
)
def test_trouble_of_the_whole_account_stops_the_read(
    drive: GoogleDrive, connector: DriveConnector, status: int, reason: str, expected: type[Exception]
) -> None:
    add_text(drive, "one")
    drive.interrupt = lambda path, query: error(status, reason) if "alt" in query else None
    with pytest.raises(expected):
        list(connector.read(ROOT))


def test_a_permission_list_in_pages_is_read_to_its_end(drive: GoogleDrive, connector: DriveConnector) -> None:
    drive.page_size = 1
    drive.shared_drive("Team", *(person(f"{name}@b.c") for name in "abc"), drive="team")
    add_text(drive, "one", "team")
    item = only(connector, TEAM)
    assert isinstance(item, Document)
    assert item.readers == ("user:a@b.c", "user:b@b.c", "user:c@b.c", f"user:{ME}")


@pytest.mark.parametrize(
    "answer",
    [
        Response(status_code=500),
        error(403, "insufficientFilePermissions"),
        Response(status_code=404),
        Response(status_code=400),
        JSONResponse({}),
        JSONResponse({"permissions": []}),
        JSONResponse({"permissions": [{"type": "user", "expirationTime": "soon"}]}),
        Response("<html>"),
    ],
)
def test_a_file_whose_permissions_cannot_be_read_is_hidden_and_its_neighbours_are_read(
    drive: GoogleDrive, connector: DriveConnector, answer: Response
) -> None:
    drive.shared_drive("Team", person("a@b.c"), drive="team")
    for name in ("one", "two", "three"):
        add_text(drive, name, "team")
    drive.interrupt = lambda path, query: answer if path == "files/two/permissions" else None
    one, two, three = (item for item in connector.read(TEAM) if not isinstance(item, Checkpoint | PartState))
    assert isinstance(one, Document)
    assert isinstance(three, Document)
    assert one.readers == three.readers == ("user:a@b.c", f"user:{ME}")
    assert isinstance(two, Failed)
    assert (two.document_id, two.hides, two.readers) == ("drive:acme/two", True, None)
    assert not any("files/two?alt=media" in asked for asked in drive.asked_for), "its text is of no use"
    asked = drive.asked()["files/two/permissions"]
    assert 1 <= asked <= 2, "until there is an answer, the readers of before see it"


def test_a_file_without_content_still_tells_who_may_read_it(drive: GoogleDrive, connector: DriveConnector) -> None:
    add_text(drive, "one")
    drive.interrupt = lambda path, query: Response(status_code=500) if "alt" in query else None
    item = only(connector)
    assert isinstance(item, Failed)
    assert (item.hides, item.readers) == (False, ("user:ada@acme.test",))


def test_what_is_granted_for_a_time_says_until_when(drive: GoogleDrive, connector: DriveConnector) -> None:
    end = datetime(2099, 1, 1, 12, 30, 15, tzinfo=UTC)
    granted = [("a", end), ("b", None), ("c", end), ("c", end + timedelta(seconds=1)), ("d", end), ("d", None)]
    permissions = [
        person(f"{name}@b.c", **({"expirationTime": moment.isoformat()} if moment else {})) for name, moment in granted
    ]
    drive.shared_drive("Team", drive="team")
    add_text(drive, "one", "team")
    drive.interrupt = lambda path, query: (
        JSONResponse({"permissions": permissions}) if path == "files/one/permissions" else None
    )
    item = only(connector, TEAM)
    assert isinstance(item, Document)
    assert item.readers == ("user:a@b.c", "user:b@b.c", "user:c@b.c", "user:d@b.c")
    assert dict(item.readers_until) == {"user:a@b.c": end, "user:c@b.c": end + timedelta(seconds=1)}


def test_a_mislabelled_file_is_read_as_text(drive: GoogleDrive, connector: DriveConnector) -> None:
    add_text(drive, "one", data=b"Words.", mimeType=PDF)
    item = only(connector)
    assert isinstance(item, Document)
    assert (item.kind, item.content, item.content_type) == ("pdf", "Words.", "text/plain")


def test_what_an_old_link_leads_to_is_read_with_its_key(drive: GoogleDrive, connector: DriveConnector) -> None:
    """https://developers.google.com/workspace/drive/api/guides/resource-keys"""
    target = drive.doc("Old", "Words.", None, id="old")
    drive.permissions[target] = {"anyone": anyone()}
    drive.keys[target] = "0-abc"
    details = {"targetId": target, "targetMimeType": "application/vnd.google-apps.document"}
    shortcut = drive.shortcut("To the old one", target, shortcutDetails=details | {"targetResourceKey": "0-abc"})
    item = only(connector)
    assert isinstance(item, Document)
    assert (item.id, item.content) == (f"drive:acme/{shortcut}", "Words.")


@pytest.mark.parametrize("kind", ["drawing", "site", "form"])
def test_what_has_an_export_is_read_and_what_has_none_is_skipped(
    drive: GoogleDrive, connector: DriveConnector, kind: str
) -> None:
    media_type = "application/pdf" if kind == "drawing" else "text/plain"
    drive.exported("With words", kind, {media_type: b"%PDF-1.4 words" if kind == "drawing" else b"Words."}, id="one")
    drive.exported("Without", kind, {"image/png": b""}, id="two")
    one, two = (item for item in connector.read(ROOT) if not isinstance(item, Checkpoint | PartState))
    assert isinstance(one, Document)
    assert one.kind == kind
    assert isinstance(two, Skipped)
    assert two.reason.startswith("unsupported type")
