"""Units as partitions: a set for each connection, which follows the catalog's units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import dagster as dg

from assets.keys import stage_keys
from connectors.model import Unit
from pipelines.catalog import Catalog
from pipelines.catalog.partition_keys import UnitPartition, partition_key


def partitions_of(connection: str) -> dg.DynamicPartitionsDefinition:
    return dg.DynamicPartitionsDefinition(name=connection)


def register_all(instance: dg.DagsterInstance, catalog: Catalog, connection: str) -> dict[str, str]:
    """Make the connection's set of partitions that of the catalog's units; returns their keys by unit.

    There is no renaming in Dagster: the unit that has another name has a new partition, and what stands under the old
    one stays in the history alone.
    """
    shown = set(instance.get_dynamic_partitions(connection))  # before the catalog: what it lacks then is no unit
    units = catalog.partition_keys.all(connection)
    keys = {one.unit: one.key for one in units}
    if new := [key for key in keys.values() if key not in shown]:
        instance.add_dynamic_partitions(connection, new)
    renamed = [one for one in units if one.shown and one.shown != one.key]
    _tell_renamed(instance, connection, renamed)
    catalog.partition_keys.record_shown(connection, {one.unit: one.key for one in units if one.shown != one.key})
    for key in shown.difference(keys.values()):
        instance.delete_dynamic_partition(connection, key)
    return keys


def register(instance: dg.DagsterInstance, connection: str, unit: Unit) -> str:
    """Make a partition of one unit, if it is none; returns its key."""
    key = partition_key(unit)
    if not instance.has_dynamic_partition(connection, key):
        instance.add_dynamic_partitions(connection, [key])
    return key


def find_units(catalog: Catalog, connection: str, keys: Iterable[str]) -> dict[str, str | None]:
    """The unit of each of these keys, whichever name it has by now; None where there is none."""
    known = catalog.partition_keys.all(connection)
    units = {one.shown: one.unit for one in known} | {one.key: one.unit for one in known}
    return {key: units.get(key) for key in keys}


def _tell_renamed(instance: dg.DagsterInstance, connection: str, renamed: Sequence[UnitPartition]) -> None:
    for asset in stage_keys(connection) if renamed else ():
        made = instance.get_materialized_partitions(asset)
        for one in renamed:
            if one.shown in made:
                metadata = {"renamed from": one.shown}
                event = dg.AssetMaterialization(asset, partition=one.key, metadata=metadata)
                instance.report_runless_asset_event(event)
