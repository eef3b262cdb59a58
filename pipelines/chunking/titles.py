"""Documents of a title alone: a page that nobody has filled yet, a row of which only the name is known."""

from __future__ import annotations

import io
import zipfile

from connectors import media
from connectors.model import Document
from connectors.pictures import is_picture
from pipelines.chunking.blocks import Block


def title_blocks(document: Document) -> list[Block]:
    """The title of a document that holds nothing else; nothing of one that was to hold words, and gives none."""
    if document.content and _may_hide_words(document):
        return []
    title = " ".join(document.title.split())
    return [Block("text", title)] if title else []


def _may_hide_words(document: Document) -> bool:
    """Whether a file in which no text was found may hold some as pictures: a picture, a scan, slides of images."""
    if is_picture(document.content_type):
        return True
    if not media.is_binary(media.declared_type(document.content_type)):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(document.content_bytes)) as package:
            return any("/media/" in name for name in package.namelist())
    except zipfile.BadZipFile:  # a PDF
        return True
