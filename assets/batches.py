"""Which units a run works on, and in how many batches."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from math import ceil

import dagster as dg
from dagster._core.storage.partition_status_cache import AssetPartitionStatus

from assets.keys import stage_keys
from assets.partitions import find_units, partitions_of
from pipelines.catalog import Catalog
from pipelines.ingestion.options import SyncOptions
from pipelines.ingestion.sync import DueUnits

UNITS_PER_BATCH = 100
"""At the least: a batch is a step, of which Dagster keeps some 14 kB."""


@dataclass(frozen=True, slots=True)
class UnitBatch:
    """Ids of units for one step. Of `untold` ones Dagster is told even where nothing has changed."""

    units: tuple[str, ...]
    untold: frozenset[str]
    options: SyncOptions


def plan_batches(due: DueUnits, untold: Collection[str], most: int) -> Iterator[UnitBatch]:
    """At most so many batches of about the same size; none where nothing is due."""
    count = min(ceil(len(due.units) / UNITS_PER_BATCH), most)
    size = ceil(len(due.units) / count) if count else 1
    for start in range(0, len(due.units), size):
        units = due.units[start : start + size]
        yield UnitBatch(units, frozenset(untold).intersection(units), due.options)


def asked_units(context: dg.OpExecutionContext, catalog: Catalog, connection: str) -> dict[str, str | None] | None:
    """The units whose partitions a run is for, by key; None where it is for none in particular."""
    if context.has_partition_key_range:
        return find_units(catalog, connection, context.partition_keys)
    return find_units(catalog, connection, [context.partition_key]) if context.has_partition_key else None


def only_asked(due: DueUnits, connection: str, asked: Mapping[str, str | None] | None) -> DueUnits:
    """Of what is due, the units that were asked for; those that cannot be read are errors."""
    if asked is None:
        return due
    found, wanted = set(due.units), [unit for unit in asked.values() if unit]
    for key, unit in asked.items():
        if unit not in found and connection not in due.report.errors:
            why = "the connection is paused" if due.paused else "it is paused, or its source no longer lists it"
            due.report.record_error(f"{connection}/{unit or key}", f"was asked for and not read: {why}", "other")
    return replace(due, units=tuple(unit for unit in wanted if unit in found), shows_gone=False)


def untold_units(instance: dg.DagsterInstance, connection: str, keys: Mapping[str, str]) -> set[str]:
    """Units of which a stage is not shown as up to date: those that are new, or have failed."""
    untold: set[str] = set()
    for asset in stage_keys(connection) if keys else ():
        shown = instance.get_status_by_partition(asset, list(keys.values()), partitions_of(connection)) or {}
        untold |= {unit for unit, key in keys.items() if shown.get(key) != AssetPartitionStatus.MATERIALIZED}
    return untold
