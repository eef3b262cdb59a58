"""Slides and sheets: the numbered parts of a file, of which a broken one costs itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from pipelines.chunking.blocks import Block, unread
from pipelines.chunking.formats.openxml.package import BrokenPart, Package

_Page = TypeVar("_Page")
_MOST_NAMED = 3


def parts_left_out(package: Package) -> list[Block]:
    """What tells that parts of a file are damaged, to be asked for when all has been read; empty if none is."""
    parts = package.left_out
    more = f" and {len(parts) - _MOST_NAMED:,} more" if len(parts) > _MOST_NAMED else ""
    return [unread(f"damaged parts are left out: {', '.join(parts[:_MOST_NAMED])}{more}")] if parts else []


def read_pages(package: Package, pages: Iterable[_Page], read: Callable[[_Page], Iterable[Block]]) -> list[Block]:
    """The blocks of all pages that can be read, with their numbers from 1, and last what tells that some cannot.

    Raises BrokenPart where some cannot, and nothing was in the others.
    """
    blocks: list[Block] = []
    reason: BrokenPart | None = None
    for number, page in enumerate(pages, start=1):
        try:
            blocks.extend([replace(block, page=number) for block in read(page)])
        except BrokenPart as broken:
            reason = broken
    left_out = parts_left_out(package)
    if left_out and not blocks:
        raise reason or BrokenPart(left_out[0].text)
    return [*blocks, *left_out]
