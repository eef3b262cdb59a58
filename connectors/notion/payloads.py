"""What Notion's API answers, as far as it is read here.

https://developers.notion.com/reference/intro · versions 2025-09-03 and 2022-06-28
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import BeforeValidator, ConfigDict, Field, PlainValidator, TypeAdapter, model_validator

from connectors.notion.objects import KINDS, UNTITLED, Kind, NotionObject, Ref, parse_time
from connectors.payloads import LenientPayload, Payload

T = TypeVar("T")

_PARENTS: dict[str, Kind] = {
    "page_id": "page",
    "database_id": "database",
    "data_source_id": "data_source",
    "block_id": "block",
}
_TRASHED = ("in_trash", "archived", "is_archived")
"""Flags of what is in the trash, by the version of the API: any of them says so."""


def _objects(value: Any) -> list[Any]:
    """The objects of a list; a single object is a list of one, as the items of a long property are told."""
    entries = [value] if isinstance(value, dict) else value if isinstance(value, list) else []
    return [entry for entry in entries if isinstance(entry, dict)]


def _fields(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _documented(value: Any) -> Any:
    """An object. Anything else costs the page that it is in: a computed value must not vanish from it in silence."""
    if not isinstance(value, dict):
        raise TypeError(f"not an object: {value!r:.80}")  # pydantic lets it through, where ValueError is the default
    return value


def parse_parent(value: object) -> Ref | None:
    """https://developers.notion.com/reference/parent-object

    A row names its database beside its data source; then the database counts.
    """
    if not isinstance(value, dict):
        return None
    if value.get("type") == "data_source_id" and value.get("database_id"):
        return Ref("database", str(value["database_id"]))
    kind = _PARENTS.get(str(value.get("type")))
    found = value.get(str(value.get("type")))
    return Ref(kind, str(found)) if kind and found else None


Many: TypeAlias = Annotated[tuple[T, ...], BeforeValidator(_objects)]
Time: TypeAlias = Annotated[datetime | None, PlainValidator(parse_time)]
ParentRef: TypeAlias = Annotated[Ref | None, PlainValidator(parse_parent)]


# ---- rich text: https://developers.notion.com/reference/rich-text


class RunAnnotations(LenientPayload):
    bold: bool = False
    italic: bool = False
    strikethrough: bool = False
    code: bool = False


class MentionTarget(LenientPayload):
    """What a mention says of itself: a person's name, a date, the title or address of a link."""

    start: str = ""
    end: str = ""
    name: str = ""
    title: str = ""
    url: str = ""
    href: str = ""


class RunBody(LenientPayload):
    """The part of a run that is its kind's own: a text's `content`, an equation's `expression`, a mention's target."""

    type: str = ""
    content: str = ""
    expression: str = ""
    target: MentionTarget = MentionTarget()

    @model_validator(mode="before")
    @classmethod
    def _of_its_kind(cls, values: Any) -> Any:
        return {**values, "target": _fields(values.get(str(values.get("type"))))}


class RichTextRun(LenientPayload):
    """A stretch of text that looks the same. `plain_text` is None where the server leaves it out."""

    type: str = ""
    plain_text: str | None = None
    href: str = ""
    annotations: RunAnnotations = RunAnnotations()
    body: RunBody = RunBody()

    @model_validator(mode="before")
    @classmethod
    def _of_its_kind(cls, values: Any) -> Any:
        kind = values.get("type")
        if kind != "mention" and isinstance(values.get("plain_text"), str):
            return values  # the body would say the same
        return {**values, "body": _fields(values.get(str(kind)))}

    @property
    def text(self) -> str:
        """`plain_text`, which every kind of run has; else what the run's own kind holds."""
        target = self.body.target
        text = target.title if self.body.type == "link_mention" else ""  # its `plain_text` is the address
        text = text or (self._own_text() if self.plain_text is None else self.plain_text)
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def _own_text(self) -> str:
        target = self.body.target
        span = f"{target.start} → {target.end}" if target.start and target.end else target.start
        named = span or target.name or target.title or target.url or target.href
        return self.body.content or self.body.expression or named


RichText: TypeAlias = Many[RichTextRun]

_RICH_TEXT: TypeAdapter[tuple[RichTextRun, ...]] = TypeAdapter(RichText)


def plain(rich_text: Iterable[RichTextRun]) -> str:
    """The text alone."""
    return "".join(run.text for run in rich_text)


# ---- people and comments


class _Person(LenientPayload):
    email: str = ""


class _Bot(LenientPayload):
    workspace_name: str = ""


class NotionUser(LenientPayload):
    """https://developers.notion.com/reference/user; a group among people has a name too."""

    id: str = ""
    type: str = ""
    name: str = ""
    person: _Person = _Person()
    bot: _Bot = _Bot()


class _DisplayName(LenientPayload):
    resolved_name: str = ""


class _CommentAttachment(LenientPayload):
    category: str = ""


class NotionComment(LenientPayload):
    """https://developers.notion.com/reference/comment-object"""

    discussion_id: str = ""
    rich_text: RichText = ()
    attachments: Many[_CommentAttachment] = ()
    created_time: str = ""
    created_by: NotionUser = NotionUser()
    display_name: _DisplayName = _DisplayName()


# ---- blocks: https://developers.notion.com/reference/block


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
    attendees: tuple[str, ...] = ()


