"""Blocks to Markdown. Pure. https://developers.notion.com/reference/block"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from connectors.markdown import markdown_table
from connectors.notion.objects import Ref
from connectors.notion.payloads import BlockContent, NotionBlock, RichTextRun, plain
from connectors.notion.render.properties import NotionNames
from connectors.notion.render.rich_text import destination, fence, inline, joined, markdown
from connectors.notion.urls import page_url

PAGES_OF_THEIR_OWN = ("child_page", "child_database")
"""Blocks that stand for another document: their title is shown, what is below them is not."""
MEETINGS = ("meeting_notes", "transcription")
SECTION = "meeting_section"
"""Our own block type, for one of the parts of meeting notes: summary, notes, transcript."""

_LIST_ITEMS = ("bulleted_list_item", "numbered_list_item", "to_do")
MEDIA = ("image", "video", "pdf", "file", "audio")
_LINKS = ("bookmark", "embed", "link_preview")
_LEFT_OUT = ("divider", "breadcrumb", "table_of_contents")


@dataclass(frozen=True, slots=True)
class BlockTree:
    """A block, and the blocks inside it. One that stands for what is inside another, out of reach, says in which."""

    block: NotionBlock
    children: tuple[BlockTree, ...] = ()
    hidden_in: Ref | None = None

    @property
    def kind(self) -> str:
        return self.block.type

    @property
    def content(self) -> BlockContent:
        return self.block.content


def blocks_markdown(blocks: Sequence[BlockTree], names: NotionNames) -> str:
    """Markdown of blocks one below the other."""
    whole = ""
    previous = ""
    for kind, text in _rendered(blocks, names):
        if text:
            tight = kind in _LIST_ITEMS and kind == previous
            whole += ("\n" if tight else "\n\n") + text if whole else text
            previous = kind
    return whole


def linked(blocks: Sequence[BlockTree]) -> Iterator[Ref]:
    """Pages and databases that blocks name by their id alone."""
    for block in blocks:
        if block.kind == "link_to_page" and block.content.target:
            yield block.content.target
        yield from linked(block.children)


def is_copy(block: BlockTree) -> bool:
    """Whether a block shows what is in another place: a synced block that is not the original."""
    return block.kind == "synced_block" and block.content.synced_from is not None


def unsupported_kinds(blocks: Sequence[BlockTree]) -> set[str]:
    """Kinds of the blocks that Notion's API does not show."""
    own = {_unsupported_kind(block) for block in blocks if block.kind == "unsupported"}
    return own.union(*(unsupported_kinds(block.children) for block in blocks))


def _rendered(blocks: Sequence[BlockTree], names: NotionNames) -> Iterator[tuple[str, str]]:
    number = 0
    for block in blocks:
        if block.kind == "numbered_list_item":
            number = number + 1 if number else _first_number(block)
            yield block.kind, _item(block, f"{number}. ", names)
            continue
        number = 0
        yield block.kind, _block(block, names)


def _first_number(block: BlockTree) -> int:
    return max(block.content.list_start_index, 1)


def _block(block: BlockTree, names: NotionNames) -> str:
    kind = block.kind
    if kind in _LEFT_OUT:
        return ""
    if kind.startswith("heading_"):
        return _heading(block, names)
    render = _RENDERERS.get(kind, _unknown)
    return render(block, names)


def _flow(block: BlockTree, names: NotionNames) -> str:
    """Text, and below it what the block holds: paragraphs, toggles, columns, synced blocks, tabs."""
    return _stacked(markdown(block.content.rich_text), blocks_markdown(block.children, names))


def _heading(block: BlockTree, names: NotionNames) -> str:
    level = block.kind.removeprefix("heading_")
    text = inline(block.content.rich_text)
    heading = f"{'#' * min(int(level), 6)} {text}" if text and level.isdecimal() else text
    return _stacked(heading, blocks_markdown(block.children, names))


def _bullet(block: BlockTree, names: NotionNames) -> str:
    return _item(block, "- ", names)


def _to_do(block: BlockTree, names: NotionNames) -> str:
    return _item(block, "- [x] " if block.content.checked else "- [ ] ", names, indent=2)


def _item(block: BlockTree, marker: str, names: NotionNames, indent: int | None = None) -> str:
    text = markdown(block.content.rich_text)
    children = blocks_markdown(block.children, names)
    if not text and not children:
        return ""
    gap = "\n" if block.children and block.children[0].kind in _LIST_ITEMS else "\n\n"
    body = _indented(_stacked(text, children, gap=gap), " " * (indent or len(marker)))
    return marker + body


def _quote(block: BlockTree, names: NotionNames) -> str:
    text = joined((block.content.icon.emoji, markdown(block.content.rich_text)))
    whole = _stacked(text, blocks_markdown(block.children, names))
    return "\n".join(f"> {line}".rstrip() for line in whole.split("\n")) if whole else ""


