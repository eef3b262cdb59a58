"""The client against a transport of ours, with a clock of ours: nothing is sent and nothing sleeps."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import stamina

from connectors.errors import (
    AccessDenied,
    AuthenticationFailed,
    InvalidResponse,
    NotFound,
    RateLimited,
    RequestRejected,
    SourceError,
    TransientError,
    Unavailable,
)
from connectors.http import ATTEMPTS, PROMPT, ApiClient, parsed, retry_after
from connectors.rate_limits import LONGEST_WAIT

TOKEN = "ghp-very-secret"
BASE = "https://api.test/prefix"

Answer = httpx.Response | Exception


class Clock:
    """Stands in for the `time` module: sleeping only moves it."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    fake = SimpleNamespace(monotonic=clock.monotonic, sleep=clock.sleep, time=time.time)
    monkeypatch.setattr("connectors.rate_limits.time", fake)
    return clock


@pytest.fixture(autouse=True)
def _no_backoff() -> Iterator[None]:
    with stamina.set_testing(True, attempts=ATTEMPTS):
        yield


class Server:
    """Gives `answers` one after the other, the last one for ever, and keeps what was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    @property
    def urls(self) -> list[str]:
        return [str(request.url) for request in self.asked]


def client(server: Callable[[httpx.Request], httpx.Response], base_url: str = BASE, token: str = TOKEN) -> ApiClient:
    return ApiClient(base_url, {"Authorization": f"Bearer {token}"}, transport=httpx.MockTransport(server))


def get_json(api: ApiClient, path: str, params: dict[str, Any] | None = None) -> Any:
    return api.send("GET", path, params=params, parse=parsed)


def ok(body: object = None) -> httpx.Response:
    return httpx.Response(200, json={"ok": True} if body is None else body)


HTML = httpx.Response(502, headers={"content-type": "text/html"}, content=b"<html>Bad gateway</html>")
TRUNCATED = httpx.Response(200, headers={"content-type": "application/json"}, content=b'{"items": [1, 2')


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.Response(429),
        httpx.Response(429, headers={"retry-after": "7"}),
        HTML,
        httpx.Response(503),
        httpx.Response(408),
        TRUNCATED,
        httpx.Response(200, content=b""),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("closed"),
    ],
)
def test_transient_trouble_is_tried_again(trouble: Answer) -> None:
    server = Server(trouble, trouble, ok())
    with client(server) as api:
        assert get_json(api, "things") == {"ok": True}
        assert api.requests == 3


def test_a_limit_that_names_no_time_is_waited_for_longer_each_time(clock: Clock) -> None:
    limited = httpx.Response(429)
    with client(Server(limited, limited, limited, ok(), limited, ok())) as api:
        get_json(api, "things")
        get_json(api, "things")
    assert [2 <= clock.slept[0] <= 3, 4 <= clock.slept[1] <= 6, 8 <= clock.slept[2] <= 12] == [True] * 3
    assert 2 <= clock.slept[3] <= 3, "what went through is forgotten"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(429), RateLimited),
        (HTML, Unavailable),
        (TRUNCATED, InvalidResponse),
        (httpx.ConnectError("refused"), Unavailable),
    ],
)
def test_trouble_that_stays_is_raised_after_all_attempts(answer: Answer, error: type[SourceError]) -> None:
    server = Server(answer)
    with pytest.raises(error, match=r"https://api\.test/prefix/things"):
        get_json(client(server), "things", {"q": "x"})
    assert len(server.asked) == ATTEMPTS


def test_a_question_of_rights_is_asked_once_more_and_limits_do_not_count() -> None:
    limited = httpx.Response(429, headers={"retry-after": "0"})
    server = Server(limited, HTML, limited, HTML, ok())
    with pytest.raises(Unavailable):
        client(server).send("GET", "readers", parse=parsed, retries=PROMPT)
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    ("status", "body", "error", "message"),
    [
        (401, {"message": "Bad credentials"}, AuthenticationFailed, "Bad credentials"),
        (403, {"error": {"message": "insufficient scope"}}, AccessDenied, "insufficient scope"),
        (404, {}, NotFound, "not found"),
        (410, {}, NotFound, "not found"),
        (422, {"error": "invalid_arguments"}, RequestRejected, "HTTP 422: invalid_arguments"),
        (400, ["unexpected"], RequestRejected, "HTTP 400"),
    ],
)
def test_what_cannot_be_retried_is_raised_at_once(
    status: int, body: object, error: type[SourceError], message: str
) -> None:
    server = Server(httpx.Response(status, json=body))
    with pytest.raises(error, match=message):
        get_json(client(server), "things")
    assert len(server.asked) == 1


def test_a_limit_holds_back_the_next_request_of_the_client(clock: Clock) -> None:
    server = Server(httpx.Response(429, headers={"retry-after": "30"}), ok())
    api = client(server)
    get_json(api, "things")
    assert clock.slept == [30.0]
    get_json(api, "things")
    assert clock.slept == [30.0]


def test_a_limit_that_lasts_too_long_is_not_waited_for(clock: Clock) -> None:
    server = Server(httpx.Response(429, headers={"retry-after": str(LONGEST_WAIT + 1)}))
    with pytest.raises(RateLimited) as caught:
        get_json(client(server), "things")
    assert caught.value.retry_after == LONGEST_WAIT + 1
    with pytest.raises(RateLimited, match="retry after"):
        get_json(client(server), "others")
    assert len(server.asked) == 1
    assert clock.slept == []


def test_clients_of_one_credential_share_a_limit_and_others_do_not(clock: Clock) -> None:
    server = Server(httpx.Response(429, headers={"retry-after": str(LONGEST_WAIT + 1)}), ok())
    with pytest.raises(RateLimited):
        get_json(client(server), "things")
    get_json(client(server, token="other"), "things")
    with pytest.raises(RateLimited):
        get_json(client(server), "things")
    clock.now += LONGEST_WAIT + 1
    get_json(client(server), "things")


def test_tiers_are_limited_apart() -> None:
    server = Server(httpx.Response(429, headers={"retry-after": str(LONGEST_WAIT + 1)}), ok())
    headers = {"Authorization": "Bearer t"}
    api = ApiClient(
        "https://api.test", headers, tier=lambda path: path.strip("/"), transport=httpx.MockTransport(server)
    )
    with pytest.raises(RateLimited):
        get_json(api, "slow")
    get_json(api, "quick")
    with pytest.raises(RateLimited):
        get_json(api, "slow")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("", None),
        ("12", 12.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("soon", None),
        ("inf", None),
        ("nan", None),
        ("Thu, 01 Jan 2026 00:00:00 GMT", 0.0),
    ],
)
def test_retry_after_in_seconds(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}) == seconds


def test_retry_after_as_a_date() -> None:
    response = httpx.Response(429, headers={"retry-after": formatdate(time.time() + 100, usegmt=True)})
    assert retry_after(response.headers) == pytest.approx(100, abs=5)


@pytest.mark.parametrize(
    ("base", "link", "url"),
    [
        (BASE, "repos/a", "https://api.test/prefix/repos/a"),
        (BASE, "/repos/a?page=2", "https://api.test/prefix/repos/a?page=2"),
        (BASE, "https://api.test/prefix/repos/a?page=2", "https://api.test/prefix/repos/a?page=2"),
        (BASE, "https://elsewhere.test/repos/a?page=2", "https://api.test/prefix/repos/a?page=2"),
        (BASE, "http://elsewhere.test:81/prefix/repos", "https://api.test/prefix/repos"),
        (BASE, "https://elsewhere.test/prefixed/repos", "https://api.test/prefix/prefixed/repos"),
        (BASE, "//elsewhere.test/repos", "https://api.test/prefix/repos"),
        (BASE, "https://user:pass@elsewhere.test/repos#top", "https://api.test/prefix/repos"),
        ("https://api.test", "https://elsewhere.test/repos/a", "https://api.test/repos/a"),
        ("https://api.test:8443/", "https://api.test/repos/a", "https://api.test:8443/repos/a"),
    ],
)
def test_links_are_anchored_to_the_base_url(base: str, link: str, url: str) -> None:
    server = Server(ok())
    get_json(client(server, base), link)
    assert server.urls == [url]


@pytest.mark.parametrize(
    ("location", "followed"),
    [
        ("https://elsewhere.test/repositories/1?b=2", "https://api.test/prefix/repositories/1?b=2"),
        ("https://api.test/prefix/repositories/1", "https://api.test/prefix/repositories/1"),
        ("/prefix/repositories/1", "https://api.test/prefix/repositories/1"),
        ("1", "https://api.test/prefix/repositories/1"),
    ],
)
def test_redirects_stay_on_the_host(location: str, followed: str) -> None:
    server = Server(httpx.Response(301, headers={"location": location}), ok())
    get_json(client(server), "repositories/old", {"a": 1})
    assert server.urls == ["https://api.test/prefix/repositories/old?a=1", followed]
    assert {request.url.host for request in server.asked} == {"api.test"}


def test_endless_redirects_end() -> None:
    server = Server(httpx.Response(302, headers={"location": "/prefix/again"}))
    with pytest.raises(RequestRejected, match="HTTP 302"):
        get_json(client(server), "things")
    assert len(server.asked) <= ATTEMPTS


@pytest.mark.parametrize("location", ["https://[broken", "http://api.test:port/"])
def test_a_redirect_to_no_url_is_an_error_of_the_source(location: str) -> None:
    server = Server(httpx.Response(302, headers={"location": location}))
    with pytest.raises(TransientError, match="Invalid"):
        get_json(client(server), "things")


@pytest.mark.parametrize("link", ["https://[broken", "https://api.test/prefix/\x01"])
def test_a_link_that_is_no_url_is_an_unusable_answer(link: str) -> None:
    with pytest.raises(InvalidResponse):
        get_json(client(Server(ok())), link)


def test_not_modified_is_an_answer() -> None:
    server = Server(httpx.Response(304))
    assert client(server).send("GET", "things", parse=lambda response: response.status_code) == 304


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(401, json={"message": "no"}), httpx.Response(500), TRUNCATED, httpx.ConnectError("refused")],
)
def test_errors_hold_neither_token_nor_query(answer: Answer) -> None:
    with pytest.raises(SourceError) as caught:
        get_json(client(Server(answer)), "things", {"cursor": "opaque-secret"})
    assert TOKEN not in str(caught.value)
    assert "opaque-secret" not in str(caught.value)


def test_a_token_that_no_header_can_carry_is_not_quoted() -> None:
    """The real transport refuses such a header once it is connected."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with (
            ApiClient(f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {TOKEN}\nx"}) as api,
            pytest.raises(AuthenticationFailed, match="check the connection's token") as caught,
        ):
            get_json(api, "things")
    assert TOKEN not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_headers_may_hold_any_bytes() -> None:
    """RFC 9110, 5.5."""
    odd = client(lambda request: httpx.Response(200, headers=[(b"X-Note", b"caf\xe9")], json={}))
    assert odd.send("GET", "things", parse=lambda response: response.headers["x-note"]) == "caf\xe9"


