"""Bodies as servers send them: packed, in parts, cut."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping

import httpx
import pytest
import stamina

from connectors.errors import AnswerTooLarge, InvalidResponse, NotFound
from connectors.http import ATTEMPTS, ApiClient
from connectors.response_bodies import MOST_BYTES, answered_type, file_bytes

SAYS = b"What the file says, which is a little more than nothing. " * 40
ZLIB = zlib.compress(SAYS)


@pytest.fixture(autouse=True)
def _no_backoff() -> Iterator[None]:
    with stamina.set_testing(True, attempts=ATTEMPTS):
        yield


class Server:
    """Sends one answer, in pieces of `piece` bytes, and counts how often."""

    def __init__(self, body: bytes, headers: Mapping[str, str] | None = None, status: int = 200, piece: int = 7):
        self.body, self.headers, self.status, self.piece = body, dict(headers or {}), status, piece
        self.asked = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        return httpx.Response(self.status, headers=self.headers, stream=_Pieces(self.body, self.piece))


class _Pieces(httpx.SyncByteStream):
    def __init__(self, body: bytes, piece: int) -> None:
        self._body, self._piece = body, piece

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, len(self._body), self._piece):
            yield self._body[at : at + self._piece]


def get(server: Server, asked: str = "") -> bytes:
    with ApiClient("https://files.test", {}, transport=httpx.MockTransport(server)) as api:
        return api.send("GET", "file?secret=1", parse=file_bytes, headers={"Range": asked} if asked else {})


def refused(server: Server, asked: str = "") -> str:
    """The reason for which an answer is not taken, once it was asked for again."""
    with pytest.raises(InvalidResponse) as caught:
        get(server, asked)
    assert server.asked == ATTEMPTS
    assert "secret" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("piece", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(SAYS)),
        ("X-GZIP", gzip.compress(SAYS)),
        ("gzip", gzip.compress(SAYS[:100]) + gzip.compress(SAYS[100:])),
        ("gzip", gzip.compress(SAYS) + bytes(9)),
        ("deflate", ZLIB),
        ("deflate", ZLIB[2:-4]),
        ("identity", SAYS),
    ],
    ids=["gzip", "x-gzip", "members", "padded", "deflate", "bare", "plain"],
)
def test_a_packed_body_is_read_to_its_end(coding: str, packed: bytes, piece: int) -> None:
    assert get(Server(packed, {"Content-Encoding": coding}, piece=piece)) == SAYS


@pytest.mark.parametrize("left", [-1, -8, 20])
@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(SAYS)),
        ("gzip", gzip.compress(SAYS) + gzip.compress(SAYS)),
        ("deflate", ZLIB),
        ("deflate", ZLIB[2:-4]),
    ],
    ids=["gzip", "members", "deflate", "bare"],
)
def test_a_packed_body_that_ends_before_its_end_is_cut(coding: str, packed: bytes, left: int) -> None:
    assert f"its {coding} data are cut" in refused(Server(packed[:left], {"Content-Encoding": coding}))


def test_what_is_not_packed_as_it_says_is_no_answer() -> None:
    assert "not gzip" in refused(Server(SAYS, {"Content-Encoding": "gzip"}))


@pytest.mark.parametrize("status", [200, 304])
def test_a_packed_body_of_no_bytes_is_empty(status: int) -> None:
    server = Server(b"", {"Content-Encoding": "gzip"}, status)
    with ApiClient("https://files.test", {}, transport=httpx.MockTransport(server)) as api:
        assert api.send("GET", "file", parse=lambda response: response.content) == b""


def test_a_refusal_counts_though_its_words_are_cut() -> None:
    with pytest.raises(NotFound):
        get(Server(gzip.compress(SAYS)[:20], {"Content-Encoding": "gzip"}, 404))


def test_an_answer_is_unpacked_no_further_than_the_largest_that_is_read() -> None:
    server = Server(gzip.compress(b"x" * (MOST_BYTES + 1)), {"Content-Encoding": "gzip"}, piece=10_000)
    with pytest.raises(AnswerTooLarge, match="more than 64 MB"):
        get(server)
    assert server.asked == 1  # the same would come again


def test_an_unpacked_answer_keeps_its_other_headers() -> None:
    server = Server(gzip.compress(b"{}"), {"Content-Encoding": "gzip", "ETag": "1"})
    with ApiClient("https://files.test", {}, transport=httpx.MockTransport(server)) as api:
        read = api.send("GET", "file", parse=lambda response: (response.headers["etag"], response.json()))
    assert read == ("1", {})


SIZE = len(SAYS)


@pytest.mark.parametrize(
    ("asked", "told", "sent"),
    [
        ("", f"bytes 0-{SIZE - 1}/{SIZE}", SIZE),
        ("bytes=0-9999", f"bytes 0-{SIZE - 1}/{SIZE}", SIZE),
        ("bytes=0-99", f"bytes 0-99/{SIZE}", 100),
        ("bytes=0-99", "bytes 0-99/*", 100),
    ],
)
def test_a_part_that_is_all_that_was_asked_for_is_taken(asked: str, told: str, sent: int) -> None:
    assert get(Server(SAYS[:sent], {"Content-Range": told}, 206), asked) == SAYS[:sent]


@pytest.mark.parametrize(
    ("asked", "told", "sent"),
    [
        ("", f"bytes 0-99/{SIZE}", 100),
        ("", "bytes 0-99/*", 100),
        ("", f"bytes 100-{SIZE - 1}/{SIZE}", SIZE - 100),
        ("", "", SIZE),
        ("", "lines 0-9/10", SIZE),
        ("", f"bytes 0-{SIZE - 1}/{SIZE}", 100),
        ("bytes=0-9999", f"bytes 0-99/{SIZE}", 100),
        ("bytes=0-9999", "bytes 0-99/*", 100),
        ("bytes=0-99", f"bytes 1-99/{SIZE}", 99),
        ("bytes=0-99", f"bytes 0-99/{SIZE}", 50),
    ],
)
def test_a_part_of_what_was_asked_for_is_no_answer(asked: str, told: str, sent: int) -> None:
    reason = refused(Server(SAYS[:sent], {"Content-Range": told} if told else {}, 206), asked)
    assert ("a part of it" in reason) or (f"{sent} of" in reason)


@pytest.mark.parametrize("status", [202, 204, 205])
def test_a_success_that_brings_no_file_is_none(status: int) -> None:
    assert f"HTTP {status} in place of a file" in refused(Server(b"", status=status))


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("text/x-markdown; charset=UTF-8", "text/markdown"),
        ("Text/HTML", "text/html"),
        ("application/octet-stream", ""),
        (None, ""),
    ],
)
def test_types_are_told_under_one_name(told: str | None, found: str) -> None:
    assert answered_type(httpx.Response(200, headers={"content-type": told} if told else {})) == found
