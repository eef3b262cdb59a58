"""The last asset: what was indexed becomes what assistants see."""

import dagster as dg

from assets.metadata import index_metadata
from assets.runtime import Runtime
from assets.stages import asset_key
from connectors import SOURCES
from pipelines.stages.publish import publish

RETRIEVAL = dg.AssetKey("retrieval")


@dg.asset(
    key=RETRIEVAL,
    deps=[asset_key(source, "vectors") for source in SOURCES],
    group_name="retrieval",
    kinds={"qdrant"},
    description="The published index that assistants query over HTTP and MCP.",
    # A unit may be indexed by a sync, a backfill or by hand: publish after each, unless that run did it itself.
    automation_condition=dg.AutomationCondition.any_deps_updated().since_last_handled()
    & ~dg.AutomationCondition.in_progress(),
)
def retrieval(runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult[None]:
    with runtime.workspace() as workspace:
        return dg.MaterializeResult(metadata=index_metadata(publish(workspace)))


publish_sensor = dg.AutomationConditionSensorDefinition(
    "publish",
    target=dg.AssetSelection.assets(RETRIEVAL),
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Materialises `retrieval` when vectors have changed.",
)
