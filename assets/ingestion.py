"""The assets of a connection: its units, what is read, chunked and indexed of each, and who belongs to its groups."""

from __future__ import annotations

from typing import Any

import dagster as dg

from assets.executors import most_batches
from assets.keys import asset_key, dagster_name
from assets.memberships import build_memberships
from assets.partitions import partitions_of
from assets.sync_steps import (
    BATCHES,
    REPORT,
    build_batch_step,
    build_end_step,
    build_only_step,
    build_units_step,
)
from connectors.settings import Connection
from pipelines.catalog.freshness import allowed_lag
from pipelines.ingestion.options import STAGES, Stage
from pipelines.run_settings import RunSettings

DESCRIPTIONS: dict[Stage, str] = {
    "documents": "Read from the source what is new or changed in a unit, and land it as Parquet.",
    "chunks": "Split landed documents into passages along their structure.",
    "vectors": "Embed passages that were never embedded, and swap them into the index document by document.",
}
UNITS_PER_RUN = 500
"""Of a backfill: it takes its units in runs of so many, of which two may work at a time."""


def build_assets(connection: Connection, runs: RunSettings) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """`<connection>/units`, `/documents`, `/chunks`, `/vectors` and `/memberships`."""
    return [build_units(connection), build_stages(connection, runs), build_memberships(connection)]


def build_units(connection: Connection) -> dg.AssetSpec:
    """What the source says that there is. Each sync makes it anew, whether or not a unit has changed: it alone tells
    Dagster that the connection was read in time."""
    return dg.AssetSpec(
        asset_key(connection.id, "units"),
        description="What the source says that there is, and how much of it a sync had to read.",
        group_name=dagster_name(connection.id),
        kinds={connection.source},
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=allowed_lag(connection)),
    )


def build_stages(connection: Connection, runs: RunSettings) -> dg.AssetsDefinition:
    """Documents, chunks and vectors, with a partition per unit, made by one graph: the source is asked once for all
    of them.

    A run without partitions materialises the units that have changed; one for partitions all of them.
    """
    key, name = connection.id, dagster_name(connection.id)
    documents, chunks = asset_key(key, "documents"), asset_key(key, "chunks")
    return dg.AssetsDefinition.from_graph(
        _build_graph(connection, runs),
        keys_by_input_name={"units": asset_key(key, "units")},
        keys_by_output_name={stage: asset_key(key, stage) for stage in STAGES},
        internal_asset_deps={"documents": {asset_key(key, "units")}, "chunks": {documents}, "vectors": {chunks}},
        partitions_def=partitions_of(key),
        group_name=name,
        descriptions_by_output_name={str(stage): text for stage, text in DESCRIPTIONS.items()},
        can_subset=False,
        backfill_policy=dg.BackfillPolicy.multi_run(UNITS_PER_RUN),
    )


def _build_graph(connection: Connection, runs: RunSettings) -> dg.GraphDefinition:
    outputs = {str(stage): dg.GraphOut() for stage in STAGES}

    @dg.graph(
        name=dagster_name(connection.id),
        description=f"Bring the units of {connection.id} up to date and publish.",
        ins={"units": dg.GraphIn()},
        out=outputs,
    )
    def sync(units: object) -> object:
        ended = _spread(connection, runs, units) if runs.spreads else build_only_step(connection)(units)
        return {stage: getattr(ended, stage) for stage in outputs}

    return sync


def _spread(connection: Connection, runs: RunSettings, units: object) -> Any:
    """What is due is worked off in batches, by as many processes as there are."""
    batch, end = build_batch_step(connection), build_end_step(connection)
    found = build_units_step(connection, most_batches(runs))(units)
    return end(getattr(found, REPORT), getattr(found, BATCHES).map(batch).collect())
