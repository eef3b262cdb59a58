"""What people typed stays text: no line of theirs becomes a heading, a rule, a comment or endless code of Markdown.

https://spec.commonmark.org/0.31.2
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from connectors.markdown import with_one_line_end

_SUSPICIOUS = re.compile(r"^[ >]*(?:#|=|-[ \t]*(?:-|$)|[*_][ \t]*[*_][ \t]*[*_]|<)|<!--|```|~~~", re.MULTILINE)
"""What a text has in which there may be something to escape: most have nothing."""
_STRUCTURE = re.compile(
    r"""^(\ {0,3})(?=
        \#{1,6}(?:[ \t]|$)                                       # a heading
        | (?:=+|-+)[ \t]*$                                       # what makes a heading of the line above
        | (?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$  # a rule between sections
        | <(?:[!?]|/?(?:script|pre|style|textarea)\b)            # HTML that goes on to its own end
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_FENCE = re.compile(r"(?P<before>[ \t>]*+(?>(?:(?:[-*+]|\d{1,9}[.)])[ \t]++)*))(?P<fence>`{3,}+|~{3,}+)(?P<info>.*)")
_PLAIN_BEFORE = re.compile(r"(?:> ?)* {0,3}")
"""What may stand before a fence that is to be one: Slack has no code inside of a list's item."""


def escape_structure(text: str) -> str:
    """Markdown in which code, lists, quotes and tables are what they were, and nothing else is structure."""
    text = with_one_line_end(text)
    if not _SUSPICIOUS.search(text):
        return text
    return "\n".join(_escaped(text.split("\n")))


def longer_fence(code: str) -> str:
    """A fence that nothing in `code` closes."""
    return "`" * max(3, 1 + max(map(len, re.findall("`+", code)), default=0))


def _escaped(lines: Sequence[str]) -> Iterator[str]:
    fences, at = _Fences(lines), 0
    while at < len(lines):
        if (end := fences.end_of_code(at)) is None:
            yield _escape_line(lines[at])
            at += 1
        else:
            yield from lines[at : end + 1]
            at = end + 1


def _escape_line(line: str) -> str:
    if fence := _FENCE.match(line):
        line = f"{fence['before']}\\{fence['fence']}{fence['info']}"
    return _STRUCTURE.sub(r"\1\\", line).replace("<!--", "<\\!--")


class _Fences:
    """Where code ends that a line begins. Code without an end is searched for one once, and not for each of its
    lines."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._endless: dict[tuple[str, bool], tuple[int, int]] = {}

    def end_of_code(self, start: int) -> int | None:
        """The line of the closing fence; None where the line begins no code, or code without an end."""
        opening = _FENCE.match(self._lines[start])
        if not opening or not _PLAIN_BEFORE.fullmatch(opening["before"]):
            return None
        if "`" in opening["fence"] and "`" in opening["info"]:
            return None
        fence, is_quoted = opening["fence"], ">" in opening["before"]
        shortest, until = self._endless.get((fence[0], is_quoted), (0, 0))
        if shortest and len(fence) >= shortest and start < until:
            return None
        return self._search(start + 1, fence, is_quoted)

    def _search(self, at: int, fence: str, is_quoted: bool) -> int | None:
        while at < len(self._lines) and (not is_quoted or self._lines[at].startswith(">")):
            if self._closes(self._lines[at], fence, is_quoted):
                return at
            at += 1
        self._endless[fence[0], is_quoted] = (len(fence), at)
        return None

    def _closes(self, line: str, fence: str, is_quoted: bool) -> bool:
        found = _FENCE.match(line)
        return (
            found is not None
            and found["fence"].startswith(fence)
            and not found["info"].strip()
            and (">" in found["before"]) == is_quoted
            and _PLAIN_BEFORE.fullmatch(found["before"]) is not None
        )