def _cells(value: Any) -> list[list[Any]]:
    return [_objects(cell) for cell in value] if isinstance(value, list) else []


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
    block_type: str = ""
    synced_from: _SyncedFrom | None = None
    calendar_event: _CalendarEvent = _CalendarEvent()
    section_ids: Annotated[dict[str, str] | None, BeforeValidator(_section_ids)] = Field(None, alias="children")

    @property
    def target(self) -> Ref | None:
        """The page or database that a link leads to."""
        found = {"page_id": self.page_id, "database_id": self.database_id}.get(self.type)
        return Ref(_PARENTS[self.type], found) if found else None


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
        return {"content": _fields(values.get(str(values.get("type")))), **values}


# ---- property values: https://developers.notion.com/reference/page-property-values


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


class _Relation(LenientPayload):
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
    select: Many[SelectOption] = ()
    status: Many[SelectOption] = ()
    multi_select: Many[SelectOption] = ()
    date: Dates = DateSpan()
    people: Many[NotionUser] = ()
    files: Many[FileLink] = ()
    checkbox: bool | None = None
    boolean: bool | None = None
    url: str = ""
    email: str = ""
    phone_number: str = ""
    relation: Many[_Relation] = ()
    array: Many[PropertyValue] = ()
    formula: Annotated[PropertyValue | None, BeforeValidator(_documented)] = None
    rollup: Annotated[PropertyValue | None, BeforeValidator(_documented)] = None
    created_time: str = ""
    last_edited_time: str = ""
    created_by: NotionUser = NotionUser()
    last_edited_by: NotionUser = NotionUser()
    unique_id: Annotated[_UniqueId, BeforeValidator(_documented)] = _UniqueId()
    verification: Annotated[_Verification, BeforeValidator(_documented)] = _Verification()
    place: Annotated[_Location, BeforeValidator(_documented)] = _Location()
    unknown: Any = None

    @model_validator(mode="before")
    @classmethod
    def _of_its_kind(cls, values: Any) -> Any:
        kind = str(values.get("type") or "")
        shared = {key: value for key, value in values.items() if key in ("id", "type", "has_more")}
        if kind not in values or kind in shared:
            return shared
        return {**shared, kind if kind in cls.model_fields else "unknown": values[kind]}


# ---- pages, databases and data sources


def _properties(value: Any) -> dict[str, Any]:
    return {name: one for name, one in _fields(value).items() if isinstance(one, dict)}


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


class NotionDatabase(_Described):
    """A database, or one of its data sources: these are told of the former, `database_parent` of the latter.

    `property_names` are those of a data source, and before version 2025-09-03 those of a database.
    """

    title: RichText = ()
    description: RichText = ()
    data_sources: Many[_Relation] = ()
    database_parent: ParentRef = None
    property_names: Annotated[tuple[str, ...], BeforeValidator(lambda value: tuple(_fields(value)))] = Field(
        (), alias="properties"
    )

    @property
    def names_parent(self) -> bool:
        """Whether a data source says where its database is; the top of the workspace is no reference."""
        return "database_parent" in self.model_fields_set


def parse_object(values: dict[str, Any]) -> NotionObject | None:
    """None for what is neither page, database nor data source, or is not told in full."""
    kind = values.get("object")
    if kind not in KINDS or not values.get("id") or "parent" not in values:
        return None
    return NotionObject(
        ref=Ref(kind, str(values["id"])),
        title=" ".join(plain(_RICH_TEXT.validate_python(_title(values))).split()) or UNTITLED,
        parent=parse_parent(values["parent"]),
        edited=parse_time(values.get("last_edited_time")),
        trashed=any(values.get(flag) for flag in _TRASHED),
        packed=zlib.compress(json.dumps(values, separators=(",", ":")).encode(), 1),
    )


def page_of(found: NotionObject) -> NotionPage:
    """The page as it was told. Raises TypeError where a property is not as documented."""
    return NotionPage.model_validate(_unpacked(found))


def database_of(found: NotionObject) -> NotionDatabase:
    """The database or data source as it was told."""
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


# ---- answers


class _RequestStatus(LenientPayload):
    type: str = ""


class ListAnswer(Payload):
    """One page of a listing: https://developers.notion.com/reference/intro#pagination"""

    results: tuple[dict[str, Any], ...]
    has_more: bool = False
    next_cursor: str = ""
    request_status: _RequestStatus = _RequestStatus()

    @property
    def is_cut(self) -> bool:
        """Whether the server will not name all there is: it stops short, or gives no way to what follows."""
        return self.request_status.type == "incomplete" or (self.has_more and not self.next_cursor)


class ErrorAnswer(LenientPayload):
    """https://developers.notion.com/reference/status-codes"""

    object: str = ""
    code: str = ""
    message: str = "no message"


# ---- webhooks: https://developers.notion.com/reference/webhooks-events-delivery


class NotionHandshake(Payload):
    """What Notion sends once, and nothing beside it, to an address that is to be verified."""

    model_config = ConfigDict(extra="forbid")

    verification_token: str = Field(min_length=1, strict=True)


class EventEntity(Payload):
    id: str
    type: str


class EventData(Payload):
    """What an event says beside its object. `updated_properties` of a page are ids; `page_id` is a comment's.

    Not lenient: an event of which a part is lost would leave something unread.
    """

    parent: EventEntity | None = None
    updated_blocks: tuple[EventEntity, ...] = ()
    updated_properties: tuple[Any, ...] = ()
    page_id: str = ""


class NotionDelivery(LenientPayload):
    id: str = ""
    type: str = ""
    entity: EventEntity | None = None
    data: EventData | None = None

    @property
    def details(self) -> EventData:
        """`data`, of an event that says nothing without. Raises KeyError."""
        if self.data is None:
            raise KeyError("data")
        return self.data
