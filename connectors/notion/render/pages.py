"""Pages and databases to Markdown. Pure: what they mention by id alone is handed in."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.notion.objects import Ref
from connectors.notion.payloads import DatabaseColumn, NotionComment, NotionDatabase, NotionPage, plain
from connectors.notion.render.blocks import BlockTree, blocks_markdown, linked
from connectors.notion.render.comments import comments_markdown
from connectors.notion.render.properties import NotionNames, property_lines, related_pages
from connectors.notion.render.rich_text import joined, markdown


def page_markdown(
    page: NotionPage, blocks: Sequence[BlockTree], names: NotionNames, comments: Sequence[NotionComment] = ()
) -> str:
    """Properties, one a line, then the body, then what was said about it. The title is not in it."""
    lines = "\n".join(property_lines(page.properties, names))
    return joined((lines, blocks_markdown(blocks, names), comments_markdown(comments, names)), "\n\n")


def database_markdown(database: NotionDatabase, sources: Sequence[NotionDatabase]) -> str:
    """The description, and of each data source its own and its columns, with what can be chosen in them."""
    description = markdown(database.description)
    parts = [description]
    for source in sources:
        name = plain(source.title) if len(sources) > 1 else ""
        text = markdown(source.description)
        columns = ", ".join(map(_column, source.columns))
        parts += [name, text if text != description else "", columns and f"Properties: {columns}"]
    return joined(parts, "\n\n")


def _column(column: DatabaseColumn) -> str:
    options = joined((option.name for option in column.options), ", ")
    told = f"{column.name} ({options})" if options else column.name
    return f"{told}: {column.description}" if column.description else told


def mentioned(page: NotionPage, blocks: Sequence[BlockTree]) -> set[Ref]:
    """The pages and databases whose titles `page_markdown` wants to know."""
    return {*(Ref("page", page_id) for page_id in related_pages(page.properties)), *linked(blocks)}
