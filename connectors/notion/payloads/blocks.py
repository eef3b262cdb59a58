"""https://developers.notion.com/reference/block"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from connectors.notion.objects import Ref
from connectors.notion.payloads.fields import PARENT_KINDS, ParentRef, Time, fields_of, objects_in
from connectors.notion.payloads.rich_text import RichText, RichTextRun
from connectors.payloads import LenientPayload


class _Link(LenientPayload):
    url: str = ""


class FileLink(LenientPayload):
    """A file that Notion keeps (`file`), or that is elsewhere (`external`)."""

    name: str = ""
    external: _Link = _Link()
    file: _Link = _Link()


class _Icon(LenientPayload):
    emoji: str = ""


class _SyncedFrom(LenientPayload):
    block_id: str = ""


class _CalendarEvent(LenientPayload):
    start_time: str = ""
    end_time: str = ""
    attendees: tuple[str, ...] = ()


def _cells(value: Any) -> list[list[Any]]:
    return [objects_in(cell) for cell in value] if isinstance(value, list) else []


def _section_ids(value: Any) -> dict[str, str] | None:
    return {key: str(own) for key, own in value.items() if own} if isinstance(value, dict) else None


class BlockContent(FileLink):
    """What a block of whichever kind holds; the fields of other kinds are empty. Kinds that are not known are read
    by the same fields.

    `section_ids` are the parts of meeting notes, which are blocks of their own.
    """

    type: str = ""
    rich_text: RichText = ()
    caption: RichText = ()
    title: str | RichText = ""
    text: str | RichText = ""
    cells: Annotated[tuple[tuple[RichTextRun, ...], ...], BeforeValidator(_cells)] = ()
    checked: bool = False
    list_start_index: int = 0
    language: str = ""
    expression: str = ""
    has_column_header: bool = False
    url: str = ""
    icon: _Icon = _Icon()
    page_id: str = ""
    database_id: str = ""
    comment_id: str = ""
    block_type: str = ""
    synced_from: _SyncedFrom | None = None
    calendar_event: _CalendarEvent = _CalendarEvent()
    section_ids: Annotated[dict[str, str] | None, BeforeValidator(_section_ids)] = Field(None, alias="children")

    @property
    def target(self) -> Ref | None:
        """The page or database that a link leads to."""
        found = {"page_id": self.page_id, "database_id": self.database_id}.get(self.type)
        return Ref(PARENT_KINDS[self.type], found) if found else None


class NotionBlock(LenientPayload):
    id: str = ""
    type: str = ""
    content: BlockContent = BlockContent()
    has_children: bool = False
    in_trash: bool = False
    archived: bool = False
    parent: ParentRef = None
    created_time: Time = None
    last_edited_time: Time = None

    @model_validator(mode="before")
    @classmethod
    def _of_its_kind(cls, values: Any) -> Any:
        # Built by us, a block has its content already.
        return {"content": fields_of(values.get(str(values.get("type")))), **values}
