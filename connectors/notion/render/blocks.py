"""Blocks to Markdown. Pure. https://developers.notion.com/reference/block"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from connectors.notion.client import Payload
from connectors.notion.render.properties import Known
from connectors.notion.render.rich_text import destination, fence, inline, joined, markdown, plain

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
class Block:
    """A block as Notion gives it, and the blocks inside it."""

    payload: Payload
    children: tuple[Block, ...] = ()

    @property
    def kind(self) -> str:
        return str(self.payload.get("type") or "")

    @property
    def content(self) -> Payload:
        content = self.payload.get(self.kind)
        return content if isinstance(content, dict) else {}


def blocks_markdown(blocks: Sequence[Block], known: Known) -> str:
    """Markdown of blocks that stand one below the other."""
    whole = ""
    previous = ""
    for kind, text in _rendered(blocks, known):
        if text:
            tight = kind in _LIST_ITEMS and kind == previous
            whole += ("\n" if tight else "\n\n") + text if whole else text
            previous = kind
    return whole


def linked(blocks: Sequence[Block]) -> Iterator[tuple[str, str]]:
    """Pages and databases that blocks name by their id alone: the kind of the id (`page_id`), and the id."""
    for block in blocks:
        if block.kind == "link_to_page" and (target := _target(block)):
            yield str(block.content["type"]), target
        yield from linked(block.children)


def is_copy(block: Block) -> bool:
    """Whether a block shows what stands in another place: a synced block that is not the original."""
    return block.kind == "synced_block" and bool(block.content.get("synced_from"))


def unsupported_kinds(blocks: Sequence[Block]) -> set[str]:
    """Kinds of the blocks that Notion's API does not show."""
    own = {_unsupported_kind(block) for block in blocks if block.kind == "unsupported"}
    return own.union(*(unsupported_kinds(block.children) for block in blocks))


def _rendered(blocks: Sequence[Block], known: Known) -> Iterator[tuple[str, str]]:
    number = 0
    for block in blocks:
        if block.kind == "numbered_list_item":
            number = number + 1 if number else _first_number(block)
            yield block.kind, _item(block, f"{number}. ", known)
            continue
        number = 0
        yield block.kind, _block(block, known)


def _first_number(block: Block) -> int:
    start = block.content.get("list_start_index")
    return start if isinstance(start, int) and start > 0 else 1


def _block(block: Block, known: Known) -> str:
    kind = block.kind
    if kind in _LEFT_OUT:
        return ""
    if kind.startswith("heading_"):
        return _heading(block, known)
    render = _RENDERERS.get(kind, _unknown)
    return render(block, known)


def _flow(block: Block, known: Known) -> str:
    """Text, and below it what the block holds: paragraphs, toggles, columns, synced blocks, tabs."""
    return _stacked(markdown(block.content.get("rich_text")), blocks_markdown(block.children, known))


def _heading(block: Block, known: Known) -> str:
    level = block.kind.removeprefix("heading_")
    text = inline(block.content.get("rich_text"))
    heading = f"{'#' * min(int(level), 6)} {text}" if text and level.isdecimal() else text
    return _stacked(heading, blocks_markdown(block.children, known))


def _bullet(block: Block, known: Known) -> str:
    return _item(block, "- ", known)


def _to_do(block: Block, known: Known) -> str:
    return _item(block, "- [x] " if block.content.get("checked") else "- [ ] ", known, indent=2)


def _item(block: Block, marker: str, known: Known, indent: int | None = None) -> str:
    text = markdown(block.content.get("rich_text"))
    children = blocks_markdown(block.children, known)
    if not text and not children:
        return ""
    gap = "\n" if block.children and block.children[0].kind in _LIST_ITEMS else "\n\n"
    body = _indented(_stacked(text, children, gap=gap), " " * (indent or len(marker)))
    return marker + body


def _quote(block: Block, known: Known) -> str:
    icon = block.content.get("icon")
    emoji = str(icon.get("emoji") or "") if isinstance(icon, dict) else ""
    text = joined((emoji, markdown(block.content.get("rich_text"))))
    whole = _stacked(text, blocks_markdown(block.children, known))
    return "\n".join(f"> {line}".rstrip() for line in whole.split("\n")) if whole else ""


