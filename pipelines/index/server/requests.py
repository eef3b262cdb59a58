"""What is sent to a Qdrant server, as the models of `qdrant_client`. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from pipelines.index.batches import Batch
from pipelines.index.conditions import Alternatives, AnyOf, Conditions, First, TimeRange
from pipelines.index.contract import (
    BM25,
    DENSE,
    Filters,
    Mode,
    PayloadUpdate,
    Point,
    Vector,
)
from pipelines.index.dense import floats, stored_floats
from pipelines.index.filters import conditions, visible
from pipelines.index.lexical import document_vector, query_vector, stored_vector

if TYPE_CHECKING:
    import qdrant_edge
    from qdrant_client import models


def operations(batch: Batch, known: Collection[str]) -> list[models.UpdateOperation]:
    """Upserts, updates of points that are `known` to exist, and deletes, in this order."""
    from qdrant_client import models

    steps: list[models.UpdateOperation] = []
    if batch.points:
        points = models.PointsList(points=[_point(point) for point in batch.points])
        steps.append(models.UpsertOperation(upsert=points))
    steps += _updates([update for update in batch.updates if update.id in known])
    if batch.stale:
        stale: list[Any] = list(batch.stale)
        steps.append(models.DeleteOperation(delete=models.PointIdsList(points=stale)))
    return steps


def _updates(updates: Sequence[PayloadUpdate]) -> list[models.UpdateOperation]:
    from qdrant_client import models

    steps: list[models.UpdateOperation] = [
        models.OverwritePayloadOperation(
            overwrite_payload=models.SetPayload(payload=update.payload, points=[update.id])
        )
        for update in updates
    ]
    vectors = [
        models.PointVectors(id=update.id, vector={BM25: _sparse(document_vector(update.lexical_text))})
        for update in updates
        if update.lexical_text is not None
    ]
    if vectors:
        steps.append(models.UpdateVectorsOperation(update_vectors=models.UpdateVectors(points=vectors)))
    return steps


def alias_operations(alias: str, live: str | None, target: str) -> list[models.AliasOperations]:
    """Point an alias at `target`, in one step; `live` is the collection that it points at now."""
    from qdrant_client import models

    create = models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name=target, alias_name=alias))
    if live is None:
        return [create]
    return [models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=alias)), create]


def leg_requests(
    mode: Mode,
    text: str,
    dense: Vector | None,
    filters: Filters,
    limit: int,
    *,
    with_payload: bool,
    idf_corpus: bool,
) -> list[models.QueryRequest]:
    """What each leg of a mode is asked; `idf_corpus` is whether the server takes one."""
    from qdrant_client import models

    filter = server_filter(conditions(filters))
    shown = {"filter": filter, "limit": limit, "with_payload": with_payload}
    legs: list[models.QueryRequest] = []
    if mode != "lexical":
        if dense is None:
            raise ValueError(f"{mode} search needs the query's vector")
        # By default only binary vectors are scored again by the full ones.
        rescored = models.SearchParams(quantization=models.QuantizationSearchParams(rescore=True))
        legs.append(models.QueryRequest(query=floats(dense), using=DENSE, params=rescored, **shown))
    if mode != "dense":
        query, params = _sparse(query_vector(text)), _idf_params(filters) if idf_corpus else None
        legs.append(models.QueryRequest(query=query, using=BM25, params=params, **shown))
    return legs


def takes_idf_corpus(version: str) -> bool:
    """Whether a server of this version can count the rarity of words (IDF) over a part of the collection.

    It can from 1.19 on (https://qdrant.tech/documentation/search/text-search/full-text-search/).
    """
    found = release(version)
    return found is not None and found >= (1, 19)


def release(version: str) -> tuple[int, int] | None:
    """Major and minor version of a server; None if it tells none."""
    found = re.match(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else None


def _idf_params(filters: Filters) -> models.SearchParams | None:
    """That the rarity of words is counted over what the asker may see; None over all, for whom nothing is hidden."""
    from qdrant_client import models

    corpus = server_filter(visible(filters))
    return models.SearchParams(idf=models.IdfCorpusParams(corpus=corpus)) if corpus else None


def server_filter(where: Conditions) -> models.Filter | None:
    """Conditions as Qdrant's filter; None if there are none."""
    from qdrant_client import models

    if where == Conditions():
        return None
    excluded: list[Any] = [
        server_filter(one) if isinstance(one, Conditions) else _condition(one) for one in where.must_not
    ]
    return models.Filter(must=[_condition(one) for one in where.must], must_not=excluded)


def required_filter(where: Conditions) -> models.Filter:
    """Raises ValueError where there is no condition, because a change would then concern every point."""
    filter = server_filter(where)
    if filter is None:
        raise ValueError("a change needs a condition on the points that it concerns")
    return filter


def _condition(condition: AnyOf | TimeRange | First | Alternatives) -> models.FieldCondition | models.Filter:
    from qdrant_client import models

    if isinstance(condition, Alternatives):
        return models.Filter(should=[server_filter(one) or models.Filter() for one in condition.of])
    if isinstance(condition, First):
        return models.FieldCondition(key="position", match=models.MatchValue(value=0))
    if isinstance(condition, AnyOf):
        return models.FieldCondition(key=condition.field, match=models.MatchAny(any=list(condition.values)))
    during: Any = {"gte": condition.start, "lt": condition.end}
    return models.FieldCondition(key=condition.field, range=models.DatetimeRange(**during))


def _point(point: Point) -> models.PointStruct:
    from qdrant_client import models

    vector: Any = {DENSE: stored_floats(point.dense), BM25: _sparse(stored_vector(point.lexical))}
    return models.PointStruct(id=point.id, vector=vector, payload=point.payload)


def _sparse(vector: qdrant_edge.SparseVector) -> models.SparseVector:
    from qdrant_client import models

    return models.SparseVector(indices=vector.indices, values=vector.values)
