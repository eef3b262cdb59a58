"""Pages that are pictures, and what an API has read on them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

from pipelines.chunking.blocks import Block
from pipelines.chunking.formats.elements import element_blocks
from pipelines.chunking.formats.unstructured_offline import keep_offline
from pipelines.chunking.model import Scans


def with_scans(blocks: Iterable[Block], scans: Scans) -> Iterator[Block]:
    """The same blocks, and in place of a picture that was read the blocks of its page."""
    for block in blocks:
        if block.kind == "picture" and block.page is not None and block.page in scans:
            yield from _page_blocks(scans[block.page], block.page)
        else:
            yield block


def _page_blocks(elements: str, page: int) -> Iterator[Block]:
    keep_offline()
    from unstructured.staging.base import elements_from_dicts

    for block in element_blocks(elements_from_dicts(json.loads(elements))):
        yield replace(block, page=page)