def _code(block: Block, known: Known) -> str:
    source = plain(block.content.get("rich_text")).strip("\n")
    language = str(block.content.get("language") or "")
    ticks = fence(source)
    fenced = f"{ticks}{'' if language == 'plain text' else language}\n{source}\n{ticks}" if source.strip() else ""
    return _stacked(fenced, markdown(block.content.get("caption")))


def _equation(block: Block, known: Known) -> str:
    expression = str(block.content.get("expression") or "").strip()
    return f"$$\n{expression}\n$$" if expression else ""


def _table(block: Block, known: Known) -> str:
    rows = [[_cell(cell) for cell in row.content.get("cells") or ()] for row in block.children]
    width = max((len(row) for row in rows), default=0)
    if not any(cell for row in rows for cell in row):
        return ""
    if not block.content.get("has_column_header"):
        rows.insert(0, [])
    rows.insert(1, ["---"] * width)
    return "\n".join(f"| {' | '.join([*row, *[''] * (width - len(row))])} |" for row in rows)


def _cell(rich_text: Any) -> str:
    return inline(rich_text).replace("|", "\\|")


def _link(block: Block, known: Known) -> str:
    url = str(block.content.get("url") or "")
    caption = inline(block.content.get("caption"))
    if not url:
        return caption
    return f"[{caption}]({destination(url)})" if caption else f"<{url.replace(' ', '%20')}>"


def _media(block: Block, known: Known) -> str:
    """Caption, name and link. A file that Notion keeps has no link: it is signed, and another at every read."""
    caption = inline(block.content.get("caption"))
    external = str((block.content.get("external") or {}).get("url") or "")
    hosted = str((block.content.get("file") or {}).get("url") or "")
    name = str(block.content.get("name") or "") or unquote(urlsplit(external or hosted).path.rsplit("/", 1)[-1])
    label = joined((caption, name if name != caption else ""), ": ")
    if not external:
        return label
    return f"{'!' if block.kind == 'image' else ''}[{label}]({destination(external)})"


def _named_page(block: Block, known: Known) -> str:
    return " ".join(str(block.content.get("title") or "").split())


def _link_to_page(block: Block, known: Known) -> str:
    return known.titles.get(_target(block), "")


def _target(block: Block) -> str:
    kind = block.content.get("type")
    return str(block.content.get(kind) or "") if kind in ("page_id", "database_id") else ""


def _meeting(block: Block, known: Known) -> str:
    event = block.content.get("calendar_event")
    attendees = event.get("attendees") if isinstance(event, dict) else None
    names = joined((known.people.get(str(person), "") for person in attendees or ()), ", ")
    present = f"Attendees: {names}" if names else ""
    return _stacked(markdown(block.content.get("title")), present, blocks_markdown(block.children, known))


def _section(block: Block, known: Known) -> str:
    children = blocks_markdown(block.children, known)
    return _stacked(f"**{block.content['name']}**", children) if children else ""


def _unsupported(block: Block, known: Known) -> str:
    """What Notion's API does not show is recorded as a comment, which is not indexed."""
    note = f"<!-- unsupported: {_unsupported_kind(block)} -->"
    return _stacked(note, blocks_markdown(block.children, known))


def _unsupported_kind(block: Block) -> str:
    return str(block.content.get("block_type") or "block").replace("--", "")


def _unknown(block: Block, known: Known) -> str:
    """Whatever text a block of a kind that is not known carries."""
    fields = [block.content.get(name) for name in ("title", "rich_text", "text", "caption")]
    texts = [markdown(value) if isinstance(value, list) else str(value or "") for value in fields]
    texts.extend(inline(cell) for cell in block.content.get("cells") or ())
    return _stacked(*texts, blocks_markdown(block.children, known))


def _stacked(*parts: str, gap: str = "\n\n") -> str:
    return joined(parts, gap)


def _indented(text: str, prefix: str) -> str:
    """All lines but the first moved to the right, empty ones left empty."""
    return "\n".join(f"{prefix}{line}" if at and line else line for at, line in enumerate(text.split("\n")))


_RENDERERS: dict[str, Callable[[Block, Known], str]] = {
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
