"""Drive's errors told apart, and paging that ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
import stamina

from connectors.drive.client import DriveClient
from connectors.drive.query import quote, rfc3339
from connectors.drive.responses import DriveAccessDenied, drive_error
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
from tests.connectors.drive.conftest import FakeDrive, Refuse


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
def client(drive: FakeDrive, connection: DriveConnection) -> Iterator[DriveClient]:
    client = DriveClient(connection, httpx.MockTransport(drive))
    yield client
    client.close()


@pytest.mark.parametrize(
    ("status", "reason", "error"),
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
    drive: FakeDrive, client: DriveClient, refuse: Refuse, status: int, reason: str, error: type[SourceError]
) -> None:
    drive.faults.append(lambda _: refuse(status, reason))
    with pytest.raises(error) as caught:
        client.about()
    assert type(caught.value) is error
    assert "secret-token" not in str(caught.value)


def test_a_refusal_names_its_reason(refuse: Refuse) -> None:
    response = refuse(403, "fileNotDownloadable")
    response.request = httpx.Request("GET", "http://drive.test/drive/v3/files/1?alt=media")
    error = drive_error(response)
    assert isinstance(error, DriveAccessDenied)
    assert error.reason == "fileNotDownloadable"
    assert "alt=media" not in str(error)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": {"errors": []}}', b'{"error": "x"}'])
def test_a_refusal_without_a_reason_is_a_refusal(drive: FakeDrive, client: DriveClient, body: bytes) -> None:
    drive.faults.append(lambda _: httpx.Response(403, content=body))
    with pytest.raises(DriveAccessDenied):
        client.about()


def test_a_limit_is_known_by_the_newer_form_of_errors(drive: FakeDrive, client: DriveClient) -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "RATE_LIMIT_EXCEEDED"}]
    body = {"error": {"code": 403, "status": "PERMISSION_DENIED", "details": [{"links": []}, *details]}}
    drive.faults.append(lambda _: httpx.Response(403, json=body))
    with pytest.raises(RateLimited):
        client.about()


def test_a_daily_limit_is_not_waited_for(drive: FakeDrive, client: DriveClient, refuse: Refuse) -> None:
    drive.faults.append(lambda _: refuse(403, "dailyLimitExceeded"))
    with pytest.raises(RateLimited):
        client.about()
    assert client.requests == 1


def test_a_short_limit_is_waited_for(drive: FakeDrive, client: DriveClient, refuse: Refuse) -> None:
    answers = iter([refuse(403, "userRateLimitExceeded"), refuse(429, "rateLimitExceeded", **{"retry-after": "0"})])
    drive.faults.append(lambda _: next(answers, None))
    assert client.about().user.email_address == "reader@acme.test"
    assert client.requests == 3


@pytest.mark.parametrize("body", [b'{"files": [{"id": "1"', b"", b'{"files": [{"name": "no id"}]}', b'{"files": 7}'])
def test_unusable_answers_are_asked_again_and_named(drive: FakeDrive, client: DriveClient, body: bytes) -> None:
    drive.faults.append(lambda _: httpx.Response(200, content=body))
    with pytest.raises(InvalidResponse, match="files"):
        list(client.files("trashed = false"))
    assert client.requests == 3


@pytest.mark.parametrize("page_size", [1, 2, 100])
def test_pages_are_followed_to_the_end(drive: FakeDrive, client: DriveClient, page_size: int) -> None:
    drive.page_size = page_size
    for number in range(4):
        drive.doc(f"file{number}")
        drive.drives[f"drive{number}"] = f"Drive {number}"
    assert [file.id for page in client.files("trashed = false") for file in page.files] == [
        f"file{number}" for number in range(4)
    ]
    assert len(list(client.drives())) == 4


@pytest.mark.parametrize("cycle", [["a", "a"], ["a", "b", "a"], ["a", "b", "c", "b"]])
def test_repeated_page_tokens_end(drive: FakeDrive, client: DriveClient, cycle: list[str]) -> None:
    tokens = iter(cycle)
    drive.faults.append(lambda _: httpx.Response(200, json={"drives": [], "nextPageToken": next(tokens)}))
    with pytest.raises(InvalidResponse, match="pagination loop"):
        list(client.drives())


@pytest.mark.parametrize("status", [400, 404, 501])
def test_a_server_without_a_changes_feed_says_so(drive: FakeDrive, client: DriveClient, status: int) -> None:
    drive.faults.append(lambda request: httpx.Response(status) if "changes" in request.url.path else None)
    assert client.start_page_token() is None
    assert client.requests == 1


@pytest.mark.parametrize(("text", "expected"), [("a", "'a'"), ("it's", "'it\\'s'"), ("a\\b", "'a\\\\b'")])
def test_query_strings_are_quoted(text: str, expected: str) -> None:
    assert quote(text) == expected


def test_times_are_written_as_drive_does() -> None:
    assert rfc3339(datetime(2026, 3, 1, 12, 30, 15, 123999, tzinfo=UTC)) == "2026-03-01T12:30:15.123Z"
