"""Pages, databases and data sources."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from connectors.notion.objects import KINDS, UNTITLED, NotionObject, Ref, parse_time
from connectors.notion.payloads.fields import OneOrMore, ParentRef, Time, fields_of, parse_parent
from connectors.notion.payloads.properties import PropertyValue, RelatedObject, SelectOption
from connectors.notion.payloads.rich_text import RICH_TEXT, RichText, plain
from connectors.notion.payloads.users import NotionUser
from connectors.payloads import LenientPayload

_TRASHED = ("in_trash", "archived", "is_archived")
"""Flags of what is in the trash, by the version of the API: any of them says so."""


def _properties(value: Any) -> dict[str, Any]:
    return {name: one for name, one in fields_of(value).items() if isinstance(one, dict)}


class _Described(LenientPayload):
    """What pages, databases and data sources have in common."""

    id: str = ""
    url: str = ""
    created_time: Time = None
    last_edited_time: Time = None
    created_by: NotionUser | None = None


class NotionPage(_Described):
    """https://developers.notion.com/reference/page"""

    properties: Annotated[dict[str, PropertyValue], BeforeValidator(_properties)] = {}  # noqa: RUF012 - frozen

    @property
    def title(self) -> str:
        """On one line; as long as its property is."""
        titles = (value.title for value in self.properties.values() if value.type == "title")
        return " ".join(plain(next(titles, ())).split())


class DatabaseColumn(LenientPayload):
    """A property that every row has, and what can be chosen in it: https://developers.notion.com/reference/property-object"""

    name: str = ""
    description: str = ""
    options: OneOrMore[SelectOption] = ()

    @model_validator(mode="before")
    @classmethod
    def _of_its_kind(cls, values: Any) -> Any:
        return {"options": fields_of(values.get(str(values.get("type")))).get("options"), **values}


def _columns(value: Any) -> list[dict[str, Any]]:
    """Named by their keys: a column can lack a name of its own."""
    return [{**fields_of(column), "name": name} for name, column in fields_of(value).items()]


class NotionDatabase(_Described):
    """A database, or one of its data sources: `data_sources` are of the former, `database_parent` is of the latter.

    `columns` are those of a data source, and before version 2025-09-03 those of a database.
    """

    title: RichText = ()
    description: RichText = ()
    data_sources: OneOrMore[RelatedObject] = ()
    database_parent: ParentRef = None
    columns: Annotated[tuple[DatabaseColumn, ...], BeforeValidator(_columns)] = Field((), alias="properties")

    @property
    def names_parent(self) -> bool:
        """Whether a data source says where its database is; the top of the workspace is no reference."""
        return "database_parent" in self.model_fields_set


def parse_object(values: dict[str, Any]) -> NotionObject | None:
    """None for what is neither page, database nor data source, or is only named by its id."""
    kind = values.get("object")
    if kind not in KINDS or not values.get("id") or "parent" not in values:
        return None
    return NotionObject(
        ref=Ref(kind, str(values["id"])),
        title=" ".join(plain(RICH_TEXT.validate_python(_title(values))).split()) or UNTITLED,
        parent=parse_parent(values["parent"]),
        edited=parse_time(values.get("last_edited_time")),
        trashed=any(values.get(flag) for flag in _TRASHED),
        packed=zlib.compress(json.dumps(values, separators=(",", ":")).encode(), 1),
    )


def page_of(found: NotionObject) -> NotionPage:
    """The page as it was listed. Raises TypeError where a property is not as documented."""
    return NotionPage.model_validate(_unpacked(found))


def database_of(found: NotionObject) -> NotionDatabase:
    """The database or data source as it was listed."""
    return NotionDatabase.model_validate(_unpacked(found))


def url_of(found: NotionObject) -> str:
    return str(_unpacked(found).get("url") or "")


def _title(values: Mapping[str, Any]) -> Any:
    if values["object"] != "page":
        return values.get("title")
    properties = _properties(values.get("properties")).values()
    return next((value.get("title") for value in properties if value.get("type") == "title"), None)


def _unpacked(found: NotionObject) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(zlib.decompress(found.packed)) if found.packed else {}
    return values
