"""Pieces of Markdown by many authors, put together so that none of them spoils what follows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from connectors.github.payloads.rest import GitHubAccount

GHOST = "ghost"
"""The name that GitHub shows where an account was deleted."""
COMMENT_LEVEL = 2
REPLY_LEVEL = 3
"""Levels of the headings above comments, and above replies to them."""

_MARK = re.compile(r"^ {0,3}(?:(?P<fence>`{3,}|~{3,})(?P<info>.*)|(?P<heading>#{1,6})(?=[^\S\n]))", re.MULTILINE)
"""A fence of a code block, or the beginning of a heading."""
_DEEPEST_HEADING = 6


def login_of(account: GitHubAccount | None) -> str:
    return (account.login if account else "") or GHOST


def join_blocks(blocks: Sequence[str]) -> str:
    return "\n\n".join(block for block in blocks if block)


def fact_line(facts: Mapping[str, str]) -> str:
    """`State: open · Labels: bug`, without the facts that are empty."""
    return " · ".join(f"{name}: {value}" for name, value in facts.items() if value)


def render_entry(what: str, author: GitHubAccount | None, when: str, body: str | None, level: int) -> str:
    """What somebody said, below a heading that says what it is, who said it and when."""
    day = f", {when[:16].replace('T', ' ')} UTC" if when else ""
    heading = f"{'#' * level} {what} by {login_of(author)}{day}"
    return join_blocks([heading, embed(body, below=COMMENT_LEVEL)])


def embed(body: str | None, below: int = 0) -> str:
    """`body` as a part of a larger text: headings go `below` levels down, and a code block left open is closed."""
    embedding = _Embedding(below)
    text = _MARK.sub(embedding.replace, (body or "").replace("\r\n", "\n").strip())
    return f"{text}\n{embedding.fence}" if embedding.fence else text


class _Embedding:
    """Goes through the fences and headings of a text. `fence` is the one that is open, or empty."""

    def __init__(self, below: int) -> None:
        self.fence = ""
        self._below = below

    def replace(self, mark: re.Match[str]) -> str:
        if mark["fence"]:
            self.fence = _fence_after(self.fence, mark["fence"], mark["info"])
            return mark[0]
        if self.fence or not self._below:  # inside of a code block, `#` is no heading
            return mark[0]
        return "#" * min(len(mark["heading"]) + self._below, _DEEPEST_HEADING)


def _fence_after(fence: str, marks: str, info: str) -> str:
    """The fence that is open after a line of `marks`: https://spec.commonmark.org/0.31.2/#fenced-code-blocks"""
    if not fence:
        return "" if marks[0] == "`" and "`" in info else marks
    closes = marks[0] == fence[0] and len(marks) >= len(fence) and not info.strip()
    return "" if closes else fence
