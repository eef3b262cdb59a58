"""Rich text to Markdown. Pure. https://developers.notion.com/reference/rich-text"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from connectors.notion.client import Payload

_STYLES = (("bold", "**"), ("italic", "*"), ("strikethrough", "~~"))
_OPENS_A_BLOCK = re.compile(r"^([ \t]*)(?=#{1,6}(?:\s|$)|`{3}|~{3}|(?:=+|-+)[ \t]*$)", re.MULTILINE)
_BACKTICKS = re.compile("`+")


@dataclass(frozen=True, slots=True)
class _Look:
    """How a stretch of text looks: Markdown marks around it, and where it links to."""

    marks: tuple[str, ...]
    code: bool
    equation: bool
    link: str


def plain(rich_text: object) -> str:
    """The text alone."""
    return "".join(_text(run) for run in _runs(rich_text))


def inline(rich_text: object) -> str:
    """Markdown in one line."""
    return " ".join(markdown(rich_text).split())


def markdown(rich_text: object) -> str:
    """Markdown of a paragraph; its line breaks stay.

    Characters that mean something inside a line are left as they were typed. What would make another block
    of it, or hide it as a comment, gets a backslash.
    """
    stretches = groupby(_runs(rich_text), key=_look)
    whole = "".join(_marked("".join(map(_text, runs)), look) for look, runs in stretches)
    return _OPENS_A_BLOCK.sub(r"\1\\", whole).strip("\n")


def _runs(rich_text: object) -> Iterator[Payload]:
    if isinstance(rich_text, list):
        yield from (run for run in rich_text if isinstance(run, dict) and _text(run))


def _text(run: Payload) -> str:
    """`plain_text`, which every kind of run has; else what the run's own kind holds."""
    text = _link_title(run) or run.get("plain_text")
    if not isinstance(text, str):
        body = _dict(run.get(str(run.get("type"))))
        text = body.get("content") or body.get("expression") or _mentioned(body)
    return str(text).replace("\r\n", "\n").replace("\r", "\n")


def _link_title(run: Payload) -> str:
    """The title that a mentioned link is shown by; its `plain_text` is the address."""
    mention = _dict(run.get("mention"))
    return str(_dict(mention.get("link_mention")).get("title") or "")


def _mentioned(mention: Payload) -> str:
    """What a mention says of itself: a person's name, a date, the title or address of a link."""
    told = _dict(mention.get(str(mention.get("type"))))
    if told.get("start"):
        return joined((str(told["start"]), str(told.get("end") or "")), " → ")
    return str(told.get("name") or told.get("title") or told.get("url") or told.get("href") or "")


def _look(run: Payload) -> _Look:
    annotations = _dict(run.get("annotations"))
    return _Look(
        marks=tuple(mark for name, mark in _STYLES if annotations.get(name)),
        code=bool(annotations.get("code")),
        equation=run.get("type") == "equation",
        link=str(run.get("href") or ""),
    )


def _marked(text: str, look: _Look) -> str:
    """Text with its marks, which Markdown wants next to a character that is not space."""
    body = text.strip()
    if not body:
        return text
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    if look.equation:
        body = f"${body}$"
    elif look.code:
        body = code_span(body)
    else:
        body = body.replace("<!--", "<\\!--")
    if look.link and look.link != body:
        body = f"[{body}]({destination(look.link)})"
    for mark in reversed(look.marks):
        body = f"{mark}{body}{mark}"
    return f"{before}{body}{after}"


def code_span(text: str) -> str:
    """Code inside a line, whichever backticks it holds."""
    ticks = "`" * (1 + max((len(run) for run in _BACKTICKS.findall(text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def fence(text: str) -> str:
    """A line of backticks that `text` does not end."""
    return "`" * max(3, 1 + max((len(run) for run in _BACKTICKS.findall(text)), default=0))


def destination(url: str) -> str:
    """A URL as Markdown wants it between parentheses."""
    return url.replace(" ", "%20").replace("(", "%28").replace(")", "%29").replace("\n", "")


def joined(texts: Iterable[str], separator: str = " ") -> str:
    return separator.join(text for text in texts if text)


def _dict(value: Any) -> Payload:
    return value if isinstance(value, dict) else {}