def _code(block: BlockTree, names: NotionNames) -> str:
    source = plain(block.content.rich_text).strip("\n")
    language = block.content.language
    ticks = fence(source)
    fenced = f"{ticks}{'' if language == 'plain text' else language}\n{source}\n{ticks}" if source.strip() else ""
    return _stacked(fenced, markdown(block.content.caption))


def _equation(block: BlockTree, names: NotionNames) -> str:
    expression = block.content.expression.strip()
    return f"$$\n{expression}\n$$" if expression else ""


def _table(block: BlockTree, names: NotionNames) -> str:
    rows = [[_cell(cell) for cell in row.content.cells] for row in block.children]
    if not any(cell for row in rows for cell in row):
        return ""
    if not block.content.has_column_header:
        rows.insert(0, [])
    return markdown_table(rows)


def _cell(rich_text: Sequence[RichTextRun]) -> str:
    return inline(rich_text).replace("|", "\\|")


def _link(block: BlockTree, names: NotionNames) -> str:
    url = block.content.url
    caption = inline(block.content.caption)
    if not url:
        return caption
    return f"[{caption}]({destination(url)})" if caption else f"<{url.replace(' ', '%20')}>"


def _media(block: BlockTree, names: NotionNames) -> str:
    """Caption, name and link. A file that Notion keeps has no link: it is signed, and another at every read."""
    caption = inline(block.content.caption)
    external = block.content.external.url
    name = block.content.name or unquote(urlsplit(external or block.content.file.url).path.rsplit("/", 1)[-1])
    label = joined((caption, name if name != caption else ""), ": ")
    if not external:
        return label
    return f"{'!' if block.kind == 'image' else ''}[{label}]({destination(external)})"


def _named_page(block: BlockTree, names: NotionNames) -> str:
    return " ".join(_text(block.content.title).split())


def _link_to_page(block: BlockTree, names: NotionNames) -> str:
    target = block.content.target
    title = names.titles.get(target.id, "") if target else ""
    return f"[{title}]({page_url(target.id)})" if target and title else ""


def _meeting(block: BlockTree, names: NotionNames) -> str:
    event = block.content.calendar_event
    when = joined((event.start_time, event.end_time), " → ")
    attendees = joined((names.people.get(person, "") for person in event.attendees), ", ")
    told = (when and f"When: {when}", attendees and f"Attendees: {attendees}")
    return _stacked(_text(block.content.title), *told, blocks_markdown(block.children, names))


def _section(block: BlockTree, names: NotionNames) -> str:
    children = blocks_markdown(block.children, names)
    return _stacked(f"**{block.content.name}**", children) if children else ""


def _unsupported(block: BlockTree, names: NotionNames) -> str:
    """What Notion's API does not show is recorded as a comment, which is not indexed."""
    note = f"<!-- unsupported: {_unsupported_kind(block)} -->"
    return _stacked(note, blocks_markdown(block.children, names))


def _unsupported_kind(block: BlockTree) -> str:
    return (block.content.block_type or "block").replace("--", "")


def _unknown(block: BlockTree, names: NotionNames) -> str:
    """Whatever text a block of a kind that is not known carries."""
    content = block.content
    texts = [_text(field) for field in (content.title, content.rich_text, content.text, content.caption)]
    texts.extend(inline(cell) for cell in content.cells)
    return _stacked(*texts, blocks_markdown(block.children, names))


def _text(field: str | Sequence[RichTextRun]) -> str:
    return field if isinstance(field, str) else markdown(field)


def _stacked(*parts: str, gap: str = "\n\n") -> str:
    return joined(parts, gap)


def _indented(text: str, prefix: str) -> str:
    """All lines but the first moved to the right, empty ones left empty."""
    return "\n".join(f"{prefix}{line}" if at and line else line for at, line in enumerate(text.split("\n")))


_RENDERERS: dict[str, Callable[[BlockTree, NotionNames], str]] = {
    **dict.fromkeys(("paragraph", "toggle", "template", "synced_block", "column_list", "column", "tab"), _flow),
    **dict.fromkeys(("quote", "callout"), _quote),
    **dict.fromkeys(_LINKS, _link),
    **dict.fromkeys(MEDIA, _media),
    **dict.fromkeys(PAGES_OF_THEIR_OWN, _named_page),
    **dict.fromkeys(MEETINGS, _meeting),
    "bulleted_list_item": _bullet,
    "to_do": _to_do,
    "code": _code,
    "equation": _equation,
    "table": _table,
    "link_to_page": _link_to_page,
    SECTION: _section,
    "unsupported": _unsupported,
}
