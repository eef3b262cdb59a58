"""Which lines of a Markdown text are a heading, a list, a table or code, as CommonMark and GitHub's tables see it.

Parsed by pulldown-cmark (https://github.com/pulldown-cmark/pulldown-cmark), in a ninth of the time that a parser in
Python takes. It reads inline markup, too, which is passed over here.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyromark.event import Event, Range

_KINDS = frozenset({"List", "Item", "BlockQuote", "Heading", "Paragraph", "Table", "CodeBlock", "HtmlBlock", "Rule"})
_DELIMITERS = re.compile(r"^(?P<before>[ \t>]*+)(?P<row>[:\- \t]*+\|[|:\- \t]*+)$", re.MULTILINE)
"""The line under a table's header: between its marks GitHub takes tabs, and the parser does not."""
_BARE_HEADER = re.compile(
    r"""^(?P<indent>[ ]{0,3}+)
    (?P<first>(?![-+>#|<`~=\s]|\*[^*]|\d{1,9}[.)]).)
    (?=[^\n]*+\n[ ]{0,3}+:?-++:?[ ]*+\|[-:|\ ]*+$)""",
    re.MULTILINE | re.VERBOSE,
)
"""The header of a table that begins with no mark. GitHub sees it in the last line of a paragraph, too, and the parser
does not."""
_DEEPEST = 20
"""What is nested deeper is text of what it is in: nobody writes it, and each level costs a reader a frame."""


@dataclass(frozen=True, slots=True)
class MarkdownNode:
    """The lines from `start` to before `end`, and the nodes inside.

    `kind` is pulldown-cmark's name. `level` is that of a heading that is in no list and no quote, from 1; `is_indented`
    is of code without fences.
    """

    kind: str
    start: int
    end: int
    level: int = 0
    is_indented: bool = False
    children: list[MarkdownNode] = field(default_factory=list)


def markdown_nodes(text: str) -> list[MarkdownNode]:
    """The outermost nodes of a text with `\\n` line ends. A definition of a link is a paragraph; what is in no node is
    text."""
    source = _for_the_parser(text)
    places = _Places(source.encode())
    roots: list[MarkdownNode] = []
    around = [(len(places.source) + 1, roots)]
    for kind, facts, where in _opened_nodes(source):
        start, end = where["start"], where["end"]
        while around[-1][0] <= start:
            around.pop()
        if len(around) > _DEEPEST:
            continue
        level = int(facts["level"].removeprefix("H")) if kind == "Heading" and len(around) == 1 else 0
        node = MarkdownNode(kind, places.line_of(start), places.line_after(end), level, facts == "Indented")
        around[-1][1].append(node)
        around.append((end, node.children))
    return roots


def _for_the_parser(text: str) -> str:
    """The text with every byte in its place, and what the parser does not see as GitHub does as it sees it."""
    # Of a definition no event tells, and what is around it ends somewhere in it.
    text = text.replace("]:", "] ")
    if "\t" in text:
        text = _DELIMITERS.sub(lambda line: line["before"] + line["row"].replace("\t", " "), text)
    return _BARE_HEADER.sub(_with_mark, text)


def _with_mark(header: re.Match[str]) -> str:
    return header["indent"] + "|".ljust(len(header["first"].encode()))


def heading_text(source: str, level: int) -> str:
    """The inline markup of a heading, given its lines: without number signs
    (https://spec.commonmark.org/0.31.2/#atx-headings), or without the line under it."""
    above, _, _ = source.rpartition("\n")
    if above:
        return above.strip()
    text = source.strip()[level:].strip()
    inner = text.rstrip("#")
    return text if inner and not inner[-1].isspace() else inner.rstrip()


def _opened_nodes(source: str) -> Iterator[tuple[str, Any, Range]]:
    """The kind of each node that is opened, what the parser tells of it, and where it is; the outer before the inner.
    Where the parser fails, there are no more: what follows is text."""
    import pyromark

    try:
        for event, where in pyromark.events_with_range(source, options=pyromark.Options.ENABLE_TABLES, merge_text=True):
            kind, facts = _opened(event)
            if kind in _KINDS:
                yield kind, facts, where
    except BaseException as error:
        # What Rust panics with is no Exception, and its class is nowhere to be imported from.
        if type(error).__name__ != "PanicException":
            raise


def _opened(event: Event) -> tuple[str, Any]:
    if event == "Rule":
        return event, None
    if isinstance(event, str) or "Start" not in event:
        return "", None
    tag: Any = event["Start"]
    return (tag, None) if isinstance(tag, str) else next(iter(tag.items()))


class _Places:
    """Where in a text, given as UTF-8, its lines begin."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self._starts = list(accumulate((len(line) + 1 for line in source.split(b"\n")), initial=0))

    def line_of(self, place: int) -> int:
        return bisect_right(self._starts, place) - 1

    def line_after(self, end: int) -> int:
        """The line after what ends at a place. What lies in a list or a quote may end behind the marks of the next line
        of that."""
        after = bisect_left(self._starts, end)
        begun = self.source[self._starts[after - 1] : end]
        is_whole = begun.endswith(b"\n") or end == len(self.source)
        return after if is_whole or begun.strip(b" \t>") else after - 1
