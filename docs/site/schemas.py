"""JSON schemas, as pydantic makes them, as rows of a table. Pure.

https://json-schema.org/understanding-json-schema/reference
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any, TypeAlias

from pydantic import TypeAdapter

from docs.site.tables import code, table

Schema: TypeAlias = Mapping[str, Any]

_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "minLength": "{} characters or more",
    "maxLength": "at most {} characters",
}
_LONG = 100_000
"""From here on `g` would write an exponent."""
_NAMES = {
    ("string", "password"): "text, secret",
    ("string", "date-time"): "time (ISO 8601)",
    ("string", "path"): "path",
    ("string", "duration"): "duration (`90m`, `24h`, `2d`)",
    ("string", ""): "text",
    ("integer", ""): "whole number",
    ("number", ""): "number",
    ("boolean", ""): "`true` or `false`",
    ("object", ""): "mapping",
}


@dataclass(frozen=True, slots=True)
class Described:
    """A schema with the definitions that it refers to. With `links`, those that have properties are linked by name."""

    schema: Schema
    definitions: Mapping[str, Schema]
    links: bool = False

    @classmethod
    def of(cls, schema: Schema) -> Described:
        return cls(schema, schema.get("$defs", {}))

    def resolve(self, schema: Schema) -> Schema:
        """What a reference leads to, with what is said beside it; of what may be null the rest."""
        options = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
        if len(options) == 1:
            schema = {**{key: value for key, value in schema.items() if key != "anyOf"}, **options[0]}
        if target := schema.get("$ref"):
            beside = {key: value for key, value in schema.items() if key != "$ref"}
            return {**self.resolve(self.definitions[target.rpartition("/")[2]]), **beside}
        return schema

    def fields(self) -> Iterator[tuple[str, Schema]]:
        """Name and schema of each property."""
        for name, field in self.schema.get("properties", {}).items():
            yield name, self.resolve(field)

    def rows(
        self, skip: Collection[str] = (), meanings: Mapping[str, str] = MappingProxyType({})
    ) -> Iterator[tuple[str, str, str, str]]:
        """Name, what it takes, default and meaning of each property; `meanings` are of those that tell none."""
        needed = self.schema.get("required", ())
        for name, field in self.schema.get("properties", {}).items():
            if name not in skip:
                resolved = self.resolve(field)
                default = "needed" if name in needed else _default(resolved)
                yield code(name), self.takes(field), default, _meaning(resolved) or meanings.get(name, "")

    def table(self, skip: Collection[str] = (), meanings: Mapping[str, str] = MappingProxyType({})) -> str:
        """The rows as Markdown."""
        return table(("name", "takes", "default", "meaning"), self.rows(skip, meanings))

    def takes(self, field: Schema) -> str:
        """The type of a property in words, with its bounds."""
        if name := self._linked(field):
            return f"[{name}](#{name.lower()})"
        field = self.resolve(field)
        return ", ".join([self._type(field), *_bounds(field)])

    def _linked(self, field: Schema) -> str:
        """The name of the model with properties to which a property leads, where such are linked; else empty."""
        options = [one for one in field.get("anyOf", [field]) if one.get("type") != "null"]
        target = str(options[0].get("$ref", "")).rpartition("/")[2] if len(options) == 1 else ""
        return target if self.links and self.definitions.get(target, {}).get("properties") else ""

    def _type(self, field: Schema) -> str:
        if choices := field.get("enum") or ([field["const"]] if "const" in field else []):
            return " or ".join(code(str(one)) for one in choices)
        if options := field.get("anyOf") or field.get("oneOf"):
            known = (one for one in options if one.get("type") != "null")
            return " or ".join(dict.fromkeys(self.takes(one) for one in known))
        if field.get("type") == "array":
            return f"list of {self.takes(field.get('items', {}))}"
        if field.get("type") == "object" and isinstance(field.get("additionalProperties"), Mapping):
            return f"mapping of text to {self.takes(field['additionalProperties'])}"
        kind, form = field.get("type", ""), field.get("format", "")
        return _NAMES.get((kind, form)) or _NAMES.get((kind, "")) or "anything"


def _bounds(field: Schema) -> Iterator[str]:
    for key, text in _BOUNDS.items():
        if (key, field.get(key)) == ("minLength", 1):
            yield "not empty"
        elif key in field:
            yield text.format(f"{field[key]:,g}" if field[key] < _LONG else f"{field[key]:,.0f}")


def _default(field: Schema) -> str:
    if "default" not in field or field["default"] in (None, "", [], {}):
        return ""
    default = field["default"]
    if field.get("format") == "duration":
        return code(_hours(str(default)))
    return "as below" if isinstance(default, Mapping) else code(json.dumps(default, ensure_ascii=False).strip('"'))


def _hours(duration: str) -> str:
    """A duration of ISO 8601 as the settings write it."""
    return f"{int(TypeAdapter(timedelta).validate_python(duration).total_seconds()) // 3600}h"


def _meaning(field: Schema) -> str:
    return str(field.get("description", ""))
