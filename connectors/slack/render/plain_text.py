"""Markdown as words alone, for titles. Pure."""

from __future__ import annotations

import re

_LOOKED_AT = 1_000
"""Characters of a line, of which a title is the beginning."""
_FENCE = re.compile(r"(`{3,}|~{3,})[^`]*")
_BEFORE = re.compile(r"(?:>\s?|[-*+]\s+(?=\S)|#{1,6}\s+|\|\s*)+")
_LINK = re.compile(r"\[([^\[\]]*)\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*\)")
_MARKS = re.compile(r"(\*\*|~~|``|(?<![\w*])\*|(?<!\w)_|`)(?=\S)(.+?)(?<=\S)\1(?:(?<=[*`~])|(?!\w))")
_NESTED = 4
"""Bold, italic, struck through and code."""


def first_line(markdown: str) -> str:
    """The words of the first line that has any."""
    return next((words for line in markdown.splitlines() if (words := without_markup(line))), "")


def without_markup(line: str) -> str:
    """A line of Markdown as people see it; empty for one that is markup alone."""
    line = line[:_LOOKED_AT].strip()
    if _FENCE.fullmatch(line):
        return ""
    line = _LINK.sub(r"\1", _BEFORE.sub("", line, count=1) if _BEFORE.match(line) else line)
    for _ in range(_NESTED):
        line = _MARKS.sub(r"\2", line)
    return line.replace("\\|", "|").strip()  # as cells of tables have it
