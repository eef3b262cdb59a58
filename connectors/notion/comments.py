"""Comments on a page. https://developers.notion.com/reference/comment-object"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from connectors.errors import AccessDenied, NotFound, RequestRejected
from connectors.notion.client import NotionClient
from connectors.notion.payloads import NotionComment
from connectors.notion.render.blocks import BlockTree, is_copy

logger = logging.getLogger(__name__)


class NotionComments:
    """Reads comments until it turns out that the integration may not: that is one of its capabilities.

    https://developers.notion.com/reference/capabilities
    """

    def __init__(self, client: NotionClient, *, on_blocks: bool) -> None:
        self._client = client
        self._on_blocks = on_blocks
        self._denied = False

    def read(self, page_id: str, blocks: Sequence[BlockTree]) -> list[NotionComment]:
        """Open comments on the page, and on its blocks where the connection asks for that. Raises SourceError."""
        found: list[NotionComment] = []
        try:
            for place in (page_id, *(_ids(blocks) if self._on_blocks else ())):
                if not self._denied:
                    found.extend(self._client.comments(place))
        except AccessDenied as error:
            self._denied = True
            logger.info("comments are not read: %s", error)
        except (NotFound, RequestRejected) as error:
            logger.info("%s: Notion knows no comments of it: %s", page_id, error)
        return found


def _ids(blocks: Sequence[BlockTree]) -> Iterator[str]:
    for block in blocks:
        if block.block.id:
            yield block.block.id
        if not is_copy(block):
            yield from _ids(block.children)
