"""The blocks and long property values of a page, read to the end."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from connectors.errors import AccessDenied, NotFound, RequestRejected
from connectors.notion.client import NotionClient, Payload
from connectors.notion.objects import Ref
from connectors.notion.render.blocks import MEETINGS, PAGES_OF_THEIR_OWN, SECTION, Block

logger = logging.getLogger(__name__)

_OUT_OF_REACH = (AccessDenied, NotFound, RequestRejected)
"""What Notion answers of a part that it does not show, whoever asks again; the rest of the page is read."""
_LISTED_AT_MOST = 25
"""How many references a page names of one property:
https://developers.notion.com/reference/retrieve-a-page-property"""
_LONG = ("title", "rich_text", "people", "relation")


def read_blocks(client: NotionClient, parent_id: str, inside: frozenset[str] = frozenset()) -> tuple[Block, ...]:
    """Blocks under a page or block, with all that is nested in them. Raises SourceError."""
    inside |= {parent_id}
    return tuple(
        Block(payload, _nested(client, payload, inside))
        for payload in client.children(parent_id)
        if not (payload.get("in_trash") or payload.get("archived"))
    )


def read_remains(client: NotionClient, parent_id: str) -> tuple[Block, ...]:
    """Blocks under a page in the trash, those that went there with it included. Raises SourceError."""
    return tuple(
        Block(payload, read_remains(client, str(payload["id"])))
        if payload.get("has_children") and payload.get("type") not in PAGES_OF_THEIR_OWN
        else Block(payload)
        for payload in client.children(parent_id)
    )


def completed(client: NotionClient, page: Payload) -> Payload:
    """A page with all values of properties of which it names the first only. Raises SourceError."""
    properties = page.get("properties") or {}
    long = {name: value for name, value in properties.items() if isinstance(value, dict) and _is_cut(value)}
    if not long:
        return page
    whole = {name: _whole(client, str(page["id"]), value) for name, value in long.items()}
    return {**page, "properties": {**properties, **whole}}


def pages_inside(blocks: tuple[Block, ...]) -> Iterator[Ref]:
    """The pages and databases that stand among blocks."""
    for block in blocks:
        if block.kind in PAGES_OF_THEIR_OWN and block.payload.get("id"):
            yield Ref("page" if block.kind == "child_page" else "database", str(block.payload["id"]))
        yield from pages_inside(block.children)


def _nested(client: NotionClient, payload: Payload, inside: frozenset[str]) -> tuple[Block, ...]:
    block = Block(payload)
    if block.kind in PAGES_OF_THEIR_OWN:
        return ()
    if block.kind in MEETINGS and isinstance(block.content.get("children"), dict):
        return tuple(_sections(client, block.content["children"], inside))
    if block.kind == "synced_block" and (original := _original(block)) and original not in inside:
        try:
            return read_blocks(client, original, inside)
        except _OUT_OF_REACH:
            pass  # the copy shows what the original held when both were in reach
    own = str(payload.get("id") or "")
    if not payload.get("has_children") or own in inside:
        return ()
    try:
        return read_blocks(client, own, inside)
    except _OUT_OF_REACH as error:
        logger.warning("what is inside the %s %s is not read: %s", block.kind, own, error)
        return (Block({"type": "unsupported", "unsupported": {"block_type": block.kind}}),)


def _sections(client: NotionClient, children: Payload, inside: frozenset[str]) -> Iterator[Block]:
    """Parts of meeting notes, which the block names by id: https://developers.notion.com/reference/block"""
    for key, block_id in children.items():
        if not block_id or str(block_id) in inside:
            continue
        try:
            found = read_blocks(client, str(block_id), inside)
        except _OUT_OF_REACH:
            continue  # a part that is not made yet, or not shared
        name = key.removesuffix("_block_id").replace("_", " ").capitalize()
        yield Block({"type": SECTION, SECTION: {"name": name}}, found)


def _original(block: Block) -> str:
    """Id of the block that a synced block is a copy of."""
    return str((block.content.get("synced_from") or {}).get("block_id") or "")


def _is_cut(value: Payload) -> bool:
    content = value.get(str(value.get("type")))
    if value.get("type") not in _LONG or not value.get("id") or not isinstance(content, list):
        return False
    return bool(value.get("has_more")) or len(content) >= _LISTED_AT_MOST


def _whole(client: NotionClient, page_id: str, value: Payload) -> Payload:
    """The listing of a property holds one element in each item, under the name of the type.

    Where there is none, the property stays as the page tells it.
    """
    kind = str(value["type"])
    try:
        items = list(client.property_items(page_id, str(value["id"])))
    except _OUT_OF_REACH as error:
        logger.warning("%s: the first values of a property are all that is read: %s", page_id, error)
        return value
    return {**value, kind: [item[kind] for item in items if item.get(kind)] or value[kind]}
