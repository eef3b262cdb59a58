"""What somebody may see at all: the conditions that every question of theirs has. Pure."""

from __future__ import annotations

from dataclasses import replace

from pipelines.index.conditions import EVERY_POINT, Conditions
from pipelines.index.contract import Filters
from pipelines.index.filters import matches_nothing
from pipelines.retrieval.schema import SearchFilters


def visible_to(readers: tuple[str, ...] | None, scope: Filters | None) -> Filters | None:
    """All that these reader tokens give access to within a scope; None where that is nothing."""
    return within(Filters(readers=readers), scope)


def asked_within(
    asked: SearchFilters,
    readers: tuple[str, ...] | None,
    scope: Filters | None,
    also: Conditions = EVERY_POINT,
) -> Filters | None:
    """What a question asks for of that; None where that is nothing."""
    own = Filters(
        sources=tuple(asked.sources),
        connections=tuple(asked.connections),
        units=tuple(asked.units),
        kinds=tuple(asked.kinds),
        authors=tuple(asked.authors),
        parents_in=tuple(asked.parents_in),
        parents_not=tuple(asked.parents_not),
        tags_in=tuple(asked.tags_in),
        tags_not=tuple(asked.tags_not),
        updated_after=asked.updated_after,
        updated_before=asked.updated_before,
        readers=readers,
        also=also,
    )
    return within(own, scope)


def within(filters: Filters, scope: Filters | None) -> Filters | None:
    """`filters` within a scope; None if nothing can lie in both."""
    if scope is None:
        return filters
    narrowed = replace(filters, scope_sources=scope.sources, scope_parents=scope.parents_in)
    return None if matches_nothing(narrowed) else narrowed
