"""Pages and databases as documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.contract import Skipped
from connectors.model import MARKDOWN, Document, Unit
from connectors.notion.access import readers
from connectors.notion.content import PageContent
from connectors.notion.context import NotionContext
from connectors.notion.fingerprints import entry_fingerprint
from connectors.notion.objects import UNTITLED, NotionObject
from connectors.notion.payloads import NotionDatabase, NotionPage
from connectors.notion.render.blocks import unsupported_kinds
from connectors.notion.render.pages import database_markdown, page_markdown
from connectors.notion.render.properties import NotionNames, option_names


class NotionDocuments:
    """Makes the documents of one unit. `ancestors` run from the outermost container to the nearest."""

    def __init__(self, context: NotionContext, unit: Unit) -> None:
        self._context = context
        self._unit = unit

    def page(
        self,
        found: NotionObject,
        ancestors: Sequence[NotionObject],
        content: PageContent,
        titles: Mapping[str, str],
    ) -> Document | Skipped:
        """`titles` are those of the pages and databases that the page mentions, by id, as far as they are in reach."""
        names = NotionNames(titles, self._context.names())
        markdown = page_markdown(content.page, content.blocks, names, content.comments)
        is_row = bool(ancestors) and ancestors[-1].ref.kind != "page"
        kind = "database_row" if is_row else "page"
        title = content.page.title or found.title
        return self._document(found, title, ancestors, content.page, kind, markdown, _tags(content))

    def database(
        self,
        found: NotionObject,
        ancestors: Sequence[NotionObject],
        database: NotionDatabase,
        sources: Sequence[NotionDatabase],
    ) -> Document | Skipped:
        """`sources` are its data sources in reach; the database itself where the server knows none."""
        markdown = database_markdown(database, sources)
        return self._document(found, found.title, ancestors, _described(database, sources), "database", markdown)

    def _document(
        self,
        found: NotionObject,
        title: str,
        ancestors: Sequence[NotionObject],
        payload: NotionPage | NotionDatabase,
        kind: str,
        markdown: str,
        tags: Sequence[str] = (),
    ) -> Document | Skipped:
        document_id = self._context.document_id(found.ref.id)
        if not markdown.strip() and title == UNTITLED:  # a title alone is a document
            return Skipped(document_id, title, "empty", payload.url)
        own = readers(self._context.connection, (*ancestors, found))
        return Document(
            id=document_id,
            source="notion",
            connection=self._context.connection.id,
            unit=self._unit.id,
            kind=kind,
            title=title,
            url=payload.url,
            content=markdown,
            content_type=MARKDOWN,
            author=self._context.author(payload.created_by),
            created_at=payload.created_time,
            updated_at=payload.last_edited_time,
            parents=self._context.parents(ancestors, own),
            tags=tuple(tags),
            readers=own,
            fingerprint=entry_fingerprint(found, ancestors, self._context.mapped_readers((*ancestors, found))),
        )


def _described(database: NotionDatabase, sources: Sequence[NotionDatabase]) -> NotionDatabase:
    """Since version 2025-09-03 a database has neither an author nor the time of its data sources' last edit."""
    edited = (one.last_edited_time for one in (database, *sources) if one.last_edited_time)
    first = sources[0]
    return database.model_copy(
        update={
            "url": database.url or first.url,
            "created_by": database.created_by or first.created_by,
            "created_time": database.created_time or first.created_time,
            "last_edited_time": max(edited, default=None),
        }
    )


def _tags(content: PageContent) -> tuple[str, ...]:
    """Options chosen in properties, and `unsupported:<kind>` for blocks that the API does not show."""
    hidden = sorted(f"unsupported:{kind}" for kind in unsupported_kinds(content.blocks))
    return tuple(dict.fromkeys((*option_names(content.page.properties), *hidden)))
