"""What is wrong with settings, and where in the file, in plain English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import BaseModel, ValidationError

from pipelines.settings_keys import near_key

_REASONS = {
    "missing": "is missing",
    "union_tag_not_found": "is missing",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "dict_type": "must be a mapping",
    "tuple_type": "must be a list",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "path_type": "must be a path",
}
"""By pydantic's type of error (https://docs.pydantic.dev/latest/errors/validation_errors/)."""
_PATTERNS = {
    r"^https?://": "must start with http:// or https://",
    r"^https://": "must start with https://",
    r"^(file|s3)://": "must start with file:// or s3://",
    r"^(embedded|https?://.+)$": "must be `embedded`, or start with http:// or https://",
    r"^[a-z0-9][a-z0-9-]*$": "must consist of a-z, 0-9 and -, and start with a letter or digit",
    r"^[A-Za-z0-9_-]+$": "must consist of letters, digits, - and _",
    r"^\d+$": "must be a number",
}
_READ_AS = {
    bool: "a truth value, as it does with yes, no, on and off",
    date: "a date",
    int: "a number",
    float: "a number",
}
"""What YAML makes of some words that are not quoted (https://yaml.org/type/bool.html)."""


def problems(
    error: ValidationError, root: type[BaseModel], values: Mapping[str, Any], within: Sequence[int | str] = ()
) -> list[tuple[str, str]]:
    """Of each wrong value its path, as a person would write it (`connections[0].token`; empty for the whole), and what
    is wrong with it. The value itself is left out: it may be secret. `values` are those of a `root`, and `within` is
    where in them that was validated stands."""
    return [_problem(found, root, values, within) for found in error.errors(include_url=False)]


def distinct(found: Iterable[tuple[str, str]], untold: Sequence[str]) -> list[tuple[str, str]]:
    """Of each place the first problem alone. Of what stands where a value is not told, and of what it makes of the
    whole, nothing more is said: `untold` are the paths of such values."""
    first: dict[str, str] = {}
    for path, reason in found:
        if path not in untold and any(_is_within(path, one) or _is_within(one, path) for one in untold):
            continue
        first.setdefault(path, reason)
    return list(first.items())


def _is_within(path: str, whole: str) -> bool:
    return not whole or path.startswith((f"{whole}.", f"{whole}["))


def _problem(
    found: Mapping[str, Any], root: type[BaseModel], values: Mapping[str, Any], within: Sequence[int | str]
) -> tuple[str, str]:
    location = _without_union_tag(found["loc"])
    if discriminator := found.get("ctx", {}).get("discriminator"):
        location = (*location, discriminator.strip("'"))
    if found["type"] == "extra_forbidden":
        near = near_key(root, values, (*within, *location))
        return _path(location), "unknown key" + (f"; did you mean `{near}`?" if near else "")
    return _path(location), _reason(found)


def _reason(found: Mapping[str, Any]) -> str:
    context = found.get("ctx", {})
    match found["type"]:
        case kind if found["input"] is None and kind not in ("missing", "value_error", "source"):
            return "is empty"
        case "string_type":
            return _no_string(found["input"])
        case "string_pattern_mismatch":
            return _PATTERNS.get(context["pattern"], f"must match {context['pattern']}")
        case "string_too_short" | "too_short":
            least = context["min_length"]
            return f"must have at least {least} {_counted(context)}" if least > 1 else "is empty"
        case "string_too_long" | "too_long":
            return f"must have at most {context['max_length']} {_counted(context)}"
        case "literal_error":
            return f"must be one of {context['expected']}"
        case "union_tag_invalid":
            return f"must be one of {context['expected_tags']}"
        case kind if kind in _REASONS:
            return _REASONS[kind]
    return str(found["msg"]).removeprefix("Value error, ").replace("Input should be", "must be")


def _counted(context: Mapping[str, Any]) -> str:
    """Of what pydantic counts, a secret is a `Value` to it."""
    return "entries" if context.get("field_type") in ("Tuple", "List", "Set", "Dictionary") else "characters"


def _no_string(value: object) -> str:
    read_as = next((said for kind, said in _READ_AS.items() if isinstance(value, kind)), None)
    return "must be a string" + (f": YAML reads this as {read_as}; put it in quotes" if read_as else "")


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
