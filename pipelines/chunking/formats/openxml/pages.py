"""Slides and sheets: the numbered parts of a file, of which a broken one costs itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from pipelines.chunking.blocks import Block
from pipelines.chunking.formats.openxml.package import BrokenPart

_Page = TypeVar("_Page")


def read_pages(pages: Iterable[_Page], read: Callable[[_Page], Iterable[Block]]) -> list[Block]:
    """The blocks of all pages that can be read, with their numbers from 1.

    Raises BrokenPart where some cannot, and nothing was in the others.
    """
    blocks: list[Block] = []
    unread: BrokenPart | None = None
    for number, page in enumerate(pages, start=1):
        try:
            blocks.extend([replace(block, page=number) for block in read(page)])
        except BrokenPart as broken:
            unread = broken
    if unread and not blocks:
        raise unread
    return blocks
