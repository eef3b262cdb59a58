"""Markdown to blocks: the source's own lines, divided where CommonMark sees structure.

Inline markup (emphasis, links) stays as it is written: assistants read Markdown, and nothing is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pipelines.chunking.blocks import LINE_GAP, MAX_BYTES, PARAGRAPH_GAP, Block, heading
from pipelines.chunking.formats.markdown_comments import without_comments
from pipelines.chunking.formats.markdown_structure import MarkdownNode, heading_text, markdown_nodes
from pipelines.chunking.tokens import utf8_length

_WHOLE_LIST_BYTES = MAX_BYTES // 4
"""Lists and quotes up to this size are one block: a list cut between chunks is hard to read."""
_PORTION = 500_000
"""Characters that are parsed at once: the parser needs several hundred bytes for each line."""
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(?P<body>(?:.*\n)*?)(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})\s*$")


def markdown_blocks(text: str) -> list[Block]:
    """`text` has `\\n` line ends. Comments are dropped, front matter is kept as text."""
    blocks = []
    if front_matter := _FRONT_MATTER.match(text):
        body = front_matter["body"].strip()
        blocks = [Block("text", body)] if body else []
        text = text[front_matter.end() :]
    text = without_comments(text)
    for portion in _portions(text):
        lines = portion.split("\n")
        blocks.extend(_MarkdownReader(lines).blocks(markdown_nodes(portion), 0, len(lines)))
    return blocks


def _portions(text: str) -> Iterator[str]:
    """All of the text, in portions that bound the parser's memory, cut before a blank line if there is one."""
    start = 0
    while len(text) - start > _PORTION:
        end = text.rfind("\n\n", start + 1, start + _PORTION)
        if end < 0:
            end = text.rfind("\n", start + 1, start + _PORTION)
        if end < 0:
            end = text.find("\n", start + _PORTION)
        if end < 0:
            break
        yield text[start:end]
        start = end
    yield text[start:]


class _MarkdownReader:
    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines

    def blocks(self, nodes: Sequence[MarkdownNode], start: int, end: int) -> Iterator[Block]:
        """Blocks of the lines from `start` to before `end`, which `nodes` structure."""
        at = start
        for node in nodes:
            if node.end <= at:
                continue
            yield from self._text(at, node.start)
            yield from self._block(node, max(node.start, at))
            at = max(at, node.end)
        yield from self._text(at, end)

    def _block(self, node: MarkdownNode, start: int) -> Iterator[Block]:
        match node.kind:
            case "Heading" if node.level:
                yield from self._heading(node, start)
            case "CodeBlock":
                yield self._code(node, start)
            case "Table":
                yield self._table(node, start)
            case "HtmlBlock":
                yield from _blocks_of(self._source(start, node.end))
            case "Rule":
                return
            case "List" | "Item" | "BlockQuote":
                yield from self._container(node, start)
            case _:
                yield from self._text(start, node.end)

    def _heading(self, node: MarkdownNode, start: int) -> Iterator[Block]:
        source = self._source(start, node.end)
        inline = heading_text(source, node.level)
        if not inline:
            return
        block = heading(inline, node.level)
        # A paragraph underlined by a thematic break: CommonMark calls all of it a heading.
        yield block if block.size < MAX_BYTES // 2 else Block("text", source)

    def _code(self, node: MarkdownNode, start: int) -> Block:
        text = self._source(start, node.end)
        if node.is_indented:
            return Block("code", text.strip("\n"))
        first, _, _ = text.partition("\n")
        last = text.rpartition("\n")[2]
        tail = last if "\n" in text and _FENCE.match(last) else ""
        return Block("code", text, head=first, tail=tail)

    def _table(self, node: MarkdownNode, start: int) -> Block:
        return Block("table", self._source(start, node.end), head=self._source(start, start + 2))

    def _container(self, node: MarkdownNode, start: int) -> Iterator[Block]:
        """A list, item or quote: one block, or, if too long for that, its parts."""
        is_item = node.kind == "Item"
        text = self._source(start, node.end)
        if utf8_length(text) <= (MAX_BYTES if is_item else _WHOLE_LIST_BYTES):
            blank_before = start == 0 or not self._lines[start - 1].strip()
            yield from _blocks_of(text, "item", PARAGRAPH_GAP if blank_before else LINE_GAP)
        else:
            yield from self.blocks(node.children, start, node.end)

    def _text(self, start: int, end: int) -> Iterator[Block]:
        blank_before = start == 0 or not self._lines[start - 1].strip()
        yield from _blocks_of(self._source(start, end), "text", PARAGRAPH_GAP if blank_before else LINE_GAP)

    def _source(self, start: int, end: int) -> str:
        return "\n".join(self._lines[start:end]).rstrip()


def _blocks_of(text: str, kind: str = "text", gap: str = PARAGRAPH_GAP) -> Iterator[Block]:
    if text.strip():
        yield Block("item" if kind == "item" else "text", text.strip("\n"), gap=gap)
