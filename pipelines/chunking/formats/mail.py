"""Mails as files (EML), with what is attached to them."""

from __future__ import annotations

import binascii
import codecs
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from connectors import media
from connectors.decoding import decode
from connectors.zero_bytes import has_wide_mark
from pipelines.chunking.blocks import Block, heading, paragraphs, unread
from pipelines.chunking.formats.calendars import calendar_blocks
from pipelines.chunking.formats.html import html_blocks
from pipelines.chunking.formats.mime import MailPart, parse_part
from pipelines.errors import DocumentError

ReadAttachment: TypeAlias = Callable[[bytes, str, str, int], list[Block]]
"""The blocks of a file, by its bytes, declared content type and name, and how deep it is in mails. Raises
DocumentError."""

_HEADERS = ("Subject", "From", "To", "Cc", "Date")
_DEEPEST = 8
"""Levels of parts in parts, and of mails in mails, that are read."""
_MOST_PARTS = 300
"""Parts that are read; the rest is named."""
_MISSING_SHARE = 0.1
"""An alternative is read where the one before it lacks more than this share of its words, and has fewer of its own."""
_WORD = re.compile(r"\w+")
_ADDRESS = re.compile(r"\w+://\S+")
"""What plain text writes out, and HTML has behind a word."""
_STUB = re.compile(r"(?i)(?<![a-z])html(?![a-z])|browser|navigateur|navegador|浏览器|瀏覽器|ブラウザ|браузер|브라우저")
_STUB_WORDS = 25
"""So few words that name what another program would show are only said instead of the text."""
_PAGE = frozenset({"html", "enriched", "x-amp-html", "watch-html"})
_NO_WORDS = frozenset({"css", "javascript", "ecmascript", "x-javascript"})
"""What a page is shown with; MHTML brings it along."""
_LAST_CHOICE = frozenset({"text/x-amp-html", "text/watch-html"})
"""Alternatives for programs that show more, or less, than mail programs do; the others say the same to people."""
_RTF = frozenset({"text/rtf", "application/rtf"})
_UUENCODED = re.compile(rb"^begin [0-7]{3,4} ([^\r\n]+)\r?\n((?:[ -`]{1,62}\r?\n)*?)(?:[ `]\r?\n)?end[ \t]*\r?$", re.M)
_STUFFED = re.compile(r"(>*)( ?)(.*)")


def mail_blocks(content: bytes, read_attachment: ReadAttachment, depth: int = 0) -> list[Block]:
    """The headers that people read, the body, and what is attached, each under its name."""
    if has_wide_mark(content):
        content = decode(content).encode()
    content = content.removeprefix(codecs.BOM_UTF8).lstrip(b"\r\n")
    return _MailReader(read_attachment).blocks(parse_part(content), depth)


