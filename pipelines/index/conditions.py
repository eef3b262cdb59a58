"""Conditions on points, which each store translates. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The field holds one of the values; without values it never holds."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TimeRange:
    """The time in the field is at or after `start` and before `end`, both RFC 3339 or open."""

    field: str
    start: str | None
    end: str | None


@dataclass(frozen=True, slots=True)
class First:
    """The point is the first of its document."""


@dataclass(frozen=True, slots=True)
class Alternatives:
    """At least one of these holds; without any it never holds."""

    of: tuple[Conditions, ...]


@dataclass(frozen=True, slots=True)
class Conditions:
    """All of `must` hold, and none of `must_not`."""

    must: tuple[AnyOf | TimeRange | First | Alternatives, ...] = ()
    must_not: tuple[AnyOf | Conditions, ...] = ()


EVERY_POINT = Conditions()
