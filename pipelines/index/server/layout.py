"""How a version's collection lies on a Qdrant server, by the settings: as it is made, and as it changes later. Pure.

https://qdrant.tech/documentation/manage-data/collections/#update-collection-parameters
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from pipelines.errors import IndexMismatch
from pipelines.index.contract import BM25, DENSE, KEYWORD_FIELDS, NUMBER_FIELDS, TIME_FIELDS, IndexSpec, spec_metadata
from pipelines.settings import IndexSettings

if TYPE_CHECKING:
    from qdrant_client import models

    FieldSchema: TypeAlias = "models.KeywordIndexParams | models.DatetimeIndexParams | models.IntegerIndexParams"
    Quantization: TypeAlias = "models.ScalarQuantization | models.BinaryQuantization | models.Disabled"

QUANTIZED_BYTES = 2**30
"""Of full vectors, from which on `quantization: auto` keeps small ones in memory and the full ones on disk: 170,000
points of 1,536 dimensions. Qdrant reckons with half as much memory again:
https://qdrant.tech/documentation/capacity-planning/"""

_BYTES_PER_DIMENSION = 4

TENANT_FIELD = "unit"
"""Points of a unit lie side by side: most filters and all changes of rights are of a few units."""


def collection_arguments(spec: IndexSpec, settings: IndexSettings) -> dict[str, Any]:
    """The arguments of `create_collection`."""
    from qdrant_client import models

    quantization = _quantization(settings, spec, points=0)
    return {
        "vectors_config": {
            DENSE: models.VectorParams(
                size=spec.dimensions,
                distance=models.Distance.DOT,
                on_disk=_is_quantized(quantization),
                multivector_config=_best_window() if spec.window_tokens else None,
            )
        },
        "sparse_vectors_config": {BM25: models.SparseVectorParams(modifier=models.Modifier.IDF)},
        "shard_number": settings.shard_number,
        "replication_factor": settings.replication_factor,
        "write_consistency_factor": write_consistency_factor(settings),
        "on_disk_payload": True,
        "quantization_config": quantization if _is_quantized(quantization) else None,
        "metadata": dict(spec_metadata(spec)),
    }


def _best_window() -> models.MultiVectorConfig:
    from qdrant_client import models

    return models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)


def changed_arguments(
    name: str, info: models.CollectionInfo, spec: IndexSpec, settings: IndexSettings
) -> dict[str, Any]:
    """The arguments of `update_collection` that bring a collection to the settings; none if it is as they say.

    Raises IndexMismatch where a server cannot change it.
    """
    _check_shards(name, info.config.params, settings)
    return {**_changed_replication(info.config.params, settings), **_changed_quantization(info, spec, settings)}


def write_consistency_factor(settings: IndexSettings) -> int:
    """How many replicas have to have a change before it counts as written: most of them, but one of two, since
    otherwise nothing could be written while a node restarts. A replica that misses a change answers no more until it
    has it: https://qdrant.tech/documentation/scaling/consistency-guarantees/
    """
    replicas = settings.replication_factor
    return replicas // 2 + 1 if replicas > 2 else 1


def field_schemas() -> dict[str, FieldSchema]:
    """The payload indexes."""
    from qdrant_client import models

    keyword, datetime = models.KeywordIndexType.KEYWORD, models.DatetimeIndexType.DATETIME
    number = models.IntegerIndexParams(type=models.IntegerIndexType.INTEGER, lookup=True, range=False)
    return {
        **{field: models.KeywordIndexParams(type=keyword) for field in KEYWORD_FIELDS},
        TENANT_FIELD: models.KeywordIndexParams(type=keyword, is_tenant=True),
        **{field: models.DatetimeIndexParams(type=datetime) for field in TIME_FIELDS},
        **dict.fromkeys(NUMBER_FIELDS, number),
    }


def missing_indexes(info: models.CollectionInfo) -> dict[str, FieldSchema]:
    """The payload indexes that a collection has not, or has of another kind."""
    wanted = field_schemas()
    missing = wanted.keys() - info.payload_schema.keys()
    tenant = info.payload_schema.get(TENANT_FIELD)
    if tenant and not getattr(tenant.params, "is_tenant", None):
        missing.add(TENANT_FIELD)
    return {field: schema for field, schema in wanted.items() if field in missing}


def _check_shards(name: str, found: models.CollectionParams, settings: IndexSettings) -> None:
    if found.shard_number not in (None, settings.shard_number):
        raise IndexMismatch(
            f"{name}: the collection has {found.shard_number} shards, and `index.shard_number` in the settings says "
            f"{settings.shard_number}, which a Qdrant server cannot change; set it back, or give `index.collection` "
            "another name and run `headrace reindex`, which embeds nothing again"
        )


def _changed_replication(found: models.CollectionParams, settings: IndexSettings) -> dict[str, Any]:
    from qdrant_client import models

    wanted = (settings.replication_factor, write_consistency_factor(settings))
    if (found.replication_factor, found.write_consistency_factor) == wanted:
        return {}
    replicas, written = wanted
    params = models.CollectionParamsDiff(replication_factor=replicas, write_consistency_factor=written)
    return {"collection_params": params}


def _changed_quantization(info: models.CollectionInfo, spec: IndexSpec, settings: IndexSettings) -> dict[str, Any]:
    """What is quantized once stays so while the settings leave it to Headrace."""
    from qdrant_client import models

    found, wanted = info.config.quantization_config, _quantization(settings, spec, info.points_count or 0)
    if settings.quantization == "auto" and (found or not _is_quantized(wanted)):
        return {}
    if (found or models.Disabled.DISABLED) == wanted:
        return {}
    on_disk = models.VectorParamsDiff(on_disk=_is_quantized(wanted))
    return {"quantization_config": wanted, "vectors_config": {DENSE: on_disk}}


def _quantization(settings: IndexSettings, spec: IndexSpec, points: int) -> Quantization:
    """Small vectors in memory; the full ones stay on disk and score the best candidates again."""
    from qdrant_client import models

    is_large = points * spec.dimensions * _BYTES_PER_DIMENSION >= QUANTIZED_BYTES
    if settings.quantization == "scalar" or (settings.quantization == "auto" and is_large):
        return models.ScalarQuantization(
            scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, always_ram=True)
        )
    if settings.quantization == "binary":
        return models.BinaryQuantization(binary=models.BinaryQuantizationConfig(always_ram=True))
    return models.Disabled.DISABLED


def _is_quantized(quantization: Quantization) -> bool:
    from qdrant_client import models

    return not isinstance(quantization, models.Disabled)
