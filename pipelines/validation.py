"""What pydantic finds wrong, as people read it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

_TYPE = re.compile(r"\[|^constrained-")


def first_problem(error: ValidationError) -> tuple[str, str]:
    """Where the first wrong value is (`filters.sources.0`, empty for the whole), and what is wrong with it."""
    first = error.errors(include_input=False, include_url=False)[0]
    return field_path(first["loc"]), reason(first)


def field_path(location: Sequence[int | str]) -> str:
    """Without the types among which a value may choose, which pydantic names as if they were fields."""
    return ".".join(str(part) for part in location if not (isinstance(part, str) and _TYPE.search(part)))


def reason(details: Mapping[str, Any]) -> str:
    """The message of one error, without the words that pydantic puts before a validator's own."""
    return str(details["msg"]).removeprefix("Value error, ")
