"""Kinds of fields that are the same in all payloads, and read leniently."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import BeforeValidator, PlainValidator

from connectors.notion.objects import UNKNOWN, Kind, Ref, parse_time
from connectors.payloads import Entries

T = TypeVar("T")

PARENT_KINDS: dict[str, Kind] = {
    "page_id": "page",
    "database_id": "database",
    "data_source_id": "data_source",
    "block_id": "block",
}


def objects_in(value: Any) -> list[Any]:
    """The objects of a list; a single object is a list of one, as in the items of a long property."""
    entries = [value] if isinstance(value, dict) else value if isinstance(value, list) else []
    return [entry for entry in entries if isinstance(entry, dict)]


def fields_of(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def require_object(value: Any) -> Any:
    """An object. Anything else costs the page that it is in: a computed value must not vanish from it in silence."""
    if not isinstance(value, dict):
        # No ValueError: that pydantic takes for the default, and this it lets through.
        raise TypeError(f"not an object: {type(value).__name__}")
    return value


def parse_parent(value: object) -> Ref | None:
    """None is the top of the workspace, and only that: https://developers.notion.com/reference/parent-object

    A row names its database beside its data source; then the database counts.
    """
    values = fields_of(value)
    if values.get("workspace") is True and values.get("type", "workspace") == "workspace":
        return UNKNOWN if values.keys() & PARENT_KINDS.keys() else None
    if values.get("type") == "data_source_id" and values.get("database_id"):
        return Ref("database", str(values["database_id"]))
    kind = PARENT_KINDS.get(str(values.get("type")))
    found = values.get(str(values.get("type")))
    return Ref(kind, str(found)) if kind and found else UNKNOWN


OneOrMore: TypeAlias = Annotated[Entries[T], BeforeValidator(objects_in)]
Time: TypeAlias = Annotated[datetime | None, PlainValidator(parse_time)]
ParentRef: TypeAlias = Annotated[Ref | None, PlainValidator(parse_parent)]
