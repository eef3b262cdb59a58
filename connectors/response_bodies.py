"""Bodies of HTTP answers: unpacked no further than anything that is read, and only where nothing says that more was to
come."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

import httpx

from connectors.errors import AnswerTooLarge, InvalidResponse
from connectors.media import declared_type

MOST_BYTES = 64_000_000
"""Of an answer, unpacked: a file of 25 MB, the largest that is read, has 34 MB as base64. gzip makes 1 MB of 1 GB."""

_GZIP_BEGINS = 0x1F
_ZLIB_METHOD = 8
"""In the lower half of the first byte of zlib's format (RFC 1950, 2.2)."""
_PARTIAL_CONTENT = 206
_WITH_CONTENT = frozenset({200, 203, _PARTIAL_CONTENT})
_ASKED = re.compile(r"bytes=0-(\d{1,15})", re.ASCII)
_TOLD = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15}|\*)", re.ASCII)
_UNTOLD = frozenset({"application/octet-stream", "binary/octet-stream"})


def read_body(response: httpx.Response) -> bytes:
    """The body of a streamed answer. Raises AnswerTooLarge, InvalidResponse where it is not whole, and
    httpx.HTTPError."""
    parts: list[bytes] = []
    size = 0
    for part in _unpacked(response):
        size += len(part)
        if size > MOST_BYTES:
            raise AnswerTooLarge(_address(response), MOST_BYTES)
        parts.append(part)
    if response.status_code == _PARTIAL_CONTENT:
        _require_all_asked(response, size)
    return b"".join(parts)


def file_bytes(response: httpx.Response) -> bytes:
    """The file that an answer brings. Raises InvalidResponse for a success that brings none (RFC 9110, 15.3.5)."""
    if response.status_code not in _WITH_CONTENT:
        raise InvalidResponse(_address(response), f"HTTP {response.status_code} in place of a file")
    return response.content


def answered_type(response: httpx.Response) -> str:
    """Media type that an answer says its body to have; empty where it says nothing that tells one from another."""
    answered = declared_type(response.headers.get("content-type", ""))
    return "" if answered in _UNTOLD else answered


def _unpacked(response: httpx.Response) -> Iterator[bytes]:
    """httpx takes a packed body that is cut for whole, and the first of several members for all of them."""
    coding = response.headers.get("content-encoding", "").strip().lower()
    return _inflated(response, coding) if coding in ("gzip", "x-gzip", "deflate") else response.iter_bytes()


def _inflated(response: httpx.Response, coding: str) -> Iterator[bytes]:
    member = None
    for packed in response.iter_raw():
        while packed:
            if member is None or member.eof:
                if member and packed[0] != _GZIP_BEGINS:
                    return  # padding, as gzip itself passes it over
                member = zlib.decompressobj(_window(coding, packed[0]))
            try:
                yield member.decompress(packed)
            except zlib.error as error:
                raise InvalidResponse(_address(response), f"not {coding}: {error}") from error
            packed = member.unused_data  # none before the member's end
    if member and not member.eof and response.is_success:
        raise InvalidResponse(_address(response), f"its {coding} data are cut")


def _window(coding: str, first: int) -> int:
    """What zlib calls the format: some servers send deflate without the envelope that RFC 9110, 8.4.1.2, asks for."""
    if coding != "deflate":
        return zlib.MAX_WBITS | 16
    return zlib.MAX_WBITS if first & 0x0F == _ZLIB_METHOD else -zlib.MAX_WBITS


def _require_all_asked(response: httpx.Response, size: int) -> None:
    """Raises InvalidResponse where a part (RFC 9110, 15.3.7) of `size` bytes, unpacked, is neither the whole nor as
    much of it as was asked for from its beginning."""
    told = response.headers.get("content-range", "")
    asked = _ASKED.fullmatch(response.request.headers.get("range", ""))
    found = _TOLD.fullmatch(told)
    ends = [int(asked[1])] if asked else []
    ends += [int(found[3]) - 1] if found and found[3] != "*" else []
    if not found or not ends or int(found[1]) != 0 or int(found[2]) < min(ends):
        raise InvalidResponse(_address(response), f"a part of it: {told or 'of which nothing is told'}")
    expected = int(found[2]) + 1
    if size < expected and "content-encoding" not in response.headers:  # else the range is of the packed bytes
        raise InvalidResponse(_address(response), f"{size} of {expected} bytes")


def _address(response: httpx.Response) -> str:
    return str(response.url).split("?", 1)[0]
