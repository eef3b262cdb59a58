"""Rich text to Markdown. Pure. https://developers.notion.com/reference/rich-text"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from connectors.markdown import with_one_line_end
from connectors.notion.payloads import RichTextRun
from connectors.notion.urls import absolute_url, page_url

_OPENS_A_BLOCK = re.compile(r"^([ \t]*)(?=#{1,6}(?:\s|$)|`{3}|~{3}|(?:=+|-+)[ \t]*$)", re.MULTILINE)
_BACKTICKS = re.compile("`+")


@dataclass(frozen=True, slots=True)
class _Style:
    """How a stretch of text looks: Markdown marks around it, and where it links to."""

    marks: tuple[str, ...]
    code: bool
    equation: bool
    link: str


def inline(rich_text: Iterable[RichTextRun]) -> str:
    """Markdown in one line."""
    return " ".join(markdown(rich_text).split())


def markdown(rich_text: Iterable[RichTextRun]) -> str:
    """Markdown of a paragraph; its line breaks stay.

    Characters that mean something inside a line are left as they were typed. What would make another block
    of it, or hide it as a comment, gets a backslash.
    """
    # Neighbours that look the same are one stretch: `**ab**` and `**cd**` would be read as `**ab****cd**`.
    stretches = groupby((run for run in rich_text if run.text), key=_style)
    whole = "".join(_styled(with_one_line_end("".join(run.text for run in runs)), style) for style, runs in stretches)
    return _OPENS_A_BLOCK.sub(r"\1\\", whole).strip("\n")


def _style(run: RichTextRun) -> _Style:
    marks = (("**", run.bold), ("*", run.italic), ("~~", run.strikethrough))
    return _Style(
        marks=tuple(mark for mark, is_set in marks if is_set),
        code=run.code,
        equation=run.type == "equation",
        link=_link(run),
    )


def _link(run: RichTextRun) -> str:
    """Where a run leads; a page that is mentioned is told by its id where there is no address."""
    mentioned = run.body.target.id if run.body.type in ("page", "database") else ""
    return absolute_url(run.href) or (page_url(mentioned) if mentioned else "")


def _styled(text: str, style: _Style) -> str:
    """Text with its marks, which Markdown wants next to a character that is not space."""
    body = text.strip()
    if not body:
        return text
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    if style.equation:
        body = f"${body}$"
    elif style.code:
        body = code_span(body)
    else:
        body = body.replace("<!--", "<\\!--")
    if style.link and style.link != body:
        body = f"[{body}]({destination(style.link)})"
    for mark in reversed(style.marks):
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
