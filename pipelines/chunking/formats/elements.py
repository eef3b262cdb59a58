"""What an API of unstructured finds in pictures, as blocks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pipelines.chunking.blocks import LINE_GAP, PARAGRAPH_GAP, Block, heading
from pipelines.chunking.formats.html import html_blocks

if TYPE_CHECKING:
    from unstructured.documents.elements import Element


def element_blocks(elements: Iterable[Element]) -> list[Block]:
    blocks: list[Block] = []
    for element in elements:
        text = element.text.strip()
        depth = element.metadata.category_depth or 0
        match element.category:
            case "Table" if element.metadata.text_as_html:
                blocks.extend(html_blocks(element.metadata.text_as_html))
            case _ if not text:
                continue
            case "Title":
                blocks.append(heading(text, depth + 1))
            case "ListItem":
                gap = LINE_GAP if blocks and blocks[-1].kind == "item" else PARAGRAPH_GAP
                blocks.append(Block("item", f"{'  ' * depth}- {text}", gap=gap))
            case _:
                blocks.append(Block("text", text))
    return blocks
