"""An embedded shard in our terms: changes and questions, over `qdrant_edge`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from pipelines.index.batches import Batch
from pipelines.index.conditions import Conditions
from pipelines.index.contract import (
    BM25,
    DENSE,
    Filters,
    Hit,
    Mode,
    Payload,
    PayloadUpdate,
    Point,
    Vector,
)
from pipelines.index.dense import packed, stored_packed, windows
from pipelines.index.embedded.filter import (
    edge_filter,
    from_stored,
    readers_payload,
    required_filter,
    to_stored,
)
from pipelines.index.facets import every_value
from pipelines.index.filters import conditions, visible
from pipelines.index.fusion import Fused, candidates, fuse, leg_weights, one_leg
from pipelines.index.lexical import document_vector, query_vector, stored_vector

if TYPE_CHECKING:
    import numpy as np
    import qdrant_edge
    from numpy.typing import NDArray

PAGE = 256
"""How many points are read at once."""


def write(shard: qdrant_edge.EdgeShard, batch: Batch) -> None:
    """Write new points, then updates of points that still exist, then remove stale ones."""
    from qdrant_edge import UpdateOperation

    if batch.points:
        shard.update(UpdateOperation.upsert_points(_edge_points(batch.points)))
    if batch.updates:
        _update_payloads(shard, batch.updates)
    if batch.stale:
        shard.update(UpdateOperation.delete_points(list(batch.stale)))


def _edge_points(points: Sequence[Point]) -> list[qdrant_edge.Point]:
    from qdrant_edge import Point

    return [
        Point(
            point.id,
            {DENSE: stored_packed(point.dense), BM25: stored_vector(point.lexical)},
            to_stored(point.payload),
        )
        for point in points
    ]


def _update_payloads(shard: qdrant_edge.EdgeShard, updates: Sequence[PayloadUpdate]) -> None:
    from qdrant_edge import PointVectors, UpdateOperation

    records = shard.retrieve([update.id for update in updates], with_payload=False, with_vector=False)
    known = {str(record.id) for record in records}
    # The engine raises for a point that is gone, as one may be after a writer was killed.
    for update in (one for one in updates if one.id in known):
        shard.update(UpdateOperation.overwrite_payload([update.id], to_stored(update.payload)))
        if update.lexical_text is not None:
            vector = PointVectors(update.id, {BM25: document_vector(update.lexical_text)})
            shard.update(UpdateOperation.update_vectors([vector]))


def set_readers(shard: qdrant_edge.EdgeShard, where: Conditions, source: str, readers: Sequence[str]) -> None:
    """Let the points that meet the conditions carry these readers."""
    from qdrant_edge import UpdateOperation

    payload = readers_payload(source, readers)
    shard.update(UpdateOperation.set_payload_by_filter(required_filter(where), payload))


def remove(shard: qdrant_edge.EdgeShard, where: Conditions) -> None:
    """Remove the points that meet the conditions."""
    from qdrant_edge import UpdateOperation

    shard.update(UpdateOperation.delete_points_by_filter(required_filter(where)))


def search(
    shard: qdrant_edge.EdgeShard,
    mode: Mode,
    text: str,
    dense: Vector | None,
    filters: Filters,
    limit: int,
    depth: int | None = None,
    model: str = "",
) -> list[Hit]:
    """The best points, best first; see `IndexReader.search`. `model` is that of the shard's vectors."""
    from qdrant_edge import QueryBatchRequest, QueryRequest

    legs = _legs(mode, text, dense, filters)
    if len(legs) == 1:
        points = shard.query(QueryRequest(limit, **legs[0], with_payload=True))
        return one_leg(mode, (Hit(str(point.id), point.score, from_stored(point.payload)) for point in points))
    requests = [QueryRequest(depth or candidates(limit), **leg, with_payload=False) for leg in legs]
    found = shard.query_batch(QueryBatchRequest(requests))
    # A UUID is hashed and written in Python, which for 200 of them takes longer than the fusion; its number is at hand.
    by_meaning, by_words = ([(_number(point), point.score) for point in points] for points in found)
    return _with_payloads(shard, fuse(by_meaning, by_words, leg_weights(text, model), limit))


def _number(point: qdrant_edge.ScoredPoint | qdrant_edge.Record) -> int:
    return cast("UUID", point.id).int


