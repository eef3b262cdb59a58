"""https://developers.notion.com/reference/page-property-values"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, model_validator

from connectors.notion.payloads.blocks import FileLink
from connectors.notion.payloads.fields import OneOrMore, require_object
from connectors.notion.payloads.rich_text import RichText
from connectors.notion.payloads.users import NotionUser
from connectors.payloads import LenientPayload


class SelectOption(LenientPayload):
    name: str = ""


def _date_span(value: Any) -> Any:
    return {"start": value} if isinstance(value, str) else value


class DateSpan(LenientPayload):
    start: str = ""
    end: str = ""
    time_zone: str = ""


Dates: TypeAlias = Annotated[DateSpan, BeforeValidator(_date_span)]


class _UniqueId(LenientPayload):
    prefix: str = ""
    number: str = ""


class _Verification(LenientPayload):
    state: str = ""
    verified_by: NotionUser = NotionUser()
    date: Dates = DateSpan()


class _Location(LenientPayload):
    name: str = ""
    address: str = ""
    lat: str = ""
    lon: str = ""


class RelatedObject(LenientPayload):
    id: str = ""


class PropertyValue(LenientPayload):
    """A property of a page, an item of a long one, or what a formula or rollup comes to: the field named by `type`.

    `unknown` is the JSON of a kind that is not known.
    """

    id: str = ""
    type: str = ""
    has_more: bool = False
    title: RichText = ()
    rich_text: RichText = ()
    text: str = ""
    string: str = ""
    number: int | float | str = ""
    select: OneOrMore[SelectOption] = ()
    status: OneOrMore[SelectOption] = ()
    multi_select: OneOrMore[SelectOption] = ()
    date: Dates = DateSpan()
    people: OneOrMore[NotionUser] = ()
    files: OneOrMore[FileLink] = ()
    checkbox: bool | None = None
    boolean: bool | None = None
    url: str = ""
    email: str = ""
    phone_number: str = ""
    relation: OneOrMore[RelatedObject] = ()
    array: OneOrMore[PropertyValue] = ()
    formula: Annotated[PropertyValue | None, BeforeValidator(require_object)] = None
    rollup: Annotated[PropertyValue | None, BeforeValidator(require_object)] = None
    created_time: str = ""
    last_edited_time: str = ""
    created_by: NotionUser = NotionUser()
    last_edited_by: NotionUser = NotionUser()
    unique_id: Annotated[_UniqueId, BeforeValidator(require_object)] = _UniqueId()
    verification: Annotated[_Verification, BeforeValidator(require_object)] = _Verification()
    place: Annotated[_Location, BeforeValidator(require_object)] = _Location()
    unknown: Any = None

    @model_validator(mode="before")
    @classmethod
    def _of_its_kind(cls, values: Any) -> Any:
        kind = str(values.get("type") or "")
        shared = {key: value for key, value in values.items() if key in ("id", "type", "has_more")}
        if kind not in values or kind in shared:
            return shared
        return {**shared, kind if kind in cls.model_fields else "unknown": values[kind]}
