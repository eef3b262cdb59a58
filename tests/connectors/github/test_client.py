from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace

import httpx
import pytest

from connectors.errors import AccessDenied, InvalidResponse, NotFound, RateLimited, SourceError
from connectors.github.client import GitHubClient
from connectors.github.payloads.parsing import parse_time
from connectors.github.payloads.rest import GitHubIssue
from connectors.github.responses import SECONDARY_LIMIT_WAIT, refusal
from connectors.github.settings import GitHubConnection

Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def client(connection: GitHubConnection) -> Callable[[Handler], GitHubClient]:
    return lambda handler: GitHubClient(connection, httpx.MockTransport(handler))


def linked(items: list[object], following: str | None) -> httpx.Response:
    return httpx.Response(200, json=items, headers={"link": f'<{following}>; rel="next"'} if following else {})


def test_every_request_names_the_version_and_the_token(client: Callable[[Handler], GitHubClient]) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={})

    client(answer).repository("acme/api")
    assert asked[0].headers["authorization"] == "Bearer ghp-secret"
    assert asked[0].headers["x-github-api-version"] == "2022-11-28"
    assert str(asked[0].url) == "https://ghe.test/api/v3/repos/acme/api"


@pytest.mark.parametrize(
    ("link", "url"),
    [
        (
            "https://api.github.test/repositories/7/x?after=b%3D&p=2",
            "https://ghe.test/api/v3/repositories/7/x?after=b%3D&p=2",
        ),
        ("https://ghe.test/api/v3/x?page=2", "https://ghe.test/api/v3/x?page=2"),
        ("/api/v3/x?page=2", "https://ghe.test/api/v3/x?page=2"),
        ("?page=2", "https://ghe.test/api/v3/x?page=2"),
    ],
)
def test_next_links_are_opaque_and_stay_at_home(client: Callable[[Handler], GitHubClient], link: str, url: str) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return linked([{"number": len(asked)}], link if len(asked) == 1 else None)

    assert [item.number for item in client(answer).listing(GitHubIssue, "x")] == [1, 2]
    assert asked == ["https://ghe.test/api/v3/x?per_page=100", url]


