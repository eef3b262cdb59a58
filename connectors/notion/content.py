"""What a page holds, read to the end: its blocks, its long property values, its comments."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from connectors.errors import REFUSALS, RequestRejected
from connectors.notion.client import NotionClient, PropertyItems
from connectors.notion.context import NotionContext
from connectors.notion.objects import NotionObject, Ref
from connectors.notion.part_table import BLOCKS
from connectors.notion.payloads import BlockContent, NotionBlock, NotionComment, NotionPage, PropertyValue, page_of
from connectors.notion.render.blocks import MEETINGS, PAGES_OF_THEIR_OWN, SECTION, BlockTree

logger = logging.getLogger(__name__)

_OUT_OF_REACH = REFUSALS
"""What Notion answers of a part that it does not show, at every attempt; the rest of the page is read."""
_LISTED_AT_MOST = 25
"""How many references a page names of one property, and its rollups are made of:
https://developers.notion.com/reference/retrieve-a-page-property"""
_INCOMPLETE = "incomplete"
_LONG = ("title", "rich_text", "people", "relation")


@dataclass(frozen=True, slots=True)
class PageContent:
    """A page with all that is read of it."""

    page: NotionPage
    blocks: tuple[BlockTree, ...]
    comments: tuple[NotionComment, ...]


def read_page(context: NotionContext, found: NotionObject) -> PageContent:
    """Raises SourceError, and TypeError where a property is not as documented."""
    page = complete_properties(context.client, found.ref.id, page_of(found))
    blocks = context.parts.ask(BLOCKS, partial(read_blocks, context.client, found.ref.id))
    return PageContent(page, blocks, tuple(context.comments_on(found.ref.id, blocks)))


def read_blocks(client: NotionClient, parent_id: str, inside: frozenset[str] = frozenset()) -> tuple[BlockTree, ...]:
    """Blocks under a page or block, with all that is nested in them. Raises SourceError.

    `inside` holds the ids of the blocks around: a synced block can hold a copy of itself.
    """
    inside |= {parent_id}
    return tuple(
        BlockTree(block, _read_nested(client, block, inside))
        for block in client.children(parent_id)
        if not (block.in_trash or block.archived)
    )


def read_trashed_blocks(client: NotionClient, parent_id: str) -> tuple[BlockTree, ...]:
    """Blocks under a page in the trash, those that went there with it included. Raises SourceError."""
    return tuple(
        BlockTree(block, read_trashed_blocks(client, block.id))
        if block.has_children and block.type not in PAGES_OF_THEIR_OWN
        else BlockTree(block)
        for block in client.children(parent_id)
    )


def complete_properties(client: NotionClient, page_id: str, page: NotionPage) -> NotionPage:
    """A page with all values of properties of which it names the first only, and with rollups that are made of all.

    One that stays cut has more (`has_more`). Raises SourceError.
    """
    long = {name: value for name, value in page.properties.items() if _is_cut(value)}
    if any(value.type == "relation" for value in long.values()):  # which a rollup goes through, its schema alone tells
        long |= {name: value for name, value in page.properties.items() if value.type == "rollup" and value.id}
    if not long:
        return page
    complete = {name: _read_values(client, page_id, value) for name, value in long.items()}
    return page.model_copy(update={"properties": {**page.properties, **complete}})


def pages_inside(blocks: tuple[BlockTree, ...]) -> Iterator[Ref]:
    """The pages and databases among blocks."""
    for block in blocks:
        if block.kind in PAGES_OF_THEIR_OWN and block.block.id:
            yield Ref("page" if block.kind == "child_page" else "database", block.block.id)
        yield from pages_inside(block.children)


def first_hidden(blocks: tuple[BlockTree, ...]) -> Ref | None:
    """A block of which Notion does not show what is inside, and may later."""
    return next((found for one in blocks if (found := one.hidden_in or first_hidden(one.children))), None)


def _read_nested(client: NotionClient, block: NotionBlock, inside: frozenset[str]) -> tuple[BlockTree, ...]:
    if block.type in PAGES_OF_THEIR_OWN:
        return ()
    if block.type in MEETINGS and block.content.section_ids is not None:
        return tuple(_read_sections(client, block.content.section_ids, inside))
    original = block.content.synced_from.block_id if block.content.synced_from else ""
    if block.type == "synced_block" and original and original not in inside:
        try:
            return read_blocks(client, original, inside)
        except _OUT_OF_REACH:
            pass  # the copy shows what the original held when both were in reach
    if not block.has_children or block.id in inside:
        return ()
    try:
        return read_blocks(client, block.id, inside)
    except _OUT_OF_REACH as error:
        logger.warning("what is inside the %s %s is not read: %s", block.type, block.id, error)
        # A gap that the document's tags tell of, as of blocks that the API does not show at all.
        gap = NotionBlock(type="unsupported", content=BlockContent(block_type=block.type))
        # What Notion rejects, it does so of this kind of block for ever; the rest may be shown later.
        return (BlockTree(gap, hidden_in=None if isinstance(error, RequestRejected) else Ref("block", block.id)),)


def _read_sections(client: NotionClient, section_ids: dict[str, str], inside: frozenset[str]) -> Iterator[BlockTree]:
    """Parts of meeting notes, which the block names by id: https://developers.notion.com/reference/block"""
    for key, block_id in section_ids.items():
        if block_id in inside:
            continue
        try:
            found = read_blocks(client, block_id, inside)
        except _OUT_OF_REACH:
            continue  # a part that is not made yet, or not shared
        name = key.removesuffix("_block_id").replace("_", " ").capitalize()
        yield BlockTree(NotionBlock(type=SECTION, content=BlockContent(name=name)), found)


def _is_cut(value: PropertyValue) -> bool:
    if not value.id:
        return False
    if value.type == "rollup" and value.rollup:
        return value.rollup.type == _INCOMPLETE or len(value.rollup.array) >= _LISTED_AT_MOST
    return value.type in _LONG and (value.has_more or len(getattr(value, value.type)) >= _LISTED_AT_MOST)


def _read_values(client: NotionClient, page_id: str, value: PropertyValue) -> PropertyValue:
    """Where the listing of a property has none, the property stays as it is on the page."""
    try:
        items = client.property_items(page_id, value.id)
    except _OUT_OF_REACH as error:
        logger.warning("%s: the first values of a property are all that is read: %s", page_id, error)
        return value.model_copy(update={"has_more": True})
    if value.type == "rollup":
        return _whole_rollup(value, items)
    values = tuple(one for item in items.values for one in getattr(item, value.type))
    return value.model_copy(update={value.type: values, "has_more": not items.is_whole}) if values else value


def _whole_rollup(value: PropertyValue, items: PropertyItems) -> PropertyValue:
    """https://developers.notion.com/guides/data-apis/read-page-property-values: the last answer has what is computed,
    and originals are items of their own."""
    result = items.result.rollup or value.rollup
    if result and result.type == "array" and items.values:
        result = result.model_copy(update={"array": items.values})
    is_whole = items.is_whole and result is not None and result.type != _INCOMPLETE
    return value.model_copy(update={"rollup": result, "has_more": not is_whole})
