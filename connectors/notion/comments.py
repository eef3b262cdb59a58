"""Comments on a page. https://developers.notion.com/reference/comment-object"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from functools import partial

from connectors.errors import REFUSALS
from connectors.notion.client import NotionClient
from connectors.notion.part_table import COMMENTS
from connectors.notion.payloads import NotionComment
from connectors.notion.render.blocks import BlockTree, is_copy
from connectors.part_watch import PartWatch

logger = logging.getLogger(__name__)


class NotionComments:
    """Reads comments, which is one of an integration's capabilities."""

    def __init__(self, client: NotionClient, *, on_blocks: bool) -> None:
        self._client = client
        self._on_blocks = on_blocks

    def read(self, page_id: str, blocks: Sequence[BlockTree], parts: PartWatch) -> list[NotionComment]:
        """Open comments on the page, and on its blocks where the connection asks for that; none where Notion knows no
        comments of them. Raises SourceError where comments cannot be had at all, or not now."""
        found: list[NotionComment] = []
        for place in (page_id, *(_ids(blocks) if self._on_blocks else ())):
            try:
                found.extend(parts.ask(COMMENTS, partial(self._client.comments, place)))
            except REFUSALS as error:
                if parts.lacks(COMMENTS, error):
                    raise
                logger.info("%s: Notion knows no comments of it: %s", place, error)
        return found


def _ids(blocks: Sequence[BlockTree]) -> Iterator[str]:
    for block in blocks:
        if block.block.id:
            yield block.block.id
        if not is_copy(block):
            yield from _ids(block.children)
