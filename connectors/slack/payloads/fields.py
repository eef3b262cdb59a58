"""The kinds of values that Slack's payloads hold, each read as leniently as it may be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Strict, StringConstraints

from connectors.slack.timestamps import TS_PATTERN

_LATEST_SECOND = int(datetime.max.replace(tzinfo=UTC).timestamp())


def count(value: Any) -> int:
    """A number of things; none where it is no number."""
    try:
        return max(int(value), 0)
    except (TypeError, ValueError, OverflowError):
        return 0


def _seconds(value: Any) -> int:
    seconds = count(value)
    return seconds if seconds <= _LATEST_SECOND else 0


def _id_of(value: Any) -> Any:
    return (value.get("id") if isinstance(value, dict) else value) or ""


def object_or_none(value: Any) -> Any:
    return value if isinstance(value, dict) else None


Timestamp: TypeAlias = Annotated[str, StringConstraints(strict=True, pattern=TS_PATTERN)]
Truthy: TypeAlias = Annotated[bool, BeforeValidator(bool)]
"""Set by whatever is not false, empty or 0: a flag that bars somebody has to hold, however it is written."""
Count: TypeAlias = Annotated[int, BeforeValidator(count)]
Seconds: TypeAlias = Annotated[int, BeforeValidator(_seconds)]
"""Since 1970; 0 where there is no such time."""
Identifier: TypeAlias = Annotated[str, Strict()]
"""Slack's ids are no numbers: what has one in place of an id names nothing."""
ObjectId: TypeAlias = Annotated[str, Strict(), BeforeValidator(_id_of)]
"""Some events give an object, and others its id alone."""