class _MailReader:
    """Reads the parts of one mail, of which it has room for so many."""

    def __init__(self, read_attachment: ReadAttachment) -> None:
        self._read_attachment = read_attachment
        self._room = _MOST_PARTS

    def blocks(self, mail: MailPart, depth: int = 0) -> list[Block]:
        """A mail's blocks, and the names of what is attached but cannot be read."""
        named: list[str] = []
        headers = "\n".join(f"{name}: {value}" for name in _HEADERS if (value := mail.header(name)))
        body = list(self._part(mail, named, depth))
        attached = paragraphs(f"Attachments: {', '.join(named)}" if named else "")
        return [*paragraphs(headers), *body, *attached]

    def _part(self, part: MailPart, named: list[str], depth: int) -> Iterator[Block]:
        if part.name:
            named.append(part.name)
        self._room -= 1
        if depth > _DEEPEST:
            yield unread(f"only {_DEEPEST} levels of a mail's parts are read")
        if self._room < 0 or depth > _DEEPEST:
            return
        kind, _, subtype = part.content_type.partition("/")
        if kind == "multipart" and (parts := list(part.parts())):
            yield from self._parts(parts, subtype, named, depth + 1)
        elif part.content_type == media.EML:
            yield from self._forwarded(part, depth + 1)
        elif part.name or part.is_attached or part.content_type in _RTF:
            content_type = str(part.headers.get("Content-Type", ""))
            yield from self._file(part.data(), content_type, part.name, depth + 1)
        elif kind in ("text", "message", "multipart"):
            yield from self._text(part, named, depth)

    def _parts(self, parts: Sequence[MailPart], subtype: str, named: list[str], depth: int) -> Iterator[Block]:
        if len(parts) > self._room:
            yield unread(f"only the first {_MOST_PARTS} parts of a mail are read")
        read = [(part, list(self._part(part, named, depth))) for part in parts[: self._room + 1]]
        if subtype == "alternative":
            read = _best(read)
        seen: set[str] = set()
        for part, blocks in read:
            text = "\n".join(block.text for block in blocks)
            if part.content_type == media.CALENDAR and text in seen:  # sent beside the mail and attached to it
                continue
            seen.add(text)
            yield from blocks

    def _forwarded(self, part: MailPart, depth: int) -> Iterator[Block]:
        inner = parse_part(part.data().lstrip(b"\r\n"))
        yield heading(part.name or inner.header("Subject") or "Forwarded message", 2)
        yield from map(_below, self.blocks(inner, depth))

    def _file(self, data: bytes, content_type: str, name: str, depth: int) -> Iterator[Block]:
        """What is attached. What cannot be read is named, unless it is of a kind that holds no text."""
        try:
            blocks = self._read_attachment(data, content_type, name, depth)
        except DocumentError as error:
            if not error.reason.startswith("unsupported type"):  # mostly a picture
                yield unread(f"attached {name or content_type}: {error.reason}")
            return
        if blocks:
            yield from [heading(name, 2)] if name else []
            yield from map(_below, blocks)

    def _text(self, part: MailPart, named: list[str], depth: int) -> Iterator[Block]:
        subtype = part.content_type.partition("/")[2]
        if subtype in _PAGE:
            try:
                yield from html_blocks(part.text())
            except DocumentError as error:  # the rest of the mail is no worse for it
                yield unread(error.reason)
        elif subtype == "calendar":
            yield from calendar_blocks(part.text())
        elif subtype not in _NO_WORDS:
            yield from self._plain(part, named, depth)

    def _plain(self, part: MailPart, named: list[str], depth: int) -> Iterator[Block]:
        """Plain text, of which files may be a part that is written as letters (uuencode)."""
        files = list(_UUENCODED.finditer(part.body)) if b"begin " in part.body else []
        own = MailPart(part.headers, _UUENCODED.sub(b"", part.body)) if files else part
        text = own.text()
        if part.parameters.get("format", "").lower() == "flowed" or _says_flowed(part):
            text = _unflowed(text, part.parameters.get("delsp", "").lower() == "yes")
        yield from paragraphs(text)
        for found in files:
            name = decode(found[1]).strip()
            named.append(name)
            yield from self._file(_uudecoded(found[2]), "", name, depth + 1)


def _best(read: list[tuple[MailPart, list[Block]]]) -> list[tuple[MailPart, list[Block]]]:
    """Of the alternatives of one text the fullest, the first of those that say much the same; invitations are read
    beside it."""
    events = [(part, blocks) for part, blocks in read if part.content_type == media.CALENDAR]
    texts = [(part, blocks) for part, blocks in read if blocks and part.content_type != media.CALENDAR]
    usual = [(part, blocks) for part, blocks in texts if part.content_type not in _LAST_CHOICE] or texts
    if not usual:
        return events
    best, words = usual[0], _words(usual[0][1])
    for other in usual[1:]:
        others = _words(other[1])
        if _length(others - words) > max(_MISSING_SHARE * _length(others), _length(words - others)):
            best, words = other, others
    return [best, *events]


def _words(blocks: Sequence[Block]) -> set[str]:
    """All words of an alternative; none of one that only says where else the text is."""
    text = _ADDRESS.sub(" ", "\n".join(block.text for block in blocks))
    words = set(_WORD.findall(text))
    return set() if len(words) <= _STUB_WORDS and _STUB.search(text) else words


def _length(words: set[str]) -> int:
    """Letters, since a whole sentence is one word where no spaces are written."""
    return sum(map(len, words))


def _below(block: Block) -> Block:
    """A block of what is inside a mail: its headings are below the name, and its pages are not the mail's."""
    if block.kind != "heading":
        return replace(block, page=None)
    return replace(heading(block.text.lstrip("#"), block.level + 2), page=None)


def _says_flowed(part: MailPart) -> bool:
    """Some put all parameters into the charset's quotation marks."""
    return "format=flowed" in part.parameters.get("charset", "").lower()


def _unflowed(text: str, joined_without_space: bool) -> str:
    """Paragraphs whose lines end in a space where they go on (RFC 3676, 4)."""
    lines: list[str] = []
    open_quote: str | None = None
    for line in text.split("\n"):
        found = _STUFFED.match(line)
        quote, _, words = found.groups() if found else ("", "", line)
        goes_on = words.endswith(" ") and words != "-- "
        kept = words[:-1] if goes_on and joined_without_space else words
        if open_quote == quote:
            lines[-1] += kept
        else:
            lines.append(f"{quote} {kept}" if quote else kept)
        open_quote = quote if goes_on else None
    return "\n".join(lines)


def _uudecoded(lines: bytes) -> bytes:
    data = bytearray()
    for line in lines.splitlines():
        try:
            data += binascii.a2b_uu(line)
        except binascii.Error:  # a line of another length than it says
            continue
    return bytes(data)
