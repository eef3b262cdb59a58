"""Drive's errors told apart, and paging that ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import stamina
from starlette.responses import JSONResponse, Response

from connectors.drive.client import DriveClient
from connectors.drive.query import quote, rfc3339
from connectors.drive.responses import DriveAccessDenied
from connectors.drive.settings import DriveConnection
from connectors.errors import (
    AuthenticationFailed,
    InvalidResponse,
    NotFound,
    RateLimited,
    RequestRejected,
    SourceError,
    Unavailable,
)
from tests.connectors.drive.conftest import add_doc
from tests.emulators.drive import ME, TOKEN, GoogleDrive, error, limited, transport


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
def client(drive: GoogleDrive, connection: DriveConnection) -> Iterator[DriveClient]:
    client = DriveClient(connection, transport(drive))
    yield client
    client.close()


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        (403, "userRateLimitExceeded", RateLimited),
        (403, "rateLimitExceeded", RateLimited),
        (403, "sharingRateLimitExceeded", RateLimited),
        (403, "dailyLimitExceeded", RateLimited),
        (403, "insufficientFilePermissions", DriveAccessDenied),
        (403, "appNotAuthorizedToFile", DriveAccessDenied),
        (403, "accessNotConfigured", DriveAccessDenied),
        (429, "rateLimitExceeded", RateLimited),
        (401, "authError", AuthenticationFailed),
        (404, "notFound", NotFound),
        (400, "badRequest", RequestRejected),
        (500, "backendError", Unavailable),
        (501, "notImplemented", RequestRejected),
        (503, "backendError", Unavailable),
    ],
)
def test_errors_are_told_apart(
    drive: GoogleDrive, client: DriveClient, status: int, reason: str, expected: type[SourceError]
) -> None:
    drive.interrupt = lambda path, query: error(status, reason)
    with pytest.raises(expected) as caught:
        client.about()
    assert type(caught.value) is expected
    assert TOKEN not in str(caught.value)


def test_a_refusal_names_its_reason(drive: GoogleDrive, client: DriveClient) -> None:
    add_doc(drive, "one")
    with pytest.raises(DriveAccessDenied) as caught:
        client.download("one", None, "text/plain")
    assert caught.value.reason == "fileNotDownloadable"
    assert "alt=media" not in str(caught.value)
    assert drive.asked_for == ["files/one?alt=media&supportsAllDrives=true"]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": {"errors": []}}', b'{"error": "x"}'])
def test_a_refusal_without_a_reason_is_a_refusal(drive: GoogleDrive, client: DriveClient, body: bytes) -> None:
    drive.interrupt = lambda path, query: Response(body, 403)
    with pytest.raises(DriveAccessDenied):
        client.about()


def test_a_limit_is_known_by_the_newer_form_of_errors(drive: GoogleDrive, client: DriveClient) -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "RATE_LIMIT_EXCEEDED"}]
    body = {"error": {"code": 403, "status": "PERMISSION_DENIED", "details": [{"links": []}, *details]}}
    drive.interrupt = lambda path, query: JSONResponse(body, 403)
    with pytest.raises(RateLimited):
        client.about()


def test_a_daily_limit_is_not_waited_for(drive: GoogleDrive, client: DriveClient) -> None:
    drive.interrupt = lambda path, query: error(403, "dailyLimitExceeded")
    with pytest.raises(RateLimited):
        client.about()
    assert client.requests == 1


def test_a_short_limit_is_waited_for(drive: GoogleDrive, client: DriveClient) -> None:
    drive.fail(1, limited("userRateLimitExceeded"))
    drive.fail(1, limited("rateLimitExceeded", 429, {"retry-after": "0"}))
    assert client.about().user.email_address == ME
    assert client.requests == 3


@pytest.mark.parametrize("body", [b'{"files": [{"id": "1"', b"", b'{"files": [{"name": "no id"}]}', b'{"files": 7}'])
def test_unusable_answers_are_asked_again_and_named(drive: GoogleDrive, client: DriveClient, body: bytes) -> None:
    drive.interrupt = lambda path, query: Response(body)
    with pytest.raises(InvalidResponse, match="files"):
        list(client.files("trashed = false"))
    assert client.requests == 3


@pytest.mark.parametrize("page_size", [1, 2, 100])
def test_pages_are_followed_to_the_end(drive: GoogleDrive, client: DriveClient, page_size: int) -> None:
    drive.page_size = page_size
    for number in range(4):
        add_doc(drive, f"file{number}")
        drive.shared_drive(f"Drive {number}")
    assert [file.id for page in client.files("trashed = false") for file in page.files] == [
        f"file{number}" for number in range(4)
    ]
    assert len(list(client.drives())) == 4


@pytest.mark.parametrize("cycle", [["a", "a"], ["a", "b", "a"], ["a", "b", "c", "b"]])
def test_repeated_page_tokens_end(drive: GoogleDrive, client: DriveClient, cycle: list[str]) -> None:
    tokens = iter(cycle)
    drive.interrupt = lambda path, query: JSONResponse({"drives": [], "nextPageToken": next(tokens)})
    with pytest.raises(InvalidResponse, match="pagination loop"):
        list(client.drives())


@pytest.mark.parametrize("status", [400, 404, 501])
def test_a_server_without_a_changes_feed_says_so(drive: GoogleDrive, client: DriveClient, status: int) -> None:
    drive.interrupt = lambda path, query: Response(status_code=status) if "changes" in path else None
    with pytest.raises((NotFound, RequestRejected)):
        client.open_feed()
    assert client.requests == 1


def test_a_token_without_a_feed_is_none(drive: GoogleDrive, client: DriveClient) -> None:
    drive.interrupt = lambda path, query: Response(status_code=404) if path == "changes" else None
    with pytest.raises(NotFound):
        client.open_feed()


@pytest.mark.parametrize(("text", "expected"), [("a", "'a'"), ("it's", "'it\\'s'"), ("a\\b", "'a\\\\b'")])
def test_query_strings_are_quoted(text: str, expected: str) -> None:
    assert quote(text) == expected


def test_times_are_written_as_drive_does() -> None:
    assert rfc3339(datetime(2026, 3, 1, 12, 30, 15, 123999, tzinfo=UTC)) == "2026-03-01T12:30:15.123Z"
