"""Links to comments: they lead to the page that the comment is on. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from connectors.notion.objects import Ref
from connectors.notion.render.blocks import BlockTree


def with_comment_places(blocks: Sequence[BlockTree], find: Callable[[str], Ref | None]) -> tuple[BlockTree, ...]:
    """Blocks in which links to comments are links to pages. `find` gives the page of a comment, None for one that is
    out of reach."""
    return tuple(_with_place(tree, find) for tree in blocks)


def _with_place(tree: BlockTree, find: Callable[[str], Ref | None]) -> BlockTree:
    children = with_comment_places(tree.children, find)
    content = tree.content
    page = find(content.comment_id) if tree.kind == "link_to_page" and content.comment_id else None
    if page is None:
        return replace(tree, children=children)
    leading = content.model_copy(update={"type": "page_id", "page_id": page.id})
    return BlockTree(tree.block.model_copy(update={"content": leading}), children)
