"""Comments on a page, below its body. https://developers.notion.com/reference/comment-object"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from connectors.errors import AccessDenied, NotFound, RequestRejected
from connectors.notion.client import NotionClient, Payload
from connectors.notion.render.blocks import Block, is_copy
from connectors.notion.render.properties import Known
from connectors.notion.render.rich_text import joined, markdown

logger = logging.getLogger(__name__)


class Comments:
    """Reads comments until it turns out that the integration may not: that is one of its capabilities.

    https://developers.notion.com/reference/capabilities
    """

    def __init__(self, client: NotionClient, *, on_blocks: bool) -> None:
        self._client = client
        self._on_blocks = on_blocks
        self._denied = False

    def read(self, page_id: str, blocks: Sequence[Block]) -> list[Payload]:
        """Open comments on the page, and on its blocks where the connection asks for that. Raises SourceError."""
        found: list[Payload] = []
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


def comments_markdown(comments: Sequence[Payload], known: Known) -> str:
    """Comments under a heading, discussion by discussion, in the order in which they were made."""
    discussions: dict[str, list[str]] = {}
    for comment in comments:
        text = _comment(comment, known)
        discussions.setdefault(str(comment.get("discussion_id")), []).extend([text] if text else [])
    texts = [text for discussion in discussions.values() for text in discussion]
    return joined(("## Comments", *texts), "\n\n") if texts else ""


def _comment(comment: Payload, known: Known) -> str:
    attached = [str(one.get("category") or "file") for one in comment.get("attachments") or ()]
    text = joined((markdown(comment.get("rich_text")), f"(attached: {', '.join(attached)})" if attached else ""))
    if not text:
        return ""
    day = str(comment.get("created_time") or "")[:10]
    said = joined((_author(comment, known), day and f"({day})"))
    return f"{said}: {text}" if said else text


def _author(comment: Payload, known: Known) -> str:
    author = comment.get("created_by") or {}
    shown = (comment.get("display_name") or {}).get("resolved_name")
    return str(shown or author.get("name") or known.people.get(str(author.get("id"))) or "")


def _ids(blocks: Sequence[Block]) -> Iterator[str]:
    for block in blocks:
        if block.payload.get("id"):
            yield str(block.payload["id"])
        if not is_copy(block):
            yield from _ids(block.children)
