"""PowerPoint files. Raises what the libraries raise for broken files."""

from __future__ import annotations

import io
from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING

from pipelines.chunking.blocks import Block, paragraphs
from pipelines.chunking.formats.elements import LANGUAGES, element_blocks
from pipelines.chunking.formats.unstructured_offline import keep_offline

if TYPE_CHECKING:
    from unstructured.documents.elements import Element


def pptx_blocks(content: bytes) -> list[Block]:
    """Slides in order, each followed by its notes, which unstructured puts before the slide."""
    keep_offline()
    from pptx import Presentation
    from unstructured.partition.pptx import partition_pptx

    elements = partition_pptx(file=io.BytesIO(content), include_slide_notes=False, languages=LANGUAGES)
    of_slide = {number: list(group) for number, group in groupby(elements, lambda one: one.metadata.page_number)}
    blocks = []
    for number, slide in enumerate(Presentation(io.BytesIO(content)).slides, start=1):
        blocks.extend(element_blocks(_title_first(of_slide.get(number, []))))
        notes = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
        blocks.extend(paragraphs(f"Notes: {notes.text}" if notes and notes.text.strip() else ""))
    return blocks


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