@pytest.mark.parametrize("items", [[{"number": 1, "updated_at": "2026-01-01T00:00:00Z"}], []])
@pytest.mark.parametrize("method", ["listing", "issues"])
def test_endless_pages_end(client: Callable[[Handler], GitHubClient], items: list[object], method: str) -> None:
    """Each `next` has another URL, and all lead to the same page."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return linked(items, f"https://ghe.test/api/v3/x?page={len(asked) + 1}")

    found = client(answer).listing(GitHubIssue, "x") if method == "listing" else client(answer).issues("acme/api", None)
    assert len(list(found)) == (len(items) if method == "listing" else 1)
    assert len(asked) == 2


def test_pages_that_go_round_in_circles_end(client: Callable[[Handler], GitHubClient]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("page", 1))
        return linked([{"number": page}], f"https://ghe.test/api/v3/x?page={page % 3 + 1}")

    assert [item.number for item in client(answer).listing(GitHubIssue, "x")] == [1, 2, 3]


@pytest.mark.parametrize("body", [b'{"message": "hello"}', b'"text"', b"[1, 2]", b"null"])
def test_what_is_no_listing_is_refused(client: Callable[[Handler], GitHubClient], body: bytes) -> None:
    with pytest.raises(InvalidResponse, match="not a list"):
        list(client(lambda request: httpx.Response(200, content=body)).listing(GitHubIssue, "x"))


@pytest.mark.parametrize("link", ["https://[broken", "https://ghe.test/api/v3/\x01"])
def test_a_next_link_that_is_no_url_is_refused(client: Callable[[Handler], GitHubClient], link: str) -> None:
    with pytest.raises(InvalidResponse):
        list(client(lambda request: linked([{"number": 1}], link)).listing(GitHubIssue, "x"))


def test_issues_without_numbers_are_refused(client: Callable[[Handler], GitHubClient]) -> None:
    with pytest.raises(InvalidResponse, match="without a number"):
        list(client(lambda request: linked([{"title": "x"}], None)).issues("acme/api", None))


def test_issues_are_asked_for_in_order_of_update(client: Callable[[Handler], GitHubClient]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert dict(request.url.params) == {
            "state": "all",
            "sort": "updated",
            "direction": "asc",
            "per_page": "100",
            "since": "2026-01-02T03:04:05Z",
        }
        return linked([], None)

    since = datetime.fromisoformat("2026-01-02T04:04:05.678+01:00")
    assert [page.items for page in client(answer).issues("acme/api", since)] == [[]]


RESET = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1767225700", "date": "Thu, 01 Jan 2026 00:00:00 GMT"}


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize(
    ("headers", "message", "wait"),
    [
        ({"retry-after": "17"}, "secondary rate limit", 17.0),
        ({"retry-after": "17", **RESET}, "", 17.0),
        (RESET, "API rate limit exceeded for user ID 1.", 101.0),
        ({"x-ratelimit-remaining": "0"}, "API rate limit exceeded", None),
        ({**RESET, "x-ratelimit-reset": "1"}, "API rate limit exceeded", 1.0),
        ({"x-ratelimit-remaining": "4000"}, "You have exceeded a secondary rate limit.", SECONDARY_LIMIT_WAIT),
        ({}, "You have triggered an abuse detection mechanism.", SECONDARY_LIMIT_WAIT),
    ],
)
def test_limits(status: int, headers: dict[str, str], message: str, wait: float | None) -> None:
    error = refusal(answered(status, headers, message))
    assert isinstance(error, RateLimited)
    assert error.retry_after == wait


def test_a_reset_without_the_servers_clock_goes_by_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.github.responses.time", SimpleNamespace(time=lambda: 1_000.0))
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1030"}
    error = refusal(answered(403, headers, ""))
    assert isinstance(error, RateLimited)
    assert error.retry_after == 31.0


def answered(status: int, headers: dict[str, str], message: str) -> httpx.Response:
    request = httpx.Request("GET", "https://ghe.test/api/v3/x?secret=1")
    return httpx.Response(status, headers=headers, json={"message": message}, request=request)


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [
        (403, "Resource not accessible by personal access token", AccessDenied),
        (403, "Resource protected by organization SAML enforcement.", AccessDenied),
        (451, "Repository access blocked", NotFound),
        (410, "This issue was deleted", NotFound),
        (404, "Not Found", NotFound),
    ],
)
def test_refusals_that_no_waiting_helps(
    client: Callable[[Handler], GitHubClient], status: int, message: str, error: type[SourceError]
) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answered(status, {"x-ratelimit-remaining": "4999"}, message)

    with pytest.raises(error):
        client(answer).repository("acme/api")
    assert len(asked) == 1


def test_a_limit_is_waited_for(client: Callable[[Handler], GitHubClient], monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    fake = SimpleNamespace(monotonic=lambda: sum(slept), sleep=slept.append, time=time.time)
    monkeypatch.setattr("connectors.rate_limits.time", fake)
    answers = [answered(403, {"retry-after": "9"}, ""), httpx.Response(200, json={"full_name": "acme/api"})]
    assert client(lambda request: answers.pop(0)).repository("acme/api").payload.full_name == "acme/api"
    assert slept == [9.0]


def test_an_unchanged_tree_is_not_sent_again(client: Callable[[Handler], GitHubClient]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.headers.get("if-none-match") == 'W/"1"':
            return httpx.Response(304)
        entry = {"path": "a.md", "type": "blob", "mode": "100644", "sha": "f" * 40, "size": 3}
        return httpx.Response(200, json={"tree": [entry], "truncated": False}, headers={"etag": 'W/"1"'})

    found = client(answer).tree("acme/api", "main")
    assert found is not None
    assert [file.path for file in found.files] == ["a.md"]
    assert client(answer).tree("acme/api", "main", found.etag) is None
    assert client(answer).tree("acme/api", "main", 'W/"0"') == found


def test_branches_and_paths_are_quoted(client: Callable[[Handler], GitHubClient]) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path.decode())
        return httpx.Response(200, json=[] if "commits" in request.url.path else {"tree": []})

    opened = client(answer)
    opened.tree("acme/api", "release/v1 #2")
    assert opened.last_commit("acme/api", "main", "docs/é?.md") is None
    assert asked == [
        "/api/v3/repos/acme/api/git/trees/release/v1%20%232?recursive=1",
        "/api/v3/repos/acme/api/commits?sha=main&path=docs%2F%C3%A9%3F.md&per_page=1",
    ]


@pytest.mark.parametrize(
    ("body", "content"),
    [
        ({"encoding": "base64", "content": "aGVs\nbG8=\n"}, b"hello"),
        ({"encoding": "utf-8", "content": "hé"}, "hé".encode()),
        ({"encoding": "base64", "content": ""}, b""),
    ],
)
def test_blobs(client: Callable[[Handler], GitHubClient], body: dict[str, str], content: bytes) -> None:
    assert client(lambda request: httpx.Response(200, json=body)).blob("acme/api", "f" * 40) == content


def test_a_blob_that_is_not_base64_is_refused(client: Callable[[Handler], GitHubClient]) -> None:
    body = {"encoding": "base64", "content": "a"}
    with pytest.raises(InvalidResponse, match="not base64"):
        client(lambda request: httpx.Response(200, json=body)).blob("acme/api", "f" * 40)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    ],
)
def test_moments(value: str | None, expected: datetime | None) -> None:
    assert parse_time(value) == expected
