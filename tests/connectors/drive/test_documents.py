"""What becomes of single files: which export is taken, what is skipped, what fails, what stops a read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import stamina

from connectors.contract import Checkpoint, Deleted, Failed, Item, Skipped
from connectors.drive import formats
from connectors.drive.formats import MAX_BYTES
from connectors.drive.source import DriveConnector
from connectors.errors import AuthenticationFailed, RateLimited
from connectors.media import CSV, PDF, PPTX, XLSX
from connectors.model import Document, Unit
from tests.connectors.drive.conftest import FakeDrive, Refuse

GOOGLE = "application/vnd.google-apps."
ROOT = Unit("root", "My Drive")


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


def only(connector: DriveConnector) -> Item:
    [item] = [item for item in connector.read(ROOT) if not isinstance(item, Checkpoint)]
    return item


@pytest.mark.parametrize(
    ("mime_type", "exports", "content", "content_type"),
    [
        ("document", {"text/markdown": b"\xef\xbb\xbf# A"}, "# A", "text/markdown"),
        ("document", {"text/markdown": "exportSizeLimitExceeded", "text/html": b"<p>A"}, "<p>A", "text/html"),
        ("document", {"text/html": b"<p>A"}, "<p>A", "text/html"),
        ("document", {"text/plain": b"\xef\xbb\xbfA"}, "A", "text/plain"),
        ("spreadsheet", {XLSX: b"PK\x03\x04", CSV: b"a,b"}, b"PK\x03\x04", XLSX),
        ("spreadsheet", {XLSX: "exportSizeLimitExceeded", CSV: b"a,b"}, b"a,b", CSV),
        ("spreadsheet", {XLSX: b"not a workbook", CSV: b"a,b"}, b"a,b", CSV),
        ("presentation", {PPTX: b"PK\x03\x04"}, b"PK\x03\x04", PPTX),
        ("presentation", {PPTX: b"not slides", "text/plain": b"Slide 1"}, "Slide 1", "text/plain"),
    ],
)
def test_the_first_export_that_works_is_taken(
    drive: FakeDrive,
    connector: DriveConnector,
    refuse: Refuse,
    mime_type: str,
    exports: dict[str, Any],
    content: str | bytes,
    content_type: str,
) -> None:
    drive.file("one", mimeType=GOOGLE + mime_type)
    for media_type, answer in exports.items():
        drive.exports["one", media_type] = refuse(403, answer) if isinstance(answer, str) else answer
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
    drive: FakeDrive, connector: DriveConnector, refuse: Refuse, reason: str, expected: str
) -> None:
    drive.file("one", mimeType=f"{GOOGLE}spreadsheet")
    drive.exports["one", XLSX] = drive.exports["one", CSV] = refuse(403, reason)
    assert only(connector) == Skipped("drive:acme/one", "Name of one", expected, "https://docs.test/one")


@pytest.mark.parametrize(
    ("data", "fields", "reason"),
    [
        (b"", {}, "empty"),
        (b" \n ", {}, "empty"),
        (b"words", {"size": str(MAX_BYTES + 1)}, "too large: 25.0 MB, more than 25 MB"),
        (b"x", {"mimeType": "video/mp4"}, "unsupported type: video/mp4"),
        (b"x", {"capabilities": {"canDownload": False}}, "its owner has disabled download"),
    ],
)
def test_files_are_skipped_with_a_reason(
    drive: FakeDrive, connector: DriveConnector, data: bytes, fields: dict[str, Any], reason: str
) -> None:
    drive.text("one", data=data, **fields)
    assert only(connector) == Skipped("drive:acme/one", "Name of one", reason, "https://docs.test/one")


def test_a_file_larger_than_its_metadata_said_is_skipped(
    drive: FakeDrive, connector: DriveConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "MAX_BYTES", 4)
    drive.text("one", data=b"words", size=None)
    item = only(connector)
    assert isinstance(item, Skipped)
    assert item.reason.startswith("too large")


def test_downloads_refused_for_abuse_are_skipped(drive: FakeDrive, connector: DriveConnector, refuse: Refuse) -> None:
    drive.text("one")
    drive.faults.append(lambda request: refuse(403, "cannotDownloadAbusiveFile") if _is_media(request) else None)
    item = only(connector)
    assert isinstance(item, Skipped)
    assert "malware" in item.reason


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(500), Failed),
        (httpx.Response(404), Failed),
        (httpx.Response(400, json={"error": {"message": "Bad."}}), Failed),
    ],
)
def test_one_file_in_trouble_does_not_stop_the_read(
    drive: FakeDrive, connector: DriveConnector, answer: httpx.Response, expected: type[Item]
) -> None:
    for name in ("one", "two", "three"):
        drive.text(name)
    drive.faults.append(lambda request: answer if _is_media(request) and "two" in request.url.path else None)
    *items, last = (item for item in connector.read(ROOT) if not isinstance(item, Checkpoint) or item.complete)
    assert [type(item) for item in items] == [Document, expected, Document]
    assert isinstance(last, Checkpoint)


def test_a_file_that_goes_while_the_unit_is_read_is_deleted(drive: FakeDrive, connector: DriveConnector) -> None:
    drive.text("one")
    drive.faults.append(lambda request: httpx.Response(404) if "one" in request.url.path else None)
    assert only(connector) == Deleted("drive:acme/one")


@pytest.mark.parametrize(
    ("status", "reason", "error"),
    [
        (403, "userRateLimitExceeded", RateLimited),
        (403, "dailyLimitExceeded", RateLimited),
        (401, "authError", AuthenticationFailed),
    ],
)
def test_trouble_of_the_whole_account_stops_the_read(
    drive: FakeDrive, connector: DriveConnector, refuse: Refuse, status: int, reason: str, error: type[Exception]
) -> None:
    drive.text("one")
    drive.faults.append(lambda request: refuse(status, reason) if _is_media(request) else None)
    with pytest.raises(error):
        list(connector.read(ROOT))


def test_a_permission_list_in_pages_is_read_to_its_end(drive: FakeDrive, connector: DriveConnector) -> None:
    drive.page_size = 1
    drive.text("one", permissions=None)
    drive.permissions["one"] = [{"type": "user", "role": "reader", "emailAddress": f"{name}@b.c"} for name in "abc"]
    item = only(connector)
    assert isinstance(item, Document)
    assert item.readers == ("user:a@b.c", "user:b@b.c", "user:c@b.c")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(403, json={"error": {"errors": [{"reason": "insufficientFilePermissions"}]}}),
        httpx.Response(404),
        httpx.Response(400),
        httpx.Response(200, json={}),
        httpx.Response(200, json={"permissions": []}),
        httpx.Response(200, json={"permissions": [{"type": "user", "expirationTime": "soon"}]}),
        httpx.Response(200, text="<html>"),
    ],
)
def test_a_file_whose_permissions_cannot_be_read_is_hidden_and_its_neighbours_are_read(
    drive: FakeDrive, connector: DriveConnector, answer: httpx.Response
) -> None:
    for name in ("one", "two", "three"):
        drive.text(name, permissions=None)
        drive.permissions[name] = [{"type": "user", "role": "reader", "emailAddress": "a@b.c"}]
    drive.faults.append(lambda request: answer if request.url.path.endswith("/two/permissions") else None)
    one, two, three = (item for item in connector.read(ROOT) if not isinstance(item, Checkpoint))
    assert isinstance(one, Document)
    assert isinstance(three, Document)
    assert one.readers == three.readers == ("user:a@b.c",)
    assert isinstance(two, Failed)
    assert (two.document_id, two.hides, two.readers) == ("drive:acme/two", True, None)
    assert not any(_is_media(request) for request in drive.calls if "two" in request.url.path), "its text is of no use"
    asked = [request for request in drive.calls if request.url.path.endswith("/two/permissions")]
    assert len(asked) <= 2, "until there is an answer, the readers of before see it"


def test_a_file_without_content_still_tells_who_may_read_it(drive: FakeDrive, connector: DriveConnector) -> None:
    drive.text("one")
    drive.faults.append(lambda request: httpx.Response(500) if _is_media(request) else None)
    item = only(connector)
    assert isinstance(item, Failed)
    assert (item.hides, item.readers) == (False, ("user:ada@acme.test",))


def test_what_is_granted_for_a_time_says_until_when(drive: FakeDrive, connector: DriveConnector) -> None:
    end = datetime(2099, 1, 1, 12, 30, 15, tzinfo=UTC)
    granted = [("a", end), ("b", None), ("c", end), ("c", end + timedelta(seconds=1)), ("d", end), ("d", None)]
    drive.text(
        "one",
        permissions=[
            {"type": "user", "role": "reader", "emailAddress": f"{name}@b.c"}
            | ({"expirationTime": moment.isoformat()} if moment else {})
            for name, moment in granted
        ],
    )
    item = only(connector)
    assert isinstance(item, Document)
    assert item.readers == ("user:a@b.c", "user:b@b.c", "user:c@b.c", "user:d@b.c")
    assert dict(item.readers_until) == {"user:a@b.c": end, "user:c@b.c": end + timedelta(seconds=1)}


def test_a_mislabelled_file_is_read_as_text(drive: FakeDrive, connector: DriveConnector) -> None:
    drive.text("one", data=b"Words.", mimeType=PDF)
    item = only(connector)
    assert isinstance(item, Document)
    assert (item.kind, item.content, item.content_type) == ("pdf", "Words.", "text/plain")


def _is_media(request: httpx.Request) -> bool:
    return str(request.url.params.get("alt")) == "media"
