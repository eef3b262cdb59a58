"""The parts of a mail, and their headers and texts, as leniently as mail programs read them. Pure.

Headers are parsed by the standard library. It does not divide the parts here, since it looks at each line once for each
level, as deep as a mail may say; nor decode their texts, since it refuses charsets and addresses that others write.
"""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from functools import cached_property
from urllib.parse import unquote_to_bytes

from connectors.decoding import decode_leniently, find_codec

_HEADERS_END = re.compile(rb"\r?\n\r?\n|\r\r")
_LONGEST_HEADERS = 1_000_000
_LONGEST_HEADER = 20_000
_LINE_BREAK = re.compile(r"\r?\n|\r")
# RFC 2047, 2: also where it may not stand, with spaces inside, and cut in two between the bytes of a character.
_ENCODED_WORDS = re.compile(r"=\?[^?\s]{1,60}\?[bBqQ]\?[^?]*\?=(?:\s*=\?[^?\s]{1,60}\?[bBqQ]\?[^?]*\?=)*")
_ENCODED_WORD = re.compile(r"=\?([^?*\s]{1,60})(?:\*[^?\s]*)?\?([bBqQ])\?([^?]*)\?=")
_PARAMETER = re.compile(r";\s*([\w-]+)((?:\*\d+)?\*?)\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"?|([^;\s]*))")


@dataclass(frozen=True)
class MailPart:
    """A part of a mail, or a mail: its headers, and the bytes below them as they were sent."""

    headers: Message
    body: bytes

    @cached_property
    def content_type(self) -> str:
        """Media type, in lower case; that of plain text where none is told, or none that can be."""
        return self.headers.get_content_type()

    @cached_property
    def parameters(self) -> dict[str, str]:
        """Of the content type and disposition, with the names in lower case; those that stand in several pieces, or
        are encoded as RFC 2231 has it, in one."""
        fields = (raw_header(self.headers, name) for name in ("Content-Disposition", "Content-Type"))
        return dict(pair for field in fields for pair in _parameters(field))

    @cached_property
    def name(self) -> str:
        """The name of the file that the part is; empty where it is none."""
        return decode_header(self.parameters.get("filename") or self.parameters.get("name") or "").strip()

    @cached_property
    def is_attached(self) -> bool:
        return raw_header(self.headers, "Content-Disposition").strip().lower().startswith("attachment")

    def header(self, name: str) -> str:
        """A header as people read it, on one line; empty where there is none."""
        return decode_header(raw_header(self.headers, name))

    def data(self) -> bytes:
        """The body's bytes, decoded as far as they can be."""
        match raw_header(self.headers, "Content-Transfer-Encoding").strip().lower():
            case "base64":
                return _decode_base64(self.body)
            case "quoted-printable":
                return quopri.decodestring(self.body)
        return self.body

    def text(self) -> str:
        """The body as text, with `\\n` line ends."""
        charset = self.parameters.get("charset", "").partition(";")[0]
        return _LINE_BREAK.sub("\n", decode_leniently(self.data(), charset)).replace("\0", "\ufffd")

    def parts(self) -> Iterator[MailPart]:
        """What a multipart consists of; nothing where it does not say what divides it."""
        boundary = self.parameters.get("boundary", "")
        if not boundary:
            return
        line = re.escape(boundary.encode("ascii", "surrogateescape"))
        dividers = list(re.finditer(rb"(?:\A|\r?\n|\r)--%s(--)?[ \t]*(?=\r|\n|\Z)" % line, self.body))
        for number, divider in enumerate(dividers):
            if divider[1]:
                return
            end = dividers[number + 1].start() if number + 1 < len(dividers) else len(self.body)
            yield parse_part(self.body[divider.end() : end].lstrip(b"\r").removeprefix(b"\n"))


def parse_part(data: bytes) -> MailPart:
    """Headers up to the first empty line, and what follows."""
    if data[:1] in (b"\r", b"\n"):
        return MailPart(Message(), data.lstrip(b"\r\n"))
    found = _HEADERS_END.search(data, 0, _LONGEST_HEADERS)
    head, body = (data[: found.start()], data[found.end() :]) if found else (data[:_LONGEST_HEADERS], b"")
    return MailPart(BytesHeaderParser().parsebytes(head + b"\n\n"), body)


def raw_header(headers: Message, name: str) -> str:
    """A header's first value as it was sent, bytes beyond ASCII as half surrogates; empty where there is none."""
    values = (value for found, value in headers.raw_items() if found.lower() == name.lower())
    return str(next(values, ""))[:_LONGEST_HEADER]


def decode_header(raw: str) -> str:
    """A header's value on one line: encoded words decoded, and bytes beyond ASCII as text."""
    if not raw.isascii():
        raw = decode_leniently(raw.encode("utf-8", "surrogateescape"))
    return " ".join(_ENCODED_WORDS.sub(_decode_words, raw).split())


def _decode_words(found: re.Match[str]) -> str:
    """Adjacent encoded words; those of one charset together, since they may divide a character."""
    runs: list[tuple[str, bytearray]] = []
    for charset, kind, text in _ENCODED_WORD.findall(found[0]):
        data = _decode_base64(text.encode("ascii", "ignore")) if kind in "bB" else _decode_q(text)
        if not runs or runs[-1][0] != charset.lower():
            runs.append((charset.lower(), bytearray()))
        runs[-1][1].extend(data)
    return "".join(decode_leniently(bytes(data), charset) for charset, data in runs)


def _decode_q(text: str) -> bytes:
    return quopri.decodestring(text.replace("_", "=20").encode("utf-8", "surrogateescape"))


def _decode_base64(data: bytes) -> bytes:
    """What is base64 in it: other characters are left out, and the end may be missing."""
    kept = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
    return binascii.a2b_base64(kept[: len(kept) - (len(kept) % 4 == 1)] + b"=" * (-len(kept) % 4))


def _parameters(field: str) -> Iterator[tuple[str, str]]:
    pieces: dict[str, list[tuple[str, str]]] = {}
    for name, how, quoted, plain in _PARAMETER.findall(field):
        value = re.sub(r"\\(.)", r"\1", quoted) if quoted else plain
        pieces.setdefault(name.lower(), []).append((how, value))
    for name, values in pieces.items():
        continued = all(how for how, _ in values)
        yield name, _joined(values) if continued else values[0][1]


def _joined(pieces: list[tuple[str, str]]) -> str:
    """A parameter in several pieces, of which those marked `*` are encoded (RFC 2231, 3 and 4)."""
    ordered = sorted(pieces, key=lambda piece: int(re.sub(r"\D", "", piece[0]) or 0))
    charset, data = "", b""
    for number, (how, value) in enumerate(ordered):
        if how.endswith("*"):
            if number == 0 and value.count("'") >= 2:
                charset, _, value = value.split("'", 2)
            data += unquote_to_bytes(value)
        else:
            data += value.encode("utf-8", "surrogateescape")
    return decode_leniently(data, charset if find_codec(charset) else "")
