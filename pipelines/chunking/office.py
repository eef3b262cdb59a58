"""Word, PowerPoint and Excel files. Raises what the libraries raise for broken files."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import datetime, time
from itertools import groupby
from typing import TYPE_CHECKING

from pipelines.chunking.blocks import LINE_GAP, PARAGRAPH_GAP, Block, heading, paragraphs
from pipelines.chunking.html import html_blocks
from pipelines.chunking.tables import table
from pipelines.chunking.unstructured_offline import keep_offline

if TYPE_CHECKING:
    from unstructured.documents.elements import Element

_LANGUAGES = ["eng"]
"""With one given, unstructured detects none; only its guesses at unmarked titles depend on it."""


def docx_blocks(content: bytes) -> list[Block]:
    keep_offline()
    from unstructured.partition.docx import partition_docx

    return _blocks(partition_docx(file=io.BytesIO(content), languages=_LANGUAGES))


def pptx_blocks(content: bytes) -> list[Block]:
    """Slides in order, each followed by its notes, which unstructured puts before the slide."""
    keep_offline()
    from pptx import Presentation
    from unstructured.partition.pptx import partition_pptx

    elements = partition_pptx(file=io.BytesIO(content), include_slide_notes=False, languages=_LANGUAGES)
    of_slide = {number: list(group) for number, group in groupby(elements, lambda one: one.metadata.page_number)}
    blocks = []
    for number, slide in enumerate(Presentation(io.BytesIO(content)).slides, start=1):
        blocks.extend(_blocks(_title_first(of_slide.get(number, []))))
        notes = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
        blocks.extend(paragraphs(f"Notes: {notes.text}" if notes and notes.text.strip() else ""))
    return blocks


def xlsx_blocks(content: bytes) -> list[Block]:
    """A heading and a table for each sheet that holds anything.

    Read row by row with openpyxl: unstructured's `partition_xlsx` holds whole sheets in memory several times
    and takes the header row away from the tables that it finds.
    """
    from openpyxl import load_workbook

    workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    blocks = []
    for sheet in workbook.worksheets:
        rows = table([_cell(value) for value in row] for row in sheet.iter_rows(values_only=True))
        blocks.extend([heading(sheet.title, 2), *rows] if rows else [])
    workbook.close()
    return blocks


def _cell(value: object) -> str:
    if isinstance(value, datetime) and value.time() == time.min:  # Excel has no dates without a time
        return value.date().isoformat()
    return "" if value is None else str(value)


def _title_first(slide: Iterable[Element]) -> list[Element]:
    """A slide's elements, its title before all else, and no other titles.

    The real title has depth 0; deeper ones are short lines that unstructured takes for titles.
    """
    from unstructured.documents.elements import ElementMetadata, ListItem, Title

    titles: list[Element] = []
    others: list[Element] = []
    for element in slide:
        depth = element.metadata.category_depth or 0
        if not isinstance(element, Title):
            others.append(element)
        elif depth:
            others.append(ListItem(element.text, metadata=ElementMetadata(category_depth=depth - 1)))
        else:
            titles.append(element)
    return titles + others


def _blocks(elements: Iterable[Element]) -> list[Block]:
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