def test_bodies_and_bytes() -> None:
    server = Server(ok())
    api = client(server)
    api.send("POST", "search", json={"q": "x"}, parse=parsed)
    assert json.loads(server.asked[0].content) == {"q": "x"}
    assert api.get_bytes("file") == b'{"ok":true}'


def attempts(api: ApiClient, server: Server) -> int:
    """How often a request that gets no answer is sent."""
    before = len(server.asked)
    with pytest.raises(Unavailable):
        get_json(api, "things")
    return len(server.asked) - before


def test_clients_of_a_source_that_is_down_know_of_each_other() -> None:
    down = Server(httpx.Response(503))
    objects = client(down)
    listings = ApiClient(BASE, {}, transport=httpx.MockTransport(down), sibling=objects)
    assert (attempts(objects, down), attempts(listings, down)) == (ATTEMPTS, 1)


def test_an_answered_sibling_says_nothing_of_the_others() -> None:
    down, up = Server(httpx.Response(503)), Server(ok())
    objects = client(down)
    listings = ApiClient(BASE, {}, transport=httpx.MockTransport(up), sibling=objects)
    assert attempts(objects, down) == ATTEMPTS
    get_json(listings, "things")
    assert attempts(objects, down) == 1


def test_an_answer_that_was_on_its_way_says_nothing_of_a_source_that_went_down() -> None:
    down = Server(httpx.Response(503))

    def late(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/late"):
            assert attempts(api, down) == ATTEMPTS
            return ok()
        return down(request)

    api = ApiClient(BASE, {}, transport=httpx.MockTransport(late))
    get_json(api, "late")
    assert attempts(api, down) == 1
