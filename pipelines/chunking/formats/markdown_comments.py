"""Comments of Markdown, which are HTML's, wherever they stand but in code. In time that grows with the text alone."""

from __future__ import annotations

import re
from bisect import bisect_right

_OPENING = "<!--"
_SPECIAL = re.compile(
    r"^(?P<fence>[ \t>]*+(?>(?:(?:[-*+]|\d{1,9}[.)])[ \t]++)*)(?:`{3,}+|~{3,}+))|<!--|`++", re.MULTILINE
)
_RUN = re.compile(r"`++")
_SHORT_END = re.compile(r"-?>")
"""`<!-->` and `<!--->` are whole comments (https://spec.commonmark.org/0.31.2/#html-comment)."""


def without_comments(text: str) -> str:
    """Markdown without its comments. One without an end, and what looks like one in code, is text."""
    if _OPENING not in text:
        return text
    kept: list[str] = []
    at = start = 0
    scanner = _CodeScanner(text)
    while found := _SPECIAL.search(text, at):
        if found[0] != _OPENING:
            at = scanner.end_of_code(found)
            continue
        end = _comment_end(text, found.end())
        if end < 0:  # nor has any that follows
            break
        kept.append(text[start : found.start()])
        at = start = end
    return "".join(kept) + text[start:]


def _comment_end(text: str, at: int) -> int:
    """Where a comment ends whose text begins at `at`; negative where it does not."""
    if short := _SHORT_END.match(text, at):
        return short.end()
    end = text.find("-->", at)
    return end + len("-->") if end >= 0 else -1


class _CodeScanner:
    """Finds where code ends, with one look at each line."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line_end = -1
        self._run_ends: dict[int, list[int]] = {}

    def end_of_code(self, found: re.Match[str]) -> int:
        """Where the code ends that a fence or a run of backticks begins; where that ends, if it begins none."""
        if found["fence"]:
            return self._end_of_fence(found)
        return self._end_of_span(found.end(), len(found[0]))

    def _end_of_fence(self, found: re.Match[str]) -> int:
        fence = found[0].lstrip(" \t>*+-.)0123456789")
        closing = re.compile(rf"^[ \t>]*+{re.escape(fence[0])}{{{len(fence)},}}+[ \t]*$", re.MULTILINE)
        end = closing.search(self._text, found.end())
        return end.end() if end else len(self._text)

    def _end_of_span(self, at: int, length: int) -> int:
        """The end of a code span of so many backticks, within its line."""
        if at > self._line_end:
            self._look_at_line(at - length)
        ends = self._run_ends.get(length, [])
        after = bisect_right(ends, at)
        return ends[after] if after < len(ends) else at

    def _look_at_line(self, at: int) -> None:
        end = self._text.find("\n", at)
        self._line_end = end if end >= 0 else len(self._text)
        self._run_ends = {}
        for run in _RUN.finditer(self._text, at, self._line_end):
            self._run_ends.setdefault(len(run[0]), []).append(run.end())
