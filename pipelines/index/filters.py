"""Filters to conditions on payload fields, which each store puts into its own words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pipelines.index.contract import Filters


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The field holds one of the values; without values it never holds."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class During:
    """The time in the field is at or after `start` and before `end`, both RFC 3339 or open."""

    field: str
    start: str | None
    end: str | None


@dataclass(frozen=True, slots=True)
class Conditions:
    """All of `must` hold, and none of `must_not`."""

    must: tuple[AnyOf | During, ...] = ()
    must_not: tuple[AnyOf, ...] = ()


def conditions(filters: Filters) -> Conditions:
    """The conditions of some filters. Readers are left out for an administrator (None) alone."""
    must: list[AnyOf | During] = []
    if filters.readers is not None:
        must.append(AnyOf("readers", filters.readers))
    must += _any_of(
        ("source", filters.sources),
        ("connection", filters.connections),
        ("unit", filters.units),
        ("kind", filters.kinds),
        ("author", filters.authors),
        ("document_id", filters.documents),
        ("parents", filters.parents_in),
        ("parents", filters.below),
        ("tags", filters.tags_in),
    )
    if filters.updated_after or filters.updated_before:
        must.append(During("updated_at", _timestamp(filters.updated_after), _timestamp(filters.updated_before)))
    return Conditions(
        must=tuple(must), must_not=tuple(_any_of(("parents", filters.parents_not), ("tags", filters.tags_not)))
    )


def admits_nothing(filters: Filters) -> bool:
    """Whether whoever asks has no reader token at all, so that no point can match."""
    return filters.readers == ()


def of_documents(document_ids: Sequence[str]) -> Conditions:
    """The conditions for all points of some documents."""
    return Conditions(must=(AnyOf("document_id", tuple(document_ids)),))


def _any_of(*fields: tuple[str, tuple[str, ...]]) -> list[AnyOf]:
    return [AnyOf(field, values) for field, values in fields if values]


def _timestamp(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC; a time without a zone is taken for UTC."""
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