def _with_payloads(shard: qdrant_edge.EdgeShard, found: Sequence[Fused[int]]) -> list[Hit]:
    """The points that were found and are still there, with their whole payloads."""
    records = shard.retrieve([UUID(int=one.id) for one in found], with_payload=True, with_vector=False)
    there = {_number(record): record for record in records}
    return [_hit(there[one.id], one) for one in found if one.id in there]


def _hit(record: qdrant_edge.Record, found: Fused[int]) -> Hit:
    return Hit(str(record.id), found.score, from_stored(record.payload), found.dense, found.lexical)


def _legs(mode: Mode, text: str, dense: Vector | None, filters: Filters) -> list[dict[str, Any]]:
    """The queries that a mode fuses, each with its filter and parameters.

    There is no graph of vectors, so that every search is exact: told so, the engine does not first count out whether to
    use one, 4 % of the dense leg's processor time.
    """
    from qdrant_edge import Query, SearchParams

    where = conditions(filters)
    filter = edge_filter(where)
    legs: list[dict[str, Any]] = []
    if mode != "lexical":
        if dense is None:
            raise ValueError(f"{mode} search needs the query's vector")
        nearest = Query.Nearest(packed(dense), using=DENSE)  # type: ignore[arg-type]  # the stubs know lists only
        legs.append({"query": nearest, "filter": filter, "params": SearchParams(exact=True)})
    if mode != "dense":
        query, seen = Query.Nearest(query_vector(text), using=BM25), visible(filters)
        params = _idf_params(filter if seen == where else edge_filter(seen))
        legs.append({"query": query, "filter": edge_filter(where, walked=False), "params": params})
    return legs


def _idf_params(corpus: qdrant_edge.Filter | None) -> qdrant_edge.SearchParams:
    """That the rarity of words is counted over what the asker may see; over all for whom nothing is hidden."""
    from qdrant_edge import IdfParams, SearchParams

    return SearchParams(exact=True, idf=IdfParams(corpus=corpus) if corpus else None)


def scroll(shard: qdrant_edge.EdgeShard, where: Conditions) -> Iterator[tuple[str, Payload]]:
    """All points that meet the conditions, a page at a time."""
    from qdrant_edge import ScrollRequest

    filter = edge_filter(where)
    offset = None
    while True:
        page, offset = shard.scroll(ScrollRequest(offset, PAGE, filter, with_payload=True))
        for record in page:
            yield str(record.id), from_stored(record.payload)
        if offset is None:
            return


def count_points(shard: qdrant_edge.EdgeShard) -> int:
    """How many points there are."""
    from qdrant_edge import CountRequest

    return shard.count(CountRequest())


def dense_vectors(shard: qdrant_edge.EdgeShard, ids: Sequence[str]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Those of the points that there are."""
    for start in range(0, len(ids), PAGE):
        for record in shard.retrieve(list(ids[start : start + PAGE]), with_payload=False, with_vector=[DENSE]):
            vectors = cast("dict[str, Any]", record.vector)
            yield str(record.id), windows(vectors[DENSE])


def beginnings(shard: qdrant_edge.EdgeShard, where: Conditions, limit: int, *, newest: bool) -> list[Hit]:
    """The points that meet the conditions, with `newest` those that were updated last first."""
    from qdrant_edge import Direction, OrderBy, ScrollRequest

    order = OrderBy("updated_at", Direction.Desc) if newest else None
    page, _ = shard.scroll(ScrollRequest(None, limit, edge_filter(where), with_payload=True, order_by=order))
    return [Hit(str(record.id), 1.0, from_stored(record.payload)) for record in page]


def count_matching(shard: qdrant_edge.EdgeShard, field: str, where: Conditions) -> dict[str, int]:
    """How many of the points that meet the conditions there are with each value of a field.

    Asked to be exact, the engine takes ten times as long, for points that it holds twice while it seals a segment.
    """
    from qdrant_edge import FacetRequest

    def count(limit: int) -> list[qdrant_edge.FacetHit]:
        return list(shard.facet(FacetRequest(field, limit=limit, filter=edge_filter(where))))

    return {str(one.value): one.count for one in every_value(count, count_points(shard))}


def count_by(shard: qdrant_edge.EdgeShard, field: str) -> dict[str, int]:
    """How many points there are with each value of a field."""
    from qdrant_edge import FacetRequest

    values = shard.facet(FacetRequest(field, limit=max(count_points(shard), 1), exact=True))
    return {str(one.value): one.count for one in values}
