"""Connections that keep the server waiting: cut off, answered where possible, and never in the way of others."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest
from fastapi import FastAPI, Request

from pipelines.service import connections, request_guard
from pipelines.service.metrics import Metrics
from pipelines.service.request_guard import ANY_HOST
from pipelines.service.run import server_config
from pipelines.service_settings import LimitsSettings
from tests.loopback import serve

HEAD = b"POST /webhooks/echo HTTP/1.1\r\nHost: headrace\r\n"
AT_MOST = 10


def echoing() -> FastAPI:
    app = FastAPI()
    request_guard.install(app, ANY_HOST)

    @app.post("/webhooks/echo")
    async def echo(request: Request) -> int:
        return len(await request.body())

    @app.post("/webhooks/deaf")
    async def deaf() -> str:
        return "answered, and not read"

    return app


@contextmanager
def served(metrics: Metrics) -> Iterator[int]:
    """The port of a server with room for ten connections."""
    with serve(server_config(echoing(), LimitsSettings(connections=AT_MOST), metrics, lifespan="off")) as url:
        yield int(url.rpartition(":")[2])


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def port(metrics: Metrics, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(connections, "PATIENCE_SECONDS", 0.4)
    with served(metrics) as number:
        yield number


def connected(port: int, sent: bytes = b"") -> socket.socket:
    one = socket.create_connection(("127.0.0.1", port), timeout=10)
    one.sendall(sent)
    return one


def answer(one: socket.socket) -> bytes:
    """All that comes until the server closes the connection."""
    found = b""
    try:
        while part := one.recv(65_536):
            found += part
    except ConnectionResetError:
        pass
    return found


def closed(metrics: Metrics, why: str) -> float:
    counted = f'headrace_closed_connections_total{{reason="{why}"}} '
    return float(metrics.as_text().decode().partition(counted)[2].split("\n")[0] or 0)


def is_answered(port: int) -> bool:
    return httpx.post(f"http://127.0.0.1:{port}/webhooks/echo", content=b"x" * 10_000).text == "10000"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", b""),
        (HEAD, b"HTTP/1.1 408 "),
        (HEAD + b"Content-Length: 9\r\n\r\nhalf", b"HTTP/1.1 408 "),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", b"HTTP/1.1 408 "),
        (HEAD.replace(b"echo", b"deaf") + b"Content-Length: 9\r\n\r\nhalf", b"HTTP/1.1 200 "),
    ],
    ids=["nothing", "half a head", "half a body", "half of many", "a body that is not read"],
)
def test_what_does_not_arrive_in_time_is_cut_off(port: int, metrics: Metrics, sent: bytes, status: bytes) -> None:
    with connected(port, sent) as one:
        assert answer(one).startswith(status)
    assert closed(metrics, "slow") == 1


def test_dribbling_gains_no_time(port: int) -> None:
    with connected(port, HEAD) as one:
        one.settimeout(0.05)
        for _ in range(100):
            try:
                one.sendall(b"X")
                if not one.recv(1_000).startswith(b"HTTP/1.1 408 "):
                    break
                return
            except TimeoutError:
                continue
    raise AssertionError("still open after 5 seconds")


def test_a_head_without_end_is_refused(port: int) -> None:
    with connected(port, HEAD + b"X: " + b"a" * 65_536) as one:
        assert answer(one).startswith(b"HTTP/1.1 400 ")


def test_an_aborted_upload_leaves_no_traceback(port: int, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), connected(port, HEAD + b"Content-Length: 9\r\n\r\nhalf"):
        pass
    assert is_answered(port)
    assert [record for record in caplog.records if record.exc_info or "Traceback" in record.getMessage()] == []


def test_those_that_wait_longest_make_room(port: int, metrics: Metrics) -> None:
    with ExitStack() as opened:
        waiting = [opened.enter_context(connected(port, HEAD)) for _ in range(3 * AT_MOST)]
        assert is_answered(port)
        assert answer(waiting[0]).startswith(b"HTTP/1.1 503 ")
    assert closed(metrics, "crowded") >= 2 * AT_MOST


def test_idle_connections_make_room_without_a_word(port: int) -> None:
    with ExitStack() as opened:
        idle = [opened.enter_context(connected(port)) for _ in range(2 * AT_MOST)]
        assert is_answered(port)
        assert answer(idle[0]) == b""


def test_a_large_body_has_time_for_each_megabyte(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "BODY_STRETCH_BYTES", 1_000)
    size = 20_000
    with connected(port, HEAD + f"Content-Length: {size}\r\n\r\n".encode()) as steady:
        for _ in range(size // 1_000):
            steady.sendall(b"x" * 1_000)
            time.sleep(0.06)  # three times what the whole body has, and three times as fast as it must come
        assert steady.recv(15) == b"HTTP/1.1 200 OK"
    with connected(port, HEAD + f"Content-Length: {size}\r\n\r\n".encode()) as slow:
        slow.sendall(b"x" * 900)
        assert answer(slow).startswith(b"HTTP/1.1 408 ")


def test_whoever_holds_most_makes_room(port: int, metrics: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_UNANSWERED_BYTES", 300_000)
    body = HEAD + b"Content-Length: 200000\r\n\r\n"
    with connected(port, body + b"x" * 190_000) as largest, connected(port, body + b"x" * 90_000) as smaller:
        assert is_answered(port)
        with connected(port, body + b"x" * 60_000):
            assert answer(largest).startswith(b"HTTP/1.1 503 ")
            smaller.sendall(b"x" * 110_000)
            assert smaller.recv(15) == b"HTTP/1.1 200 OK"
    assert closed(metrics, "too much unanswered") == 1


def test_requests_one_behind_the_other_are_answered_and_then_the_connection_ends(port: int) -> None:
    whole = HEAD + b"Content-Length: 1\r\n\r\nx"
    with connected(port, whole + whole) as one:
        assert answer(one).count(b"HTTP/1.1 200 OK") == 1
    with connected(port, whole) as one:
        assert one.recv(15) == b"HTTP/1.1 200 OK"
        one.sendall(whole.replace(b"Host", b"Connection: close\r\nHost"))
        assert answer(one).count(b"HTTP/1.1 200 OK") == 1


def test_an_upgrade_is_an_ordinary_request(port: int, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
        assert httpx.post(f"http://127.0.0.1:{port}/webhooks/echo", content=b"x", headers=headers).status_code == 200
    assert caplog.records == []
