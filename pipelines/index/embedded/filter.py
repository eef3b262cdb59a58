"""Conditions as the embedded engine's filters, in the form that it answers fastest.

It walks through the points of one condition, the narrowest, and checks all others point by point. Of 100,000 points a
third of which match the readers: with the readers as alternatives (`should`) a dense search takes 4.4 ms of CPU time,
with the readers as one list 6.3 ms, and with a list of sources besides 10 ms. So readers are alternatives, and each
point carries its readers once more together with its source, which makes one condition of these two. The lexical leg
walks through the points that share a word with the question instead, and checks each: there alternatives take 3.8 ms
where a list takes 4.8, as long as they are few; with 60 they take 11 ms, and the list 5.3. All threads are counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.index.conditions import Alternatives, AnyOf, Conditions, First, TimeRange
from pipelines.index.contract import Payload

if TYPE_CHECKING:
    import qdrant_edge

SOURCE_READERS = "source_readers"
"""The field of a stored point that holds its readers with its source."""
_FEW = 40
"""So many alternatives are checked faster than a list is looked up."""


def to_stored(payload: Payload) -> Payload:
    """A payload as it is stored."""
    return {**payload, SOURCE_READERS: _source_readers(payload.get("source", ""), payload.get("readers", ()))}


def readers_payload(source: str, readers: Iterable[str]) -> Payload:
    """The part of a stored payload that says who may read it."""
    tokens = list(readers)
    return {"readers": tokens, SOURCE_READERS: _source_readers(source, tokens)}


def from_stored(payload: Payload | None) -> Payload:
    """The payload as it was before `to_stored`."""
    original = payload or {}
    original.pop(SOURCE_READERS, None)
    return original


def edge_filter(where: Conditions, *, walked: bool = True) -> qdrant_edge.Filter | None:
    """Conditions as the engine's filter; None if there are none.

    `walked` is whether the engine walks through the points that match, or checks points that it has found otherwise.
    """
    from qdrant_edge import FieldCondition, Filter, MatchValue

    if where == Conditions():
        return None
    where = _combine(where)
    readers = _only(where, SOURCE_READERS) or _only(where, "readers")
    if readers and not walked and len(readers.values) > _FEW:
        readers = None
    excluded = (edge_filter(one) if isinstance(one, Conditions) else _condition(one) for one in where.must_not)
    return Filter(
        must=[_condition(one) for one in where.must if one is not readers],
        must_not=[one for one in excluded if one is not None],
        should=[FieldCondition(readers.field, match=MatchValue(value)) for value in readers.values]
        if readers
        else None,
    )


def required_filter(where: Conditions) -> qdrant_edge.Filter:
    """Raises ValueError where there is no condition, because a change would then concern every point."""
    filter = edge_filter(where)
    if filter is None:
        raise ValueError("a change needs a condition on the points that it concerns")
    return filter


def _combine(where: Conditions) -> Conditions:
    """With one condition in the place of those on readers and on sources, where there are both."""
    readers, sources = (_only(where, field) for field in ("readers", "source"))
    if not readers or not sources:
        return where
    pairs = tuple(_source_reader(source, reader) for source in sources.values for reader in readers.values)
    others = (one for one in where.must if one not in (readers, sources))
    return replace(where, must=(AnyOf(SOURCE_READERS, pairs), *others))


def _only(where: Conditions, field: str) -> AnyOf | None:
    return next((one for one in where.must if isinstance(one, AnyOf) and one.field == field), None)


def _source_readers(source: str, readers: Iterable[str]) -> list[str]:
    return [_source_reader(source, reader) for reader in readers]


def _source_reader(source: str, reader: str) -> str:
    return f"{source} {reader}"


def _condition(condition: AnyOf | TimeRange | First | Alternatives) -> qdrant_edge.FieldCondition | qdrant_edge.Filter:
    from qdrant_edge import FieldCondition, Filter, MatchAny, MatchValue, RangeDateTime

    if isinstance(condition, Alternatives):
        return Filter(should=[edge_filter(one) or Filter() for one in condition.of])
    if isinstance(condition, First):
        return FieldCondition("position", match=MatchValue(0))
    if isinstance(condition, TimeRange):
        return FieldCondition(condition.field, range=RangeDateTime(gte=condition.start, lt=condition.end))
    if len(condition.values) == 1:  # half the time of a list of one
        return FieldCondition(condition.field, match=MatchValue(condition.values[0]))
    return FieldCondition(condition.field, match=MatchAny(list(condition.values)))
