"""What is done inside an op or outside runs, as materialisations of the assets it brings up to date."""

from __future__ import annotations

from dataclasses import dataclass, field

import dagster as dg
from dagster._core.storage.partition_status_cache import AssetPartitionStatus

from assets.checks import check_connection, check_trouble
from assets.keys import RETRIEVAL, asset_key
from assets.metadata import index_metadata, stage_metadata
from assets.partitions import partitions_of, register
from pipelines.catalog.partition_keys import partition_key
from pipelines.index.contract import IndexInfo
from pipelines.ingestion.observer import StageDone
from pipelines.services import Services


def materialization(done: StageDone) -> dg.AssetMaterialization:
    """One stage of one unit."""
    return dg.AssetMaterialization(
        asset_key(done.connection.id, done.stage),
        partition=partition_key(done.unit),
        metadata=stage_metadata(done.stage, done.report),
    )


@dataclass(slots=True)
class DagsterReporter:
    """`pipelines.ingestion.orchestrator.Reporter` on a Dagster instance: events show in the UI without a run."""

    instance: dg.DagsterInstance
    _passed: dict[dg.AssetCheckKey, bool] = field(default_factory=dict)
    _has_changed: bool = True

    def stage_done(self, done: StageDone) -> None:
        self._has_changed = True
        register(self.instance, done.connection.id, done.unit)
        if done.report.has_changed or not self._is_shown(done):
            self.instance.report_runless_asset_event(materialization(done))

    def published(self, info: IndexInfo) -> None:
        self.instance.report_runless_asset_event(dg.AssetMaterialization(RETRIEVAL, metadata=index_metadata(info)))

    def checked(self, services: Services) -> None:
        """Evaluate the checks on the connections; what has not changed is not told again, since each event is kept.

        All documents are counted only where a stage has run meanwhile.
        """
        check = check_connection if self._has_changed else check_trouble
        self._has_changed = False
        for connection in services.settings.connections:
            for found in check(services, connection):
                if self._passed.get(found.asset_check_key) != found.passed:
                    self.instance.report_runless_asset_event(found)
                    self._passed[found.asset_check_key] = found.passed

    def _is_shown(self, done: StageDone) -> bool:
        """Whether Dagster shows the stage of the unit as up to date."""
        asset, key = asset_key(done.connection.id, done.stage), partition_key(done.unit)
        shown = self.instance.get_status_by_partition(asset, [key], partitions_of(done.connection.id)) or {}
        return shown.get(key) == AssetPartitionStatus.MATERIALIZED
