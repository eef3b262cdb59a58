"""What is wrong with settings, and where in the file, in plain English. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

_REASONS = {
    "missing": "is missing",
    "union_tag_not_found": "is missing",
    "extra_forbidden": "unknown key",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "tuple_type": "must be a list",
    "string_type": "must be a string",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_parsing": "must be a number",
    "path_type": "must be a path",
}
"""By pydantic's type of error (https://docs.pydantic.dev/latest/errors/validation_errors/)."""
_PATTERNS = {
    r"^https?://": "must start with http:// or https://",
    r"^(file|s3)://": "must start with file:// or s3://",
    r"^(embedded|https?://.+)$": "must be `embedded`, or start with http:// or https://",
    r"^[a-z0-9][a-z0-9-]*$": "must consist of a-z, 0-9 and -, and start with a letter or digit",
    r"^[A-Za-z0-9_-]+$": "must consist of letters, digits, - and _",
}


def first_problem(error: ValidationError) -> tuple[str, str]:
    """The path of the first wrong value, as a person would write it (`connections[0].token`; empty for the whole), and
    what is wrong with it. The value itself is left out: it may be secret."""
    first: Mapping[str, Any] = error.errors(include_input=False, include_url=False)[0]
    location = _without_union_tag(first["loc"])
    if discriminator := first.get("ctx", {}).get("discriminator"):
        location = (*location, discriminator.strip("'"))
    return _path(location), _reason(first)


def _reason(details: Mapping[str, Any]) -> str:
    context = details.get("ctx", {})
    match details["type"]:
        case "string_pattern_mismatch":
            return _PATTERNS.get(context["pattern"], f"must match {context['pattern']}")
        case "literal_error":
            return f"must be one of {context['expected']}"
        case "union_tag_invalid":
            return f"must be one of {context['expected_tags']}"
        case kind if kind in _REASONS:
            return _REASONS[kind]
    return str(details["msg"]).removeprefix("Value error, ").replace("Input should be", "must be")


def _path(location: Iterable[int | str]) -> str:
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{part}" if path else part
    return path


def _without_union_tag(location: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """pydantic puts the chosen provider after `embedding`; the file has no such level."""
    return location[:1] + location[2:] if location[:1] == ("embedding",) and len(location) > 2 else location
