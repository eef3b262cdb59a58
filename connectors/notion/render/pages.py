"""Pages and databases to Markdown. Pure: what they mention by id alone is handed in."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.notion.client import Payload
from connectors.notion.comments import comments_markdown
from connectors.notion.objects import Ref, parent
from connectors.notion.render.blocks import Block, blocks_markdown, linked
from connectors.notion.render.properties import Known, property_lines, related_pages
from connectors.notion.render.rich_text import joined, markdown, plain


def page_markdown(page: Payload, blocks: Sequence[Block], known: Known, comments: Sequence[Payload] = ()) -> str:
    """Properties, one a line, then the body, then what was said about it. The title is not in it."""
    lines = "\n".join(property_lines(page.get("properties"), known))
    return joined((lines, blocks_markdown(blocks, known), comments_markdown(comments, known)), "\n\n")


def database_markdown(database: Payload, sources: Sequence[Payload]) -> str:
    """The description, and the names of the properties of each data source; empty without a description."""
    description = markdown(database.get("description"))
    described = [markdown(source.get("description")) for source in sources]
    if not any((description, *described)):
        return ""
    parts = [description]
    for source, text in zip(sources, described, strict=True):
        name = plain(source.get("title")) if len(sources) > 1 else ""
        names = ", ".join(source.get("properties") or ())
        parts += [name, text if text != description else "", names and f"Properties: {names}"]
    return joined(parts, "\n\n")


def mentioned(page: Payload, blocks: Sequence[Block]) -> set[Ref]:
    """The pages and databases whose titles `page_markdown` wants to know."""
    links = (parent({"type": kind, kind: target}) for kind, target in linked(blocks))
    related = (Ref("page", page_id) for page_id in related_pages(page.get("properties")))
    return {*related, *(link for link in links if link)}
